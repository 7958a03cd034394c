"""Functions of symmetric and Hermitian matrices, also where eigenvalues coincide."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

from portanet.autodiff.linalg.declare import call, matrix_primitive, square
from portanet.autodiff.linalg.divided_differences import divided_difference
from portanet.autodiff.rules.linalg import adjoint, hermitian_part
from portanet.autodiff.traced import TraceError, is_traced
from portanet.autodiff.tracing import is_array
from portanet.backends import Array, raw_namespace


def _values(x: Array, *directions: Array, f: Callable[[Any], Any]) -> Any:
    """The derivative of the function in some directions, which is linear in each; the function itself without any.

    With the eigenvectors V of x, it is V M V^H, where M[i, l] is the sum of f[s_i, s_j, ..., s_l] D[i, j] E[j, k] ...
    over all inner indices and all orders of the directions V D V^H, V E V^H, ...
    """
    xp = raw_namespace(x)
    if 0 in x.shape:
        return x
    values, vectors = xp.linalg.eigh(x)
    star = adjoint(xp, vectors)
    checked = _checked(f, xp)
    if not directions:
        return (vectors * xp.astype(checked(values), vectors.dtype)[..., None, :]) @ star
    order = len(directions)
    inside = [star @ e @ vectors for e in directions]
    rank = max(e.ndim for e in inside) - 2
    lead = (slice(None),) * rank
    values = xp.reshape(values, (*(1,) * (rank + 1 - values.ndim), *values.shape))

    def placed(a: Array, *axes: int) -> Any:
        """`a` with its last axes at these of the indices i, j, ..., l."""
        a = xp.reshape(a, (*(1,) * (rank + len(axes) - a.ndim), *a.shape))
        return a[(*lead, *(slice(None) if i in axes else None for i in range(order + 1)))]

    # In units of the largest eigenvalue, so that no product of differences overflows.
    largest = float(xp.max(xp.abs(values)))
    unit = 2.0 ** math.frexp(largest)[1] if 0 < largest < math.inf else 1.0
    values = values / unit
    scale = placed(xp.max(xp.abs(values), axis=-1, keepdims=True), 0)
    points = [placed(values, i) for i in range(order + 1)]
    weights = divided_difference(lambda s: checked(s * unit), points, scale)
    inside = [e / unit for e in inside]
    total = xp.zeros_like(inside[0][..., :1, :1])
    for permuted in itertools.permutations(inside):
        term = xp.astype(weights, x.dtype)
        for i, e in enumerate(permuted):
            term = term * placed(e, i, i + 1)
        total = total + xp.sum(term, axis=tuple(range(rank + 1, rank + order)))
    return vectors @ total @ star


def _checked(f: Callable[[Any], Any], xp: Any) -> Callable[[Any], Any]:
    def function(s: Any) -> Any:
        out = f(s)
        if not is_array(out) or out.shape != s.shape or not xp.isdtype(out.dtype, "real floating"):
            raise ValueError(
                "Argument `f` of linalg.funm_hermitian must map an array of eigenvalues to an array of real numbers of "
                f"the same shape. Received: a function that returned {out!r} for an array of shape {tuple(s.shape)}"
            )
        if is_traced(out) and not is_traced(s):
            raise TraceError(
                "linalg.funm_hermitian has no derivative by arrays that `f` closes over. Write the function with "
                "xp.linalg.eigh, if eigenvalues are distinct, or use stop_gradient. Received: a function that returned "
                "a traced array"
            )
        return out

    return function


def _push(xp: Any, ans: Any, x: Any, *directions: Any, f: Callable[[Any], Any], index: int) -> Any:
    others = directions if index == 0 else (*directions[: index - 1], *directions[index:])
    return lambda t: xp.find("funm_hermitian")(x, *others, t, f=f)


def _pull(xp: Any, ans: Any, *arrays: Any, f: Callable[[Any], Any], index: int) -> Any:
    """The transpose of the push."""
    push = _push(xp, ans, *arrays, f=f, index=index)
    return lambda g: xp.matrix_transpose(push(xp.matrix_transpose(g)))


matrix_primitive("funm_hermitian", _values, (_pull,), (_push,), variadic=True)


def funm_hermitian(f: Callable[[Any], Any], A: Array) -> Any:
    """A function of symmetric or Hermitian matrices, V f(s) V^H with their eigenvectors V and eigenvalues s.

    Derivatives of every order are those of the function of matrices, also where eigenvalues coincide or nearly so,
    where derivatives of `xp.linalg.eigh` do not give them. The derivative of order k takes n^(k+1) numbers.

    Args:
        f: Maps an array of real numbers to one of the same shape, element by element, by functions of its namespace
            (`array_namespace(s).exp(s)`) or operators. Its derivatives are taken where eigenvalues are near each other.
        A: Square matrices, shape (..., n, n), of which the Hermitian part counts.

    Returns:
        Matrices of the shape and dtype of `A`.

    Raises:
        ValueError: `A` is not square, or `f` returned something else.
        TraceError: `f` closes over an array with respect to which the result is differentiated.

    Source: Yu. Daleckii and S. Krein, Integration and differentiation of functions of Hermitian operators and
    applications to the theory of perturbations (1965); N. Higham, Functions of Matrices (SIAM, 2008), section 3.2.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import grad
        >>> from portanet.autodiff.linalg import funm_hermitian
        >>> funm_hermitian(lambda s: s**3, np.diag([1.0, 2.0]))
        array([[1., 0.],
               [0., 8.]])
        >>> grad(lambda a: funm_hermitian(lambda s: s**3, a)[0, 0])(np.eye(2))
        array([[3., 0.],
               [0., 0.]])
    """
    if not callable(f):
        raise TypeError(
            "Argument `f` of linalg.funm_hermitian must be a function of arrays, such as lambda s: s**3. "
            f"Received: {f!r}"
        )
    xp, A = square("funm_hermitian", A=A)
    return call("funm_hermitian", hermitian_part(xp, A), f=f)
