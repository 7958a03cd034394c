"""Inputs for which None may be passed, and inputs that no output needs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import Input, Model, layers, saving

D = np.ones((8, 2), "float32")


@saving.register_serializable("optional")
class Shifted(layers.Layer):
    def call(self, x: Any, shift: Any = None) -> Any:
        return x if shift is None else x + shift


def network(as_dict: bool) -> Any:
    x, shift = Input((2,), name="x"), Input((2,), name="shift", optional=True)
    out = layers.Dense(2, kernel_initializer="ones")(Shifted()(x, shift))
    return Model({"x": x, "shift": shift} if as_dict else [x, shift], out)


def inputs(as_dict: bool, x: Any, shift: Any) -> Any:
    return {"x": x, "shift": shift} if as_dict else [x, shift]


@pytest.mark.parametrize("as_dict", [False, True])
def test_none_reaches_the_layer(as_dict: bool, backend: Any, tmp_path: Any) -> None:
    model = network(as_dict)
    without, given = inputs(as_dict, D, None), inputs(as_dict, D, D)
    np.testing.assert_allclose(model.predict(without, verbose=0), 2 * D)
    np.testing.assert_allclose(model.predict(given, verbose=0), 4 * D)
    model.compile("sgd", "mse")
    assert model.evaluate(without, D, verbose=0) == pytest.approx(1.0)
    assert model.evaluate(given, D, verbose=0) == pytest.approx(9.0)
    assert model.fit(without, D, verbose=0).history["loss"] == [pytest.approx(1.0)]
    batches = ((inputs(as_dict, D, shift), D) for shift in (None, D))
    assert len(model.fit(batches, steps_per_epoch=2, verbose=0).history["loss"]) == 1
    for call in (model.predict, lambda x: model.fit(x, D, verbose=0)):
        with pytest.raises(ValueError, match=r"Input 'x' .*must be an array of shape \(None, 2\)\. Received: None"):
            call(inputs(as_dict, None, D))
    for ending in ("safetensors", "keras"):
        model.save(tmp_path / f"m.{ending}")
        loaded = portanet.load_model(tmp_path / f"m.{ending}")
        np.testing.assert_array_equal(loaded.predict(without, verbose=0), model.predict(without, verbose=0))


def test_none_is_refused_for_other_inputs() -> None:
    x, y = Input((2,), name="x"), Input((2,), name="y")
    model = Model([x, y], layers.Dense(1)(x + y))
    with pytest.raises(ValueError, match="must be an array of inputs"):
        model.predict([D, None])


def test_inputs_that_no_output_needs(backend: Any) -> None:
    x, y = Input((2,), name="x"), Input((3,), name="y")
    model = Model([x, y], x * 2)
    np.testing.assert_allclose(model.predict([D, np.ones((8, 3))], verbose=0), 2 * D)
    twin = Model.from_config(model.get_config())
    assert twin.input_names == ["x", "y"]
    np.testing.assert_allclose(twin.predict([D, np.ones((8, 3))], verbose=0), 2 * D)
