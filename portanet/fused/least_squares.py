"""Linear least squares in closed form."""

from __future__ import annotations

from portanet import checks
from portanet.autodiff import array_namespace, unwrap
from portanet.backends import Array, device_of


def least_squares(x: Array, y: Array, l2: float = 0.0) -> Array:
    """The weights w that minimise `sum((x @ w - y)**2) + l2 * sum(w**2)`.

    Without a penalty the pseudo-inverse gives the solution of least norm. A penalty makes the normal equations regular,
    and these are solved.

    Args:
        x: Features of each example, shape (examples, features); a column of ones adds a constant term.
        y: Targets, shape (examples, outputs).
        l2: The penalty (ridge regression), non-negative.

    Returns:
        The weights, shape (features, outputs).

    Raises:
        ValueError: `l2` is negative, or the shapes do not fit.

    Example:
        >>> import numpy as np
        >>> x = np.stack([np.ones(5), np.arange(1.0, 6.0)], axis=1)
        >>> least_squares(x, np.asarray([[2.0], [3.0], [7.0], [8.0], [9.0]])).round(9).tolist()
        [[0.1], [1.9]]
    """
    l2 = checks.non_negative("l2", l2, "least_squares")
    if len(x.shape) != 2 or len(y.shape) != 2 or x.shape[0] != y.shape[0]:
        raise ValueError(
            "Arguments `x` and `y` must have shapes (examples, features) and (examples, outputs). "
            f"Received: shapes {tuple(x.shape)} and {tuple(y.shape)}"
        )
    xp = array_namespace(x, y)
    if l2 == 0:
        return xp.matmul(xp.linalg.pinv(x), y)
    transposed = xp.matrix_transpose(x)
    penalty = xp.eye(x.shape[1], dtype=x.dtype, device=device_of(unwrap(x))) * l2
    return xp.linalg.solve(xp.add(xp.matmul(transposed, x), penalty), xp.matmul(transposed, y))
