"""What calls of a model take from attributes of Python's objects, to be compared before a plan is run."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import operator
import sys
import types
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

from portanet.backends import Backend, get_backend, is_dtype
from portanet.layers import Layer
from portanet.layers.operation_call import Argument, OperationCall
from portanet.layers.symbolic import Node, SymbolicArray
from portanet.mixed_precision import DTypePolicy
from portanet.ops.operation import OPERATIONS
from portanet.settings import settings
from portanet.variables import Variable

_OF_TRAINING = frozenset(
    (
        *("_settings", "_objective", "_trackers", "_steps", "_batch", "_calls", "position", "callbacks", "history"),
        *("stop_training", "stop_evaluating", "stop_predicting", "optimizer", "_kept", "_slices", "_shapes"),
        *("_earlier", "_known"),
        *("loss", "run_eagerly", "jit_compile", "steps_per_execution"),
        *("train_function", "test_function", "predict_function"),
    )
)
"""Attributes of models that calls in inference do not look at."""
_NOT_IN_CALLS = frozenset(
    ("_nodes", "_config", "_dtypes", "build_shape", "name", "_named", "_adopted", "_owner_path", "_built")
)
"""Likewise of layers."""
_VALUES = frozenset((bool, int, float, complex, str, bytes, type(None), type(Ellipsis), slice, range, DTypePolicy))
_CALL = operator.attrgetter("call")
_OF_BUILD = ("portanet.initializers", "portanet.regularizers", "portanet.constraints")
"""Where objects come from that calls do not look at."""
_PLACES = frozenset((SymbolicArray, Argument))


class UnplannableError(TypeError):
    """A call could look at anything."""


class Attributes:
    """What calls of a model take from attributes of Python's objects: compared by identity, containers by contents.

    Args:
        model: The model.

    Raises:
        UnplannableError: It has a layer, a function or an object that is not portanet's own.
    """

    def __init__(self, model: Layer) -> None:
        self.variables: list[Variable] = []
        self.views: list[Callable[[], Iterable[Any]]] = []
        self.containers: list[Any] = []
        """Those whose number of items may change."""
        self._seen: dict[int, Any] = {}
        layers = list(model.flatten_layers())
        self._layers = set(map(id, layers))
        for layer in layers:
            self._add_layer(layer)
        self.views.append(lambda: (settings.image_data_format,))
        self.classes: list[Any] = list(dict.fromkeys(map(type, layers)))
        self.calls = list(map(_CALL, self.classes))
        self.sizes = list(map(len, self.containers))
        values = operator.attrgetter("_value", "autocast")
        self.views.append(lambda: itertools.chain.from_iterable(map(values, self.variables)))
        self.backend, self.known = get_backend(), list(self._values())

    def _values(self) -> Iterable[Any]:
        return itertools.chain.from_iterable([view() for view in self.views])

    def same(self) -> bool:
        """Whether they are what they were."""
        try:
            return self._same()
        except KeyError:  # an attribute is gone
            return False

    def _same(self) -> bool:
        return (
            self._same_backend(get_backend())
            and list(map(len, self.containers)) == self.sizes
            and list(map(_CALL, self.classes)) == self.calls
            and all(map(operator.is_, self._values(), self.known))
        )

    def _same_backend(self, backend: Backend) -> bool:
        known = self.backend
        return backend is known or (
            type(backend) is type(known) and backend.device == known.device and backend.dtype == known.dtype
        )

    def _add_layer(self, layer: Layer) -> None:
        kind, attributes = type(layer), vars(layer)
        own = kind.__module__.startswith("portanet.") and kind.call.__module__.startswith("portanet.")
        if not own or layer.activity_regularizer is not None:
            raise UnplannableError(f"layer '{layer.name}'")
        if isinstance(layer, OperationCall) and not _is_operation(layer.function):
            raise UnplannableError(f"operation '{layer.name}'")
        names = [name for name in attributes if _matters(layer, name)]
        for name in names:
            self._add(attributes[name])
        self.containers.append(attributes)
        self._view(attributes, names)

    def _view(self, mapping: dict[Any, Any], keys: list[Any]) -> None:
        if len(keys) > 1:
            self.views.append(functools.partial(operator.itemgetter(*keys), mapping))
        elif keys:
            self.views.append(lambda: (mapping[keys[0]],))

    def _add(self, value: Any) -> None:
        kind = type(value)
        if kind in _VALUES or kind in _PLACES or id(value) in self._seen:
            return
        self._seen[id(value)] = value
        if kind is Variable:
            self.variables.append(value)
        elif isinstance(value, Layer):
            if id(value) not in self._layers:
                raise UnplannableError(f"layer '{value.name}'")
        elif kind is Node:
            self._add(value.args)
            self._add(value.options)
        elif isinstance(value, dict) and _is_own(kind):
            self.containers.append(value)
            self._view(value, list(value))
            for each in itertools.chain(value, value.values()):
                self._add(each)
        elif kind is list or kind is set or (isinstance(value, tuple) and _is_own(kind)):
            if kind is not tuple:
                self.containers.append(value)
                self.views.append(lambda: value)
            for each in value:
                self._add(each)
        elif kind is functools.partial:
            self._add((value.func, value.args, value.keywords))
        elif not _is_fixed(value):
            raise UnplannableError(f"an object of class {kind.__name__}")


def _matters(layer: Layer, name: str) -> bool:
    """Whether calls look at an attribute; not at those for `build` and training."""
    return not (
        name in _NOT_IN_CALLS
        or (name in _OF_TRAINING and hasattr(layer, "_calls"))
        or name.endswith(("_initializer", "_regularizer", "_constraint"))
    )


def _is_operation(function: Any) -> bool:
    """Whether it is a function of `portanet.ops`."""
    return OPERATIONS.get(getattr(function, "__name__", "")) is function


def _is_own(kind: type) -> bool:
    return kind in (dict, tuple, OrderedDict) or kind.__module__.startswith("portanet.")


def _is_fixed(value: Any) -> bool:
    """Whether an object is one of portanet's functions, classes or constants, or a dtype."""
    kind = type(value)
    if kind.__module__.startswith(_OF_BUILD):
        return True
    if kind is types.FunctionType or kind is type:
        if _is_operation(value):
            return True
        module = sys.modules.get(value.__module__)
        return value.__module__.startswith("portanet.") and getattr(module, value.__name__, None) is value
    if kind.__module__.startswith("portanet.") and dataclasses.is_dataclass(kind):
        return bool(kind.__dataclass_params__.frozen)  # type: ignore[attr-defined]
    return is_dtype(get_backend().xp, value)
