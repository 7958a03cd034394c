"""Activations as layers."""

from __future__ import annotations

import math
from typing import Any

from portanet import activations, initializers
from portanet.activations.pointwise import require_positive
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.base import Layer


class Activation(Layer):
    """Apply an activation function.

    Args:
        activation: Name or function.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Activation("relu")(np.asarray([-1.0, 2.0]))
        array([0., 2.])
    """

    keeps_shape = True

    def __init__(self, activation: Any, **options: Any) -> None:
        super().__init__(**options)
        self.activation = activations.get(activation)

    def call(self, x: Array) -> Array:
        return self.activation(x)


class ReLU(Layer):
    """`activations.relu` with its parameters; as `keras.layers.ReLU`.

    Args:
        max_value: Where the value is cut off; None for nowhere.
        negative_slope: Slope below the threshold.
        threshold: Above it, the value is the input.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.ReLU(max_value=1.0)(np.asarray([-1.0, 0.5, 2.0]))
        array([0. , 0.5, 1. ])
    """

    keeps_shape = True

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **options: Any
    ) -> None:
        super().__init__(**options)
        if max_value is not None:
            require_positive(f"layer '{self.name}'", "max_value", max_value, zero=True)
        require_positive(f"layer '{self.name}'", "negative_slope", negative_slope, zero=True)
        require_positive(f"layer '{self.name}'", "threshold", threshold, zero=True)
        self.max_value = max_value
        self.negative_slope = negative_slope
        self.threshold = threshold

    def call(self, x: Array) -> Array:
        return activations.relu(
            x, negative_slope=self.negative_slope, max_value=self.max_value, threshold=self.threshold
        )


class LeakyReLU(Layer):
    """x where positive, else `negative_slope * x`; as `keras.layers.LeakyReLU`.

    Args:
        negative_slope: Slope for negative inputs.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.LeakyReLU(0.5)(np.asarray([-1.0, 2.0]))
        array([-0.5,  2. ])
    """

    keeps_shape = True

    def __init__(self, negative_slope: float = 0.3, **options: Any) -> None:
        super().__init__(**options)
        require_positive(f"layer '{self.name}'", "negative_slope", negative_slope, zero=True)
        self.negative_slope = negative_slope

    def call(self, x: Array) -> Array:
        return activations.leaky_relu(x, negative_slope=self.negative_slope)


class ELU(Layer):
    """x where positive, else `alpha (exp(x) - 1)`; as `keras.layers.ELU`.

    Args:
        alpha: The alpha above.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.ELU(0.5)(np.asarray([-1.0, 2.0])).round(6)
        array([-0.31606,  2.     ])
    """

    keeps_shape = True

    def __init__(self, alpha: float = 1.0, **options: Any) -> None:
        super().__init__(**options)
        require_positive(f"layer '{self.name}'", "alpha", alpha, zero=True)
        self.alpha = alpha

    def call(self, x: Array) -> Array:
        return activations.elu(x, alpha=self.alpha)


class Elliot(Layer):
    """`activations.elliot`, or `symmetric_elliot`, with its steepness (D. L. Elliot 1993).

    Args:
        steepness: Slope at 0, times 2 unless symmetric.
        symmetric: Whether the values go from -1 to 1 rather than from 0 to 1.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Elliot(steepness=3.0)(np.asarray([-1.0, 0.0, 1.0]))
        array([0.125, 0.5  , 0.875])
    """

    keeps_shape = True

    def __init__(self, steepness: float = 1.0, symmetric: bool = False, **options: Any) -> None:
        super().__init__(**options)
        require_positive(f"layer '{self.name}'", "steepness", steepness)
        self.steepness = steepness
        self.symmetric = symmetric

    def call(self, x: Array) -> Array:
        function = activations.symmetric_elliot if self.symmetric else activations.elliot
        return function(x, steepness=self.steepness)


