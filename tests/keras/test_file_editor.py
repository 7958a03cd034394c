"""What `KerasFileEditor` edits in a file of Keras, Keras loads; and its comparisons with models are Keras's."""

from __future__ import annotations

import pathlib

import keras
import numpy as np
import pytest

import portanet

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")


def recurrent() -> keras.Model:
    return keras.Sequential([keras.Input((2, 2)), keras.layers.GRU(3), keras.layers.Dense(2)])


def dense(units: int) -> keras.Model:
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(units)])


@pytest.mark.parametrize("ending", [".weights.h5", ".keras"])
def test_edited_files_of_keras(tmp_path: pathlib.Path, ending: str) -> None:
    path = tmp_path / f"model{ending}"
    model = recurrent()
    (model.save if ending == ".keras" else model.save_weights)(path)
    editor = portanet.saving.KerasFileEditor(path)
    editor.rename_object("dense", "head")
    editor.delete_object("head")
    editor.add_object("layers/dense", {"0": np.ones((3, 2), "float32"), "1": np.zeros(2, "float32")})
    editor.save(tmp_path / "edited.weights.h5")
    edited = recurrent()
    edited.load_weights(tmp_path / "edited.weights.h5")
    for a, b in zip(edited.weights[:-2], model.weights[:-2], strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    np.testing.assert_array_equal(edited.weights[-2].numpy(), np.ones((3, 2)))


def test_comparisons_count_as_keras(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "model.weights.h5"
    dense(3).save_weights(path)
    theirs = keras.saving.KerasFileEditor(str(path))
    ours = portanet.saving.KerasFileEditor(path)
    layers = portanet.layers
    for units in (3, 5):
        expected = theirs.compare(dense(units))
        assert ours.compare(portanet.Sequential([layers.Input((4,)), layers.Dense(units)])) == expected
