"""Sparsity patterns: given, or found by probes."""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from portanet import checks
from portanet.autodiff import boundary
from portanet.autodiff.batching.transform import vmap
from portanet.autodiff.derivatives import CHUNK
from portanet.autodiff.traced import unwrap
from portanet.autodiff.transforms import (
    Function,
    at,
    chosen_arguments,
    filled,
    grad,
    linearize,
    places,
)
from portanet.backends import device_of, raw_namespace, to_host


def jacobian_sparsity(f: Function, argnums: int = 0, *, argnames: str | None = None, points: int = 3) -> Function:
    """Which elements of a Jacobian differ from zero, by probes: one pass for each element of the argument and point.

    The first point are the arguments themselves; around them, others are drawn at random, the same in each call, since
    a derivative may be zero at one point by chance. Points where `f` fails are left out. What depends on a branch that
    is taken at none of them is not found; `sparse_jacobian` checks its results for that.

    Args:
        f: A function of arrays that returns an array.
        argnums: Which positional argument to differentiate with respect to.
        argnames: Instead of `argnums`, the name of the argument, which may then be passed by keyword.
        points: How many points.

    Returns:
        A function of the same arguments that returns `(rows, columns)`, NumPy's arrays of integers, in order.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import jacobian_sparsity
        >>> jacobian_sparsity(lambda x: x[1:] * x[:-1])(np.zeros(3))
        (array([0, 0, 1, 1]), array([0, 1, 1, 2]))
    """
    return _sparsity(f, argnums, argnames, points, lambda g: g, "jacobian_sparsity")


def hessian_sparsity(f: Function, argnums: int = 0, *, argnames: str | None = None, points: int = 3) -> Function:
    """Which elements of a Hessian differ from zero; see `jacobian_sparsity`.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import hessian_sparsity
        >>> hessian_sparsity(lambda x: x[0] * x[1] + x[2] ** 2)(np.zeros(3))
        (array([0, 1, 2]), array([1, 0, 2]))
    """
    return _sparsity(f, argnums, argnames, points, grad, "hessian_sparsity")


# Arguments


def chosen_argument(f: Any, argnums: Any, argnames: Any, of: str) -> int | str:
    """The one argument to differentiate with respect to, by position or by name."""
    checks.function("f", f, of)
    chosen = chosen_arguments(argnums, argnames, of)
    if isinstance(chosen, str):
        return chosen
    if not isinstance(chosen, int):
        name = "argnums" if argnames is None else "argnames"
        expected = "one argument: join several to one array"
        raise checks.invalid(name, argnums if argnames is None else argnames, expected, of)
    return checks.integer("argnums", chosen, of)


def restricted_to(f: Function, chosen: int | str, args: Any, kwargs: Any, of: str) -> tuple[Function, Any]:
    """The function of the chosen argument alone, and its value in this call."""
    (key,) = places(f, chosen, args, kwargs)
    (x,) = boundary.floating_arguments({key: at(key, args, kwargs)}, (args, kwargs))
    require_array(x, f"argument {key}", of)

    def restricted(x: Any) -> Any:
        call, options = filled({key: x}, args, kwargs)
        return f(*call, **options)

    return restricted, x


def require_array(x: Any, what: str, of: str) -> None:
    """Raise unless `x` is one floating-point array."""
    if not boundary.is_floating(x):
        raise TypeError(
            f"{of} is for a function of one floating-point array that returns one: join the leaves of trees. "
            f"Received: {what} of type {type(x).__name__}"
        )


# Patterns


@dataclass(frozen=True)
class Pattern:
    """Positions in order, each once; without `shape` where only positions were given."""

    rows: Any
    columns: Any
    shape: tuple[int, int] | None

    def require_shape(self, shape: tuple[int, int], of: str) -> None:
        """Raise unless it is a pattern of a matrix of this shape."""
        inside = all(not len(i) or int(i.max()) < n for i, n in zip((self.rows, self.columns), shape, strict=True))
        if self.shape not in (None, shape) or not inside:
            received = "larger indices" if self.shape is None else f"shape {self.shape}"
            raise ValueError(f"Argument `sparsity` of {of} must have shape {shape}. Received: {received}")


