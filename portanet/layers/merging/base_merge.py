"""The base classes of merging layers."""

from __future__ import annotations

from typing import Any

from portanet.autodiff import array_namespace, unwrap
from portanet.backends import Array
from portanet.layers.base import Layer
from portanet.layers.merging.masks import any_mask, one_per_array
from portanet.layers.several_inputs import Several
from portanet.masks import masks_of


class Merge(Layer):
    """A layer that merges several inputs; its mask is True where that of any input is. If one input has no mask, the
    output has none.
    """

    several_inputs: Several = Several(more="arrays")
    supports_masking = True

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)

    def call(self, x: Any, mask: Any = None) -> Array:
        self.compute_output_shape([tuple(array.shape) for array in x])
        pairs = zip(masks_of(mask, len(x)), x, strict=True)
        masks = [None if m is None else _spread(unwrap(m), array) for m, array in pairs]
        if all(m is None for m in masks):
            return self.merge(array_namespace(*x), x)
        return self.merge_masked(array_namespace(*x), x, masks)

    def shapes(self, input_shape: Any) -> list[Any]:
        """The shapes of the inputs."""
        assert self.several_inputs is not None
        return [tuple(shape) for shape in self.several_inputs.entries(self, input_shape)]

    def merge(self, xp: Any, arrays: list[Array]) -> Array:
        """Merge one or more arrays."""
        raise NotImplementedError

    def merge_masked(self, xp: Any, arrays: list[Array], masks: list[Any]) -> Array:
        """Merge arrays of which some have a mask, True where an entry counts, with as many axes as the array."""
        return self.merge(xp, arrays)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None if mask is None else any_mask(one_per_array(self, inputs, mask))


def _spread(mask: Array, x: Array) -> Array:
    """A mask with as many axes as an array."""
    xp = array_namespace(mask)
    return xp.astype(xp.reshape(mask, (*mask.shape, *(1,) * (x.ndim - mask.ndim))), xp.bool)


class ElementwiseMerge(Merge):
    """A layer that merges elementwise; sizes are equal, or 1 to broadcast along an axis."""

    casts_integers = True

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
