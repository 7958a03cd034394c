"""Batch normalisation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from portanet import checks, initializers
from portanet.autodiff import array_namespace, stop_gradient, storage, unwrap
from portanet.backends import Array, elementwise, raw_namespace
from portanet.distribution.share import fraction, over_batch, share
from portanet.fused.normalization import normalize
from portanet.layers.normalization.affine_normalization import (
    AffineNormalization,
    positive_axes,
    require_same_rank,
    widened,
)
from portanet.variables import Variable


class BatchNormalization(AffineNormalization):
    """Give each feature mean 0 and variance 1, then multiply by `gamma` and add `beta` (Ioffe and Szegedy 2015).

    As `keras.layers.BatchNormalization`. In training, mean and variance are those of the batch, and their running
    averages are updated: `moving = momentum * moving + (1 - momentum) * batch`. At inference, and if the layer is not
    trainable, the running averages are used.

    Args:
        axis: The axis or axes of the features, each with separate statistics.
        momentum: Momentum of the running averages.
        epsilon: Added to the variance.
        center: Whether to add `beta`.
        scale: Whether to multiply by `gamma`.
        beta_initializer: Initial values of `beta`.
        gamma_initializer: Initial values of `gamma`.
        moving_mean_initializer: Initial running mean.
        moving_variance_initializer: Initial running variance.
        beta_regularizer: Name or function: penalty on `beta`, added to the loss.
        gamma_regularizer: Likewise on `gamma`.
        beta_constraint: Name or function applied to `beta` after each update.
        gamma_constraint: Likewise to `gamma`.
        renorm: Whether outputs in training, too, are those of running averages, with the batch's gradients (batch
            renormalization, Ioffe 2017).
        renorm_clipping: Limits of its corrections, by name: `rmin` and `rmax` of the factor, `dmax` of the offset.
        renorm_momentum: Momentum of its running averages.
        synchronized: Whether statistics are those of the whole batch where several processes compute it (see
            `portanet.distribution`), rather than of the part that each computes.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Input: any shape. Output: the same shape and dtype. With a `mask` that broadcasts to the leading axes, statistics
    are taken where it is True.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layer, x = layers.BatchNormalization(epsilon=0.0), np.asarray([[1.0], [3.0]], dtype="float32")
        >>> layer(x, training=True).ravel(), layer(x).round(2).ravel()
        (array([-1.,  1.], dtype=float32), array([0.98, 2.98], dtype=float32))
    """

    supports_masking = True

    def __init__(
        self,
        axis: int | list[int] | tuple[int, ...] = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Mapping[str, float] | None = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(
            epsilon,
            center,
            scale,
            beta_initializer,
            gamma_initializer,
            beta_regularizer,
            gamma_regularizer,
            beta_constraint,
            gamma_constraint,
            **options,
        )
        self.axis = checks.one_or_several("axis", axis, self)
        self.momentum = checks.number("momentum", momentum, "[0, 1]", self)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer, "moving_mean_initializer", self)
        self.moving_variance_initializer = initializers.get(
            moving_variance_initializer, "moving_variance_initializer", self
        )
        self.renorm = checks.boolean("renorm", renorm, self)
        self.renorm_clipping = self._limits(renorm_clipping)
        self.renorm_momentum = checks.number("renorm_momentum", renorm_momentum, "[0, 1]", self)
        self.synchronized = checks.boolean("synchronized", synchronized, self)

    def _limits(self, clipping: Any) -> dict[str, float]:
        limits = {} if clipping is None else dict(checks.mapping("renorm_clipping", clipping, self))
        limits = {key: value for key, value in limits.items() if value is not None}
        if not limits.keys() <= {"rmin", "rmax", "dmax"}:
            raise checks.invalid("renorm_clipping", clipping, "a dict with the keys 'rmin', 'rmax' and 'dmax'", self)
        limits = {key: checks.non_negative(f"renorm_clipping[{key!r}]", value, self) for key, value in limits.items()}
        if limits.get("rmin", 0.0) > limits.get("rmax", math.inf):
            raise checks.invalid("renorm_clipping", clipping, "a dict with rmin of at most rmax", self)
        return limits

    def build(self, input_shape: Any) -> None:
        self.axes = positive_axes(self, self.axis, input_shape)
        self.sizes = tuple(input_shape[a] for a in self.axes)
        self.add_affine(self.sizes)
        self.moving_mean = self.add_weight(
            shape=self.sizes,
            initializer=self.moving_mean_initializer,
            name="moving_mean",
            trainable=False,
            autocast=False,
        )
        self.moving_variance = self.add_weight(
            shape=self.sizes,
            initializer=self.moving_variance_initializer,
            name="moving_variance",
            trainable=False,
            autocast=False,
        )
        if self.renorm:

            def stddev(*args: Any) -> Any:
                return self.moving_variance_initializer(*args) ** 0.5

            initial = {"moving_stddev": stddev, "renorm_mean": self.moving_mean_initializer, "renorm_stddev": stddev}
            self.moving_stddev, self.renorm_mean, self.renorm_stddev = (
                self.add_weight(shape=self.sizes, initializer=values, name=name, trainable=False, autocast=False)
                for name, values in initial.items()
            )

    def call(self, x: Array, training: bool = False, mask: Array | None = None) -> Array:
        require_same_rank(self, x)
        for axis, size in zip(self.axes, self.sizes, strict=True):
            self.require_axis(x, axis, size)
        shape = tuple(n if i in self.axes else 1 for i, n in enumerate(x.shape))
        x, restore = widened(self, x)
        if not (training and self.trainable):
            return restore(self._with_running_statistics(x, shape))
        others = tuple(i for i in range(x.ndim) if i not in self.axes)
        if math.prod(x.shape[i] for i in others) == 0:
            raise ValueError(
                f"Layer '{self.name}' cannot take statistics of no examples. Received: shape {tuple(x.shape)}"
            )
        together = self.synchronized and share() is not None
        if mask is None and not self.renorm and not together:
            out, mean, variance = self.normalized(x, others, shape)
        else:
            if mask is not None:
                y, mean, variance = self._masked(x, others, mask)
            elif together:
                y, mean, variance = self._with_other_processes(x, others)
            else:
                y, mean, variance = normalize(x, axes=others, epsilon=self.epsilon)
            out = self._scaled(self._renormalized(y, mean, variance) if self.renorm else y, shape)
        self._update(self.moving_mean, mean, self.momentum)
        if not self.renorm:
            self._update(self.moving_variance, variance, self.momentum)
        return restore(out)

    def _renormalized(self, y: Array, mean: Array, variance: Array) -> Array:
        """Normalized values, corrected to those of running averages by numbers that have no derivative."""
        mean, variance = unwrap(mean), unwrap(variance)
        averages = [unwrap(v.value) for v in (self.renorm_mean, self.renorm_stddev)]
        xp = _namespace(averages[0], mean)
        own_mean, own_stddev = (xp.astype(xp.reshape(v, mean.shape), mean.dtype, copy=False) for v in averages)
        stddev, own_stddev = xp.sqrt(variance + self.epsilon), xp.maximum(own_stddev, self.epsilon**0.5)
        factor, offset = stddev / own_stddev, (mean - own_mean) / own_stddev
        limits = self.renorm_clipping
        if "rmin" in limits:
            factor = xp.maximum(factor, limits["rmin"])
        if "rmax" in limits:
            factor = xp.minimum(factor, limits["rmax"])
        if "dmax" in limits:
            offset = xp.clip(offset, -limits["dmax"], limits["dmax"])
        self._update(self.renorm_mean, mean, self.renorm_momentum)
        self._update(self.renorm_stddev, stddev, self.renorm_momentum)
        self._update(self.moving_stddev, stddev, self.momentum)
        moving = unwrap(self.moving_stddev.value)
        self.moving_variance.assign(raw_namespace(moving).maximum(moving * moving - self.epsilon, 0.0))
        return array_namespace(y).multiply(y, factor) + offset

    def _with_running_statistics(self, x: Array, shape: tuple[int, ...]) -> Array:
        """Normalise by the running averages, with one product and one sum per feature."""
        mean, variance = self.moving_mean.value, self.moving_variance.value
        weights = [v.value for v in (*([self.gamma] if self.scale else []), *([self.beta] if self.center else []))]
        xp = array_namespace(mean, variance, *weights)
        factor = 1 / xp.sqrt(variance + self.epsilon)
        if self.scale:
            factor = xp.multiply(factor, weights[0])
        offset = xp.multiply(-mean, factor)
        if self.center:
            offset = xp.add(offset, weights[-1])
        xp = array_namespace(x, factor, offset)
        factor, offset = (xp.astype(xp.reshape(v, shape), x.dtype, copy=False) for v in (factor, offset))
        return xp.multiply(x, factor) + offset

    def _masked(self, x: Array, others: tuple[int, ...], mask: Array) -> tuple[Array, Array, Array]:
        """Normalise by the statistics where `mask` is True."""
        mask = stop_gradient(mask)
        lead = tuple(mask.shape)
        if len(lead) >= x.ndim or any(m not in (1, n) for m, n in zip(lead, x.shape, strict=False)):
            raise ValueError(
                f"Layer '{self.name}' needs a mask that broadcasts to the leading axes of its input. "
                f"Received: a mask of shape {lead} for an input of shape {tuple(x.shape)}"
            )
        xp, own = array_namespace(x), array_namespace(mask)
        mask = own.astype(own.reshape(mask, (*lead, *(1,) * (x.ndim - len(lead)))), own.bool)
        # 0 times NaN is NaN, in gradients too.
        x = xp.where(xp.logical_or(xp.isfinite(x), mask), x, 0.0)
        inside = xp.astype(own.broadcast_to(mask, x.shape), x.dtype)
        total = over_batch if self.synchronized else _as_it_is
        # As Keras; a mask without True must not divide by 0.
        count = total(xp.sum(inside, axis=others, keepdims=True)) + 1e-7
        mean = total(xp.sum(xp.where(mask, x, 0.0), axis=others, keepdims=True)) / count
        y = xp.subtract(x, mean)
        variance = total(xp.sum(xp.where(mask, y * y, 0.0), axis=others, keepdims=True)) / count
        return y / xp.sqrt(variance + self.epsilon), mean, variance

    def _with_other_processes(self, x: Array, others: tuple[int, ...]) -> tuple[Array, Array, Array]:
        """Normalise by the statistics of the whole batch, of which this process has a part."""
        xp = array_namespace(x)
        count = math.prod(x.shape[i] for i in others) / fraction()
        mean = over_batch(xp.sum(x, axis=others, keepdims=True)) / count
        y = xp.subtract(x, mean)
        variance = over_batch(xp.sum(y * y, axis=others, keepdims=True)) / count
        return y / xp.sqrt(variance + self.epsilon), mean, variance

    def _scaled(self, y: Array, shape: tuple[int, ...]) -> Array:
        """Normalized values, multiplied by `gamma` and moved by `beta`."""
        affine = self.affine(shape)
        xp = array_namespace(y, *affine)
        if self.scale:
            y = xp.multiply(y, affine[0])
        return xp.add(y, affine[-1]) if self.center else y

    def _update(self, moving: Variable, value: Array, momentum: float) -> None:
        """Update a running average, which has no derivative."""
        old, new = unwrap(moving.value), unwrap(value)
        xp = _namespace(old, new)
        new = xp.astype(xp.reshape(new, moving.shape), old.dtype, copy=False)
        moving.assign(_moved(old, new, momentum))


@elementwise
def _moved(old: Array, new: Array, momentum: float) -> Array:
    return _namespace(old, new).add(old * momentum, new * (1 - momentum))


def _namespace(average: Array, value: Array) -> Any:
    """The namespace of an average and a new value of it, either of which may be batched by `vmap`."""
    return raw_namespace(value if storage(average) is average else average)


def _as_it_is(x: Array) -> Array:
    return x
