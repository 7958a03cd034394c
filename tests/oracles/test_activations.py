"""Activations against Keras, PyTorch and SciPy: values and gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet import activations
from portanet.autodiff import array_namespace, grad
from portanet.autodiff.special import erf, erfc
from tests.support import asarray, to_numpy

torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")

# Away from every kink.
X = np.random.default_rng(0).normal(size=(4, 6)) * 3 + 0.0123
KINKS = np.asarray([[-6.0, -3.0, -1.0, -0.7, -0.5, 0.0], [0.4, 0.5, 0.7, 1.0, 3.0, 6.0]])
TOLERANCE = {"float64": 1e-6, "float32": 1e-4}

KERAS: dict[str, dict[str, Any]] = {
    "celu": {"alpha": 0.7}, "elu": {"alpha": 1.3}, "exponential": {}, "gelu": {}, "glu": {}, "hard_shrink": {},
    "hard_sigmoid": {}, "hard_silu": {}, "hard_tanh": {}, "leaky_relu": {}, "linear": {}, "log_sigmoid": {},
    "log_softmax": {}, "mish": {}, "relu": {}, "relu6": {}, "selu": {}, "sigmoid": {}, "silu": {}, "soft_shrink": {},
    "softmax": {}, "softplus": {}, "softsign": {}, "sparse_plus": {}, "sparse_sigmoid": {},
    "squareplus": {"b": 3}, "tanh": {}, "tanh_shrink": {}, "threshold": {"threshold": 0.4, "default_value": -1.0},
}  # fmt: skip
F = torch.nn.functional
TORCH: dict[str, tuple[Any, dict[str, Any]]] = {
    "celu": (lambda x: F.celu(x, 0.7), {"alpha": 0.7}),
    "elu": (lambda x: F.elu(x, 1.3), {"alpha": 1.3}),
    "gelu": (F.gelu, {}),
    "glu": (F.glu, {}),
    "hard_shrink": (F.hardshrink, {}),
    "hard_sigmoid": (F.hardsigmoid, {}),
    "hard_silu": (F.hardswish, {}),
    "hard_tanh": (F.hardtanh, {}),
    "leaky_relu": (lambda x: F.leaky_relu(x, 0.2), {}),
    "log_sigmoid": (F.logsigmoid, {}),
    "log_softmax": (lambda x: F.log_softmax(x, 0), {"axis": 0}),
    "mish": (F.mish, {}),
    "relu": (F.relu, {}),
    "relu6": (F.relu6, {}),
    "selu": (F.selu, {}),
    "sigmoid": (torch.sigmoid, {}),
    "silu": (F.silu, {}),
    "soft_shrink": (lambda x: F.softshrink(x, 0.7), {"threshold": 0.7}),
    "softmax": (lambda x: F.softmax(x, 0), {"axis": 0}),
    "softplus": (F.softplus, {}),
    "softsign": (F.softsign, {}),
    "tanh_shrink": (F.tanhshrink, {}),
    "threshold": (lambda x: F.threshold(x, 0.4, -1.0), {"threshold": 0.4, "default_value": -1.0}),
}


def ours(name: str, options: dict[str, Any], dtype: str, points: Any) -> tuple[Any, Any]:
    function = getattr(activations, name)
    x = asarray(points, dtype)

    def weighted(x: Any) -> Any:
        y = function(x, **options)
        return array_namespace(y).sum(y * asarray(weights(tuple(y.shape)), dtype))

    return to_numpy(function(x, **options)), to_numpy(grad(weighted)(x))


def theirs(function: Any, dtype: str, points: Any) -> tuple[Any, Any]:
    x = torch.tensor(points, dtype=getattr(torch, dtype), requires_grad=True)
    y = function(x)
    (y * torch.tensor(weights(tuple(y.shape)), dtype=y.dtype)).sum().backward()
    return y.detach().numpy(), x.grad.numpy()


def weights(shape: tuple[int, ...]) -> Any:
    return np.random.default_rng(1).normal(size=shape)


def compare(name: str, options: dict[str, Any], function: Any, dtype: str, points: Any = X) -> None:
    value, slope = ours(name, options, dtype, points)
    expected, expected_slope = theirs(function, dtype, points)
    assert value.dtype == expected.dtype
    tolerance = TOLERANCE[dtype]
    np.testing.assert_allclose(value, expected, rtol=tolerance, atol=tolerance / 10)
    np.testing.assert_allclose(slope, expected_slope, rtol=tolerance, atol=tolerance / 10)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", KERAS)
def test_keras(xp: Any, name: str, dtype: str) -> None:
    if keras.backend.backend() != "torch":
        pytest.skip("Keras runs on another backend than PyTorch here")
    compare(name, KERAS[name], lambda x: getattr(keras.activations, name)(x, **KERAS[name]), dtype)


def test_every_activation_of_keras_is_here() -> None:
    missing = {f.__name__ for f in vars(keras.activations).values() if callable(f)} - set(vars(activations))
    assert missing <= {"deserialize", "serialize", "get"}


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", TORCH)
def test_torch(xp: Any, name: str, dtype: str) -> None:
    function, options = TORCH[name]
    compare(name, options, function, dtype)


@pytest.mark.parametrize("name", sorted({*KERAS, *TORCH}))
def test_the_kinks(xp: Any, name: str) -> None:
    """Where a piece ends, the value and the derivative are those of PyTorch and of Keras on it."""
    if name in TORCH:
        compare(name, TORCH[name][1], TORCH[name][0], "float64", KINKS)
    if name in KERAS and keras.backend.backend() == "torch":
        compare(name, KERAS[name], lambda x: getattr(keras.activations, name)(x, **KERAS[name]), "float64", KINKS)


def test_relu_with_all_arguments(xp: Any) -> None:
    for options in (
        {"negative_slope": 0.1, "max_value": 1.5, "threshold": 0.5},
        {"negative_slope": 0.3},
        {"max_value": 2.0, "threshold": 0.5},
    ):
        compare("relu", options, lambda x, options=options: keras.activations.relu(x, **options), "float64")


def test_sparsemax(xp: Any) -> None:
    """Against the root of `sum(max(x - t, 0)) = 1`; Keras 3.15 returns rows here that do not sum to 1."""
    optimize = pytest.importorskip("scipy.optimize")
    levels = [optimize.brentq(lambda t, row=row: np.maximum(row - t, 0).sum() - 1, -20, 20, xtol=1e-14) for row in X]
    expected = np.maximum(X - np.asarray(levels)[:, None], 0)
    np.testing.assert_allclose(to_numpy(activations.sparsemax(asarray(X, "float64"))), expected, rtol=1e-9, atol=1e-12)


def test_approximate_gelu(xp: Any) -> None:
    for approximate, name in ((True, "tanh"), (False, "none")):
        compare("gelu", {"approximate": approximate}, lambda x, name=name: F.gelu(x, approximate=name), "float64")


def test_prelu(xp: Any) -> None:
    alpha = np.asarray([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    expected = F.prelu(torch.tensor(X), torch.tensor(alpha)).numpy()
    np.testing.assert_allclose(to_numpy(activations.prelu(asarray(X, "float64"), asarray(alpha, "float64"))), expected)


def test_erf_and_erfc(xp: Any) -> None:
    special = pytest.importorskip("scipy.special")
    x = np.concatenate([np.linspace(-7.9, 7.9, 2001), [0.0, 1e-300, 1e-8, 30.0, -30.0]])
    for function, reference in ((erf, special.erf), (erfc, special.erfc)):
        actual = to_numpy(function(asarray(x, "float64")))
        np.testing.assert_allclose(actual, reference(x), rtol=2e-14, atol=1e-60)
        single = to_numpy(function(asarray(x, "float32")))
        assert single.dtype == np.float32
        np.testing.assert_allclose(single, reference(x.astype("float32").astype("float64")), rtol=5e-6, atol=1e-30)


def test_erf_of_infinity_and_nan(xp: Any) -> None:
    x = asarray([np.inf, -np.inf, np.nan])
    np.testing.assert_array_equal(to_numpy(erf(x)), [1, -1, np.nan])
    np.testing.assert_array_equal(to_numpy(erfc(x)), [0, 2, np.nan])
