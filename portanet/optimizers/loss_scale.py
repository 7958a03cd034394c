"""Loss scaling: gradients that half precision would round to zero are computed from a scaled loss."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from portanet import checks, optimizers
from portanet.autodiff import array_namespace
from portanet.backends import Array, device_of, map_each, overridable
from portanet.distribution.slices import over_slices
from portanet.optimizers.base import Optimizer, State, Tree, cond
from portanet.schedules import Hyperparameter


class LossScaleOptimizer(Optimizer):
    """Steps of another optimizer with gradients of a scaled loss; as `keras.optimizers.LossScaleOptimizer`.

    If a gradient is infinite or NaN, the step is skipped and the scale halved; after `dynamic_growth_steps` finite
    steps it is doubled. `compile` wraps the optimizer of a model with the policy `mixed_float16`. In a custom loop,
    differentiate `optimizer.scale_loss(loss, state)`; with `apply`, `optimizer.scale_loss(loss)`.

    Source: P. Micikevicius et al., Mixed precision training, 2018, section 3.2.

    Args:
        inner_optimizer: The optimizer of the steps: a name or an object. Its options (clipping, weight decay...) apply
            to the gradients of the loss itself.
        initial_scale: The initial scale; better too large than too small.
        dynamic_growth_steps: Number of steps with finite gradients after which the scale is doubled.
        name: Name shown in logs.

    Example:
        >>> import numpy as np
        >>> from portanet import optimizers
        >>> optimizer = LossScaleOptimizer(optimizers.SGD(1.0), initial_scale=8.0)
        >>> params = {"w": np.asarray([10.0])}
        >>> state = optimizer.init(params)
        >>> params, state = optimizer.update(params, {"w": np.asarray([8.0])}, state)
        >>> params, state = optimizer.update(params, {"w": np.asarray([np.inf])}, state)
        >>> params["w"], float(state["dynamic_scale"])
        (array([9.]), 4.0)
    """

    def __init__(
        self,
        inner_optimizer: Any,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
    ) -> None:
        self.inner_optimizer: Optimizer = optimizers.get(inner_optimizer, "inner_optimizer", type(self))
        super().__init__(0.0, name=name)
        self.initial_scale = checks.positive("initial_scale", initial_scale, type(self))
        self.dynamic_growth_steps = checks.positive_int("dynamic_growth_steps", dynamic_growth_steps, type(self))

    @property
    def learning_rate(self) -> Any:
        """The learning rate of the inner optimizer."""
        return self.current_rate()

    @learning_rate.setter
    def learning_rate(self, value: Hyperparameter) -> None:
        if "name" in vars(self):  # which `Optimizer.__init__` sets last
            self.inner_optimizer.learning_rate = value

    @property
    def rates(self) -> Any:
        return self.inner_optimizer.rates

    def each_rate(self) -> list[tuple[str, str, Any]]:
        return self.inner_optimizer.each_rate()

    @property
    def entries(self) -> set[str]:
        return self.inner_optimizer.entries

    @property
    def elementwise(self) -> bool:
        return self.inner_optimizer.elementwise

    def init(self, params: Mapping[str, Array]) -> State:
        state = self.inner_optimizer.init(params)
        return state | self.init_scale(next(iter(params.values()))) if params else state

    def init_scale(self, like: Array) -> State:
        """The part of the initial state that is not the inner optimizer's, on the device of an array."""
        xp, device = array_namespace(like), device_of(like)
        scale = xp.asarray(self.initial_scale, dtype=xp.float32, device=device)
        return {"dynamic_scale": scale, "step_counter": xp.zeros((), dtype=xp.int32, device=device)}

    def scale_loss(self, loss: Array, state: State | None = None) -> Array:
        if state is None:
            from portanet.optimizers.applied import held_by

            state = held_by(self).state or {"dynamic_scale": self.initial_scale}
        loss = self.inner_optimizer.scale_loss(loss, state)  # by its loss_scale_factor
        return loss * state["dynamic_scale"] if state else loss

    def check_finite(self, grads: Sequence[Array | None]) -> Array:
        """Whether all gradients are finite, a boolean array of shape ().

        Args:
            grads: The gradients; None for none.
        """
        finite: Array = all_finite(*(grad for grad in grads if grad is not None))
        return finite

    def update(self, params: Tree, grads: Tree, state: State) -> tuple[Tree, State]:
        if not params:
            return params, state
        scale, counter = state.pop("dynamic_scale"), state.pop("step_counter")
        xp = array_namespace(scale)
        bad = ~self.check_finite([grads[path] for path in params])
        finite = over_slices(xp.astype(bad, xp.int32)) == 0

        def apply(params: Tree, state: State) -> tuple[Tree, State]:
            grads_of_loss: dict[str, Array] = {}
            for dtype in {p.dtype for p in params.values()}:
                paths = [path for path, p in params.items() if p.dtype == dtype]
                # The inverse is exact: the scale is a power of two unless the user chose another.
                multiply = functools.partial(_multiplied, factor=xp.astype(1 / scale, dtype))
                products = map_each(multiply, [(grads[path],) for path in paths])
                grads_of_loss |= dict(zip(paths, products, strict=True))
            return self.inner_optimizer.update(params, grads_of_loss, state)

        params, state = cond(finite, apply, lambda params, state: (params, state), params, state)
        counter = xp.where(finite, counter + 1, 0)
        grow = counter == self.dynamic_growth_steps
        state["dynamic_scale"] = xp.where(finite, xp.where(grow, scale * 2.0, scale), scale * 0.5)
        state["step_counter"] = xp.where(grow, 0, counter)
        return params, state

    def observe(self, product: Callable[[Tree], Tree], params: Tree, state: State) -> State:
        return self.inner_optimizer.observe(product, params, state)

    def finalize(self, params: Tree, state: State) -> Tree:
        return self.inner_optimizer.finalize(params, state)


@overridable
def all_finite(*arrays: Array) -> Array:
    """Whether no element of any of the arrays is infinite or NaN: a boolean array of shape ().

    Example:
        >>> import numpy as np
        >>> bool(all_finite(np.asarray([1.0, 2.0]), np.asarray(np.nan)))
        False
    """
    xp = array_namespace(*arrays)
    return xp.all(xp.stack([xp.all(xp.isfinite(x)) for x in arrays]))


def _multiplied(x: Array, *, factor: Array) -> Array:
    return x * factor
