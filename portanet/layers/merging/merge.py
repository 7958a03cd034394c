"""Layers that take a list of arrays and give one."""

from __future__ import annotations

import functools
import math
from typing import Any

from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.base import Layer
from portanet.layers.core.core import joint_mask
from portanet.layers.several_inputs import Several, masks_of


class Merge(Layer):
    """What the layers below share: several inputs, and a mask that holds where the masks of all do."""

    several_inputs: Several = Several(more="arrays")

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)

    def call(self, x: Any) -> Array:
        self.compute_output_shape([tuple(each.shape) for each in x])
        return self.merge(array_namespace(*x), x)

    def shapes(self, input_shape: Any) -> list[Any]:
        """The shapes of the inputs."""
        assert self.several_inputs is not None
        return [tuple(shape) for shape in self.several_inputs.entries(self, input_shape)]

    def merge(self, xp: Any, arrays: list[Array]) -> Array:
        """The result, from at least one array."""
        raise NotImplementedError

    def compute_mask(self, x: Any, mask: Any = None) -> Any:
        return joint_mask(masks_of(mask, len(x)))


class ElementwiseMerge(Merge):
    """Merges element by element: the shapes are equal, or 1 where an array is repeated along an axis."""

    def compute_output_shape(self, input_shape: Any) -> Any:
        shapes = self.shapes(input_shape)
        if len({len(shape) for shape in shapes}) > 1:
            raise self._mismatch(shapes)
        found: list[int | None] = []
        for sizes in zip(*shapes, strict=True):
            known = {n for n in sizes if n is not None} - {1}
            if len(known) > 1:
                raise self._mismatch(shapes)
            found.append(known.pop() if known else None if None in sizes else 1)
        return tuple(found)

    def _mismatch(self, shapes: list[Any]) -> ValueError:
        return ValueError(
            f"Layer '{self.name}' merges arrays of the same number of axes and the same sizes (or 1). "
            f"Received: shapes {', '.join(map(str, shapes))}"
        )


class Add(ElementwiseMerge):
    """The sum of the inputs.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Add()([np.asarray([[1.0, 2.0]]), np.asarray([[10.0, 20.0]])])
        array([[11., 22.]])
    """

    def merge(self, xp: Any, arrays: list[Array]) -> Array:
        return functools.reduce(xp.add, arrays)


class Subtract(ElementwiseMerge):
    """The first of two inputs minus the second."""

    several_inputs: Several = Several("first", "second")

    def merge(self, xp: Any, arrays: list[Array]) -> Array:
        return xp.subtract(*arrays)


class Multiply(ElementwiseMerge):
    """The product of the inputs, element by element."""

    def merge(self, xp: Any, arrays: list[Array]) -> Array:
        return functools.reduce(xp.multiply, arrays)


class Average(ElementwiseMerge):
    """The mean of the inputs, element by element."""

    def merge(self, xp: Any, arrays: list[Array]) -> Array:
        return functools.reduce(xp.add, arrays) * (1 / len(arrays))


class Maximum(ElementwiseMerge):
    """The largest of the inputs, element by element."""

    def merge(self, xp: Any, arrays: list[Array]) -> Array:
        return functools.reduce(xp.maximum, arrays)


class Minimum(ElementwiseMerge):
    """The smallest of the inputs, element by element."""

    def merge(self, xp: Any, arrays: list[Array]) -> Array:
        return functools.reduce(xp.minimum, arrays)


class Concatenate(Merge):
    """The inputs one after the other along an axis; as `keras.layers.Concatenate`.

    Args:
        axis: The axis; not the batch's.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Concatenate()([np.ones((2, 3)), np.ones((2, 4))]).shape
        (2, 7)
    """

    def __init__(self, axis: int = -1, **options: Any) -> None:
        super().__init__(**options)
        if isinstance(axis, bool) or not isinstance(axis, int) or axis == 0:
            raise ValueError(
                f"Argument `axis` of layer '{self.name}' must be an axis other than the batch's. "
                f"Received: axis={axis!r}"
            )
        self.axis = axis

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

    def compute_mask(self, x: Any, mask: Any = None) -> Any:
        masks = masks_of(mask, len(x))
        if all(m is None for m in masks):
            return None
        if self.axis % len(x[0].shape) != 1:
            return joint_mask(masks)
        xp = array_namespace(*x)
        whole = [xp.ones_like(each[..., 0], dtype=xp.bool) for each in x]
        return xp.concat([w if m is None else m for w, m in zip(whole, masks, strict=True)], axis=1)


class Dot(Merge):
    """Products of two inputs summed over one axis of each, example by example; as `keras.layers.Dot`.

    Args:
        axes: The axis of both, or a pair with the axis of each; not the batch's.
        normalize: Whether to divide by the length along that axis first, which gives the cosine of the angle.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Result: the axes of the first input, then those of the second, without those summed over and with one batch axis;
    shape (batch, 1) for two vectors.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Dot(axes=1)([np.asarray([[1.0, 2.0]]), np.asarray([[3.0, 4.0]])])
        array([[11.]])
    """

    several_inputs: Several = Several("first", "second")

    def __init__(self, axes: int | tuple[int, int], normalize: bool = False, **options: Any) -> None:
        super().__init__(**options)
        pair = (axes, axes) if isinstance(axes, int) else tuple(axes)
        if len(pair) != 2 or any(isinstance(a, bool) or not isinstance(a, int) or a == 0 for a in pair):
            raise ValueError(
                f"Argument `axes` of layer '{self.name}' must be an axis or a pair of axes, not the batch's. "
                f"Received: axes={axes!r}"
            )
        self.axes = pair
        self.normalize = normalize

    def merge(self, xp: Any, arrays: list[Array]) -> Array:
        first, second = arrays
        shape = self.compute_output_shape([tuple(first.shape), tuple(second.shape)])
        first = xp.moveaxis(first, self.axes[0], -1)
        second = xp.moveaxis(second, self.axes[1], 1)
        batch, size = first.shape[0], first.shape[-1]
        first = xp.reshape(first, (batch, math.prod(first.shape[1:-1]), size))
        second = xp.reshape(second, (batch, size, math.prod(second.shape[2:])))
        if self.normalize:
            first, second = _unit(xp, first, -1), _unit(xp, second, 1)
        return xp.reshape(xp.matmul(first, second), shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        first, second = self.shapes(input_shape)
        places = []
        for shape, axis in zip((first, second), self.axes, strict=True):
            if not -len(shape) < axis < len(shape):
                raise ValueError(f"Layer '{self.name}' sums over axis {axis}. Received: an input of shape {shape}")
            places.append(axis % len(shape))
        sizes = {first[places[0]], second[places[1]]} - {None}
        if len(sizes) > 1:
            raise ValueError(
                f"Layer '{self.name}' needs axes {self.axes} of the same size. Received: shapes {first} and {second}"
            )
        rest = [n for i, n in enumerate(first) if i not in (0, places[0])]
        rest += [n for i, n in enumerate(second) if i not in (0, places[1])]
        return (first[0], *(rest or [1]))

    def compute_mask(self, x: Any, mask: Any = None) -> Any:
        return None


def _unit(xp: Any, x: Array, axis: int) -> Array:
    """Divide by the length along an axis, which is taken for at least 1e-6."""
    square = xp.sum(x * x, axis=axis, keepdims=True)
    return x / xp.sqrt(xp.maximum(square, 1e-12))
