"""Embeddings of integers."""

from __future__ import annotations

from typing import Any

from portanet import checks, constraints, initializers, regularizers
from portanet.autodiff import array_namespace, storage
from portanet.backends import Array, raw_namespace, readable, require_exact, to_host
from portanet.layers.base import Layer
from portanet.layers.input_spec import no_input_length


class Embedding(Layer):
    """A trained vector for each integer; as `keras.layers.Embedding`.

    Args:
        input_dim: Number of vectors: the largest integer plus 1.
        output_dim: Size of a vector.
        embeddings_initializer: Initial values, shape (input_dim, output_dim).
        embeddings_regularizer: Penalty on them, added to the loss.
        embeddings_constraint: Function applied to them after each update.
        mask_zero: Whether 0 is padding, which later layers skip.
        weights: Initial vectors, shape (input_dim, output_dim), instead of the initializer's; fixed with
            `trainable=False`. They are saved with the weights, not with the configuration.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Input: integers, of any dtype, of shape (batch, ...). Output: shape (batch, ..., output_dim).

    Raises:
        TypeError: The input is boolean or complex.
        ValueError: Floating-point input holds fractions.
        IndexError: An integer is not in [0, input_dim). Where values cannot be read (inside a step compiled by JAX), or
            in training on a GPU, where reading would delay the step, `fit` checks them beforehand; integers that it
            cannot check, such as outputs of other layers, give a vector of NaN.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Embedding(3, 2, weights=[[0.0, 0.5], [1.0, 1.5], [2.0, 2.5]])(np.asarray([[2, 0]])).tolist()
        [[[2.0, 2.5], [0.0, 0.5]]]
    """

    independent_examples = True
    takes_integers = True
    autocast = False  # half precision would round class numbers, and the message should name the dtype received

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(**no_input_length(self, options))
        self.input_dim = checks.positive_int("input_dim", input_dim, self)
        self.output_dim = checks.positive_int("output_dim", output_dim, self)
        self.embeddings_initializer = initializers.get(embeddings_initializer, "embeddings_initializer", self)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer, "embeddings_regularizer", self)
        self.embeddings_constraint = constraints.get(embeddings_constraint, "embeddings_constraint", self)
        self.mask_zero = self.supports_masking = checks.boolean("mask_zero", mask_zero, self)
        self._vectors = None if weights is None else self._checked(weights)

    def _checked(self, weights: Any) -> Any:
        host = to_host(weights)
        # Keras takes a list with the matrix as its only entry, too.
        host = host[0] if host.ndim == 3 and host.shape[0] == 1 else host
        if host.shape != (self.input_dim, self.output_dim):
            raise ValueError(
                f"Argument `weights` of layer '{self.name}' must have shape ({self.input_dim}, {self.output_dim}). "
                f"Received: shape {host.shape}"
            )
        return host

    def build(self, input_shape: Any = None) -> None:
        vectors = self._vectors
        self.embeddings = self.add_weight(
            shape=(self.input_dim, self.output_dim),
            initializer=self.embeddings_initializer if vectors is None else lambda shape, generator: vectors,
            name="embeddings",
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
        )

    def call(self, x: Array, training: bool = False) -> Array:
        vectors = self.embeddings.value
        xp = array_namespace(x, vectors)
        checked = self._check_readable(storage(x), training)
        index = xp.reshape(x, (-1,))
        if index.dtype not in (xp.int32, xp.int64):  # all that PyTorch accepts
            index = xp.astype(index, xp.int32)
        if checked:
            rows = xp.take(vectors, index, axis=0)
        else:
            valid = (index >= 0) & (index < self.input_dim)
            rows = xp.take(vectors, xp.where(valid, index, 0), axis=0)
            rows = xp.where(xp.expand_dims(valid, axis=1), rows, xp.nan)
        return xp.reshape(rows, (*x.shape, self.output_dim))

    def _check_readable(self, x: Array, training: bool) -> bool:
        """Reject integers out of range; False where values cannot be read."""
        if not raw_namespace(x).isdtype(x.dtype, ("integral", "real floating")):
            raise TypeError(
                f"Layer '{self.name}' takes integers; convert with portanet.asarray(x, dtype='int32'). "
                f"Received: dtype {x.dtype}"
            )
        if not readable(x, wait=not training):
            return False
        Embedding.check_data(self, x)
        return True

    def check_data(self, x: Array) -> None:
        xp = raw_namespace(x)
        if not xp.isdtype(x.dtype, ("integral", "real floating")) or 0 in x.shape:
            return
        require_exact(x, "int32", f"Layer '{self.name}'")
        least, largest = int(xp.min(x)), int(xp.max(x))
        if least < 0 or largest >= self.input_dim:
            raise IndexError(
                f"Layer '{self.name}' has vectors for the integers from 0 to {self.input_dim - 1}. "
                f"Received: integers from {least} to {largest}"
            )

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return inputs != 0 if self.mask_zero else None

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape, self.output_dim)

    def _arguments(self) -> dict[str, Any]:
        return {**super()._arguments(), "weights": None}
