from __future__ import annotations

import functools
import inspect
import math
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from portanet import activations
from portanet.activations import ACTIVATIONS
from portanet.autodiff import array_namespace, check_grads, grad
from portanet.backends import Array
from tests.support import asarray, assert_close, to_numpy

ALL = {function.__name__: function for function in ACTIVATIONS.values()}
ALL["threshold"] = functools.partial(activations.threshold, threshold=0.3, default_value=-0.2)
ALL["relu_all"] = functools.partial(activations.relu, negative_slope=0.1, max_value=1.0, threshold=0.25)
ALL["gelu_tanh"] = functools.partial(activations.gelu, approximate=True)
ALL["elliot_steep"] = functools.partial(activations.elliot, steepness=3.0)
ALL["symmetric_elliot_steep"] = functools.partial(activations.symmetric_elliot, steepness=0.5)
ALL["maxout"] = functools.partial(activations.maxout, pieces=2)

NOT_ELEMENTWISE = {"softmax", "log_softmax", "sparsemax", "glu", "maxout"}
HALVED = {"glu", "maxout"}

# None of these is within 0.05 of a kink of any function above.
POINTS = np.asarray([[-7.3, -3.6, -1.7, -0.83, -0.36, -0.12], [0.13, 0.41, 0.86, 1.32, 3.72, 6.9]])
EXTREME = np.asarray([[-1e4, -200.0, -88.5, -30.0, -1e-30, 0.0], [1e-30, 1e-3, 30.0, 88.5, 200.0, 1e4]])


@pytest.mark.parametrize("name", ALL)
def test_derivatives_of_first_and_second_order(xp: Any, name: str) -> None:
    check_grads(ALL[name], (asarray(POINTS, "float64"),), directions=1)


@pytest.mark.parametrize("name", ALL)
def test_float32_stays_float32_and_agrees_with_numpy_in_float64(xp: Any, name: str) -> None:
    expected = ALL[name](POINTS)
    assert expected.dtype == np.float64
    assert_close(ALL[name](asarray(POINTS)), expected, rtol=1e-5, atol=1e-6, dtype="float32")


@pytest.mark.parametrize("name", sorted(set(ALL) - {"exponential"}))  # exp(1e4) is infinite, and NumPy warns
def test_far_from_zero_values_and_slopes_are_finite(xp: Any, name: str) -> None:
    x = asarray(EXTREME)
    value = ALL[name](x)
    assert np.isfinite(to_numpy(value)).all()

    def total(x: Array) -> Array:
        y = ALL[name](x)
        return array_namespace(y).sum(y)

    slope = grad(total)(x)
    assert slope.dtype == x.dtype
    assert np.isfinite(to_numpy(slope)).all()


@pytest.mark.parametrize("name", ALL)
@given(
    shape=st.lists(st.integers(1, 3), min_size=0, max_size=3).map(lambda s: (*s, 4)),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_shape_and_dtype(name: str, shape: tuple[int, ...], dtype: str) -> None:
    x = np.linspace(-2, 2, int(np.prod(shape))).reshape(shape).astype(dtype)
    y = ALL[name](x)
    assert y.dtype == x.dtype
    assert y.shape == ((*shape[:-1], 2) if name in HALVED else shape)


@pytest.mark.parametrize("name", sorted(set(ALL) - NOT_ELEMENTWISE))
def test_elementwise_functions_take_scalars_and_empty_arrays(xp: Any, name: str) -> None:
    x = asarray(0.7)
    assert ALL[name](x).shape == ()
    assert ALL[name](asarray(np.zeros((0, 3), "float32"))).shape == (0, 3)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (activations.sigmoid, [0.268941, 0.5, 0.731059]),
        (activations.softplus, [0.313262, 0.693147, 1.313262]),
        (activations.softmax, [0.090031, 0.244728, 0.665241]),
        (activations.scaled_tanh, [-0.9999973, 0.0, 0.9999973]),
    ],
)
def test_values_of_the_documents(xp: Any, function: Any, expected: list[float]) -> None:
    assert_close(function(asarray([-1.0, 0.0, 1.0], "float64")), expected, rtol=0, atol=6e-7, dtype="float64")


def test_probabilities_sum_to_one_over_any_axis(xp: Any) -> None:
    x = asarray(np.random.default_rng(0).normal(size=(3, 4, 5)) * 10, "float64")
    for axis in (0, 1, -1, (1, 2)):
        assert_close(
            xp.sum(activations.softmax(x, axis=axis), axis=axis),
            np.ones(np.sum(to_numpy(x), axis).shape),
            dtype="float64",
        )
    for axis in (0, 1, -1):
        assert_close(
            xp.sum(activations.sparsemax(x, axis=axis), axis=axis),
            np.ones(np.sum(to_numpy(x), axis).shape),
            dtype="float64",
        )


def test_log_softmax_is_the_logarithm_of_softmax(xp: Any) -> None:
    x = asarray(POINTS, "float64")
    assert_close(activations.log_softmax(x), np.log(to_numpy(activations.softmax(x))), dtype="float64")


@given(st.lists(st.floats(-20, 20), min_size=1, max_size=8))
def test_sparsemax_is_the_nearest_point_of_the_simplex(values: list[float]) -> None:
    x = np.asarray(values)
    p = activations.sparsemax(x)
    assert (p >= 0).all()
    assert p.sum() == pytest.approx(1)
    # Projection: x - p is the same wherever p > 0, and nowhere larger.
    residue = x - p
    assert np.ptp(residue[p > 1e-9]) < 1e-9
    assert (residue <= residue[p > 1e-9].max() + 1e-9).all()


