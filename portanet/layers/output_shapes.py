"""Outputs before data is available: declared by a layer, or determined by a trial on zeros."""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from portanet.backends import Array, Backend, get_backend, to_host, use_backend
from portanet.layers.several_inputs import Shape, map_shapes, shape_of
from portanet.layers.weights import shapes_of_call
from portanet.masks import masks_of
from portanet.tree import tree_leaves, tree_map
from portanet.variables import Discarded, bind, collect_losses

if TYPE_CHECKING:
    from portanet.layers.base import Layer

SIZES = (2, 3)
"""Sizes tried for an unknown batch axis; those for other unknown axes are larger, so that windows fit."""
BEYOND = 14
"""By how much the first size for other unknown axes is larger."""
FACTOR = 2
"""The second size of other unknown axes in units of the first, so that windows with strides differ in number."""
asked_for: ContextVar[Any] = ContextVar("portanet_specs_asked_for", default=None)
"""The layer whose `compute_output_spec` runs, and asks for that of the library."""


class ArraySpec:
    """Shape, dtype (a name or a library's dtype; None: the default float) and mask of an array, in place of it."""

    __slots__ = ("dtype", "mask", "shape")

    def __init__(self, shape: Shape, dtype: Any = None, mask: ArraySpec | None = None) -> None:
        self.shape = shape
        self.dtype = dtype
        self.mask = mask


