"""Average pooling."""

from __future__ import annotations

from portanet.backends import Array
from portanet.fused.pooling import average_pool
from portanet.fused.windows import Window
from portanet.layers.pooling.base_pooling import Pooling


class _AveragePooling(Pooling):
    def pool(self, x: Array, windows: Window) -> Array:
        return average_pool(x, windows)


class AveragePooling1D(_AveragePooling):
    """The mean of each window of steps, excluding padding; as `keras.layers.AveragePooling1D`.

    Args:
        pool_size: Number of steps in a window.
        **options: The other arguments of `AveragePooling2D`, in the same order.
    """

    rank = 1


class AveragePooling2D(_AveragePooling):
    """The mean of each window of an image, excluding padding; as `keras.layers.AveragePooling2D`.

    Args:
        pool_size: Height and width of the window, or one number for both.
        strides: Strides of the window; None for its size.
        padding: `"valid"`, `"same"`, or explicit: an integer, or for each axis an integer or a pair
            (before, after).
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.AveragePooling2D()(np.arange(16.0).reshape(1, 4, 4, 1)).reshape(2, 2)
        array([[ 2.5,  4.5],
               [10.5, 12.5]])
    """

    rank = 2


class AveragePooling3D(_AveragePooling):
    """The mean of each window of a volume, excluding padding; as `keras.layers.AveragePooling3D`.

    Args:
        pool_size: Depth, height and width of the window, or one number for all.
        **options: The other arguments of `AveragePooling2D`, in the same order.
    """

    rank = 3
