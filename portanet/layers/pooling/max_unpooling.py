"""Max unpooling."""

from __future__ import annotations

from typing import Any

from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.fused.pooling import unpool
from portanet.layers.pooling.base_pooling import Pooling
from portanet.layers.several_inputs import Several


class _MaxUnpooling(Pooling):
    several_inputs = Several("values", "indices")
    casts_integers = False  # of the indices, which floating-point numbers hold up to 2**24 only

    def call(self, x: Any) -> Array:
        values, indices = self.in_compute_dtype(x[0], integers=True), x[1]
        if tuple(values.shape) != tuple(indices.shape):
            raise ValueError(
                f"Layer '{self.name}' takes both results of max pooling with return_argmax=True, maxima and their "
                f"indices, of the same shape. Received: values of shape {tuple(values.shape)}, indices of shape "
                f"{tuple(indices.shape)}"
            )
        shape: Any = self._unpooled_shape(tuple(values.shape))
        space = [shape[axis] for axis in self.axes]
        first = self.data_format == "channels_first"
        if first:
            values, indices = (array_namespace(x).moveaxis(x, 1, -1) for x in (values, indices))
        return self.restored_output(unpool(values, indices, self.window_over(space), space))

    def _unpooled_shape(self, shape: Any) -> list[int | None]:
        self.require_space(shape)
        unpooled = list(shape)
        for i, axis in enumerate(self.axes):
            if unpooled[axis] is None:
                continue
            count, k, s = unpooled[axis], self.pool_size[i], self.strides[i]
            cut = 0 if self.padding == "valid" else k - s if self.padding == "same" else sum(self.padding[i])
            unpooled[axis] = (count - 1) * s + k - cut
        return unpooled

    def compute_output_shape(self, input_shape: Any) -> Any:
        return tuple(self._unpooled_shape(input_shape[0]))


class MaxUnpooling1D(_MaxUnpooling):
    """The inverse of `MaxPooling1D(return_argmax=True)`: maxima at their positions, zeros elsewhere.

    Args:
        pool_size: Number of steps in a window.
        **options: The other arguments of `MaxUnpooling2D`, in the same order.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> pooled, places = layers.MaxPooling1D(2, return_argmax=True)(np.ones((1, 4, 3)))
        >>> layers.MaxUnpooling1D(2)([pooled, places]).shape
        (1, 4, 3)
    """

    rank = 1


class MaxUnpooling2D(_MaxUnpooling):
    """The inverse of `MaxPooling2D(return_argmax=True)`: maxima at their positions, zeros elsewhere.

    From Zeiler and Fergus (2014), to visualize what activates a unit. Called with a list `[values, indices]`. The
    output is the smallest with that number of windows.

    Args:
        pool_size: Height and width of the window, or one number for both.
        strides: Strides of the window; None for its size.
        padding: As for the pooling.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> pooled = layers.MaxPooling2D(return_argmax=True)(np.arange(16.0).reshape(1, 4, 4, 1))
        >>> layers.MaxUnpooling2D()(pooled).reshape(4, 4)
        array([[ 0.,  0.,  0.,  0.],
               [ 0.,  5.,  0.,  7.],
               [ 0.,  0.,  0.,  0.],
               [ 0., 13.,  0., 15.]])
    """

    rank = 2


class MaxUnpooling3D(_MaxUnpooling):
    """The inverse of `MaxPooling3D(return_argmax=True)`: maxima at their positions, zeros elsewhere.

    Args:
        pool_size: Depth, height and width of the window, or one number for all.
        **options: The other arguments of `MaxUnpooling2D`, in the same order.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> pooled, places = layers.MaxPooling3D(2, return_argmax=True)(np.ones((1, 4, 4, 4, 3)))
        >>> layers.MaxUnpooling3D(2)([pooled, places]).shape
        (1, 4, 4, 4, 3)
    """

    rank = 3
