"""Functions of matrices of PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portanet.backends.base import Array


def matrix_exponential(x: Array) -> Any:
    """PyTorch's, except for half precision."""
    import torch

    return torch.linalg.matrix_exp(x) if x.dtype.itemsize >= 4 else NotImplemented


def triangular_solution(a: Array, b: Array, *, lower: bool, unit_diagonal: bool) -> Any:
    """PyTorch's, except for half precision."""
    import torch

    if a.dtype.itemsize < 4:
        return NotImplemented
    return torch.linalg.solve_triangular(a, b, upper=not lower, unitriangular=unit_diagonal)


def packed_factors(a: Array) -> Any:
    """PyTorch's, except for half precision and empty matrices; its pivots start at 1."""
    import torch

    if a.dtype.itemsize < 4 or 0 in a.shape:
        return NotImplemented
    factors, pivots, _ = torch.linalg.lu_factor_ex(a)
    return factors, pivots - 1


OVERRIDES: dict[str, Callable[..., Any]] = {
    "matrix_exponential": matrix_exponential,
    "triangular_solution": triangular_solution,
    "packed_factors": packed_factors,
}
