"""Symbolic arrays, placeholders for data while a graph of layers is built, and the nodes of the graph."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

from portanet import checks
from portanet.layers.output_shapes import ArraySpec, result
from portanet.tree import tree_leaves, tree_map

if TYPE_CHECKING:
    from portanet.layers.base import Layer

_numbers: Iterator[int] = itertools.count()


def _operator(name: str, swapped: bool = False) -> Callable[..., Any]:
    """The method of an operator: the function of `portanet.ops` of that name."""

    def method(self: Any, *others: Any) -> Any:
        from portanet import ops

        return getattr(ops, name)(*others, self) if swapped else getattr(ops, name)(self, *others)

    return method


class SymbolicArray(ArraySpec):
    """Placeholder for an array in a graph of layers, with a shape but no values.

    `Input` creates the first; layers called on symbolic arrays, operators, indices and the functions of `portanet.ops`
    return others.

    Args:
        shape: Shape with the batch axis; None where it may vary.
        dtype: Name of the dtype.
        sparse: Must be False: arrays are dense.
        ragged: Must be False.
        record_history: Has no effect.
        name: Name of the input that it is.
        mask: Shape of its mask; None if it has none.
        node: The call that produces it; by default it is an input of its own.
        place: Its index among that call's outputs.

    Example:
        >>> from portanet import KerasTensor, Model, ops
        >>> x = KerasTensor((None, 3))
        >>> Model(x, ops.sum(x, axis=-1)).output_shape
        (None,)
    """

    __slots__ = ("node", "place")
    sparse = ragged = False  # as scripts of Keras ask

    def __init__(
        self,
        shape: Any,
        dtype: str = "float32",
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
        *,
        mask: ArraySpec | None = None,
        node: Node | None = None,
        place: int = 0,
    ) -> None:
        if node is None:
            if sparse or ragged:
                raise ValueError(f"Arrays are dense. Received: sparse={sparse!r}, ragged={ragged!r}")
            shape = checks.sizes("shape", shape, "KerasTensor")
            source = import_module("portanet.layers.core.input").Input(shape[1:], (*shape, None)[0], dtype, name)
            dtype, node = source.dtype, source.node
            node.outputs = self
        super().__init__(shape, dtype, mask)
        self.node = node
        self.place = place

    @property
    def name(self) -> str:
        """Name of the layer that produces it; from the second output on, with its index."""
        return f"{self.node.layer.name}_{self.place}" if self.place else self.node.layer.name

    @property
    def _keras_mask(self) -> Any:
        """Shape and dtype of its mask, or None, as scripts of Keras ask."""
        return self.mask

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def reshape(self, *newshape: Any) -> Any:
        """The same elements in another shape, with the batch axis."""
        return _operator("reshape")(self, newshape[0] if len(newshape) == 1 else newshape)

    squeeze = _operator("squeeze")

    def _record_operation_(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Functions of `portanet.ops` call it, if this array is among their arguments."""
        from portanet.layers.operation_call import record_operation

        return record_operation(function, args, kwargs)

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        from portanet.layers.symbolic_namespace import namespace

        return namespace

    # Operators

    __add__, __radd__ = _operator("add"), _operator("add", swapped=True)
    __sub__, __rsub__ = _operator("subtract"), _operator("subtract", swapped=True)
    __mul__, __rmul__ = _operator("multiply"), _operator("multiply", swapped=True)
    __truediv__, __rtruediv__ = _operator("true_divide"), _operator("true_divide", swapped=True)
    __floordiv__, __rfloordiv__ = _operator("floor_divide"), _operator("floor_divide", swapped=True)
    __mod__, __rmod__ = _operator("mod"), _operator("mod", swapped=True)
    __pow__, __rpow__ = _operator("power"), _operator("power", swapped=True)
    __matmul__, __rmatmul__ = _operator("matmul"), _operator("matmul", swapped=True)
    __and__, __rand__ = _operator("logical_and"), _operator("logical_and", swapped=True)
    __or__, __ror__ = _operator("logical_or"), _operator("logical_or", swapped=True)
    __xor__, __rxor__ = _operator("logical_xor"), _operator("logical_xor", swapped=True)
    __lt__, __le__, __gt__, __ge__ = map(_operator, ("less", "less_equal", "greater", "greater_equal"))
    __ne__ = _operator("not_equal")  # == compares identity: symbolic arrays are keys
    __neg__, __abs__, __invert__ = _operator("negative"), _operator("absolute"), _operator("logical_not")
    __getitem__ = _operator("get_item")
    __round__ = _operator("round")

    # What needs values

    if not TYPE_CHECKING:  # where all attributes are known

        def __getattr__(self, name: str) -> NoReturn:
            if name[0] == "_" or hasattr(type(self), name):  # a property that failed
                raise AttributeError(name)
            raise AttributeError(
                "A symbolic array has no values, and of methods only reshape and squeeze. Use functions of "
                f"portanet.ops, such as ops.mean(x), or layers. Received: x.{name}"
            )

    def _refuse(self, *others: Any, **options: Any) -> NoReturn:
        raise TypeError(
            "A symbolic array has no values: it cannot become a number, a condition or an array of a library. Use "
            "functions of portanet.ops, such as ops.where and ops.cast; wrap others as layers.Lambda(function)(x), or "
            f"compute in the call of a layer. Received: {self!r}"
        )

    __float__ = __int__ = __complex__ = __index__ = __bool__ = __array__ = _refuse

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> NoReturn:
        raise _foreign(function.__name__, self)

    def __array_ufunc__(self, function: Any, method: str, *inputs: Any, **options: Any) -> Any:
        name = _OF_OPERATORS.get(function.__name__)
        if name is None or method != "__call__" or options or inputs[0] is self:
            raise _foreign(function.__name__, self)
        return _operator(name)(*inputs)  # an operator with a NumPy array on its left

    def __len__(self) -> int:
        size = self.shape[0] if self.shape else None
        if size is None:
            raise TypeError(
                "The size of the first axis of this symbolic array is not known, so it has no length and cannot be "
                "iterated over; use functions of portanet.ops on all of it, or give Input(shape, batch_size). "
                f"Received: {self!r}"
            )
        return size

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return f"<SymbolicArray '{self.name}', shape={self.shape}, dtype={self.dtype}>"


