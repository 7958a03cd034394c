"""`npdl.initializations`: initial weights, drawn from the package's generator."""

from __future__ import annotations

import copy
import math
import operator
from typing import Any

import numpy as np

from portanet import initializers
from portanet.backends import Array, HostArray, to_host
from portanet.compat.numpydl import extending
from portanet.compat.numpydl.utils.random import generator, to_array, to_float
from portanet.configurable import Configurable
from portanet.lookup import lookup, names


class Initializer(Configurable):
    """Draws weights: `initializer(size)` returns an array of the backend in use.

    Subclasses implement `call(size)`.

    Example:
        >>> import numpy as np
        >>> class Halves(Initializer):
        ...     def call(self, size):
        ...         return np.full(size, 0.5)
        >>> Halves()((2,)).tolist()
        [0.5, 0.5]
    """

    def draw(self, size: tuple[int, ...], source: np.random.Generator) -> HostArray:
        """The weights as a NumPy array, in NumPyDL's layouts."""
        raise extending.missing(self, "call(size)")

    def call(self, size: Any) -> Array:
        """An array of that size.

        Args:
            size: One or several integers. Kernels of convolutions have the shape (filters, channels, rows, columns).
        """
        shape = (operator.index(size),) if np.ndim(size) == 0 else tuple(map(operator.index, size))
        return to_array(self.draw(shape, generator()))

    def __call__(self, size: Any) -> Array:
        """The result of `call`, in the package's dtype."""
        return to_float(self.call(size))

    def for_portanet(self, shape: tuple[int, ...], _: np.random.Generator) -> HostArray:
        """The initializer for a layer of portanet; it still draws from the package's generator."""
        if len(shape) == 4:  # (rows, columns, channels, filters)
            return to_host(self((shape[3], shape[2], *shape[:2]))).transpose(2, 3, 1, 0)
        return to_host(self(shape))

    def __str__(self) -> str:
        return type(self).__name__


def decompose_size(size: Any) -> tuple[int, int]:
    """The fan-in and fan-out of weights of a shape.

    Args:
        size: Shape of the weights.

    Example:
        >>> decompose_size((10, 20)), decompose_size((8, 3, 5, 5))
        ((10, 20), (75, 200))
    """
    if len(size) == 2:
        return int(size[0]), int(size[1])
    if len(size) in (4, 5):
        field = math.prod(size[2:])
        return int(size[1] * field), int(size[0] * field)
    fan = math.isqrt(math.prod(size))
    return fan, fan


class Zero(Initializer):
    """All zeros.

    Example:
        >>> Zero()((2, 2)).tolist()
        [[0.0, 0.0], [0.0, 0.0]]
    """

    def draw(self, size: tuple[int, ...], source: np.random.Generator) -> HostArray:
        return np.zeros(size)


class One(Initializer):
    """All ones.

    Example:
        >>> One()((2, 2)).tolist()
        [[1.0, 1.0], [1.0, 1.0]]
    """

    def draw(self, size: tuple[int, ...], source: np.random.Generator) -> HostArray:
        return np.ones(size)


class Uniform(Initializer):
    """Uniform in [-scale, scale], or between two values.

    Args:
        scale: The bound, or both bounds.

    Example:
        >>> bool(abs(Uniform(scale=0.1)((3, 4))).max() <= 0.1)
        True
    """

    def __init__(self, scale: float | tuple[float, float] = 0.05) -> None:
        self.scale = scale

    def draw(self, size: tuple[int, ...], source: np.random.Generator) -> HostArray:
        low, high = self.scale if isinstance(self.scale, (list, tuple)) else (-self.scale, self.scale)
        return source.uniform(low, high, size)


class Normal(Initializer):
    """Normal with the given mean and standard deviation.

    Args:
        std: The standard deviation.
        mean: The mean.

    Example:
        >>> Normal(std=0.1)((3, 4)).shape
        (3, 4)
    """

    def __init__(self, std: float = 0.01, mean: float = 0.0) -> None:
        self.std = std
        self.mean = mean

    def draw(self, size: tuple[int, ...], source: np.random.Generator) -> HostArray:
        return source.normal(self.mean, self.std, size)


