"""Functions of matrices beyond the standard, on arrays of any backend, with derivatives of every order.

Names, arguments and values are those of `scipy.linalg`, whose own functions convert to NumPy; `funm_hermitian` is not
in SciPy. All take stacks of matrices. `xp.linalg` of a traced array's namespace has the same functions.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portanet.autodiff.linalg.banded import solve_banded, solveh_banded
    from portanet.autodiff.linalg.decompositions import polar
    from portanet.autodiff.linalg.elimination import lu, lu_factor, lu_solve
    from portanet.autodiff.linalg.exponential import coshm, cosm, expm, expm_frechet, sinhm, sinm, tanhm, tanm
    from portanet.autodiff.linalg.hermitian import funm_hermitian
    from portanet.autodiff.linalg.roots import fractional_matrix_power, logm, sqrtm
    from portanet.autodiff.linalg.structured import (
        block_diag,
        circulant,
        hankel,
        khatri_rao,
        solve_circulant,
        solve_toeplitz,
        toeplitz,
    )
    from portanet.autodiff.linalg.triangular import cho_factor, cho_solve, solve_triangular

MODULES = {
    "banded": "solve_banded solveh_banded",
    "decompositions": "polar",
    "elimination": "lu lu_factor lu_solve",
    "exponential": "cosm coshm expm expm_frechet sinhm sinm tanhm tanm",
    "hermitian": "funm_hermitian",
    "roots": "fractional_matrix_power logm sqrtm",
    "structured": "block_diag circulant hankel khatri_rao solve_circulant solve_toeplitz toeplitz",
    "triangular": "cho_factor cho_solve solve_triangular",
}
"""Module and the functions in it."""

_MODULE_OF = {name: module for module, names in MODULES.items() for name in names.split()}

__all__ = [
    "block_diag",
    "cho_factor",
    "cho_solve",
    "circulant",
    "coshm",
    "cosm",
    "expm",
    "expm_frechet",
    "fractional_matrix_power",
    "funm_hermitian",
    "hankel",
    "khatri_rao",
    "logm",
    "lu",
    "lu_factor",
    "lu_solve",
    "polar",
    "sinhm",
    "sinm",
    "solve_banded",
    "solve_circulant",
    "solve_toeplitz",
    "solve_triangular",
    "solveh_banded",
    "sqrtm",
    "tanhm",
    "tanm",
    "toeplitz",
]


def __getattr__(name: str) -> Any:
    """Import a family of functions on first access."""
    if name in _MODULE_OF:
        return getattr(importlib.import_module(f"portanet.autodiff.linalg.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module 'portanet.autodiff.linalg' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
