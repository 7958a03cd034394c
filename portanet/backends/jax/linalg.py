"""Functions of matrices of JAX; not its `expm`, which loses two digits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portanet.backends.base import Array


def triangular_solution(a: Array, b: Array, *, lower: bool, unit_diagonal: bool) -> Any:
    """JAX's, of stacks that broadcast."""
    import jax

    if a.dtype.itemsize < 4:
        return NotImplemented
    lead = jax.numpy.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = (jax.numpy.broadcast_to(x, (*lead, *x.shape[-2:])) for x in (a, b))
    return jax.scipy.linalg.solve_triangular(a, b, lower=lower, unit_diagonal=unit_diagonal)


def packed_factors(a: Array) -> Any:
    """JAX's, except for half precision and empty matrices."""
    import jax

    if a.dtype.itemsize < 4 or 0 in a.shape:
        return NotImplemented
    return tuple(jax.lax.linalg.lu(a)[:2])


def row_order(piv: Array, *, rows: int) -> Any:
    """JAX's, which compiles one loop."""
    import jax

    return jax.lax.linalg.lu_pivots_to_permutation(piv.astype("int32"), rows).astype(int)


def sign_and_logarithm(x: Array) -> Any:
    """JAX's; not for 2 x 2 matrices, whose determinants it computes, and these may overflow: with a third row."""
    import jax

    if tuple(x.shape[-2:]) != (2, 2) or x.dtype.itemsize < 4:
        return NotImplemented
    larger = jax.numpy.pad(x, [(0, 0)] * (x.ndim - 2) + [(0, 1), (0, 1)])
    return jax.numpy.linalg.slogdet(larger.at[..., 2, 2].set(1))


OVERRIDES: dict[str, Callable[..., Any]] = {
    "packed_factors": packed_factors,
    "row_order": row_order,
    "sign_and_logarithm": sign_and_logarithm,
    "triangular_solution": triangular_solution,
}
