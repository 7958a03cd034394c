"""Random initial values, drawn element by element, with a given scale or one derived from the fans."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from portanet import checks
from portanet.backends import HostArray
from portanet.initializers.base import Initializer, axes_of_units, fans


class RandomNormal(Initializer):
    """Normally distributed values.

    Args:
        mean: The mean.
        stddev: The standard deviation.
        seed: See `Initializer`.

    Example:
        >>> round(float(RandomNormal(stddev=0.1, seed=0)((1000,)).std()), 2)
        0.1
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        super().__init__(seed)
        self.mean = checks.number("mean", mean, of=type(self))
        self.stddev = checks.positive("stddev", stddev, type(self))

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> HostArray:
        return generator.normal(self.mean, self.stddev, shape)


class TruncatedNormal(Initializer):
    """Normally distributed values, redrawn beyond two standard deviations.

    Args:
        mean: The mean.
        stddev: Standard deviation before redrawing, which reduces it by the factor 0.88.
        seed: See `Initializer`.

    Example:
        >>> float(abs(TruncatedNormal(seed=0)((1000,))).max()) <= 0.1
        True
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        super().__init__(seed)
        self.mean = checks.number("mean", mean, of=type(self))
        self.stddev = checks.positive("stddev", stddev, type(self))

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> HostArray:
        return self.mean + self.stddev * truncated_normal(shape, generator)


class RandomUniform(Initializer):
    """Uniformly distributed values.

    Args:
        minval: Lower bound.
        maxval: Upper bound.
        seed: See `Initializer`.

    Example:
        >>> float(abs(RandomUniform(seed=0)((1000,))).max()) <= 0.05
        True
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None) -> None:
        super().__init__(seed)
        self.minval = checks.number("minval", minval, of=type(self))
        self.maxval = checks.number("maxval", maxval, of=type(self))
        if minval >= maxval:
            raise ValueError(
                "Argument `minval` of RandomUniform must be below `maxval`. "
                f"Received: minval={minval!r}, maxval={maxval!r}"
            )

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> HostArray:
        return generator.uniform(self.minval, self.maxval, shape)


