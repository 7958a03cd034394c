"""Max pooling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portanet import checks
from portanet.backends import Array
from portanet.fused.pooling import max_places, max_pool
from portanet.fused.windows import Window
from portanet.layers.pooling.base_pooling import Pooling


class _MaxPooling(Pooling):
    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        padding: Any = "valid",
        data_format: str | None = None,
        *,
        return_argmax: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, **options)
        self.return_argmax = checks.boolean("return_argmax", return_argmax, self)

    def pool(self, x: Array, windows: Window) -> Array:
        return max_pool(x, window=windows)

    def call(self, x: Array) -> Any:
        x = self.channels_last_input(x)
        windows = self.window_over(x.shape[1:-1])
        y = self.restored_output(self.pool(x, windows))
        return [y, self.restored_output(max_places(x, windows))] if self.return_argmax else y

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape = super().compute_output_shape(input_shape)
        return [shape, shape] if self.return_argmax else shape


class MaxPooling1D(_MaxPooling):
    """The maximum of each window of steps; as `keras.layers.MaxPooling1D`.

    Args:
        pool_size: Number of steps in a window.
        **options: The other arguments of `MaxPooling2D`, in the same order.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.MaxPooling1D()(np.ones((2, 5, 3))).shape
        (2, 2, 3)
    """

    rank = 1


class MaxPooling2D(_MaxPooling):
    """The maximum of each window of an image; as `keras.layers.MaxPooling2D`.

    If several elements of a window are the maximum, the first (row by row) gets the derivative.

    Args:
        pool_size: Height and width of the window, or one number for both.
        strides: Strides of the window; None for its size.
        padding: `"valid"`, `"same"`, or explicit: an integer, or for each axis an integer or a pair
            (before, after). Padding is never the maximum.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        return_argmax: Whether to return `[maxima, indices]`, with the index of each maximum in its flattened window as
            an int32, as needed by `MaxUnpooling2D`.
        ceil_mode: Whether a last window may extend beyond the input and its padding, as in PyTorch.
        **options: `name`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.MaxPooling2D()(np.arange(16.0).reshape(1, 4, 4, 1)).reshape(2, 2)
        array([[ 5.,  7.],
               [13., 15.]])
    """

    rank = 2


class MaxPooling3D(_MaxPooling):
    """The maximum of each window of a volume; as `keras.layers.MaxPooling3D`.

    Args:
        pool_size: Depth, height and width of the window, or one number for all.
        **options: The other arguments of `MaxPooling2D`, in the same order.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.MaxPooling3D(2)(np.ones((1, 4, 6, 8, 3))).shape
        (1, 2, 3, 4, 3)
    """

    rank = 3
