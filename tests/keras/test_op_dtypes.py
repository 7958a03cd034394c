"""Dtypes and values of functions of portanet.ops for inputs of every dtype, and of pairs, against `keras.ops`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("keras")

import keras
import torch

from portanet import ops
from portanet.backends import use_backend
from tests.keras.test_ops import leaves
from tests.ops.cases.usual import ACTIVATIONS, COMPARED, FLOATS, PAIRS, POSITIVE, REDUCED, ROUNDED

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "float16", "float32")
"""Keras on PyTorch makes 32 bits of 64 in many functions, not in all."""
A, B = np.asarray([[1, 0, 3], [2, 1, 1]]), np.asarray([[1, 2, 1], [3, 1, 2]])
_FURTHER = """
    all angle any arccos arccosh arcsin arctanh argmax argmin argsort average bitwise_not conj count_nonzero cumprod
    cumsum diag diagonal diff erfinv flip gelu leaky_relu log_softmax logical_not logsumexp median nan_to_num
    nanargmax nanargmin nancumprod nancumsum nanmedian ones_like ravel real softmax sort trace trapezoid tril
    zeros_like
"""
_PAIRS = """
    bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor cross digitize divide divide_no_nan dot
    floor_divide fmod gcd heaviside inner isclose isin kron lcm logical_and logical_or logical_xor mod outer power
    searchsorted true_divide
"""
KEPT = {"hard_tanh", "relu", "relu6"}
"""Activations that Keras on PyTorch computes in integers."""
OVERFLOWING = {"sparse_plus", "sparse_sigmoid"}
"""Activations that Keras on PyTorch computes in unsigned integers."""
FIRST = {"digitize": lambda x: x, "searchsorted": lambda x: np.sort(x[0])}


def of_keras(name: str, *args: Any) -> Any:
    """What Keras returns; None for what PyTorch does not compute."""
    try:
        return getattr(keras.ops, name)(*(torch.from_numpy(x) if isinstance(x, np.ndarray) else x for x in args))
    except (RuntimeError, ValueError, TypeError):
        return None


def require_equal(name: str, *args: Any) -> int:
    theirs = of_keras(name, *args)
    if theirs is None:
        return 0
    expected = list(leaves(theirs))
    with use_backend("numpy"):
        actual = list(leaves(getattr(ops, name)(*args)))
    case = f"{name} of {[getattr(x, 'dtype', x) for x in args]}"
    for a, b in zip(actual, expected, strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape), case
        wide = "complex128" if a.dtype.kind == "c" else "float64"
        np.testing.assert_allclose(a.astype(wide), b.astype(wide), rtol=5e-3, atol=1e-3, err_msg=case)
    return 1


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::UserWarning")
@pytest.mark.parametrize("name", sorted({*f"{ACTIVATIONS} {FLOATS} {ROUNDED} {POSITIVE} {REDUCED} {_FURTHER}".split()}))
def test_one_array(name: str) -> None:
    compared = 0
    for dtype in DTYPES:
        integers = "float" not in dtype
        if (
            (integers and name in KEPT)
            or (dtype == "uint8" and name in OVERFLOWING)
            or (dtype, name) == ("bool", "sign")
        ):
            continue
        compared += require_equal(name, A.astype(dtype))
        if name in REDUCED.split():
            compared += require_equal(name, A.astype(dtype), 1, True)
    assert compared


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::UserWarning")
@pytest.mark.parametrize("name", sorted({*f"{PAIRS} {COMPARED} {_PAIRS}".split()}))
def test_two_arrays(name: str) -> None:
    compared = 0
    for one in DTYPES:
        for two in DTYPES:
            x, y = FIRST.get(name, lambda x: x)(A.astype(one)), B.astype(two)
            if name == "heaviside" and one == two == "bool":
                continue  # of booleans Keras makes booleans
            if name == "digitize":
                y = np.sort(y[0])
            compared += require_equal(name, x, np.ascontiguousarray(y.T) if name == "dot" else y)
    assert compared


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::UserWarning")
@pytest.mark.parametrize("number", [True, 2, 1.5])
@pytest.mark.parametrize("name", ["add", "equal", "floor_divide", "maximum", "multiply", "subtract", "power", "divide"])
def test_an_array_and_a_number(name: str, number: Any) -> None:
    for dtype in DTYPES:
        if isinstance(number, bool) and name in ("floor_divide", "power") and dtype == "bool":
            continue  # not for booleans
        require_equal(name, A.astype(dtype), number)
        require_equal(name, number, B.astype(dtype))


@pytest.mark.parametrize("name", ["add", "bitwise_and", "maximum", "multiply", "where"])
def test_uint32_beside_signed_integers(name: str, backend: Any) -> None:
    """By Keras's rules, which PyTorch does not have for uint32."""
    if backend.name == "mlx":
        pytest.skip("MLX promotes by rules of its own")
    for other in ("int8", "int16", "int32"):
        expected = keras.backend.result_type("uint32", other)
        x, y = backend.from_host(A.astype("uint32")), backend.from_host(B.astype(other))
        condition = (backend.from_host(A > 1),) if name == "where" else ()
        for pair in ((x, y), (y, x)):
            assert backend.dtype_name(getattr(ops, name)(*condition, *pair).dtype) == expected


def test_options_in_arrays_of_numpy() -> None:
    with use_backend("numpy"):
        assert ops.linspace(0, 1, num=np.asarray(5)).shape == (5,)
        np.testing.assert_array_equal(ops.kaiser(4, np.asarray(1.5)), ops.kaiser(4, 1.5))


WIDE = "sum prod max min cumsum cumprod sort negative square add multiply maximum power matmul dot trace clip"


@pytest.mark.parametrize("dtype", ["int64", "float64", "complex128"])
@pytest.mark.parametrize("name", WIDE.split())
def test_64_bits_stay(name: str, dtype: str, backend: Any) -> None:
    """Alone, and beside 32 bits."""
    if dtype == "complex128" and name in ("max", "min", "sort", "maximum", "clip"):
        return
    x, function = backend.from_host(A.astype(dtype)), getattr(ops, name)
    more: dict[str, tuple[Any, ...]] = {"clip": (0, 1), "matmul": (ops.transpose(x),), "dot": (ops.transpose(x),)}
    pair = name in ("add", "multiply", "maximum", "power")
    assert ops.dtype(function(x, *more.get(name, (x,) if pair else ()))) == dtype
    if pair:
        narrow = backend.from_host(B.astype("float32" if dtype != "int64" else "int32"))
        assert ops.dtype(function(narrow, x)) == ops.dtype(function(x, narrow)) == dtype
        assert ops.dtype(function(x, 2)) == dtype
