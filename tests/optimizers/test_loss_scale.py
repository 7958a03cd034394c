from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from portanet import optimizers
from portanet.autodiff import array_namespace, grad
from portanet.backends import get_backend
from portanet.optimizers import LossScaleOptimizer
from tests.support import asarray, assert_close, to_numpy


def run(optimizer: Any, gradients: list[float]) -> tuple[Any, Any]:
    """One weight, initially 1; gradients of the scaled loss; the step compiled if the backend compiles."""
    params = {"w": asarray([1.0])}
    state = optimizer.init(params)
    step = get_backend().compile(optimizer.update)
    for g in gradients:
        params, state = step(params, {"w": asarray([g])}, state)
    return params, state


@pytest.mark.parametrize("bad", [math.inf, -math.inf, math.nan])
def test_a_step_that_overflows_is_left_out_and_the_scale_halved(xp: Any, bad: float) -> None:
    params, state = run(LossScaleOptimizer(optimizers.Adam(0.1), initial_scale=64.0), [bad])
    assert_close(params["w"], [1.0])
    assert int(to_numpy(state["iterations"])) == 0
    assert_close(state["dynamic_scale"], 32.0)
    assert_close(state["m" if "m" in state else "momentum"]["w"], [0.0])


def test_the_scale_grows_after_so_many_good_steps_in_a_row(xp: Any) -> None:
    optimizer = LossScaleOptimizer(optimizers.SGD(0.5), initial_scale=4.0, dynamic_growth_steps=3)
    good, bad = 4.0, math.inf
    params, state = run(optimizer, [good, good, bad, good, good])
    assert_close(state["dynamic_scale"], 2.0)
    assert int(to_numpy(state["step_counter"])) == 2
    params, state = run(optimizer, [good, good, bad, good, good, good])
    assert_close(state["dynamic_scale"], 4.0)
    assert int(to_numpy(state["step_counter"])) == 0
    assert_close(params["w"], [1.0 - 0.5 * (1 + 1 + 2 + 2 + 2)])  # the gradient divided by the current scale


def test_steps_are_those_of_the_inner_optimizer(xp: Any) -> None:
    """Clipping and weight decay work on the gradients of the loss itself."""
    make = lambda: optimizers.AdamW(0.05, weight_decay=0.1, global_clipnorm=0.5)
    target = asarray([3.0, -2.0])

    def loss(params: Any) -> Any:
        return array_namespace(params["w"]).sum((params["w"] - target) ** 2)

    results = []
    for optimizer in (make(), LossScaleOptimizer(make(), initial_scale=1024.0, dynamic_growth_steps=4)):
        params = {"w": asarray([0.5, 1.0])}
        state = optimizer.init(params)
        for _ in range(10):
            scaled = lambda params, optimizer=optimizer, state=state: optimizer.scale_loss(loss(params), state)
            params, state = optimizer.update(params, grad(scaled)(params), state)
        results.append(to_numpy(params["w"]))
    np.testing.assert_allclose(results[1], results[0], rtol=1e-5)
    assert float(to_numpy(state["dynamic_scale"])) == 1024.0 * 4


@pytest.mark.parametrize("wrapped", [LossScaleOptimizer, lambda inner: optimizers.Lookahead(inner, 1, 1.0)])
def test_the_factor_of_the_inner_optimizer_changes_no_step(xp: Any, wrapped: Any) -> None:
    optimizer = wrapped(optimizers.SGD(0.25, loss_scale_factor=8.0))
    w = asarray([1.0])
    params = {"w": array_namespace(w).asarray(w, copy=True)}
    state = optimizer.init(params)
    slope = grad(lambda w: optimizer.scale_loss(w[0] * 2.0, state))(w)
    params, state = optimizer.update(params, {"w": slope}, state)
    assert_close(params["w"], [0.5])


def test_the_learning_rate_is_the_inner_one() -> None:
    optimizer = LossScaleOptimizer("sgd")
    optimizer.learning_rate = 0.3
    assert optimizer.inner_optimizer.learning_rate == 0.3
    assert optimizer.learning_rate == 0.3


def test_configuration() -> None:
    inner = optimizers.SGD(0.1)
    config = LossScaleOptimizer(inner, 8.0, 5).get_config()
    assert config == {"inner_optimizer": inner, "initial_scale": 8.0, "dynamic_growth_steps": 5, "name": None}
    assert LossScaleOptimizer.from_config(config).dynamic_growth_steps == 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"initial_scale": 0.0}, "`initial_scale` of LossScaleOptimizer must be a positive number. Received:"),
        ({"dynamic_growth_steps": 0}, "`dynamic_growth_steps` of LossScaleOptimizer must be a positive integer."),
    ],
)
def test_bad_arguments(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LossScaleOptimizer("sgd", **options)
