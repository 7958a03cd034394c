"""Trees of arrays as one real vector."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from portanet import checks
from portanet.autodiff.batching.array import storage
from portanet.autodiff.namespace import array_namespace
from portanet.autodiff.traced import TraceError, unwrap
from portanet.autodiff.tracing import SCALARS, is_array
from portanet.backends import Array, is_dtype, raw_namespace, readable
from portanet.tree import tree_items, tree_map


class ConvergenceError(ArithmeticError):
    """A solver did not reach its tolerance, or the problem is singular; the message gives the residual."""


class Vector:
    """Conversion between a tree of floating-point arrays and a real vector: complex numbers are two elements.

    So a function that is linear over the real numbers alone, such as `conj`, is a matrix too.
    """

    def __init__(self, like: Any) -> None:
        self.like = like

    def flat(self, tree: Any) -> Array:
        """The leaves of a tree like `like`, in one vector."""
        parts: list[Array] = []
        tree_map(lambda _, x: parts.extend(self._parts(x)), self.like, tree)
        return array_namespace(*parts).concat(parts)

    def _parts(self, x: Array) -> list[Array]:
        xp = array_namespace(x)
        parts = [xp.real(x), xp.imag(x)] if xp.isdtype(x.dtype, "complex floating") else [x]
        return [xp.reshape(part, (-1,)) for part in parts]

    def tree(self, vector: Array) -> Any:
        """The tree of a vector."""
        xp = array_namespace(vector)
        offset = 0

        def take(shape: Any) -> Array:
            nonlocal offset
            size = math.prod(shape)
            offset += size
            return xp.reshape(vector[offset - size : offset], tuple(shape))

        def leaf(x: Array) -> Array:
            own = array_namespace(x)
            if not own.isdtype(x.dtype, "complex floating"):
                return xp.astype(take(x.shape), x.dtype, copy=False)
            real, imag = take(x.shape), take(x.shape)
            return xp.astype(real, x.dtype) + xp.astype(imag, x.dtype) * 1j

        return tree_map(leaf, self.like)

    def map(self, function: Callable[[Any], Any]) -> Callable[[Array], Array]:
        """A function of trees like `like` that returns such trees, as one of vectors."""
        return lambda vector: self.flat(function(self.tree(vector)))


def floating(name: str, tree: Any, of: str) -> None:
    """Raise unless all leaves of an argument are floating-point arrays, at least one."""
    leaves = list(tree_items(tree))
    for path, x in leaves:
        if not is_array(x) or not array_namespace(x).isdtype(x.dtype, ("real floating", "complex floating")):
            what = f"dtype {x.dtype}" if is_array(x) else f"type {type(x).__name__}"
            raise TypeError(
                f"{checks.argument(name, of)} must be a floating-point array, or a tree of them. "
                f"Received: {name}{path} of {what}"
            )
    if not leaves:
        raise TypeError(f"{checks.argument(name, of)} must hold at least one array. Received: {name}={tree!r}")


def numeric(name: str, tree: Any, of: str) -> None:
    """Raise unless all leaves of an argument are arrays of numbers or booleans, or Python numbers."""
    for path, x in tree_items(tree):
        array = is_array(x) and is_dtype(raw_namespace(unwrap(x)), x.dtype)
        if not array and type(x) not in SCALARS:
            what = f"dtype {x.dtype}" if is_array(x) else f"type {type(x).__name__}"
            raise TypeError(
                f"{checks.argument(name, of)} must be an array, or a tree of arrays and numbers. "
                f"Received: {name}{path} of {what}"
            )


def same_form(what: str, tree: Any, like: Any, of: str, remedy: str = "") -> None:
    """Raise unless two trees agree in structure, shapes and dtypes."""
    received, expected = list(tree_items(tree)), list(tree_items(like))
    if len(received) != len(expected) or not all(map(_alike, received, expected)):
        raise ValueError(
            f"{what} of {of} must have the structure, shapes and dtypes of {_described(expected)}. "
            f"{remedy}{' ' if remedy else ''}Received: {_described(received)}"
        )


def _alike(a: tuple[str, Any], b: tuple[str, Any]) -> bool:
    (path, x), (other, y) = a, b
    if is_array(x) and is_array(y):
        return path == other and tuple(x.shape) == tuple(y.shape) and bool(x.dtype == y.dtype)
    return path == other and type(x) is type(y)


def _described(items: list[tuple[str, Any]]) -> str:
    return (
        "; ".join(
            f"{path} {f'{tuple(x.shape)} {x.dtype}' if is_array(x) else type(x).__name__}".strip() for path, x in items
        )
        or "no arrays"
    )


def largest(x: Array) -> float:
    """The largest absolute element of an array; 0 if it has none."""
    xp = array_namespace(x)
    return number(xp.max(xp.abs(x))) if math.prod(x.shape) else 0.0


def number(x: Array) -> float:
    """The value of an array of no dimension, which decides about steps."""
    return float(on_host_now(x))


def on_host_now(x: Array) -> Array:
    """`x`, whose values can be read.

    Raises:
        TraceError: They can't, while a function is compiled.
    """
    if not readable(storage(x), wait=True):
        raise TraceError(
            "A solver reads values on the host, to choose its steps and to know when to stop, and there are none while "
            "jax.jit compiles. Call it outside of compiled functions and compile the function that it is given; or use "
            "scan, fori_loop, or quadrature with `n`, whose number of steps is known. "
            f"Received: an array of shape {tuple(x.shape)} without values"
        )
    return x
