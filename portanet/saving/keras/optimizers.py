"""The state of optimizers in files of Keras."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from portanet import optimizers
from portanet.backends import to_host
from portanet.configurable import overrides
from portanet.lookup import snake_case
from portanet.optimizers import Optimizer
from portanet.optimizers.places import kept_in_keras, places
from portanet.saving.errors import attempt
from portanet.saving.keras.hdf5 import WeightFile
from portanet.saving.keras.own_files import stored_tensor
from portanet.saving.safetensors import Tensor

if TYPE_CHECKING:
    from portanet.saving.keras.legacy import LegacyState

GROUP = "optimizer"


def written_state(model: Any, trained: list[str]) -> dict[str, list[Tensor]]:
    """The state of a model's optimizer, by group; before the first step, an initial one.

    Args:
        model: The model, compiled.
        trained: The paths of the parameters in Keras's order.
    """
    optimizer = model.optimizer
    if optimizer is None or not kept_in_keras(optimizer) or not trained:
        return {}
    values = {path: variable.value for path, variable in model.named_variables().items()}
    state = _state_for(model, optimizer, {path: values[path] for path in trained})
    tensors: list[tuple[str, Tensor]] = []
    for slot, path in places(optimizer, state, trained):
        array = state.get(slot) if path is None else state[slot].get(path)
        if array is None:  # what Keras has without using it, such as all slots of Adafactor for all parameters
            shape = np.shape(values[path]) if slot == "v" else ()
            tensors.append((slot, Tensor(np.zeros(shape, dtype="float32"), "float32")))
        else:
            tensors.append((slot, Tensor(np.asarray(to_host(array)), str(array.dtype).rpartition(".")[2])))
    return _groups(optimizer, GROUP, tensors)


def own_arrays(optimizer: Any) -> dict[str, dict[str, Tensor]] | None:
    """What an optimizer that overrides `save_own_variables` stores, by group; None of another."""
    if optimizer is None or not _has_own_arrays(optimizer):
        return None
    store: dict[str, Any] = {}
    optimizer.save_own_variables(store)
    what = f"Optimizer '{optimizer.name}'"
    return {GROUP: {name: stored_tensor(what, name, value) for name, value in store.items()}}


def _has_own_arrays(optimizer: Optimizer) -> bool:
    """Whether a class of optimizers has methods of its own that write or read its arrays."""
    return overrides(type(optimizer), Optimizer, "save_own_variables", "load_own_variables")


def _groups(optimizer: Optimizer, group: str, tensors: list[tuple[str, Tensor]]) -> dict[str, list[Tensor]]:
    """The state by group, with those of optimizers in an optimizer, which Keras stores a second time.

    Args:
        optimizer: The optimizer.
        group: Its group.
        tensors: Its state, with the names of the slots.
    """
    groups = {group: [tensor for _, tensor in tensors]}
    if isinstance(optimizer, optimizers.LossScaleOptimizer):
        return groups | _groups(optimizer.inner_optimizer, f"{group}/inner_optimizer", tensors[4:])
    if isinstance(optimizer, optimizers.MultiOptimizer):
        for number, part in enumerate(optimizer.optimizers):
            name = f"{group}/optimizers/{snake_case(type(part).__name__)}"
            names = itertools.chain([name], (f"{name}_{count}" for count in itertools.count(1)))
            free = next(name for name in names if name not in groups)
            groups[free] = [tensor for slot, tensor in tensors if slot.startswith(f"{number}/")]
    return groups


def read_state(model: Any, trained: list[str], file: WeightFile | LegacyState) -> Callable[[], None]:
    """Read the state of a model's optimizer; the returned function restores it to the model.

    As in Keras, a state of another size, such as that before the first step, is left out.
    """
    optimizer = model.optimizer
    names = [name for name in file.names if name.startswith(f"{GROUP}/vars/")]
    if not kept_in_keras(optimizer) or not trained:
        return lambda: None
    variables = model.named_variables()
    initial = optimizer.init({path: variables[path].value for path in trained})
    if _has_own_arrays(optimizer):
        store = {name.removeprefix(f"{GROUP}/vars/"): file.read(name).values for name in names}

        def load() -> None:
            model.optimizer_state = (trained, initial)
            model._follow(model.named_variables())
            what = f"optimizer '{optimizer.name}' cannot load its arrays, {sorted(store)}"
            attempt(file.error, what, lambda: optimizer.load_own_variables(store))

        return load if store else lambda: None
    order = list(places(optimizer, initial, trained))
    if len(names) != len(order):
        return lambda: None
    backend = model.backend
    state: dict[str, Any] = {key: dict(value) if isinstance(value, dict) else value for key, value in initial.items()}
    for index, (slot, path) in enumerate(order):
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
            rate = float(state["learning_rate"])
            if np.float32(rate) != np.float32(optimizer.learning_rate):  # 0.001, not the float32 nearest to it
                optimizer.learning_rate = rate

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
    xp = model.backend.xp
    for name, _, rate in optimizer.each_rate():
        if not callable(rate):  # also of an optimizer of several that trains nothing
            dtype = state[name].dtype if name in state else xp.float32
            wide = "float64" if dtype == getattr(xp, "float64", None) else "float32"  # not every library has float64
            state[name] = xp.astype(model.backend.from_host(np.asarray(rate, dtype=wide)), dtype)
    return state
