"""Jacobians and Hessians as sparse matrices."""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from portanet import checks
from portanet.autodiff.boundary import with_aux
from portanet.autodiff.namespace import array_namespace
from portanet.autodiff.sparse.coloring import Plan, plan_hessian, plan_jacobian
from portanet.autodiff.sparse.patterns import (
    Pattern,
    along,
    as_pattern,
    chosen_argument,
    normal,
    probed,
    require_array,
    restricted_to,
)
from portanet.autodiff.traced import unwrap
from portanet.autodiff.transforms import Function, grad, linearize, vjp
from portanet.backends import device_of, raw_namespace, readable, to_host
from portanet.extras import install_command


class COO(NamedTuple):
    """A sparse matrix in coordinate format: `values[k]` is at `(rows[k], columns[k])`; zeros elsewhere."""

    values: Any
    rows: Any
    columns: Any
    shape: tuple[int, int]


def sparse_jacobian(
    f: Function,
    sparsity: Any = None,
    argnums: int = 0,
    mode: Literal["forward", "reverse"] | None = None,
    has_aux: bool = False,
    *,
    argnames: str | None = None,
    format: Literal["scipy", "coo"] = "scipy",  # noqa: A002 -- SciPy's word
    verify: bool = True,
) -> Function:
    """The Jacobian of a function of one array, as a sparse matrix.

    Columns without a common row are obtained in one pass together (forward mode), or rows without a common column
    (reverse mode): a banded matrix takes as many passes as it has diagonals, of whatever size it is.

    Args:
        f: A function of arrays that returns an array.
        sparsity: Which elements may differ from zero: a matrix of shape `(result.size, argument.size)`, of scipy.sparse
            or a 2-d array, or a tuple of index arrays `(rows, columns)`; elements of arrays are numbered in C order.
            None for `jacobian_sparsity` of the first call with arguments of a shape.
        argnums: Which positional argument to differentiate with respect to.
        mode: `"forward"`, `"reverse"`, or None for whichever needs fewer passes.
        has_aux: Whether `f` returns `(value, aux)`.
        argnames: Instead of `argnums`, the name of the argument, which may then be passed by keyword.
        format: `"scipy"` for a `scipy.sparse.csr_array` on the host, `"coo"` for `COO`, a named tuple of arrays of the
            library of `f` on its device, which can be differentiated again.
        verify: Whether one more pass, along a random direction, checks that no element outside the pattern differs
            from zero.

    Returns:
        A function of the same arguments that returns the matrix; with `has_aux`, `(matrix, aux)`.

    Raises:
        TypeError: The argument or the result is not one floating-point array.
        ValueError: The pattern has another shape, or elements outside of it differ from zero.
        ImportError: SciPy is not installed.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import sparse_jacobian
        >>> def differences(x):
        ...     return x[1:] ** 2 - x[:-1]
        >>> matrix = sparse_jacobian(differences)(np.arange(1.0, 5.0))
        >>> type(matrix).__name__, matrix.nnz
        ('csr_array', 6)
        >>> matrix.toarray()
        array([[-1.,  4.,  0.,  0.],
               [ 0., -1.,  6.,  0.],
               [ 0.,  0., -1.,  8.]])
    """
    checks.choice("mode", mode, ("forward", "reverse", None), "sparse_jacobian")
    chosen = chosen_argument(f, argnums, argnames, "sparse_jacobian")
    options = Options("sparse_jacobian", sparsity, has_aux, format, verify)
    return _sparse(f, chosen, options, lambda g: g, functools.partial(plan_jacobian, mode=mode))


def sparse_hessian(
    f: Function,
    sparsity: Any = None,
    argnums: int = 0,
    has_aux: bool = False,
    *,
    argnames: str | None = None,
    format: Literal["scipy", "coo"] = "scipy",  # noqa: A002 -- SciPy's word
    verify: bool = True,
) -> Function:
    """The Hessian of a scalar function of one array, as a sparse matrix.

    The gradient is linearised once, and applied to one vector for each colour of a star colouring, which uses the
    symmetry of the matrix.

    Args:
        f: A function of arrays that returns a scalar.
        sparsity: As for `sparse_jacobian`, of shape `(argument.size, argument.size)`; one triangle suffices. None for
            `hessian_sparsity` of the first call with arguments of a shape.
        argnums: Which positional argument to differentiate with respect to.
        has_aux: Whether `f` returns `(value, aux)`.
        argnames: Instead of `argnums`, the name of the argument, which may then be passed by keyword.
        format: As for `sparse_jacobian`.
        verify: As for `sparse_jacobian`.

    Returns:
        A function of the same arguments that returns the matrix, both triangles of it; with `has_aux`,
        `(matrix, aux)`.

    Raises:
        TypeError: The argument is not a floating-point array, or the result not a scalar.
        ValueError: The pattern has another shape, or elements outside of it differ from zero.
        ImportError: SciPy is not installed.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import array_namespace, sparse_hessian
        >>> def rosenbrock(x):
        ...     return array_namespace(x).sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)
        >>> sparse_hessian(rosenbrock)(np.ones(3)).toarray()
        array([[ 802., -400.,    0.],
               [-400., 1002., -400.],
               [   0., -400.,  200.]])
    """
    chosen = chosen_argument(f, argnums, argnames, "sparse_hessian")
    options = Options("sparse_hessian", sparsity, has_aux, format, verify)
    return _sparse(f, chosen, options, functools.partial(grad, has_aux=has_aux), plan_hessian)


