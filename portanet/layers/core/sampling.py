"""Draws from normal distributions that a network describes."""

from __future__ import annotations

from typing import Any

from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.random_layer import RandomLayer
from portanet.layers.several_inputs import Several


class Sampling(RandomLayer):
    """Draws `mean + exp(log_variance / 2) * noise` with normal noise: the code of a variational autoencoder.

    The noise enters beside the mean and the variance, so both have derivatives (the reparametrisation trick). It is
    drawn in training and in inference, as in Keras's example of a variational autoencoder; for codes without noise,
    use the mean. The numbers depend on the seed, the layer's path and the number of draws so far: the same on every
    backend.

    Source: D. P. Kingma, M. Welling, Auto-encoding variational Bayes, ICLR 2014.

    Args:
        seed: Seed; by default `portanet.random.get_seed()`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Input: the means and the logarithms of the variances, two arrays of one shape. Output: an array of that shape.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> mean, log_variance = np.full((200, 200), 3.0, dtype="float32"), np.zeros((200, 200), dtype="float32")
        >>> code = layers.Sampling(seed=1)([mean, log_variance])
        >>> round(float(code.mean()), 1), round(float(code.std()), 1)
        (3.0, 1.0)
    """

    several_inputs: Several = Several("mean", "log_variance")
    keeps_shape = False

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)
        super().build(input_shape)

    def call(self, x: list[Array]) -> Array:
        self.compute_output_shape([tuple(array.shape) for array in x])
        mean, log_variance = x
        mean = self.with_state(mean)
        deviation = array_namespace(mean, log_variance).exp(log_variance * 0.5)
        return mean + deviation * self.normal(mean, 0.0, 1.0)

    def compute_output_shape(self, input_shape: Any) -> Any:
        mean, log_variance = (tuple(shape) for shape in self.several_inputs.entries(self, input_shape))
        sizes = zip(mean, log_variance, strict=False)
        if len(mean) != len(log_variance) or any(a != b for a, b in sizes if None not in (a, b)):
            raise ValueError(
                f"Layer '{self.name}' needs means and logarithms of variances of one shape. "
                f"Received: shapes {mean} and {log_variance}"
            )
        return mean
