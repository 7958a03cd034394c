"""The order of the arrays in the state of an optimizer: that of Keras's `Optimizer.variables`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from portanet import optimizers
from portanet.optimizers.base import Optimizer
from portanet.optimizers.multi_optimizer import part_of
from portanet.optimizers.state import unscaled

SLOTS: dict[type[Optimizer], tuple[tuple[str, ...], ...]] = {
    optimizers.SGD: (("momentum",),),
    optimizers.Adam: (("m", "v"), ("v_max",)),
    optimizers.RMSprop: (("v",), ("momentum",), ("mean",)),
    optimizers.Adagrad: (("accumulator",),),
    optimizers.Adadelta: (("mean_gradients", "mean_moves"),),
    optimizers.Adamax: (("m", "u"),),
    optimizers.Nadam: (("m", "v"),),
    optimizers.Lamb: (("m", "v"),),
    optimizers.Lion: (("m",),),
    optimizers.Ftrl: (("accumulator", "linear"),),
    optimizers.Muon: (("momentum", "velocity"),),
    optimizers.ScheduleFreeAdamW: (("momentum", "velocity"),),
    optimizers.Adafactor: (("rows", "columns", "v"),),
}
"""The slots in Keras's order: those of one tuple alternate, parameter by parameter."""

Place = tuple[str, str | None]
"""A slot and a parameter; no parameter for numbers."""


def slots_in_keras(optimizer: Optimizer) -> tuple[tuple[str, ...], ...] | None:
    """The slots of an optimizer that Keras has, too; None of another."""
    inner = unscaled(optimizer)
    return next((slots for cls, slots in SLOTS.items() if isinstance(inner, cls)), None)


def kept_in_keras(optimizer: Optimizer) -> bool:
    """Whether Keras has the state of an optimizer."""
    inner = unscaled(optimizer)
    several = isinstance(inner, optimizers.MultiOptimizer)
    return several or inner.has_update_step or slots_in_keras(optimizer) is not None


def places(optimizer: Optimizer, state: dict[str, Any], trained: list[str]) -> Iterator[Place]:
    """What the arrays of the state are in Keras, in their order."""
    inner = unscaled(optimizer)
    if inner is not optimizer:  # has a learning rate, too, without using it
        yield from ((name, None) for name in ("iterations", "unused", "step_counter", "dynamic_scale"))
    yield "iterations", None
    if isinstance(inner, optimizers.MultiOptimizer):
        yield "unused", None  # a learning rate
        for number, part in enumerate(inner.optimizers):
            chosen = [path for path in trained if inner._numbers.get(path) == number]
            if chosen:
                inside = list(places(part, part_of(state, number), chosen))
            else:
                inside = [("iterations", None), *([] if callable(part.rates) else [("learning_rate", None)])]
            yield from ((f"{number}/{entry}", path) for entry, path in inside)
        return
    if "learning_rate" in state:
        yield "learning_rate", None
    full = isinstance(inner, optimizers.Adafactor)
    slots = slots_in_keras(inner) or (() if inner.has_update_step else (tuple(inner.slots),))
    for several in (("average",), ("gradients",), *slots):
        present = [slot for slot in several if slot in state]
        yield from ((slot, path) for path in trained for slot in present if full or path in state[slot])
    if "u_product" in state:
        yield "u_product", None
    yield from ((slot, path) for slot, path in inner._made if path is None or path in trained)
