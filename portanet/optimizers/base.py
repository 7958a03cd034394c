"""What an optimizer is: a pure rule from parameters, gradients and its own state to new parameters and state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from portanet.autodiff import array_namespace
from portanet.backends import Array, device_of
from portanet.configurable import Configurable
from portanet.lookup import snake_case

Tree = dict[str, Array]


class Optimizer(Configurable):
    """Changes parameters against their gradients.

    Subclasses name their `slots` (arrays like each parameter, zero at first) and implement
    `step(p, g, slots, rate, t)`, which changes the parameter and its slots with in-place operators and returns the
    parameter: in place where arrays are mutable (the optimizer owns them), new arrays where they are not.

    Args:
        learning_rate: Step size, or a function from the number of the step (an int32 array of shape ()) to it.
        weight_decay: If given, parameters shrink by `learning_rate * weight_decay` in every step (decoupled).
        clipnorm: If given, the largest norm of each gradient.
        clipvalue: If given, the largest size of each gradient's elements.
        global_clipnorm: If given, the largest norm of all gradients together.
        name: Name shown in logs.
    """

    slots: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        learning_rate: float | Callable[[Array], Array],
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        name: str | None = None,
    ) -> None:
        if not callable(learning_rate) and not (isinstance(learning_rate, (int, float)) and learning_rate >= 0):
            raise ValueError(
                "Argument `learning_rate` must be a non-negative number or a schedule. "
                f"Received: learning_rate={learning_rate!r}"
            )
        clips = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
        for key, value in clips.items():
            if value is not None and not value > 0:
                raise ValueError(f"Argument `{key}` must be positive. Received: {key}={value!r}")
        if sum(value is not None for value in clips.values()) > 1:
            raise ValueError(f"Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: {clips}")
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.name = name or snake_case(type(self).__name__)

    def init(self, params: Mapping[str, Array]) -> dict[str, Any]:
        """The state before the first step: the step count, the learning rate and a tree for each slot.

        The learning rate is part of the state, so that it can be changed without compiling the step again.
        """
        if not params:
            return {}
        first = next(iter(params.values()))
        xp, device = array_namespace(first), device_of(first)
        state: dict[str, Any] = {"iterations": xp.zeros((), dtype=xp.int32, device=device)}
        if not callable(self.learning_rate):
            state["learning_rate"] = xp.asarray(float(self.learning_rate), dtype=first.dtype, device=device)
        for slot in self.slots:
            state[slot] = {path: self.init_slot(slot, p) for path, p in params.items()}
        return state

    def init_slot(self, slot: str, p: Array) -> Array:
        """The first value of a slot for a parameter."""
        return array_namespace(p).zeros_like(p)

    def update(self, params: Tree, grads: Tree, state: dict[str, Any]) -> tuple[Tree, dict[str, Any]]:
        """One step.

        Args:
            params: Parameters by path; arrays that the caller gives away (they may be changed in place).
            grads: Their gradients.
            state: What `init` or the last `update` returned; given away likewise.

        Returns:
            The new parameters and the new state.
        """
        if not params:
            return params, state
        xp = array_namespace(next(iter(params.values())))
        grads = self.clip(xp, grads)
        state["iterations"] = t = state["iterations"] + 1
        first = next(iter(params.values()))
        rate = self.learning_rate(t - 1) if callable(self.learning_rate) else state["learning_rate"]
        t = xp.astype(t, first.dtype)
        for path, p in params.items():
            slots = {slot: state[slot][path] for slot in self.slots}
            if self.weight_decay:
                p *= 1 - rate * self.weight_decay
            params[path] = self.step(p, grads[path], slots, rate, t)
            for slot in self.slots:
                state[slot][path] = slots[slot]
        return params, state

    def step(self, p: Array, g: Array, slots: Tree, rate: Array, t: Array) -> Array:
        """Change one parameter.

        Args:
            p: The parameter.
            g: Its gradient; not to be changed in place.
            slots: Its slots by name; store there what changed.
            rate: Learning rate, shape ().
            t: Number of this step, from 1, in the parameter's dtype, shape ().

        Returns:
            The new parameter.
        """
        raise NotImplementedError(f"Optimizer '{self.name}' does not implement step(p, g, slots, rate, t).")

    def clip(self, xp: Any, grads: Tree) -> Tree:
        """Gradients within the limits asked for."""
        if self.clipvalue is not None:
            limit = self.clipvalue
            return {path: xp.minimum(xp.maximum(g, -limit), limit) for path, g in grads.items()}
        if self.clipnorm is not None:
            return {path: g * _shrink(xp, xp.sum(g * g), self.clipnorm) for path, g in grads.items()}
        if self.global_clipnorm is not None:
            total = sum(xp.sum(g * g) for g in grads.values())
            factor = _shrink(xp, total, self.global_clipnorm)
            return {path: g * factor for path, g in grads.items()}
        return grads


def _shrink(xp: Any, square: Array, limit: float) -> Array:
    """The factor that brings a norm down to the limit: g * limit / |g| if |g| > limit (Pascanu et al. 2013)."""
    norm = xp.sqrt(square)
    return limit / xp.maximum(norm, limit)
