"""Small layers against Keras and PyTorch with the same weights: values, and gradients by inputs and weights."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from tests.oracles.compare import TOLERANCE, compare, drawn

torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")
K = keras.layers


def keras_layer(layer: Any) -> Callable[..., Any]:
    """A Keras layer without weights as a function of tensors."""
    return lambda x, weights: layer(x if len(x) > 1 else x[0])


SIMPLE: dict[str, tuple[Callable[[], Any], Callable[[str], Any], list[tuple[int, ...]]]] = {
    "Add": (layers.Add, lambda d: K.Add(dtype=d), [(2, 3)] * 3),
    "Subtract": (layers.Subtract, lambda d: K.Subtract(dtype=d), [(2, 3)] * 2),
    "Multiply": (layers.Multiply, lambda d: K.Multiply(dtype=d), [(2, 3)] * 3),
    "Average": (layers.Average, lambda d: K.Average(dtype=d), [(2, 3)] * 3),
    "Maximum": (layers.Maximum, lambda d: K.Maximum(dtype=d), [(2, 3)] * 3),
    "Minimum": (layers.Minimum, lambda d: K.Minimum(dtype=d), [(2, 3)] * 3),
    "Concatenate": (lambda: layers.Concatenate(1), lambda d: K.Concatenate(1, dtype=d), [(2, 3, 2), (2, 1, 2)]),
    "Dot": (lambda: layers.Dot((2, 1)), lambda d: K.Dot((2, 1), dtype=d), [(2, 3, 4), (2, 4, 5)]),
    "Dot, one axis": (lambda: layers.Dot(1), lambda d: K.Dot(1, dtype=d), [(2, 4, 3), (2, 4, 5)]),
    "Dot, normalised": (lambda: layers.Dot(1, True), lambda d: K.Dot(1, True, dtype=d), [(2, 4), (2, 4)]),
    "Flatten": (layers.Flatten, lambda d: K.Flatten(dtype=d), [(2, 3, 4)]),
    "Reshape": (lambda: layers.Reshape((-1, 2)), lambda d: K.Reshape((-1, 2), dtype=d), [(2, 3, 4)]),
    "Permute": (lambda: layers.Permute((3, 1, 2)), lambda d: K.Permute((3, 1, 2), dtype=d), [(2, 3, 4, 5)]),
    "RepeatVector": (lambda: layers.RepeatVector(3), lambda d: K.RepeatVector(3, dtype=d), [(2, 4)]),
    "Identity": (layers.Identity, lambda d: K.Identity(dtype=d), [(2, 3)]),
    "Masking": (layers.Masking, lambda d: K.Masking(dtype=d), [(2, 3, 4)]),
    "Lambda": (lambda: layers.Lambda(lambda x: x**2), lambda d: K.Lambda(lambda x: x**2, dtype=d), [(2, 3)]),
    "ZeroPadding1D": (lambda: layers.ZeroPadding1D((1, 2)), lambda d: K.ZeroPadding1D((1, 2), dtype=d), [(2, 3, 4)]),
    "ZeroPadding2D": (
        lambda: layers.ZeroPadding2D(((1, 0), (2, 3)), "channels_first"),
        lambda d: K.ZeroPadding2D(((1, 0), (2, 3)), "channels_first", dtype=d),
        [(2, 1, 3, 4)],
    ),
    "ZeroPadding3D": (
        lambda: layers.ZeroPadding3D((1, 2, 0)),
        lambda d: K.ZeroPadding3D((1, 2, 0), dtype=d),
        [(1, 2, 3, 2, 2)],
    ),
    "Cropping1D": (lambda: layers.Cropping1D((1, 2)), lambda d: K.Cropping1D((1, 2), dtype=d), [(2, 5, 4)]),
    "Cropping2D": (
        lambda: layers.Cropping2D(((1, 0), (2, 1))),
        lambda d: K.Cropping2D(((1, 0), (2, 1)), dtype=d),
        [(2, 3, 5, 1)],
    ),
    "Cropping3D": (layers.Cropping3D, lambda d: K.Cropping3D(dtype=d), [(1, 3, 4, 5, 2)]),
    "Rescaling": (
        lambda: layers.Rescaling([2.0, 0.5, 1.0], [0.0, 1.0, -1.0]),
        lambda d: K.Rescaling([2.0, 0.5, 1.0], [0.0, 1.0, -1.0], dtype=d),
        [(2, 4, 3)],
    ),
    "Normalization": (
        lambda: layers.Normalization(1, [0.5, 1.0, 2.0], [4.0, 1.0, 0.0]),
        lambda d: K.Normalization(1, [0.5, 1.0, 2.0], [4.0, 1.0, 0.0], dtype=d),
        [(2, 3, 4)],
    ),
    "Normalization, inverted": (
        lambda: layers.Normalization((1, 2), [0.5, 1.0], [4.0, 2.0], invert=True),
        lambda d: K.Normalization((1, 2), [0.5, 1.0], [4.0, 2.0], invert=True, dtype=d),
        [(2, 3, 2)],
    ),
    "UpSampling1D": (lambda: layers.UpSampling1D(3), lambda d: K.UpSampling1D(3, dtype=d), [(2, 3, 4)]),
    "UpSampling2D": (lambda: layers.UpSampling2D((2, 3)), lambda d: K.UpSampling2D((2, 3), dtype=d), [(2, 3, 2, 1)]),
    "Flatten, channels first": (
        lambda: layers.Flatten("channels_first"),
        lambda d: K.Flatten("channels_first", dtype=d),
        [(2, 3, 4, 2)],
    ),
    "UpSampling2D, bilinear": (
        lambda: layers.UpSampling2D((2, 3), interpolation="bilinear"),
        lambda d: K.UpSampling2D((2, 3), interpolation="bilinear", dtype=d),
        [(2, 3, 4, 2)],
    ),
    "UpSampling3D": (
        lambda: layers.UpSampling3D((1, 2, 3)),
        lambda d: K.UpSampling3D((1, 2, 3), dtype=d),
        [(1, 2, 3, 2, 2)],
    ),
}


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", SIMPLE)
def test_layers_without_weights(name: str, dtype: str) -> None:
    make, reference, shapes = SIMPLE[name]
    hosts = drawn(*shapes)
    if name == "Masking":
        hosts[0][:, 1] = 0.0
    compare(make(), keras_layer(reference(dtype)), hosts, [], dtype)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_embedding(dtype: str) -> None:
    words = np.asarray([[1, 4, 1], [0, 2, 4]])
    (vectors,) = drawn((5, 3))
    compare(layers.Embedding(5, 3), lambda x, w: torch.nn.functional.embedding(x[0], w[0]), [words], [vectors], dtype)
    theirs = K.Embedding(5, 3, mask_zero=True)
    theirs.build()
    theirs.set_weights([vectors])
    ours = layers.Embedding(5, 3, weights=vectors, mask_zero=True)
    np.testing.assert_allclose(ours(words), theirs(words).detach().numpy(), rtol=1e-6)
    np.testing.assert_array_equal(ours.compute_mask(words), theirs.compute_mask(words).numpy())


@pytest.mark.parametrize("axis", [-1, None, (1, 2)])
def test_adapted_normalization(axis: Any) -> None:
    (data,) = drawn((6, 3, 2))
    ours, theirs = layers.Normalization(axis), K.Normalization(axis)
    for layer in (ours, theirs):
        layer.adapt(data.astype("float32"))
    for a, b in zip(ours.get_weights(), theirs.weights, strict=True):
        np.testing.assert_allclose(a, b.value.numpy(), rtol=1e-5)
    x = data[:2].astype("float32")
    np.testing.assert_allclose(ours(x), theirs(x).detach().numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("mode", ["one_hot", "multi_hot", "count"])
def test_category_encoding(mode: str) -> None:
    for x in (np.asarray([[0, 3], [1, 1]]), np.asarray([[0], [1]])):
        expected = K.CategoryEncoding(4, mode)(x).numpy()
        np.testing.assert_array_equal(layers.CategoryEncoding(4, mode)(x), expected)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_bilinear(dtype: str) -> None:
    *inputs, kernel, bias = drawn((4, 2), (4, 3), (2, 3, 5), (5,))
    compare(
        layers.Bilinear(5),
        lambda x, w: torch.nn.functional.bilinear(x[0], x[1], w[0].permute(2, 0, 1), w[1]),
        inputs,
        [kernel, bias],
        dtype,
    )


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_layer_scale(dtype: str) -> None:
    theirs = importlib.import_module("keras.src.applications.convnext").LayerScale(1e-6, 3, dtype=dtype)
    theirs.build((None, 3))
    compare(
        layers.LayerScale(1e-6, 3),
        lambda x, w: theirs.stateless_call([w[0]], [], x[0])[0],
        *([values] for values in drawn((2, 4, 3), (3,))),
        dtype,
    )


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_highway(dtype: str) -> None:
    x, *weights = drawn((4, 3), (3, 3), (3,), (3, 3), (3,))

    def theirs(x: Any, w: Any) -> Any:
        gate = torch.sigmoid(x[0] @ w[2] + w[3])
        return torch.tanh(x[0] @ w[0] + w[1]) * gate + x[0] * (1 - gate)

    compare(layers.Highway("tanh"), theirs, [x], weights, dtype)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_tied_dense(dtype: str) -> None:
    x, kernel, bias = drawn((4, 2), (3, 2), (3,))
    encoder = layers.Dense(2, use_bias=False)
    with portanet.use_backend("numpy", dtype=dtype):
        encoder.build((None, 3))
    compare(
        layers.TiedDense(encoder, "tanh"), lambda x, w: torch.tanh(x[0] @ w[1].T + w[0]), [x], [bias, kernel], dtype
    )


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("normalize", [False, True])
def test_rbf(dtype: str, normalize: bool) -> None:
    x, centers = drawn((4, 3), (5, 3))
    betas = np.asarray([0.1, 0.5, 1.0, 2.0, 0.3])

    def theirs(x: Any, w: Any) -> Any:
        units = torch.exp(-w[1] * ((x[0][:, None, :] - w[0]) ** 2).sum(-1))
        return units / units.sum(-1, keepdim=True) if normalize else units

    compare(layers.RBF(5, normalize), theirs, [x], [centers, betas], dtype)

    def local(x: Any, w: Any) -> Any:
        products = theirs(x, w)[:, :, None] * (x[0][:, None, :] - w[0])
        return torch.cat([theirs(x, w), products.flatten(1)], 1)

    compare(layers.RBF(5, normalize, local_linear=True), local, [x], [centers, betas], dtype)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_rbm_probabilities(dtype: str) -> None:
    x, kernel, visible, hidden = drawn((4, 3), (3, 2), (3,), (2,))
    compare(
        layers.RBM(2),
        lambda x, w: torch.sigmoid(x[0] @ w[0] + w[2]) + 0 * w[1].sum(),
        [x],
        [kernel, visible, hidden],
        dtype,
    )


def test_perceptron_against_scikit_learn() -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    generator = np.random.default_rng(0)
    x = generator.standard_normal((60, 3)).astype("float32")
    y = (x @ [1.0, -2.0, 0.5] > 0.2).astype("float32")
    theirs = linear_model.Perceptron(shuffle=False, max_iter=40, tol=None).fit(x, y)
    ours = layers.Perceptron(1)
    ours.learn(portanet.asarray(x), portanet.asarray(y[:, None]), epochs=40)
    np.testing.assert_allclose(ours.get_weights()[0].ravel(), theirs.coef_.ravel(), rtol=1e-4)
    np.testing.assert_allclose(ours.get_weights()[1], theirs.intercept_, rtol=1e-4)
