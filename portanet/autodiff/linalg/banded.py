"""Linear systems with banded matrices, stored by their diagonals."""

from __future__ import annotations

from typing import Any

from portanet.autodiff.linalg.declare import call, flag, inexact, matrix_primitive, right_side
from portanet.autodiff.rules.linalg import conj
from portanet.autodiff.special.declare import in_single
from portanet.backends import Array, device_of, overridable, raw_namespace


@overridable
@in_single
def banded_solution(ab: Array, b: Array, *, below: int, above: int) -> Any:
    """`solve_banded` of plain arrays: of the whole matrix."""
    xp = raw_namespace(ab)
    n = ab.shape[-1]
    positions = xp.arange(n, device=device_of(ab))
    row = positions[:, None] - positions[None, :] + above
    inside = (row >= 0) & (row <= below + above)
    index = xp.broadcast_to(xp.clip(row, 0, below + above), (*ab.shape[:-2], n, n))
    matrix = xp.take_along_axis(ab, index, axis=-2)
    return xp.linalg.solve(xp.where(inside, matrix, xp.zeros_like(matrix)), b)


def _shifted(xp: Any, x: Any, by: int, axis: int) -> Any:
    """`x[i + by]` at i, with zeros from beyond the ends."""
    n = x.shape[axis]
    count = min(abs(by), n)
    rest: tuple[slice, ...] = (slice(None),) * (-1 - axis)
    none = xp.zeros_like(x[(..., slice(0, count), *rest)])
    if by >= 0:
        return xp.concat([x[(..., slice(count, n), *rest)], none], axis=axis)
    return xp.concat([none, x[(..., slice(0, n - count), *rest)]], axis=axis)


def _transposed(xp: Any, ab: Any, below: int, above: int) -> Any:
    """The diagonals of the transpose."""
    rows = [_shifted(xp, ab[..., above - d, :], d, -1) for d in range(-below, above + 1)]
    return xp.stack(rows, axis=-2)


def _product(xp: Any, ab: Any, x: Any, below: int, above: int) -> Any:
    """The banded matrix times `x`."""
    parts = [_shifted(xp, ab[..., above + d, :, None] * x, -d, -2) for d in range(-above, below + 1)]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _pull_right(xp: Any, ans: Any, ab: Any, b: Any, *, below: int, above: int) -> Any:
    solve = xp.find("solve_banded")
    return lambda g: solve(_transposed(xp, ab, below, above), g, below=above, above=below)


def _pull_bands(xp: Any, ans: Any, ab: Any, b: Any, *, below: int, above: int) -> Any:
    back = _pull_right(xp, ans, ab, b, below=below, above=above)

    def pull(g: Any) -> Any:
        y = -back(g)
        rows = [xp.sum(_shifted(xp, y, d, -2) * ans, axis=-1) for d in range(-above, below + 1)]
        return xp.stack(rows, axis=-2)

    return pull


def _push_right(xp: Any, ans: Any, ab: Any, b: Any, *, below: int, above: int) -> Any:
    return lambda t: xp.find("solve_banded")(ab, t, below=below, above=above)


def _push_bands(xp: Any, ans: Any, ab: Any, b: Any, *, below: int, above: int) -> Any:
    solve = xp.find("solve_banded")
    return lambda t: -solve(ab, _product(xp, t, ans, below, above), below=below, above=above)


matrix_primitive("solve_banded", banded_solution, (_pull_bands, _pull_right), (_push_bands, _push_right))


def _require_bands(function: str, ab: Any, count: int | None = None) -> None:
    if ab.ndim < 2 or (count is not None and ab.shape[-2] != count) or not ab.shape[-2]:
        rows = "number of diagonals" if count is None else str(count)
        raise ValueError(
            f"Argument `ab` of linalg.{function} must have shape (..., {rows}, n), one diagonal of the matrix in each "
            f"row. Received: shape {tuple(ab.shape)}"
        )


def solve_banded(l_and_u: tuple[int, int], ab: Array, b: Array) -> Any:
    """The solution x of `a x = b` with banded matrices.

    On NumPy arrays, LAPACK's solver for bands computes in time and memory proportional to n, derivatives too. On those
    of other libraries, the whole matrix is factorised.

    Args:
        l_and_u: The numbers l of diagonals below and u above the main one.
        ab: The diagonals, shape (..., l + u + 1, n): `ab[u + i - j, j]` is `a[i, j]`.
        b: Right sides: a vector (n,), or matrices (..., n, k). Leading axes broadcast.

    Returns:
        The solutions, in the shape of `b` (with the leading axes of `ab`).

    Raises:
        ValueError: Shapes do not fit, or numbers of diagonals are negative.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff.linalg import solve_banded
        >>> solve_banded((1, 0), np.asarray([[1.0, 2.0], [1.0, 0.0]]), np.asarray([3.0, 5.0]))
        array([3., 1.])
    """
    numbers = tuple(l_and_u) if isinstance(l_and_u, (tuple, list)) else ()
    if len(numbers) != 2 or not all(isinstance(k, int) and k >= 0 for k in numbers):
        raise ValueError(
            "Argument `l_and_u` of linalg.solve_banded must be two numbers, of diagonals below and above the main one. "
            f"Received: {l_and_u!r}"
        )
    below, above = numbers
    _, ab, b = inexact("solve_banded", ab=ab, b=b)
    _require_bands("solve_banded", ab, below + above + 1)
    b, vector = right_side("solve_banded", ab.shape[-1], b)
    out = call("solve_banded", ab, b, below=below, above=above)
    return out[..., 0] if vector else out


def solveh_banded(ab: Array, b: Array, lower: bool = False) -> Any:
    """The solution x of `a x = b` with Hermitian banded matrices.

    Args:
        ab: The diagonals, shape (..., u + 1, n): `ab[u + i - j, j]` is `a[i, j]` for i <= j, or with `lower`,
            `ab[i - j, j]` is `a[i, j]` for i >= j.
        b: Right sides: a vector (n,), or matrices (..., n, k). Leading axes broadcast.
        lower: Whether the diagonals are those below the main one.

    Returns:
        The solutions, in the shape of `b` (with the leading axes of `ab`).

    Raises:
        ValueError: Shapes do not fit.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff.linalg import solveh_banded
        >>> solveh_banded(np.asarray([[2.0, 2.0], [1.0, 0.0]]), np.asarray([3.0, 3.0]), lower=True)
        array([1., 1.])
    """
    xp, ab, b = inexact("solveh_banded", ab=ab, b=b)
    _require_bands("solveh_banded", ab)
    lower = flag("solveh_banded", "lower", lower)
    width = ab.shape[-2] - 1
    conjugate = conj(xp, ab)
    if lower:
        others = [_shifted(xp, conjugate[..., d, :], -d, -1) for d in range(width, 0, -1)]
        rows = [*others, *(ab[..., d, :] for d in range(width + 1))]
    else:
        others = [_shifted(xp, conjugate[..., width - d, :], d, -1) for d in range(1, width + 1)]
        rows = [*(ab[..., d, :] for d in range(width + 1)), *others]
    return solve_banded((width, width), xp.stack(rows, axis=-2), b)
