"""Spectral normalisation."""

from __future__ import annotations

from typing import Any

from portanet import checks, initializers
from portanet.autodiff import array_namespace, storage, unwrap
from portanet.backends import Array, raw_namespace
from portanet.layers.base import Layer
from portanet.layers.normalization.kernel_wrapper import KernelWrapper


class SpectralNormalization(KernelWrapper):
    """Divide a layer's kernel by its largest singular value, its spectral norm.

    Miyato et al. 2018; as `keras.layers.SpectralNormalization`. In training, the singular value is estimated by power
    iteration, starting from the previous step's vector. As in the paper and in PyTorch, the trained kernel is the one
    before the division, and gradients pass through the division (Keras overwrites the kernel).

    Args:
        layer: A layer with weights `kernel` or `embeddings`, whose last axis is that of the units.
        power_iterations: Number of iterations per training step.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layer = layers.SpectralNormalization(layers.Dense(1, kernel_initializer="ones"), power_iterations=1)
        >>> x = np.asarray([[1.0, 1.0, 1.0, 1.0]], dtype="float32")
        >>> layer(x, training=True)
        array([[2.]], dtype=float32)
    """

    def __init__(self, layer: Layer, power_iterations: int = 1, **options: Any) -> None:
        super().__init__(layer, **options)
        self.power_iterations = checks.positive_int("power_iterations", power_iterations, self)

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self.vector_u = self.add_weight(
            shape=(1, self._kernel().shape[-1]),
            initializer=initializers.get("truncated_normal"),
            name="vector_u",
            trainable=False,
        )

    def kernel_in_use(self, training: bool) -> Array:
        u, kernel = self._normalized(self.power_iterations if training else 0)
        if training:
            self.vector_u.assign(u)
        return kernel

    def normalized_weights(self) -> tuple[Array, Array]:
        """The vector `vector_u` after the next training step, and the kernel of that step; neither is stored."""
        return self._normalized(self.power_iterations)

    def _normalized(self, iterations: int) -> tuple[Array, Array]:
        kernel = self._kernel().value
        # The two vectors have no derivative.
        plain, u = unwrap(kernel), unwrap(self.vector_u.value)
        raw = raw_namespace(plain if storage(u) is u else u)  # either may be batched by vmap
        rows = raw.reshape(plain, (-1, plain.shape[-1]))
        v = _unit(raw, raw.matmul(u, raw.matrix_transpose(rows)))
        for i in range(iterations):
            if i:
                v = _unit(raw, raw.matmul(u, raw.matrix_transpose(rows)))
            u = _unit(raw, raw.matmul(v, rows))
        vector, u = u, _unit(raw, u)
        xp = array_namespace(kernel)
        outer = raw.reshape(raw.matrix_transpose(v) * u, plain.shape)
        sigma = xp.sum(kernel * outer)  # v @ rows @ u.T
        return vector, kernel / xp.where(sigma == 0, 1.0, sigma)


def _unit(xp: Any, x: Array) -> Array:
    """A vector scaled to length 1; zeros stay zeros."""
    return x / xp.maximum(xp.sqrt(xp.sum(x * x)), 1e-12)  # xp.linalg is an extension, which not all libraries have
