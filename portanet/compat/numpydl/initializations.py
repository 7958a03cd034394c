"""`npdl.initializations`: initial weights, drawn from the package's generator."""

from __future__ import annotations

from typing import Any

import numpy as np

from portanet import initializers
from portanet.backends import Array, HostArray
from portanet.compat.numpydl.utils.random import generator, to_array
from portanet.configurable import Configurable
from portanet.lookup import lookup, names


class Initializer(Configurable):
    """Draws weights: `initializer(size)` gives an array of the backend in use."""

    def draw(self, size: tuple[int, ...], source: np.random.Generator) -> HostArray:
        """The weights as a NumPy array."""
        raise NotImplementedError(f"{type(self).__name__} does not implement draw(size, source).")

    def __call__(self, size: Any) -> Array:
        """An array of that size."""
        return to_array(self.draw(tuple(size), generator()))

    def for_portanet(self, shape: tuple[int, ...], _: np.random.Generator) -> HostArray:
        """What a layer of portanet asks of an initializer; the package's generator is used all the same."""
        return self.draw(shape, generator())

    def __str__(self) -> str:
        return type(self).__name__


class Zero(Initializer):
    """All zeros."""

    def draw(self, size: tuple[int, ...], source: np.random.Generator) -> HostArray:
        return np.zeros(size)


class One(Initializer):
    """All ones."""

    def draw(self, size: tuple[int, ...], source: np.random.Generator) -> HostArray:
        return np.ones(size)


class Uniform(Initializer):
    """Uniform in [-scale, scale]."""

    def __init__(self, scale: float = 0.05) -> None:
        self.scale = scale

    def draw(self, size: tuple[int, ...], source: np.random.Generator) -> HostArray:
        return source.uniform(-self.scale, self.scale, size)


class Normal(Initializer):
    """Normal with a mean and standard deviation."""

    def __init__(self, std: float = 0.01, mean: float = 0.0) -> None:
        self.std = std
        self.mean = mean

    def draw(self, size: tuple[int, ...], source: np.random.Generator) -> HostArray:
        return source.normal(self.mean, self.std, size)


class _Scaled(Initializer):
    """Variance `scale / fan`."""

    scale, mode, distribution = 1.0, "fan_in", "uniform"

    def draw(self, size: tuple[int, ...], source: np.random.Generator) -> HostArray:
        return initializers.VarianceScaling(self.scale, self.mode, self.distribution)(size, source)


class LecunUniform(_Scaled):
    """Uniform within sqrt(3 / fan_in)."""


class GlorotUniform(_Scaled):
    """Uniform within sqrt(6 / (fan_in + fan_out))."""

    mode = "fan_avg"


class GlorotNormal(_Scaled):
    """Normal of standard deviation sqrt(2 / (fan_in + fan_out))."""

    mode, distribution = "fan_avg", "untruncated_normal"


class HeNormal(_Scaled):
    """Normal of standard deviation sqrt(2 / fan_in)."""

    scale, distribution = 2.0, "untruncated_normal"


class HeUniform(_Scaled):
    """Uniform within sqrt(6 / fan_in)."""

    scale = 2.0


class Orthogonal(Initializer):
    """A random orthogonal matrix times `gain`; `gain="relu"` is sqrt(2) (Saxe et al. 2014)."""

    def __init__(self, gain: float | str = 1.0) -> None:
        self.gain = gain

    def draw(self, size: tuple[int, ...], source: np.random.Generator) -> HostArray:
        gain = np.sqrt(2) if self.gain == "relu" else float(self.gain)
        return initializers.Orthogonal(float(gain))(size, source)


class SVD(Initializer):
    """The singular vectors of a normal random matrix: orthogonal."""

    def draw(self, size: tuple[int, ...], source: np.random.Generator) -> HostArray:
        return initializers.SVD()(size, source)


KNOWN: dict[str, Any] = names(
    Zero, One, Uniform, Normal, LecunUniform, GlorotUniform, GlorotNormal, HeNormal, HeUniform, Orthogonal, SVD
)


def get(initialization: Any) -> Initializer:
    """An initializer by name, class or object.

    Example:
        >>> get("one")((2,)).tolist()
        [1.0, 1.0]
    """
    if isinstance(initialization, Initializer):
        return initialization
    found: Initializer = lookup("initialization", initialization, KNOWN)
    return found
