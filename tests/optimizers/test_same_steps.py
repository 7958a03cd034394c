"""Ways to say or to compute the same steps: constant schedules, large arrays, no parameters, equal names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet import layers, optimizers
from portanet.backends import use_backend
from portanet.schedules import PiecewiseConstantDecay
from tests.optimizers.test_optimizers import MAKERS
from tests.support import asarray, assert_close, to_numpy

SCHEDULED = {name: cls for name, cls in optimizers.OPTIMIZERS.items() if cls.scheduled and name == cls.__name__}
WHOLE = {"adafactor", "lamb", "muon", "esgd", "noise", "decay", "accumulating"}  # not elementwise, or by norms


def steps(optimizer: Any, shape: tuple[int, ...], count: int = 4) -> Any:
    """A parameter after some steps with gradients that depend on it, repeated up to a shape."""
    params = {"w": asarray(np.resize(np.asarray([1.0, -2.0, 0.5]), shape), "float64")}
    state = optimizer.init(params)
    for i in range(count):
        slopes = {"w": params["w"] * (2.0 - 0.5 * i) + 0.125}
        params, state = optimizer.update(params, slopes, state)
    return to_numpy(params["w"])


@pytest.mark.parametrize("name", SCHEDULED)
def test_a_constant_schedule_is_a_number(xp: Any, name: str) -> None:
    numbers = dict.fromkeys(SCHEDULED[name].scheduled, 0.75)
    constant = {key: PiecewiseConstantDecay([2], [0.75, 0.75]) for key in numbers}
    expected = steps(SCHEDULED[name](0.1, **numbers), (3,))
    np.testing.assert_allclose(steps(SCHEDULED[name](0.1, **constant), (3,)), expected, rtol=1e-6)


@pytest.mark.parametrize("name", sorted(set(MAKERS) - WHOLE))
def test_large_arrays(name: str) -> None:
    """Arrays that NumPy's backend divides."""
    with use_backend("numpy"):
        large = steps(MAKERS[name](), (3 * 2**17,), 3)
        expected = steps(MAKERS[name](), (3,), 3)
    np.testing.assert_allclose(large.reshape(-1, 3), np.broadcast_to(expected, (2**17, 3)), rtol=1e-12)


@pytest.mark.parametrize("name", MAKERS)
def test_without_parameters(name: str) -> None:
    with use_backend("numpy"):
        optimizer = MAKERS[name]()
        state = optimizer.init({})
        assert state == {}
        state = optimizer.observe(lambda tree: tree, {}, state)
        assert optimizer.update({}, {}, state) == ({}, {})
        assert optimizer.finalize({}, {}) == {}


def test_variables_of_equal_names(backend: Any) -> None:
    """Those of three layers of one name, each with a state of its own."""
    kernels = []
    for start in (1.0, -2.0, 0.5):
        layer = layers.Dense(1, use_bias=False, kernel_initializer="zeros", name="same")
        layer.build((None, 1))
        layer.set_weights([np.full((1, 1), start)])
        kernels.append(layer.kernel)
    optimizer = optimizers.Adagrad(0.5)
    for _ in range(2):
        optimizer.apply([kernel.value * 2.0 for kernel in kernels], kernels)
    for kernel, start in zip(kernels, (1.0, -2.0, 0.5), strict=True):
        params = {"w": asarray([[start]])}
        alone = optimizers.Adagrad(0.5)
        state = alone.init(params)
        for _ in range(2):
            params, state = alone.update(params, {"w": params["w"] * 2.0}, state)
        assert_close(kernel.value, to_numpy(params["w"]))


@pytest.mark.parametrize("wrapped", [lambda optimizer: optimizer, optimizers.LossScaleOptimizer])
def test_of_equal_names_only_the_excluded_variable_does_not_decay(backend: Any, wrapped: Any) -> None:
    kernels = []
    for _ in range(3):
        layer = layers.Dense(1, use_bias=False, kernel_initializer="ones", name="same")
        layer.build((None, 1))
        kernels.append(layer.kernel)
    inner = optimizers.SGD(0.5, weight_decay=0.5)
    inner.exclude_from_weight_decay(var_list=[kernels[1]])
    optimizer = wrapped(inner)
    optimizer.build(kernels)
    state, values = [v.value for v in optimizer.variables], [kernel.value for kernel in kernels]
    for _ in range(2):
        values, state = optimizer.stateless_apply(state, [value * 0.0 for value in values], values)
        optimizer.apply([kernel.value * 0.0 for kernel in kernels], kernels)
    assert [to_numpy(value).item() for value in values] == [0.5625, 1.0, 0.5625]
    assert [kernel.numpy().item() for kernel in kernels] == [0.5625, 1.0, 0.5625]