def test_sparsemax_with_ties(xp: Any) -> None:
    assert_close(activations.sparsemax(asarray([1.0, 1.0, 0.0])), [0.5, 0.5, 0.0])


def test_prelu_learns_its_slope(xp: Any) -> None:
    check_grads(activations.prelu, (asarray(POINTS), asarray([[0.2], [0.4]])), directions=1)
    check_grads(activations.prelu, (asarray(POINTS), asarray([0.1, 0.2, 0.3, -0.4, 0.5, 0.6])), directions=1)


def test_derivatives_at_the_kinks_are_those_of_keras(xp: Any) -> None:
    zero = asarray(0.0)
    for name, slope in {"relu": 0, "leaky_relu": 0.2, "relu6": 0, "elu": 1, "step": 0, "sign": 0}.items():
        assert float(grad(ALL[name])(zero)) == pytest.approx(slope), name


def test_nan_stays_nan(xp: Any) -> None:
    for name in ("relu", "sigmoid", "softplus", "gelu", "softmax", "elliot", "hard_shrink", "sparsemax"):
        assert np.isnan(to_numpy(ALL[name](asarray([np.nan])))).all(), name
    assert np.isnan(to_numpy(activations.sparsemax(asarray([0.5, np.nan, 2.0])))).all()


def test_names() -> None:
    assert activations.get(None) is activations.linear
    assert activations.get("swish") is activations.silu
    assert activations.get("hard_swish") is activations.hard_silu
    assert activations.get(np.tanh) is np.tanh
    for name in activations.__all__:
        if name not in ("get", "serialize", "deserialize", "prelu", "maxout", "threshold"):  # these need arguments
            assert activations.get(name) is getattr(activations, name)
    with pytest.raises(
        ValueError, match=r"Unknown activation\. Did you mean 'sigmoid'\?.*Received: identifier='sigmoyd'"
    ):
        activations.get("sigmoyd")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: activations.elliot(x, steepness=0), r"`steepness` of elliot must be a positive.*Received: steep"),
        (lambda x: activations.elliot(x, steepness="a"), r"`steepness` of elliot must be a positive.*Received: steep"),
        (lambda x: activations.celu(x, alpha=-1.0), r"`alpha` of celu must be a positive number.*Received: alpha=-1.0"),
        (lambda x: activations.squareplus(x, b=0), r"`b` of squareplus must be a positive number.*Received: b=0"),
        (lambda x: activations.relu(x, max_value=-1), r"`max_value` of relu must be.*Received: max_value=-1"),
        (lambda x: activations.soft_shrink(x, -1), r"`threshold` of soft_shrink must be a non-negative.*Received:"),
        (lambda x: activations.hard_shrink(x, True), r"`threshold` of hard_shrink must be a non-negative.*Received:"),
        (lambda x: activations.tanh_linear(x, -1), r"`slope` of tanh_linear must be a non-negative.*Received:"),
        (activations.glu, r"must be an axis of even size.*Received: axis=-1 of shape \(3,\)"),
        (lambda x: activations.maxout(x, 2), "`pieces` .* a divisor of the size of axis -1, 3. Rec"),
        (lambda x: activations.maxout(x, 1.5), r"positive integer.*Received: pieces=1\.5"),
    ],
)
def test_bad_input(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(np.zeros(3))


def test_lists_are_refused() -> None:
    with pytest.raises(TypeError, match=r"portanet\.asarray"):
        activations.relu([1.0, 2.0])


@pytest.mark.parametrize("function", [activations.softmax, activations.log_softmax, activations.sparsemax])
def test_axes_are_checked_by_name(xp: Any, function: Any) -> None:
    """In every position, among several, and for arrays without axes."""
    x = asarray(np.arange(6.0).reshape(2, 3))
    several = () if function is activations.sparsemax else ((0, 2), (0, 0), (1, -1), ())
    for axis in (2, -3, "last", 0.5, True, *several):
        with pytest.raises((TypeError, ValueError), match=rf"`axis` of {function.__name__} .*Received: axis="):
            function(x, axis=axis)
    with pytest.raises((TypeError, ValueError), match=f"`axis` of {function.__name__}"):
        function(asarray(np.asarray(1.0)))


NUMBERS = [
    (name, p.name)
    for name in activations.__all__
    if name not in ("get", "serialize", "deserialize")
    for p in inspect.signature(getattr(activations, name)).parameters.values()
    if p.name != "x" and p.annotation in ("float", "int", "bool", "float | None")
]


@pytest.mark.parametrize(("name", "option"), NUMBERS)
def test_options_are_checked_by_name(name: str, option: str) -> None:
    """Whatever the other options are."""
    function = getattr(activations, name)
    parameters = list(inspect.signature(function).parameters.values())[1:]
    needed = {p.name: 1 for p in parameters if p.default is inspect.Parameter.empty}
    for value in ("a", 1j, [0.5], math.nan):
        with pytest.raises((TypeError, ValueError), match=rf"`{option}` of {function.__name__} .*Received: {option}="):
            function(np.ones((2, 4)), **{**needed, option: value})