class _Scaled(Initializer):
    """Variance `scale / fan`."""

    scale, mode, distribution = 1.0, "fan_in", "uniform"

    def draw(self, size: tuple[int, ...], source: np.random.Generator) -> HostArray:
        fan_in, fan_out = decompose_size(size)
        std = math.sqrt(self.scale / max(1.0, fan_in if self.mode == "fan_in" else (fan_in + fan_out) / 2))
        if self.distribution == "uniform":
            return source.uniform(-math.sqrt(3.0) * std, math.sqrt(3.0) * std, size)
        return source.normal(0.0, std, size)


class LecunUniform(_Scaled):
    """Uniform within sqrt(3 / fan_in).

    Example:
        >>> LecunUniform()((3, 4)).shape
        (3, 4)
    """


class GlorotUniform(_Scaled):
    """Uniform within sqrt(6 / (fan_in + fan_out)).

    Example:
        >>> GlorotUniform()((3, 4)).shape
        (3, 4)
    """

    mode = "fan_avg"


class GlorotNormal(_Scaled):
    """Normal of standard deviation sqrt(2 / (fan_in + fan_out)).

    Example:
        >>> GlorotNormal()((3, 4)).shape
        (3, 4)
    """

    mode, distribution = "fan_avg", "untruncated_normal"


class HeNormal(_Scaled):
    """Normal of standard deviation sqrt(2 / fan_in).

    Example:
        >>> HeNormal()((3, 4)).shape
        (3, 4)
    """

    scale, distribution = 2.0, "untruncated_normal"


class HeUniform(_Scaled):
    """Uniform within sqrt(6 / fan_in).

    Example:
        >>> HeUniform()((3, 4)).shape
        (3, 4)
    """

    scale = 2.0


class Orthogonal(Initializer):
    """A random orthogonal matrix times `gain`; `gain="relu"` is sqrt(2) (Saxe et al. 2014).

    The axes after the first two are flattened into the second.

    Args:
        gain: The factor; `"relu"` for the square root of 2.

    Example:
        >>> Orthogonal()((3, 3)).shape
        (3, 3)
    """

    def __init__(self, gain: float | str = 1.0) -> None:
        self.gain = math.sqrt(2) if gain == "relu" else float(gain)

    def draw(self, size: tuple[int, ...], source: np.random.Generator) -> HostArray:
        return initializers.Orthogonal(self.gain).draw(_matrix(self, size), source).reshape(size)


class SVD(Initializer):
    """The singular vectors of a normal random matrix: orthogonal. Axes are flattened as by `Orthogonal`.

    Example:
        >>> SVD()((3, 3)).shape
        (3, 3)
    """

    def draw(self, size: tuple[int, ...], source: np.random.Generator) -> HostArray:
        return initializers.SVD().draw(_matrix(self, size), source).reshape(size)


def _matrix(initializer: Initializer, size: tuple[int, ...]) -> tuple[int, int]:
    if len(size) < 2:
        raise ValueError(f"{initializer} initializes weights of rank 2 or more. Received: size={size}")
    return size[0], math.prod(size[1:])


# Names that NumPyDL's applications import.
_zero, _one = Zero(), One()

KNOWN: dict[str, Any] = names(
    Zero, One, Uniform, Normal, LecunUniform, GlorotUniform, GlorotNormal, HeNormal, HeUniform, Orthogonal, SVD
)


def get(initialization: Any) -> Initializer:
    """An initializer by name, class or object; an object is copied.

    Args:
        initialization: A name, class or object.

    Example:
        >>> get("one")((2,)).tolist()
        [1.0, 1.0]
    """
    if isinstance(initialization, Initializer):
        return copy.deepcopy(initialization)
    result: Initializer = lookup("initialization", initialization, KNOWN)
    return result
