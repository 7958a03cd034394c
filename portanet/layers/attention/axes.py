"""Attention over other axes than the second: arrays brought to three axes, and back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.base import Layer


class AttentionAxes:
    """The axes of arrays along which positions attend to each other.

    Args:
        axes: The axes; None for all between the first and the last.
        shape: Shape of the query; other arrays have as many axes.
        layer: The layer, for messages.
    """

    def __init__(self, axes: Sequence[int] | None, shape: Any, layer: Layer) -> None:
        ndim = len(shape)
        if ndim < 3:
            raise ValueError(
                f"Layer '{layer.name}' needs inputs of shape (batch, time, features), or with more axes in the middle. "
                f"Received: shape {tuple(shape)}"
            )
        named = range(1, ndim - 1) if axes is None else checks.axes("attention_axes", axes, ndim, layer)
        self.axes = tuple(axis % ndim for axis in named)
        if not all(0 < axis < ndim - 1 for axis in self.axes):
            expected = f"axes between the first and the last of {ndim}"
            raise checks.invalid("attention_axes", axes, expected, layer)
        self.free = tuple(axis for axis in range(1, ndim - 1) if axis not in self.axes)
        self.order = (0, *self.free, *self.axes, ndim - 1)

    def flat_shape(self, shape: Any) -> tuple[int | None, int | None, int | None]:
        """The shape (batch, time, features) for arrays of a shape."""
        return _product(shape, (0, *self.free)), _product(shape, self.axes), shape[-1]

    def flat(self, x: Array) -> Array:
        """An array in the form (batch, time, features): free axes go to the batch."""
        xp = array_namespace(x)
        return xp.reshape(xp.permute_dims(x, self.order), self.flat_shape(x.shape))

    def restored(self, x: Array, shape: Sequence[int]) -> Array:
        """The inverse of `flat`, for an array of this shape before, with any features after the second axis."""
        xp = array_namespace(x)
        sizes = _sizes(shape, self.order[:-1])
        x = xp.reshape(x, (*sizes, *x.shape[2:]))
        back = sorted(range(len(sizes)), key=lambda place: self.order[place])
        return xp.permute_dims(x, (*back, *range(len(sizes), x.ndim)))

    def restored_scores(self, scores: Array, query: Sequence[int], key: Sequence[int]) -> Array:
        """Weights (batch, heads, target, source) with the axes that these had: (batch, ..., heads, ..., ...)."""
        lead, target, source = _sizes(query, (0, *self.free)), _sizes(query, self.axes), _sizes(key, self.axes)
        return array_namespace(scores).reshape(scores, (*lead, scores.shape[1], *target, *source))

    def flat_mask(self, mask: Array, query: Sequence[int], key: Sequence[int], layer: Layer) -> Array:
        """A mask (batch, targets..., sources...) in the form (batch, target, source)."""
        xp = array_namespace(mask)
        expected = (query[0], *_sizes(query, self.axes), *_sizes(key, self.axes))
        if tuple(mask.shape) not in (expected, (1, *expected[1:])):
            raise ValueError(
                f"Argument `attention_mask` of layer '{layer.name}' must have shape {expected} for "
                f"attention_axes={self.axes}. Received: {tuple(mask.shape)}"
            )
        batch, count = query[0], math.prod(_sizes(query, self.free))
        flat = xp.reshape(mask, (mask.shape[0], 1, _product(query, self.axes), _product(key, self.axes)))
        flat = xp.broadcast_to(flat, (batch, count, *flat.shape[2:]))
        return xp.reshape(flat, (batch * count, *flat.shape[2:]))


def _sizes(shape: Sequence[Any], axes: Sequence[int]) -> list[Any]:
    return [shape[axis] for axis in axes]


def _product(shape: Sequence[int | None], axes: Sequence[int]) -> int | None:
    sizes = _sizes(shape, axes)
    return None if None in sizes else math.prod(sizes)
