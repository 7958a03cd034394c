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


OVERRIDES: dict[str, Callable[..., Any]] = {"triangular_solution": triangular_solution}
