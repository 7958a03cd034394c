"""The state of optimizers in files of Keras."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from portanet import optimizers
from portanet.backends import to_host
from portanet.optimizers import Optimizer
from portanet.optimizers.state import unscaled
from portanet.saving.keras.hdf5 import WeightFile
from portanet.saving.safetensors import Tensor

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
    optimizers.Adafactor: (("rows", "columns", "v"),),
}
"""The slots in Keras's order: those of one tuple alternate, parameter by parameter."""
GROUP = "optimizer"

Place = tuple[str, str | None]
"""A slot and a parameter; no parameter for numbers."""


def written_state(model: Any, trained: list[str]) -> dict[str, list[Tensor]]:
    """The state of a model's optimizer, by group; before the first step, an initial one.

    Args:
        model: The model, compiled.
        trained: The paths of the parameters in Keras's order.
    """
    optimizer = model.optimizer
    if optimizer is None or _slots(optimizer) is None or not trained:
        return {}
    values = {path: variable.value for path, variable in model.named_variables().items()}
    state = _state_for(model, optimizer, {path: values[path] for path in trained})
    tensors = []
    for slot, path in _places(optimizer, state, trained):
        array = state.get(slot) if path is None else state[slot].get(path)
        if array is None:  # what Keras has without using it, such as all slots of Adafactor for all parameters
            shape = np.shape(values[path]) if slot == "v" else ()
            tensors.append(Tensor(np.zeros(shape, dtype="float32"), "float32"))
        else:
            tensors.append(Tensor(np.asarray(to_host(array)), str(array.dtype).rpartition(".")[2]))
    scaled = isinstance(optimizer, optimizers.LossScaleOptimizer)
    return {GROUP: tensors} | ({f"{GROUP}/inner_optimizer": tensors[4:]} if scaled else {})


def read_state(model: Any, trained: list[str], file: WeightFile) -> Callable[[], None]:
    """Read the state of a model's optimizer; the returned function restores it to the model.

    As in Keras, a state of another size, such as that before the first step, is left out.
    """
    optimizer = model.optimizer
    names = [name for name in file.names if name.startswith(f"{GROUP}/vars/")]
    if _slots(optimizer) is None or not trained:
        return lambda: None
    variables = model.named_variables()
    initial = optimizer.init({path: variables[path].value for path in trained})
    places = list(_places(optimizer, initial, trained))
    if len(names) != len(places):
        return lambda: None
    backend = model.backend
    state: dict[str, Any] = {key: dict(value) if isinstance(value, dict) else value for key, value in initial.items()}
    for index, (slot, path) in enumerate(places):
        name = f"{GROUP}/vars/{index}"
        like = initial.get(slot) if path is None else initial[slot].get(path)
        if like is None:
            continue
        if name not in names or file.shape(name) != tuple(like.shape):
            shape = file.shape(name) if name in names else "none"
            raise file.error(
                f"its optimizer's state is not that of {type(optimizer).__name__}: {slot} of {path or 'all'} has shape "
                f"{tuple(like.shape)}. Received: {shape}"
            )
        value = backend.xp.astype(backend.from_host(np.asarray(file.read(name).values)), like.dtype)
        if path is None:
            state[slot] = value
        else:
            state[slot][path] = value

    def restore() -> None:
        model.optimizer_state = (trained, state)
        model._follow(model.named_variables())
        if "learning_rate" in state:
            optimizer.learning_rate = float(state["learning_rate"])

    return restore


def _state_for(model: Any, optimizer: Optimizer, params: dict[str, Any]) -> dict[str, Any]:
    """The state of an optimizer for these parameters; initial where they have not been trained."""
    state: dict[str, Any] = optimizer.init(params)
    if model.optimizer_state is not None:
        current = model.optimizer_state[1]
        for slot, value in current.items():
            if isinstance(value, dict):
                state[slot] = {**state[slot], **{path: x for path, x in value.items() if path in params}}
            else:
                state[slot] = value
    if "learning_rate" in state and not callable(optimizer.learning_rate):
        like = state["learning_rate"]
        state["learning_rate"] = model.backend.xp.astype(
            model.backend.from_host(np.asarray(optimizer.learning_rate, dtype="float64")), like.dtype
        )
    return state


def _slots(optimizer: Optimizer) -> tuple[tuple[str, ...], ...] | None:
    inner = unscaled(optimizer)
    return next((slots for cls, slots in SLOTS.items() if isinstance(inner, cls)), None)


def _places(optimizer: Optimizer, state: dict[str, Any], trained: list[str]) -> Iterator[Place]:
    """What the arrays of the state are in a file of Keras, in their order."""
    if isinstance(optimizer, optimizers.LossScaleOptimizer):  # has a learning rate, too, without using it
        yield from ((name, None) for name in ("iterations", "unused", "step_counter", "dynamic_scale"))
    yield "iterations", None
    if "learning_rate" in state:
        yield "learning_rate", None
    for several in (("average",), ("gradients",), *(_slots(optimizer) or ())):
        present = [slot for slot in several if slot in state]
        yield from ((slot, path) for path in trained for slot in present)
    if "u_product" in state:
        yield "u_product", None
