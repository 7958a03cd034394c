"""Convolution and pooling, channels first."""

from __future__ import annotations

from typing import Any, ClassVar

from portanet import layers
from portanet.compat.numpydl import activations, initializations
from portanet.compat.numpydl.layers.base import Layer, options


class Convolution(Layer):
    """Convolution of (batch, channels, rows, columns) with `nb_filter` filters, without padding.

    Args:
        nb_filter: Number of filters.
        filter_size: Rows and columns of a filter.
        input_shape: Shape of the input with the batch axis, for the first layer.
        stride: Step of the filter.
        init: Initial weights.
        activation: Name or object.
    """

    def __init__(
        self,
        nb_filter: int,
        filter_size: tuple[int, int],
        input_shape: Any = None,
        stride: int = 1,
        init: Any = "glorot_uniform",
        activation: Any = "relu",
    ) -> None:
        super().__init__()
        self.nb_filter = nb_filter
        self.filter_size = filter_size
        self.given_shape = input_shape
        self.stride = stride
        self.init = initializations.get(init)
        self.activation = activations.get(activation)

    def input_shape(self, prev_layer: Any) -> tuple[int | None, ...]:
        if prev_layer is not None:
            return super().input_shape(prev_layer)
        if self.given_shape is None:
            raise ValueError("Argument `input_shape` of a first Convolution is needed. Received: input_shape=None")
        shape = tuple(self.given_shape)
        return shape if len(shape) == 4 else (None, *shape)

    def make(self, shape: tuple[int | None, ...]) -> layers.Layer:
        return layers.Conv2D(
            self.nb_filter,
            tuple(self.filter_size),
            strides=self.stride,
            data_format="channels_first",
            activation=self.activation.function,
            kernel_initializer=self.init.for_portanet,
            **options("convolution"),
        )


class _Pooling(Layer):
    """Windows side by side over the last two axes of (batch, channels, rows, columns) or (batch, rows, columns).

    Args:
        pool_size: Rows and columns of a window; they must divide the input's.
    """

    pooling: ClassVar[Any]

    def __init__(self, pool_size: tuple[int, int]) -> None:
        super().__init__()
        self.pool_size = pool_size

    def input_shape(self, prev_layer: Any) -> tuple[int | None, ...]:
        shape = super().input_shape(prev_layer)
        rows, columns = shape[-2:]
        if len(shape) not in (3, 4) or (rows or 0) % self.pool_size[0] or (columns or 0) % self.pool_size[1]:
            raise ValueError(
                f"{type(self).__name__} needs 3 or 4 axes, the last two divisible by pool_size={self.pool_size}. "
                f"Received: {shape}"
            )
        return shape

    def make(self, shape: tuple[int | None, ...]) -> layers.Layer:
        pool = type(self).pooling(tuple(self.pool_size), data_format="channels_first", **options("pooling"))
        if len(shape) == 4:
            return pool  # type: ignore[no-any-return]
        chain = [
            layers.Reshape((1, *shape[1:])),
            pool,
            layers.Reshape(tuple((n or 0) // p for n, p in zip(shape[1:], self.pool_size, strict=True))),
        ]
        return _Chain(chain)


class _Chain(layers.Layer):
    """Layers one after the other."""

    def __init__(self, chain: list[layers.Layer]) -> None:
        super().__init__()
        self.chain = chain

    def call(self, x: Any) -> Any:
        for layer in self.chain:
            x = layer(x)
        return x

    def compute_output_shape(self, input_shape: Any) -> Any:
        for layer in self.chain:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape


class MaxPooling(_Pooling):
    """The largest element of each window; see `MeanPooling` for the arguments."""

    pooling = layers.MaxPooling2D


class MeanPooling(_Pooling):
    """The mean of each window.

    Args:
        pool_size: Rows and columns of a window; they must divide the input's.
    """

    pooling = layers.AveragePooling2D
