"""Lookahead: k steps forward, one step back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from portanet import checks, optimizers
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.optimizers.base import Optimizer, State, Tree, cond
from portanet.schedules import Hyperparameter


class Lookahead(Optimizer):
    """Steps of another optimizer; every `sync_period` of them, slow weights move towards the result.

    `slow += slow_step_size * (p - slow); p = slow`.

    Source: M. R. Zhang, J. Lucas, G. Hinton, J. Ba, Lookahead optimizer: k steps forward, 1 step back, 2019.

    Args:
        optimizer: The optimizer of the fast steps: a name or an object. Its options (clipping, weight decay...) apply.
        sync_period: The paper's k.
        slow_step_size: The paper's alpha, in (0, 1].
        name: Name shown in logs.

    Example:
        >>> import numpy as np
        >>> from portanet import optimizers
        >>> lookahead = Lookahead(optimizers.SGD(1.0), sync_period=2, slow_step_size=0.5)
        >>> params = {"w": np.asarray([10.0])}
        >>> state = lookahead.init(params)
        >>> for _ in range(2):
        ...     params, state = lookahead.update(params, {"w": np.asarray([1.0])}, state)
        >>> params["w"]
        array([9.])
    """

    def __init__(
        self, optimizer: Any, sync_period: int = 5, slow_step_size: float = 0.5, name: str | None = None
    ) -> None:
        self.optimizer: Optimizer = optimizers.get(optimizer, "optimizer", type(self))
        super().__init__(self.optimizer.rates, name=name)
        self.sync_period = checks.positive_int("sync_period", sync_period, type(self))
        self.slow_step_size = checks.number("slow_step_size", slow_step_size, "(0, 1]", type(self))

    @property
    def learning_rate(self) -> Any:
        """The learning rate of the fast steps."""
        return self.current_rate()

    @learning_rate.setter
    def learning_rate(self, value: Hyperparameter) -> None:
        self.optimizer.learning_rate = value

    @property
    def rates(self) -> Any:
        return self.optimizer.rates

    def each_rate(self) -> list[tuple[str, str, Any]]:
        return self.optimizer.each_rate()

    @property
    def entries(self) -> set[str]:
        return self.optimizer.entries

    @property
    def elementwise(self) -> bool:
        return self.optimizer.elementwise

    def init(self, params: Mapping[str, Array]) -> State:
        state = self.optimizer.init(params)
        if params:
            state["slow"] = {path: _copy(p) for path, p in params.items()}
        return state

    def scale_loss(self, loss: Array, state: State | None = None) -> Array:
        return self.optimizer.scale_loss(loss, state)

    def update(self, params: Tree, grads: Tree, state: State) -> tuple[Tree, State]:
        if not params:
            return params, state
        slow = state.pop("slow")
        params, state = self.optimizer.update(params, grads, state)

        def synchronise(params: Tree, slow: Tree) -> tuple[Tree, Tree]:
            for path, p in params.items():
                weights = slow[path]
                weights += (p - weights) * self.slow_step_size
                slow[path] = weights
            return {path: _copy(weights) for path, weights in slow.items()}, slow

        due = state["iterations"] % self.sync_period == 0
        params, state["slow"] = cond(due, synchronise, lambda params, slow: (params, slow), params, slow)
        return params, state

    def observe(self, product: Callable[[Tree], Tree], params: Tree, state: State) -> State:
        return self.optimizer.observe(product, params, state)

    def finalize(self, params: Tree, state: State) -> Tree:
        return self.optimizer.finalize(params, state)


def _copy(x: Array) -> Array:
    return array_namespace(x).asarray(x, copy=True)
