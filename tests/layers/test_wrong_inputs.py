"""Inputs that a layer cannot take: one error that names the layer, before anything is built or computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.backends import Backend
from tests.support import asarray, assert_equal, to_numpy


def ones(*shape: int, dtype: str = "float32") -> Any:
    return asarray(np.ones(shape), dtype)


SHAPES: dict[str, tuple[Callable[[], layers.Layer], list[tuple[int, ...]], str]] = {
    "mha lengths": (
        lambda: layers.MultiHeadAttention(2, 4),
        [(2, 3, 4), (2, 5, 4), (2, 6, 4)],
        r"'multi_head_attention' needs key and value of the same length, axis 1. Received: shapes \(2, 3, 4\) of query",
    ),
    "mha rank": (
        lambda: layers.MultiHeadAttention(2, 4),
        [(2, 3, 4), (2, 4)],
        r"needs inputs of shape \(batch, time, features\). Received: .* \(2, 4\) of value",
    ),
    "attention sizes": (
        layers.Attention,
        [(2, 3, 4), (2, 3, 5)],
        r"'attention' needs query and key of the same size, axis 2. Received: shapes \(2, 3, 4\) of query",
    ),
    "attention rank": (
        layers.Attention,
        [(8, 4), (8, 4)],
        r"'attention' needs inputs of shape \(batch, time, features",
    ),
    "attention ranks": (
        layers.AdditiveAttention,
        [(2, 3, 4), (2, 4)],
        r"needs inputs of shape \(batch, time, features",
    ),
    "dot sizes": (lambda: layers.Dot(1), [(8, 4), (8, 2)], r"'dot' needs axes \(1, 1\) of the same size. Received: "),
    "dot axis": (
        lambda: layers.Dot(2),
        [(8, 4), (8, 4)],
        r"'dot' sums over axis 2. Received: an input of shape \(8, 4",
    ),
    "unpooling": (
        layers.MaxUnpooling2D,
        [(1, 2, 2, 1), (1, 2, 3, 1)],
        r"'max_unpooling2d' takes both results of max pooling .* Received: values of shape \(1, 2, 2, 1\), ind",
    ),
    "no indices": (
        layers.MaxUnpooling2D,
        [(1, 2, 2, 1)],
        "'max_unpooling2d' takes a list of arrays: values, indices. Received: one array",
    ),
}


@pytest.mark.parametrize("case", SHAPES)
def test_shapes_that_do_not_fit(case: str, backend: Backend) -> None:
    make, shapes, message = SHAPES[case]
    layer = make()
    arrays = [ones(*shape) for shape in shapes]
    with pytest.raises(ValueError, match=message):
        layer(arrays if len(arrays) > 1 else arrays[0])
    assert layer.weights == []
    if len(shapes) > 1 and case != "unpooling":
        with pytest.raises(ValueError, match=message.split("Received")[0]):
            make()([layers.Input(shape[1:]) for shape in shapes])


def test_features_of_additive_attention_stay(backend: Backend) -> None:
    layer = layers.AdditiveAttention()
    layer([ones(2, 3, 4)] * 2)
    with pytest.raises(ValueError, match=r"'additive_attention' was built for inputs with 4 features"):
        layer([ones(2, 3, 5)] * 2)


MISSING: dict[str, tuple[Callable[[], layers.Layer], str]] = {
    "add": (layers.Add, "'add' takes a list of arrays; leave out what is missing. Received: None at index 1"),
    "concatenate": (layers.Concatenate, "Received: None at index 1"),
    "dot": (lambda: layers.Dot(1), "first, second; leave out what is missing. Received: None at `second`"),
    "attention": (layers.Attention, "query, value, .*Received: None at `value`"),
    "bilinear": (lambda: layers.Bilinear(3), "Received: None at `second`"),
    "unpooling": (layers.MaxUnpooling2D, "Received: None at `indices`"),
}


@pytest.mark.parametrize("case", MISSING)
def test_none_in_place_of_an_array(case: str, backend: Backend) -> None:
    make, message = MISSING[case]
    with pytest.raises(ValueError, match=message):
        make()([ones(8, 4), None])
    with pytest.raises(ValueError, match=message):
        make()([layers.Input((4,)), None])


def test_none_leaves_an_optional_array_out(backend: Backend) -> None:
    x = ones(2, 3, 4)
    layer = layers.Attention()
    assert_equal(layer([x, x, None]), layer([x, x]))


@pytest.mark.parametrize("make", [lambda: layers.Dense(3), layers.ReLU, layers.LayerNormalization, layers.Flatten])
def test_a_list_for_a_layer_of_one_array(make: Callable[[], layers.Layer], backend: Backend) -> None:
    x = ones(8, 4)
    for given, received in (([x, x], "list of 2"), ({"a": x}, "dict of 1"), ((x,), "tuple of 1")):
        with pytest.raises(TypeError, match=rf"takes one array; join several .*Received: {received}"):
            make()(given)
    with pytest.raises(TypeError, match=r"takes one array; .*Received: list of 2"):
        make()([layers.Input((4,))] * 2)
    for numbers in ([[1.0, 2.0]], [], 3, "a", None):
        with pytest.raises(TypeError, match=r"computes with arrays; convert lists and numbers with portanet.asarray"):
            make()(numbers)
    with pytest.raises(TypeError, match=r"'add' computes with arrays; .*Received: float among arrays"):
        layers.Add()([x, 1.0])


@pytest.mark.parametrize("make", [lambda: layers.Dense(3), lambda: layers.Dropout(0.5), layers.BatchNormalization])
def test_an_array_of_another_library_builds_nothing(make: Callable[[], layers.Layer]) -> None:
    pytest.importorskip("array_api_strict")
    with portanet.use_backend("strict"):
        x, vector = ones(8, 4), ones(3)
    with portanet.use_backend("numpy"):
        layer = make()
        with pytest.raises(
            TypeError, match=r"creates weights on the backend in use, 'numpy'; convert .*Received: an array of 'strict'"
        ):
            layer(x)
        assert layer.variables == []
        model = portanet.Sequential([layers.Flatten(), layer])
        with pytest.raises(TypeError, match="Received: an array of 'strict', Array of shape"):
            model(x)
        assert not model.built
        assert model(portanet.asarray(np.ones((8, 4)))).shape[0] == 8
        layers.ReLU()(vector)  # has no weights


def test_arrays_of_two_libraries() -> None:
    pytest.importorskip("array_api_strict")
    with portanet.use_backend("strict"):
        x, mask = ones(2, 3, 4), asarray(np.ones((2, 3, 3), dtype=bool))
    with portanet.use_backend("numpy"):
        own = ones(2, 3, 4)
        with pytest.raises(TypeError, match=r"'add' got at first an array of 'numpy'; convert .*of 'strict', Array"):
            layers.Add()([own, x])
        layer = layers.MultiHeadAttention(2, 4)
        with pytest.raises(TypeError, match=r"Argument `attention_mask` of layer 'multi_head_attention' must be"):
            layer(own, attention_mask=mask)
        with pytest.raises(
            ValueError, match=r"`attention_mask` .*must be a boolean array; .*Received: attention_mask="
        ):
            layer(own, attention_mask=[[True]])


def test_arrays_of_numpy_are_data_for_the_backend_in_use(backend: Backend) -> None:
    values = np.random.default_rng(0).normal(size=(2, 3, 4))
    x = asarray(values)
    model = portanet.Sequential([layers.Dense(3, "tanh"), layers.BatchNormalization()])
    assert_equal(model(values), model(x))  # which builds the model
    words = portanet.Sequential([layers.Input((2,), dtype="int32"), layers.Embedding(5, 2)])
    assert_equal(words(np.array([[1, 2]])), words(asarray(np.array([[1, 2]]), "int32")))
    assert_equal(layers.Add()([x, values.astype("float32")]), x + x)
    attention = layers.MultiHeadAttention(2, 4)
    mask = np.tril(np.ones((1, 3, 3), dtype=bool))
    expected = attention(x, attention_mask=asarray(mask))
    assert_equal(attention(values.astype("float32"), attention_mask=mask), expected)
    lstm, steps = layers.LSTM(2), values[:, :, 0] > 0
    assert_equal(lstm(x, mask=asarray(steps)), lstm(x, mask=steps))
    if backend.name != "numpy":  # there they are arrays of the backend, which keep their dtype
        assert layers.ReLU()(values).dtype == x.dtype
    assert portanet.to_host(layers.Embedding(5, 2)(np.array([[1, 2]]))).shape == (1, 2, 2)


def test_arrays_of_numpy_keep_double_precision_where_a_layer_computes_in_it(backend: Backend) -> None:
    try:
        backend.find_dtype("float64")
    except ValueError:
        pytest.skip("no float64")
    x = np.array([[1.0 + 1e-12, 2.0]])
    layer = layers.Dense(1, kernel_initializer="ones", use_bias=False, dtype="float64")
    assert portanet.to_host(layer(x))[0, 0] - 3.0 == pytest.approx(1e-12, rel=1e-3)


def test_a_model_that_could_not_be_built_can_be_built_again(backend: Backend) -> None:
    model = portanet.Sequential([layers.Dense(3), layers.Conv1D(2, 2)])
    with pytest.raises(ValueError, match=r"'conv1d' needs inputs of shape"):
        model(ones(8, 4))
    assert not model.built
    assert model.weights == []
    assert tuple(model(ones(8, 5, 6)).shape) == (8, 4, 2)


def test_a_model_without_layers(backend: Backend) -> None:
    with pytest.raises(ValueError, match=r"Model 'sequential' has no layers; add some first: model.add\(layer\)"):
        portanet.Sequential()(ones(8, 4))


def test_indices_above_2_to_the_24(backend: Backend) -> None:
    """In float32 they would be rounded."""
    values, indices = ones(1, 1, 1), asarray(np.full((1, 1, 1), 1), "int32")
    seen = []

    class Noted(layers.MaxUnpooling1D):
        def call(self, x: Any) -> Any:
            seen.append(x[1].dtype)
            return super().call(x)

    Noted()([values, indices])
    assert seen == [indices.dtype]


def test_masks_to_add_to_scores_are_no_attention_masks(backend: Backend) -> None:
    x = portanet.asarray(np.random.default_rng(0).normal(size=(2, 3, 4)))
    layer = layers.MultiHeadAttention(2, 2)
    visible = np.tril(np.ones((1, 3, 3), dtype=bool))
    expected = to_numpy(layer(x, attention_mask=portanet.asarray(visible)))
    for dtype in ("float32", "int32", "uint8"):
        out = to_numpy(layer(x, attention_mask=portanet.asarray(visible.astype(dtype))))
        np.testing.assert_array_equal(out, expected)
    for least in (-np.inf, -1e9):
        added = portanet.asarray(np.where(visible, 0.0, least).astype("float32"))
        with pytest.raises(ValueError, match=r"`attention_mask` .*with mask == 0\. Received: negative values of dtype"):
            layer(x, attention_mask=added)
        np.testing.assert_array_equal(to_numpy(layer(x, attention_mask=added == 0)), expected)
