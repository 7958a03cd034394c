"""Matrices with a structure, and linear systems with them."""

from __future__ import annotations

import functools
from typing import Any

from portanet.autodiff.linalg.declare import inexact, right_side
from portanet.autodiff.rules.linalg import conj
from portanet.autodiff.special.declare import device_of, value
from portanet.backends import Array


def _require_vectors(function: str, **arguments: Any) -> None:
    for parameter, x in arguments.items():
        if not x.ndim:
            raise ValueError(
                f"Argument `{parameter}` of linalg.{function} must be a vector (n,), or a stack of them with shape "
                "(..., n). Received: shape ()"
            )


def _by_differences(xp: Any, values: Any, rows: int, columns: int, first: int, sign: int = -1) -> Any:
    """The matrices whose element i, j is element `first + i + sign * j` of `values`."""
    device = device_of(values)
    index = xp.arange(rows, device=device)[:, None] + sign * xp.arange(columns, device=device)[None, :] + first
    picked = xp.take(values, xp.reshape(index % max(values.shape[-1], 1), (-1,)), axis=-1)
    return xp.reshape(picked, (*values.shape[:-1], rows, columns))


def _joined(xp: Any, x: Any, y: Any) -> Any:
    """Vectors one after the other; leading axes broadcast."""
    lead = _broadcast_shapes(x.shape[:-1], y.shape[:-1])
    return xp.concat([xp.broadcast_to(v, (*lead, v.shape[-1])) for v in (x, y)], axis=-1)


def toeplitz(c: Array, r: Array | None = None) -> Any:
    """Toeplitz matrices, constant along diagonals.

    Args:
        c: The first column, shape (..., m).
        r: The first row, shape (..., n), whose first element does not count; None for the conjugate of `c`.

    Returns:
        Matrices of shape (..., m, n).

    Raises:
        ValueError: An argument has no axis.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff.linalg import toeplitz
        >>> toeplitz(np.asarray([1.0, 2.0]), np.asarray([1.0, 4.0, 5.0]))
        array([[1., 4., 5.],
               [2., 1., 4.]])
    """
    if r is None:
        xp, c = inexact("toeplitz", c=c)
        r = conj(xp, c)
    else:
        xp, c, r = inexact("toeplitz", c=c, r=r)
    _require_vectors("toeplitz", c=c, r=r)
    rows, columns = c.shape[-1], r.shape[-1]
    return _by_differences(xp, _joined(xp, xp.flip(r[..., 1:], axis=-1), c), rows, columns, max(columns - 1, 0))


def hankel(c: Array, r: Array | None = None) -> Any:
    """Hankel matrices, constant along antidiagonals.

    Args:
        c: The first column, shape (..., m).
        r: The last row, shape (..., n), whose first element does not count; None for zeros, n = m.

    Returns:
        Matrices of shape (..., m, n).

    Raises:
        ValueError: An argument has no axis.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff.linalg import hankel
        >>> hankel(np.asarray([1.0, 2.0]), np.asarray([9.0, 3.0, 4.0]))
        array([[1., 2., 3.],
               [2., 3., 4.]])
    """
    if r is None:
        xp, c = inexact("hankel", c=c)
        r = xp.zeros_like(c)
    else:
        xp, c, r = inexact("hankel", c=c, r=r)
    _require_vectors("hankel", c=c, r=r)
    return _by_differences(xp, _joined(xp, c, r[..., 1:]), c.shape[-1], r.shape[-1], 0, sign=1)


def circulant(c: Array) -> Any:
    """Circulant matrices: each column is the one before it, rotated by one element.

    Args:
        c: The first column, shape (..., n).

    Returns:
        Matrices of shape (..., n, n).

    Raises:
        ValueError: `c` has no axis.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff.linalg import circulant
        >>> circulant(np.asarray([1.0, 2.0, 3.0]))
        array([[1., 3., 2.],
               [2., 1., 3.],
               [3., 2., 1.]])
    """
    xp, c = inexact("circulant", c=c)
    _require_vectors("circulant", c=c)
    return _by_differences(xp, c, c.shape[-1], c.shape[-1], c.shape[-1])


def block_diag(*arrs: Array) -> Any:
    """Matrices with others along the diagonal, and zeros elsewhere.

    Args:
        arrs: Matrices, shape (..., m, n), of any sizes; vectors (n,) are matrices of one row. Leading axes broadcast.

    Returns:
        Matrices whose sizes are the sums of theirs.

    Raises:
        TypeError: There is none.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff.linalg import block_diag
        >>> block_diag(np.ones((1, 2)), np.asarray([[3.0]]))
        array([[1., 1., 0.],
               [0., 0., 3.]])
    """
    if not arrs:
        raise TypeError("linalg.block_diag needs at least one array, which says where to compute. Received: none")
    xp, *blocks = inexact("block_diag", **{f"arrs[{i}]": a for i, a in enumerate(arrs)})
    blocks = [xp.reshape(b, (1, -1)) if b.ndim == 1 else xp.reshape(b, (1, 1)) if not b.ndim else b for b in blocks]
    lead = _broadcast_shapes(*(b.shape[:-2] for b in blocks))
    total = sum(b.shape[-1] for b in blocks)
    rows, before = [], 0
    for block in blocks:
        m, n = block.shape[-2:]
        block = xp.broadcast_to(block, (*lead, m, n))
        like = {"dtype": block.dtype, "device": device_of(block)}
        left, right = xp.zeros((*lead, m, before), **like), xp.zeros((*lead, m, total - before - n), **like)
        rows.append(xp.concat([left, block, right], axis=-1))
        before += n
    return xp.concat(rows, axis=-2)


