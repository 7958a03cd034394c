"""The rectifier with a learned slope below 0."""

from __future__ import annotations

from typing import Any

from portanet import activations, checks, constraints, initializers, regularizers
from portanet.backends import Array
from portanet.layers.base import Layer


class PReLU(Layer):
    """x where positive, else `alpha * x`, with alpha learned (He et al. 2015); as `keras.layers.PReLU`.

    Args:
        alpha_initializer: Initial values of alpha, shape `input_shape[1:]` with 1 for the shared axes.
        alpha_regularizer: Penalty on alpha, added to the loss.
        alpha_constraint: Function applied to alpha after each update.
        shared_axes: Axes (the batch is axis 0) that share one alpha, such as `[1, 2]` after a 2-D convolution.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Input: shape (batch, ...). Output: the same.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.PReLU("ones")(np.asarray([[-1.0, 2.0]], dtype="float32"))
        array([[-1.,  2.]], dtype=float32)
    """

    keeps_shape = True
    supports_masking = True
    casts_integers = True

    def __init__(
        self,
        alpha_initializer: Any = "zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: list[int] | tuple[int, ...] | int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.alpha_initializer = initializers.get(alpha_initializer, "alpha_initializer", self)
        self.alpha_regularizer = regularizers.get(alpha_regularizer, "alpha_regularizer", self)
        self.alpha_constraint = constraints.get(alpha_constraint, "alpha_constraint", self)
        none = shared_axes is None or (isinstance(shared_axes, (list, tuple)) and not shared_axes)
        self.shared_axes = () if none else checks.integers("shared_axes", shared_axes, of=self)
        if 0 in self.shared_axes:
            raise ValueError(
                f"Argument `shared_axes` of layer '{self.name}' counts from 1; axis 0 is the batch. "
                f"Received: shared_axes={shared_axes!r}"
            )

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
            shape=tuple(1 if axis in shared else input_shape[axis] for axis in range(1, rank)),
            initializer=self.alpha_initializer,
            name="alpha",
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )

    def call(self, x: Array) -> Array:
        alpha = self.alpha.value
        for axis, size in enumerate(alpha.shape, start=1):
            if size != 1:
                self.require_axis(x, axis, size)
        return activations.prelu(x, alpha)