@dataclass(frozen=True)
class Options:
    """What a sparse derivative was asked for."""

    of: str
    sparsity: Any
    has_aux: bool
    format: str
    verify: bool

    def __post_init__(self) -> None:
        checks.boolean("has_aux", self.has_aux, self.of)
        checks.choice("format", self.format, ("scipy", "coo"), self.of)
        checks.boolean("verify", self.verify, self.of)


def _sparse(
    f: Function,
    chosen: int | str,
    options: Options,
    derived: Callable[..., Function],
    plan: Callable[[Pattern, int], Plan],
) -> Function:
    """The sparse Jacobian of `derived(f)`."""
    given = None if options.sparsity is None else as_pattern(options.sparsity, options.of)
    plans: dict[tuple[int, ...], Plan] = {}

    @functools.wraps(f)
    def function(*args: Any, **kwargs: Any) -> Any:
        restricted, x = restricted_to(f, chosen, args, kwargs, options.of)
        g = derived(restricted)
        shape = tuple(x.shape)
        if shape not in plans:
            alone = (lambda x: with_aux(g(x))[0]) if options.has_aux else g
            pattern = given or probed(alone, unwrap(x), 3, options.of)
            size = math.prod(shape)
            if len(pattern.columns) and int(pattern.columns.max()) >= size:
                pattern.require_shape((int(pattern.rows.max()) + 1, size), options.of)
            plans[shape] = plan(pattern, size)
        matrix, aux = _evaluate(g, x, plans[shape], options)
        result = _to_scipy(matrix, options.of) if options.format == "scipy" else matrix
        return (result, aux) if options.has_aux else result

    return function


def _evaluate(g: Function, x: Any, plan: Plan, options: Options) -> tuple[COO, Any]:
    """The matrix and the auxiliary result."""
    if plan.forward:
        value, product, *aux = linearize(g, x, has_aux=options.has_aux)
    else:
        value, pullback, *aux = vjp(g, x, has_aux=options.has_aux)

        def product(seed: Any) -> Any:
            return pullback(seed, retain=True)[0]

    require_array(value, "a result", options.of)
    shape = (math.prod(value.shape), math.prod(x.shape))
    plan.pattern.require_shape(shape, options.of)
    like, length = (x, shape[0]) if plan.forward else (value, shape[1])
    like = unwrap(like)
    raw, device = raw_namespace(like), device_of(like)

    def indices(numbers: Any) -> Any:
        return raw.asarray(numbers.tolist(), dtype=raw.int64, device=device)

    colors = indices(np.concatenate([plan.colors, np.full(math.prod(like.shape) - len(plan.colors), -1)]))
    count = int(plan.colors.max(initial=-1)) + 1
    if count:
        products = along(product, like, colors, indices(np.arange(count)))
        xp = array_namespace(products)
        values = xp.take(xp.reshape(products, (-1,)), indices(plan.passed * length + plan.position))
    else:
        values = raw.zeros((0,), dtype=value.dtype, device=device)
    matrix = COO(values, indices(plan.pattern.rows), indices(plan.pattern.columns), shape)
    if options.verify and readable(unwrap(values), wait=True):
        _verify(product, like, matrix, plan, options)
    return matrix, aux[0] if options.has_aux else None


def _verify(product: Callable[[Any], Any], like: Any, matrix: COO, plan: Plan, options: Options) -> None:
    """Raise if the product with a random vector is not that of the sparse matrix."""
    direction = normal(like, random.Random(0))
    actual = to_host(unwrap(product(direction))).reshape(-1)
    vector, values = to_host(direction).reshape(-1), to_host(unwrap(matrix.values))
    to, of = (plan.pattern.rows, plan.pattern.columns)[:: 1 if plan.forward else -1]
    expected, scale = np.zeros_like(actual), np.abs(actual)
    np.add.at(expected, to, values * vector[of])
    np.add.at(scale, to, np.abs(values * vector[of]))
    wrong = np.abs(actual - expected) > np.sqrt(np.finfo(actual.dtype).eps) * scale
    if np.any(wrong):
        source = "the pattern was found at other arguments: pass" if options.sparsity is None else "mend"
        raise ValueError(
            f"{options.of} found elements outside of the sparsity pattern that are not zero; {source} `sparsity`. "
            f"Received: a pattern of {len(plan.pattern.rows)} elements that misses some in "
            f"{'row' if plan.forward else 'column'} {int(np.argmax(wrong))}"
        )


def _to_scipy(matrix: COO, of: str) -> Any:
    try:
        from scipy.sparse import csr_array
    except ImportError as error:
        raise ImportError(
            f"{of} returns a matrix of SciPy. Type: {install_command('scipy')}; or use format='coo'"
        ) from error
    indices = (to_host(matrix.rows), to_host(matrix.columns))
    return csr_array((to_host(matrix.values), indices), shape=matrix.shape)