def result(layer: Layer, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Build a layer for arguments of known shapes, and return its output, a tree of `ArraySpec`.

    Args:
        layer: The layer.
        args: Positional arguments: trees with `ArraySpec` leaves.
        options: Keyword arguments, likewise; other leaves are passed unchanged.
    """
    shape = shape_of(args[0])
    if not layer._built:
        layer._build_on(args[0], args[1:], options)
    shapes = [shape] if len(args) == 1 and not (options.keys() - {"training", "mask"}) else None
    if layer._output_takes:
        shapes = shapes_of_call(layer, layer._output_takes, args[0], args[1:], options)
    asked = layer._tells_specs and asked_for.get() is not layer
    told = specs_told(layer.compute_output_spec, args, options, f"layer '{layer.name}'") if asked else None
    masked = options.get("mask") is not None or any(leaf.mask for leaf in tree_leaves(args) if _is_spec(leaf))
    built = _alike(shape, layer.build_shape) and all(part._built for part in layer.flatten_layers())
    if built and (told or shapes) and not masked and not _creates_mask(layer, args):
        return told or with_masks(layer.compute_output_shape(*(shapes or ())), getattr(layer, "_end", None))
    # A trial covers masks and the effect of options, checks other shapes, and builds what only a call builds.
    tried = trial(layer, args, options)
    if told is None and shapes is not None and (layer._output_takes or not masked):
        told = layer.compute_output_shape(*shapes)
    return tried if told is None else with_masks(told, tried)


def specs_told(method: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any], what: str) -> Any:
    """What a `compute_output_spec` of a user's says, a tree of `ArraySpec`."""
    told = method(*tree_map(_symbolic, args), **tree_map(_symbolic, options))
    if not all(map(_is_spec, tree_leaves(told) or [told])):
        raise TypeError(
            f"compute_output_spec of {what} must return symbolic arrays, such as KerasTensor(shape, dtype), or a "
            f"list, tuple or dict of them. Received: {told!r}"
        )
    return tree_map(lambda leaf: ArraySpec(tuple(leaf.shape), leaf.dtype), told)


def _symbolic(leaf: Any) -> Any:
    """A symbolic array in place of an `ArraySpec`."""
    from portanet.layers.symbolic import SymbolicArray  # which imports this module

    if not _is_spec(leaf) or isinstance(leaf, SymbolicArray):
        return leaf
    dtype = leaf.dtype
    if not isinstance(dtype, str):
        dtype = get_backend().dtype_name(get_backend().dtype if dtype is None else dtype)
    return SymbolicArray(leaf.shape, dtype)


def _creates_mask(layer: Layer, args: tuple[Any, ...]) -> bool:
    """Whether a layer without sublayers, such as an Embedding, makes a mask where there is none."""
    if not layer._own_mask:
        return False
    sizes = SIZES[0], SIZES[0] + BEYOND
    with _call_in(layer) as backend:
        return layer.compute_mask(tree_map(lambda leaf: _zeros(leaf, sizes, backend), args[0]), None) is not None


def with_masks(specs: Any, like: Any) -> Any:
    """Specs, or a tree of shapes, with the masks of others."""
    masks = iter([leaf.mask for leaf in tree_leaves(like)])
    if any(map(_is_spec, tree_leaves(specs))):
        return tree_map(lambda leaf: ArraySpec(leaf.shape, leaf.dtype, next(masks, None)), specs)
    return map_shapes(lambda s: ArraySpec(s, None, next(masks, None)), specs)


def shape_by_trial(layer: Layer, input_shape: Any) -> Any:
    """The shape of the output for inputs of this shape, determined by calling the layer on zeros."""
    return shape_of(trial(layer, (input_specs(layer, input_shape),), {}))


def build_by_trial(model: Layer, input_shape: Any) -> None:
    """Build the layers that a model calls for inputs of this shape; warn if its call fails on zeros."""
    if all(part._built for part in model.flatten_layers()):
        return
    try:
        shape_by_trial(model, input_shape)
    except Exception as error:
        warnings.warn(
            f"The layers of model '{model.name}' are built when it is called on data: its call on zeros of shape "
            f"{input_shape} failed with {type(error).__name__}: {error}",
            stacklevel=4,
        )


def input_specs(layer: Layer, input_shape: Any) -> Any:
    """The specs of inputs of this shape, in the dtypes of those for which the layer was built."""
    dtypes = iter(layer._dtypes)
    return map_shapes(lambda shape: ArraySpec(shape, next(dtypes, None)), input_shape)


def trial(
    layer: Layer,
    args: tuple[Any, ...],
    options: dict[str, Any],
    sizes: tuple[int, int] = SIZES,
    values: Callable[[Array], Array] | None = None,
) -> Any:
    """The output of a layer for zeros, a tree of `ArraySpec`; None where a shape depends on sizes that are None.

    Numbers in the output stay, or are None where they differ. Assignments to the layer's variables are discarded.

    Args:
        layer: The layer.
        args: See `result`.
        options: See `result`.
        sizes: Two sizes to try for an unknown batch axis.
        values: Function from zeros to other data to try.
    """
    from portanet.layers.calling import call_with_mask  # which imports symbolic arrays

    options = {"training": False, **options}
    mask = options.pop("mask", None)
    if mask is None:
        mask = _masks_of(args[0])

    with _call_in(layer) as backend:

        def result_for(batch: int, others: int) -> Any:
            def fill(leaf: Any) -> Any:
                x = _zeros(leaf, (batch, others), backend)
                return x if values is None or x is leaf else values(x)

            with bind(Discarded(layer.variables)):
                given, named = tree_map(fill, (args, options))
                known = tree_map(lambda leaf: _trues(leaf, (batch, others), backend), mask)
                out, out_mask = call_with_mask(layer, *given, mask=known, **named)
            return _specs(out, out_mask, backend)

        unknown = [leaf.shape for leaf in tree_leaves(args) if _is_spec(leaf) and None in leaf.shape]
        one, beyond = None, BEYOND
        try:
            one = result_for(sizes[0], sizes[0] + beyond)
        except Exception:
            beyond = 0  # a table of positions may be shorter
            if any(None in shape[1:] for shape in unknown):
                with contextlib.suppress(Exception):
                    one = result_for(sizes[0], sizes[0])
            if one is None:
                raise
        if not unknown:
            return one
        if beyond and any(None in shape[1:] for shape in unknown):
            with contextlib.suppress(Exception):  # such as of a table of positions that is shorter
                return common(one, result_for(sizes[1], FACTOR * (sizes[0] + beyond)))
        return common(one, result_for(sizes[1], sizes[1] + beyond))


@contextlib.contextmanager
def _call_in(layer: Layer) -> Iterator[Backend]:
    """Within the context, the layer may be called on arrays of the backend that it returns."""
    from portanet.layers.calling import in_call

    variable = layer.first_variable()
    backend = get_backend() if variable is None else variable.backend
    with use_backend(backend) as current, in_call(training=False), collect_losses(), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of the logarithm of zero, and the like
        yield current


def _is_spec(leaf: Any) -> bool:
    return isinstance(leaf, ArraySpec)


def _masks_of(x: Any) -> Any:
    """The specs of the masks of an input; for a tree of several, a tree of them, or None if there are none."""
    masks = tree_map(lambda leaf: leaf.mask if _is_spec(leaf) else None, x)
    return masks if tree_leaves(masks) else None


def _specs(out: Any, mask: Any, backend: Backend) -> Any:
    """The specs of arrays and their masks, in place of the arrays."""
    masks = iter(masks_of(mask, len(tree_leaves(out))))

    def spec(leaf: Any) -> Any:
        own = next(masks)
        if not hasattr(leaf, "shape") or isinstance(leaf, ArraySpec):
            return leaf
        own_spec = None if own is None else ArraySpec(tuple(own.shape), "bool")
        return ArraySpec(tuple(leaf.shape), backend.dtype_name(leaf.dtype), own_spec)

    return tree_map(spec, out)


def common(one: Any, other: Any) -> Any:
    """What two results have in common; None in place of other sizes and numbers."""
    others = iter(tree_leaves(other))

    def both(leaf: Any) -> Any:
        second = next(others)
        if type(leaf) is not ArraySpec:
            return leaf if leaf == second or _is_spec(leaf) else None
        mask = leaf.mask and ArraySpec(_equal(leaf.mask.shape, second.mask.shape), "bool")
        return ArraySpec(_equal(leaf.shape, second.shape), leaf.dtype, mask)

    return tree_map(both, one)


def _equal(shape: Shape, other: Shape) -> Shape:
    return tuple(m if m == n else None for m, n in zip(shape, other, strict=True))


def _flat(shape: Any) -> list[Shape]:
    shapes: list[Shape] = []
    map_shapes(shapes.append, shape)
    return shapes


def _alike(shape: Any, other: Any) -> bool:
    """Whether two trees of shapes are equal except for the batch axis."""
    try:
        return [s[1:] for s in _flat(shape)] == [s[1:] for s in _flat(other)]
    except TypeError:  # not a tree of shapes: the layer's `build` takes something else
        return False


def _zeros(leaf: Any, sizes: tuple[int, int], backend: Backend) -> Any:
    """Zeros, or empty strings, in place of an `ArraySpec`; anything else as it is."""
    if not _is_spec(leaf):
        return leaf
    if leaf.dtype == "string":
        shape = _tried(leaf.shape, sizes)
        return to_host([""]).repeat(math.prod(shape)).reshape(shape)
    dtype = backend.find_dtype(leaf.dtype) if isinstance(leaf.dtype, str) else leaf.dtype or backend.dtype
    return backend.xp.zeros(_tried(leaf.shape, sizes), dtype=dtype, device=backend.device)


def _trues(leaf: Any, sizes: tuple[int, int], backend: Backend) -> Any:
    """A mask in place of its `ArraySpec`."""
    if not _is_spec(leaf):
        return leaf
    return backend.xp.ones(_tried(leaf.shape, sizes), dtype=backend.xp.bool, device=backend.device)


def _tried(shape: Shape, sizes: tuple[int, int]) -> tuple[int, ...]:
    """A shape with sizes in place of None: one for the batch axis, one for others."""
    return tuple(sizes[min(i, 1)] if n is None else n for i, n in enumerate(shape))
