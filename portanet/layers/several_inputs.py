"""Layers that take a list of arrays: its declaration, and shapes and masks of several arrays."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from portanet.autodiff import lift, storage, unwrap
from portanet.backends import asarray
from portanet.masks import masks_of
from portanet.tree import tree_leaves, tree_map

if TYPE_CHECKING:
    from portanet.layers.base import Layer

Shape = tuple[int | None, ...]
"""The shape of a batch; None for sizes that may vary between calls."""


class Several:
    """Declares the arrays of a layer that takes a list of them.

    A layer with `several_inputs = Several("query", "value", optional=("key",))` may be called as `layer([q, v])`,
    `layer(q, v)` or `layer(q, value=v)`; its `call` receives a list, and a list of masks of the same length, None where
    one is missing; that of a user's class may have the arrays as arguments instead, and `query_mask` and so on, as in
    Keras. `build`, `compute_output_shape` and `compute_mask` receive lists of shapes and masks in the same order; the
    first two may be called with shapes one by one, too, as `query_shape` and so on. A layer without it takes one array,
    or any tree of arrays that its `call` takes.

    Args:
        *names: Names of the arrays, in order.
        optional: Names of arrays that may follow.
        more: Name for any number of further arrays.
    """

    on_host = False
    """Whether a part of a model is computed on the host, which then is this object; see `portanet.models.host_part`."""

    def __init__(self, *names: str, optional: tuple[str, ...] = (), more: str | None = None) -> None:
        self.names = (*names, *optional)
        self.required = len(names)
        self.more = more

    def collect(self, layer: Layer, x: Any, further: tuple[Any, ...], options: dict[str, Any]) -> list[Any]:
        """The list of arrays in the arguments of a call; those passed by name are removed from `options`."""
        arrays = [*entries(x), *further]
        if not self.names and not further and not isinstance(x, (list, tuple)):
            raise ValueError(f"Layer '{layer.name}' takes {self}. Received: one array")
        for position, name in enumerate(self.names):
            value = options.pop(name, None)
            if value is None:
                continue
            if position != len(arrays):
                raise TypeError(
                    f"Layer '{layer.name}' takes {self}, in this order. Received: `{name}` after {len(arrays)} arrays"
                )
            arrays.append(value)
        if self.more is not None:
            value = options.pop(self.more, None)
            arrays += [] if value is None else entries(value)
        while len(arrays) > self.required and self.more is None and arrays[-1] is None:
            arrays.pop()
        arrays = self.entries(layer, arrays)
        if any(array is None for array in arrays):
            place = next(i for i, array in enumerate(arrays) if array is None)
            name = f"`{self.names[place]}`" if place < len(self.names) else f"index {place}"
            raise ValueError(f"Layer '{layer.name}' takes {self}; leave out what is missing. Received: None at {name}")
        shapes = [tuple(array.shape) for array in arrays if getattr(array, "shape", ())]
        if len({shape[0] for shape in shapes} - {None}) > 1:
            raise ValueError(
                f"Layer '{layer.name}' needs the same number of examples in all its arrays. Received: shapes {shapes}"
            )
        return arrays

    def together(self, layer: Layer, x: Any, **others: Any) -> list[Any]:
        """The list of arrays in the arguments of `call`, which a user's class may pass one by one."""
        if isinstance(x, list) and all(each is None for each in others.values()):
            return x
        return self.collect(layer, x, (), others)

    def takes_apart(self, parameters: Iterable[str]) -> bool:
        """Whether a `call` with these arguments takes the arrays one by one."""
        return bool(self.names) and not {*self.names[1:], self.more}.isdisjoint(parameters)

    def apart(self, x: list[Any], mask: Any, parameters: Collection[str]) -> tuple[list[Any], dict[str, Any]]:
        """The arguments of such a `call`: by position and by name."""
        first, count = masks_of(mask, 1)[0], len(self.names)
        named = {"mask": first} if "mask" in parameters else {}
        for name, each in zip(self.names, masks_of(mask, count), strict=True):
            if f"{name}_mask" in parameters:
                named[f"{name}_mask"] = each
        if self.more is not None and x[count:]:
            named[self.more] = x[count:]
        return x[:count], named

    def shapes(self, layer: Layer, shapes: tuple[Any, ...], named: dict[str, Any]) -> list[Any]:
        """The list of shapes in arguments such as `(query_shape, value_shape, key_shape=None)`."""
        named = {name.removesuffix("_shape"): shape for name, shape in named.items()}
        listed = self.collect(layer, entries(shapes[0]) + list(shapes[1:]) if shapes else [], (), named)
        if named:
            raise TypeError(f"Layer '{layer.name}' takes the shapes of {self}. Received: `{next(iter(named))}_shape`")
        return listed

    def entries(self, layer: Layer, x: Any) -> list[Any]:
        """A list of arrays or shapes of the right length."""
        arrays = entries(x)
        if len(arrays) < max(self.required, 1) or (self.more is None and len(arrays) > len(self.names)):
            received = "one array" if len(arrays) == 1 else f"{len(arrays)} arrays"
            raise ValueError(f"Layer '{layer.name}' takes {self}. Received: {received}")
        return arrays

    def __str__(self) -> str:
        """Description for error messages."""
        named = [name if i < self.required else f"optionally {name}" for i, name in enumerate(self.names)]
        further = [f"any number of {self.more}"] if self.more else []
        return f"a list of arrays: {', '.join(named + further)}" if named else "a list of arrays"


