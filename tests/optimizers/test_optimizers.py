"""One matrix for every optimizer: the same trajectory on all backends, compiled steps, state, dtypes, configuration."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet import layers, models, optimizers, random
from portanet.autodiff import array_namespace, grad, hvp, storage
from portanet.backends import constant, device_of, get_backend, use_backend
from portanet.schedules import ExponentialDecay
from portanet.tree import tree_leaves
from tests.support import asarray, assert_close, to_numpy

MAKERS = {
    "sgd": lambda: optimizers.SGD(0.05),
    "momentum": lambda: optimizers.SGD(0.02, momentum=0.9),
    "nesterov": lambda: optimizers.SGD(0.02, momentum=0.9, nesterov=True),
    "adagrad": lambda: optimizers.Adagrad(0.3),
    "rmsprop": lambda: optimizers.RMSprop(0.02),
    "rmsprop_centered": lambda: optimizers.RMSprop(0.02, momentum=0.5, centered=True),
    "adadelta": lambda: optimizers.Adadelta(30.0),
    "adam": lambda: optimizers.Adam(0.1),
    "amsgrad": lambda: optimizers.Adam(0.1, amsgrad=True),
    "adamw": lambda: optimizers.AdamW(0.1, weight_decay=0.01),
    "adamax": lambda: optimizers.Adamax(0.1),
    "nadam": lambda: optimizers.Nadam(0.05),
    "lion": lambda: optimizers.Lion(0.02),
    "adafactor": lambda: optimizers.Adafactor(0.2),
    "lamb": lambda: optimizers.Lamb(0.05),
    "ftrl": lambda: optimizers.Ftrl(0.5, l1_regularization_strength=0.01, beta=0.1),
    "muon": lambda: optimizers.Muon(0.05),
    "schedule_free_adamw": lambda: optimizers.ScheduleFreeAdamW(0.1, warmup_steps=5, weight_decay=0.01),
    "loss_scale_factor": lambda: optimizers.SGD(2.0, loss_scale_factor=64.0),
    "rprop": lambda: optimizers.Rprop(0.05),
    "esgd": lambda: optimizers.ESGD(0.1, damping=1e-2, update_frequency=3),
    "lookahead": lambda: optimizers.Lookahead(optimizers.Adam(0.1), 4, 0.5),
    "schedule": lambda: optimizers.SGD(ExponentialDecay(0.05, 10, 0.9), momentum=ExponentialDecay(0.9, 20, 0.9)),
    "ema": lambda: optimizers.SGD(0.05, use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=5),
    "accumulating": lambda: optimizers.Adam(0.1, gradient_accumulation_steps=3, clipnorm=1.0),
    "noise": lambda: optimizers.SGD(0.02, gradient_noise=0.01),
    "decay": lambda: optimizers.SGD(0.05, weight_decay=ExponentialDecay(0.1, 10, 0.5), global_clipnorm=1.0),
}
SLOW = {"adafactor", "lion", "accumulating"}
START = {
    "dense/kernel": np.array([[1.0, -2.0, 0.5], [0.3, 1.5, -1.0]]),
    "dense/bias": np.array([0.2, -0.7, 1.1]),
}
SCALE = {"dense/kernel": np.array([[1.0, 3.0, 0.5], [2.0, 1.0, 1.5]]), "dense/bias": np.array([1.0, 0.2, 4.0])}


def bowl(params: Any) -> Any:
    """A quadratic with an interaction term."""
    kernel, bias = params["dense/kernel"], params["dense/bias"]
    xp = array_namespace(kernel, bias)
    own = xp.sum(kernel**2 * asarray_like(kernel, SCALE["dense/kernel"]))
    both = xp.sum(bias**2 * asarray_like(bias, SCALE["dense/bias"])) + 0.1 * xp.sum(kernel * bias)
    return own + both


def asarray_like(x: Any, values: Any) -> Any:
    return constant(storage(x), np.asarray(values).tolist(), x.dtype)


@pytest.mark.parametrize("name", [*MAKERS, "scaled"])
def test_state_is_where_the_parameters_are(name: str, backend: Any) -> None:
    params = {path: asarray(w) for path, w in START.items()}
    maker = MAKERS.get(name, lambda: optimizers.LossScaleOptimizer(optimizers.Adam(0.1)))
    state = maker().init(params)
    state = maker().update(params, params, state)[1] if name == "scaled" else state
    assert {device_of(leaf) for leaf in tree_leaves(state)} == {device_of(params["dense/bias"])}


def run(optimizer: Any, steps: int, dtype: str = "float32", state: Any = None, params: Any = None) -> Any:
    random.set_seed(3)
    params = {path: asarray(w.copy(), dtype) for path, w in START.items()} if params is None else params
    state = optimizer.init(params) if state is None else state

    def step(params: Any, state: Any) -> Any:
        slopes = grad(bowl)(params)
        state = optimizer.observe(lambda v: hvp(bowl, (params,), (v,)), params, state)
        return optimizer.update(params, slopes, state)

    compiled = get_backend().compile(step)
    for _ in range(steps):
        params, state = compiled(params, state)
    return params, state


@pytest.mark.parametrize("name", MAKERS)
def test_every_backend_goes_the_same_way(backend: Any, name: str) -> None:
    """Twelve compiled steps in float32, against NumPy's in float64; dtypes, devices and shapes are unchanged."""
    params, state = run(MAKERS[name](), 12)
    with use_backend("numpy"):
        expected, expected_state = run(MAKERS[name](), 12, "float64")
    for path, p in params.items():
        assert_close(p, expected[path], rtol=2e-4, atol=2e-5)
    assert state.keys() == expected_state.keys()
    for key, tree in state.items():
        if isinstance(tree, dict):
            assert set(tree) == set(expected_state[key])
            for path, value in tree.items():
                assert_close(value, expected_state[key][path], rtol=1e-3, atol=1e-4)
    assert int(to_numpy(state["iterations"])) == 12


