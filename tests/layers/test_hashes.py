"""Hashes of strings of every length, whose bytes all differ from their neighbours."""

from __future__ import annotations

import pytest

from portanet.layers.preprocessing.fingerprints import bucket, fingerprint64, siphash

DATA = bytes((i * i * 31 + i * 7 + 13) % 256 for i in range(300))


@pytest.mark.parametrize(
    ("start", "stop", "total"),
    [
        (0, 4, 0xB5A0BA8E2F82CBE0),
        (4, 8, 0x9436083D09B24377),
        (8, 17, 0x402218BC384951A8),
        (17, 33, 0x19914E131466431A),
        (33, 65, 0x870E37BE2D63D9C7),
        (65, 300, 0x5AD9064E05ED1659),
    ],
)
def test_fingerprints(start: int, stop: int, total: int) -> None:
    """The sums of those by pyfarmhash 1.0; the ranges are those of the algorithm's branches."""
    assert sum(fingerprint64(DATA[:n]) for n in range(start, stop)) % 2**64 == total


def test_siphash() -> None:
    """The vectors that its authors published."""
    key = (0x0706050403020100, 0x0F0E0D0C0B0A0908)
    vectors = {
        0: 0x726FDB47DD0E0E31,
        1: 0x74F839C593DC67FD,
        7: 0xAB0200F58B01D137,
        8: 0x93F5F5799A932462,
        9: 0x9E0082DF0BA9E4B0,
        15: 0xA129CA6149BE45E5,
        16: 0x3F2ACC7F57C29BDB,
        63: 0x958A324CEB064572,
    }
    assert {n: siphash(bytes(range(n)), key) for n in vectors} == vectors


def test_buckets() -> None:
    """An integer without salt is its own hash; with salt it is hashed as text."""
    assert [bucket(n, 7) for n in (-1, 0, 7, 9)] == [6, 0, 0, 2]
    assert bucket("9", 7) == fingerprint64(b"9") % 7
    assert bucket(9, 7, (1, 2)) == siphash(b"9", (1, 2)) % 7 == bucket("9", 7, (1, 2))
