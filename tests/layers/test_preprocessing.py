"""Layers that prepare numbers: rescaling, normalization, bins and category numbers."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.backends import Backend
from tests.layers.matrix import check_layer
from tests.support import assert_close

RNG = np.random.default_rng(0)


def test_matrix(backend: Backend) -> None:
    check_layer(lambda: layers.Rescaling(0.5, 1.0), (2, 3), (2, 3), {})
    check_layer(lambda: layers.Rescaling([0.5, 2.0, 1.0], [1.0, 0.0, 2.0]), (2, 4, 3), (2, 4, 3), {})
    check_layer(lambda: layers.Normalization(mean=1.0, variance=4.0), (2, 3), (2, 3), {})
    shapes = {"mean": (3,), "variance": (3,), "count": ()}
    check_layer(lambda: layers.Normalization(), (2, 4, 3), (2, 4, 3), shapes)


def test_bins_in_the_matrix(backend: Backend) -> None:
    check_layer(lambda: layers.Discretization([0.0, 0.5]), (2, 3), (2, 3), {}, output_dtype="int32", gradient=False)
    check_layer(lambda: layers.Discretization([0.0], output_mode="count"), (2, 4), (2, 2), {}, gradient=False)


@pytest.mark.parametrize("mode", ["multi_hot", "one_hot"])
def test_categories_in_the_matrix(backend: Backend, mode: str) -> None:
    shape = (2, 4, 3) if mode == "one_hot" else (2, 3)
    check_layer(
        lambda: layers.CategoryEncoding(3, mode),
        (2, 4),
        shape,
        {},
        inputs=lambda generator: generator.integers(0, 3, (2, 4), dtype="int32"),
        gradient=False,
    )


def test_rescaling_of_bytes(backend: Backend) -> None:
    x = portanet.asarray(np.asarray([[0, 51, 255]], "uint8"), dtype="uint8")
    assert_close(layers.Rescaling(1 / 255)(x), [[0.0, 0.2, 1.0]])
    assert_close(layers.Rescaling([1.0, 2.0, 3.0], [0.0, 1.0, 2.0])(x), [[0.0, 103.0, 767.0]])


@pytest.mark.parametrize("axis", [-1, 1, (1, 2), None])
def test_statistics_of_batches_are_those_of_all_data(backend: Backend, axis: object) -> None:
    data = 1000.0 + RNG.standard_normal((10, 3, 4))
    whole, parts = layers.Normalization(axis), layers.Normalization(axis)
    whole.adapt(data)
    parts.adapt((data[i : i + 4], None) for i in range(0, 10, 4))
    reduced = {-1: (0, 1), 1: (0, 2), (1, 2): 0, None: (0, 1, 2)}[axis]  # type: ignore[index]
    expected = (data - data.mean(reduced, keepdims=True)) / data.std(reduced, keepdims=True)
    x = portanet.asarray(data)
    np.testing.assert_allclose(portanet.to_host(whole(x)), expected, atol=2e-2 if x.dtype != "float64" else 1e-9)
    for a, b in zip(whole.get_weights(), parts.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)
    back = layers.Normalization(axis, invert=True)
    back.adapt(data)
    np.testing.assert_allclose(portanet.to_host(back(whole(x))), data, rtol=1e-5)


def test_given_statistics_broadcast(backend: Backend) -> None:
    x = RNG.standard_normal((2, 3, 4)).astype("float32")
    layer = layers.Normalization((1, 2), mean=[1.0, 2.0, 3.0, 4.0], variance=[1.0, 4.0, 9.0, 16.0])
    assert_close(layer(portanet.asarray(x)), (x - np.arange(1.0, 5.0)) / np.arange(1.0, 5.0))
    assert layer.from_config(layer.get_config()).get_config() == layer.get_config()


def test_statistics_are_saved(tmp_path: pathlib.Path) -> None:
    layer = layers.Normalization()
    layer.adapt(np.asarray([[1.0, 2.0], [3.0, 6.0]]))
    edges = layers.Discretization(num_bins=2)
    edges.adapt(np.asarray([1.0, 2.0, 3.0, 4.0]))
    model = portanet.Sequential([layers.Input((2,)), layer, edges])
    model.save(tmp_path / "model.safetensors")
    x = np.asarray([[1.0, 6.0]], "float32")
    np.testing.assert_array_equal(portanet.load_model(tmp_path / "model.safetensors")(x), model(x))


def test_adapting_needs_data_of_the_layer() -> None:
    layer = layers.Normalization()
    layer.adapt(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"was built for inputs of shape \(2, 3\). Received: data of shape \(2, 4\)"):
        layer.adapt(np.ones((2, 4)))
    with pytest.raises(ValueError, match="must not be empty"):
        layer.adapt(np.ones((0, 3)))
    with pytest.raises(ValueError, match="must hold numbers"):
        layer.adapt(np.asarray([["a"]]))
    with pytest.raises(ValueError, match="an array, or an iterable of batches"):
        layer.adapt(3)
    with pytest.raises(ValueError, match="statistics that were given"):
        layers.Normalization(mean=0.0, variance=1.0).adapt(np.ones((2, 3)))
    with pytest.raises(ValueError, match="given together with the other statistic"):
        layers.Normalization(mean=0.0)
    with pytest.raises(ValueError, match="broadcasts to"):
        layers.Normalization(mean=[1.0, 2.0], variance=[1.0, 2.0])(np.ones((2, 3), "float32"))


def test_bins_hold_their_lower_boundary(backend: Backend) -> None:
    x = portanet.asarray([[-1.5, 0.0, 0.5], [1.0, 7.0, np.inf]])
    np.testing.assert_array_equal(portanet.to_host(layers.Discretization([0.0, 1.0])(x)), [[0, 1, 1], [2, 2, 2]])
    vectors = portanet.to_host(layers.Discretization([0.0, 1.0], output_mode="count")(x))
    np.testing.assert_array_equal(vectors, [[1, 2, 0], [0, 0, 3]])


def test_boundaries_are_quantiles() -> None:
    layer = layers.Discretization(num_bins=4)
    layer.adapt([np.arange(0.0, 50.0), np.arange(50.0, 100.0)])
    np.testing.assert_allclose(layer.bin_boundaries, [24.0, 49.0, 74.0])
    assert layer.from_config(layer.get_config()).bin_boundaries == layer.bin_boundaries
    with pytest.raises(ValueError, match="must have no NaN"):
        layer.adapt(np.asarray([np.nan]))
    with pytest.raises(ValueError, match="has no boundaries yet"):
        layers.Discretization(num_bins=2)(np.ones((2, 2)))
    with pytest.raises(ValueError, match="in ascending order"):
        layers.Discretization([1.0, 0.0])


def test_categories(backend: Backend) -> None:
    x = portanet.asarray([[0, 2], [2, 2]], dtype="int32")
    encode = {mode: layers.CategoryEncoding(3, mode) for mode in ("one_hot", "multi_hot", "count")}
    results = {mode: portanet.to_host(layer(x)).tolist() for mode, layer in encode.items()}
    assert results == {
        "one_hot": [[[1, 0, 0], [0, 0, 1]], [[0, 0, 1], [0, 0, 1]]],
        "multi_hot": [[1, 0, 1], [0, 0, 1]],
        "count": [[1, 0, 1], [0, 0, 2]],
    }
    weights = portanet.asarray([[0.5, 2.0], [1.0, 1.5]])
    assert_close(encode["count"](x, count_weights=weights), [[0.5, 0, 2.0], [0, 0, 2.5]])
    column = portanet.asarray([[1], [0]], dtype="int32")
    assert portanet.to_host(encode["one_hot"](column)).tolist() == [[0, 1, 0], [1, 0, 0]]
    with pytest.raises(ValueError, match="only for output_mode='count'"):
        encode["one_hot"](x, count_weights=weights)


def test_categories_out_of_range_are_refused_in_fit() -> None:
    model = portanet.Sequential([layers.Input((1,), dtype="int32"), layers.CategoryEncoding(3), layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"integers from 0 to 2; raise `num_tokens`\. Received: integers from 0 to 3"):
        model.fit(np.asarray([[0], [3]]), np.ones((2, 1)), verbose=0)
