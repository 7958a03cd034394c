"""Products of arrays along axes."""

from __future__ import annotations

import math
from typing import Any

from portanet import checks
from portanet.backends import Array
from portanet.layers.merging.base_merge import Merge
from portanet.layers.several_inputs import Several


class Dot(Merge):
    """Products of two inputs summed over one axis of each, example by example; as `keras.layers.Dot`.

    Args:
        axes: The axis of both, or a pair with the axis of each; not the batch axis.
        normalize: Whether to divide by the length along that axis first, for the cosine similarity.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Output: the axes of the first input, then those of the second, without those summed over and with one batch axis;
    shape (batch, 1) for two vectors.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Dot(axes=1)([np.asarray([[1.0, 2.0]]), np.asarray([[3.0, 4.0]])])
        array([[11.]])
    """

    several_inputs: Several = Several("first", "second")
    casts_integers = True

    def __init__(self, axes: int | tuple[int, int], normalize: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.axes = checks.one_or_several("axes", axes, self)
        self.pair = checks.integers("axes", axes, 2, self)
        if 0 in self.pair:
            raise checks.invalid("axes", axes, "an axis or a pair of axes, not the batch axis", self)
        self.normalize = checks.boolean("normalize", normalize, self)

    def merge(self, xp: Any, arrays: list[Array]) -> Array:
        first, second = arrays
        shape = self.compute_output_shape([tuple(first.shape), tuple(second.shape)])
        first = xp.moveaxis(first, self.pair[0], -1)
        second = xp.moveaxis(second, self.pair[1], 1)
        batch, size = first.shape[0], first.shape[-1]
        first = xp.reshape(first, (batch, math.prod(first.shape[1:-1]), size))
        second = xp.reshape(second, (batch, size, math.prod(second.shape[2:])))
        if self.normalize:
            first, second = _unit(xp, first, -1), _unit(xp, second, 1)
        return xp.reshape(xp.matmul(first, second), shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        first, second = self.shapes(input_shape)
        axes = []
        for shape, axis in zip((first, second), self.pair, strict=True):
            if not -len(shape) < axis < len(shape):
                raise ValueError(f"Layer '{self.name}' sums over axis {axis}. Received: an input of shape {shape}")
            axes.append(axis % len(shape))
        sizes = {first[axes[0]], second[axes[1]]} - {None}
        if len(sizes) > 1:
            raise ValueError(
                f"Layer '{self.name}' needs axes {self.pair} of the same size. Received: shapes {first} and {second}"
            )
        rest = [n for i, n in enumerate(first) if i not in (0, axes[0])]
        rest += [n for i, n in enumerate(second) if i not in (0, axes[1])]
        return (first[0], *(rest or [1]))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None


def _unit(xp: Any, x: Array, axis: int) -> Array:
    """Divide by the length along an axis, at least 1e-6."""
    square = xp.sum(x * x, axis=axis, keepdims=True)
    return x / xp.sqrt(xp.maximum(square, 1e-12))
