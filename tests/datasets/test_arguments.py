"""Arguments of data sets: refused before a download, names of files; and what files may hold, term by term."""

from __future__ import annotations

import io
import pathlib
import pickle
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from portanet import datasets
from portanet.datasets import NpyShards, downloaded, idx, map_idx, pickled, read_idx, word_sequences
from portanet.downloads import HOME

D = datasets
REFUSED: list[tuple[Callable[[], Any], str]] = [
    *((lambda f=f: f(seed=-1), "seed=-1") for f in (D.imdb.load_data, D.reuters.load_data)),
    *((lambda f=f: f(seed=-1), "seed=-1") for f in (D.boston_housing.load_data, D.california_housing.load_data)),
    *((lambda f=f: f(test_split=-0.1), "test_split=-0.1") for f in (D.reuters.load_data, D.boston_housing.load_data)),
    (lambda: D.reuters.load_data(test_split=1.5), "test_split=1.5"),
    (lambda: D.boston_housing.load_data(test_split=1.0), "test_split=1.0"),
    *((lambda f=f: f(num_words=0), "num_words=0") for f in (D.imdb.load_data, D.reuters.load_data)),
    *((lambda f=f: f(skip_top=-1), "skip_top=-1") for f in (D.imdb.load_data, D.reuters.load_data)),
    *((lambda f=f: f(maxlen=0), "maxlen=0") for f in (D.imdb.load_data, D.reuters.load_data)),
    (lambda: D.california_housing.load_data("medium"), "version='medium'"),
    (lambda: D.cifar100.load_data("both"), "label_mode='both'"),
]
A = "storage.googleapis.com/tensorflow/tf-keras-datasets/"
FETCHED: list[tuple[Callable[[], Any], str, str]] = [
    (D.mnist.load_data, A + "mnist.npz", "mnist.npz"),
    (D.imdb.load_data, A + "imdb.npz", "imdb.npz"),
    (lambda: D.imdb.load_data("other"), A + "imdb.npz", "other"),
    (D.imdb.get_word_index, A + "imdb_word_index.json", "imdb_word_index.json"),
    (lambda: D.imdb.get_word_index("other"), A + "imdb_word_index.json", "other"),
    (D.reuters.load_data, A + "reuters.npz", "reuters.npz"),
    (lambda: D.reuters.load_data("other"), A + "reuters.npz", "other"),
    (D.reuters.get_word_index, A + "reuters_word_index.json", "reuters_word_index.json"),
    (lambda: D.reuters.get_word_index("other"), A + "reuters_word_index.json", "other"),
    (lambda: D.boston_housing.load_data("other"), A + "boston_housing.npz", "other"),
    (lambda: D.california_housing.load_data(path="other"), A + "california_housing.npz", "other"),
    (D.cifar10.load_data, "www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz", "cifar-10-python.tar.gz"),
    (D.cifar100.load_data, "www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz", "cifar-100-python.tar.gz"),
]


