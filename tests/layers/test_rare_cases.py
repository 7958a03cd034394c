"""Sizes that are not known, masks in dicts, dropout without anything else to build, and other rare cases."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import initializers, layers
from portanet.masks import Masks
from tests.support import asarray, assert_close, to_numpy


@pytest.mark.parametrize("options", [{}, {"padding": "same"}, {"output_padding": 1, "strides": 2}])
def test_shapes_of_transposed_convolutions(options: dict[str, Any]) -> None:
    layer = layers.Conv2DTranspose(4, 3, **options)
    layer.build((None, 6, 5, 2))
    known = layer.compute_output_shape((7, 6, 5, 2))
    assert layer.compute_output_shape((None, None, 5, 2)) == (None, None, *known[2:])
    assert layer.compute_output_shape((7, 6, None, 2)) == (*known[:2], None, 4)
    assert tuple(layer(asarray(np.ones((7, 6, 5, 2)))).shape) == known


@pytest.mark.parametrize("padding", ["valid", "same", 1])
def test_shapes_of_unpooling(padding: Any) -> None:
    layer = layers.MaxUnpooling2D((3, 4), (2, 3), padding=padding)
    known = layer.compute_output_shape([(7, 6, 5, 2), (7, 6, 5, 2)])
    for space, expected in (((None, 5), (None, known[2])), ((6, None), (known[1], None))):
        assert layer.compute_output_shape([(None, *space, 2)] * 2) == (None, *expected, 2)


def test_shapes_of_cells() -> None:
    cell = layers.LSTMCell(4)
    assert cell.compute_output_shape((7, 3)) == ((7, 4), [(7, 4), (7, 4)])
    assert layers.GRUCell(5).compute_output_shape((None, 3)) == ((None, 5), [(None, 5)])


@pytest.mark.parametrize("return_state", [False, True])
@pytest.mark.parametrize("merge_mode", ["concat", "sum", None])
def test_shapes_of_both_directions(return_state: bool, merge_mode: str | None) -> None:
    layer = layers.Bidirectional(layers.LSTM(4, return_state=return_state), merge_mode=merge_mode)
    out = layer(asarray(np.ones((7, 5, 3))))
    shapes = layer.compute_output_shape((7, 5, 3))
    if isinstance(out, (list, tuple)):
        assert [tuple(part.shape) for part in out] == [tuple(shape) for shape in shapes]
    else:
        assert tuple(out.shape) == tuple(shapes)


def test_attention_with_dropout_alone(backend: Any) -> None:
    """Kept weights are doubled, so that with values of 1 the results are twice the sum of kept weights."""
    query, value = np.zeros((2, 50, 3)), np.ones((2, 8, 3))
    for layer in (layers.AdditiveAttention(False, dropout=0.5, seed=3), layers.Attention(dropout=0.5, seed=3)):
        inputs = [asarray(query), asarray(value)]
        assert_close(layer(inputs), np.ones((2, 50, 3)))
        results = to_numpy(layer(inputs, training=True))[..., 0]
        counts = results * 4  # of 8 equal weights, those that are kept
        np.testing.assert_allclose(counts, counts.round(), atol=1e-4)
        assert counts.min() >= 0
        assert counts.max() <= 8
        assert abs(counts.mean() - 4) < 0.6
        assert (to_numpy(layer(inputs, training=True))[..., 0] != results).any()


def test_masks_of_arrays_in_dicts_and_lists() -> None:
    a, b, c = (np.full(2, i) for i in range(3))
    masks = Masks()
    masks.keep({"a": a, "b": [b, c]}, {"a": "of a", "b": [None, "of c"]})
    assert [masks.find(x) for x in (a, b, c)] == ["of a", None, "of c"]
    assert masks.find({"a": a, "b": b}) == {"a": "of a", "b": None}
    assert masks.find([b, c]) == [None, "of c"]
    assert masks.find([b, {"b": b}]) is None
    masks.keep({"a": a, "b": b}, "of neither")
    masks.keep([a, b], ["another", "of b"])
    assert [masks.find(x) for x in (a, b)] == ["of a", "of b"]


def test_masks_of_dicts_reach_the_model_that_returns_them(backend: Any) -> None:
    words = np.asarray([[1, 2, 0], [3, 0, 0]])
    x = layers.Input((3,), dtype="int32")
    inner = portanet.Model(x, {"out": layers.Embedding(5, 2, mask_zero=True)(x), "plain": layers.Embedding(5, 2)(x)})
    outer = portanet.Model(x, layers.GlobalAveragePooling1D()(inner(x)["out"]))
    vectors = inner.get_weights()[0]
    expected = [vectors[[1, 2]].mean(axis=0), vectors[3]]
    assert_close(outer(asarray(words)), np.stack(expected))


def test_normal_variance_scaling_is_truncated() -> None:
    values = [
        np.asarray(initializers.VarianceScaling(2.0, distribution=name, seed=3)((40, 30)))
        for name in ("normal", "truncated_normal", "untruncated_normal")
    ]
    np.testing.assert_array_equal(values[0], values[1])
    assert (values[0] != values[2]).any()


def test_the_input_of_a_layer_in_a_graph() -> None:
    x = layers.Input((3,))
    dense = layers.Dense(2)
    y = dense(x)
    assert dense.input is x
    assert dense.output is y
    model = portanet.Model(x, y)
    assert model.layers[0].input is x
    assert model.layers[0].output is x


@pytest.mark.parametrize("axis", [-4, -3, 3])
def test_dot_over_the_batch_or_beyond_the_last_axis(axis: int) -> None:
    x = asarray(np.ones((4, 4, 4)))
    for axes in (axis, (axis, 1), (-2, axis)):
        with pytest.raises(ValueError, match=rf"sums over axis {axis}\. Received: an input of shape \(4, 4, 4\)"):
            layers.Dot(axes=axes)([x, x])
    for axes in ((-2, -1), (1, 2), (-1, 1)):
        assert_close(layers.Dot(axes=axes)([x, x]), np.full((4, 4, 4), 4.0))


@pytest.mark.parametrize("axis", [-4, 3])
@pytest.mark.parametrize(
    "make",
    [
        lambda axis: layers.Concatenate(axis=axis),
        lambda axis: layers.Softmax(axis=axis),
        lambda axis: layers.BatchNormalization(axis=axis),
        lambda axis: layers.LayerNormalization(axis=axis),
        lambda axis: layers.UnitNormalization(axis=axis),
        lambda axis: layers.GroupNormalization(2, axis=axis),
    ],
)
def test_axes_beyond_the_ends(make: Any, axis: int) -> None:
    x = asarray(np.ones((2, 4, 4)))
    layer = make(axis)
    with pytest.raises(ValueError, match=rf"axis.*Received: .*{axis}|axis {axis}"):
        layer([x, x] if isinstance(layer, layers.Concatenate) else x)
    layer = make(axis + 2 if axis < 0 else axis - 1)
    layer([x, x] if isinstance(layer, layers.Concatenate) else x)
