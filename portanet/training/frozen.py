"""What a recorded step took from attributes of Python objects: where they change, it has to be recorded again."""

from __future__ import annotations

import operator
from typing import Any

from portanet.backends import Backend
from portanet.layers import Layer
from portanet.optimizers import Optimizer
from portanet.training.compiling import Compiled

_VALUES = (bool, int, float, str, type(None))


def settings(model: Compiled) -> list[Any]:
    """What the public attributes of layers hold (values, functions and arrays), the options of the optimizer, and the
    precision of products.
    """
    layers = [
        {
            name: _Same(value) if hasattr(value, "dtype") else value
            for name, value in vars(layer).items()
            if name[0] != "_" and (hasattr(value, "dtype") or _is_setting(value))
        }
        for layer in model.flatten_layers()
        if not isinstance(layer, Compiled)
    ]
    options = None if model.optimizer is None else settings_of_optimizer(model.optimizer)
    return [*layers, options, Backend.float32_matmul_precision]


def settings_of_optimizer(optimizer: Optimizer) -> list[Any]:
    """The attributes of an optimizer, and of those in it, that are values or schedules.

    A learning rate that is a number is not among them: it is in the optimizer's state.
    """
    return [
        (name, value)
        for each in _optimizers(optimizer)
        for name, value in vars(each).items()
        if _is_setting(value) and (name != "_learning_rate" or callable(value))
    ]


class Options:
    """The options of an optimizer, to be compared quickly."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.known: list[Any] = []
        self.settings: list[Any] = []
        self.changed()

    def changed(self) -> bool:
        """Whether they are no longer those of the call before, apart from a learning rate that is a number."""
        if self.known and all(
            len(attributes) == len(values) and all(map(operator.is_, attributes.values(), values))
            for attributes, values in self.known
        ):
            return False
        self.known = [(vars(each), list(vars(each).values())) for each in _optimizers(self.optimizer)]
        before, self.settings = self.settings, settings_of_optimizer(self.optimizer)
        return self.settings != before


def _optimizers(optimizer: Optimizer) -> list[Optimizer]:
    """An optimizer, and those in its attributes and in lists there."""
    values = [each for value in vars(optimizer).values() for each in (value if isinstance(value, list) else [value])]
    return [optimizer, *(each for value in values if isinstance(value, Optimizer) for each in _optimizers(value))]


class _Same:
    """An array as a setting: equal to no other array, and kept, so that no later one is taken for it."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.array is self.array

    __hash__ = None  # type: ignore[assignment]


def _is_setting(value: Any) -> bool:
    """Whether it is a value or a function."""
    return isinstance(value, _VALUES) or (callable(value) and not isinstance(value, Layer))
