"""`input_spec` of layers of a user's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.layers import InputSpec

CASES: list[tuple[dict[str, Any], tuple[int, ...], str | None]] = [
    ({"ndim": 2}, (2, 3), None),
    ({"ndim": 2}, (2, 3, 4), "2 axes"),
    ({"min_ndim": 3}, (2, 3), "at least 3 axes"),
    ({"max_ndim": 1}, (2, 3), "at most 1 axes"),
    ({"shape": (None, 3)}, (2, 3), None),
    ({"shape": (None, 4)}, (2, 3), "size 4 on axis 1"),
    ({"axes": {-1: 3}}, (2, 3), None),
    ({"axes": {-1: 4}}, (2, 3), "size 4 on axis -1"),
    ({"axes": {2: 4}}, (2, 3), "size 4 on axis 2"),
    ({"dtype": "float32"}, (2, 3), None),
    ({"dtype": "int32"}, (2, 3), "dtype int32"),
    ({"shape": (None, 3, 1), "allow_last_axis_squeeze": True}, (2, 3), None),
    ({"shape": (None, 3), "allow_last_axis_squeeze": True}, (2, 3, 1), None),
]


class Specified(layers.Layer):
    def __init__(self, spec: Any) -> None:
        super().__init__()
        self.input_spec = spec

    def call(self, x: Any) -> Any:
        return x


@pytest.mark.parametrize(("options", "shape", "expected"), CASES, ids=str)
def test_inputs_are_checked(
    options: dict[str, Any], shape: tuple[int, ...], expected: str | None, backend: Any
) -> None:
    x = portanet.asarray(np.ones(shape, "float32"))
    spec = InputSpec(**options)
    layer = Specified(spec)
    symbolic = layers.Input(batch_shape=(None, *shape[1:]))
    if expected is None:
        assert layer(x).shape == shape
        assert layer(symbolic).shape == (None, *shape[1:])
        return
    for given in (x, symbolic):
        with pytest.raises(ValueError, match=f"Layer 'specified' takes an input of {expected}. Received: shape"):
            layer(given)


@pytest.mark.parametrize(("options", "shape", "expected"), CASES, ids=str)
def test_what_keras_refuses(options: dict[str, Any], shape: tuple[int, ...], expected: str | None) -> None:
    keras = pytest.importorskip("keras")
    layer = keras.layers.Identity()
    layer.input_spec = keras.layers.InputSpec(**options)
    x = keras.ops.ones(shape)
    if expected is None:
        layer(x)
    else:
        with pytest.raises((ValueError, IndexError)):
            layer(x)


def test_several_inputs_and_configurations() -> None:
    x, y = np.ones((2, 3)), np.ones((2, 4))
    pair = Specified([InputSpec(ndim=2), InputSpec(shape=(None, 4), name="y")])
    assert len(pair([x, y])) == 2
    with pytest.raises(ValueError, match=r"an input 'y' of size 4 on axis 1\. Received: shape \(2, 3\)"):
        pair([x, x])
    with pytest.raises(ValueError, match=r"takes 2 inputs\. Received: 1"):
        pair([x])
    named = Specified({"y": InputSpec(axes={-1: 4})})
    named({"y": y})
    again = InputSpec.from_config(InputSpec(shape=(None, 4), axes={1: 4}).get_config())
    assert repr(again) == "InputSpec(shape=(None, 4), ndim=2, axes={1: 4})"
    for wrong in ({"shape": 3}, {"ndim": -1}, {"axes": [3]}, {"ndim": 2, "axes": {5: 3}}):
        with pytest.raises(ValueError, match="Received"):
            InputSpec(**wrong)


def test_an_input_by_the_shape_of_a_batch() -> None:
    first = layers.InputLayer(batch_shape=(7, 3), name="first")
    assert (first.shape, first.batch_size, layers.InputLayer(3).shape) == ((3,), 7, (3,))
    assert layers.InputLayer.from_config(first.get_config()).declared is None
    model = portanet.Sequential([first, layers.Dense(2)])
    assert portanet.models.clone_model(model).input_shape == model.input_shape == (7, 3)
    for arguments in ({"batch_shape": (7, 3), "shape": (3,)}, {"batch_shape": 3}):
        with pytest.raises(ValueError, match="batch_shape"):
            layers.InputLayer(**arguments)