class VarianceScaling(Initializer):
    """Variance `scale / fan`, so that signals keep their scale from layer to layer.

    Args:
        scale: The factor.
        mode: Which fan to divide by: `"fan_in"`, `"fan_out"` or `"fan_avg"`.
        distribution: `"truncated_normal"` (redrawn beyond two standard deviations), `"untruncated_normal"` or
            `"uniform"`.
        seed: See `Initializer`.
        input_axes: Axes of a unit's inputs in the shape, with `output_axes`; by default see `fans`.
        output_axes: Axes of its outputs.

    Example:
        >>> w = VarianceScaling(2.0, seed=0)((500, 400))
        >>> round(float(w.std()), 3)
        0.063
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(seed)
        self.scale = checks.positive("scale", scale, type(self))
        self.mode = checks.choice("mode", mode, ("fan_in", "fan_out", "fan_avg"), type(self))
        known = ("truncated_normal", "untruncated_normal", "uniform", "normal")
        self.distribution = checks.choice("distribution", distribution, known, type(self))
        if self.distribution == "normal":
            self.distribution = "truncated_normal"
        self.input_axes, self.output_axes = axes_of_units(input_axes, output_axes, type(self))

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> HostArray:
        fan_in, fan_out = fans(shape, self.input_axes, self.output_axes)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        std = math.sqrt(self.scale / max(1.0, fan))
        if self.distribution == "uniform":
            limit = math.sqrt(3.0) * std
            return generator.uniform(-limit, limit, shape)
        if self.distribution == "untruncated_normal":
            return generator.normal(0.0, std, shape)
        # The standard deviation of a normal truncated at 2 is 0.8796...
        return truncated_normal(shape, generator) * (std / 0.87962566103423978)


def with_axes(initializer: Any, inputs: Sequence[int], outputs: Sequence[int]) -> Any:
    """An initializer that takes its fans from these axes, unless it has axes itself."""
    if not isinstance(initializer, VarianceScaling) or initializer.input_axes is not None:
        return initializer
    initializer = copy.copy(initializer)
    initializer.input_axes, initializer.output_axes = tuple(inputs), tuple(outputs)
    return initializer


def truncated_normal(shape: tuple[int, ...], generator: np.random.Generator) -> HostArray:
    """Standard normal values, redrawn beyond two standard deviations."""
    out = np.asarray(generator.standard_normal(shape))
    while (outside := np.abs(out) > 2).any():
        out[outside] = generator.standard_normal(int(outside.sum()))
    return out


class GlorotUniform(VarianceScaling):
    """Uniform within sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010).

    Args:
        seed: See `Initializer`.
        input_axes: See `VarianceScaling`.
        output_axes: See `VarianceScaling`.

    Example:
        >>> round(float(abs(GlorotUniform(seed=0)((300, 300))).max()), 2)
        0.1
    """

    def __init__(
        self,
        seed: int | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(1.0, "fan_avg", "uniform", seed, input_axes, output_axes)


class GlorotNormal(VarianceScaling):
    """Truncated normal of variance 2 / (fan_in + fan_out) (Glorot and Bengio 2010).

    Args:
        seed: See `Initializer`.
        input_axes: See `VarianceScaling`.
        output_axes: See `VarianceScaling`.

    Example:
        >>> round(float(GlorotNormal(seed=0)((200, 200)).std()), 2)
        0.07
    """

    def __init__(
        self,
        seed: int | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(1.0, "fan_avg", "truncated_normal", seed, input_axes, output_axes)


class HeUniform(VarianceScaling):
    """Uniform within sqrt(6 / fan_in), for relu (He et al. 2015).

    Args:
        seed: See `Initializer`.
        input_axes: See `VarianceScaling`.
        output_axes: See `VarianceScaling`.

    Example:
        >>> round(float(abs(HeUniform(seed=0)((600, 100))).max()), 2)
        0.1
    """

    def __init__(
        self,
        seed: int | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(2.0, "fan_in", "uniform", seed, input_axes, output_axes)


class HeNormal(VarianceScaling):
    """Truncated normal of variance 2 / fan_in, for relu (He et al. 2015).

    Args:
        seed: See `Initializer`.
        input_axes: See `VarianceScaling`.
        output_axes: See `VarianceScaling`.

    Example:
        >>> round(float(HeNormal(seed=0)((200, 200)).std()), 2)
        0.1
    """

    def __init__(
        self,
        seed: int | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(2.0, "fan_in", "truncated_normal", seed, input_axes, output_axes)


class LecunUniform(VarianceScaling):
    """Uniform within sqrt(3 / fan_in) (LeCun et al. 1998).

    Args:
        seed: See `Initializer`.
        input_axes: See `VarianceScaling`.
        output_axes: See `VarianceScaling`.

    Example:
        >>> round(float(abs(LecunUniform(seed=0)((300, 100))).max()), 2)
        0.1
    """

    def __init__(
        self,
        seed: int | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(1.0, "fan_in", "uniform", seed, input_axes, output_axes)


class LecunNormal(VarianceScaling):
    """Truncated normal of variance 1 / fan_in (LeCun et al. 1998), for selu.

    Args:
        seed: See `Initializer`.
        input_axes: See `VarianceScaling`.
        output_axes: See `VarianceScaling`.

    Example:
        >>> round(float(LecunNormal(seed=0)((100, 400)).std()), 2)
        0.1
    """

    def __init__(
        self,
        seed: int | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(1.0, "fan_in", "truncated_normal", seed, input_axes, output_axes)


class FanIn(VarianceScaling):
    """Normal, not truncated, of standard deviation m^(-1/2), where m is the fan-in (LeCun et al. 1998).

    Args:
        seed: See `Initializer`.
        input_axes: See `VarianceScaling`.
        output_axes: See `VarianceScaling`.

    Example:
        >>> round(float(FanIn(seed=0)((100, 300)).std()), 2)
        0.1
    """

    def __init__(
        self,
        seed: int | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(1.0, "fan_in", "untruncated_normal", seed, input_axes, output_axes)
