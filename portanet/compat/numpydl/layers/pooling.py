"""Pooling, channels first."""

from __future__ import annotations

from typing import Any, ClassVar

from portanet import layers
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.compat.numpydl.extending import InputError
from portanet.compat.numpydl.layers.base import Layer, options


class _Pooling(Layer):
    """Non-overlapping windows over the last two axes of (batch, channels, rows, columns) or (batch, rows, columns).

    Args:
        pool_size: Rows and columns of a window; they must divide those of the input.
    """

    pooling: ClassVar[Any]

    def __init__(self, pool_size: tuple[int, int]) -> None:
        super().__init__()
        self.pool_size = pool_size

    def input_shape(self, prev_layer: Any) -> tuple[int | None, ...]:
        shape = super().input_shape(prev_layer)
        self._check(shape)
        return shape

    def make(self, shape: tuple[int | None, ...]) -> layers.Layer:
        pool = type(self).pooling(tuple(self.pool_size), data_format="channels_first", **options("pooling"))
        return _Windows(pool)

    def run(self, x: Array, train: bool, **kwargs: Any) -> Any:
        self._check(tuple(x.shape))
        return super().run(x, train, **kwargs)

    def _check(self, shape: tuple[int | None, ...]) -> None:
        rows, columns = shape[-2:]
        if len(shape) not in (3, 4) or (rows or 0) % self.pool_size[0] or (columns or 0) % self.pool_size[1]:
            raise InputError(
                f"{type(self).__name__} needs 3 or 4 axes, the last two divisible by pool_size={self.pool_size}. "
                f"Received: {shape}"
            )


class _Windows(layers.Layer):
    """Pooling of (batch, channels, rows, columns) or, as one channel, (batch, rows, columns)."""

    def __init__(self, pool: layers.Layer) -> None:
        super().__init__()
        self.pool = pool

    def call(self, x: Any) -> Any:
        if x.ndim == 4:
            return self.pool(x)
        xp = array_namespace(x)
        return xp.squeeze(self.pool(xp.expand_dims(x, axis=1)), axis=1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        if len(input_shape) == 4:
            return self.pool.compute_output_shape(input_shape)
        batch, *rest = self.pool.compute_output_shape((input_shape[0], 1, *input_shape[1:]))
        return (batch, *rest[1:])


class MaxPooling(_Pooling):
    """The maximum of each window; see `MeanPooling` for the arguments.

    Args:
        pool_size: Rows and columns of the window.

    Example:
        >>> import numpy as np
        >>> from portanet.compat import numpydl as npdl
        >>> filters = npdl.layers.Convolution(2, (3, 3), input_shape=(None, 1, 6, 6))
        >>> model = npdl.Model([filters, npdl.layers.MaxPooling((2, 2))])
        >>> model.compile("mse")
        >>> model.predict(np.ones((4, 1, 6, 6))).shape
        (4, 2, 2, 2)
    """

    pooling = layers.MaxPooling2D


class MeanPooling(_Pooling):
    """The mean of each window.

    Args:
        pool_size: Rows and columns of a window; they must divide those of the input.

    Example:
        >>> import numpy as np
        >>> from portanet.compat import numpydl as npdl
        >>> filters = npdl.layers.Convolution(2, (3, 3), input_shape=(None, 1, 6, 6))
        >>> model = npdl.Model([filters, npdl.layers.MeanPooling((2, 2))])
        >>> model.compile("mse")
        >>> model.predict(np.ones((4, 1, 6, 6))).shape
        (4, 2, 2, 2)
    """

    pooling = layers.AveragePooling2D
