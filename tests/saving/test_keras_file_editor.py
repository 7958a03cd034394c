"""`KerasFileEditor`: files of weights shown, compared with models, edited and written."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.saving import KerasFileEditor, LoadError

pytest.importorskip("h5py")


def network(units: int = 3, **options: Any) -> Any:
    inner = portanet.Sequential([layers.Input((3,)), layers.Dense(2), layers.Dense(2)])
    return portanet.Sequential([layers.Input((4,)), layers.Dense(units, **options), layers.Dense(3), inner])


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    network().save_weights(tmp_path / "model.weights.h5")
    return tmp_path / "model.weights.h5"


def test_what_is_not_edited_is_the_same(path: pathlib.Path, tmp_path: pathlib.Path) -> None:
    KerasFileEditor(path).save(tmp_path / "same.weights.h5")
    first, second = network(), network()
    first.load_weights(path)
    second.load_weights(tmp_path / "same.weights.h5")
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_bfloat16_stays(tmp_path: pathlib.Path) -> None:
    pytest.importorskip("torch")
    with portanet.use_backend("torch", dtype="bfloat16"):
        model = portanet.Sequential([layers.Input((4,)), layers.Dense(3)])
        model.save_weights(tmp_path / "half.weights.h5")
        editor = KerasFileEditor(tmp_path / "half.weights.h5")
        editor.rename_object("dense", "other")
        editor.rename_object("other", "dense")
        editor.save(tmp_path / "again.weights.h5")
    again, half = (KerasFileEditor(tmp_path / f"{name}.weights.h5") for name in ("again", "half"))
    assert {str(again._tensor(v).dtype) for v in again.weights_dict["layers"]["dense"].values()} == {"bfloat16"}
    np.testing.assert_array_equal(again.weights_dict["layers"]["dense"]["0"], half.weights_dict["layers"]["dense"]["0"])


def test_files_of_models_have_their_description_too(tmp_path: pathlib.Path) -> None:
    model = network()
    model.compile("adam", "mse")
    model.fit(np.ones((8, 4)), np.ones((8, 2)), verbose=0)
    model.save(tmp_path / "model.keras")
    editor = KerasFileEditor(tmp_path / "model.keras")
    assert editor.config is not None
    assert editor.metadata is not None
    assert editor.config["class_name"] == "Sequential"
    assert set(editor.metadata) == {"keras_version", "date_saved"}
    assert "optimizer" in editor.weights_dict
    assert editor.compare(model)["status"] == "success"  # the optimizer's state is not compared


def test_objects_and_arrays_are_renamed_deleted_and_added(path: pathlib.Path, tmp_path: pathlib.Path) -> None:
    editor = KerasFileEditor(path)
    kernel = np.arange(6.0, dtype="float32").reshape(3, 2)
    editor.delete_object("layers/sequential")
    editor.add_object("layers/dense_2", {"0": kernel})
    editor.add_weights("dense_2", {"1": np.asarray([5.0, 6.0], dtype="float32")})
    editor.add_weights("layers/dense_2", {"1": np.asarray([7.0, 8.0], dtype="float32")})  # replaced
    editor.delete_weight("layers/dense", "1")
    editor.rename_object("layers/dense_1", "passing")
    editor.rename_object("passing", "dense_1")
    editor.save(tmp_path / "edited.weights.h5")
    model = portanet.Sequential([layers.Input((4,)), layers.Dense(3, use_bias=False), layers.Dense(3), layers.Dense(2)])
    assert editor.compare(model) == {"status": "success", "error_count": 0, "match_count": 5}
    model.load_weights(tmp_path / "edited.weights.h5")
    np.testing.assert_array_equal(model.layers[2].kernel.numpy(), kernel)
    np.testing.assert_array_equal(model.layers[2].bias.numpy(), [7.0, 8.0])
    assert KerasFileEditor(path).compare(network())["status"] == "success"  # the opened file is as it was


def test_differences_are_named_once(path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    editor = KerasFileEditor(path)
    model = portanet.Sequential([layers.Input((4,)), layers.Dense(5), layers.Dense(3), layers.BatchNormalization()])
    assert editor.compare(model) == {"status": "error", "error_count": 5, "match_count": 1}
    shown = capsys.readouterr().out
    assert "layers/dense/0 has shape (4, 3) in the file, (4, 5) in the model" in shown
    assert "layers/batch_normalization is in the model, but not in the file" in shown
    assert "layers/sequential is in the file, but not in the model" in shown


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda e: e.delete_object("dens"),
            r"`object_name` .* in the file, where there are layers.*'dens'",
        ),
        (lambda e: e.delete_object("dense"), "several have this name"),
        (lambda e: e.delete_object("layers/dense/0"), "`object_name`"),  # an array is no object
        (lambda e: e.delete_object("there/dense"), "where there are layers"),
        (lambda e: e.delete_weight("layers/dense", "2"), "where there are 0, 1"),
        (lambda e: e.rename_object("layers/dense", "a/b"), "a name, not a path"),
        (lambda e: e.rename_object("layers/dense", "dense_1"), "a name that is not taken"),
        (lambda e: e.add_object("layers/dense", {"0": np.ones(1)}), "a path that is not taken; `add_weights`"),
        (lambda e: e.add_object("there/dense", {"0": np.ones(1)}), "where there are layers"),
        (lambda e: e.add_object("layers/new", [np.ones(1)]), "a dict of arrays by name"),
        (lambda e: e.add_object("layers/new", {3: np.ones(1)}), "a dict of arrays by name"),
        (lambda e: e.add_weights("layers/dense", {"": np.ones(1)}), "names without '/'; '' is none"),
        (lambda e: e.rename_object("layers/dense", 3), "`new_name`"),
        (lambda e: e.add_weights("layers/dense", {"0": "text"}), "'0' is none"),
        (lambda e: e.add_object("layers/", {"0": np.ones(1)}), "a path that ends in a name"),
        (lambda e: e.add_weights("layers/dense", {"a/b": np.ones(1)}), "names without '/'; 'a/b' is none"),
        (
            lambda e: e.add_weights("layers/dense", {"0": [[1.0], [2.0, 3.0]]}),
            "a dict of arrays of numbers; '0' is none",
        ),
        (lambda e: e.save("there.h5"), "a file that ends in .weights.h5"),
        (lambda e: e.compare("model"), "a model or layer"),
    ],
)
def test_what_is_wrong_is_refused(path: pathlib.Path, call: Callable[[Any], Any], message: str) -> None:
    editor = KerasFileEditor(path)
    with pytest.raises(ValueError, match=message):
        call(editor)
    assert editor.compare(network())["status"] == "success"


def test_two_arrays_of_one_path_are_refused(tmp_path: pathlib.Path) -> None:
    import h5py

    for i, other in enumerate(("a/0", "a/0/vars/1")):
        with h5py.File(tmp_path / f"{i}.weights.h5", "w") as file:
            file["a/vars/0"] = np.ones(2)
            file[other] = np.ones(3)
        with pytest.raises(LoadError, match=r"two arrays or objects have one path. Received: 'a"):
            KerasFileEditor(tmp_path / f"{i}.weights.h5").summary()


def test_other_and_damaged_files_are_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ValueError, match=r"ends in \.keras or \.weights\.h5"):
        KerasFileEditor(tmp_path / "model.h5")
    (tmp_path / "damaged.weights.h5").write_bytes(b"1" * 100)
    with pytest.raises(LoadError, match="damaged"):
        KerasFileEditor(tmp_path / "damaged.weights.h5")