def as_pattern(sparsity: Any, of: str) -> Pattern:
    """The pattern given as a sparse or dense matrix, or as index arrays."""
    try:
        if hasattr(sparsity, "tocoo"):
            matrix = sparsity.tocoo()
            rows, columns, shape = matrix.row, matrix.col, matrix.shape
        elif isinstance(sparsity, tuple) and len(sparsity) == 2:
            rows, columns = (np.asarray(_on_host(index)) for index in sparsity)
            shape = None
        else:
            dense = np.asarray(_on_host(sparsity))
            rows, columns = np.nonzero(dense)
            shape = dense.shape
        integers = all(np.issubdtype(i.dtype, np.integer) and i.ndim == 1 for i in (rows, columns))
        if not integers or len(rows) != len(columns) or (len(rows) and min(rows.min(), columns.min()) < 0):
            raise TypeError
    except (TypeError, ValueError, IndexError, AttributeError):
        expected = "a matrix of scipy.sparse, a 2-d array, or a tuple of two arrays of row and column numbers"
        raise checks.invalid("sparsity", sparsity, expected, of) from None
    order = np.unique(np.stack([rows, columns]).astype(np.int64), axis=1)
    return Pattern(order[0], order[1], None if shape is None else (int(shape[0]), int(shape[1])))


def _on_host(x: Any) -> Any:
    return to_host(x) if hasattr(x, "dtype") else x


def _sparsity(
    f: Function, argnums: Any, argnames: Any, points: int, derived: Callable[[Function], Function], of: str
) -> Function:
    chosen = chosen_argument(f, argnums, argnames, of)
    checks.positive_int("points", points, of)

    @functools.wraps(f)
    def function(*args: Any, **kwargs: Any) -> Any:
        restricted, x = restricted_to(f, chosen, args, kwargs, of)
        pattern = probed(derived(restricted), unwrap(x), points, of)
        return pattern.rows, pattern.columns

    return function


def probed(g: Function, x: Any, points: int, of: str) -> Pattern:
    """The pattern of the Jacobian of `g` at `x` and at points around it."""
    draw = random.Random(0)
    positions: set[tuple[int, int]] = set()
    shape = (0, 0)
    for number in range(points):
        try:
            value, pushforward = linearize(g, _moved(x, draw, number))
            require_array(value, "a result", of)
        except Exception:
            if number == 0:
                raise
            continue
        shape = (math.prod(value.shape), math.prod(x.shape))
        raw, device = raw_namespace(x), device_of(x)
        numbers = raw.arange(shape[1], device=device)
        for start in range(0, shape[1], step := max(1, CHUNK // max(*shape, 1))):
            tangents = along(pushforward, x, numbers, raw.arange(start, min(start + step, shape[1]), device=device))
            columns, rows = np.nonzero(to_host(unwrap(tangents)).reshape(tangents.shape[0], -1))
            positions.update(zip(rows.tolist(), (columns + start).tolist(), strict=True))
    ordered = np.asarray(sorted(positions), dtype=np.int64).reshape(-1, 2)
    return Pattern(ordered[:, 0], ordered[:, 1], shape)


def along(product: Callable[[Any], Any], like: Any, colors: Any, chosen: Any) -> Any:
    """A linear function of the sum of all unit vectors of each chosen colour, in one batched pass.

    Args:
        product: The function.
        like: An array like its argument.
        colors: The colour of each element, flat.
        chosen: Colours.

    Returns:
        The results along a new first axis.
    """
    raw = raw_namespace(like)
    seeds = raw.astype(raw.expand_dims(chosen, axis=1) == colors, like.dtype)
    return vmap(product)(raw.reshape(seeds, (*chosen.shape, *like.shape)))


def _moved(x: Any, draw: random.Random, number: int) -> Any:
    """A random point around `x`, the farther the higher its number; `x` itself for 0."""
    return x + number * (1 + abs(x)) * normal(x, draw) if number else x


def normal(x: Any, draw: random.Random) -> Any:
    """Standard normal numbers in the shape of an array."""
    raw = raw_namespace(x)
    numbers = [draw.gauss(0, 1) for _ in range(math.prod(x.shape))]
    return raw.reshape(raw.asarray(numbers, dtype=x.dtype, device=device_of(x)), tuple(x.shape))
