"""The base class of optimizers: a pure update of parameters and optimizer state from gradients."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from types import SimpleNamespace
from typing import Any, TypeVar

from portanet import checks, random
from portanet.autodiff import array_namespace
from portanet.backends import Array, device_of, overridable
from portanet.configurable import overrides
from portanet.distribution.slices import drawn_in_slices, over_slices
from portanet.lookup import snake_case
from portanet.optimizers.applicable import Applicable, Rate, path_of
from portanet.random import streams
from portanet.schedules import Hyperparameter
from portanet.schedules.base import hyperparameter, value_of

Tree = dict[str, Array]
State = dict[str, Any]
Rule = TypeVar("Rule", bound=Callable[..., Array])


class Optimizer(Applicable):
    """Updates parameters by their gradients.

    Subclasses name their `slots` (arrays like each parameter, initially zero) and implement `step(p, g, slots, now)`,
    which updates the parameter and its slots with in-place operators and returns the parameter: in place where arrays
    are mutable (the optimizer owns them), new arrays where they are not. An elementwise `step` is marked
    `@elementwise_step`. Or they implement `update_step(gradient, variable, learning_rate)` and `build`, as in Keras.

    Args:
        learning_rate: Step size, or a schedule: a function of the step (an int32 array of shape ()).
        weight_decay: If given, parameters shrink by `learning_rate * weight_decay` in every step (decoupled); a number
            or a schedule. See `exclude_from_weight_decay`.
        clipnorm: If given, the maximum norm of each gradient.
        clipvalue: If given, the maximum absolute value of each gradient's elements.
        global_clipnorm: If given, the maximum norm of all gradients together.
        use_ema: Whether to keep an exponential moving average of the parameters, which `finalize` returns.
        ema_momentum: Its decay: `average = ema_momentum * average + (1 - ema_momentum) * parameter`.
        ema_overwrite_frequency: If given, the number of steps after which the average replaces the parameters.
        loss_scale_factor: If given, `scale_loss` multiplies the loss by it, and gradients are divided by it.
        gradient_accumulation_steps: If given, the number of calls of `update` whose mean gradient makes one step.
        gradient_noise: If given, the variance of normal noise added to the (clipped) gradients: a number or a schedule,
            such as `schedules.PowerDecay(eta, gamma)` for eta / (1 + t)^gamma (Neelakantan et al. 2015).
        name: Name shown in logs.
    """

    _learning_rate: Hyperparameter

    def __init__(
        self,
        learning_rate: Hyperparameter,
        weight_decay: Hyperparameter | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        gradient_noise: Hyperparameter | None = None,
        name: str | None = None,
    ) -> None:
        of, within = type(self), "[0, inf)"
        self.learning_rate = learning_rate
        self.weight_decay = None if weight_decay is None else hyperparameter("weight_decay", weight_decay, of, within)
        self.gradient_noise = (
            None if gradient_noise is None else hyperparameter("gradient_noise", gradient_noise, of, within)
        )
        clips = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
        if sum(value is not None for value in clips.values()) > 1:
            raise ValueError(f"Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: {clips}")
        self.clipnorm, self.clipvalue, self.global_clipnorm = (
            None if value is None else checks.positive(key, value, of) for key, value in clips.items()
        )
        self.use_ema = checks.boolean("use_ema", use_ema, type(self))
        self.ema_momentum = checks.number("ema_momentum", ema_momentum, "[0, 1]", of)
        every, parts, scale = ema_overwrite_frequency, gradient_accumulation_steps, loss_scale_factor
        self.ema_overwrite_frequency = (
            None if every is None else checks.positive_int("ema_overwrite_frequency", every, of)
        )
        self.loss_scale_factor = None if scale is None else checks.positive("loss_scale_factor", scale, of)
        self.gradient_accumulation_steps = (
            None if parts is None else checks.integer("gradient_accumulation_steps", parts, of, least=2)
        )
        self.name = snake_case(type(self).__name__) if name is None else checks.text("name", name, type(self))

    @property
    def learning_rate(self) -> Any:
        """The learning rate, a number with the methods of a variable; of a schedule, which may be set, the present."""
        return self.current_rate()

    @learning_rate.setter
    def learning_rate(self, value: Hyperparameter) -> None:
        self._learning_rate = hyperparameter("learning_rate", value, type(self), "[0, inf)")

    def told_arguments(self) -> dict[str, Any]:
        rate = {"learning_rate": self.rates} if "learning_rate" in vars(self).get("_config", ()) else {}
        return rate | super().told_arguments() | rate

    @property
    def rates(self) -> Any:
        """The learning rate or its schedule; of several optimizers, theirs. The same object until one changes."""
        if type(self._learning_rate) is float:
            self._learning_rate = Rate(self._learning_rate, self)
        return self._learning_rate

    def each_rate(self) -> list[tuple[str, str, Any]]:
        """The learning rates, each with the names of its entry and of the number of steps in the state."""
        return [("learning_rate", "iterations", self.rates)]

    # The state

    def init(self, params: Mapping[str, Array]) -> State:
        """The initial state: a tree of arrays, to be saved with the parameters.

        It holds the number of steps, the learning rate (so that it can be changed without compiling the step again) and
        one tree per slot.
        """
        if not params:
            return {}
        if self.has_update_step:
            from portanet.optimizers import custom

            custom.prepare(self, params)
        first = next(iter(params.values()))
        xp, device = array_namespace(first), device_of(first)
        state: State = {"iterations": xp.zeros((), dtype=xp.int32, device=device)}
        if not callable(self.rates):
            wide = widest(xp, params.values())
            state["learning_rate"] = xp.asarray(float(self.rates), dtype=wide, device=device)
        for slot in self.slots:
            arrays = {path: self.init_slot(slot, p) for path, p in params.items()}
            state[slot] = {path: x for path, x in arrays.items() if x is not None}
        if self.use_ema:
            state["average"] = {path: xp.zeros_like(p) for path, p in params.items()}
        if self.gradient_accumulation_steps:
            state["gradients"] = {path: xp.zeros_like(p) for path, p in params.items()}
        return state | custom.initial(self, params) if self.has_update_step else state

    def add_slot(self, slot: str) -> None:
        """Have one more slot; training that goes on begins with its initial value."""
        if slot not in self.slots:
            self.slots = (*self.slots, slot)

    @property
    def entries(self) -> set[str]:
        """What the state has for each parameter, by the options as they are now."""
        options = {"average": self.use_ema, "gradients": self.gradient_accumulation_steps}
        return {*self.slots, *filter(options.get, options)}

    @property
    def elementwise(self) -> bool:
        """Whether a step treats each element of the parameters by itself, apart from clipping, so that it may be given
        slices of them.
        """
        kind = type(self)
        own = overrides(kind, Optimizer, "update", "observe", "clip") or self.has_update_step
        return not own and getattr(self.step, "elementwise", False)

    def init_slot(self, slot: str, p: Array) -> Array | None:
        """The initial value of a slot for a parameter; None if this parameter has no such slot."""
        return array_namespace(p).zeros_like(p)

    # A step

    def scale_loss(self, loss: Array, state: State | None = None) -> Array:
        """The loss to differentiate for `update` (for `apply`, without a state): scaled with loss scaling."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def update(self, params: Tree, grads: Tree, state: State) -> tuple[Tree, State]:
        """One step.

        Args:
            params: Parameters by path; these arrays may be overwritten.
            grads: Their gradients.
            state: The result of `init` or of the last `update`; it may be overwritten.

        Returns:
            The new parameters and the new state.
        """
        if not params:
            return params, state
        if not self.entries <= state.keys():
            from portanet.optimizers.state import completed

            state = completed(self, state, params)
        state["iterations"] = calls = state["iterations"] + 1
        if self.loss_scale_factor is not None:
            grads = {path: g / self.loss_scale_factor for path, g in grads.items()}
        every = self.gradient_accumulation_steps
        if every is None:
            return self._advance(params, grads, state, calls)
        for path, total in state["gradients"].items():
            total += grads[path]
            state["gradients"][path] = total

        def advance(params: Tree, state: State) -> tuple[Tree, State]:
            totals = state["gradients"]
            params, state = self._advance(params, {p: g / every for p, g in totals.items()}, state, calls)
            state["gradients"] = {p: array_namespace(g).zeros_like(g) for p, g in totals.items()}
            return params, state

        due = calls % every == 0
        params, state = cond(due, advance, lambda params, state: (params, state), params, state)
        return params, state

    def _advance(self, params: Tree, grads: Tree, state: State, calls: Array) -> tuple[Tree, State]:
        """One step with the complete gradients."""
        xp = array_namespace(calls)
        number = calls if self.gradient_accumulation_steps is None else calls // self.gradient_accumulation_steps
        grads, before = self.clip(xp, grads), dict(state)
        now = self._now(xp, params, state, calls - 1, number)
        by_dtype = {dtype: cast_scalars(xp, now, dtype) for dtype in {p.dtype for p in params.values()}}
        if self.gradient_noise is not None:
            grads = {
                path: grads[path] + self._noise(path, p, calls) * by_dtype[p.dtype].noise for path, p in params.items()
            }
        if self.has_update_step:
            from portanet.optimizers import custom

            custom.advance(self, params, grads, state, calls - 1, custom.Scalars(before, now, by_dtype))
        elif getattr(self.step, "elementwise", False):
            from portanet.optimizers import multi_tensor

            multi_tensor.advance(self, params, grads, state, by_dtype)
        else:
            for path, p in params.items():
                scalars = by_dtype[p.dtype]
                slots = {slot: state[slot][path] for slot in self.slots if path in state[slot]}
                keep = self.decay(slots, scalars)
                if keep is not None and self._decays(path):
                    p *= keep
                params[path] = self.step(p, grads[path], slots, scalars)
                for slot, value in slots.items():
                    state[slot][path] = value
        return self._averaged(xp, params, state, number)

    def _now(self, xp: Any, params: Tree, state: State, step: Array, number: Array) -> SimpleNamespace:
        """The hyperparameters of this step, in the widest dtype of the parameters."""
        wide = widest(xp, params.values())
        now = SimpleNamespace(t=xp.astype(number, wide))

        def value(hyperparameter: Hyperparameter) -> Any:
            return value_of(hyperparameter, xp, step, wide) if callable(hyperparameter) else hyperparameter

        now.learning_rate = state["learning_rate"] if "learning_rate" in state else value(self.rates)
        for name in self.scheduled:
            setattr(now, name, value(getattr(self, name)))
        if self.weight_decay is not None:
            now.keep = 1 - now.learning_rate * value(self.weight_decay)
        if self.gradient_noise is not None:
            now.noise = value(self.gradient_noise) ** 0.5
        self.prepare(xp, now, state)
        return now

    def prepare(self, xp: Any, now: SimpleNamespace, state: State) -> None:
        """Compute scalars shared by all parameters, such as a bias correction, and store them in `now`.

        `now.t` is the number of this step, from 1, in at least float32.
        """

    def step(self, p: Array, g: Array, slots: Tree, now: SimpleNamespace) -> Array:
        """Update one parameter.

        Args:
            p: The parameter.
            g: Its gradient; must not be changed in place.
            slots: Its slots by name; updated ones are stored back.
            now: Scalars of this step: `learning_rate`, the hyperparameters in `scheduled` and results of `prepare`;
                Python numbers, or arrays of shape () in the parameter's dtype.

        Returns:
            The new parameter.
        """
        raise NotImplementedError(f"Optimizer '{self.name}' does not implement step(p, g, slots, now).")

    def observe(self, product: Callable[[Tree], Tree], params: Tree, state: State) -> State:
        """The new state, with the curvature of the loss measured before an update; only second-order optimizers do.

        Args:
            product: The product of the Hessian of this batch's loss with a tree like the parameters.
            params: Parameters.
            state: The optimizer's state; it may be overwritten.
        """
        return state

    # Options

    def clip(self, xp: Any, grads: Tree) -> Tree:
        """Gradients clipped as configured."""
        if self.clipvalue is not None:
            limit = self.clipvalue
            return {path: xp.minimum(xp.maximum(g, -limit), limit) for path, g in grads.items()}
        if self.clipnorm is not None:
            squares = over_slices({path: xp.sum(g * g) for path, g in grads.items()})
            return {path: g * _shrink(xp, squares[path], self.clipnorm) for path, g in grads.items()}
        if self.global_clipnorm is not None:
            total = over_slices(sum(xp.sum(g * g) for g in grads.values()))
            factor = _shrink(xp, total, self.global_clipnorm)
            return {path: g * factor for path, g in grads.items()}
        return grads

    def decay(self, slots: Tree, now: SimpleNamespace) -> Any:
        """The factor by which weight decay shrinks a parameter, unless it is excluded; None for none."""
        return None if self.weight_decay is None else now.keep

    def _decays(self, path: str) -> bool:
        variables, patterns = self._without_decay
        name = path.rpartition("/")[2]
        return path not in map(path_of, variables) and not any(re.search(p, name) for p in patterns)

    def _noise(self, path: str, p: Array, calls: Array) -> Array:
        key = random.stream_key(random.get_seed(), self.name, "gradient_noise", path)
        return drawn_in_slices(lambda shape: streams.normal(key, calls, shape, p.dtype), path, p)

    def _averaged(self, xp: Any, params: Tree, state: State, number: Array) -> tuple[Tree, State]:
        """Update the average of the parameters, and overwrite them with it when due."""
        if not self.use_ema:
            return params, state
        for path, p in params.items():
            average = state["average"][path]
            old = xp.astype(number > 1, p.dtype) * self.ema_momentum  # the first average is the first parameter
            average += (p - average) * (1 - old)
            state["average"][path] = average
            if self.ema_overwrite_frequency:
                params[path] = xp.where(number % self.ema_overwrite_frequency == 0, average, p)
        return params, state

    def finalize(self, params: Tree, state: State) -> Tree:
        """The parameters to use after training: a copy of their moving average with `use_ema`, else the parameters."""
        if not (self.use_ema and state):
            return params
        return {path: array_namespace(x).asarray(x, copy=True) for path, x in state["average"].items()}


