from __future__ import annotations

import gzip
import io
import lzma
import pathlib
import tarfile

import pytest

from portanet.datasets import read_imdb, read_text, read_trec

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
    for line in (":dist How", "NUM: How", "NUMdist How", "NUM:dist", "NUM How far"):
        (tmp_path / "bad").write_text(line)
        with pytest.raises(ValueError, match="'COARSE:fine question'"):
            read_trec(tmp_path / "bad")


REVIEWS = {
    "train/pos/10_9.txt": "tenth",
    "train/pos/9_7.txt": "ninth \u00e9",
    "train/neg/0_1.txt": "dull<br />",
    "train/unsup/0_0.txt": "no label",
    "train/labeledBow.feat": "9 0:9",
    "test/neg/3_4.txt": "worse",
    "README": "text",
}


def archive_of(path: pathlib.Path, files: dict[str, bytes]) -> pathlib.Path:
    """An archive with the layout of the one that is published."""
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(f"aclImdb/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


def test_reviews_from_the_archive_and_from_its_folder(tmp_path: pathlib.Path) -> None:
    archive = archive_of(tmp_path / "aclImdb_v1.tar.gz", {name: text.encode() for name, text in REVIEWS.items()})
    with tarfile.open(archive) as opened:
        opened.extractall(tmp_path, filter="data")
    for path in (archive, tmp_path / "aclImdb"):
        (train, y_train), (test, y_test) = read_imdb(path)
        assert (train, y_train.tolist()) == (["dull<br />", "ninth \u00e9", "tenth"], [0, 1, 1])
        assert (test, y_test.tolist(), y_test.dtype.name) == (["worse"], [0], "int32")
        with pytest.raises(ValueError, match=r"more than 3 bytes"):
            read_imdb(path, max_bytes=3)


def test_reviews_that_are_none(tmp_path: pathlib.Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"download aclImdb_v1\.tar\.gz first.*Received: "):
        read_imdb(tmp_path / "none")
    with pytest.raises(ValueError, match=r"must hold reviews such as train/pos/0_9\.txt.*Received: none"):
        read_imdb(tmp_path)
    (tmp_path / "t").write_bytes(b"no archive")
    with pytest.raises(ValueError, match="damaged, or no archive"):
        read_imdb(tmp_path / "t")
    with pytest.raises(ValueError, match=r"not text in utf-8.*Received: byte 0xff at 0"):
        read_imdb(archive_of(tmp_path / "b.tar.gz", {"train/pos/0_9.txt": b"\xff"}))
    half = archive_of(tmp_path / "c.tar.gz", {"train/pos/0_9.txt": bytes(range(32, 127)) * 400})
    half.write_bytes(half.read_bytes()[:120])
    with pytest.raises(ValueError, match="damaged, or no archive"):
        read_imdb(half)
    data = bytearray(lzma.compress(bytes(range(256)) * 400))
    data[40] ^= 255
    (tmp_path / "d.tar.xz").write_bytes(data)
    with pytest.raises(ValueError, match="damaged, or no archive"):
        read_imdb(tmp_path / "d.tar.xz")
    with pytest.raises(ValueError, match="must hold reviews"):  # a number that Python does not read
        read_imdb(archive_of(tmp_path / "e.tar.gz", {f"train/pos/{'9' * 5000}_9.txt": b"a"}))
    with pytest.raises(ValueError, match="`max_bytes` of read_imdb must be a positive integer"):
        read_imdb(half, max_bytes="all")


@pytest.mark.skipif(not REAL.is_dir(), reason="the text files are not here")
def test_the_files_themselves() -> None:
    texts, coarse, fine = read_trec(REAL / "TREC_10.label")
    assert (len(texts), texts[0]) == (500, "How far is it from Denver to Aspen ?")
    assert sorted(set(coarse)) == ["ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM"]
    assert fine[0] == "NUM:dist"
    shakespeare = read_text(REAL / "tiny_shakespeare.txt")
    assert shakespeare.startswith("First Citizen:\n")
    assert len(set(shakespeare)) == 65
