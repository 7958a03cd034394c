"""Layers applied to every time step."""

from __future__ import annotations

from typing import Any

from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.core.wrapper import Wrapper
from portanet.layers.normalization.batch_normalization import BatchNormalization


class TimeDistributed(Wrapper):
    """Apply a layer to every time step with the same weights; as `keras.layers.TimeDistributed`.

    All steps are computed at once, as one batch; one after the other, as in Keras, if the layer contains batch
    normalization in training. The layer gets the mask of each step.

    Args:
        layer: The layer. As in Keras, its own `activity_regularizer` has no effect; those of layers in it have.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Input: shape (batch, time, ...). Output: shape (batch, time, ...).

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.TimeDistributed(layers.Dense(4))(np.ones((2, 5, 3), dtype="float32")).shape
        (2, 5, 4)
    """

    independent_examples = True
    supports_masking = True
    _penalizes = False  # as in Keras, where the wrapped layer's `call` is called

    def build(self, input_shape: Any) -> None:
        self.require_rank(input_shape, 3, "(batch, time, ...)")
        super().build(self._step_shape(input_shape))

    def call(self, x: Array, training: bool = False, mask: Array | None = None) -> Array:
        self.require_rank(x.shape, 3, "(batch, time, ...)")
        batch, time = x.shape[:2]
        if mask is not None and tuple(mask.shape[:2]) != (batch, time):
            raise ValueError(
                f"Argument `mask` of layer '{self.name}' must have the batch and the time axis of the input, "
                f"{(batch, time)}. Received: a mask of shape {tuple(mask.shape)}"
            )
        mask = mask if self.layer._takes_mask and self.layer._masks_steps else None
        _, *inner = self.layer.flatten_layers()
        by_step = any(part.activity_regularizer is not None for part in inner)  # which adds up over steps
        if training and any(isinstance(part, BatchNormalization) for part in (self.layer, *inner)):
            by_step = True
        if by_step:
            steps = [
                self.layer(x[:, t, ...], training=training, mask=None if mask is None else mask[:, t, ...])
                for t in range(time)
            ]
            return array_namespace(*steps).stack(steps, axis=1)
        if mask is not None:
            mask = array_namespace(mask).reshape(mask, (batch * time, *mask.shape[2:]))
        out = self.layer(array_namespace(x).reshape(x, (batch * time, *x.shape[2:])), training=training, mask=mask)
        return array_namespace(out).reshape(out, (batch, time, *out.shape[1:]))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:2], *self.layer.compute_output_shape(self._step_shape(input_shape))[1:])

    def _step_shape(self, shape: Any) -> Any:
        return (None if None in shape[:2] else shape[0] * shape[1], *shape[2:])