def _broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    rank = max(map(len, shapes))
    padded = [(1,) * (rank - len(s)) + tuple(s) for s in shapes]
    return tuple(functools.reduce(lambda a, b: b if a == 1 else a, sizes) for sizes in zip(*padded, strict=True))


def khatri_rao(a: Array, b: Array) -> Any:
    """The Kronecker products of the columns of two matrices.

    Args:
        a: Matrices, shape (..., m, k).
        b: Matrices, shape (..., n, k). Leading axes broadcast.

    Returns:
        Matrices of shape (..., m n, k).

    Raises:
        ValueError: The numbers of columns differ.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff.linalg import khatri_rao
        >>> khatri_rao(np.asarray([[1.0, 2.0], [3.0, 4.0]]), np.asarray([[1.0, 1.0], [0.0, 5.0]]))
        array([[ 1.,  2.],
               [ 0., 10.],
               [ 3.,  4.],
               [ 0., 20.]])
    """
    xp, a, b = inexact("khatri_rao", a=a, b=b)
    if a.ndim < 2 or b.ndim < 2 or a.shape[-1] != b.shape[-1]:
        raise ValueError(
            "Arguments `a` and `b` of linalg.khatri_rao must be matrices with the same number of columns, (..., m, k) "
            f"and (..., n, k). Received: shapes {tuple(a.shape)} and {tuple(b.shape)}"
        )
    out = a[..., :, None, :] * b[..., None, :, :]
    return xp.reshape(out, (*out.shape[:-3], out.shape[-3] * out.shape[-2], out.shape[-1]))


def solve_toeplitz(c_or_cr: Any, b: Array) -> Any:
    """The solution x of `a x = b` with a Toeplitz matrix; factorises the matrix, and so is stable.

    Args:
        c_or_cr: The first column (n,), or a tuple of it and the first row, see `toeplitz`.
        b: Right sides: a vector (n,), or matrices (..., n, k).

    Returns:
        The solutions, in the shape of `b` (with the leading axes of the matrices).

    Raises:
        ValueError: Shapes do not fit.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff.linalg import solve_toeplitz
        >>> solve_toeplitz(np.asarray([2.0, 1.0]), np.asarray([3.0, 3.0]))
        array([1., 1.])
    """
    pair = tuple(c_or_cr) if isinstance(c_or_cr, (tuple, list)) else (c_or_cr, None)
    if len(pair) != 2:
        raise ValueError(
            "Argument `c_or_cr` of linalg.solve_toeplitz must be the first column, or a tuple of the first column and "
            f"the first row. Received: {len(pair)} arrays"
        )
    matrix = toeplitz(*pair)
    xp, matrix, b = inexact("solve_toeplitz", c_or_cr=matrix, b=b)
    if matrix.shape[-1] != matrix.shape[-2]:
        raise ValueError(
            "Argument `c_or_cr` of linalg.solve_toeplitz must be a column and a row of equal length. Received: lengths "
            f"{matrix.shape[-2]} and {matrix.shape[-1]}"
        )
    b, vector = right_side("solve_toeplitz", matrix.shape[-1], b)
    out = xp.linalg.solve(matrix, b)
    return out[..., 0] if vector else out


def solve_circulant(c: Array, b: Array) -> Any:
    """The solution x of `circulant(c) x = b`, by Fourier transforms.

    Args:
        c: The first column, shape (..., n).
        b: Right sides: a vector (n,), or matrices (..., n, k).

    Returns:
        The solutions, in the shape of `b` (with the leading axes of `c`); not finite for a singular matrix.

    Raises:
        ValueError: Shapes do not fit.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff.linalg import solve_circulant
        >>> solve_circulant(np.asarray([2.0, 1.0]), np.asarray([3.0, 3.0]))
        array([1., 1.])
    """
    xp, c, b = inexact("solve_circulant", c=c, b=b)
    _require_vectors("solve_circulant", c=c)
    b, vector = right_side("solve_circulant", c.shape[-1], b)
    dtype = xp.result_type(c.dtype, xp.complex64)
    if 0 in b.shape:
        out = b
    else:
        largest = xp.max(xp.abs(value(c)), axis=-1, keepdims=True)
        scale = xp.where((largest > 0) & xp.isfinite(largest), largest, 1.0)  # no square overflows in derivatives
        eigenvalues = xp.fft.fft(xp.astype(c / scale, dtype), axis=-1)[..., None]
        out = xp.fft.ifft(xp.fft.fft(xp.astype(b / scale[..., None], dtype), axis=-2) / eigenvalues, axis=-2)
        if not xp.isdtype(c.dtype, "complex floating"):
            out = xp.real(out)
    return out[..., 0] if vector else out
