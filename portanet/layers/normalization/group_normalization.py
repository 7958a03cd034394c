"""Group and instance normalisation."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.normalization.affine_normalization import (
    AffineNormalization,
    positive_axes,
    require_same_rank,
    widened,
)


class GroupNormalization(AffineNormalization):
    """Give each group of channels of each example mean 0 and variance 1, then apply `gamma` and `beta` by channel.

    Wu and He 2018; as `keras.layers.GroupNormalization`.

    Args:
        groups: Number of groups, a divisor of the number of channels; -1 for as many groups as channels.
        axis: The axis of the channels.
        epsilon: Added to the variance.
        **options: `center`, `scale`, `beta_initializer`, `gamma_initializer`, `beta_regularizer`, `gamma_regularizer`,
            `beta_constraint`, `gamma_constraint` of `AffineNormalization`; `name`, `trainable`, `dtype`,
            `activity_regularizer` of `Layer`.

    Input: any shape. Output: the same shape and dtype.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.GroupNormalization(2, epsilon=0.0)(np.asarray([[1.0, 3.0, 10.0, 20.0]], dtype="float32"))
        array([[-1.,  1., -1.,  1.]], dtype=float32)
    """

    supports_masking = True

    def __init__(self, groups: int = 32, axis: int = -1, epsilon: float = 1e-3, **options: Any) -> None:
        super().__init__(epsilon, **options)
        self.groups = checks.integer("groups", groups, self, least=-1)
        if groups == 0:
            raise checks.invalid("groups", groups, "a positive integer or -1", self)
        (self.axis,) = checks.integers("axis", axis, 1, self)

    def build(self, input_shape: Any) -> None:
        (self.channel_axis,) = positive_axes(self, self.axis, input_shape)
        self.channels = input_shape[self.channel_axis]
        if self.channels is None:
            raise ValueError(
                f"Layer '{self.name}' needs inputs whose size on axis {self.channel_axis} is known. "
                f"Received: shape {tuple(input_shape)}"
            )
        self.divisions = self.channels if self.groups == -1 else self.groups
        if self.channels % self.divisions:
            raise ValueError(
                f"Layer '{self.name}' needs a number of channels that its {self.divisions} groups can share. "
                f"Received: {self.channels} channels on axis {self.channel_axis} of shape {tuple(input_shape)}"
            )
        self.add_affine((self.channels,))

    def call(self, x: Array) -> Array:
        require_same_rank(self, x)
        self.require_axis(x, self.channel_axis, self.channels)
        c, split = self.channel_axis, (self.divisions, self.channels // self.divisions)
        lead, rest = tuple(x.shape[:c]), tuple(x.shape[c + 1 :])
        axes = tuple(i for i in range(1, x.ndim + 1) if i != c)
        affine = (*(1,) * c, *split, *(1,) * len(rest))
        wide, restore = widened(self, x)
        grouped = array_namespace(wide).reshape(wide, (*lead, *split, *rest))
        out = self.normalized(grouped, axes, affine)[0]
        return restore(array_namespace(out).reshape(out, x.shape))


class InstanceNormalization(GroupNormalization):
    """Give each channel of each example mean 0 and variance 1 over the other axes, then apply `gamma` and `beta`.

    Ulyanov, Vedaldi and Lempitsky 2016: `GroupNormalization` with as many groups as channels.

    Args:
        axis: The axis of the channels.
        epsilon: Added to the variance.
        **options: As `GroupNormalization`.

    Input: any shape of at least 3 axes. Output: the same shape and dtype.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> x = np.asarray([[[1.0, 20.0], [3.0, 10.0]]], dtype="float32")
        >>> layers.InstanceNormalization(epsilon=0.0)(x)
        array([[[-1.,  1.],
                [ 1., -1.]]], dtype=float32)
    """

    def __init__(self, axis: int = -1, epsilon: float = 1e-3, **options: Any) -> None:
        super().__init__(-1, axis, epsilon, **options)

    def build(self, input_shape: Any) -> None:
        self.require_rank(input_shape, 3, "(batch, ..., channels)")
        super().build(input_shape)
