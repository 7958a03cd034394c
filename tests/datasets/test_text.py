from __future__ import annotations

import gzip
import pathlib

import pytest

from portanet.datasets import read_text, read_trec

REAL = pathlib.Path(__file__).parents[3] / "shared" / "data" / "text"


def test_text_as_it_is(tmp_path) -> None:
    (tmp_path / "t").write_bytes("eins\r\nzwei\rfünf\n".encode())
    assert read_text(tmp_path / "t") == "eins\nzwei\nfünf\n"
    (tmp_path / "z").write_bytes(gzip.compress(b"packed"))
    assert read_text(tmp_path / "z") == "packed"
    (tmp_path / "l").write_bytes("für".encode("latin-1"))
    assert read_text(tmp_path / "l", encoding="latin-1") == "für"
    with pytest.raises(ValueError, match=r"not text in utf-8.*Received: byte 0xfc at 1"):
        read_text(tmp_path / "l")
    with pytest.raises(ValueError, match=r"more than 3 bytes"):
        read_text(tmp_path / "t", max_bytes=3)
    for size, compressed in ((17, "t"), (6, "z")):  # limits are reached, and exceeded by one
        assert read_text(tmp_path / compressed, max_bytes=size) == read_text(tmp_path / compressed)
        with pytest.raises(ValueError, match=rf"more than {size - 1} bytes"):
            read_text(tmp_path / compressed, max_bytes=size - 1)


def test_labels_of_questions(tmp_path) -> None:
    (tmp_path / "t").write_bytes(b"NUM:dist How far ?\r\n\r\nHUM:ind Who : me ?\n")
    assert read_trec(tmp_path / "t") == (["How far ?", "Who : me ?"], ["NUM", "HUM"], ["NUM:dist", "HUM:ind"])
    (tmp_path / "bad").write_bytes(b"NUM:dist How far ?\nno label here\n")
    with pytest.raises(ValueError, match=r"Line 2 of .* 'COARSE:fine question'. Received: 'no label here'"):
        read_trec(tmp_path / "bad")


@pytest.mark.skipif(not REAL.is_dir(), reason="the text files are not here")
def test_the_files_themselves() -> None:
    texts, coarse, fine = read_trec(REAL / "TREC_10.label")
    assert (len(texts), texts[0]) == (500, "How far is it from Denver to Aspen ?")
    assert sorted(set(coarse)) == ["ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM"]
    assert fine[0] == "NUM:dist"
    shakespeare = read_text(REAL / "tiny_shakespeare.txt")
    assert shakespeare.startswith("First Citizen:\n")
    assert len(set(shakespeare)) == 65
