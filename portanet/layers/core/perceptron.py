"""The perceptron of Rosenblatt (1958): binary units and their learning rule."""

from __future__ import annotations

from typing import Any

from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.core.dense import Dense


class Perceptron(Dense):
    """Units that output 1 where `x @ kernel + bias > 0`, else 0.

    Their derivative is 0 almost everywhere, so gradient descent cannot train them; `learn` does.

    Args:
        units: Number of units.
        use_bias: Whether there is a bias (the negative threshold).
        kernel_initializer: Initial weights, shape (features, units).
        bias_initializer: Initial biases, shape (units,).
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> nand = layers.Perceptron(1)
        >>> nand.build((None, 2))
        >>> nand.set_weights([[[-2.0], [-2.0]], [3.0]])
        >>> nand(np.asarray([[0, 0], [0, 1], [1, 0], [1, 1]])).ravel().tolist()
        [1.0, 1.0, 1.0, 0.0]
    """

    supports_masking = True

    def __init__(
        self,
        units: int,
        use_bias: bool = True,
        kernel_initializer: Any = "zeros",
        bias_initializer: Any = "zeros",
        **options: Any,
    ) -> None:
        super().__init__(units, None, use_bias, kernel_initializer, bias_initializer, **options)

    def call(self, x: Array) -> Array:
        sums = super().call(x)
        return array_namespace(sums).astype(sums > 0, sums.dtype)

    def learn(self, x: Array, y: Array, epochs: int = 1, learning_rate: float = 1.0) -> list[int]:
        """The perceptron rule: after each example, `kernel += rate * x * (y - out)` and `bias += rate * (y - out)`.

        It stops early once every example is correct, which is reached if the classes are linearly separable.

        Args:
            x: Examples, shape (examples, features).
            y: Targets, 0 or 1, shape (examples, units).
            epochs: Maximum number of passes over the examples.
            learning_rate: The rate above.

        Returns:
            The number of wrong outputs in each epoch.
        """
        if tuple(y.shape) != (x.shape[0], self.units):
            raise ValueError(
                f"Layer '{self.name}' needs one target for each of {self.units} units and each example. "
                f"Received: y of shape {tuple(y.shape)} for x of shape {tuple(x.shape)}"
            )
        mistakes = []
        for _ in range(epochs):
            wrong = 0
            for i in range(x.shape[0]):
                example = x[i : i + 1, :]
                out = self(example)
                xp = array_namespace(out)
                error = xp.astype(y[i : i + 1, :], out.dtype) - out
                wrong += int(xp.sum(xp.abs(error)))
                example = xp.astype(example, out.dtype)
                self.kernel.assign(self.kernel.value + learning_rate * xp.matmul(xp.matrix_transpose(example), error))
                if self.use_bias:
                    self.bias.assign(self.bias.value + learning_rate * error[0, :])
            mistakes.append(wrong)
            if wrong == 0:
                break
        return mistakes
