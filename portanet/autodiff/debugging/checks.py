"""An assertion for tests: automatic against numerical differentiation."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, TypeAlias

from portanet.autodiff.boundary import floating_arguments, unit
from portanet.autodiff.debugging.anomaly import first_anomaly
from portanet.autodiff.debugging.numeric import numeric_jvp
from portanet.autodiff.debugging.suspects import wrong_rule
from portanet.autodiff.namespace import differentiable_namespace
from portanet.autodiff.transforms import jvp, vjp
from portanet.backends import Array, device_of, raw_namespace
from portanet.tree import tree_items, tree_leaves, tree_map

Mode: TypeAlias = Literal["forward", "reverse"]

NARROW = 1e-6  # step of the second comparison, for a point near a kink or with strong curvature
EXAMINED = 512  # elements of one array that are checked one by one after a failure


class GradientError(AssertionError):
    """A derivative is wrong, or does not exist; the message says where."""


def check_grads(
    f: Callable[..., Any],
    args: Sequence[Any],
    modes: Sequence[Mode] = ("forward", "reverse"),
    order: int = 2,
    tol: float = 1e-5,
    directions: int = 2,
    seed: int = 0,
) -> None:
    """Assert that the derivatives of `f` at `args` agree with finite differences along random directions, in float64.

    The arguments are converted to float64 (complex128 if complex). Directional derivatives are compared with
    Richardson's extrapolation; one-sided differences that do not approach each other reveal a kink or a jump. After a
    failure every element is checked separately, to name the worst.

    Args:
        f: A function of arrays (or trees of them) that returns an array or a tree of arrays.
        args: Its arguments, a tuple of floating-point arrays (or trees of them) and floats.
        modes: Which modes of differentiation to check; for orders above 1, every sequence of them.
        order: Highest order of derivative.
        tol: Allowed difference, relative to the larger of 1 and the derivative.
        directions: How many random directions.
        seed: Of the random directions.

    Raises:
        GradientError: A derivative is wrong, `f` is not differentiable, not finite or not deterministic. It is an
            AssertionError; the message names the argument, its worst element, and the operation whose rule disagrees
            if known.
        TypeError: An argument is not floating-point, or cannot be float64.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import array_namespace, check_grads
        >>> check_grads(lambda x: array_namespace(x).tanh(x), (np.asarray([0.5, -1.0]),))
        >>> check_grads(lambda x: abs(x), (np.asarray([0.5, 0.0]),))
        Traceback (most recent call last):
        portanet.autodiff.debugging.checks.GradientError: The function is not differentiable at this point: ...
    """
    unknown = [mode for mode in modes if mode not in ("forward", "reverse")]
    if unknown or not modes:
        raise ValueError(f"Argument `modes` must contain 'forward', 'reverse' or both. Received: modes={modes!r}")
    draw = random.Random(seed)
    if not isinstance(args, (tuple, list)):
        raise TypeError(f"Argument `args` of check_grads must be a tuple of arguments. Received: {type(args).__name__}")
    precise = tuple(tree_map(_to_double, arg) for arg in floating_arguments(dict(enumerate(args)), ()))
    _check(_arrays_of(f), precise, tuple(modes), order, "function", tol, directions, draw)


def _to_double(x: Any) -> Any:
    raw = raw_namespace(x)
    dtype = raw.complex128 if raw.isdtype(x.dtype, "complex floating") else raw.float64
    double = x if x.dtype == dtype else raw.astype(x, dtype)
    if double.dtype != dtype:
        raise TypeError(
            "check_grads needs float64, which is disabled in this library; in JAX: "
            f"jax.config.update('jax_enable_x64', True). Received: {double.dtype}"
        )
    return double


def _arrays_of(f: Callable[..., Any]) -> Callable[..., Any]:
    """`f` with its differentiable results alone."""

    def function(*args: Any) -> list[Any]:
        leaves = [x for x in tree_leaves(f(*args)) if hasattr(x, "dtype")]
        namespaces = [differentiable_namespace(raw_namespace(x)) if not hasattr(x, "_xp") else x._xp for x in leaves]
        kinds = ("real floating", "complex floating")
        return [x for x, xp in zip(leaves, namespaces, strict=True) if xp.isdtype(x.dtype, kinds)]

    return function


def _check(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    modes: tuple[Mode, ...],
    order: int,
    what: str,
    tol: float,
    directions: int,
    draw: random.Random,
) -> None:
    values = f(*args)
    _require_well_behaved(values, f(*args), what, f, args)
    for _ in range(directions):
        v = tuple(tree_map(lambda x: _normal(x, draw), arg) for arg in args)
        w = [_normal(y, draw) for y in values]
        _require_smooth(f, args, v, what)
        for mode in modes:
            actual, expected = _directional(f, args, v, w, mode, tol)
            if not math.isfinite(actual):
                cause = first_anomaly(f, args)
                raise GradientError(f"The {mode}-mode derivative of the {what} is not finite at this point. {cause}")
            if not _close(actual, expected, tol):
                raise GradientError(_wrong(f, args, v, w, mode, what, actual, expected))
    if order > 1:
        for mode in modes:
            derived = _along(f, v) if mode == "forward" else _back(f, w)
            _check(derived, args, modes, order - 1, f"{mode}-mode derivative of the {what}", tol, directions, draw)


def _along(f: Callable[..., Any], v: tuple[Any, ...]) -> Callable[..., Any]:
    return lambda *xs: jvp(f, xs, v)[1]


def _back(f: Callable[..., Any], w: list[Any]) -> Callable[..., Any]:
    return lambda *xs: tree_leaves(vjp(f, *xs)[1](w))


# Comparison: everything is reduced to one number, the pairing of a cotangent with a tangent


def _pair(gs: list[Any], ts: list[Any]) -> float:
    total = 0.0
    for g, t in zip(gs, ts, strict=True):
        raw = raw_namespace(g)
        product = raw.sum(g * t)
        total += float(raw.real(product) if raw.isdtype(product.dtype, "complex floating") else product)
    return total


def _directional(
    f: Callable[..., Any], args: tuple[Any, ...], v: tuple[Any, ...], w: list[Any], mode: Mode, tol: float
) -> tuple[float, float]:
    """The derivative of `w . f` along `v`: by automatic and by numerical differentiation."""
    if mode == "forward":
        actual = _pair(w, jvp(f, args, v)[1])
    else:
        actual = _pair(tree_leaves(vjp(f, *args)[1](w)), tree_leaves(v))
    expected = _pair(w, numeric_jvp(f, args, v, "richardson"))
    if not _close(actual, expected, tol):
        # A narrow step tolerates a nearby kink and strong curvature, at the cost of rounding errors.
        narrow = _pair(w, numeric_jvp(f, args, v, "central", NARROW))
        if _close(actual, narrow, max(tol, 1e-6)):
            return actual, actual
        expected = narrow
    return actual, expected


def _close(a: float, b: float, tol: float) -> bool:
    return abs(a - b) <= tol * max(1.0, abs(a), abs(b))


def _normal(x: Array, draw: random.Random) -> Array:
    raw = raw_namespace(x)
    complex_valued = raw.isdtype(x.dtype, "complex floating")
    values = [
        complex(draw.gauss(0, 1), draw.gauss(0, 1)) if complex_valued else draw.gauss(0, 1)
        for _ in range(math.prod(x.shape))
    ]
    return raw.reshape(raw.asarray(values, dtype=x.dtype, device=device_of(x)), tuple(x.shape))


# Preconditions


def _require_well_behaved(
    values: list[Any], again: list[Any], what: str, f: Callable[..., Any], args: tuple[Any, ...]
) -> None:
    for y, z in zip(values, again, strict=True):
        raw = raw_namespace(y)
        if not bool(raw.all(raw.isfinite(y))):
            cause = first_anomaly(f, args)
            raise GradientError(f"The {what} is not finite at this point; check at another one. {cause}".rstrip())
        if not bool(raw.all(y == z)):
            raise GradientError(
                f"The {what} returned different values in two calls: fix its random seed before checking it."
            )


def _gap(f: Callable[..., Any], args: tuple[Any, ...], v: tuple[Any, ...]) -> tuple[float, float, float]:
    """The largest gap between one-sided derivatives along `v` as the step shrinks (0 if they converge), and both."""
    wide, near = NARROW * 10, NARROW
    pairs = [
        (numeric_jvp(f, args, v, "backward", step), numeric_jvp(f, args, v, "forward", step)) for step in (wide, near)
    ]
    worst, sides = 0.0, (0.0, 0.0)
    for y, low, high, low_near, high_near in zip(f(*args), *pairs[0], *pairs[1], strict=True):
        raw = raw_namespace(low)
        gap, gap_near = raw.abs(high - low), raw.abs(high_near - low_near)
        noise = 1e-5 * (1.0 + raw.abs(low_near) + raw.abs(high_near)) + 1e-8 * raw.abs(y)
        remaining = raw.astype((gap_near > 0.5 * gap) & (gap_near > noise), gap.dtype) * gap_near
        if math.prod(gap.shape) and float(raw.max(remaining)) > worst:
            worst = float(raw.max(remaining))
            at = int(raw.argmax(raw.reshape(remaining, (-1,))))
            flat = [raw.reshape(side, (-1,))[at] for side in (low_near, high_near)]
            sides = (float(raw.abs(flat[0])), float(raw.abs(flat[1])))
            if not raw.isdtype(flat[0].dtype, "complex floating"):
                sides = (float(flat[0]), float(flat[1]))
    return worst, *sides


def _require_smooth(f: Callable[..., Any], args: tuple[Any, ...], v: tuple[Any, ...], what: str) -> None:
    if _gap(f, args, v)[0] == 0.0:
        return
    worst, element, sides = -1.0, "", (0.0, 0.0)
    for name, direction in _elements(args):
        gap, low, high = _gap(f, args, direction)
        if gap > worst:
            worst, element, sides = gap, name, (low, high)
    raise GradientError(
        f"The {what} is not differentiable at this point: the one-sided derivatives are {sides[0]:.6g} and "
        f"{sides[1]:.6g} for {element} (the worst). Check at another point, or leave out the kink."
    )


# Locating the error


def _elements(args: tuple[Any, ...]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Each element's name and its unit vector."""
    items = list(tree_items(args))
    leaves = [leaf for _, leaf in items]
    for number, (path, leaf) in enumerate(items):
        for position in range(min(math.prod(leaf.shape), EXAMINED)):
            parts = iter([unit(x, position if i == number else None) for i, x in enumerate(leaves)])
            yield _name(path, position, tuple(leaf.shape)), tree_map(lambda _, parts=parts: next(parts), args)


def _name(path: str, position: int, shape: tuple[int, ...]) -> str:
    number, _, rest = path.removeprefix("[").partition("]")
    index = []
    for n in reversed(shape):
        position, i = divmod(position, n)
        index.append(i)
    return f"argument {number}{rest}, element {tuple(reversed(index))}"


def _wrong(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    v: tuple[Any, ...],
    w: list[Any],
    mode: Mode,
    what: str,
    actual: float,
    expected: float,
) -> str:
    worst, element = abs(actual - expected), "a random direction (no single element stands out)"
    best = 0.0
    for name, direction in _elements(args):
        got, want = _directional(f, args, direction, w, mode, 1e-7)
        if abs(got - want) > best:
            best, element, actual, expected = abs(got - want), name, got, want
    suspect = wrong_rule(f, args, v, mode)
    return (
        f"The {mode}-mode derivative of the {what} is wrong, worst for {element}: {actual:.9g}, where differences give "
        f"{expected:.9g} (of the results weighted at random; along a random direction they differ by {worst:.3g}). "
        + (f"The rule of {suspect} disagrees." if suspect else "No single rule could be identified.")
    )
