"""Every function of portanet.ops against `keras.ops` with the PyTorch backend: values, dtypes and gradients."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("keras")

import keras
import torch

from portanet import ops
from portanet.autodiff import grad
from portanet.backends import Backend, get_backend, to_host, use_backend
from portanet.tree import tree_leaves, tree_map
from tests.ops.cases import CASES, CONSTANT, Case

NAMES = [(name, i) for name, cases in CASES.items() for i in range(len(cases))]


def convert(case: Case, function: Callable[[Any], Any]) -> Case:
    result: Case = tree_map(lambda x: function(x) if isinstance(x, np.ndarray) else x, case)
    return result


def of_keras(name: str, case: Case) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        function = getattr(keras.ops, name, None) or getattr(keras.ops.image, name)
        return function(*case.args, **case.kwargs)


def ours(name: str) -> Callable[..., Any]:
    found: Callable[..., Any] = getattr(ops, name, None) or getattr(ops.image, name)
    return found


def leaves(result: Any) -> Iterator[np.ndarray[Any, Any]]:
    for leaf in tree_leaves(list(result) if isinstance(result, tuple) else result):
        yield leaf.detach().numpy() if isinstance(leaf, torch.Tensor) else to_host(leaf)


@pytest.mark.parametrize(("name", "i"), NAMES)
def test_values(name: str, i: int, backend: Backend) -> None:
    """Keras computes some functions of float64 arrays in float32."""
    case = CASES[name][i]
    expected = list(leaves(of_keras(name, convert(case, torch.from_numpy))))
    own = convert(case, backend.from_host)
    actual = list(leaves(ours(name)(*own.args, **own.kwargs)))
    assert len(actual) == len(expected)
    for a, b in zip(actual, expected, strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("name", "i"), NAMES)
def test_dtypes(name: str, i: int) -> None:
    case = convert(CASES[name][i], lambda x: x.astype("float32") if x.dtype == "float64" else x)
    with use_backend("numpy"):
        actual = [x.dtype for x in leaves(ours(name)(*case.args, **case.kwargs))]
    expected = [x.dtype for x in leaves(of_keras(name, convert(case, torch.from_numpy)))]
    assert actual == expected or name in DTYPES


DTYPES: dict[str, str] = {
    "histogram": "counts are integers, as in NumPy",
    "top_k": "indices are int32, as with Keras on TensorFlow and JAX",
    "unique": "indices are int32, as those of other functions",
}
"""Functions whose results have other dtypes than those of Keras on PyTorch, and why."""


def weighted(result: Any, total: Callable[[Any, Any], Any]) -> Any:
    """The sum of all floating-point outputs, each element with its own weight."""
    terms = []
    for leaf in tree_leaves(list(result) if isinstance(result, tuple) else result):
        if hasattr(leaf, "dtype") and ("float" in str(leaf.dtype) or "complex" in str(leaf.dtype)):
            weights = np.cos(np.arange(np.prod(leaf.shape, dtype=int))).reshape(tuple(leaf.shape))
            terms.append(total(leaf, weights))
    return sum(terms)


def is_variable(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.dtype == "float64"


def has_gradient(name: str, case: Case) -> bool:
    return (
        name not in CONSTANT
        and any(map(is_variable, tree_leaves(case.args)))
        and case.kwargs.get("reduction") not in ("max", "min", "mul")  # Keras changes arrays that autograd needs
    )


@pytest.mark.parametrize(("name", "i"), [(name, i) for name, i in NAMES if has_gradient(name, CASES[name][i])])
def test_gradients(name: str, i: int, backend: Backend) -> None:
    for a, b in zip(*gradients(name, CASES[name][i]), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def gradients(name: str, case: Case) -> tuple[list[Any], list[Any]]:
    """The gradients of a call in its arrays: ours, in the backend in use, and Keras's."""
    backend = get_backend()
    points = [x for x in tree_leaves(case.args) if is_variable(x)]
    variables = [torch.from_numpy(x.copy()).requires_grad_(True) for x in points]
    value = weighted(of_keras(name, with_values(case, variables, torch.from_numpy)), torch_total)
    expected = torch.autograd.grad(value, variables, allow_unused=True)

    def f(*values: Any) -> Any:
        own = with_values(case, values, backend.from_host)
        result = ours(name)(*own.args, **own.kwargs)
        return weighted(result, lambda y, w: ops.sum(ops.real(y) * backend.from_host(w)))

    actual = grad(f, argnums=tuple(range(len(points))))(*map(backend.from_host, points))
    zeros = [np.zeros(x.shape) if g is None else g.numpy() for x, g in zip(points, expected, strict=True)]
    return [to_host(g) for g in actual], zeros


def torch_total(y: Any, weights: Any) -> Any:
    return (y.real * torch.from_numpy(weights)).sum()


def with_values(case: Case, values: Any, function: Callable[[Any], Any]) -> Case:
    """The case with values in place of its floating-point arrays by position."""
    remaining = iter(values)
    args = tree_map(lambda x: next(remaining) if is_variable(x) else x, case.args)
    return convert(Case(args, case.kwargs), function)
