"""Calls of every function of portanet.autodiff.linalg, which SciPy has too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from portanet.autodiff import array_namespace

GENERATOR = np.random.default_rng(4)
SQUARE = GENERATOR.normal(size=(3, 3))
DEFINITE = SQUARE @ SQUARE.T + np.eye(3)
REGULAR = SQUARE + 4 * np.eye(3)
STACK = np.stack([REGULAR, DEFINITE])
RIGHT = GENERATOR.normal(size=(3, 2))
VECTOR = GENERATOR.normal(size=3)
COLUMN = np.asarray([4.0, 1.0, -0.5])
BANDS = np.asarray([
    [0.0, 0.0, 0.3, 0.4, -0.2],
    [0.0, 1.0, -1.0, 0.5, 0.7],
    [5.0, 6.0, 4.0, 5.0, 7.0],
    [1.0, 1.5, -1.0, 0.5, 0.0],
])  # fmt: skip
LONG = GENERATOR.normal(size=(5, 2))


@dataclass(frozen=True)
class Case:
    """`call(module, *arrays)`, where the module is SciPy's or ours."""

    name: str
    call: Callable[..., Any]
    arrays: tuple[np.ndarray, ...]
    label: str = ""

    def __str__(self) -> str:
        return f"{self.name}-{self.label}" if self.label else self.name


def hermitian(x: Any) -> Any:
    """The symmetric part, so that a perturbed argument stays symmetric."""
    xp = array_namespace(x)
    star = xp.matrix_transpose(x)
    return (x + (xp.conj(star) if xp.isdtype(x.dtype, "complex floating") else star)) / 2


def _of_matrix(name: str, x: np.ndarray, label: str = "") -> Case:
    return Case(name, lambda m, x: getattr(m, name)(x), (x,), label)


def _triangular(trans: Any, lower: bool, unit: bool) -> Case:
    def call(m: Any, a: Any, b: Any) -> Any:
        return m.solve_triangular(a, b, trans=trans, lower=lower, unit_diagonal=unit)

    return Case("solve_triangular", call, (REGULAR, RIGHT), f"{trans}-{lower}-{unit}")


def _cholesky(m: Any, a: Any, b: Any, lower: bool = False) -> Any:
    return m.cho_solve(m.cho_factor(hermitian(a), lower=lower), b)


def _by_factors(trans: Any) -> Callable[..., Any]:
    return lambda m, a, b: m.lu_solve(m.lu_factor(a), b, trans)


CASES = [
    *(_of_matrix(name, SQUARE) for name in ("expm", "cosm", "sinm", "tanm", "coshm", "sinhm", "tanhm")),
    _of_matrix("expm", 20 * SQUARE, "large"),
    _of_matrix("expm", STACK, "stack"),
    _of_matrix("sqrtm", DEFINITE),
    _of_matrix("sqrtm", STACK, "stack"),
    _of_matrix("logm", REGULAR),
    _of_matrix("logm", STACK, "stack"),
    Case("expm_frechet", lambda m, a, e: m.expm_frechet(a, e), (SQUARE, DEFINITE)),
    Case("fractional_matrix_power", lambda m, a: m.fractional_matrix_power(a, 0.3), (DEFINITE,)),
    Case("fractional_matrix_power", lambda m, a: m.fractional_matrix_power(a, -2), (DEFINITE,), "whole"),
    Case("solve_triangular", lambda m, a, b: m.solve_triangular(a, b), (REGULAR, VECTOR), "vector"),
    *(
        _triangular(trans, lower, unit)
        for trans, lower, unit in (("N", True, True), (1, False, False), ("C", True, False), (2, False, True))
    ),
    Case("solve_triangular", lambda m, a, b: m.solve_triangular(a, b), (STACK, RIGHT), "stack"),
    Case("cho_solve", _cholesky, (DEFINITE, RIGHT)),
    Case("cho_solve", lambda m, a, b: _cholesky(m, a, b, True), (DEFINITE, VECTOR), "lower"),
    Case("cho_factor", lambda m, a: array_namespace(a).triu(m.cho_factor(hermitian(a))[0]), (DEFINITE,)),
    *(
        Case("lu_factor", lambda m, a: m.lu_factor(a), (x,), label)
        for x, label in ((SQUARE, ""), (STACK, "stack"), (LONG, "high"), (LONG.T, "wide"))
    ),
    *(Case("lu_solve", _by_factors(trans), (SQUARE, RIGHT), str(trans)) for trans in (0, 1, 2)),
    Case("lu_solve", _by_factors(0), (SQUARE, VECTOR), "vector"),
    Case("lu_solve", _by_factors(0), (STACK, RIGHT), "stack"),
    Case("lu", lambda m, a: m.lu(a), (SQUARE,)),
    Case("lu", lambda m, a: m.lu(a, permute_l=True), (LONG,), "permute_l"),
    Case("lu", lambda m, a: m.lu(a, p_indices=True), (LONG.T,), "p_indices"),
    Case("solve_banded", lambda m, ab, b: m.solve_banded((1, 2), ab, b), (BANDS, LONG)),
    Case("solve_banded", lambda m, ab, b: m.solve_banded((1, 0), ab, b), (BANDS[2:], LONG[:, 0]), "vector"),
    Case("solveh_banded", lambda m, ab, b: m.solveh_banded(ab, b), (BANDS[:3], LONG)),
    Case("solveh_banded", lambda m, ab, b: m.solveh_banded(ab, b, lower=True), (BANDS[2:], LONG[:, 0]), "lower"),
    Case("solve_toeplitz", lambda m, c, r, b: m.solve_toeplitz((c, r), b), (COLUMN, VECTOR, RIGHT)),
    Case("solve_toeplitz", lambda m, c, b: m.solve_toeplitz(c, b), (COLUMN, VECTOR), "symmetric"),
    Case("solve_circulant", lambda m, c, b: m.solve_circulant(c, b), (COLUMN, RIGHT)),
    Case("toeplitz", lambda m, c: m.toeplitz(c), (VECTOR,)),
    Case("toeplitz", lambda m, c, r: m.toeplitz(c, r), (SQUARE, RIGHT.T[:1]), "stack"),
    Case("hankel", lambda m, c: m.hankel(c), (VECTOR,)),
    Case("hankel", lambda m, c, r: m.hankel(c, r), (VECTOR, LONG[:, 0]), "row"),
    Case("circulant", lambda m, c: m.circulant(c), (SQUARE,)),
    Case("block_diag", lambda m, a, b, c: m.block_diag(a, b, c), (SQUARE, RIGHT, VECTOR)),
    Case("khatri_rao", lambda m, a, b: m.khatri_rao(a, b), (RIGHT, LONG)),
    *(
        Case("polar", lambda m, a, side=side: m.polar(a, side), (x,), f"{side}-{x.shape}")
        for side, x in (("right", SQUARE), ("left", SQUARE), ("right", LONG), ("left", RIGHT.T))
    ),
]
FIRST = {case.name: case for case in reversed(CASES)}
