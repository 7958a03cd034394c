"""Data sets that are downloaded, from files that stand for those on the network."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import pathlib
import pickle
import tarfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from portanet import datasets
from portanet.datasets import downloaded, pickled
from portanet.downloads import HOME, cache_folder, fetch

Publish = Callable[[str, bytes], None]


@pytest.fixture
def publish(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Publish:
    """Publishes a file under the name of one on the network, with its checksum."""
    monkeypatch.setenv(HOME, str(tmp_path / "home"))
    (tmp_path / "network").mkdir()

    def publish(name: str, content: bytes) -> None:
        (tmp_path / "network" / name).write_bytes(content)
        entry = ((tmp_path / "network").as_uri() + "/", hashlib.sha256(content).hexdigest())
        monkeypatch.setitem(downloaded.FILES, name, entry)

    return publish


def npz(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def objects(*sequences: list[int]) -> Any:
    array = np.empty(len(sequences), dtype=object)
    array[:] = sequences
    return array


def tar(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


pytest.importorskip("pooch")


def test_mnist_is_downloaded_once(publish: Publish, tmp_path: pathlib.Path) -> None:
    x, y = np.arange(12, dtype="uint8").reshape(3, 2, 2), np.arange(3, dtype="uint8")
    publish("mnist.npz", npz(x_train=x, y_train=y, x_test=x[:1], y_test=y[:1]))
    (x_train, y_train), (x_test, y_test) = datasets.mnist.load_data()
    np.testing.assert_array_equal(x_train, x)
    np.testing.assert_array_equal(y_train, y)
    np.testing.assert_array_equal(x_test, x[:1])
    np.testing.assert_array_equal(y_test, y[:1])
    assert [p.name for p in (tmp_path / "home" / "datasets").iterdir()] == ["mnist.npz"]
    (tmp_path / "network" / "mnist.npz").unlink()
    assert datasets.mnist.load_data()[0][0].shape == (3, 2, 2)


def test_a_damaged_file_is_downloaded_again(publish: Publish, tmp_path: pathlib.Path) -> None:
    publish("mnist.npz", npz(x_train=[1], y_train=[2], x_test=[3], y_test=[4]))
    datasets.mnist.load_data()
    path = tmp_path / "home" / "datasets" / "mnist.npz"
    path.write_bytes(b"damaged")
    assert datasets.mnist.load_data()[1][1].tolist() == [4]


def test_another_file_is_refused(publish: Publish, tmp_path: pathlib.Path) -> None:
    publish("mnist.npz", npz(x_train=[1], y_train=[2], x_test=[3], y_test=[4]))
    (tmp_path / "network" / "mnist.npz").write_bytes(b"another")
    with pytest.raises(
        OSError, match=r"Cannot download file:.*hash.*Without network, store the file as .*PORTANET_HOME"
    ):
        datasets.mnist.load_data()
    assert not (tmp_path / "home" / "datasets" / "mnist.npz").exists()


def test_without_network(publish: Publish, tmp_path: pathlib.Path) -> None:
    with pytest.raises(OSError, match=r"Cannot download file://.*store the file as .*file\.txt"):
        fetch((tmp_path / "none").as_uri(), "file.txt", cache_folder())


def test_fashion_mnist(publish: Publish) -> None:
    def idx(array: Any) -> bytes:
        sizes = b"".join(n.to_bytes(4, "big") for n in array.shape)
        return gzip.compress(bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes())

    x, y = np.arange(12, dtype="uint8").reshape(3, 2, 2), np.arange(3, dtype="uint8")
    for kind in ("train", "t10k"):
        publish(f"{kind}-images-idx3-ubyte.gz", idx(x))
        publish(f"{kind}-labels-idx1-ubyte.gz", idx(y))
    (x_train, y_train), (x_test, _) = datasets.fashion_mnist.load_data()
    np.testing.assert_array_equal(x_train, x)
    np.testing.assert_array_equal(y_train, y)
    assert x_test.shape == (3, 2, 2)


@pytest.mark.parametrize("protocol", [2, 4])
def test_cifar(protocol: int, publish: Publish) -> None:
    pixels = np.arange(2 * 3072, dtype="uint32").astype("uint8").reshape(2, 3072)

    def batch(**labels: list[int]) -> bytes:
        content = {b"data": pixels, b"batch_label": b"x", **{key.encode(): value for key, value in labels.items()}}
        return pickle.dumps(content, protocol=protocol)

    names = [*(f"cifar-10-batches-py/data_batch_{i}" for i in range(1, 6)), "cifar-10-batches-py/test_batch"]
    publish("cifar-10-python.tar.gz", tar(**{name: batch(labels=[i, 9]) for i, name in enumerate(names)}))
    (x_train, y_train), (x_test, y_test) = datasets.cifar10.load_data()
    assert (x_train.shape, y_train.shape, x_train.dtype, y_train.dtype) == ((10, 32, 32, 3), (10, 1), "uint8", "uint8")
    np.testing.assert_array_equal(x_test[1, 3, 4], pixels[1].reshape(3, 32, 32)[:, 3, 4])
    assert y_test.tolist() == [[5], [9]]
    parts = {f"cifar-100-python/{n}": batch(fine_labels=[1, 2], coarse_labels=[3, 4]) for n in ("train", "test")}
    publish("cifar-100-python.tar.gz", tar(**parts))
    assert datasets.cifar100.load_data()[0][1].tolist() == [[1], [2]]
    assert datasets.cifar100.load_data("coarse")[1][1].tolist() == [[3], [4]]


def test_imdb(publish: Publish) -> None:
    x, y = objects([1, 5], [2], [3, 4, 2]), np.asarray([0, 1, 1])
    publish("imdb.npz", npz(x_train=x, y_train=y, x_test=x, y_test=y))
    publish("imdb_word_index.json", json.dumps({"the": 1}).encode())
    (x_train, y_train), (x_test, y_test) = datasets.imdb.load_data()
    generator = np.random.RandomState(113)
    for sequences, labels in ((x_train, y_train), (x_test, y_test)):
        order = np.arange(3)
        generator.shuffle(order)
        # As in Keras, the word of the greatest number is replaced too.
        assert sequences.tolist() == [[1, *(w + 3 if w < 5 else 2 for w in x[i])] for i in order]
        assert labels.tolist() == y[order].tolist()
    few = datasets.imdb.load_data(num_words=6, skip_top=5, maxlen=4, start_char=None, oov_char=None)[0][0]
    assert sorted(few.tolist()) == [[], [5]] or sorted(few.tolist()) == [[], [5], [5]]
    assert datasets.imdb.get_word_index() == {"the": 1}
    with pytest.raises(ValueError, match="`maxlen` must exceed the length of some sequences"):
        datasets.imdb.load_data(maxlen=1)


def test_reuters(publish: Publish) -> None:
    publish("reuters.npz", npz(x=objects([1], [2], [3], [4, 5]), y=np.arange(4)))
    (x_train, y_train), (x_test, y_test) = datasets.reuters.load_data(test_split=0.25)
    assert (len(x_train), len(x_test), x_train.dtype) == (3, 1, object)
    order = np.arange(4)
    np.random.RandomState(113).shuffle(order)
    assert [*y_train, *y_test] == order.tolist()
    assert len(datasets.reuters.get_label_names()) == 46


@pytest.mark.parametrize(("name", "options"), [("california_housing", {"version": "small"}), ("boston_housing", {})])
def test_houses(name: str, options: dict[str, str], publish: Publish) -> None:
    x, y = np.arange(20.0).reshape(10, 2), np.arange(10.0)
    publish(f"{name}.npz", npz(x=x, y=y))
    (x_train, y_train), (x_test, y_test) = getattr(datasets, name).load_data(**options, test_split=0.3)
    order = np.arange(10)
    np.random.RandomState(113).shuffle(order)
    np.testing.assert_array_equal(np.concatenate([y_train, y_test]), y[order])
    np.testing.assert_array_equal(np.concatenate([x_train, x_test]), x[order])
    assert len(y_test) == 3


class Evil:
    def __reduce__(self) -> Any:
        return (eval, ("1",))


@pytest.mark.parametrize(
    "content", [pickle.dumps(Evil()), pickle.dumps(np.random.default_rng), b"", b"\x80\x04.", pickle.dumps([1])[:-3]]
)
def test_pickles_that_hold_more_are_refused(content: bytes, tmp_path: pathlib.Path) -> None:
    with pytest.raises(ValueError, match="part is damaged, or holds more than arrays"):
        pickled.read_pickle(content, "part")


def test_arrays_that_hold_more_are_refused(publish: Publish) -> None:
    array = np.empty(1, dtype=object)
    array[0] = Evil()
    publish("reuters.npz", npz(x=array, y=[1]))
    with pytest.raises(
        ValueError, match=r"reuters\.npz is damaged, or holds more than arrays: it names builtins\.eval"
    ):
        datasets.reuters.load_data()


def test_archives_that_are_none(publish: Publish) -> None:
    publish("cifar-10-python.tar.gz", tar(other=b""))
    publish("mnist.npz", b"PK")
    with pytest.raises(ValueError, match="damaged, or not CIFAR's Python version"):
        datasets.cifar10.load_data()
    with pytest.raises(ValueError, match="damaged, or has no such array"):
        datasets.mnist.load_data()
