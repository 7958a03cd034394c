"""Restricted Boltzmann machines (Smolensky 1986), trained by contrastive divergence (Hinton 2002)."""

from __future__ import annotations

from typing import Any

from portanet import activations, checks, initializers, random
from portanet.autodiff import array_namespace, grad, lift, stop_gradient
from portanet.backends import Array
from portanet.layers.base import Layer
from portanet.random import streams
from portanet.variables import bind


class RBM(Layer):
    """Binary visible and hidden units with weights between them: a model of the distribution of the visible ones.

    As a layer, it computes the probabilities of the hidden units, so that trained machines can be stacked.

    Args:
        units: Number of hidden units.
        kernel_initializer: Initial weights, shape (visible, units).
        bias_initializer: Initial biases of visible and hidden units.
        seed: Seed of the draws; by default `portanet.random.get_seed()`.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Input: shape (batch, visible), values in [0, 1]. Output: shape (batch, units).

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> machine = layers.RBM(4, seed=0)
        >>> v = np.asarray([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]], dtype="float32")
        >>> first = machine.learn(v, learning_rate=0.5)
        >>> for _ in range(200):
        ...     last = machine.learn(v, learning_rate=0.5)
        >>> last < first
        True
    """

    supports_masking = True
    casts_integers = True

    def __init__(
        self,
        units: int,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        seed: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.units = checks.positive_int("units", units, self)
        self.kernel_initializer = initializers.get(kernel_initializer, "kernel_initializer", self)
        self.bias_initializer = initializers.get(bias_initializer, "bias_initializer", self)
        self.seed = None if seed is None else checks.integer("seed", seed, self, least=0)

    def build(self, input_shape: Any) -> None:
        if len(input_shape) != 2:
            raise ValueError(
                f"Layer '{self.name}' needs inputs of shape (batch, visible). Received: shape {tuple(input_shape)}"
            )
        self.kernel = self.add_weight(
            shape=(input_shape[-1], self.units), initializer=self.kernel_initializer, name="kernel"
        )
        self.visible_bias = self.add_weight(
            shape=(input_shape[-1],), initializer=self.bias_initializer, name="visible_bias"
        )
        self.hidden_bias = self.add_weight(shape=(self.units,), initializer=self.bias_initializer, name="hidden_bias")
        self.counter = self.add_counter()
        self.key = random.stream_key(random.get_seed() if self.seed is None else self.seed, self._path())

    def call(self, x: Array) -> Array:
        return activations.sigmoid(self._inputs_of_hidden(x))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], self.units)

    def visible(self, h: Array) -> Array:
        """Probabilities of the visible units, shape (batch, visible), given hidden ones, shape (batch, units)."""
        kernel = self.kernel.value
        xp = array_namespace(h, kernel)
        return activations.sigmoid(xp.matmul(h, xp.matrix_transpose(kernel)) + self.visible_bias.value)

    def free_energy(self, v: Array) -> Array:
        """`-log` of the unnormalised probability of visible units, shape (batch,)."""
        inputs = self._inputs_of_hidden(v)
        xp = array_namespace(inputs)
        softplus = xp.logaddexp(inputs, xp.zeros_like(inputs))
        return -xp.matmul(v, self.visible_bias.value) - xp.sum(softplus, axis=-1)

    def gibbs(self, v: Array, steps: int = 1) -> Array:
        """Sample visible units by steps of Gibbs sampling v -> h -> v."""
        for _ in range(steps):
            v = self._draw(self.visible(self._draw(self(v))))
        return v

    def contrastive_divergence(self, v: Array, k: int = 1) -> Array:
        """The mean free energy of `v` minus that of samples after `k` Gibbs steps from `v`, a scalar array.

        Its gradient, with the samples held constant, is the contrastive divergence; use it as a loss.
        """
        samples = stop_gradient(self.gibbs(stop_gradient(v), k))
        energy = self.free_energy(v) - self.free_energy(samples)
        return array_namespace(energy).mean(energy)

    def learn(self, v: Array, learning_rate: float = 0.1, k: int = 1) -> float:
        """One step of gradient descent by contrastive divergence.

        Args:
            v: Visible units, shape (batch, visible).
            learning_rate: Size of the step.
            k: Number of Gibbs steps.

        Returns:
            The mean squared error of one reconstruction from the hidden units, after the step.
        """
        k = checks.positive_int("k", k, self)
        if not self._built:
            self.build(tuple(v.shape))
        named = self.named_variables()
        trained = {path: named[path] for path in self.trainable_paths()}

        def objective(params: dict[str, Array]) -> Array:
            with bind({trained[path]: p for path, p in params.items()}):
                return self.contrastive_divergence(lift(v), k)

        gradients = grad(objective)({path: variable.value for path, variable in trained.items()})
        for path, variable in trained.items():
            variable.assign(variable.value - learning_rate * gradients[path])
        difference = self.visible(self(v)) - v
        return float(array_namespace(difference).mean(difference * difference))

    def _inputs_of_hidden(self, v: Array) -> Array:
        kernel = self.kernel.value
        self.require_axis(v, -1, kernel.shape[0])
        return array_namespace(v, kernel).matmul(v, kernel) + self.hidden_bias.value

    def _draw(self, p: Array) -> Array:
        """Draw 1 with probability `p`, else 0."""
        step = self.counter.value
        self.counter.assign(step + 1)
        uniform = streams.uniform(self.key, step, tuple(p.shape), p.dtype)
        return array_namespace(p).astype(p > uniform, p.dtype)
