"""Features shifted and scaled to mean 0 and variance 1, by statistics of data that was seen before training."""

from __future__ import annotations

import math
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, storage
from portanet.backends import Array, HostArray, asarray, constant, to_host
from portanet.layers.base import Layer
from portanet.layers.preprocessing.adapting import batches_of, numbers_of
from portanet.layers.weights import assign_all

EPSILON = 1e-7


class Normalization(Layer):
    """`(x - mean) / sqrt(variance)`, with statistics from `adapt` or the arguments; as `keras.layers.Normalization`.

    Args:
        axis: Axis or axes whose every index has statistics of its own; None for one mean and variance of all.
        mean: Mean, a number or an array that broadcasts to these axes; with `variance`, in place of `adapt`.
        variance: Variance, likewise.
        invert: Whether to compute `x * sqrt(variance) + mean` instead.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Input: shape (batch, ...), any dtype. Output: the same shape, floating-point.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layer = layers.Normalization()
        >>> layer.adapt(np.asarray([[0.0, 7.0], [2.0, 9.0]]))
        >>> layer(np.asarray([[0.0, 9.0]])).tolist()
        [[-1.0, 1.0]]
    """

    independent_examples = True
    keeps_shape = True
    supports_masking = True
    casts_integers = True
    adapt_mean: Any = None
    """The mean of the data that `adapt` saw, a weight of the kept axes; None before, or where statistics are given."""
    adapt_variance: Any = None
    """Their variance, likewise."""
    _takes_lists = True

    def __init__(
        self, axis: Any = -1, mean: Any = None, variance: Any = None, invert: bool = False, **options: Any
    ) -> None:
        super().__init__(**options)
        axes = () if axis is None else tuple(axis) if isinstance(axis, (list, tuple)) else (axis,)
        self.axis = tuple(checks.integer("axis", each, self) for each in axes)
        self.invert = checks.boolean("invert", invert, self)
        if (mean is None) != (variance is None):
            name, value = ("variance", variance) if variance is None else ("mean", mean)
            raise checks.invalid(name, value, "given together with the other statistic", self)
        self._given = None if mean is None else (self._numbers("mean", mean), self._numbers("variance", variance))

    def _numbers(self, name: str, value: Any) -> HostArray:
        host = to_host(value)
        if host.dtype.kind not in "biuf" or host.ndim > len(self.axis):
            raise checks.invalid(name, value, f"a number or an array of at most {len(self.axis)} axes", self)
        return host.astype("float64")

    def build(self, input_shape: Any) -> None:
        ndim = len(input_shape)
        kept = {checks.axis("axis", axis, ndim, self) % ndim for axis in self.axis}
        self._reduced = tuple(axis for axis in range(ndim) if axis not in kept)
        shape = tuple(input_shape[axis] for axis in sorted(kept))
        if None in shape:
            raise ValueError(
                f"Layer '{self.name}' needs inputs whose size on axis {self.axis} is known. Received: {input_shape}"
            )
        self._broadcast = tuple(input_shape[axis] if axis in kept else 1 for axis in range(ndim))
        if self._given is not None:
            names = zip(("mean", "variance"), self._given, strict=True)
            self._spread_out = [self._spread(name, value, shape) for name, value in names]
        else:
            self.adapt_mean = self.add_weight(shape=shape, initializer="zeros", name="mean", trainable=False)
            self.adapt_variance = self.add_weight(shape=shape, initializer="ones", name="variance", trainable=False)
            self.count = self.add_weight(shape=(), initializer="zeros", name="count", dtype="int32", trainable=False)

    def _spread(self, name: str, value: HostArray, shape: tuple[int, ...]) -> HostArray:
        """A given statistic with an axis for each of the input's."""
        if any(size not in (1, n) for size, n in zip(value.shape[::-1], shape[::-1], strict=False)):
            raise checks.invalid(name, value, f"of a shape that broadcasts to {shape}", self)
        whole = to_host([0.0] * math.prod(shape)).reshape(shape) + value
        return whole.reshape(self._broadcast)

    def adapt(self, data: Any) -> None:
        """Compute mean and variance of data, in place of those before.

        Args:
            data: An array, or an iterable of batches, such as a `PyDataset`: arrays, or tuples that begin with one.
        """
        if self._given is not None:
            raise ValueError(f"Layer '{self.name}' has the statistics that were given. Received: data to adapt to")
        count, mean, spread = 0.0, 0.0, 0.0  # `spread` is the sum of squared deviations
        for batch in batches_of(data, self):
            host = numbers_of(batch, self)
            if not self._built:
                self.build(host.shape)
            if len(host.shape) != len(self._broadcast) or any(
                size not in (1, host.shape[axis]) for axis, size in enumerate(self._broadcast)
            ):
                raise ValueError(
                    f"Layer '{self.name}' was built for inputs of shape {self.build_shape}. "
                    f"Received: data of shape {host.shape}"
                )
            number = math.prod(host.shape[axis] for axis in self._reduced)
            if number == 0:
                continue
            own = host.mean(axis=self._reduced)
            total, change = count + number, own - mean
            mean = mean + change * (number / total)
            spread = spread + host.var(axis=self._reduced) * number + change**2 * (count * number / total)
            count = total
        if count == 0:
            raise ValueError(f"Argument `data` of layer '{self.name}' must not be empty. Received: {data!r}")
        assign_all(self.name, [self.adapt_mean, self.adapt_variance], [mean, spread / count])

    @property
    def input_mean(self) -> Any:
        """The mean that was given; None if data are to tell it."""
        return None if self._given is None else self._given[0]

    @property
    def input_variance(self) -> Any:
        """The variance, likewise."""
        return None if self._given is None else self._given[1]

    @property
    def mean(self) -> Any:
        """The mean, with an axis for each of the input's; None before the layer is built."""
        return self._statistics()[0]

    @property
    def variance(self) -> Any:
        """The variance, likewise."""
        return self._statistics()[1]

    def _statistics(self) -> tuple[Any, Any]:
        if not self._built:
            return None, None
        if self._given is not None:
            mean, variance = (asarray(value, self.compute_dtype) for value in self._spread_out)
        else:
            weights = self.adapt_mean, self.adapt_variance
            mean, variance = (array_namespace(v.value).reshape(v.value, self._broadcast) for v in weights)
        return mean, variance

    def finalize_state(self) -> None:
        """Nothing, for Keras's scripts: `mean` and `variance` are always those of the weights."""

    def call(self, x: Array) -> Array:
        for axis, size in enumerate(self._broadcast, -len(self._broadcast)):  # there may be more axes before
            if size != 1 and -axis <= x.ndim:
                self.require_axis(x, axis, size)
        if self._given is None:
            mean, variance = self._statistics()
        else:
            mean, variance = (constant(storage(x), v.tolist(), x.dtype) for v in self._spread_out)
        xp = array_namespace(x, mean, variance)
        deviation = xp.maximum(xp.sqrt(variance), EPSILON)
        return x * deviation + mean if self.invert else (x - mean) / deviation

    def _arguments(self) -> dict[str, Any]:
        config = super()._arguments()
        if self._given is not None:
            config["mean"], config["variance"] = (v.tolist() for v in self._given)
        return config
