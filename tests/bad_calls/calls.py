"""Targets: calls of layers, losses and metrics with bad arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from portanet import layers, losses, metrics
from portanet.layers.preprocessing.host_layer import HostLayer
from tests.bad_calls.constructors import ABSTRACT, input_of, signature_of
from tests.bad_calls.targets import Target, valid
from tests.bad_calls.valid import VALID, Make, ones, pairs
from tests.test_public_names import names_of

ARRAY, SWITCH = frozenset({"array"}), frozenset({"bool", "none"})


def targets() -> Iterator[Target]:
    for name in names_of(layers):
        cls = getattr(layers, name)
        if name in (*ABSTRACT.split(), "Input", "InputLayer", "StackedRNNCells") or name.endswith("Cell"):
            continue
        if isinstance(cls, type) and not issubclass(cls, HostLayer):  # these take strings: tests/layers/test_lookups.py
            yield layer_target(f"layers.{name}", cls)
    for room in (losses, metrics):
        for name in names_of(room):
            cls = getattr(room, name)
            if name not in ABSTRACT.split() and isinstance(cls, type):
                yield judge_target(f"{room.__name__.rpartition('.')[2]}.{name}", cls)


def make_of(name: str, cls: Any) -> Callable[[], Any]:
    """A function that creates an object with the required arguments."""
    required = {}
    for p in signature_of(cls).values():
        make = valid(name, p.name)
        if make is not None and (p.default is p.empty or f"{name.rpartition('.')[2]}.{p.name}" in VALID):
            required[p.name] = make
    return lambda: cls(**{key: make() for key, make in required.items()})


def layer_target(name: str, cls: Any) -> Target:
    """The call of a layer, built or not: one array, or the first of several, may be bad."""
    make, inputs = make_of(name, cls), input_of(cls.__name__)

    def call(x: Any, mask: Any = None, training: Any = None) -> Any:
        layer = make()
        layer(inputs())  # builds it
        options = {} if mask is None else {"mask": mask}
        return make()(x, **options), layer(x, training=training, **options)

    return Target(f"{name}()", call, {"x": ARRAY, "training": SWITCH}, {"x": inputs})


def judge_target(name: str, cls: Any) -> Target:
    """The call of a loss or metric: with bad targets, predictions or weights."""
    make = make_of(name, cls)
    for y_true, y_pred in pairs():
        try:
            make()(y_true, y_pred)
        except (ValueError, TypeError):
            continue
        break
    required: dict[str, Make] = {"y_true": lambda: y_true, "y_pred": lambda: y_pred}
    if issubclass(cls, metrics.Mean):
        return Target(
            f"{name}()",
            lambda **arguments: make()(**arguments),
            {"values": ARRAY, "sample_weight": ARRAY | {"none"}},
            {"values": ones(3)},
        )
    kinds = {"y_true": ARRAY, "y_pred": ARRAY, "sample_weight": ARRAY | {"none"}}
    return Target(f"{name}()", lambda **arguments: make()(**arguments), kinds, required)
