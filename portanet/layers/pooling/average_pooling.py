"""Average pooling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portanet import checks
from portanet.backends import Array
from portanet.fused.pooling import average_pool
from portanet.fused.windows import Window
from portanet.layers.pooling.base_pooling import Pooling


class _AveragePooling(Pooling):
    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        padding: Any = "valid",
        data_format: str | None = None,
        *,
        count_include_pad: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, **options)
        self.count_include_pad = checks.boolean("count_include_pad", count_include_pad, self)

    def pool(self, x: Array, windows: Window) -> Array:
        return average_pool(x, windows, self.declared_window(x.shape[1:-1]).padding if self.count_include_pad else None)


class AveragePooling1D(_AveragePooling):
    """The mean of each window of steps, excluding padding; as `keras.layers.AveragePooling1D`.

    Args:
        pool_size: Number of steps in a window.
        **options: The other arguments of `AveragePooling2D`, in the same order.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.AveragePooling1D(2)(np.asarray([[[1.0], [2.0], [3.0], [4.0]]])).tolist()
        [[[1.5], [3.5]]]
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
        count_include_pad: Whether explicit padding counts as zeros, as in PyTorch by default.
        ceil_mode: Whether a last window may extend beyond the input and its padding, as in PyTorch. What is beyond
            never counts.
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

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.AveragePooling3D(2)(np.ones((1, 4, 6, 8, 3))).shape
        (1, 2, 3, 4, 3)
    """

    rank = 3
