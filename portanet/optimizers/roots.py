"""Roots of functions: bisection and Newton's method."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, custom_root, jacobian, lift, unwrap
from portanet.backends import Array
from portanet.optimizers.vectors import flat, largest, readable_now, real_floating, same_form, tree_of


@dataclass(frozen=True)
class Root:
    """The result of `bisect` and `newton`.

    Attributes:
        x: The root, a tree like the arguments of the function.
        residual: The largest absolute element of the function at `x`.
        iterations: Steps taken.
        evaluations: Evaluations of the function.
        converged: Whether a root was found within the tolerance.
        message: Why the iteration stopped.

    Example:
        >>> import numpy as np
        >>> from portanet.optimizers import bisect
        >>> bisect(lambda x: x - 1.0, np.asarray(0.0), np.asarray(3.0)).converged
        True
    """

    x: Any
    residual: float
    iterations: int
    evaluations: int
    converged: bool
    message: str


def bisect(
    f: Callable[[Any], Any],
    a: Any,
    b: Any,
    tolerance: float | None = None,
    max_iterations: int = 100,
    callback: Callable[[Any], Any] | None = None,
) -> Root:
    """Find a root between two points where a function has different signs, by halving the interval.

    Of a function of elements, the root of each element is found alone. Values are read on the host in each step, so it
    cannot be part of a compiled training step. `x` of the result has derivatives by the arrays that `f` closes over,
    from the implicit function theorem (`portanet.autodiff.custom_root`). Under `vmap`, each example is solved alone.

    Args:
        f: A continuous function of an array that returns an array of its shape and dtype, element by element.
        a: One end: a floating-point array.
        b: The other end, of the same shape and dtype. At each element, `f(a)` and `f(b)` have opposite signs, or one is
            0. Derivatives do not depend on `a` and `b`.
        tolerance: Converged if the interval is at most this far on both sides of `x`, relative to the absolute value of
            `x` or to 1. None is four times the precision of the dtype, 8.9e-16 in float64.
        max_iterations: Maximum number of steps.
        callback: Called with the middle of the interval in each step.

    Returns:
        A `Root`. It has not converged at a pole or a step, where the sign changes without a root.

    Raises:
        ValueError: `f` has the same sign at `a` and `b`, or is not a number there or in between; or the shapes differ;
            or `a` or `b` is not finite.
        TypeError: `a` and `b` are not floating-point arrays of one dtype.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import grad
        >>> from portanet.optimizers import bisect
        >>> square_root = lambda y: bisect(lambda x: x * x - y, np.asarray(0.0), np.asarray(4.0)).x
        >>> y = np.asarray(2.0)
        >>> round(float(square_root(y)), 6), round(float(grad(square_root)(y)), 6)
        (1.414214, 0.353553)
    """
    checks.function("f", f, "bisect")
    tolerance, max_iterations, step = _options(tolerance, max_iterations, callback, "bisect")
    for name, end in (("a", a), ("b", b)):
        if not hasattr(end, "shape"):
            raise TypeError(
                f"{checks.argument(name, 'bisect')} must be a floating-point array. Received: {name}={end!r} "
                f"(of type {type(end).__name__})"
            )
    real_floating("a", a, "bisect")
    real_floating("b", b, "bisect")
    if tuple(a.shape) != tuple(b.shape) or a.dtype != b.dtype:
        raise ValueError(
            f"{checks.argument('b', 'bisect')} must have the shape and dtype of `a`. "
            f"Received: b of {tuple(b.shape)} {b.dtype}, a of {tuple(a.shape)} {a.dtype}"
        )

    def solve(f: Callable[[Any], Any], middle: Any) -> tuple[Any, Root]:
        result = _bisection(f, _now(a), _now(b), tolerance, max_iterations, step)
        return result.x, result

    return _rooted(f, lift(a) / 2 + lift(b) / 2, solve, lambda product, y: y / product(y * 0 + 1), ("a", "bisect"))


def newton(
    f: Callable[[Any], Any],
    x0: Any,
    tolerance: float | None = None,
    max_iterations: int = 50,
    callback: Callable[[Any], Any] | None = None,
) -> Root:
    """Find a root near a point by Newton's method: `x - f(x) / f'(x)`, or a linear system for several unknowns.

    The derivatives are exact. For few unknowns: their matrix is computed in each step. Values are read on the host in
    each step, so it cannot be part of a compiled training step. `x` of the result has derivatives by the arrays that
    `f` closes over, from the implicit function theorem (`portanet.autodiff.custom_root`). Under `vmap`, each example is
    solved alone.

    Args:
        f: A differentiable function of a tree of arrays that returns a tree of the same structure, shapes and dtypes.
        x0: Where to start: floating-point arrays of one dtype. It has no influence on derivatives.
        tolerance: Converged if no element of the last step is larger, relative to the largest element of `x` or to 1.
            None is the square root of the precision of the dtype, 1.5e-8 in float64: the error is about its square.
        max_iterations: Maximum number of steps.
        callback: Called with `x`, a tree like `x0`, after each step.

    Returns:
        A `Root`. It has not converged where the derivative is singular, or the steps lead nowhere.

    Raises:
        ValueError: `f` is not finite at `x0`, or its results differ from `x0` in structure, shape or dtype.
        TypeError: `x0` holds no floating-point arrays, or several dtypes.

    Example:
        >>> import numpy as np
        >>> from portanet.optimizers import newton
        >>> result = newton(lambda x: x**3 - 8.0, np.asarray(3.0))
        >>> result.converged, result.iterations, round(float(result.x), 6)
        (True, 6, 2.0)
    """
    checks.function("f", f, "newton")
    tolerance, max_iterations, step = _options(tolerance, max_iterations, callback, "newton")
    real_floating("x0", x0, "newton")

    def solve(f: Callable[[Any], Any], x0: Any) -> tuple[Any, Root]:
        result = _newton(f, x0, tolerance, max_iterations, step)
        return result.x, result

    return _rooted(f, x0, solve, None, ("x0", "newton"))


def _options(tolerance: Any, max_iterations: Any, callback: Any, of: str) -> tuple[Any, int, Callable[[Any], Any]]:
    """Reject options of a wrong kind; return them, with a function in place of no callback."""
    if callback is not None:
        checks.function("callback", callback, of)
    return (
        None if tolerance is None else checks.non_negative("tolerance", tolerance, of),
        checks.integer("max_iterations", max_iterations, of, least=0),
        callback or (lambda x: None),
    )


def _rooted(f: Callable[[Any], Any], guess: Any, solve: Any, tangent_solve: Any, names: tuple[str, str]) -> Root:
    """The result of a solver, whose root has derivatives; `names` are those of the start and of the solver."""

    def checked(x: Any) -> Any:
        result = f(x)
        same_form(result, x, *names)
        return result

    result: Root | None
    x, result = custom_root(checked, guess, solve, tangent_solve, has_aux=True, tolerance=1.0)
    if result is None:  # vmap of no examples
        return Root(x, 0.0, 0, 0, True, "there are no examples")
    return replace(result, x=x)


def _now(x: Any) -> Array:
    """The value of an array in a solver; of one with an example for each of `vmap`, that of the example at hand."""
    return unwrap(lift(x) * 1.0)


def _bisection(
    f: Callable[[Any], Any], low: Array, high: Array, tolerance: float | None, limit: int, callback: Any
) -> Root:
    xp = array_namespace(low)
    readable_now(low, "bisect")
    if not bool(xp.all(xp.isfinite(low) & xp.isfinite(high))):
        raise ValueError(f"Arguments `a` and `b` of bisect must be finite. Received: a={low}, b={high}")
    tolerance = 4 * float(xp.finfo(low.dtype).eps) if tolerance is None else tolerance
    at_low, at_high = f(low), f(high)
    readable_now(at_low, "bisect")
    if not bool(xp.all(((at_low <= 0) & (at_high >= 0)) | ((at_low >= 0) & (at_high <= 0)))):
        raise ValueError(
            "Arguments `a` and `b` of bisect must be on two sides of a root: f(a) and f(b) must have opposite signs at "
            f"each element. Received: f(a)={at_low}, f(b)={at_high}"
        )
    high = xp.where(at_low == 0, low, high)
    low = xp.where(at_high == 0, high, low)
    rises = at_high > at_low
    iterations, message = 0, "the interval is within the tolerance"
    while True:
        middle = low / 2 + high / 2  # the difference may overflow
        reach = xp.abs(high / 2 - low / 2) - tolerance * xp.maximum(xp.abs(middle), xp.ones_like(middle))
        converged = not bool(xp.any(reach > 0))
        if converged or iterations == limit:
            break
        value = f(middle)
        if bool(xp.any(xp.isnan(value))):
            raise ValueError(
                f"Argument `f` of bisect must be a number between `a` and `b`. Received: f({middle})={value}"
            )
        right = (value < 0) == rises
        low, high = xp.where(right | (value == 0), middle, low), xp.where(right & (value != 0), high, middle)
        iterations += 1
        callback(middle)
    if not converged:
        message = "the limit of iterations was reached"
    value = f(middle)
    if converged and bool(xp.any((value != 0) & (xp.abs(value) >= xp.maximum(xp.abs(at_low), xp.abs(at_high))))):
        converged, message = False, "the function jumps where its sign changes: this is a pole or a step, not a root"
    return Root(middle, largest(value), iterations, iterations + 3, converged, message)


def _newton(f: Callable[[Any], Any], x0: Any, tolerance: float | None, limit: int, callback: Any) -> Root:
    x = flat(x0)
    xp = array_namespace(x)
    tolerance = math.sqrt(float(xp.finfo(x.dtype).eps)) if tolerance is None else tolerance
    value = flat(f(tree_of(x, x0)))
    readable_now(value, "newton")
    if not math.isfinite(largest(value)):
        raise ValueError(f"Argument `f` of newton must be finite at `x0`. Received: f(x0)={value}")
    slopes = jacobian(lambda x: flat(f(tree_of(x, x0))))
    iterations, converged, message = 0, largest(value) == 0, "the last step is within the tolerance"
    while not converged:
        if iterations == limit:
            message = "the limit of iterations was reached"
            break
        step = _step(slopes(x), value)
        if step is None:
            message = "the derivative is singular, or not finite"
            break
        x = x - step
        value = flat(f(tree_of(x, x0)))
        iterations += 1
        callback(tree_of(x, x0))
        if not math.isfinite(largest(value)):
            message = "the steps led to where the function is not finite"
            break
        converged = largest(value) == 0 or largest(step) <= tolerance * max(1.0, largest(x))
    return Root(tree_of(x, x0), largest(value), iterations, iterations + 1, converged, message)


def _step(matrix: Array, value: Array) -> Array | None:
    """The solution of the linear system of a step; None if it has none."""
    xp = array_namespace(value)
    dtype = value.dtype
    if xp.finfo(dtype).bits < 32:  # for which libraries have no linear algebra
        matrix, value = xp.astype(matrix, xp.float32), xp.astype(value, xp.float32)
    try:
        step = xp.astype(xp.linalg.solve(matrix, value), dtype, copy=False)
    except Exception:  # each library has an error of its own for a singular matrix
        return None
    return step if math.isfinite(largest(step)) else None