@pytest.mark.parametrize("name", MAKERS)
def test_goes_down(name: str) -> None:
    with use_backend("numpy"):
        params, _ = run(MAKERS[name](), 150, "float64")
        before = bowl({path: asarray(w, "float64") for path, w in START.items()})
        assert bowl(params) < before * (0.6 if name in SLOW else 0.1)


@pytest.mark.parametrize("name", MAKERS)
def test_saved_state_goes_on(name: str) -> None:
    """Six steps, the state through NumPy and an optimizer from its config: as without interruption."""
    with use_backend("numpy"):
        straight, _ = run(MAKERS[name](), 12)
        optimizer = MAKERS[name]()
        params, state = run(optimizer, 6)
        saved = {
            k: {p: v.copy() for p, v in t.items()} if isinstance(t, dict) else np.array(t) for k, t in state.items()
        }
        twin = type(optimizer).from_config(optimizer.get_config())
        resumed, _ = run(twin, 6, state=saved, params=params)
        for path, p in straight.items():
            np.testing.assert_array_equal(resumed[path], p)


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_state_has_the_parameters_dtype(name: str, dtype: str) -> None:
    with use_backend("numpy"):
        params, state = run(MAKERS[name](), 3, dtype)
        trees = [params, *(tree for tree in state.values() if isinstance(tree, dict))]
        assert {str(x.dtype) for tree in trees for x in tree.values()} == {dtype}


def test_mixed_dtypes_keep_theirs(backend: Any) -> None:
    for make in (MAKERS["adam"], MAKERS["nadam"], MAKERS["ema"]):
        optimizer = make()
        params = {"a": asarray([1.0, 2.0], "float32"), "b": asarray([1.0, 2.0], "float64")}
        state = optimizer.init(params)
        for _ in range(3):
            slopes = {path: 2.0 * p for path, p in params.items()}
            params, state = optimizer.update(params, slopes, state)
        assert [backend.dtype_name(p.dtype) for p in params.values()] == ["float32", "float64"]
        assert_close(params["a"], to_numpy(params["b"]), rtol=1e-5, dtype="float32")


@pytest.mark.parametrize("name", ["esgd", "lookahead", "accumulating", "ema", "schedule", "adafactor"])
def test_in_the_training_step(backend: Any, name: str) -> None:
    random.set_seed(0)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 4)).astype("float32")
    y = (x @ rng.standard_normal((4, 2))).astype("float32")
    model = models.Sequential([layers.Dense(8, "tanh"), layers.Dropout(0.1), layers.Dense(2)])
    model.compile(MAKERS[name](), "mse")
    history = model.fit(x, y, batch_size=16, epochs=6, verbose=0)
    losses = history.history["loss"]
    assert losses[-1] < 0.8 * losses[0]
