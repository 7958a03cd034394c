"""Every operator of arrays, on either side and in place: traced, constant and batched operands, against NumPy."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from portanet import Variable
from portanet.autodiff import TraceError, jvp, lift, unwrap, vjp, vmap
from portanet.backends import Backend
from tests.support import asarray, assert_close, to_numpy

Operator = Callable[..., Any]
NUMBERS: list[Operator] = [
    operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod, operator.pow,
]  # fmt: skip
BITS: list[Operator] = [operator.and_, operator.or_, operator.xor, operator.lshift, operator.rshift]
COMPARISONS: list[Operator] = [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]
UNARY: list[Operator] = [operator.pos, operator.neg, operator.abs]
X, Y = np.asarray([[1.5, 7.25, 3.0], [4.0, 0.75, 2.5]]), np.asarray([[2.0, 1.5, 3.0], [0.75, 4.0, 3.5]])
M, N = np.asarray([[12, 7, 3], [5, 9, 6]]), np.asarray([[2, 1, 3], [3, 2, 1]])


def host(x: Any) -> np.ndarray:
    return to_numpy(unwrap(x))


def inside(f: Callable[..., Any], *arrays: Any) -> np.ndarray:
    """The result of `f` of recorded arrays."""
    seen: list[Any] = []
    vjp(lambda *xs: seen.append(f(*xs)) or xs[0], *arrays)
    return host(seen[0])


def pairs(x: Any, y: Any) -> list[tuple[Any, Any]]:
    """Operands of a binary operator, of which one at least is wrapped."""
    return [(lift(x), lift(y)), (lift(x), y), (shared(x), lift(y))]


def shared(x: Any) -> Any:
    """A plain left operand; array-api-strict's arrays refuse others as their right operand."""
    return lift(x) if hasattr(type(x), "_check_type_device") else x


@pytest.mark.parametrize("op", NUMBERS + COMPARISONS + BITS, ids=lambda op: op.__name__)
def test_binary_operators(op: Operator, backend: Backend) -> None:
    bits = op in BITS
    a, b, number = (M, N, 2) if bits else (X, Y, 2.5)
    x, y = (asarray(v, "int32" if bits else "float64") for v in (a, b))
    for left, right in pairs(x, y):
        np.testing.assert_allclose(host(op(left, right)), op(a, b), rtol=1e-12)
    np.testing.assert_allclose(host(op(lift(x), number)), op(a, number), rtol=1e-12)
    np.testing.assert_allclose(host(op(number, lift(y))), op(number, b), rtol=1e-12)
    if not bits:
        np.testing.assert_allclose(inside(op, x, y), op(a, b), rtol=1e-12)
        np.testing.assert_allclose(inside(lambda x: op(x, y), x), op(a, b), rtol=1e-12)
        np.testing.assert_allclose(inside(lambda y: op(shared(x), y), y), op(a, b), rtol=1e-12)
        np.testing.assert_allclose(inside(lambda y: op(number, y), y), op(number, b), rtol=1e-12)


@pytest.mark.parametrize("op", NUMBERS + COMPARISONS + BITS, ids=lambda op: op.__name__)
def test_binary_operators_of_batches(op: Operator, backend: Backend) -> None:
    """Of examples with one another, with what all examples share, and with numbers."""
    bits = op in BITS
    a, b, number = (M, N, 2) if bits else (X, Y, 2.5)
    x, y = (asarray(v, "int32" if bits else "float64") for v in (a, b))
    for result, expected in (
        (vmap(op)(x, y), op(a, b)),
        (vmap(op, (0, None))(x, y[0, ...]), op(a, b[0])),
        (vmap(op, (None, 0))(x[0, ...], y), op(a[0], b)),
        (vmap(lambda x: op(x, number))(x), op(a, number)),
        (vmap(lambda y: op(number, y))(y), op(number, b)),
    ):
        np.testing.assert_allclose(to_numpy(result), expected, rtol=1e-12)


def test_bits_of_booleans(backend: Backend) -> None:
    p, q = np.asarray([True, True, False, False]), np.asarray([True, False, True, False])
    for op in BITS[:3]:
        for left, right in pairs(asarray(p, "bool"), asarray(q, "bool")):
            np.testing.assert_array_equal(host(op(left, right)), op(p, q))
    np.testing.assert_array_equal(host(~lift(asarray(p, "bool"))), ~p)
    np.testing.assert_array_equal(to_numpy(vmap(operator.invert)(asarray(M, "int32"))), ~M)


@pytest.mark.parametrize("op", UNARY, ids=lambda op: op.__name__)
def test_unary_operators(op: Operator, backend: Backend) -> None:
    x = asarray(X - 3.0, "float64")
    np.testing.assert_allclose(host(op(lift(x))), op(X - 3.0))
    np.testing.assert_allclose(inside(op, x), op(X - 3.0))
    np.testing.assert_allclose(to_numpy(vmap(op)(x)), op(X - 3.0))


