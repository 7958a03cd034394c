"""Category numbers as vectors."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, storage
from portanet.backends import Array, array_like, readable, require_exact
from portanet.layers.base import Layer
from portanet.layers.preprocessing.encoding import MODES, encode, encoded_shape


class CategoryEncoding(Layer):
    """Integers as one-hot, multi-hot or count vectors; as `keras.layers.CategoryEncoding`.

    Args:
        num_tokens: Number of categories; the integers are smaller.
        output_mode: `"one_hot"`, a vector per integer; `"multi_hot"`, a vector per row with 1 for each category in it;
            `"count"`, with the number of times.
        sparse: Must be False: arrays are dense.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Input: integers of shape (batch,) or (batch, samples). Output: shape (batch, num_tokens), floating-point; for
    one-hot vectors of several samples (batch, samples, num_tokens).

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.CategoryEncoding(4, "one_hot")(np.asarray([3, 0])).tolist()
        [[0.0, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, 0.0]]
        >>> layers.CategoryEncoding(3, "count")(np.asarray([[0, 1, 1]])).tolist()
        [[1.0, 2.0, 0.0]]
    """

    built_at_once = False
    independent_examples = True
    takes_integers = True
    autocast = False
    _takes_lists = True

    def __init__(self, num_tokens: int, output_mode: str = "multi_hot", sparse: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.num_tokens = checks.positive_int("num_tokens", num_tokens, self)
        self.output_mode = checks.choice("output_mode", output_mode, MODES[1:], self)
        self.sparse = checks.dense("sparse", sparse, self)

    def call(self, x: Array, count_weights: Array | None = None) -> Array:
        xp = array_namespace(x)
        if count_weights is not None and self.output_mode != "count":
            raise ValueError(
                f"Argument `count_weights` of layer '{self.name}' is only for output_mode='count'. "
                f"Received: output_mode={self.output_mode!r}"
            )
        if readable(storage(x), wait=True):
            self.check_data(storage(x))
        dtype = getattr(xp, self.compute_dtype)
        if count_weights is not None:
            if not hasattr(count_weights, "shape"):
                count_weights = array_like(storage(x), count_weights, f"`count_weights` of layer '{self.name}'")
            count_weights = xp.astype(count_weights, dtype, copy=False)
        return encode(x, self.num_tokens, self.output_mode, dtype, count_weights)

    def check_data(self, x: Array) -> None:
        if 0 in x.shape:
            return
        xp = array_namespace(x)
        require_exact(x, "int32", f"Layer '{self.name}'")
        least, largest = int(xp.min(x)), int(xp.max(x))
        if least < 0 or largest >= self.num_tokens:
            raise ValueError(
                f"Layer '{self.name}' encodes integers from 0 to {self.num_tokens - 1}; raise `num_tokens`. "
                f"Received: integers from {least} to {largest}"
            )

    def compute_output_shape(self, input_shape: Any) -> Any:
        return encoded_shape(input_shape, self.num_tokens, self.output_mode)
