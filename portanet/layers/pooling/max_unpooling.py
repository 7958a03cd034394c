"""Values put back where max pooling took them from."""

from __future__ import annotations

from typing import Any

from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.pooling.base_pooling import Pooling
from portanet.ops.pooling import unpool


class _MaxUnpooling(Pooling):
    def call(self, x: Any) -> Array:
        values, places = x
        undone: Any = self._undone(tuple(values.shape))
        space = [undone[axis] for axis in self.axes]
        first = self.data_format == "channels_first"
        if first:
            values, places = (array_namespace(each).moveaxis(each, 1, -1) for each in (values, places))
        return self.closed(unpool(values, places, self.window_over(space), space))

    def _undone(self, shape: Any) -> list[int | None]:
        self.require_space(shape)
        undone = list(shape)
        for i, axis in enumerate(self.axes):
            if undone[axis] is None:
                continue
            count, k, s = undone[axis], self.pool_size[i], self.strides[i]
            cut = 0 if self.padding == "valid" else k - s if self.padding == "same" else sum(self.padding[i])
            undone[axis] = (count - 1) * s + k - cut
        return undone

    def compute_output_shape(self, input_shape: Any) -> Any:
        return tuple(self._undone(input_shape[0]))


class MaxUnpooling1D(_MaxUnpooling):
    """The way back from `MaxPooling1D(return_argmax=True)`: maxima where they were, zeros elsewhere.

    Args:
        pool_size: Number of steps in a window.
        **options: The other arguments of `MaxUnpooling2D`, in the same order.
    """

    rank = 1


class MaxUnpooling2D(_MaxUnpooling):
    """The way back from `MaxPooling2D(return_argmax=True)`: maxima where they were, zeros elsewhere.

    From Zeiler and Fergus (2014), to show what excites a unit. Called with a list `[values, places]`. The result is the
    smallest that gives so many windows.

    Args:
        pool_size: Height and width of the window, or one number for both.
        strides: Steps of the window; None for its size.
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
    """The way back from `MaxPooling3D(return_argmax=True)`: maxima where they were, zeros elsewhere.

    Args:
        pool_size: Depth, height and width of the window, or one number for all.
        **options: The other arguments of `MaxUnpooling2D`, in the same order.
    """

    rank = 3
