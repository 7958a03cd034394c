# ruff: noqa: N815 -- NumPyDL's names
"""Fully connected layers and dropout."""

from __future__ import annotations

import math
from typing import Any

from portanet import layers
from portanet.compat.numpydl import activations, initializations
from portanet.compat.numpydl.extending import InputError
from portanet.compat.numpydl.layers.base import Chain, Layer, options
from portanet.compat.numpydl.layers.weights import Weight


class Dense(Layer):
    """`activation(x @ W + b)`.

    Args:
        n_out: Size of the output.
        n_in: Size of the input, for the first layer.
        init: Initial weights; biases start at zero.
        activation: Name or object.

    Example:
        >>> import numpy as np
        >>> from portanet.compat import numpydl as npdl
        >>> model = npdl.Model([npdl.layers.Dense(n_out=2, n_in=3)])
        >>> model.compile("mse")
        >>> model.predict(np.ones((4, 3))).shape
        (4, 2)
    """

    W, b = Weight("kernel"), Weight("bias")
    dW, db = Weight("kernel", grad=True), Weight("bias", grad=True)

    def __init__(
        self, n_out: int, n_in: int | None = None, init: Any = "glorot_uniform", activation: Any = "tanh"
    ) -> None:
        super().__init__()
        self.n_out = n_out
        self.n_in = n_in
        self.out_shape = (None, n_out)
        self.init = initializations.get(init)
        self.act_layer = activations.get(activation)

    def input_shape(self, prev_layer: Any) -> tuple[int | None, ...]:
        if prev_layer is None:
            if self.n_in is None:
                raise InputError(
                    f"Argument `n_in` of the first layer is required. Received: {type(self).__name__}(n_in=None)"
                )
            return (None, self.n_in)
        shape = super().input_shape(prev_layer)
        if len(shape) != 2:
            raise InputError(
                f"{type(self).__name__} takes inputs of shape (batch, features); put a Flatten before it. "
                f"Received: {shape}"
            )
        return shape

    def make(self, shape: tuple[int | None, ...]) -> layers.Layer:
        return self._dense(self.n_out)

    def _dense(self, units: int) -> layers.Dense:
        return layers.Dense(
            units,
            activation=self.act_layer,
            kernel_initializer=self.init.for_portanet,
            **options("dense"),
        )


class Linear(Dense):
    """`x @ W + b`.

    Args:
        n_out: Size of the output, or its shape without the batch axis; W and b apply to flattened axes.
        n_in: Size of the input, or its shape, for the first layer.
        init: Initial weights.

    Example:
        >>> import numpy as np
        >>> from portanet.compat import numpydl as npdl
        >>> model = npdl.Model([npdl.layers.Linear(n_out=2, n_in=3)])
        >>> model.compile("mse")
        >>> model.predict(np.ones((4, 3))).shape
        (4, 2)
    """

    def __init__(
        self,
        n_out: int | tuple[int, ...],
        n_in: int | tuple[int, ...] | None = None,
        init: Any = "glorot_uniform",
    ) -> None:
        super().__init__(n_out, n_in, init, activation="linear")  # type: ignore[arg-type]
        self.out_shape = (None, *_axes(n_out))

    def input_shape(self, prev_layer: Any) -> tuple[int | None, ...]:
        if prev_layer is None and isinstance(self.n_in, (list, tuple)):
            return (None, *self.n_in)
        return super().input_shape(prev_layer)

    def make(self, shape: tuple[int | None, ...]) -> layers.Layer:
        n_out = _axes(self.n_out)
        if len(shape) == 2 and len(n_out) == 1:
            return self._dense(n_out[0])
        return Chain([layers.Flatten(), self._dense(math.prod(n_out)), layers.Reshape(n_out)])


def _axes(size: Any) -> tuple[int, ...]:
    return tuple(size) if isinstance(size, (list, tuple)) else (size,)


class Softmax(Dense):
    """`softmax(x @ W + b)`.

    Args:
        n_out: Number of classes.
        n_in: Size of the input, for the first layer.
        init: Initial weights.

    Example:
        >>> import numpy as np
        >>> from portanet.compat import numpydl as npdl
        >>> model = npdl.Model([npdl.layers.Softmax(n_out=2, n_in=3)])
        >>> model.compile("mse")
        >>> model.predict(np.ones((4, 3))).shape
        (4, 2)
    """

    def __init__(self, n_out: int, n_in: int | None = None, init: Any = "glorot_uniform") -> None:
        super().__init__(n_out, n_in, init, activation="softmax")


class Dropout(Layer):
    """In training, set a fraction `p` of the inputs to 0 and scale the rest by 1 / (1 - p).

    Args:
        p: The fraction.

    Example:
        >>> import numpy as np
        >>> from portanet.compat import numpydl as npdl
        >>> model = npdl.Model([npdl.layers.Dense(n_out=2, n_in=3), npdl.layers.Dropout(0.5)])
        >>> model.compile("mse")
        >>> model.predict(np.ones((4, 3))).shape
        (4, 2)
    """

    def __init__(self, p: float = 0.0) -> None:
        super().__init__()
        self.p = p

    def make(self, shape: tuple[int | None, ...]) -> layers.Layer:
        return layers.Dropout(self.p, **options("dropout"))
