from __future__ import annotations

import numpy as np
import pytest

from portanet.datasets import load_cifar10, read_cifar


def test_channels_come_last(tmp_path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype("uint8")
    rows = np.concatenate([np.asarray([[5], [9]], "uint8"), images.transpose(0, 3, 1, 2).reshape(2, -1)], axis=1)
    (tmp_path / "batch.bin").write_bytes(rows.tobytes())
    x, y = read_cifar(tmp_path / "batch.bin")
    np.testing.assert_array_equal(x, images)
    assert y.tolist() == [5, 9]
    assert x.flags.writeable
    assert x.flags.c_contiguous


def test_two_labels(tmp_path) -> None:
    (tmp_path / "train.bin").write_bytes(bytes([3, 77]) + bytes(3072))
    x, y = read_cifar(tmp_path / "train.bin", labels=2)
    assert (x.shape, y.tolist()) == ((1, 32, 32, 3), [[3, 77]])


def test_the_folder(tmp_path) -> None:
    for i in range(1, 6):
        (tmp_path / f"data_batch_{i}.bin").write_bytes(bytes([i]) + bytes(3072))
    (tmp_path / "test_batch.bin").write_bytes(bytes(3073) * 2)
    (x_train, y_train), (x_test, _) = load_cifar10(tmp_path)
    assert (x_train.shape, y_train.tolist(), x_test.shape[0]) == ((5, 32, 32, 3), [1, 2, 3, 4, 5], 2)


def test_damaged_files(tmp_path) -> None:
    (tmp_path / "cut.bin").write_bytes(bytes(3072))
    with pytest.raises(ValueError, match=r"records of 3073 bytes. Received: 3072 bytes"):
        read_cifar(tmp_path / "cut.bin")
    (tmp_path / "none.bin").write_bytes(b"")
    with pytest.raises(ValueError, match=r"Received: 0 bytes"):
        read_cifar(tmp_path / "none.bin")
    with pytest.raises(ValueError, match=r"more than 100 bytes"):
        read_cifar(tmp_path / "cut.bin", max_bytes=100)
    with pytest.raises(ValueError, match=r"Received: labels=3"):
        read_cifar(tmp_path / "cut.bin", labels=3)
    with pytest.raises(FileNotFoundError):
        load_cifar10(tmp_path)
