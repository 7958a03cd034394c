"""Batch normalisation."""

from __future__ import annotations

import math
from typing import Any

from portanet import checks, initializers
from portanet.autodiff import array_namespace, storage, unwrap
from portanet.backends import Array, raw_namespace
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
        moving_mean_initializer: Initial running mean.
        moving_variance_initializer: Initial running variance.
        **options: `center`, `scale`, `beta_initializer`, `gamma_initializer`, `beta_regularizer`, `gamma_regularizer`,
            `beta_constraint`, `gamma_constraint` of `AffineNormalization`; `name`, `trainable`, `dtype`,
            `activity_regularizer` of `Layer`.

    Input: any shape. Output: the same shape and dtype. With a `mask` of the shape of the leading axes, statistics are
    taken where it is True.

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
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        **options: Any,
    ) -> None:
        super().__init__(epsilon, **options)
        self.axis = checks.integers("axis", axis, of=self)
        self.momentum = checks.number("momentum", momentum, "[0, 1]", self)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer, "moving_mean_initializer", self)
        self.moving_variance_initializer = initializers.get(
            moving_variance_initializer, "moving_variance_initializer", self
        )

    def build(self, input_shape: Any) -> None:
        self.axes = positive_axes(self, self.axis, input_shape)
        self.sizes = tuple(input_shape[a] for a in self.axes)
        self.add_affine(self.sizes)
        self.moving_mean = self.add_weight(
            self.sizes, self.moving_mean_initializer, "moving_mean", trainable=False, autocast=False
        )
        self.moving_variance = self.add_weight(
            self.sizes, self.moving_variance_initializer, "moving_variance", trainable=False, autocast=False
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
        if mask is None:
            out, mean, variance = self.normalized(x, others, shape)
        else:
            out, mean, variance = self._masked(x, others, shape, mask)
        self._update(self.moving_mean, mean)
        self._update(self.moving_variance, variance)
        return restore(out)

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
        xp = array_namespace(x, factor)
        factor, offset = (xp.astype(xp.reshape(v, shape), x.dtype, copy=False) for v in (factor, offset))
        return xp.multiply(x, factor) + offset

    def _masked(
        self, x: Array, others: tuple[int, ...], shape: tuple[int, ...], mask: Array
    ) -> tuple[Array, Array, Array]:
        """Normalise by the statistics where `mask` is True."""
        mask = unwrap(mask)
        lead = tuple(mask.shape)
        if lead != tuple(x.shape[: len(lead)]) or any(a < len(lead) for a in self.axes):
            raise ValueError(
                f"Layer '{self.name}' needs a mask of the shape of its input's axes before axis {self.axes[0]}. "
                f"Received: a mask of shape {lead} for an input of shape {tuple(x.shape)}"
            )
        xp = array_namespace(x, *self.affine(shape))
        plain = raw_namespace(mask)
        mask = plain.astype(plain.reshape(mask, (*lead, *(1,) * (x.ndim - len(lead)))), plain.bool)
        # 0 times NaN is NaN, in gradients too.
        x = xp.where(xp.logical_or(xp.isfinite(x), mask), x, 0.0)
        inside = xp.astype(plain.broadcast_to(mask, x.shape), x.dtype)
        count = xp.sum(inside, axis=others, keepdims=True) + 1e-7  # as Keras; a mask without True must not divide by 0
        mean = xp.sum(xp.where(mask, x, 0.0), axis=others, keepdims=True) / count
        y = xp.subtract(x, mean)
        variance = xp.sum(xp.where(mask, y * y, 0.0), axis=others, keepdims=True) / count
        y = y / xp.sqrt(variance + self.epsilon)
        affine = self.affine(shape)
        if self.scale:
            y = xp.multiply(y, affine[0])
        if self.center:
            y = xp.add(y, affine[-1])
        return y, mean, variance

    def _update(self, moving: Variable, value: Array) -> None:
        """Update a running average, which has no derivative."""
        old, new = unwrap(moving.value), unwrap(value)
        xp = raw_namespace(new if storage(old) is old else old)  # either may be batched by vmap
        new = xp.astype(xp.reshape(new, moving.shape), old.dtype, copy=False)
        moving.assign(xp.add(old * self.momentum, new * (1 - self.momentum)))
