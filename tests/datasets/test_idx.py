from __future__ import annotations

import gzip
import pathlib
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portanet.datasets import files, load_mnist, read_idx

REAL = pathlib.Path(__file__).parents[3] / "shared" / "data" / "mnist"
CODES = {"uint8": 8, "int8": 9, "int16": 11, "int32": 12, "float32": 13, "float64": 14}


def encode(x: np.ndarray) -> bytes:
    head = bytes([0, 0, CODES[x.dtype.name], x.ndim]) + struct.pack(f">{x.ndim}I", *x.shape)
    return head + x.astype(x.dtype.newbyteorder(">")).tobytes()


@given(
    dtype=st.sampled_from(sorted(CODES)),
    shape=st.lists(st.integers(0, 4), min_size=1, max_size=4),
    packed=st.booleans(),
)
def test_what_was_written_is_read(tmp_path_factory, dtype, shape, packed) -> None:
    x = (np.random.default_rng(0).normal(size=shape) * 50).astype(dtype)
    file = tmp_path_factory.mktemp("idx") / "x"
    file.write_bytes(gzip.compress(encode(x)) if packed else encode(x))
    result = read_idx(file)
    assert result.dtype == x.dtype
    assert result.dtype.isnative
    np.testing.assert_array_equal(result, x)


GOOD = encode(np.arange(6, dtype="uint8").reshape(2, 3))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is not an IDX file"),
        (b"\x89PNG....", r"is not an IDX file.*Received: 89 50 4e 47"),
        (b"\0\0\x07\x01\0\0\0\0", "is not an IDX file"),
        (GOOD[:9], "truncated within its header. Received: 9 bytes of 12"),
        (GOOD[:-1], r"is truncated: shape \(2, 3\) takes 6 bytes. Received: 5"),
        (GOOD + b"\0", "holds more than its header specifies"),
        (gzip.compress(GOOD, mtime=0)[:-12], "damaged or truncated"),
        (gzip.compress(GOOD, mtime=0)[:-9] + b"\0" * 9, "damaged or truncated"),
        (b"\0\0\x08\x02" + b"\xff" * 8 + b"\0" * 10, r"\(4294967295, 4294967295\).*more than max_bytes"),
    ],
)
def test_damaged_files(tmp_path, data, message) -> None:
    file = tmp_path / "x"
    file.write_bytes(data)
    with pytest.raises(ValueError, match=message):
        read_idx(file)


def test_memory_grows_with_the_file_not_with_its_header(tmp_path) -> None:
    file = tmp_path / "x"
    file.write_bytes(gzip.compress(b"\0\0\x08\x01" + struct.pack(">I", 3 << 30) + b"\0" * 1000))
    tracemalloc.start()
    with pytest.raises(ValueError, match="truncated"):
        read_idx(file)
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()


def test_compressed_files_that_are_larger_than_allowed(tmp_path) -> None:
    file = tmp_path / "x"
    file.write_bytes(gzip.compress(GOOD[:4] + struct.pack(">2I", 1000, 1000) + b"\0" * 1_000_000))
    with pytest.raises(ValueError, match="max_bytes=1000"):
        read_idx(file, max_bytes=1000)
    for limit in (2**32, 1_000_012):
        assert read_idx(file, max_bytes=limit).shape == (1000, 1000)
    with pytest.raises(ValueError, match="max_bytes=1000011"):
        read_idx(file, max_bytes=1_000_011)


def test_missing_files(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match=r"No such file.*Received: .*nowhere"):
        read_idx(tmp_path / "nowhere")


def test_a_folder_like_mnist(tmp_path) -> None:
    x, y = np.arange(12, dtype="uint8").reshape(3, 2, 2), np.asarray([1, 2, 3], dtype="uint8")
    (tmp_path / "train-images-idx3-ubyte").write_bytes(encode(x))
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(encode(y)))
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(encode(x[:1]))
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(encode(y[:1]))
    (x_train, y_train), (x_test, y_test) = load_mnist(tmp_path)
    np.testing.assert_array_equal(x_train, x)
    np.testing.assert_array_equal(y_train, y)
    assert (x_test.shape, y_test.shape) == ((1, 2, 2), (1,))
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(encode(y))
    with pytest.raises(ValueError, match=r"do not belong together. Received: shapes \(1, 2, 2\) and \(3,\)"):
        load_mnist(tmp_path)


@pytest.mark.skipif(not REAL.is_dir(), reason="MNIST's files are not here")
def test_mnist_itself() -> None:
    images, labels = (read_idx(REAL / f"t10k-{part}-ubyte.gz") for part in ("images-idx3", "labels-idx1"))
    assert (images.shape, images.dtype, labels.shape) == ((10000, 28, 28), "uint8", (10000,))
    assert labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert np.bincount(labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert abs(images.mean() / 255 - 0.1325) < 1e-3


@pytest.mark.parametrize("size", [1, 3, 4, 9, 10, 12])
def test_no_more_is_read_than_expected(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """The last of several chunks ends where the caller says, and one byte beyond the limit."""
    monkeypatch.setattr(files, "CHUNK", 4)
    whole = bytes(range(12))
    (tmp_path / "file").write_bytes(whole)
    assert bytes(files.read_bytes(tmp_path / "file", 100, size)) == whole[:size]
    if size < 12:
        with pytest.raises(ValueError, match=f"more than {size} bytes.*Received: at least {size + 1} bytes"):
            files.read_bytes(tmp_path / "file", size)
