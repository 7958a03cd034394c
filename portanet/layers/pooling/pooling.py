"""Pooling layers: each window of the input is summed up in one number for each channel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.spatial import Spatial, margins, sizes
from portanet.ops.pooling import average_pool, l2_pool, max_places, max_pool, unpool
from portanet.ops.windows import Window, window


class Pooling(Spatial):
    """What layers over windows without weights share.

    Args:
        pool_size: Size of the window, one for all axes or one for each.
        strides: Steps of the window; None for its size.
        padding: `"valid"`, `"same"`, or numbers of places: an integer, or for each axis an integer or a pair
            (before, after), less than the window's size.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `dtype` of `Layer`.
    """

    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        padding: Any = "valid",
        data_format: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(data_format, **options)
        self.pool_size = sizes(self, "pool_size", pool_size, self.rank, 1)
        self.strides = self.pool_size if strides is None else sizes(self, "strides", strides, self.rank, 1)
        if isinstance(padding, str):
            if padding.lower() not in ("valid", "same"):
                raise ValueError(
                    f"Argument `padding` of layer '{self.name}' must be 'valid', 'same' or numbers of places for each "
                    f"axis. Received: padding={padding!r}"
                )
            self.padding: Any = padding.lower()
        else:
            self.padding = margins(self, "padding", padding, self.rank)
            if any(n >= k for pair, k in zip(self.padding, self.pool_size, strict=True) for n in pair):
                raise ValueError(
                    f"Argument `padding` of layer '{self.name}' must be less than pool_size={self.pool_size}: a window "
                    f"has to see some of the input. Received: padding={padding!r}"
                )

    def window_over(self, space: Sequence[int]) -> Window:
        """The window for an input of a size."""
        return window(space, self.pool_size, self.strides, self.padding)

    def opened(self, x: Array) -> Array:
        """The input with its channels last and a floating dtype."""
        self.require_space(x.shape)
        self.compute_output_shape(tuple(x.shape))
        xp = array_namespace(x)
        if not xp.isdtype(x.dtype, "real floating"):
            x = xp.astype(x, getattr(xp, self.compute_dtype))
        return x if self.data_format == "channels_last" else xp.moveaxis(x, 1, -1)

    def closed(self, x: Array) -> Array:
        """The result with its channels where the input's are."""
        return x if self.data_format == "channels_last" else array_namespace(x).moveaxis(x, -1, 1)

    def pool(self, x: Array, slid: Window) -> Array:
        """Sum up each window of x, channels last."""
        raise NotImplementedError

    def call(self, x: Array) -> Any:
        x = self.opened(x)
        return self.closed(self.pool(x, self.window_over(x.shape[1:-1])))

    def compute_output_shape(self, input_shape: Any) -> Any:
        self.require_space(input_shape)
        shape = list(input_shape)
        known = [1 if shape[axis] is None else shape[axis] for axis in self.axes]
        for axis, count in zip(self.axes, self.window_over(known).places(known), strict=True):
            if shape[axis] is not None:
                shape[axis] = count
                if count < 1:
                    raise ValueError(
                        f"The window of layer '{self.name}', of size {self.pool_size}, does not fit into the input. "
                        f"Received: an input of shape {tuple(input_shape)}"
                    )
        return tuple(shape)


class _MaxPooling(Pooling):
    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        padding: Any = "valid",
        data_format: str | None = None,
        return_argmax: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, **options)
        self.return_argmax = return_argmax

    def pool(self, x: Array, slid: Window) -> Array:
        return max_pool(x, window=slid)

    def call(self, x: Array) -> Any:
        x = self.opened(x)
        slid = self.window_over(x.shape[1:-1])
        y = self.closed(self.pool(x, slid))
        return [y, self.closed(max_places(x, slid))] if self.return_argmax else y

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

    Where several places of a window have the maximum, the first (row by row) gets the derivative.

    Args:
        pool_size: Height and width of the window, or one number for both.
        strides: Steps of the window; None for its size.
        padding: `"valid"`, `"same"`, or numbers of places: an integer, or for each axis an integer or a pair
            (before, after). Padding never is the maximum.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        return_argmax: Whether to return `[maxima, places]`, with the place of each maximum in its window as an int32
            counted row by row: what `MaxUnpooling2D` needs.
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
    """

    rank = 3


class _AveragePooling(Pooling):
    def pool(self, x: Array, slid: Window) -> Array:
        return average_pool(x, slid)


class AveragePooling1D(_AveragePooling):
    """The mean of each window of steps, padding left out; as `keras.layers.AveragePooling1D`.

    Args:
        pool_size: Number of steps in a window.
        **options: The other arguments of `AveragePooling2D`, in the same order.
    """

    rank = 1


class AveragePooling2D(_AveragePooling):
    """The mean of each window of an image, padding left out; as `keras.layers.AveragePooling2D`.

    Args:
        pool_size: Height and width of the window, or one number for both.
        strides: Steps of the window; None for its size.
        padding: `"valid"`, `"same"`, or numbers of places: an integer, or for each axis an integer or a pair
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
    """The mean of each window of a volume, padding left out; as `keras.layers.AveragePooling3D`.

    Args:
        pool_size: Depth, height and width of the window, or one number for all.
        **options: The other arguments of `AveragePooling2D`, in the same order.
    """

    rank = 3


class _L2Pooling(Pooling):
    def pool(self, x: Array, slid: Window) -> Array:
        return l2_pool(x, slid)


class L2Pooling1D(_L2Pooling):
    """The Euclidean norm of each window of steps (Goodfellow et al. 2016, 9.3).

    Args:
        pool_size: Number of steps in a window.
        **options: The other arguments of `AveragePooling2D`, in the same order.
    """

    rank = 1


class L2Pooling2D(_L2Pooling):
    """The Euclidean norm of each window of an image (Goodfellow et al. 2016, 9.3); its derivative at 0 is 0.

    Args:
        pool_size: Height and width of the window, or one number for both.
        **options: The other arguments of `AveragePooling2D`, in the same order.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.L2Pooling2D()(np.full((1, 2, 2, 1), 3.0)).ravel()
        array([6.])
    """

    rank = 2


class L2Pooling3D(_L2Pooling):
    """The Euclidean norm of each window of a volume.

    Args:
        pool_size: Depth, height and width of the window, or one number for all.
        **options: The other arguments of `AveragePooling2D`, in the same order.
    """

    rank = 3


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
