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


OVERRIDES: dict[str, Callable[..., Any]] = {
    "matrix_exponential": matrix_exponential,
    "triangular_solution": triangular_solution,
}