class PReLU(Layer):
    """x where positive, else `alpha * x`, with alpha learned (He et al. 2015); as `keras.layers.PReLU`.

    Args:
        alpha_initializer: Initial values of alpha, shape `input_shape[1:]` with 1 for the shared axes.
        alpha_regularizer: Penalty on alpha, added to the loss.
        alpha_constraint: Function applied to alpha after each update.
        shared_axes: Axes (the batch is axis 0) along which one alpha serves, such as `[1, 2]` after a 2-D convolution.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Input: shape (batch, ...). Result: the same.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.PReLU("ones")(np.asarray([[-1.0, 2.0]], dtype="float32"))
        array([[-1.,  2.]], dtype=float32)
    """

    keeps_shape = True

    def __init__(
        self,
        alpha_initializer: Any = "zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: list[int] | tuple[int, ...] | int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = alpha_regularizer
        self.alpha_constraint = alpha_constraint
        shared = (shared_axes,) if isinstance(shared_axes, int) else tuple(shared_axes or ())
        if 0 in shared:
            raise ValueError(
                f"Argument `shared_axes` of layer '{self.name}' counts from 1; axis 0 is the batch. "
                f"Received: shared_axes={shared_axes!r}"
            )
        self.shared_axes = shared

    def build(self, input_shape: Any) -> None:
        self.require_rank(input_shape, 2, "(batch, ...)")
        rank = len(input_shape)
        beyond = [axis for axis in self.shared_axes if not -rank < axis < rank]
        if beyond:
            raise ValueError(
                f"Argument `shared_axes` of layer '{self.name}' names axes that the input lacks. "
                f"Received: shared_axes={self.shared_axes} and an input of shape {tuple(input_shape)}"
            )
        shared = {axis % rank for axis in self.shared_axes}
        self.alpha = self.add_weight(
            tuple(1 if axis in shared else input_shape[axis] for axis in range(1, rank)),
            self.alpha_initializer,
            "alpha",
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )

    def call(self, x: Array) -> Array:
        alpha = self.alpha.value
        for axis, size in enumerate(alpha.shape, start=1):
            if size != 1:
                self.require_axis(x, axis, size)
        return activations.prelu(x, alpha)


class Softmax(Layer):
    """`activations.softmax` over an axis; as `keras.layers.Softmax`.

    Args:
        axis: Axis, or several, over which the result sums to 1.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    A mask of the input's shape leaves elements out: their probability is 0. A mask of time steps changes nothing.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Softmax()(np.asarray([[0.0, 0.0]]))
        array([[0.5, 0.5]])
    """

    keeps_shape = True

    def __init__(self, axis: int | list[int] | tuple[int, ...] = -1, **options: Any) -> None:
        super().__init__(**options)
        axes = (axis,) if isinstance(axis, int) else axis
        if not isinstance(axes, (list, tuple)) or not axes or any(not isinstance(a, int) for a in axes):
            raise ValueError(
                f"Argument `axis` of layer '{self.name}' must be an integer or several. Received: axis={axis!r}"
            )
        self.axis: int | tuple[int, ...] = axes[0] if len(axes) == 1 else tuple(axes)

    def call(self, x: Array, mask: Array | None = None) -> Array:
        if mask is None or tuple(mask.shape) != tuple(x.shape):
            return activations.softmax(x, axis=self.axis)
        xp = array_namespace(x, mask)
        lowest = 0.5 * float(xp.finfo(x.dtype).min)  # less than any score, yet the difference of two does not overflow
        return activations.softmax(xp.where(mask, x, lowest), axis=self.axis) * xp.astype(mask, x.dtype)


class Maxout(Layer):
    """The largest of several linear functions, `max_j (x @ kernel_j + bias_j)` (Goodfellow et al. 2013).

    Args:
        units: Size of the last axis of the result.
        pieces: Number of linear functions for each unit.
        use_bias: Whether to add biases.
        kernel_initializer: Initial values of the kernel, shape (features, units * pieces).
        bias_initializer: Initial values of the bias, shape (units * pieces,).
        kernel_regularizer: Penalty on the kernel, added to the loss.
        bias_regularizer: Penalty on the bias.
        kernel_constraint: Function applied to the kernel after each update.
        bias_constraint: Function applied to the bias after each update.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Input: shape (batch, ..., features). Result: shape (batch, ..., units).

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Maxout(4, pieces=3)(np.ones((2, 5), dtype="float32")).shape
        (2, 4)
    """

    def __init__(
        self,
        units: int,
        pieces: int = 2,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        for argument, value in (("units", units), ("pieces", pieces)):
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(
                    f"Argument `{argument}` of layer '{self.name}' must be a positive integer. Received: {value!r}"
                )
        self.units = units
        self.pieces = pieces
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = kernel_regularizer
        self.bias_regularizer = bias_regularizer
        self.kernel_constraint = kernel_constraint
        self.bias_constraint = bias_constraint

    def build(self, input_shape: Any) -> None:
        self.require_rank(input_shape, 2, "(batch, ..., features)")
        width = self.units * self.pieces
        self.kernel = self.add_weight(
            (input_shape[-1], width),
            self.kernel_initializer,
            "kernel",
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                (width,),
                self.bias_initializer,
                "bias",
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def call(self, x: Array) -> Array:
        kernel = self.kernel.value
        self.require_axis(x, -1, kernel.shape[0])
        xp = array_namespace(x, kernel)
        rows = xp.matmul(xp.reshape(x, (math.prod(x.shape[:-1]), x.shape[-1])), kernel)
        if self.use_bias:
            rows = rows + self.bias.value
        return xp.reshape(activations.maxout(rows, self.pieces), (*x.shape[:-1], self.units))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], self.units)