def entries(x: Any) -> list[Any]:
    """The entries of a list of arrays, shapes or masks; a single one becomes a list of one."""
    return list(x) if isinstance(x, (list, tuple)) and not is_shape(x) else [x]


def one_array(layer: Layer, x: Any) -> Any:
    """An array from a list of numbers, for a layer that takes them; other lists and dicts are refused."""
    leaves = tree_leaves(x)
    if any(hasattr(leaf, "shape") for leaf in leaves):
        expected = "takes one array; join several with layers.Concatenate(), or stack examples with xp.stack(arrays)"
    elif layer._takes_lists and not isinstance(x, Mapping):
        return asarray(x)
    else:
        expected = "computes with arrays; convert lists and numbers with portanet.asarray(x)"
    raise TypeError(f"Layer '{layer.name}' {expected}. Received: {type(x).__name__} of {len(leaves)}")


def mask_fits(mask: Any, x: Any) -> bool:
    """Whether a mask has the leading axes of an array."""
    return hasattr(mask, "shape") and hasattr(x, "shape") and tuple(x.shape[: mask.ndim]) == tuple(mask.shape)


def is_shape(x: Any) -> bool:
    """Whether this is one shape rather than several."""
    return isinstance(x, (list, tuple)) and bool(x) and all(n is None or isinstance(n, int) for n in x)


def shape_of(x: Any) -> Any:
    """The shape of an array; for a tree of arrays, the same tree of shapes."""
    return tree_map(lambda leaf: tuple(leaf.shape), x)


def map_shapes(function: Callable[[Shape], Any], shape: Any) -> Any:
    """The same tree with a function applied to each shape; None, for an input that is missing, stays.

    Example:
        >>> map_shapes(len, [(2, 3), {"a": (None, 4, 5)}])
        [2, {'a': 3}]
    """
    if isinstance(shape, Mapping):
        return {key: map_shapes(function, branch) for key, branch in shape.items()}
    if shape is None:
        return None
    if not shape or is_shape(shape):
        return function(tuple(shape))
    return type(shape)(map_shapes(function, branch) for branch in shape)


def beside_examples(x: Any, *others: Any) -> Any:
    """The input, with constants for plain arrays if another argument differs between the examples of `vmap`.

    Layers ask their input for functions, and those of plain arrays take no others.
    """
    return tree_map(lift, x) if any(storage(a) is not unwrap(a) for a in tree_leaves(others)) else x
