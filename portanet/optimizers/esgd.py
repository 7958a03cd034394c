"""Equilibrated SGD: steps divided by the size of the Hessian's rows."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

from portanet import checks, random
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.optimizers.base import Optimizer, State, Tree, cond, elementwise_step
from portanet.random import streams
from portanet.schedules import Hyperparameter


class ESGD(Optimizer):
    """Equilibrated gradient descent: `p -= rate * g / (sqrt(mean (H v)^2) + damping)` over random directions v.

    The mean of (H v)^2 over normal v is the squared norm of the Hessian's rows: a preconditioner that, unlike the
    Hessian's diagonal, works at saddle points. One product with the Hessian costs about two more gradients.

    Source: Y. N. Dauphin, H. de Vries, Y. Bengio, Equilibrated adaptive learning rates for non-convex optimization,
    2015.

    Args:
        learning_rate: Step size, or a schedule.
        damping: Added to the divisor; the paper's lambda.
        update_frequency: Number of steps per random direction.
        **options: Options of every `Optimizer`.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import grad, hvp
        >>> bowl = lambda params: 50.0 * params["x"] ** 2 + 0.5 * params["y"] ** 2
        >>> esgd, params = ESGD(0.5, update_frequency=1), {"x": np.asarray(1.0), "y": np.asarray(1.0)}
        >>> state = esgd.init(params)
        >>> for _ in range(50):
        ...     state = esgd.observe(lambda v: hvp(bowl, (params,), (v,)), params, state)
        ...     params, state = esgd.update(params, grad(bowl)(params), state)
        >>> bool(abs(params["x"]) < 1e-3), bool(abs(params["y"]) < 1e-3)
        (True, True)
    """

    slots = ("curvature",)

    def __init__(
        self, learning_rate: Hyperparameter = 0.01, damping: float = 1e-4, update_frequency: int = 20, **options: Any
    ) -> None:
        super().__init__(learning_rate, **options)
        self.damping = checks.positive("damping", damping, type(self))
        self.update_frequency = checks.positive_int("update_frequency", update_frequency, type(self))

    def init(self, params: Any) -> State:
        state = super().init(params)
        if state:
            state["directions"] = state["iterations"] * 0
        return state

    def observe(self, product: Callable[[Tree], Tree], params: Tree, state: State) -> State:
        if not params:
            return state

        def draw(state: State) -> State:
            count = state["directions"]
            directions = {path: self._direction(path, p, count) for path, p in params.items()}
            for path, row in product(directions).items():
                state["curvature"][path] += row * row
            state["directions"] = count + 1
            return state

        return cast(State, cond(state["iterations"] % self.update_frequency == 0, draw, lambda state: state, state))

    def _direction(self, path: str, p: Array, count: Array) -> Array:
        key = random.stream_key(random.get_seed(), self.name, "direction", path)
        return streams.normal(key, count, tuple(p.shape), p.dtype)

    def prepare(self, xp: Any, now: SimpleNamespace, state: State) -> None:
        now.mean = 1 / xp.astype(xp.maximum(state["directions"], 1), now.t.dtype)

    @elementwise_step
    def step(self, p: Array, g: Array, slots: Tree, now: SimpleNamespace) -> Array:
        scale = array_namespace(p).sqrt(slots["curvature"] * now.mean) + self.damping
        p -= g / scale * now.learning_rate
        return p
