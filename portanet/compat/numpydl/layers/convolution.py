# ruff: noqa: N815 -- NumPyDL's names
"""Convolution, channels first."""

from __future__ import annotations

from typing import Any

from portanet import layers
from portanet.backends import HostArray
from portanet.compat.numpydl import activations, initializations
from portanet.compat.numpydl.extending import InputError
from portanet.compat.numpydl.layers.base import Layer, options
from portanet.compat.numpydl.layers.weights import Weight


def _filters_first(_: Any, kernel: HostArray) -> HostArray:
    """(rows, columns, channels, filters) as (filters, channels, rows, columns)."""
    return kernel.transpose(3, 2, 0, 1)


class Convolution(Layer):
    """Convolution of (batch, channels, rows, columns) with `nb_filter` filters, without padding.

    Args:
        nb_filter: Number of filters.
        filter_size: Rows and columns of a filter.
        input_shape: Shape of the input with the batch axis, for the first layer.
        stride: Stride of the filter.
        init: Initial weights.
        activation: Name or object.

    Example:
        >>> import numpy as np
        >>> from portanet.compat import numpydl as npdl
        >>> model = npdl.Model([npdl.layers.Convolution(2, (3, 3), input_shape=(None, 1, 5, 5))])
        >>> model.compile("mse")
        >>> model.predict(np.ones((4, 1, 5, 5))).shape
        (4, 2, 3, 3)
    """

    W, b = Weight("kernel", view=_filters_first), Weight("bias")
    dW, db = Weight("kernel", view=_filters_first, grad=True), Weight("bias", grad=True)

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
            raise InputError("Argument `input_shape` of a first Convolution is required. Received: input_shape=None")
        shape = tuple(self.given_shape)
        return shape if len(shape) == 4 else (None, *shape)

    def make(self, shape: tuple[int | None, ...]) -> layers.Layer:
        return layers.Conv2D(
            self.nb_filter,
            tuple(self.filter_size),
            strides=self.stride,
            data_format="channels_first",
            activation=self.activation,
            kernel_initializer=self.init.for_portanet,
            **options("convolution"),
        )
