"""The states of optimizers that a model holds in attributes, such as that of a generator, in files of models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from portanet.backends import Backend
from portanet.optimizers import Optimizer
from portanet.optimizers.applied import Applied
from portanet.saving.archive import Archive
from portanet.saving.config import Decoder, Encoder
from portanet.saving.safetensors import Tensor
from portanet.saving.weights import listed
from portanet.tree import tree_items


def others(model: Any) -> dict[str, Optimizer]:
    """The optimizers beside that of `compile`, by attribute."""
    return {n: v for n, v in vars(model).items() if isinstance(v, Optimizer) and v is not model.optimizer}


def described(model: Any, encoder: Encoder) -> dict[str, Any]:
    """What a file says of these optimizers; of those that have updated nothing, nothing."""
    paths = {variable: path for path, variable in model.named_variables().items()}
    result: dict[str, Any] = {}
    for attribute, optimizer in others(model).items():
        held = optimizer._applied
        if held is not None and held.state and all(variable in paths for variable in held.names):
            result[attribute] = {
                "names": {paths[variable]: name for variable, name in held.names.items()},
                "state": encoder.encode(held.state, f"optimizers/{attribute}"),
                "learning_rate": rate_of(optimizer),
            }
    return result


def rate_of(optimizer: Any) -> float | None:
    """The learning rate of an optimizer; None if there is none, or a schedule."""
    rate = None if optimizer is None else optimizer.rates
    return None if rate is None or isinstance(rate, tuple) or callable(rate) else float(rate)


def prepared(model: Any, archive: Archive, decoder: Decoder, document: dict[str, Any]) -> Callable[[], None]:
    """Read and check the states; the returned function gives them to the optimizers of the model.

    Optimizers that the model does not have, since another `compile` creates them, are left out.
    """
    saved, optimizers, variables = document.get("optimizers", {}), others(model), model.named_variables()
    if not isinstance(saved, dict):
        raise archive.error("it does not specify the states of its optimizers")
    read: list[tuple[Optimizer, Applied, Any]] = []
    for attribute, entry in saved.items():
        if attribute not in optimizers:
            continue
        names = entry.get("names") if isinstance(entry, dict) else None
        if not isinstance(names, dict) or not all(p in variables and isinstance(n, str) for p, n in names.items()):
            raise archive.error(f"the weights of its optimizer {attribute} are not those of the model")
        state = decoder.decode(entry.get("state"), lambda tensor: device_array(tensor, model.backend))
        values = {name: variables[path].value for path, name in names.items()}
        require_state(optimizers[attribute], values, state, archive)
        rate = entry.get("learning_rate")
        require_rate(rate, archive)
        read.append((optimizers[attribute], Applied({variables[p]: n for p, n in names.items()}, state), rate))

    def resume() -> None:
        for optimizer, held, rate in read:
            optimizer._applied = held
            if rate is not None:
                optimizer.learning_rate = rate

    return resume


def require_state(optimizer: Optimizer, values: dict[str, Any], state: Any, archive: Archive) -> None:
    """Refuse the state of another optimizer, or of other weights.

    Args:
        optimizer: The optimizer.
        values: The weights, by their names in the state.
        state: The state.
        archive: The file, for errors.
    """
    expected, actual = ({path: _kind(x) for path, x in tree_items(tree)} for tree in (optimizer.init(values), state))
    paths = sorted(path for path in expected.keys() | actual.keys() if expected.get(path) != actual.get(path))
    if paths:
        lines = [f"{path}: expected {expected.get(path, 'none')}, has {actual.get(path, 'none')}" for path in paths]
        raise archive.error(f"its optimizer's state is not that of {type(optimizer).__name__}:\n{listed(lines)}")


def require_rate(rate: Any, archive: Archive) -> None:
    """Refuse what is no learning rate."""
    if rate is not None and (not isinstance(rate, (int, float)) or isinstance(rate, bool) or not rate >= 0):
        raise archive.error("its learning rate is not a number")


def _kind(x: Any) -> str:
    shape = getattr(x, "shape", None)
    return type(x).__name__ if shape is None else f"{str(x.dtype).rpartition('.')[2]} {tuple(shape)}"


def device_array(tensor: Tensor, backend: Backend) -> Any:
    """A tensor of a file as an array of a backend, with the same dtype."""
    array = backend.from_host(np.asarray(tensor.values))
    return backend.xp.astype(array, backend.find_dtype(tensor.dtype)) if tensor.dtype == "bfloat16" else array
