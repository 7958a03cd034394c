"""The arguments of a layer as `get_config` of Keras lists them: all, in the form in which the layer keeps them."""

from __future__ import annotations

import inspect
from typing import Any

from portanet.configurable import Configurable, constructors
from portanet.layers import Layer
from portanet.saving.keras.table import CELLS, only_here

OF_ALL = frozenset(inspect.signature(Layer.__init__).parameters) - {"activity_regularizer"}
"""The arguments of all layers, which Keras describes apart, or only if they are given."""
BY_AXIS = frozenset(
    "kernel_size strides dilation_rate pool_size output_size output_padding padding cropping size".split()  # noqa: SIM905
)
"""Arguments that are kept as one size per axis."""


def completed(layer: Layer, arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments with the defaults of those not given, objects for their names, and sizes for each axis."""
    cls, cell = type(layer), getattr(layer, "cell", None)
    if cls.__module__.startswith("portanet."):
        of_cell = _defaults(type(cell)) if cls.__name__ in CELLS else {}
        given = {key: value for key, value in arguments.items() if key not in OF_ALL or value not in (None, True)}
        arguments = {**of_cell, **_defaults(cls), **given}
        if arguments.get("data_format", 0) is None and "data_format" not in only_here(cls.__name__):
            arguments["data_format"] = "channels_last"
    return {key: _kept(key, value, getattr(layer, key, getattr(cell, key, None))) for key, value in arguments.items()}


def _defaults(cls: type) -> dict[str, Any]:
    """The defaults of the arguments that a class and those it derives from take, without those of all layers."""
    found: dict[str, Any] = {}
    for base, parameters in constructors(cls):
        if base is Layer:
            break
        for each in parameters:
            if each.default is not inspect.Parameter.empty and each.name not in OF_ALL:
                found.setdefault(each.name, each.default)
    return found


def _kept(key: str, value: Any, attribute: Any) -> Any:
    """The attribute in which a layer keeps an argument, if that is the argument in Keras's form."""
    if isinstance(value, str):
        return attribute if isinstance(attribute, Configurable) else value
    if key in BY_AXIS and isinstance(attribute, tuple) and (value is None or type(value) is int):
        return value if key == "size" and len(attribute) == 1 else attribute
    return "linear" if value is None and getattr(attribute, "__name__", None) == "linear" else value
