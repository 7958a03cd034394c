"""The base classes of merging layers."""

from __future__ import annotations

from typing import Any

from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.base import Layer
from portanet.layers.merging.masks import joint_mask
from portanet.layers.several_inputs import Several, masks_of


class Merge(Layer):
    """A layer that merges several inputs; its mask is True where the masks of all inputs are."""

    several_inputs: Several = Several(more="arrays")

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)

    def call(self, x: Any) -> Array:
        self.compute_output_shape([tuple(array.shape) for array in x])
        return self.merge(array_namespace(*x), x)

    def shapes(self, input_shape: Any) -> list[Any]:
        """The shapes of the inputs."""
        assert self.several_inputs is not None
        return [tuple(shape) for shape in self.several_inputs.entries(self, input_shape)]

    def merge(self, xp: Any, arrays: list[Array]) -> Array:
        """Merge one or more arrays."""
        raise NotImplementedError

    def compute_mask(self, x: Any, mask: Any = None) -> Any:
        return joint_mask(masks_of(mask, len(x)))


class ElementwiseMerge(Merge):
    """A layer that merges elementwise; sizes are equal, or 1 to broadcast along an axis."""

    def compute_output_shape(self, input_shape: Any) -> Any:
        shapes = self.shapes(input_shape)
        if len({len(shape) for shape in shapes}) > 1:
            raise self._mismatch(shapes)
        out: list[int | None] = []
        for sizes in zip(*shapes, strict=True):
            known = {n for n in sizes if n is not None} - {1}
            if len(known) > 1:
                raise self._mismatch(shapes)
            out.append(known.pop() if known else None if None in sizes else 1)
        return tuple(out)

    def _mismatch(self, shapes: list[Any]) -> ValueError:
        return ValueError(
            f"Layer '{self.name}' merges arrays of the same number of axes and the same sizes (or 1). "
            f"Received: shapes {', '.join(map(str, shapes))}"
        )
