"""The state that an optimizer holds itself as a list of variables, as in Keras."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array, asarray, to_host
from portanet.optimizers.applicable import Rate
from portanet.optimizers.applied import Applied, held_by, in_model, stepped
from portanet.optimizers.base import Optimizer, State
from portanet.optimizers.custom import StandIn
from portanet.optimizers.places import Place, places
from portanet.variables import Variable


class StateVariable(Variable):
    """An array in the state of an optimizer, under its name in Keras."""

    _trainable = False

    def __init__(self, held: Applied, place: Place, optimizer: Optimizer) -> None:
        entry, path = self._place = place
        self._held = held
        self.name = entry if path is None else f"{path.replace('/', '_')}_{entry}"
        self.path = f"{optimizer.name}/{self.name}"
        self.backend = next(iter(held.names)).backend

    @property
    def _value(self) -> Any:
        return _value_at(self._held.state, self._place)

    @_value.setter
    def _value(self, value: Any) -> None:
        _put(self._held.state, self._place, value)


def build(optimizer: Any, variables: Iterable[Variable]) -> None:
    """Begin the state of variables; see `Optimizer.build`."""
    chosen = list(variables)
    for variable in chosen:
        if not isinstance(variable, Variable):
            raise checks.invalid("variables", variable, "a list of variables", type(optimizer))
    if optimizer.has_update_step:  # whose `build` goes on; the state begins when it is needed
        optimizer.built, optimizer._trainable_variables = True, chosen
        return
    held_by(optimizer).extend(optimizer, chosen)
    optimizer.built = True


def own_variables(optimizer: Any) -> list[Variable]:
    """The state as variables; none before there is one."""
    held = _begun(optimizer)
    return [StateVariable(held, place, optimizer) for place in _places_of(optimizer, held)]


def stateless_apply(
    optimizer: Any, optimizer_variables: Sequence[Any], grads: Sequence[Any], trainable_variables: Sequence[Any]
) -> tuple[list[Array], list[Array]]:
    """A step as a pure function; see `Optimizer.stateless_apply`."""
    held = _begun(optimizer)
    order, names = _places_of(optimizer, held), list(held.names.values())
    for argument, values, count in (
        ("optimizer_variables", optimizer_variables, len(order)),
        ("grads", grads, len(names)),
        ("trainable_variables", trainable_variables, len(names)),
    ):
        if not order or len(values) != count:
            remedy = "" if order else " Call build(variables) first."
            raise ValueError(
                f"Argument `{argument}` of optimizer '{optimizer.name}' must hold one array per variable, {count}."
                f"{remedy} Received: {len(values)}"
            )
    state = {entry: dict(tree) if isinstance(tree, dict) else tree for entry, tree in held.state.items()}
    for place, value in zip(order, optimizer_variables, strict=True):
        _put(state, place, _copy(value))
    params = {name: _copy(value) for name, value in zip(names, trainable_variables, strict=True)}
    params, state = stepped(optimizer, held.names, params, dict(zip(names, grads, strict=True)), state)
    return [params[name] for name in names], [_value_at(state, place) for place in order]


def set_weights(optimizer: Any, weights: Sequence[Any]) -> None:
    """Assign arrays to the variables; see `Optimizer.set_weights`."""
    variables = own_variables(optimizer)
    if not variables or len(weights) != len(variables):
        raise ValueError(
            f"Argument `weights` of optimizer '{optimizer.name}' must hold one array per variable, {len(variables)} "
            f"after build(variables). Received: {len(weights)}"
        )
    for variable, weight in zip(variables, weights, strict=True):
        variable.assign(weight)
    state = _begun(optimizer).state
    for name, _, rate in optimizer.each_rate():
        if isinstance(rate, Rate) and name in state:
            rate.assign(to_host(state[name]))


def _begun(optimizer: Any) -> Applied:
    """The state, which those with `update_step` begin after `build`."""
    held = held_by(optimizer)
    if optimizer.has_update_step and not held.state:
        held.extend(optimizer, [v for v in optimizer._trainable_variables if not isinstance(v, StandIn)])
    return held if held.state else in_model(optimizer)


def _places_of(optimizer: Any, held: Applied) -> list[Place]:
    """The places of the state that exist."""
    found = list(places(optimizer, held.state, list(held.names.values()))) if held.state else []
    return [(entry, path) for entry, path in found if entry in held.state and _has(held.state[entry], path)]


def _has(tree: Any, path: str | None) -> bool:
    return path is None or path in tree


def _value_at(state: State, place: Place) -> Any:
    entry, path = place
    return state[entry] if path is None else state[entry][path]


def _put(state: State, place: Place, value: Any) -> None:
    entry, path = place
    if path is None:
        state[entry] = value
    else:
        state[entry][path] = value


def _copy(value: Any) -> Array:
    value = value.value if isinstance(value, Variable) else value
    value = value if hasattr(value, "shape") else asarray(value)
    return array_namespace(value).asarray(value, copy=True)
