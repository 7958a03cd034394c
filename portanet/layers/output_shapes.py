"""Output shapes before data is available: declared by a layer, or determined by a trial on zeros."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portanet.backends import Array, Backend, get_backend, use_backend
from portanet.layers.several_inputs import Shape, map_shapes, shape_of
from portanet.tree import tree_leaves, tree_map
from portanet.variables import bind

if TYPE_CHECKING:
    from portanet.layers.base import Layer

SIZES = (2, 3)
"""Sizes tried for an unknown batch axis; for other unknown axes, larger by `BEYOND`, so that windows fit."""
BEYOND = 14


class ArraySpec:
    """Shape and dtype of an array (a name or a library's dtype; None: the default float), in place of the array."""

    __slots__ = ("dtype", "shape")

    def __init__(self, shape: Shape, dtype: Any = None) -> None:
        self.shape = shape
        self.dtype = dtype


def result_shape(layer: Layer, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Build a layer for arguments of known shapes, and return the shape of its output.

    Args:
        layer: The layer.
        args: Positional arguments: trees with `ArraySpec` leaves.
        options: Keyword arguments, likewise; other leaves are passed unchanged.
    """
    shape = shape_of(args[0])
    if not layer.built:
        layer._build_on(args[0])
    declared = len(args) == 1 and not (options.keys() - {"training", "mask"})
    if declared and _alike(shape, layer.build_shape) and all(part.built for part in layer.flatten_layers()):
        return layer.compute_output_shape(shape)
    # A trial covers the effect of options, checks other shapes, and builds what only a call builds.
    tried = trial(layer, args, options)
    return layer.compute_output_shape(shape) if declared else tried


def shape_by_trial(layer: Layer, input_shape: Any) -> Any:
    """The shape of the output for inputs of this shape, determined by calling the layer on zeros."""
    dtypes = iter(layer._dtypes)
    return trial(layer, (map_shapes(lambda shape: ArraySpec(shape, next(dtypes, None)), input_shape),), {})


def trial(layer: Layer, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """The shape of a layer's output for zeros; None where it depends on sizes that are None.

    Assignments to the layer's variables are discarded.
    """
    from portanet.layers.calling import in_call  # which imports symbolic arrays

    variable = layer.first_variable()
    backend = get_backend() if variable is None else variable.backend
    options = {"training": False, **options}
    shapes = []
    with use_backend(backend), in_call(training=False):
        for size in SIZES:
            with bind({v: v.value for v in layer.variables}):
                given, named = tree_map(lambda leaf, size=size: _zeros(leaf, size, backend), (args, options))
                shapes.append(shape_of(layer(*given, **named)))
            if all(None not in leaf.shape for leaf in tree_leaves(args)):
                return shapes[0]
    small, large = (iter(_flat(shape)) for shape in shapes)
    return map_shapes(
        lambda _: tuple(m if m == n else None for m, n in zip(next(small), next(large), strict=True)), shapes[0]
    )


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


def _zeros(leaf: Any, size: int, backend: Backend) -> Array:
    """Zeros in place of an `ArraySpec`; anything else as it is."""
    if not isinstance(leaf, ArraySpec):
        return leaf
    shape = tuple((size if i == 0 else size + BEYOND) if n is None else n for i, n in enumerate(leaf.shape))
    dtype = backend.find_dtype(leaf.dtype) if isinstance(leaf.dtype, str) else leaf.dtype or backend.dtype
    return backend.xp.zeros(shape, dtype=dtype, device=backend.device)