@overridable
def cond(condition: Array, yes: Callable[..., Any], no: Callable[..., Any], *operands: Any) -> Any:
    """`yes(*operands)` if the boolean array of shape () is True, else `no(*operands)`; the results have one structure.

    It can be part of a compiled step; the functions change only their operands.
    """
    return yes(*operands) if condition else no(*operands)


def elementwise_step(step: Rule) -> Rule:
    """Declare a `step` as elementwise in parameter, gradient and slots, so that a backend may compute those of all
    parameters at once; see `portanet.backends.map_each`.
    """
    step.elementwise = True  # type: ignore[attr-defined]
    return step


def _shrink(xp: Any, square: Array, limit: float) -> Array:
    """The factor that reduces a norm to the limit: g * limit / |g| if |g| > limit (Pascanu et al. 2013)."""
    norm = xp.sqrt(square)
    return limit / xp.maximum(norm, limit)


def widest(xp: Any, params: Iterable[Array]) -> Any:
    """The dtype in which scalars are computed: float16 cannot count the steps."""
    return xp.float64 if any(p.dtype == xp.float64 for p in params) else xp.float32


def cast_scalars(xp: Any, now: SimpleNamespace, dtype: Any) -> SimpleNamespace:
    """The scalars in the dtype of a parameter, so that its dtype does not change."""
    cast = {
        name: xp.astype(value, dtype) if hasattr(value, "dtype") and value.dtype != dtype else value
        for name, value in vars(now).items()
        if name != "t"
    }
    return SimpleNamespace(**cast)
