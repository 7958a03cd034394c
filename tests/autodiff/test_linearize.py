import math
from typing import Any

import numpy as np
import pytest

from portanet.autodiff import array_namespace, custom_jvp, custom_vjp, grad, jacobian, jvp, linearize
from portanet.backends import Backend
from tests.support import asarray, assert_close, to_numpy


def close(actual: Any, expected: Any) -> None:
    """Of any dtype."""
    assert_close(actual, expected, dtype=str(actual.dtype).rpartition(".")[2])


def rotated(x: Any) -> Any:
    xp = array_namespace(x)
    return xp.sin(xp.flip(x)) * xp.exp(x) + xp.sum(x * x)


def test_tangents_are_those_of_jvp(xp: Any) -> None:
    x = asarray([0.3, -0.7, 1.1], "float64")
    value, pushforward = linearize(rotated, x)
    for t in ([1.0, 0.0, 0.0], [0.2, -3.0, 0.5]):
        tangent = asarray(t, "float64")
        expected_value, expected = jvp(rotated, (x,), (tangent,))
        close(value, to_numpy(expected_value))
        close(pushforward(tangent), to_numpy(expected))


def test_the_function_runs_once(xp: Any) -> None:
    runs = []

    def f(x: Any) -> Any:
        runs.append(1)
        return x * x

    _, pushforward = linearize(f, asarray([1.0, 2.0]))
    for scale in (1.0, 2.0, 3.0):
        close(pushforward(asarray([scale, scale])), [2 * scale, 4 * scale])
    assert len(runs) == 1


def test_trees_integers_and_results_without_derivative(xp: Any) -> None:
    x, y = asarray([1.0, 2.0]), {"s": asarray(3.0), "n": [asarray([4.0])]}

    def f(x: Any, y: Any) -> Any:
        xp = array_namespace(x)
        return {
            "product": x * y["s"],
            "largest": xp.argmax(x),
            "fixed": xp.ones((2,), dtype=x.dtype, device=x.device),
            "n": y["n"][0],
        }

    tangents = (asarray([1.0, 10.0]), {"s": asarray(2.0), "n": [asarray([5.0])]})
    value, pushforward = linearize(f, x, y)
    tangent, expected = pushforward(*tangents), jvp(f, (x, y), tangents)[1]
    assert tangent.keys() == value.keys() == expected.keys()
    for name in expected:
        close(tangent[name], to_numpy(expected[name]))
        assert tangent[name].dtype == expected[name].dtype


def test_auxiliary_results(xp: Any) -> None:
    value, pushforward, aux = linearize(lambda x: (x * x, x + 1.0), asarray([3.0]), has_aux=True)
    close(value, [9.0])
    close(aux, [4.0])
    close(pushforward(asarray([2.0])), [12.0])


def test_complex_arguments(xp: Any, backend: Backend) -> None:
    z = asarray([1.0 + 2.0j, -0.5j], "complex128")
    t = asarray([0.3 - 1.0j, 2.0 + 0.5j], "complex128")

    def f(z: Any) -> Any:
        xp = array_namespace(z)
        return xp.exp(z) * xp.conj(z), xp.abs(z)

    expected = jvp(f, (z,), (t,))[1]
    for actual, wanted in zip(linearize(f, z)[1](t), expected, strict=True):
        close(actual, to_numpy(wanted))


@custom_vjp
def by_vjp(x: Any) -> Any:
    return x**3, lambda g: (g * 3 * x * x,)


@custom_jvp
def by_jvp(x: Any) -> Any:
    return x**3, lambda t: t * 3 * x * x


@pytest.mark.parametrize("f", [by_vjp, by_jvp])
def test_custom_rules_and_derivatives_of_it(f: Any, xp: Any) -> None:
    x = asarray(2.0, "float64")
    close(linearize(f, x)[1](asarray(1.0, "float64")), 12.0)
    one = asarray(1.0, "float64")
    close(grad(lambda x: linearize(f, x)[1](one))(x), 12.0)  # the second derivative, 6 x
    close(jvp(lambda x: linearize(f, x)[1](one), (x,), (one,))[1], 12.0)
    close(grad(lambda t: linearize(f, x)[1](t))(one), 12.0)


def test_columns_make_the_jacobian(xp: Any) -> None:
    x = asarray([0.3, -0.7, 1.1], "float64")
    _, pushforward = linearize(rotated, x)
    columns = [to_numpy(pushforward(asarray(np.eye(3)[i], "float64"))) for i in range(3)]
    close(jacobian(rotated)(x), np.stack(columns, axis=1))


def test_python_floats(xp: Any) -> None:
    value, pushforward = linearize(lambda x, s: x * s, asarray([1.0, 2.0]), 3.0)
    close(value, [3.0, 6.0])
    close(pushforward(asarray([0.0, 1.0]), 1.0), [1.0, 5.0])


def test_wrong_tangents_are_refused() -> None:
    _, pushforward = linearize(lambda x: x * math.pi, np.ones(3))
    with pytest.raises(TypeError, match=r"one tangent per primal.*2 tangents"):
        pushforward(np.ones(3), np.ones(3))
    with pytest.raises(TypeError, match=r"A tangent must have the shape.*\(2,\)"):
        pushforward(np.ones(2))
