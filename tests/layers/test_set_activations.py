"""Activations that are set after a layer was created, as Keras's examples do to see logits."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import activations, layers
from tests.support import asarray, assert_close


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: layers.Dense(2, "softmax", name="last"), (3,)),
        (lambda: layers.EinsumDense("ab,bc->ac", 2, activation="softmax", name="last"), (3,)),
        (lambda: layers.Conv1D(2, 1, activation="softmax", name="last"), (4, 3)),
    ],
)
def test_they_count_in_calls_and_files(backend: Any, make: Any, shape: tuple[int, ...], tmp_path: pathlib.Path) -> None:
    model = portanet.Sequential([layers.Input(shape), make()])
    x = np.random.default_rng(0).normal(size=(2, *shape)).astype("float32")
    probabilities = model(asarray(x))
    last = model.layers[-1]
    last.activation = None
    logits = model(asarray(x))
    assert_close(activations.softmax(logits), portanet.to_host(probabilities), rtol=1e-4)
    assert float(portanet.to_host(logits).sum(axis=-1).max()) != pytest.approx(1.0)
    model.save(tmp_path / "model")
    assert_close(portanet.load_model(tmp_path / "model")(asarray(x)), portanet.to_host(logits))
    last.activation = "relu"
    assert last.get_config()["activation"] == "relu"
    with pytest.raises(ValueError, match="activation"):
        last.activation = "nothing"
    assert last.activation is activations.relu
