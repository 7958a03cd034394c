"""Weight normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np

from portanet.autodiff import array_namespace
from portanet.backends import Array, HostArray
from portanet.layers.normalization.kernel_wrapper import KernelWrapper


class WeightNormalization(KernelWrapper):
    """Learn the direction and the length of each unit's weights separately: `g * kernel / |kernel|`.

    Salimans and Kingma 2016. The norm is taken over all axes of the kernel except the last. Initially, the lengths `g`
    are those of the kernel.

    Args:
        layer: A layer with weights `kernel` or `embeddings`, whose last axis is that of the units.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layer = layers.WeightNormalization(layers.Dense(1, kernel_initializer="ones"))
        >>> layer(np.ones((1, 4), dtype="float32")), layer.g.numpy()
        (array([[4.]], dtype=float32), array([2.], dtype=float32))
    """

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        kernel = self._kernel()

        def lengths(shape: tuple[int, ...], generator: Any) -> HostArray:
            host = np.reshape(kernel.numpy(), (-1, *shape))
            return np.asarray(np.sqrt(np.sum(host * host, axis=0)))

        self.g = self.add_weight(shape=(kernel.shape[-1],), initializer=lengths, name="g")

    def kernel_in_use(self, training: bool) -> Array:
        kernel, g = self._kernel().value, self.g.value
        xp = array_namespace(kernel, g)
        squares = xp.sum(kernel * kernel, axis=tuple(range(kernel.ndim - 1)), keepdims=True)
        return kernel * (g / xp.sqrt(xp.where(squares > 0, squares, 1.0)))
