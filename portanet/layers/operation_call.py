"""Functions of `portanet.ops`, and operations of users, as parts of a graph."""

from __future__ import annotations

import contextlib
import inspect
import itertools
from collections.abc import Callable
from typing import Any

from portanet.backends import ArrayHolder, backend_class_of, get_backend, is_dtype, to_host
from portanet.configurable import overrides
from portanet.layers import operation_specs as declared
from portanet.layers.base import Layer
from portanet.layers.operation import Operation
from portanet.layers.output_shapes import SIZES, ArraySpec, common, input_specs, specs_told, trial
from portanet.layers.several_inputs import shape_of
from portanet.layers.symbolic import Node, SymbolicArray, require_numbers
from portanet.tree import tree_leaves, tree_map


class OperationCall(Layer):
    """A call of a function of `portanet.ops`, or of an `Operation`, in a graph: a layer that `model.layers` leaves out.

    It is called on the symbolic arrays among the arguments, or the one if there is only one.

    Args:
        function: The function.
        args: Its arguments, with `Argument(i)` in place of the symbolic array of index i.
        kwargs: Likewise.
    """

    autocast = False
    _mask_remedy = "As in Keras; to keep it, use a layer, such as Add or Activation, or pass `mask` to the next."

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.function = function
        super().__init__()
        self.name = function.name if isinstance(function, Operation) else function.__name__
        self.args = args
        self.kwargs = kwargs

    @property
    def _kind(self) -> str:
        if isinstance(self.function, Operation):
            return type(self.function).__name__
        return "".join(part.capitalize() for part in self.function.__name__.split("_"))

    def arguments(self, arrays: list[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments of the function, with these arrays in them."""
        filled: tuple[tuple[Any, ...], dict[str, Any]] = tree_map(
            lambda leaf: arrays[leaf.index] if type(leaf) is Argument else leaf, (self.args, self.kwargs)
        )
        return filled

    def call(self, x: Any) -> Any:
        args, kwargs = self.arguments(x if isinstance(x, list) else [x])
        return self.function(*args, **kwargs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return shape_of(self.specs(input_specs(self, input_shape)))

    def specs(self, x: Any) -> Any:
        """The specs of the output for an input of these specs; numbers stay if they do not depend on unknown sizes.

        Where zeros are no argument of the function, well-conditioned matrices are tried, batches of more sizes, and
        known sizes in place of unknown ones. An `Operation` that tells its specs is not tried; loops are for one step.
        """
        if isinstance(self.function, Operation) and tells_specs(type(self.function)):
            args, kwargs = self.arguments(x if isinstance(x, list) else [x])
            return specs_told(self.function.compute_output_spec, args, kwargs, f"operation '{self.name}'")
        name = "" if isinstance(self.function, Operation) else self.function.__name__
        if name in declared.BY_ARGUMENTS and (told := declared.BY_ARGUMENTS[name](self.named(x))) is not None:
            return told
        once = declared.ONCE.get(name)
        tried = self if once is None else OperationCall(self.function, (), once(self.named()))
        sizes = declared.many((self.args, self.kwargs)) if name in declared.OF_MANY else SIZES
        values = declared.with_corners if name == "perspective_transform" else None
        item = declared.item(self.named(x)) if name == "get_item" else None
        try:
            specs = trial(tried, (x,), {}, sizes, values)
        except Exception as error:
            return self._tried_otherwise(tried, x, error) if item is None else item
        if item is not None:
            return ArraySpec(item.shape, specs.dtype)
        if name in declared.BY_VALUES:
            with contextlib.suppress(Exception):  # where zeros alone fit, such as for indices
                return common(specs, trial(self, (x,), {}, sizes, declared.counted))
        if name == "cond":
            declared.require_alike(specs, trial(self, (x,), {}, values=declared.true))
        return specs

    def _tried_otherwise(self, tried: OperationCall, x: Any, error: Exception) -> Any:
        """The specs for other values or sizes than those that raised an error, which is raised if none fit."""
        with contextlib.suppress(Exception):
            return trial(tried, (x,), {}, declared.many((self.args, self.kwargs)), declared.well_conditioned)
        for known in itertools.islice(declared.known_sizes(x), declared.ATTEMPTS):
            with contextlib.suppress(Exception):
                return trial(tried, (known,), {})
        raise error from None

    def named(self, x: Any = None) -> dict[str, Any]:
        """The arguments of the function by name, defaults included; with symbolic arrays in them, if there are any."""
        args, kwargs = (self.args, self.kwargs) if x is None else self.arguments(x if isinstance(x, list) else [x])
        bound = inspect.signature(self.function).bind(*args, **kwargs)
        bound.apply_defaults()
        return dict(bound.arguments)


def tells_specs(cls: type[Operation]) -> bool:
    """Whether a class of operations has its own `compute_output_spec`."""
    return overrides(cls, Operation, "compute_output_spec")


def as_operation(layer: Layer) -> Operation:
    """The `Operation` that a layer of a graph calls, else the layer."""
    if isinstance(layer, OperationCall) and isinstance(layer.function, Operation):
        return layer.function
    return layer


class Argument:
    """The place of a symbolic array among the arguments of an operation."""

    __slots__ = ("index",)

    def __init__(self, index: int) -> None:
        self.index = index


def record_operation(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a function of `portanet.ops`, or an `Operation`, on symbolic arrays, and return symbolic outputs."""
    arrays = list(dict.fromkeys(leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, SymbolicArray)))

    what = repr(function) if isinstance(function, Operation) else f"ops.{function.__name__}"
    require_numbers(arrays, what)

    def stored(leaf: Any) -> Any:
        if isinstance(leaf, SymbolicArray):
            return Argument(arrays.index(leaf))
        if backend_class_of(leaf) is not None:
            return to_host(leaf)  # a constant, for any backend
        if isinstance(leaf, ArrayHolder) or not is_dtype(get_backend().xp, leaf):
            return leaf
        return get_backend().dtype_name(leaf)

    operation = OperationCall(function, *tree_map(stored, (args, kwargs)))
    x = arrays[0] if len(arrays) == 1 else arrays
    operation._build_on(x)
    specs = operation.specs(x)
    if any(isinstance(leaf, SymbolicArray) for leaf in tree_leaves(specs)):
        raise TypeError(
            f"Functions among the arguments of {what} use symbolic arrays; pass these as arguments, "
            f"use ops.where, or compute in the call of a layer. Received: {specs!r}"
        )
    if specs is None:  # a number that depends on unknown sizes
        specs = ArraySpec((), "int32")
    if not any(isinstance(leaf, ArraySpec) for leaf in tree_leaves(specs)):
        return specs
    return Node(operation, (x,), {}, specs).outputs
