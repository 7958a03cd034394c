"""`Optimizer.apply`: updates of variables outside the ordinary step, with a state that the optimizer holds itself."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any
from weakref import WeakKeyDictionary, ref

from portanet import checks
from portanet.autodiff import array_namespace, unwrap
from portanet.backends import Array, device_of
from portanet.configurable import overrides
from portanet.optimizers.applicable import names_in_state
from portanet.optimizers.base import Optimizer, State, Tree
from portanet.optimizers.state import divided, extended, joined
from portanet.variables import Variable


class Applied:
    """The state of an optimizer for the variables that it has updated.

    Attributes:
        names: The names under which the state has entries for variables.
        state: The state; empty at first.
        paths: Names to give to further variables; by default their paths.
        updated: The variables that were updated since somebody emptied it.
    """

    def __init__(
        self,
        names: Mapping[Variable, str] | None = None,
        state: State | None = None,
        paths: Mapping[Variable, str] | None = None,
    ) -> None:
        self.names = dict(names or {})
        self.state = state or {}
        self.paths = paths or {}
        self.updated: set[Variable] = set()

    def extend(self, optimizer: Optimizer, variables: Iterable[Variable]) -> None:
        """Begin the state of further variables."""
        new: dict[str, Array] = {}
        for variable in variables:
            if variable not in self.names:
                path = name = self.paths.get(variable, variable.path)
                taken, number = {*self.names.values()}, 1
                while name in taken:  # variables of two models
                    name, number = f"{path}_{number}", number + 1
                self.names[variable] = name
                new[name] = variable.value
        if new:
            self.state = extended(optimizer, self.state, new)

    def take_rate(self, optimizer: Optimizer) -> None:
        """Let a learning rate count that was changed since."""
        for name, count, rate in optimizer.each_rate():
            if callable(rate):
                self.state.pop(name, None)
            elif count in self.state:
                like = self.state.get(name)
                if like is None:
                    like = next(iter(self.names)).value
                xp = array_namespace(like)
                self.state[name] = xp.asarray(float(rate), dtype=like.dtype, device=device_of(like))


_in_step: ContextVar[dict[Optimizer, Applied] | None] = ContextVar("portanet_applied_in_step", default=None)


@contextlib.contextmanager
def held_in_step(states: dict[Optimizer, Applied]) -> Iterator[None]:
    """Let `apply` use these states inside a `with` block, and add those of other optimizers."""
    token = _in_step.set(states)
    try:
        yield
    finally:
        _in_step.reset(token)


def held_by(optimizer: Optimizer) -> Applied:
    """The state that an optimizer holds: in a step, that of the step."""
    inside = _in_step.get()
    if inside is not None and optimizer in inside:
        return inside[optimizer]
    if optimizer._applied is None:
        optimizer._applied = Applied()
    held: Applied = optimizer._applied
    if inside is not None:
        inside[optimizer] = held
    return held


models: WeakKeyDictionary[Optimizer, ref[Any]] = WeakKeyDictionary()
"""The models that were compiled last with optimizers."""


def in_model(optimizer: Optimizer) -> Applied:
    """The state for the model that was compiled last with the optimizer; empty before it is trained."""
    model = models.get(optimizer, lambda: None)()
    if model is None or model.optimizer_state is None:
        return Applied()
    variables, (paths, state) = model.named_variables(), model.optimizer_state
    held = Applied({variables[path]: path for path in paths if path in variables})
    held.state = state
    return held


def numbers_in_model(optimizer: Optimizer) -> dict[str, Any]:
    """The entries of that state which are not of weights, such as the number of steps: each process has them."""
    model = models.get(optimizer, lambda: None)()
    return {} if model is None else dict(model.optimizer_numbers)


def _observes(optimizer: Optimizer) -> bool:
    """Whether the optimizer, or the one in it, measures the curvature of the loss."""
    inner = getattr(optimizer, "inner_optimizer", getattr(optimizer, "optimizer", None))
    return overrides(type(optimizer), Optimizer, "observe") if inner is None else _observes(inner)


def update(
    optimizer: Any,
    grads: Iterable[Any],
    variables: Iterable[Variable] | None,
    product: Callable[[dict[Variable, Array]], dict[Variable, Array]] | None = None,
) -> None:
    """Update variables; see `Optimizer.apply`.

    Args:
        optimizer: The optimizer.
        grads: Gradients.
        variables: Variables.
        product: The product of the Hessian of the loss with a vector, by variable; None if it is not known.
    """
    held = held_by(optimizer)
    chosen, gradients = list(held.names if variables is None else variables), list(grads)
    for variable in chosen:
        if not isinstance(variable, Variable):
            raise checks.invalid("trainable_variables", variable, "a list of variables", optimizer)
    if len(gradients) != len(chosen):
        raise ValueError(
            f"Argument `grads` of optimizer '{optimizer.name}' must hold a gradient for each variable. "
            f"Received: {len(gradients)} gradients, {len(chosen)} variables"
        )
    if product is None and _observes(optimizer):
        raise ValueError(
            f"Optimizer '{optimizer.name}' measures the curvature of the loss, which `apply` does not know: use it "
            f"with a train_step that is not overridden, or another optimizer. Received: {type(optimizer).__name__}"
        )
    pairs = {v: unwrap(g) for v, g in zip(chosen, gradients, strict=True) if g is not None}
    if chosen and not pairs:
        raise ValueError(
            f"Optimizer '{optimizer.name}' needs a gradient of at least one variable: differentiate a loss that "
            f"depends on them. Received: grads={gradients!r}"
        )
    if len(pairs) < len(chosen):
        missing = ", ".join(f"'{v.path}'" for v in chosen if v not in pairs)
        warnings.warn(f"Variables without a gradient are not updated: {missing}", stacklevel=4)
    held.extend(optimizer, pairs)
    held.updated.update(pairs)
    if _in_step.get() is None:  # else before the step, which may be compiled
        held.take_rate(optimizer)
    names = held.names
    # Copies, since updates are in place where they can be, and others may hold the arrays.
    params = {names[v]: array_namespace(v.value).asarray(v.value, copy=True) for v in pairs}
    state, rest = divided(held.state, params)
    if product is not None:

        def named(vector: dict[str, Array]) -> dict[str, Array]:
            return {names[v]: p for v, p in product({v: vector[names[v]] for v in pairs}).items()}

        state = optimizer.observe(named, params, state)
    params, state = stepped(optimizer, names, params, {names[v]: g for v, g in pairs.items()}, state)
    held.state = joined(rest, state)
    for variable in pairs:
        variable.take(params[names[variable]])
    if pairs and _in_step.get() is None:
        next(iter(pairs)).backend.start((params, held.state))


def stepped(
    optimizer: Optimizer, names: Mapping[Variable, str], params: Tree, grads: Tree, state: State
) -> tuple[Tree, State]:
    """`optimizer.update` for parameters of variables, which may be excluded from weight decay, and constrained."""
    token = names_in_state.set(names)
    try:
        params, state = optimizer.update(params, grads, state)
    finally:
        names_in_state.reset(token)
    for variable, name in names.items():
        if variable.constraint is not None and name in params:
            params[name] = variable.constraint(params[name])
    return params, state