def test_products_of_matrices(backend: Backend) -> None:
    a, b = X, Y.T
    x, y = asarray(a, "float64"), asarray(b, "float64")
    for left, right in pairs(x, y):
        np.testing.assert_allclose(host(left @ right), a @ b)
    np.testing.assert_allclose(inside(lambda x: x @ y, x), a @ b)
    np.testing.assert_allclose(inside(lambda y: shared(x) @ y, y), a @ b)
    np.testing.assert_allclose(to_numpy(vmap(lambda x: x @ shared(y))(x)), a @ b)
    np.testing.assert_allclose(to_numpy(vmap(lambda y: shared(x) @ y, 1, 1)(y)), a @ b)


@pytest.mark.parametrize("op", NUMBERS, ids=lambda op: op.__name__)
def test_operators_in_place(op: Operator, backend: Backend) -> None:
    """`y op= x` has the value and the derivative of `y = y op x`."""
    in_place = getattr(operator, f"i{op.__name__}")
    x, t = asarray(X, "float64"), asarray(Y, "float64")

    def written(x: Any) -> Any:
        y = x * 2.25
        y = in_place(y, x + 0.125)
        return in_place(y, 1.5)

    def computed(x: Any) -> Any:
        return op(op(x * 2.25, x + 0.125), 1.5)

    for value, expected in zip(jvp(written, (x,), (t,)), jvp(computed, (x,), (t,)), strict=True):
        np.testing.assert_allclose(to_numpy(value), to_numpy(expected), rtol=1e-12)
    np.testing.assert_allclose(to_numpy(written(lift(x))._value), computed(X), rtol=1e-12)
    assert_close(vjp(written, x)[1](t)[0], to_numpy(vjp(computed, x)[1](t)[0]), dtype="float64")


@pytest.mark.parametrize("op", NUMBERS, ids=lambda op: op.__name__)
def test_operators_in_place_on_plain_arrays(op: Operator, backend: Backend) -> None:
    """`plain op= x` is `plain = plain op x`: it has a derivative."""
    if backend.name in ("strict", "dpnp"):
        pytest.skip("its operators never ask the right operand")
    in_place = getattr(operator, f"i{op.__name__}")
    x, y, t = asarray(X, "float64"), asarray(Y, "float64"), asarray(Y - 1.0, "float64")
    for value, expected in zip(
        jvp(lambda x: in_place(y * 1.0, x), (x,), (t,)), jvp(lambda x: op(y * 1.0, x), (x,), (t,)), strict=True
    ):
        np.testing.assert_allclose(to_numpy(value), to_numpy(expected), rtol=1e-12)
    result = vmap(lambda x: in_place(y[0, ...] * 1.0, x))(x)
    np.testing.assert_allclose(to_numpy(result), op(Y[0], X), rtol=1e-12)


NAMES_OF_CUPY = {
    "add": "cupy_add", "sub": "cupy_subtract", "mul": "cupy_multiply", "truediv": "cupy_true_divide",
    "floordiv": "cupy_floor_divide", "mod": "cupy_remainder", "pow": "cupy_power",
}  # fmt: skip


@pytest.mark.parametrize("op", NUMBERS, ids=lambda op: op.__name__)
def test_what_cupy_calls_for_operators_in_place(op: Operator) -> None:
    """CuPy asks its arguments by this name, of which no other library knows."""

    def function(x: Any) -> Any:
        return np.asarray(x) + 1.0

    variable = Variable(asarray(Y, "float64"))
    for right, values in ((lift(X), X), (variable, Y)):
        override = type(right).__cupy_override_elementwise_kernel__
        plain = X * 1.0
        function.__name__ = NAMES_OF_CUPY[op.__name__]
        np.testing.assert_allclose(host(override(right, function, plain, right, plain)), op(X, values))
        function.__name__ = "cupy_sin"
        np.testing.assert_allclose(override(right, function, right), values + 1.0)
    for wrap in (lambda f: vjp(f, X), lambda f: vmap(f)(X)):
        with pytest.raises(TraceError, match=r"Compute with xp = x"):
            wrap(lambda x: x.__cupy_override_elementwise_kernel__(function, x))


@pytest.mark.parametrize("op", BITS, ids=lambda op: op.__name__)
def test_bits_in_place(op: Operator, backend: Backend) -> None:
    y = lift(asarray(M, "int32")) * 2
    y = getattr(operator, f"i{op.__name__.strip('_')}")(y, asarray(N, "int32"))
    np.testing.assert_array_equal(host(y), op(M * 2, N))
