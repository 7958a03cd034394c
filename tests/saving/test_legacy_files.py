"""HDF5 files as Keras wrote them before version 3; tests/keras/test_applications.py loads some that Keras wrote."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.saving import LoadError

h5py = pytest.importorskip("h5py")


def model() -> portanet.Model:
    x = layers.Input((3,))
    y = layers.BatchNormalization(name="norm")(layers.Dense(2, name="first")(x))
    return portanet.Model(x, layers.Dense(1, use_bias=False, name="last")(layers.ReLU()(y)))


ARRAYS: dict[str, dict[str, Any]] = {
    "input_1": {},
    "one": {"one/kernel:0": np.arange(6.0).reshape(3, 2), "one/bias:0": np.asarray([6.0, 7.0])},
    "two": {
        "two/gamma:0": np.asarray([1.0, 2.0]),
        "two/beta:0": np.asarray([3.0, 4.0]),
        "two/moving_mean:0": np.asarray([5.0, 6.0]),
        "two/moving_variance:0": np.asarray([7.0, 8.0]),
    },
    "re_lu": {},
    "three": {"three/kernel:0": np.asarray([[9.0], [10.0]])},
}


def write(path: pathlib.Path, arrays: dict[str, dict[str, Any]], group: str = "", parts: int = 1) -> None:
    with h5py.File(path, "w") as file:
        start = file.require_group(group) if group else file
        names = [name.encode() for name in arrays]
        if parts == 1:
            start.attrs["layer_names"] = names
        else:
            for index, chunk in enumerate(np.array_split(names, parts)):
                start.attrs[f"layer_names{index}"] = chunk
        for layer, weights in arrays.items():
            start.create_group(layer).attrs["weight_names"] = [name.encode() for name in weights]
            for name, values in weights.items():
                start[layer].create_dataset(name, data=values.astype("float32"))


def values() -> list[Any]:
    return [array for weights in ARRAYS.values() for array in weights.values()]


@pytest.mark.parametrize(("group", "parts"), [("", 1), ("model_weights", 1), ("", 3)])
def test_weights_by_order(group: str, parts: int, tmp_path: pathlib.Path, backend: Any) -> None:
    write(tmp_path / "w.h5", ARRAYS, group, parts)
    loaded = model()
    assert len(loaded.load_weights(tmp_path / "w.h5").matching) == 7
    for ours, theirs in zip(loaded.get_weights(), values(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_weights_by_name_if_there_are_other_layers(tmp_path: pathlib.Path) -> None:
    arrays = {"last": {"last/kernel": np.asarray([[1.0], [2.0]])}, "other": {"other/kernel": np.ones(3)}}
    write(tmp_path / "w.h5", arrays)
    loaded = model()
    with pytest.raises(LoadError, match=r"6 missing from the file[\s\S]*1 only in the file:\s*'other/other/kernel'"):
        loaded.load_weights(tmp_path / "w.h5")
    assert loaded.load_weights(tmp_path / "w.h5", strict=False).matching == ["last/kernel"]
    np.testing.assert_array_equal(loaded.get_layer("last").get_weights()[0], [[1.0], [2.0]])


def test_what_does_not_fit_is_listed(tmp_path: pathlib.Path) -> None:
    before = model()
    start = before.get_weights()
    write(tmp_path / "w.h5", {**ARRAYS, "three": {"three/kernel:0": np.ones((3, 1))}})
    with pytest.raises(LoadError, match=r"'last/kernel': expected float32 \(2, 1\), the file has float32 \(3, 1\)"):
        before.load_weights(tmp_path / "w.h5")
    write(tmp_path / "w.h5", {**ARRAYS, "three": {"k": np.ones((2, 1)), "b": np.ones(1)}})
    with pytest.raises(LoadError, match=r"layer 'last' has 1 weights\. Received: 2 of layer 'three'"):
        before.load_weights(tmp_path / "w.h5")
    with h5py.File(tmp_path / "w.h5", "a") as file:
        del file["three/b"]
    with pytest.raises(LoadError, match="it has no array 'three/b', which it lists"):
        before.load_weights(tmp_path / "w.h5")
    for now, then in zip(before.get_weights(), start, strict=True):
        np.testing.assert_array_equal(now, then)


def test_counters_may_have_another_dtype(tmp_path: pathlib.Path) -> None:
    stack = portanet.Sequential([layers.Input((2,)), layers.Normalization()])
    weights = {"mean": np.asarray([1.0, 2.0]), "variance": np.asarray([4.0, 9.0]), "count": np.asarray(5.0)}
    write(tmp_path / "w.h5", {"normalization": weights})
    stack.load_weights(tmp_path / "w.h5")
    np.testing.assert_allclose(stack.predict(np.asarray([[3.0, 5.0]], "float32"), verbose=0), [[1.0, 1.0]])
