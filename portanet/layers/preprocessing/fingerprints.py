"""Hashes of strings that are the same everywhere, and those of TensorFlow: FarmHash's Fingerprint64, and SipHash."""

from __future__ import annotations

import struct

MASK = (1 << 64) - 1
K0, K1, K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F


def bucket(value: str | int, buckets: int, salt: tuple[int, ...] | None = None) -> int:
    """One of `buckets` numbers, by a hash of a string; by the remainder for an integer without salt."""
    if isinstance(value, int) and salt is None:
        return value % buckets
    data = str(value).encode()
    return (fingerprint64(data) if salt is None else siphash(data, salt)) % buckets


def fingerprint64(data: bytes) -> int:
    """FarmHash's Fingerprint64 (Pike, Google, 2014), as in `tf.strings.to_hash_bucket_fast`.

    Example:
        >>> fingerprint64(b"") == 0x9AE16A3B2F90404F
        True
    """
    n = len(data)
    if n <= 16:
        return _up_to_16(data, n)
    if n <= 32:
        return _up_to_32(data, n)
    return _up_to_64(data, n) if n <= 64 else _longer(data, n)


def _fetch(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "little")


def _rotate(x: int, by: int) -> int:
    x &= MASK
    return ((x >> by) | (x << (64 - by))) & MASK


def _mix(x: int) -> int:
    x &= MASK
    return x ^ (x >> 47)


def _pair(u: int, v: int, factor: int) -> int:
    a = _mix((u ^ v) * factor)
    return (_mix((v ^ a) * factor) * factor) & MASK


def _up_to_16(s: bytes, n: int) -> int:
    factor = K2 + 2 * n
    if n >= 8:
        a, b = _fetch(s, 0) + K2, _fetch(s, n - 8)
        return _pair((_rotate(b, 37) * factor + a) & MASK, ((_rotate(a, 25) + b) * factor) & MASK, factor)
    if n >= 4:
        first, last = (int.from_bytes(s[at : at + 4], "little") for at in (0, n - 4))
        return _pair(n + (first << 3), last, factor)
    if n == 0:
        return K2
    y, z = s[0] + (s[n >> 1] << 8), n + (s[n - 1] << 2)
    return (_mix((y * K2) ^ (z * K0)) * K2) & MASK


def _ends(s: bytes, n: int, first: int) -> tuple[int, int, int, int]:
    """What both middle lengths begin with."""
    factor = K2 + 2 * n
    a, b, c, d = _fetch(s, 0) * first, _fetch(s, 8), _fetch(s, n - 8) * factor, _fetch(s, n - 16) * K2
    return (_rotate(a + b, 43) + _rotate(c, 30) + d) & MASK, (a + _rotate(b + K2, 18) + c) & MASK, a, factor


def _up_to_32(s: bytes, n: int) -> int:
    y, z, _, factor = _ends(s, n, K1)
    return _pair(y, z, factor)


def _up_to_64(s: bytes, n: int) -> int:
    y, z, a, factor = _ends(s, n, K2)
    z = _pair(y, z, factor)
    e, f = _fetch(s, 16) * factor, _fetch(s, 24)
    g, h = (y + _fetch(s, n - 32)) * factor, (z + _fetch(s, n - 24)) * factor
    first = _rotate(e + f, 43) + _rotate(g, 30) + h
    return _pair(first & MASK, (e + _rotate(f + a, 18) + g) & MASK, factor)


def _weak(s: bytes, at: int, a: int, b: int) -> tuple[int, int]:
    w, x, y, z = (_fetch(s, at + 8 * i) for i in range(4))
    a += w
    b = _rotate(b + a + z, 21)
    c = a
    a += x + y
    b += _rotate(a, 44)
    return (a + z) & MASK, (b + c) & MASK


def _longer(s: bytes, n: int) -> int:
    x, y = 81, (81 * K1 + 113) & MASK
    z = (_mix(y * K2 + 113) * K2) & MASK
    v, w = (0, 0), (0, 0)
    x = x * K2 + _fetch(s, 0)
    end = (n - 1) // 64 * 64
    for at in [*range(0, end, 64), end + ((n - 1) & 63) - 63]:
        last = at % 64 != 0 or at == end
        factor, nine = K1, 1
        if last:
            factor, nine = K1 + ((z & 0xFF) << 1), 9
            w = (w[0] + ((n - 1) & 63), w[1])
            v = (v[0] + w[0], v[1])
            w = (w[0] + v[0], w[1])
        x = _rotate(x + y + v[0] + _fetch(s, at + 8), 37) * factor
        y = _rotate(y + v[1] + _fetch(s, at + 48), 42) * factor
        x = (x ^ (w[1] * nine)) & MASK
        y += v[0] * nine + _fetch(s, at + 40)
        z = _rotate(z + w[0], 33) * factor
        v = _weak(s, at, v[1] * factor, x + w[0])
        w = _weak(s, at + 32, z + w[1], y + _fetch(s, at + 16))
        z, x = x, z
        if last:
            first = _pair(v[0], w[0], factor) + _mix(y) * K0 + z
            return _pair(first & MASK, (_pair(v[1], w[1], factor) + x) & MASK, factor)
    raise AssertionError("the last piece returns")


def siphash(data: bytes, key: tuple[int, ...]) -> int:
    """SipHash-2-4 (Aumasson and Bernstein, 2012) with a key of two integers, as in
    `tf.strings.to_hash_bucket_strong`.

    Example:
        >>> hex(siphash(bytes(range(15)), (0x0706050403020100, 0x0F0E0D0C0B0A0908)))
        '0xa129ca6149be45e5'
    """
    k0, k1 = (k & MASK for k in key)
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]

    def rounds(count: int) -> None:
        for _ in range(count):
            for a, b, c, d, turn_b, turn_d in ((0, 1, 2, 3, 13, 16), (2, 1, 0, 3, 17, 21)):
                # Half a round: the first adds the pairs (0, 1) and (2, 3), the second (2, 1) and (0, 3).
                v[a] = (v[a] + v[b]) & MASK
                v[c] = (v[c] + v[d]) & MASK
                v[b] = _rotate(v[b], 64 - turn_b) ^ v[a]
                v[d] = _rotate(v[d], 64 - turn_d) ^ v[c]
                v[a] = _rotate(v[a], 32)

    whole = len(data) // 8 * 8
    tail = data[whole:].ljust(7, b"\0") + bytes([len(data) & 0xFF])
    for (word,) in struct.iter_unpack("<Q", data[:whole] + tail):
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 0xFF
    rounds(4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def crossed(values: tuple[str | int, ...], buckets: int) -> int:
    """One of `buckets` numbers, by a hash of values together, as in `tf.sparse.cross_hashed`."""
    factor, result = 0xC6A4A7935BD1E995, 0xDECAFCAFFE
    for value in values:
        own = fingerprint64(value.encode()) if isinstance(value, str) else value
        result = ((result ^ factor ^ (_mix(own * factor) * factor)) * factor) & MASK
        result = _mix(_mix(result) * factor)
    return result % buckets
