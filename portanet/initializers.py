"""Initial values of weights, drawn on the host, so that they are the same bits on every backend."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from portanet.backends import HostArray
from portanet.configurable import Configurable
from portanet.lookup import lookup, names


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Number of inputs and outputs of a unit, from a kernel's shape: (..., inputs, outputs).

    Example:
        >>> fans((3, 3, 16, 32))
        (144, 288)
    """
    if len(shape) < 2:
        size = math.prod(shape)
        return size, size
    field = math.prod(shape[:-2])
    return field * shape[-2], field * shape[-1]


class Initializer(Configurable):
    """Draws the initial values of a weight: `initializer(shape, generator)` gives a float64 NumPy array."""

    def __call__(self, shape: tuple[int, ...], generator: np.random.Generator) -> HostArray:
        raise NotImplementedError


class Zeros(Initializer):
    """All zeros."""

    def __call__(self, shape: tuple[int, ...], generator: np.random.Generator) -> HostArray:
        return np.zeros(shape)


class Ones(Initializer):
    """All ones."""

    def __call__(self, shape: tuple[int, ...], generator: np.random.Generator) -> HostArray:
        return np.ones(shape)


class VarianceScaling(Initializer):
    """Variance `scale / fan`, so that signals keep their size from layer to layer.

    Args:
        scale: The factor.
        mode: Which fan to divide by: `"fan_in"`, `"fan_out"` or `"fan_avg"`.
        distribution: `"truncated_normal"` (redrawn beyond two standard deviations), `"untruncated_normal"` or
            `"uniform"`.

    Example:
        >>> import numpy as np
        >>> w = VarianceScaling(2.0)((500, 400), np.random.default_rng(0))
        >>> round(float(w.std()), 3)
        0.063
    """

    def __init__(self, scale: float = 1.0, mode: str = "fan_in", distribution: str = "truncated_normal") -> None:
        if scale <= 0:
            raise ValueError(f"Argument `scale` must be positive. Received: scale={scale!r}")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(f"Argument `mode` must be 'fan_in', 'fan_out' or 'fan_avg'. Received: mode={mode!r}")
        if distribution not in ("truncated_normal", "untruncated_normal", "uniform"):
            raise ValueError(
                "Argument `distribution` must be 'truncated_normal', 'untruncated_normal' or 'uniform'. "
                f"Received: distribution={distribution!r}"
            )
        self.scale = scale
        self.mode = mode
        self.distribution = distribution

    def __call__(self, shape: tuple[int, ...], generator: np.random.Generator) -> HostArray:
        fan_in, fan_out = fans(shape)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        std = math.sqrt(self.scale / max(1.0, fan))
        if self.distribution == "uniform":
            limit = math.sqrt(3.0) * std
            return generator.uniform(-limit, limit, shape)
        if self.distribution == "untruncated_normal":
            return generator.normal(0.0, std, shape)
        # The standard deviation of a normal cut off at 2 is 0.8796...
        return truncated_normal(shape, generator) * (std / 0.87962566103423978)


def truncated_normal(shape: tuple[int, ...], generator: np.random.Generator) -> HostArray:
    """Standard normal numbers, redrawn beyond two standard deviations."""
    out = generator.standard_normal(shape)
    while (beyond := np.abs(out) > 2).any():
        out[beyond] = generator.standard_normal(int(beyond.sum()))
    return out


class GlorotUniform(VarianceScaling):
    """Uniform within sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010)."""

    def __init__(self) -> None:
        super().__init__(1.0, "fan_avg", "uniform")


class HeNormal(VarianceScaling):
    """Truncated normal of variance 2 / fan_in, for relu (He et al. 2015)."""

    def __init__(self) -> None:
        super().__init__(2.0, "fan_in", "truncated_normal")


class Orthogonal(Initializer):
    """A random orthogonal matrix (orthonormal rows or columns, whichever are fewer) times `gain` (Saxe et al. 2014).

    Axes before the last are taken together.

    Args:
        gain: The factor.

    Example:
        >>> import numpy as np
        >>> w = Orthogonal()((2, 3), np.random.default_rng(0))
        >>> (w @ w.T).round(6) + 0.0
        array([[1., 0.],
               [0., 1.]])
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: tuple[int, ...], generator: np.random.Generator) -> HostArray:
        if len(shape) < 2:
            raise ValueError(f"Orthogonal needs a shape of at least two axes. Received: shape={shape}")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        q, r = np.linalg.qr(generator.standard_normal((max(rows, columns), min(rows, columns))))
        q = q * np.where(np.diag(r) < 0, -1.0, 1.0)  # so that every orthogonal matrix is as likely
        return self.gain * np.reshape(q if rows >= columns else q.T, shape)


INITIALIZERS = names(Zeros, Ones, VarianceScaling, GlorotUniform, HeNormal, Orthogonal)


def get(identifier: Any) -> Any:
    """An initializer by name, or the object given."""
    return lookup("initializer", identifier, INITIALIZERS)
