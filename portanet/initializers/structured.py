"""Random initial values of whole matrices."""

from __future__ import annotations

import math

import numpy as np

from portanet import checks
from portanet.backends import HostArray
from portanet.initializers.base import Initializer


class Orthogonal(Initializer):
    """A random matrix with orthonormal columns (or rows, if those are fewer), uniformly distributed.

    Weights of higher rank are matrices of shape (product of all axes but the last, last axis).

    Source: A. Saxe, J. McClelland and S. Ganguli, Exact Solutions to the Nonlinear Dynamics of Learning in Deep Linear
    Neural Networks (2014); the signs as in F. Mezzadri, How to Generate Random Matrices from the Classical Compact
    Groups (2007).

    Args:
        gain: Factor of the result, or `"relu"` for sqrt(2).
        seed: See `Initializer`.

    Example:
        >>> w = Orthogonal(seed=0)((4, 3))
        >>> (w.T @ w).round(6) + 0.0
        array([[1., 0., 0.],
               [0., 1., 0.],
               [0., 0., 1.]])
    """

    def __init__(self, gain: float | str = 1.0, seed: int | None = None) -> None:
        super().__init__(seed)
        by_name = isinstance(gain, str) and gain == "relu"
        self.gain = math.sqrt(2) if by_name else checks.number("gain", gain, of=type(self))

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> HostArray:
        if len(shape) < 2:
            raise ValueError(f"Orthogonal initializes weights of rank 2 or more. Received: shape={shape}")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        q, r = np.linalg.qr(generator.standard_normal((max(rows, columns), min(rows, columns))))
        q = q * np.where(np.diagonal(r) < 0, -1.0, 1.0)
        return np.asarray(self.gain * (q.T if rows < columns else q).reshape(shape))


class SVD(Initializer):
    """The singular vectors of a normal random matrix: orthonormal columns (or rows, if those are fewer), as in NumPyDL.

    Weights of higher rank are matrices of shape (product of all axes but the last, last axis).

    Args:
        seed: See `Initializer`.

    Example:
        >>> w = SVD(seed=0)((4, 3))
        >>> (w.T @ w).round(6) + 0.0
        array([[1., 0., 0.],
               [0., 1., 0.],
               [0., 0., 1.]])
    """

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> HostArray:
        if len(shape) < 2:
            raise ValueError(f"SVD initializes weights of rank 2 or more. Received: shape={shape}")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        left, _, right = np.linalg.svd(generator.standard_normal((rows, columns)), full_matrices=False)
        return np.asarray((left if rows >= columns else right).reshape(shape))


class Sparse(Initializer):
    """Zeros, except for a fixed number of normal weights into each unit (J. Martens, Deep Learning via Hessian-free
    Optimization, 2010).

    Args:
        connections: Number of non-zero weights into each unit (all of them, if it has fewer inputs).
        stddev: Standard deviation of these weights.
        seed: See `Initializer`.

    Example:
        >>> import numpy as np
        >>> np.count_nonzero(Sparse(connections=3, seed=0)((10, 4)), axis=0)
        array([3, 3, 3, 3])
    """

    def __init__(self, connections: int = 15, stddev: float = 1.0, seed: int | None = None) -> None:
        super().__init__(seed)
        self.connections = checks.positive_int("connections", connections, type(self))
        self.stddev = checks.positive("stddev", stddev, type(self))

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> HostArray:
        if len(shape) < 2:
            raise ValueError(f"Sparse initializes weights of rank 2 or more. Received: shape={shape}")
        rows, units = math.prod(shape[:-1]), shape[-1]
        # Taking the inputs with the smallest random values is a choice without replacement, per unit.
        chosen = np.argsort(generator.random((rows, units)), axis=0)[: self.connections]
        out = np.zeros((rows, units))
        np.put_along_axis(out, chosen, generator.normal(0.0, self.stddev, chosen.shape), axis=0)
        return out.reshape(shape)
