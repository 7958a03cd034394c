"""The matrix exponential, and the functions that follow from it."""

from __future__ import annotations

from typing import Any

from portanet.autodiff.linalg.declare import call, eye, inexact, one_norm, require_square, square
from portanet.autodiff.linalg.primary import primary
from portanet.autodiff.special.declare import in_single
from portanet.backends import Array, overridable, raw_namespace

# Numerator of the approximant of order 13, divided by its first coefficient: the others are representable in float32.
PADE = (
    64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600,
    670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1,
)  # fmt: skip
LARGEST_NORM = 5.371920351148152
"""Up to which the approximant is exact to rounding in float64."""


@overridable
@in_single
def matrix_exponential(x: Array) -> Any:
    """`expm` of plain arrays: scaling and squaring (N. Higham, SIAM J. Matrix Anal. Appl. 26, 2005, 1179-1193)."""
    xp = raw_namespace(x)
    if 0 in x.shape:
        return x
    norms = one_norm(xp, x)
    finite = xp.isfinite(norms)
    ratio = xp.where(finite & (norms > LARGEST_NORM), norms / LARGEST_NORM, 1.0)
    halvings = xp.ceil(xp.log2(ratio))
    x = xp.where(finite, x, xp.zeros_like(x)) * xp.astype(2.0**-halvings, x.dtype)
    b = [c / PADE[0] for c in PADE]
    one = eye(xp, x)
    x2 = x @ x
    x4 = x2 @ x2
    x6 = x4 @ x2
    odd = x6 @ (b[13] * x6 + b[11] * x4 + b[9] * x2) + b[7] * x6 + b[5] * x4 + b[3] * x2 + b[1] * one
    odd = x @ odd
    even = x6 @ (b[12] * x6 + b[10] * x4 + b[8] * x2) + b[6] * x6 + b[4] * x4 + b[2] * x2 + b[0] * one
    out = xp.linalg.solve(even - odd, even + odd)
    for k in range(int(xp.max(halvings))):
        out = xp.where(halvings > k, out @ out, out)
    return xp.where(finite, out, xp.full_like(out, xp.nan))


primary("expm", matrix_exponential)


def expm(A: Array) -> Any:
    """The matrix exponential, 1 + A + A^2/2! + ...

    Args:
        A: Square matrices, shape (..., n, n).

    Returns:
        Matrices of the shape and dtype of `A`.

    Raises:
        ValueError: `A` is not square.

    Source: N. Higham, The scaling and squaring method for the matrix exponential revisited (SIAM J. Matrix Anal. Appl.
    26, 2005, 1179-1193), where the library has no exponential itself.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import grad
        >>> from portanet.autodiff.linalg import expm
        >>> expm(np.asarray([[0.0, 1.0], [0.0, 0.0]]))
        array([[1., 1.],
               [0., 1.]])
        >>> grad(lambda a: expm(a)[0, 1])(np.zeros((2, 2)))
        array([[0., 1.],
               [0., 0.]])
    """
    _, A = square("expm", A=A)
    return call("expm", A)


def expm_frechet(A: Array, E: Array, compute_expm: bool = True) -> Any:
    """The matrix exponential, and its derivative in a direction.

    Args:
        A: Square matrices, shape (..., n, n).
        E: Directions of the same shape.
        compute_expm: Whether the exponential is returned too.

    Returns:
        `(expm(A), derivative)`, or the derivative alone.

    Raises:
        ValueError: `A` is not square, or `E` has another shape.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff.linalg import expm_frechet
        >>> expm_frechet(np.zeros((2, 2)), np.ones((2, 2)), compute_expm=False)
        array([[1., 1.],
               [1., 1.]])
    """
    from portanet.autodiff.transforms import jvp

    _, A, E = inexact("expm_frechet", A=A, E=E)
    require_square("expm_frechet", A=A)
    if A.shape != E.shape:
        raise ValueError(
            f"Argument `E` of linalg.expm_frechet must have the shape of `A`, {tuple(A.shape)}. "
            f"Received: shape {tuple(E.shape)}"
        )
    value, slope = jvp(expm, (A,), (E,))
    return (value, slope) if compute_expm else slope


def _rotations(name: str, A: Array) -> tuple[Any, Any, Any]:
    """The namespace, `expm(i A)`, and `expm(-i A)` for complex matrices."""
    xp, A = square(name, A=A)
    if xp.isdtype(A.dtype, "complex floating"):
        return xp, expm(1j * A), expm(-1j * A)
    return xp, expm(xp.astype(A, xp.result_type(A.dtype, xp.complex64)) * 1j), None


def _cosine(xp: Any, forth: Any, back: Any) -> Any:
    return xp.real(forth) if back is None else (forth + back) / 2


def _sine(xp: Any, forth: Any, back: Any) -> Any:
    return xp.imag(forth) if back is None else (forth - back) * -0.5j


def cosm(A: Array) -> Any:
    """The matrix cosine of square matrices, shape (..., n, n); real for real matrices.

    Raises:
        ValueError: `A` is not square.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff.linalg import cosm
        >>> cosm(np.zeros((2, 2)))
        array([[1., 0.],
               [0., 1.]])
    """
    return _cosine(*_rotations("cosm", A))


def sinm(A: Array) -> Any:
    """The matrix sine of square matrices, shape (..., n, n); real for real matrices.

    Raises:
        ValueError: `A` is not square.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff.linalg import sinm
        >>> sinm(np.asarray([[0.0, 1.0], [0.0, 0.0]]))
        array([[0., 1.],
               [0., 0.]])
    """
    return _sine(*_rotations("sinm", A))


def tanm(A: Array) -> Any:
    """The matrix tangent of square matrices, shape (..., n, n): `inv(cosm(A)) @ sinm(A)`.

    Raises:
        ValueError: `A` is not square.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff.linalg import tanm
        >>> tanm(np.asarray([[0.0, 1.0], [0.0, 0.0]]))
        array([[0., 1.],
               [0., 0.]])
    """
    xp, *rotations = _rotations("tanm", A)
    return xp.linalg.solve(_cosine(xp, *rotations), _sine(xp, *rotations))


def coshm(A: Array) -> Any:
    """The hyperbolic matrix cosine of square matrices, shape (..., n, n).

    Raises:
        ValueError: `A` is not square.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff.linalg import coshm
        >>> coshm(np.zeros((2, 2)))
        array([[1., 0.],
               [0., 1.]])
    """
    _, A = square("coshm", A=A)
    return (expm(A) + expm(-A)) / 2


def sinhm(A: Array) -> Any:
    """The hyperbolic matrix sine of square matrices, shape (..., n, n).

    Raises:
        ValueError: `A` is not square.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff.linalg import sinhm
        >>> sinhm(np.asarray([[0.0, 1.0], [0.0, 0.0]]))
        array([[0., 1.],
               [0., 0.]])
    """
    _, A = square("sinhm", A=A)
    return (expm(A) - expm(-A)) / 2


def tanhm(A: Array) -> Any:
    """The hyperbolic matrix tangent of square matrices, shape (..., n, n): `inv(coshm(A)) @ sinhm(A)`.

    Raises:
        ValueError: `A` is not square.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff.linalg import tanhm
        >>> tanhm(np.asarray([[0.0, 1.0], [0.0, 0.0]]))
        array([[0., 1.],
               [0., 0.]])
    """
    xp, A = square("tanhm", A=A)
    forth, back = expm(A), expm(-A)
    return xp.linalg.solve((forth + back) / 2, (forth - back) / 2)
