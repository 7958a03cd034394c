"""Masks exist while a graph is built: layers that need one get it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, ops
from portanet.autodiff import array_namespace

Input, Model = layers.Input, portanet.Model
WORDS = np.asarray([[1, 2, 0, 0], [3, 1, 1, 0]])


class MeanOfSteps(layers.Layer):
    """The mean over the steps that count; without a mask, an error."""

    def call(self, x: Any, mask: Any = None) -> Any:
        xp = array_namespace(x)
        weights = xp.astype(array_namespace(mask).expand_dims(mask, axis=-1), x.dtype)
        return xp.sum(x * weights, axis=1) / xp.sum(weights, axis=1)

    def compute_mask(self, x: Any, mask: Any = None) -> Any:
        return None


def embedded(**options: Any) -> tuple[Any, Any]:
    words = Input((4,), dtype="int32")
    return words, layers.Embedding(5, 3, mask_zero=True, **options)(words)


PATHS: dict[str, Any] = {
    "directly": lambda x: x,
    "through a layer": lambda x: layers.Activation("relu")(layers.Dense(3)(x)),
    "through recurrence": lambda x: layers.Bidirectional(layers.LSTM(2, return_sequences=True))(x),
    "merged": lambda x: layers.Add()([x, layers.Dense(3)(x)]),
    "of its own": lambda x: layers.Masking(0.5)(x * 2),
    "through a model": lambda x: Model(start := Input((4, 3)), layers.Dense(2)(start))(x),
    "through a stack": lambda x: portanet.Sequential([layers.Dense(2), layers.Dropout(0.1)])(x),
}


@pytest.mark.filterwarnings("ignore:Layer 'multiply")
@pytest.mark.parametrize("path", PATHS)
def test_a_layer_that_needs_a_mask_gets_it(path: str, backend: Any) -> None:
    words, x = embedded()
    assert x.mask.shape == (None, 4)
    x = PATHS[path](x)
    assert x.mask.shape == (None, 4)
    y = MeanOfSteps()(x)
    assert (y.shape, y.mask) == ((None, x.shape[-1]), None)
    model, steps = Model(words, y), Model(words, x)
    values = portanet.to_host(steps(portanet.asarray(WORDS)))
    counts = np.ones((2, 4), bool) if path == "of its own" else WORDS != 0
    expected = [v[c].mean(axis=0) for v, c in zip(values, counts, strict=True)]
    np.testing.assert_allclose(portanet.to_host(model(portanet.asarray(WORDS))), expected, rtol=1e-5, atol=1e-6)
    assert model.compute_output_shape((7, 4)) == (7, x.shape[-1])


def test_models_that_make_masks() -> None:
    encoder = Model(*embedded(name="words"), name="encoder")
    stack = portanet.Sequential([Input((4,), dtype="int32"), layers.Embedding(5, 3, mask_zero=True)])
    for model in (encoder, stack):
        words = Input((4,), dtype="int32")
        assert model(words).mask.shape == (None, 4)
        assert Model(words, MeanOfSteps()(model(words)))(WORDS).shape == (2, 3)
    assert portanet.Sequential([*stack.layers, MeanOfSteps()])(WORDS).shape == (2, 3)


def test_a_mask_by_name_is_used() -> None:
    x, mask = Input((4, 3)), Input((4,), dtype="bool")
    model = Model([x, mask], MeanOfSteps()(x, mask=mask))
    data = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
    np.testing.assert_allclose(model([data, WORDS != 0])[0], data[0, :2].mean(axis=0), rtol=1e-6)
    with pytest.raises(TypeError, match="NoneType"):
        MeanOfSteps()(x)


def test_operations_drop_masks_as_in_keras() -> None:
    words, x = embedded()
    with pytest.warns(UserWarning, match=r"'multiply' \(Multiply\) drops the mask.*As in Keras; to keep it, use"):
        y = x * 2
    assert y.mask is None
    assert ops.mean(x, axis=1).mask is None
    with pytest.warns(UserWarning, match="drops the mask"):
        assert Model(words, layers.LSTM(2)(y))(WORDS).shape == (2, 2)


class Seen(layers.Layer):
    """The sum of two arrays; notes their masks."""

    def call(self, x: Any, mask: Any = None) -> Any:
        self.seen = mask
        return x[0] + x[1]


def test_masks_of_some_of_several_arrays() -> None:
    words = Input((4,), dtype="int32")
    masked, other = layers.Embedding(5, 3, mask_zero=True), layers.Embedding(5, 3)
    x, y = masked(words), other(words)
    some, none = Seen(), Seen()
    model = Model(words, [some([y, x]), none([y, y]), layers.Attention()([y, x])])
    data = portanet.asarray(WORDS)
    *_, out = model(data)
    assert some.seen[0] is None
    np.testing.assert_array_equal(portanet.to_host(some.seen[1]), WORDS != 0)
    assert none.seen is None
    expected = layers.Attention()([other(data), masked(data)], mask=[None, data != 0])
    np.testing.assert_allclose(portanet.to_host(out), portanet.to_host(expected), rtol=1e-6)


class Difference(layers.Layer):
    def call(self, left: Any, right: Any) -> Any:
        return left - right


def test_two_arrays_and_nested_outputs() -> None:
    a, b = Input((3,)), Input((3,))
    inner = Model([a, b], [Difference()(a, b), [Difference()(b, a), layers.Activation("exponential")(a)]])
    outer = Model([a, b], inner([a, b]))
    x, y = np.ones((2, 3), "float32"), np.full((2, 3), 3.0, "float32")
    first, (second, third) = outer([x, y])
    for out, expected in ((first, -2.0), (second, 2.0), (third, np.e)):
        np.testing.assert_allclose(portanet.to_host(out), np.full((2, 3), expected), rtol=1e-6)