@pytest.fixture
def fetched(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The files that are asked for on the network, of which none is found."""
    asked: list[tuple[str, str]] = []

    def fetch(url: str, name: str, folder: pathlib.Path, digest: str | None) -> pathlib.Path:
        asked.append((url, name))
        assert (folder.name, digest is None) == ("datasets", url.endswith("ubyte.gz"))
        raise OSError("no network")

    monkeypatch.setenv(HOME, str(tmp_path))
    monkeypatch.setattr(downloaded, "fetch", fetch)
    return asked


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_bad_arguments_are_refused_before_the_download(call: Any, message: str, fetched: list[Any]) -> None:
    with pytest.raises(ValueError, match=message):
        call()
    assert not fetched


@pytest.mark.parametrize(("call", "url", "name"), FETCHED)
def test_the_names_of_files(call: Any, url: str, name: str, fetched: list[Any]) -> None:
    with pytest.raises(OSError, match="no network"):
        call()
    assert fetched == [("https://" + url, name)]


def test_limits_of_words() -> None:
    """The first number that is left out, on both sides; without limits, the greatest number is left out."""
    x = [[1, 2, 3, 4], [5]]
    assert word_sequences.limited(x, 4, 2, 0).tolist() == [[0, 2, 3, 0], [0]]
    assert word_sequences.limited(x, 4, 2, None).tolist() == [[2, 3], []]
    assert word_sequences.limited(x, None, 0, None).tolist() == [[1, 2, 3, 4], []]
    y = np.asarray([7, 8])
    assert word_sequences.no_longer_than(5, x, y)[0] == x
    shorter, labels = word_sequences.no_longer_than(4, x, y)
    assert (shorter, labels.tolist()) == ([[5]], [8])
    assert word_sequences.marked([[1], []], None, None) == [[1], []]
    assert word_sequences.marked([[1], []], 9, 3) == [[9, 4], [9]]


def encoded(*arguments: Any) -> bytes:
    """A pickle that calls `_codecs.encode`, as those of Python 2 do for bytes."""
    import _codecs

    class Bytes:
        def __reduce__(self) -> Any:
            return (_codecs.encode, arguments)

    return pickle.dumps(Bytes(), protocol=2)


def test_bytes_of_python_2() -> None:
    assert pickled.read_pickle(encoded("\xe9", "latin1"), "file") == b"\xe9"
    assert pickled.read_pickle(encoded("\xe9"), "file") == b"\xc3\xa9"
    for arguments in ((b"a", "latin1"), ("a", "rot13"), (1, "utf-8")):
        with pytest.raises(ValueError, match="encodes what is no text"):
            pickled.read_pickle(encoded(*arguments), "file")
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.empty(1, object), version=(2, 0))
    assert pickled._read_npy(io.BytesIO(buffer.getvalue()), "file").tolist() == [None]
    start = buffer.getvalue().index(b"\n", 12) + 1
    with pytest.raises(ValueError, match="file is no array"):
        pickled._read_npy(io.BytesIO(buffer.getvalue()[:start] + pickle.dumps([1])), "file")


@pytest.mark.parametrize("code", [0x08, 0x09, 0x0B, 0x0C, 0x0D, 0x0E])
def test_maps_of_every_dtype(code: int, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dtype = np.dtype(idx.DTYPES[code])
    x = np.asarray([[1, 2, 3], [4, 5, 6]], dtype)
    (tmp_path / "x").write_bytes(bytes([0, 0, code, 2]) + struct.pack(">2I", 2, 3) + x.tobytes())
    read, lengths = idx.read_bytes, []
    monkeypatch.setattr(idx, "read_bytes", lambda *a, **k: lengths.append(len(read(*a, **k))) or read(*a, **k))
    mapped = map_idx(tmp_path / "x")
    assert (mapped.dtype, mapped.flags.writeable, lengths) == (dtype, False, [4, 12])  # the header alone is read
    np.testing.assert_array_equal(mapped, x)
    size = 12 + x.nbytes
    np.testing.assert_array_equal(read_idx(tmp_path / "x", max_bytes=size), x)
    with pytest.raises(ValueError, match=rf"shape \(2, 3\), {x.nbytes} bytes, more than max_bytes={size - 1}"):
        read_idx(tmp_path / "x", max_bytes=size - 1)
    for wrong in (x.tobytes() + b"\0", x.tobytes()[:-1]):
        (tmp_path / "y").write_bytes(bytes([0, 0, code, 2]) + struct.pack(">2I", 2, 3) + wrong)
        with pytest.raises(ValueError, match=rf"does not match its header.*Received: {len(wrong)}"):
            map_idx(tmp_path / "y")


def test_rows_of_several_files(tmp_path: pathlib.Path) -> None:
    whole = np.arange(12).reshape(6, 2)
    for name, part in {"a": whole[:1], "b": whole[1:4], "none": whole[4:4], "c": whole[4:]}.items():
        np.save(tmp_path / f"{name}.npy", part)
    x = NpyShards([str(tmp_path / f"{name}.npy") for name in ("a", "b", "none", "c")])
    assert (len(x), x.shape, x.dtype) == (6, (6, 2), whole.dtype)
    for rows in (slice(None), slice(1, 5, 2), [5, 0, 3, 3], -1, 0, 4, np.asarray([True, False] * 3), []):
        rows = np.asarray(rows, int) if isinstance(rows, list) else rows
        np.testing.assert_array_equal(x[rows], whole[rows])
    np.save(tmp_path / "number.npy", np.asarray(1))
    with pytest.raises(ValueError, match=r"Received: an array of int64 \(\)"):
        NpyShards([tmp_path / "number.npy"])
    np.save(tmp_path / "wide.npy", np.zeros((1, 3), int))
    np.save(tmp_path / "float.npy", np.zeros((1, 2)))
    for name in ("number", "wide", "float"):
        with pytest.raises(ValueError, match=rf"{name}\.npy' does not match .*a\.npy'.* \(2,\)"):
            NpyShards([tmp_path / "a.npy", tmp_path / f"{name}.npy"])
    for paths in (str(tmp_path / "a.npy"), tmp_path / "a.npy", 3):
        with pytest.raises((ValueError, TypeError), match="a list of paths"):
            NpyShards(paths)
    with pytest.raises(FileNotFoundError, match="names no files"):
        NpyShards([])
    with pytest.raises(FileNotFoundError, match="No such file"):
        NpyShards([tmp_path / "a.npy", tmp_path / "nowhere.npy"])