KerasTensor = SymbolicArray
"""Keras's name."""

_OF_OPERATORS = {
    "divide": "true_divide", "remainder": "mod",
    "bitwise_and": "logical_and", "bitwise_or": "logical_or", "bitwise_xor": "logical_xor",
    **{name: name for name in (
        "add", "subtract", "multiply", "floor_divide", "power", "matmul", "less", "less_equal", "greater",
        "greater_equal", "not_equal",
    )},
}  # fmt: skip
"""Functions of `portanet.ops` by the name of NumPy's function for the same operator."""


def _foreign(name: str, x: SymbolicArray) -> TypeError:
    """The error for a NumPy function of a symbolic array."""
    return TypeError(
        f"A symbolic array has no values for NumPy's functions. Use portanet.ops.{name}(x, ...) or another function of "
        f"portanet.ops; wrap others as layers.Lambda(function)(x). Received: numpy.{name} of {x!r}"
    )


class Node:
    """A call of a layer or operation on symbolic arrays.

    Attributes:
        layer: The layer.
        args: The positional arguments, trees of symbolic arrays.
        options: The keyword arguments; `training` and `mask` only if they were passed.
        outputs: The tree of outputs.
        number: Nodes are numbered in the order of calls, so the dependencies of a node have smaller numbers.
    """

    def __init__(
        self, layer: Layer, args: tuple[Any, ...], options: dict[str, Any], specs: Any, dtype: str | None = None
    ) -> None:
        self.layer = layer
        self.args = args
        self.options = options
        self.number = next(_numbers)
        indices = itertools.count()
        self.outputs = tree_map(
            lambda spec: SymbolicArray(
                spec.shape, spec.dtype or str(dtype), mask=spec.mask, node=self, place=next(indices)
            ),
            specs,
        )
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
    part: Any = layer.several_inputs
    if part is not None and part.on_host:
        specs = part.specs(layer, args[0])
    else:
        if not layer.takes_strings():
            require_numbers(leaves, f"Layer '{layer.name}'")
        specs = result(layer, args, options)
    dtype = leaves[0].dtype if layer.keeps_values else layer.compute_dtype
    return Node(layer, args, options, specs, dtype).outputs


def require_numbers(arrays: list[Any], what: str) -> None:
    """Refuse symbolic arrays of strings, of which layers such as `TextVectorization` make numbers."""
    for array in arrays:
        if array.dtype == "string":
            raise TypeError(
                f"{what} computes with numbers; encode strings first, with a layer such as TextVectorization, "
                f"StringLookup or Hashing. Received: {array!r}"
            )


def first_node(layer: Layer, of: str) -> Node:
    """The first call of a layer on symbolic arrays."""
    if not layer._nodes:
        raise AttributeError(
            f"Layer '{layer.name}' has an {of} after it was called on symbolic arrays. Received: no calls"
        )
    return layer._nodes[0]
