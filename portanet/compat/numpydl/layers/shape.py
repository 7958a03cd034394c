"""Layers that change the shape."""

from __future__ import annotations

import math
from typing import Any

from portanet import layers
from portanet.autodiff import array_namespace
from portanet.compat.numpydl.layers.base import Layer


class Flatten(Layer):
    """Flatten the last axes into one, leaving `outdim` axes.

    Args:
        outdim: Number of axes of the output, at least 2.

    Example:
        >>> import numpy as np
        >>> from portanet.compat import numpydl as npdl
        >>> model = npdl.Model([npdl.layers.Convolution(2, (3, 3), input_shape=(None, 1, 5, 5)), npdl.layers.Flatten()])
        >>> model.compile("mse")
        >>> model.predict(np.ones((4, 1, 5, 5))).shape
        (4, 18)
    """

    def __init__(self, outdim: int = 2) -> None:
        super().__init__()
        if outdim < 2:
            raise ValueError(f"Argument `outdim` must be at least 2. Received: outdim={outdim}")
        self.outdim = outdim

    def make(self, shape: tuple[int | None, ...]) -> layers.Layer:
        return layers.Reshape((*shape[1 : self.outdim - 1], math.prod(n or 0 for n in shape[self.outdim - 1 :])))


class DimShuffle(Layer):
    """Insert an axis of size 1.

    Args:
        axis: Position of the new axis.

    Example:
        >>> import numpy as np
        >>> from portanet.compat import numpydl as npdl
        >>> model = npdl.Model([npdl.layers.Dense(n_out=2, n_in=3), npdl.layers.DimShuffle()])
        >>> model.compile("mse")
        >>> model.predict(np.ones((4, 3))).shape
        (4, 1, 2)
    """

    def __init__(self, axis: int = 1) -> None:
        super().__init__()
        if axis < 0:
            raise ValueError(f"Argument `axis` must not be negative. Received: axis={axis}")
        self.axis = axis

    def make(self, shape: tuple[int | None, ...]) -> layers.Layer:
        axis = self.axis

        def insert(x: Any) -> Any:
            return array_namespace(x).expand_dims(x, axis=axis)

        return layers.Lambda(insert, output_shape=(*shape[1:axis], 1, *shape[axis:]))
