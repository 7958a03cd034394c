"""Layers that normalise the kernel of the layer that they hold."""

from __future__ import annotations

from typing import Any

import numpy as np

from portanet import initializers
from portanet.autodiff import array_namespace
from portanet.autodiff.traced import raw_value
from portanet.backends import Array, HostArray, raw_namespace
from portanet.layers.base import Layer
from portanet.variables import Variable, bind


class KernelWrapper(Layer):
    """A layer that computes what another does with another kernel, made from its own by `kernel_in_use`.

    Args:
        layer: A layer with weights `kernel` or `embeddings`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.
    """

    by_example = False

    def __init__(self, layer: Layer, **options: Any) -> None:
        super().__init__(**options)
        if not isinstance(layer, Layer):
            raise ValueError(f"Argument `layer` of layer '{self.name}' must be a layer. Received: layer={layer!r}")
        self.layer = layer

    def build(self, input_shape: Any) -> None:
        if not self.layer.built:
            self._place(self._path())
            self.layer.build(input_shape)
        if not isinstance(self._kernel(), Variable):
            raise ValueError(
                f"Layer '{self.name}' needs a layer with weights `kernel` or `embeddings`. Received: {self.layer!r}"
            )

    def _kernel(self) -> Any:
        return getattr(self.layer, "kernel", None) or getattr(self.layer, "embeddings", None)

    def kernel_in_use(self, training: bool) -> Array:
        """The kernel to compute with."""
        raise NotImplementedError

    def call(self, x: Any, training: bool = False, mask: Any = None) -> Any:
        kernel = self._kernel()
        with bind({kernel: self.kernel_in_use(training)}) as inner:
            out = self.layer(x, training=training, mask=mask)
        # What the layer assigned to its state goes on to the step around, if any.
        for variable, value in inner.items():
            if variable is not kernel and variable.value is not value:
                variable.assign(value)
        return out

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self.layer.compute_output_shape(input_shape)

    def compute_mask(self, x: Any, mask: Any = None) -> Any:
        return self.layer.compute_mask(x, mask)


class SpectralNormalization(KernelWrapper):
    """Divide a layer's kernel by its largest singular value, so that the layer lengthens no vector.

    Miyato et al. 2018. The singular value is estimated by power iteration, in training, from where the last step left
    off; as `keras.layers.SpectralNormalization`. As in the paper and in PyTorch, the kernel that is trained is the one
    before the division, and the derivative passes through the division (Keras overwrites the kernel by the result).

    Args:
        layer: A layer with weights `kernel` or `embeddings`; the last axis is that of its units.
        power_iterations: Number of iterations in each training step.
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
        if isinstance(power_iterations, bool) or not isinstance(power_iterations, int) or power_iterations < 1:
            raise ValueError(
                f"Argument `power_iterations` of layer '{self.name}' must be a positive integer. "
                f"Received: power_iterations={power_iterations!r}"
            )
        self.power_iterations = power_iterations

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self.vector_u = self.add_weight(
            (1, self._kernel().shape[-1]), initializers.get("truncated_normal"), "vector_u", trainable=False
        )

    def kernel_in_use(self, training: bool) -> Array:
        kernel = self._kernel().value
        # The two vectors have no derivative.
        plain, u = raw_value(kernel), raw_value(self.vector_u.value)
        raw = raw_namespace(plain)
        rows = raw.reshape(plain, (-1, plain.shape[-1]))
        v = _unit(raw, raw.matmul(u, raw.matrix_transpose(rows)))
        if training:
            for i in range(self.power_iterations):
                if i:
                    v = _unit(raw, raw.matmul(u, raw.matrix_transpose(rows)))
                u = _unit(raw, raw.matmul(v, rows))
            self.vector_u.assign(u)
        u = _unit(raw, u)
        xp = array_namespace(kernel)
        outer = raw.reshape(raw.matrix_transpose(v) * u, plain.shape)
        sigma = xp.sum(kernel * outer)  # v @ rows @ u.T
        return kernel / xp.where(sigma == 0, 1.0, sigma)


class WeightNormalization(KernelWrapper):
    """Learn the direction and the length of each unit's weights apart: `g * kernel / |kernel|`.

    Salimans and Kingma 2016. The norm is that over all axes of the kernel but the last. The lengths `g` begin as those
    of the kernel.

    Args:
        layer: A layer with weights `kernel` or `embeddings`; the last axis is that of its units.
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

        self.g = self.add_weight((kernel.shape[-1],), lengths, "g")

    def kernel_in_use(self, training: bool) -> Array:
        kernel, g = self._kernel().value, self.g.value
        xp = array_namespace(kernel, g)
        squares = xp.sum(kernel * kernel, axis=tuple(range(kernel.ndim - 1)), keepdims=True)
        return kernel * (g / xp.sqrt(xp.where(squares > 0, squares, 1.0)))


def _unit(xp: Any, x: Array) -> Array:
    """A vector scaled to length 1; zeros stay zeros."""
    return x / xp.maximum(xp.sqrt(xp.sum(x * x)), 1e-12)  # xp.linalg is an extension, which not all libraries have
