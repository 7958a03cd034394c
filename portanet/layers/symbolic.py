"""Symbolic arrays, placeholders for data while a graph of layers is built, and the nodes of the graph."""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from portanet.layers.output_shapes import ArraySpec, result_shape
from portanet.layers.several_inputs import Shape, map_shapes
from portanet.tree import tree_leaves, tree_map

if TYPE_CHECKING:
    from portanet.layers.base import Layer

_numbers: Iterator[int] = itertools.count()


class SymbolicArray(ArraySpec):
    """Placeholder for an array in a graph of layers, with a shape but no values.

    `Input` creates the first; a layer called on symbolic arrays returns others. `+`, `-` and `*` of two are the layers
    `Add`, `Subtract` and `Multiply`.

    Attributes:
        shape: Shape with the batch axis; None where it may vary.
        dtype: Name of the dtype.
        node: The layer call that produces it.
        place: Its index among that call's outputs.
    """

    __slots__ = ("node", "place")

    def __init__(self, shape: Shape, dtype: str, node: Node, place: int) -> None:
        super().__init__(shape, dtype)
        self.node = node
        self.place = place

    @property
    def name(self) -> str:
        """Name of the layer that produces it; from the second output on, with its index."""
        return f"{self.node.layer.name}_{self.place}" if self.place else self.node.layer.name

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def __add__(self, other: Any) -> SymbolicArray:
        return self._merged("Add", "+", other)

    def __sub__(self, other: Any) -> SymbolicArray:
        return self._merged("Subtract", "-", other)

    def __mul__(self, other: Any) -> SymbolicArray:
        return self._merged("Multiply", "*", other)

    def _merged(self, layer: str, sign: str, other: Any) -> SymbolicArray:
        if not isinstance(other, SymbolicArray):
            raise TypeError(
                f"Operator {sign} of a symbolic array takes another one; for anything else, use "
                f"layers.Lambda(function)(x). Received: {self!r} {sign} {other!r}"
            )
        from portanet.layers.merging import elementwise

        merged: SymbolicArray = getattr(elementwise, layer)()([self, other])
        return merged

    if not TYPE_CHECKING:  # where all attributes are known

        def __getattr__(self, name: str) -> NoReturn:
            if name[0] == "_" or hasattr(type(self), name):  # a property that failed
                raise AttributeError(name)
            raise AttributeError(
                "A symbolic array has a shape and a dtype, but no values and no methods. Call layers on it; wrap "
                f"functions of arrays as layers.Lambda(function)(x). Received: x.{name}"
            )

    def _refuse(self, *others: Any, **options: Any) -> NoReturn:
        raise TypeError(
            "A symbolic array has the operators +, - and * with another one. Call layers on it; wrap functions of "
            f"arrays as layers.Lambda(function)(x). Received: {', '.join(map(repr, (self, *others)))}"
        )

    __truediv__ = __rtruediv__ = __floordiv__ = __pow__ = __rpow__ = __mod__ = __matmul__ = __rmatmul__ = _refuse
    __radd__ = __rsub__ = __rmul__ = __neg__ = __abs__ = __getitem__ = __len__ = _refuse
    __lt__ = __le__ = __gt__ = __ge__ = __float__ = __int__ = __bool__ = _refuse
    __array__ = __array_function__ = __array_ufunc__ = _refuse  # NumPy would make arrays of objects

    def __array_namespace__(self, *, api_version: str | None = None) -> NoReturn:
        raise TypeError(
            "A symbolic array has no values to compute with. Call layers on it; wrap functions of arrays as "
            f"layers.Lambda(function)(x). Received: {self!r}"
        )

    def __repr__(self) -> str:
        return f"<SymbolicArray '{self.name}', shape={self.shape}, dtype={self.dtype}>"


class Node:
    """A call of a layer on symbolic arrays.

    Attributes:
        layer: The layer.
        args: The positional arguments, trees of symbolic arrays.
        options: The keyword arguments; `training` and `mask` only if they were passed.
        outputs: The tree of outputs.
        number: Nodes are numbered in the order of calls, so the dependencies of a node have smaller numbers.
    """

    def __init__(self, layer: Layer, args: tuple[Any, ...], options: dict[str, Any], shape: Any, dtype: str) -> None:
        self.layer = layer
        self.args = args
        self.options = options
        self.number = next(_numbers)
        indices = itertools.count()
        self.outputs = map_shapes(lambda s: SymbolicArray(s, dtype, self, next(indices)), shape)
        layer._nodes.append(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Complete a copy; those of a graph are made in the order of the calls (`nodes_before`)."""
        vars(self).update(state)
        self.number = next(_numbers)
        vars(self.layer).setdefault("_nodes", []).append(self)  # the layer may be incomplete

    @property
    def sources(self) -> list[SymbolicArray]:
        """The symbolic arrays among the arguments."""
        return [leaf for leaf in tree_leaves((self.args, self.options)) if isinstance(leaf, SymbolicArray)]

    def arguments(self, values: Mapping[SymbolicArray, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments with values in place of symbolic arrays; the options may be changed."""
        first = self.args[0]
        if type(first) is SymbolicArray and len(self.args) == 1 and not self.options:  # as nearly all
            return (values[first],), {}
        filled: tuple[tuple[Any, ...], dict[str, Any]] = fill((self.args, self.options), values)
        return filled


def fill(tree: Any, values: Mapping[SymbolicArray, Any]) -> Any:
    """The tree with values in place of symbolic arrays."""
    if type(tree) is SymbolicArray:
        return values[tree]
    return tree_map(lambda leaf: values[leaf] if isinstance(leaf, SymbolicArray) else leaf, tree)


def nodes_before(arrays: Iterable[SymbolicArray], inputs: Container[SymbolicArray] = ()) -> list[Node]:
    """The nodes that arrays depend on, in topological order; without those of inputs and before these."""
    nodes: dict[int, Node] = {}
    pending = list(arrays)
    while pending:
        array = pending.pop()
        if array not in inputs and array.node.number not in nodes:
            nodes[array.node.number] = array.node
            pending += array.node.sources
    return [nodes[number] for number in sorted(nodes)]


def record(layer: Layer, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Call a layer on symbolic arrays: build it, and return symbolic outputs."""
    options = {name: value for name, value in options.items() if value is not None}
    leaves = tree_leaves(args)
    if any(type(leaf) is not SymbolicArray for leaf in leaves):
        kinds = ", ".join(sorted({type(leaf).__name__ for leaf in leaves}))
        raise TypeError(
            f"Layer '{layer.name}' was called on symbolic arrays together with something else; a graph takes all "
            f"arrays from its inputs, or from a layers.Lambda. Received: {kinds}"
        )
    shape = result_shape(layer, args, options)
    dtype = leaves[0].dtype if layer.keeps_values else layer.compute_dtype
    return Node(layer, args, options, shape, dtype).outputs


def only_node(layer: Layer, of: str) -> Node:
    """The only call of a layer on symbolic arrays."""
    if len(layer._nodes) != 1:
        raise AttributeError(
            f"Layer '{layer.name}' has one {of} if it was called once on symbolic arrays; keep the results of its "
            f"calls instead. Received: {len(layer._nodes)} calls"
        )
    return layer._nodes[0]
