"""Data sets from the same files as in Keras."""

from __future__ import annotations

import importlib
import pathlib
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import datasets, utils
from portanet.datasets import imdb, reuters
from portanet.ops.resizing import resized

keras = pytest.importorskip("keras")


def sequences(count: int) -> Any:
    rng = np.random.default_rng(count)
    array = np.empty(count, dtype=object)
    array[:] = [rng.integers(1, 30, rng.integers(2, 9)).tolist() for _ in range(count)]
    return array


WORDS: list[dict[str, Any]] = [
    {},
    {"num_words": 20, "skip_top": 3},
    {"maxlen": 6, "seed": 5},
    {"start_char": None, "oov_char": None, "index_from": 0, "num_words": 15},
]


@pytest.mark.parametrize("options", WORDS)
@pytest.mark.parametrize("module", [imdb, reuters])
def test_words(module: Any, options: dict[str, Any], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = module.__name__.rpartition(".")[2]
    path = tmp_path / f"{name}.npz"
    x, y = sequences(12), np.arange(12) % 2
    arrays = {"x": x, "y": y} if module is reuters else {"x_train": x, "y_train": y, "x_test": x[:7], "y_test": y[:7]}
    np.savez(path, **arrays)
    theirs = importlib.import_module(f"keras.src.datasets.{name}")
    monkeypatch.setattr(theirs, "get_file", lambda *args, **kwargs: path)
    monkeypatch.setattr(module, "stored", lambda *args: path)
    for ours, expected in zip(module.load_data(**options), theirs.load_data(**options), strict=True):
        assert [list(s) for s in ours[0]] == [list(s) for s in expected[0]]
        np.testing.assert_array_equal(ours[1], expected[1])


@pytest.mark.parametrize("name", ["california_housing", "boston_housing"])
def test_houses(name: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "houses.npz"
    np.savez(path, x=np.arange(40.0).reshape(20, 2), y=np.arange(20.0))
    theirs = importlib.import_module(f"keras.src.datasets.{name}")
    monkeypatch.setattr(theirs, "get_file", lambda *args, **kwargs: path)
    monkeypatch.setattr(datasets.california_housing, "stored", lambda *args: path)
    for ours, expected in zip(getattr(datasets, name).load_data(), theirs.load_data(), strict=True):
        for a, b in zip(ours, expected, strict=True):
            np.testing.assert_array_equal(a, b)


def test_label_names() -> None:
    assert reuters.get_label_names() == keras.datasets.reuters.get_label_names()


@pytest.mark.parametrize("shuffle", [False, True])
def test_the_order_of_files(shuffle: bool, tmp_path: pathlib.Path) -> None:
    from keras.src.utils.dataset_utils import index_directory

    for name in ("b", "a/inner", "B"):
        (tmp_path / name).mkdir(parents=True)
        for i in ("10", "9", "x"):
            (tmp_path / name / f"{i}.txt").write_text("x")
    (tmp_path / "a" / "1.TXT").write_text("x")
    paths, labels, names = index_directory(str(tmp_path), "inferred", (".txt",), shuffle=shuffle, seed=7, verbose=False)
    ours = utils.text_dataset_from_directory(tmp_path, batch_size=20, shuffle=shuffle, seed=7, verbose=False)
    assert ours.file_paths == paths
    assert ours.class_names == names
    np.testing.assert_array_equal(ours[0][1], labels)


@pytest.mark.parametrize("size", [(5, 9), (3, 4), (12, 2)])
def test_sizes_of_images(size: tuple[int, int]) -> None:
    x = np.random.default_rng(0).uniform(0, 255, (6, 4, 3)).astype("float32")
    for options, fit in (({}, None), ({"crop_to_aspect_ratio": True}, "crop"), ({"pad_to_aspect_ratio": True}, "pad")):
        expected = keras.ops.image.resize(x, size, interpolation="bilinear", **options).numpy()
        ours = resized(x[None], *size, "bilinear", fit=fit)[0]
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-2)


@pytest.mark.filterwarnings("ignore:__array__ implementation")
@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
@pytest.mark.parametrize(("shape", "size", "data_format"), [
    ((5, 9, 3), (4, 3), "channels_last"),
    ((2, 3, 9, 4), (3, 7), "channels_first"),
])  # fmt: skip
def test_smart_resize(shape: Any, size: Any, data_format: str, interpolation: str) -> None:
    images = np.random.default_rng(0).random(shape).astype("float32")
    results = [
        library.preprocessing.image.smart_resize(images, size, interpolation, data_format)
        for library in (portanet, keras)
    ]
    assert isinstance(results[0], np.ndarray)
    np.testing.assert_allclose(*results, rtol=1e-5, atol=1e-6)
