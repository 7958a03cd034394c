"""Solutions of equations, differentiated by the implicit function theorem: the solver's steps are never recorded.

A function may close over traced arrays. All levels of differentiation are taken off one by one: the solver sees plain
arrays, then each level adds the derivative by its own arrays, from the outermost to the innermost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from portanet import checks
from portanet.autodiff import boundary, tracing
from portanet.autodiff.closures import (
    at_level,
    frozen,
    held_now,
    innermost,
    plain_function,
    probed,
    value_of,
    with_tangent,
)
from portanet.autodiff.namespace import lift
from portanet.autodiff.solvers.batches import by_examples, level_of
from portanet.autodiff.solvers.square import solve_square
from portanet.autodiff.solvers.vectors import floating, same_form
from portanet.autodiff.solvers.verify import check_linear, check_root
from portanet.autodiff.traced import Trace, TracedArray, unwrap
from portanet.autodiff.transforms import grad, jvp, vjp
from portanet.tree import tree_leaves, tree_map

Map: TypeAlias = Callable[[Any], Any]
Solve: TypeAlias = Callable[[Map, Any], Any]


def custom_root(
    f: Map,
    initial_guess: Any,
    solve: Solve,
    tangent_solve: Solve | None = None,
    has_aux: bool = False,
    tolerance: float | None = None,
) -> Any:
    """A root of `f`, with derivatives by all arrays that `f` closes over, from the implicit function theorem.

    Of any order, forward and reverse; the cost of a gradient is that of one linear system, whatever `solve` does.

    Source: the signature is that of `jax.lax.custom_root`; M. Blondel et al., Efficient and modular implicit
    differentiation (2022).

    Args:
        f: Function of an array or a tree of arrays that returns a tree of the same structure, shapes and dtypes.
        initial_guess: Where `solve` starts: floating-point arrays. It has no influence on derivatives.
        solve: `solve(f, initial_guess)` returns the root. It gets plain arrays, and may use any library on the host
            (`on_host`), loops and conversions; `f` may be differentiated in it.
        tangent_solve: `tangent_solve(g, y)` solves `g(x) = y` for a linear function `g`, the derivative of `f` at the
            root, or its transpose. By default, small systems are solved as a matrix, larger ones by GMRES.
        has_aux: Whether `solve` returns `(root, aux)`.
        tolerance: Largest error of the root relative to `1 + abs(x)`, estimated from `f` there; and largest residual of
            `tangent_solve`, relative to `y`. None is 1.2e-4 in float64 and 1.9e-2 in float32, 1 for no check.

    Returns:
        The root, a tree like `initial_guess`; with `has_aux`, `(root, aux)`.

    Raises:
        TypeError: `initial_guess` is not floating-point.
        ValueError: Results of `f` or `solve` differ from `initial_guess` in structure, shape or dtype.
        ConvergenceError: The result of `solve` is no root; or the derivative of `f` there is singular (when it is
            needed).

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import custom_root, grad
        >>> def bisect(f, guess):
        ...     low, high = np.asarray(0.0), np.asarray(10.0)
        ...     for _ in range(60):
        ...         middle = (low + high) / 2
        ...         low, high = (middle, high) if f(middle) < 0 else (low, middle)
        ...     return low
        >>> square_root = lambda a: custom_root(lambda x: x * x - a, np.asarray(1.0), bisect)
        >>> round(float(square_root(np.asarray(2.0))), 6), round(float(grad(square_root)(np.asarray(2.0))), 6)
        (1.414214, 0.353553)
    """
    tolerance = _check(f, initial_guess, solve, tangent_solve, has_aux, tolerance, "custom_root")
    root, aux = solution(f, initial_guess, solve, tangent_solve, has_aux, False, "custom_root", tolerance)
    return (root, aux) if has_aux else root


def custom_minimum(
    f: Callable[[Any], Any],
    initial_guess: Any,
    solve: Callable[[Callable[[Any], Any], Any], Any],
    tangent_solve: Solve | None = None,
    has_aux: bool = False,
    tolerance: float | None = None,
) -> Any:
    """A minimum of a scalar function, with derivatives by all arrays that `f` closes over: `custom_root` of `grad(f)`.

    Args:
        f: Function of an array or a tree of arrays that returns a scalar; twice differentiable at the minimum.
        initial_guess: Where `solve` starts: floating-point arrays.
        solve: `solve(f, initial_guess)` returns the minimum; see `custom_root`. For SciPy's minimisers, see `on_host`;
            `portanet.optimizers.minimize` needs no wrapper.
        tangent_solve: Solves a linear system with the Hessian; see `custom_root`.
        has_aux: Whether `solve` returns `(minimum, aux)`.
        tolerance: Largest error of the minimum; see `custom_root`.

    Returns:
        The minimum, a tree like `initial_guess`; with `has_aux`, `(minimum, aux)`.

    Raises:
        TypeError: `initial_guess` is not floating-point, or `f` does not return a scalar.
        ConvergenceError: The gradient is not 0 at the result of `solve`; or the Hessian there is singular (when it is
            needed).

    Example:
        >>> import numpy as np
        >>> import scipy.optimize
        >>> from portanet.autodiff import custom_minimum, grad, on_host
        >>> bfgs = on_host(lambda f, x0: scipy.optimize.minimize(f, x0, jac=f.jac).x)
        >>> def lowest(a):
        ...     return custom_minimum(lambda x: x[0] ** 4 - a * x[0], np.ones(1), bfgs)[0]
        >>> a = np.asarray(4.0)  # 4 x**3 = a
        >>> round(float(lowest(a)), 4), round(float(grad(lowest)(a)), 4)
        (1.0, 0.0833)
    """
    tolerance = _check(f, initial_guess, solve, tangent_solve, has_aux, tolerance, "custom_minimum")
    real = not any("complex" in str(x.dtype) for x in tree_leaves(initial_guess))

    def minimise(gradient: Map, guess: Any) -> Any:
        return solve(plain_function(f, probed(f, guess)[1]), guess)

    root, aux = solution(grad(f), initial_guess, minimise, tangent_solve, has_aux, real, "custom_minimum", tolerance)
    return (root, aux) if has_aux else root


def _check(
    f: Any, initial_guess: Any, solve: Any, tangent_solve: Any, has_aux: Any, tolerance: Any, of: str
) -> float | None:
    """Reject arguments of a wrong kind; return the tolerance."""
    checks.function("f", f, of)
    checks.function("solve", solve, of)
    checks.boolean("has_aux", has_aux, of)
    if tangent_solve is not None:
        checks.function("tangent_solve", tangent_solve, of)
    floating("initial_guess", initial_guess, of)
    return _tolerance(tolerance, of)


def _tolerance(tolerance: Any, of: str) -> float | None:
    return None if tolerance is None else checks.non_negative("tolerance", tolerance, of)


def custom_linear_solve(
    matvec: Map,
    b: Any,
    solve: Solve,
    transpose_solve: Solve | None = None,
    symmetric: bool = False,
    has_aux: bool = False,
    tolerance: float | None = None,
) -> Any:
    """The solution of `matvec(x) = b`, with derivatives by `b` and by all arrays that `matvec` closes over.

    Of any order, forward and reverse: each is a system with the same operator, or its transpose.

    Source: the signature is that of `jax.lax.custom_linear_solve`.

    Args:
        matvec: Linear function of a tree of arrays that returns a tree of the same structure, shapes and dtypes.
        b: The right-hand side: a floating-point array or a tree of them.
        solve: `solve(matvec, b)` returns the solution; it gets plain arrays.
        transpose_solve: `transpose_solve(vecmat, b)` solves the transposed system, for reverse mode; not needed if
            `symmetric`.
        symmetric: Whether `matvec` is its own transpose (without a conjugate).
        has_aux: Whether `solve` returns `(solution, aux)`; `transpose_solve` does not.
        tolerance: Largest residual of both solvers, relative to `b`. None is 1.2e-4 in float64 and 1.9e-2 in float32,
            1 for no check.

    Returns:
        The solution, a tree like `b`; with `has_aux`, `(solution, aux)`.

    Raises:
        TypeError: `b` is not floating-point, or reverse mode needs `transpose_solve`.
        ValueError: Results of `matvec` or `solve` differ from `b` in structure, shape or dtype; or `matvec` is not
            linear.
        ConvergenceError: The result of `solve` or `transpose_solve` is no solution.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import custom_linear_solve, grad
        >>> def half(a):  # a x = 1
        ...     divide = lambda g, y: y / g(np.ones_like(y))
        ...     return custom_linear_solve(lambda x: a * x, np.asarray(1.0), divide, divide)
        >>> float(half(np.asarray(2.0))), float(grad(half)(np.asarray(2.0)))
        (0.5, -0.25)
    """
    checks.function("matvec", matvec, "custom_linear_solve")
    checks.function("solve", solve, "custom_linear_solve")
    checks.boolean("symmetric", symmetric, "custom_linear_solve")
    checks.boolean("has_aux", has_aux, "custom_linear_solve")
    if transpose_solve is not None:
        checks.function("transpose_solve", transpose_solve, "custom_linear_solve")
    floating("b", b, "custom_linear_solve")
    tolerance = _tolerance(tolerance, "custom_linear_solve")
    x, aux = linear_solution(matvec, b, solve, transpose_solve, symmetric, has_aux, tolerance=tolerance)
    return (x, aux) if has_aux else x


def _solved(f: Map, guess: Any, solve: Solve, has_aux: bool, of: str) -> tuple[Any, Any]:
    """The result of `solve` for a plain tree."""
    result = solve(f, guess)
    if not has_aux:
        aux = None
    elif isinstance(result, tuple) and len(result) == 2:
        result, aux = result
    else:
        raise TypeError(
            f"With has_aux=True, `solve` of {of} must return (solution, aux). Received: {type(result).__name__}"
        )
    result = tree_map(unwrap, result)
    same_form("The result of argument `solve`", result, guess, of)
    return result, aux


def solution(
    f: Map,
    guess: Any,
    solve: Solve,
    tangent_solve: Solve | None,
    has_aux: bool,
    symmetric: bool,
    of: str,
    tolerance: float | None = 1.0,
) -> tuple[Any, Any]:
    """Root and auxiliary result of `custom_root`, at the present level of differentiation."""
    guess = tree_map(value_of, guess)
    value, lifting = probed(f, guess)
    same_form("The result of the function", value, guess, of)
    level = level_of((value, guess))
    if level is not None:
        one = lambda x: solution(  # noqa: E731
            f, x, solve, tangent_solve, has_aux, symmetric, of, tolerance
        )
        pair: tuple[Any, Any] = by_examples(one, guess, level, (guess, None))
        return pair
    trace = innermost(value)
    if trace is None:
        root, aux = _solved(plain_function(f, lifting), guess, solve, has_aux, of)
        trace = innermost(f(boundary.lift_tree(root) if lifting else root))
        if trace is None:
            check_root(plain_function(f, lifting), root, tolerance, of)
            return root, aux
        # Otherwise `f` depends on traced arrays at the root, though not at the guess: behind an `if`
    with frozen(trace):
        root, aux = solution(f, guess, solve, tangent_solve, has_aux, symmetric, of, tolerance)
    residual = f(boundary.lift_tree(root))  # whose value is about 0; its derivative is what counts
    tangent, name = (solve_square, "") if tangent_solve is None else (tangent_solve, "tangent_solve")

    def solved(product: Map, y: Any, symmetric: bool) -> Any:
        right = tree_map(lambda t: -t, y)
        accuracy = tolerance if name else 1.0
        return linear_solution(product, right, tangent, tangent, symmetric, False, None, accuracy, (name, of))[0]

    def forward(change: Any) -> Any:
        return solved(lambda t: jvp(f, (root,), (t,))[1], change, symmetric)

    if symmetric or trace.forward:
        return attach(trace, of, root, residual, forward, forward), aux
    with frozen(trace):
        _, pullback = vjp(f, root)

    def back(g: Any) -> Any:
        return solved(transposed(pullback), g, False)

    return attach(trace, of, root, residual, forward, back), aux


def linear_solution(
    matvec: Map,
    b: Any,
    solve: Solve,
    transpose_solve: Solve | None,
    symmetric: bool,
    has_aux: bool,
    solve_again: Solve | None = None,
    tolerance: float | None = 1.0,
    names: tuple[str, str] = ("solve", "custom_linear_solve"),
) -> tuple[Any, Any]:
    """Solution and auxiliary result of `custom_linear_solve`, at the present level of differentiation.

    `solve_again` solves the systems of derivatives, without an auxiliary result; None for `solve`. `names` are those of
    the argument that solves, and of the function that has it.
    """
    of = "custom_linear_solve"
    b = tree_map(at_level, b)
    plain = tree_map(value_of, b)
    value, lifting = probed(matvec, plain)
    same_form("The result of argument `matvec`", value, b, of)
    level = level_of((value, b))
    if level is not None:
        one = lambda b: linear_solution(  # noqa: E731
            matvec, b, solve, transpose_solve, symmetric, has_aux, solve_again, tolerance, names
        )
        pair: tuple[Any, Any] = by_examples(one, b, level, (b, None))
        return pair
    trace = innermost((value, b))
    if trace is None:
        function = plain_function(matvec, lifting)
        x, aux = _solved(function, plain, solve, has_aux, of)
        check_linear(function, plain, x, tolerance, *names)
        return x, aux
    with frozen(trace):
        x, aux = linear_solution(matvec, b, solve, transpose_solve, symmetric, has_aux, solve_again, tolerance, names)
    plain_solve = solve_again or ((lambda f, y: solve(f, y)[0]) if has_aux else solve)

    residual = tree_map(lambda y, ax: lift(y) - ax, b, matvec(boundary.lift_tree(x)))

    def forward(change: Any) -> Any:
        return linear_solution(matvec, change, plain_solve, transpose_solve, symmetric, False, None, tolerance, names)[
            0
        ]

    if trace.forward or symmetric:
        return attach(trace, of, x, residual, forward, forward), aux
    if transpose_solve is None:
        raise TypeError(
            "Reverse mode needs the transposed system: give custom_linear_solve the argument `transpose_solve`, or "
            "symmetric=True. Received: transpose_solve=None"
        )
    with frozen(trace):
        _, pullback = vjp(matvec, x)

    def back(g: Any) -> Any:
        other = names if names[0] != "solve" else ("transpose_solve", names[1])
        return linear_solution(
            transposed(pullback), g, transpose_solve, plain_solve, False, False, None, tolerance, other
        )[0]

    return attach(trace, of, x, residual, forward, back), aux


def transposed(pullback: Callable[..., Any]) -> Map:
    """The pullback of a function of one tree, as a linear map that may be called many times."""
    return lambda w: pullback(w, retain=True)[0]


def attach(trace: Trace, name: str, x: Any, residual: Any, forward: Map, back: Map) -> Any:
    """A solution `x`, computed without `trace`, with the derivative that follows from the residual of its equation.

    Args:
        trace: The level to add.
        name: Of the operation.
        x: A tree of arrays of the enclosing levels.
        residual: A tree of the same form at `x`, with the dependence on arrays of `trace`.
        forward: From the tangent of the residual to that of the solution.
        back: From the cotangent of the solution to that of the residual.
    """
    leaves = tree_leaves(residual)
    depends = [boundary.belongs(trace, r) for r in leaves]
    xp = next(r._xp for r in leaves if type(r) is TracedArray)
    values = tree_leaves(x)
    if trace.forward:
        change = tree_map(lambda r: r._link if boundary.belongs(trace, r) else boundary.zeros_like(r), residual)
        with frozen(trace):
            tangents = tree_leaves(forward(change))
        results = [with_tangent(trace, name, v, t) for v, t in zip(values, tangents, strict=True)]
    else:
        parents = tuple(r._link for r, d in zip(leaves, depends, strict=True) if d)
        held = held_now()

        def pull(gs: list[Any]) -> list[Any]:
            parts = iter(gs)

            def cotangent(v: Any) -> Any:
                g = next(parts)
                return boundary.zeros_like(v) if g is None else g

            with frozen(*held, trace):
                pulled = tree_leaves(back(tree_map(cotangent, x)))
            return [g for g, d in zip(pulled, depends, strict=True) if d]

        results = tracing.record_many(xp, trace, name, values, parents, pull)
    remaining = iter(results)
    return tree_map(lambda _: next(remaining), x)
