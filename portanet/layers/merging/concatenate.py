"""Concatenation along an axis."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, unwrap
from portanet.backends import Array, device_of
from portanet.layers.merging.base_merge import Merge
from portanet.layers.merging.masks import any_mask, one_per_array


class Concatenate(Merge):
    """Concatenate the inputs along an axis; as `keras.layers.Concatenate`.

    Args:
        axis: The axis; not the batch axis.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Concatenate()([np.ones((2, 3)), np.ones((2, 4))]).shape
        (2, 7)
    """

    independent_examples = True

    def __init__(self, axis: int = -1, **options: Any) -> None:
        super().__init__(**options)
        self.axis = checks.integer("axis", axis, self)
        if axis == 0:
            raise checks.invalid("axis", axis, "an axis other than the batch axis", self)

    def merge(self, xp: Any, arrays: list[Array]) -> Array:
        return xp.concat(arrays, axis=self.axis)

    def compute_output_shape(self, input_shape: Any) -> Any:
        shapes = self.shapes(input_shape)
        rank = len(shapes[0])
        if not -rank <= self.axis < rank:
            raise ValueError(
                f"Layer '{self.name}' concatenates along axis {self.axis}. Received: an input of shape {shapes[0]}"
            )
        rest = [[n for i, n in enumerate(shape) if i != self.axis % rank] for shape in shapes]
        for others in rest[1:]:
            if len(others) != len(rest[0]) or any(
                m is not None and n is not None and m != n for m, n in zip(others, rest[0], strict=True)
            ):
                raise ValueError(
                    f"Layer '{self.name}' concatenates arrays that differ along axis {self.axis} only. "
                    f"Received: shapes {', '.join(map(str, shapes))}"
                )
        sizes = [shape[self.axis] for shape in shapes]
        out = list(shapes[0])
        out[self.axis] = None if None in sizes else sum(sizes)
        return tuple(out)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        masks = [] if mask is None else one_per_array(self, inputs, mask)
        if all(m is None for m in masks):
            return None
        rank = next(m.ndim for m in masks if m is not None)
        xp = array_namespace(*(m for m in masks if m is not None))
        full = []  # an input without a mask counts everywhere
        for array, own in zip(inputs, masks, strict=True):
            shape, device = tuple(array.shape[:rank]), device_of(unwrap(array))
            full.append(xp.ones(shape, dtype=xp.bool, device=device) if own is None else own)
        axis = self.axis % inputs[0].ndim
        return xp.concat(full, axis=axis) if axis < rank else any_mask(full)
