"""Functions of matrices on NumPy arrays: SciPy's, where it is installed; not `expm` and `logm`.

SciPy's `expm` loses three digits, and `logm` estimates norms at random, so that two calls differ.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from portanet.backends.base import Array
from portanet.backends.numpy.scipy_module import scipy_module


def _scipy() -> Any:
    return scipy_module("linalg")


def _takes(*arrays: Array) -> bool:
    """Whether SciPy computes with arrays of this dtype, at their precision."""
    return _scipy() is not None and all(x.dtype.char in "fdFD" and x.size for x in arrays)


def matrix_square_root(x: Array) -> Any:
    """Of finite matrices; real ones with a complex root, and singular ones, are left to the definition."""
    if not _takes(x) or not np.isfinite(x).all():
        return NotImplemented
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # that the result may be inaccurate
        try:
            out = _scipy().sqrtm(x)
        except (RuntimeWarning, UserWarning, np.linalg.LinAlgError):
            return NotImplemented
    if (x.dtype.char in "fd" and np.iscomplexobj(out)) or not np.isfinite(out).all():
        return NotImplemented
    return out.astype(x.dtype, copy=False)


def triangular_solution(a: Array, b: Array, *, lower: bool, unit_diagonal: bool) -> Any:
    """Of single matrices: for stacks, SciPy has a loop in Python."""
    if not _takes(a, b) or a.ndim != 2 or b.ndim != 2:
        return NotImplemented
    return _scipy().solve_triangular(a, b, lower=lower, unit_diagonal=unit_diagonal, check_finite=False)


def banded_solution(ab: Array, b: Array, *, below: int, above: int) -> Any:
    """In time and memory proportional to the length of the diagonals."""
    if not _takes(ab, b) or ab.shape[-1] <= max(below, above):
        return NotImplemented
    return _scipy().solve_banded((below, above), ab, b, check_finite=False)


def packed_factors(a: Array) -> Any:
    """Of single matrices, as above; singular ones without SciPy's warning."""
    if not _takes(a) or a.ndim != 2:
        return NotImplemented
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        factors, pivots = _scipy().lu_factor(a, check_finite=False)
    return factors, pivots.astype(np.int32, copy=False)


def row_order(piv: Array, *, rows: int) -> Any:
    """Of single matrices, by exchanging numbers of Python."""
    if piv.ndim != 1:
        return NotImplemented
    order = list(range(rows))
    for k, other in enumerate(piv.tolist()):
        order[k], order[other] = order[other], order[k]
    return np.asarray(order, dtype=np.int64)


OVERRIDES: dict[str, Callable[..., Any]] = {
    "matrix_square_root": matrix_square_root,
    "triangular_solution": triangular_solution,
    "banded_solution": banded_solution,
    "packed_factors": packed_factors,
    "row_order": row_order,
}
