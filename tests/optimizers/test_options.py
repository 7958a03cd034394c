"""Options of all optimizers: clipping, weight decay, accumulation, averages, noise; and their errors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import models, optimizers, random, schedules
from portanet.backends import use_backend
from portanet.layers import Dense
from portanet.optimizers.state import completed, extended
from portanet.tree import tree_items
from tests.support import asarray, assert_close, to_numpy


def step(optimizer: Any, params: dict[str, Any], *grads: dict[str, Any]) -> tuple[Any, Any]:
    """Update with one gradient after the other; arrays on the current backend."""
    params = {path: asarray(np.array(p)) for path, p in params.items()}
    state = optimizer.init(params)
    for grad in grads:
        params, state = optimizer.update(params, {path: asarray(np.array(g)) for path, g in grad.items()}, state)
    return params, state


def test_shanahans_updates(xp: Any) -> None:
    """S 304 and 698, to the last printed digit."""
    rate = optimizers.SGD(0.01)
    params, _ = step(rate, {"w": [5.0, 4.0, 8.0]}, {"w": 2 * np.array([34.0, 1.0, 4.0])})
    assert_close(params["w"], [4.32, 3.98, 7.92])
    params, _ = step(rate, {"w": [2.0, -1.0, 4.0, 8.0]}, {"w": 7 * np.array([1.0, 5.0, 1.0, 2.0])})
    assert_close(params["w"], [1.93, -1.35, 3.93, 7.86])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        # g * c / |g| if |g| > c: norms are 5 and 0.5, together sqrt(25.25).
        ({"clipnorm": 1.0}, ([0.6, 0.8], [0.3, 0.4])),
        ({"clipnorm": 10.0}, ([3.0, 4.0], [0.3, 0.4])),
        ({"global_clipnorm": 1.0}, (np.array([3, 4]) / math.sqrt(25.25), np.array([0.3, 0.4]) / math.sqrt(25.25))),
        ({"global_clipnorm": 6.0}, ([3.0, 4.0], [0.3, 0.4])),
        ({"clipvalue": 0.35}, ([0.35, 0.35], [0.3, 0.35])),
    ],
)
def test_clipping(xp: Any, options: dict[str, float], expected: Any) -> None:
    params, _ = step(
        optimizers.SGD(1.0, **options), {"a": [0.0, 0.0], "b": [0.0, 0.0]}, {"a": [3, 4.0], "b": [0.3, 0.4]}
    )
    assert_close(params["a"], -np.asarray(expected[0]))
    assert_close(params["b"], -np.asarray(expected[1]))


def test_clipping_a_zero_gradient(xp: Any) -> None:
    for options in ({"clipnorm": 1.0}, {"global_clipnorm": 1.0}):
        params, _ = step(optimizers.SGD(1.0, **options), {"a": [1.0]}, {"a": [0.0]})
        assert_close(params["a"], [1.0])


def test_the_callers_gradients_stay(xp: Any) -> None:
    for name in optimizers.OPTIMIZERS.values():
        grads = {"w": asarray(np.array([[1.0, -2.0], [0.5, 3.0]]))}
        params = {"w": asarray(np.ones((2, 2)))}
        optimizer = name()
        optimizer.update(params, grads, optimizer.init(params))
        assert_close(grads["w"], [[1.0, -2.0], [0.5, 3.0]])


def test_weight_decay_leaves_out_what_is_excluded(xp: Any) -> None:
    optimizer = optimizers.SGD(0.5, weight_decay=0.2)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma"])
    names = ["dense/kernel", "dense/bias", "bias_net/kernel"]
    ones, zero = ({name: [x] for name in names} for x in (1.0, 0.0))
    params, _ = step(optimizer, ones, zero)
    assert [float(to_numpy(params[name])[0]) for name in names] == pytest.approx([0.9, 1.0, 0.9])
    twin = optimizers.SGD.from_config(optimizer.get_config())
    params, _ = step(twin, ones, zero)
    assert [float(to_numpy(params[name])[0]) for name in names] == pytest.approx([0.9, 1.0, 0.9])


def test_weight_decay_takes_variables(xp: Any) -> None:
    model = models.Sequential([Dense(2), Dense(2)])
    model(asarray(np.ones((1, 3))))
    optimizer = optimizers.SGD(0.5, weight_decay=0.2)
    optimizer.exclude_from_weight_decay(var_list=[model.layers[0].kernel])
    params = {path: np.ones(2) for path in model.named_variables()}
    after, _ = step(optimizer, params, {path: np.zeros(2) for path in params})
    kept = [path for path, p in after.items() if to_numpy(p)[0] == 1]
    assert kept == [model.layers[0].kernel.path]


def test_accumulation_is_one_step_with_the_mean(xp: Any) -> None:
    grads = [{"w": [1.0, -2.0]}, {"w": [3.0, 5.0]}, {"w": [2.0, 0.0]}]
    mean = {"w": [2.0, 1.0]}
    once, _ = step(optimizers.Adam(0.1), {"w": [1.0, 1.0]}, mean, mean)
    thrice, state = step(optimizers.Adam(0.1, gradient_accumulation_steps=3), {"w": [1.0, 1.0]}, *grads, *grads)
    assert_close(thrice["w"], to_numpy(once["w"]))
    assert_close(state["gradients"]["w"], [0.0, 0.0])
    waiting, _ = step(optimizers.Adam(0.1, gradient_accumulation_steps=3), {"w": [1.0, 1.0]}, *grads[:2])
    assert_close(waiting["w"], [1.0, 1.0])


def test_average_of_parameters(xp: Any) -> None:
    optimizer = optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5)
    params, state = step(optimizer, {"w": [0.0]}, {"w": [-4.0]}, {"w": [-4.0]}, {"w": [-4.0]})
    assert_close(params["w"], [12.0])
    assert_close(optimizer.finalize(params, state)["w"], [0.5 * (0.5 * 4 + 0.5 * 8) + 0.5 * 12])
    assert optimizers.SGD(1.0).finalize(params, {}) is params


def test_averages_are_copies() -> None:
    """Training after `finalize` does not change its result, nor a new average the parameters that it starts at."""
    with use_backend("numpy"):
        optimizer = optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5)
        params, state = step(optimizer, {"w": [0.0]}, {"w": [-4.0]})
        assert not np.shares_memory(optimizer.finalize(params, state)["w"], state["average"]["w"])
        later = {"v": np.ones(2)}
        state = extended(optimizer, state, later)
        np.testing.assert_array_equal(state["average"]["v"], later["v"])
        assert not np.shares_memory(state["average"]["v"], later["v"])


@pytest.mark.parametrize("name", sorted(set(optimizers.OPTIMIZERS) - {"Ftrl", "ftrl"}))  # which forgets its start
def test_nothing_moves_without_a_gradient(xp: Any, name: str) -> None:
    """Zero gradients divide nothing by zero, for parameters of zeros and of others."""
    options = {"weight_decay": 0.0} if name in ("AdamW", "Muon", "muon") else {}
    start = {"w": [1.0, -2.0], "zeros": [0.0, 0.0], "kernel": [[1.0, 2.0]]}
    none = {path: np.zeros(np.shape(w)) for path, w in start.items()}
    params, _ = step(optimizers.OPTIMIZERS[name](**options), start, none, none)
    for path, w in start.items():
        assert_close(params[path], w)


@pytest.mark.parametrize("name", sorted({cls.__name__ for cls in optimizers.OPTIMIZERS.values()} | {"Lookahead"}))
def test_the_state_shares_no_memory_with_the_parameters(name: str) -> None:
    """Steps write to both."""
    optimizer = optimizers.Lookahead("sgd") if name == "Lookahead" else getattr(optimizers, name)(use_ema=True)
    with use_backend("numpy"):
        params = {"w": np.ones((2, 3), dtype="float32")}
        for later in (False, True):  # and when training that goes on has an option more
            state = completed(optimizer, {}, params) if later else optimizer.init(params)
            for _, leaf in tree_items(state):
                assert not (isinstance(leaf, np.ndarray) and np.shares_memory(leaf, params["w"]))
            if later and "average" in state:
                np.testing.assert_array_equal(state["average"]["w"], params["w"])


def test_lookahead_by_hand(xp: Any) -> None:
    """Every second step, a quarter of the way from the slow weights to the fast ones; both go on from there."""
    lookahead = optimizers.Lookahead(optimizers.SGD(0.5), sync_period=2, slow_step_size=0.25)
    grads = [np.asarray([1.0, -2.0]), np.asarray([3.0, 0.5]), np.asarray([-1.0, 2.0]), np.asarray([0.5, 0.5])]
    fast = slow = np.asarray([4.0, -3.0])
    for number in range(1, 5):
        fast = fast - 0.5 * grads[number - 1]
        if number % 2 == 0:
            fast = slow = slow + 0.25 * (fast - slow)
        params, state = step(lookahead, {"w": [4.0, -3.0]}, *({"w": g} for g in grads[:number]))
        assert_close(params["w"], fast)
        assert_close(state["slow"]["w"], slow)


def test_esgd_by_hand() -> None:
    """Divided by the root of the mean squared Hessian-vector product, plus the damping."""
    hessian = np.asarray([[3.0, 1.0], [1.0, 0.5]])
    products = []

    def product(directions: Any) -> Any:
        products.append(hessian @ directions["w"])
        return {"w": products[-1]}

    with use_backend("numpy"):
        optimizer = optimizers.ESGD(0.1, damping=0.7, update_frequency=2)
        params = {"w": np.asarray([1.0, -2.0])}
        expected, state = params["w"].copy(), optimizer.init(params)
        for number in range(5):
            state = optimizer.observe(product, params, state)
            assert len(products) == number // 2 + 1
            slope = hessian @ expected
            params, state = optimizer.update(params, {"w": slope}, state)
            expected = expected - 0.1 * slope / (np.sqrt(np.mean(np.square(products), axis=0)) + 0.7)
            np.testing.assert_allclose(params["w"], expected, rtol=1e-12)


def test_gradient_noise_has_the_variance_asked_for(xp: Any) -> None:
    """sigma_t^2 = eta / (1 + t)^gamma (N 885-893)."""
    random.set_seed(1)
    optimizer = optimizers.SGD(1.0, gradient_noise=schedules.PowerDecay(0.3, 0.55))
    params = {"w": asarray(np.zeros(20_000))}
    state = optimizer.init(params)
    before = np.zeros(20_000)
    for t in range(3):
        params, state = optimizer.update(params, {"w": asarray(np.zeros(20_000))}, state)
        after = np.array(to_numpy(params["w"]))
        noise, before = after - before, after
        assert noise.var() == pytest.approx(0.3 / (1 + t) ** 0.55, rel=0.05)
        assert abs(noise.mean()) < 0.02


def test_learning_rate_is_read_from_the_state(xp: Any) -> None:
    optimizer = optimizers.SGD(0.1)
    params = {"w": asarray([1.0])}
    state = optimizer.init(params)
    state["learning_rate"] = asarray(0.5)
    params, _ = optimizer.update(params, {"w": asarray([1.0])}, state)
    assert_close(params["w"], [0.5])


def test_nothing_to_train() -> None:
    for make in optimizers.OPTIMIZERS.values():
        optimizer = make()
        assert optimizer.init({}) == {}
        assert optimizer.update({}, {}, {}) == ({}, {})
    lookahead = optimizers.Lookahead("sgd")
    assert lookahead.update({}, {}, lookahead.init({})) == ({}, {})


def test_many_steps_are_counted_in_half_precision() -> None:
    """float16 cannot represent integers beyond 2048; the bias correction must not stop there."""
    optimizer = optimizers.Adam(0.1)
    params = {"w": np.ones(1, dtype="float16")}
    state = optimizer.init(params)
    state["iterations"] = np.asarray(100_000, dtype="int32")
    params, state = optimizer.update(params, {"w": np.ones(1, dtype="float16")}, state)
    assert np.isfinite(params["w"]).all()
    assert params["w"].dtype == "float16"


def test_names() -> None:
    assert optimizers.get(None) is None
    assert isinstance(optimizers.get("rmsprop"), optimizers.RMSprop)
    assert isinstance(optimizers.get("AdamW"), optimizers.AdamW)
    assert isinstance(optimizers.get(optimizers.Lion), optimizers.Lion)
    with pytest.raises(ValueError, match=r"Unknown optimizer. Did you mean 'adam'\?.*Received: identifier='adamm'"):
        optimizers.get("adamm")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: optimizers.SGD(-0.1), "`learning_rate` of SGD must be a non-negative number. Received:"),
        (lambda: optimizers.SGD("fast"), "`learning_rate` of SGD must be a number or a schedule. Received:"),
        (lambda: optimizers.SGD(math.nan), "`learning_rate` of SGD must be a non-negative number. Received:"),
        (lambda: optimizers.SGD(momentum=1.0), r"`momentum` of SGD must be a number in \[0, 1\). Received: momentum="),
        (lambda: optimizers.SGD(weight_decay=-1.0), "`weight_decay` of SGD must be a non-negative number"),
        (lambda: optimizers.SGD(clipnorm=0.0), "`clipnorm` of SGD must be a positive number. Received: clipnorm=0.0"),
        (lambda: optimizers.SGD(clipnorm=1.0, clipvalue=1.0), "Only one of `clipnorm`, `clipvalue` and `global_clip"),
        (lambda: optimizers.SGD(ema_momentum=2.0), r"`ema_momentum` of SGD must be a number in \[0, 1\]. Received:"),
        (lambda: optimizers.SGD(ema_overwrite_frequency=0), "a positive integer. Received: ema_overwrite_frequency=0"),
        (lambda: optimizers.SGD(gradient_accumulation_steps=1), "must be an integer of at least 2. Received: gradien"),
        (lambda: optimizers.SGD(gradient_noise=-1), "`gradient_noise` of SGD must be a non-negative number"),
        (lambda: optimizers.Adam(beta_1=1.5), r"`beta_1` of Adam must be a number in \[0, 1\). Received: beta_1=1.5"),
        (lambda: optimizers.Adam(epsilon=0.0), "`epsilon` of Adam must be a positive number. Received: epsilon=0.0"),
        (lambda: optimizers.Adagrad(initial_accumulator_value=-1), "`initial_accumulator_value` of Adagrad must be a "),
        (
            lambda: optimizers.Rprop(eta_plus=0.9),
            "`eta_plus` of Rprop must be a number in .1, inf.. Received: eta_plus=0.9",
        ),
        (lambda: optimizers.Rprop(min_step=1.0, max_step=0.5), "`min_step` must not be larger than `max_step`. Recei"),
        (lambda: optimizers.Rprop(schedules.Constant(0.1)), "`learning_rate` of Rprop must be a positive number."),
        (lambda: optimizers.Adafactor(beta_2_decay=0.5), r"a number in \(-inf, 0\]. Received: beta_2_decay=0.5"),
        (lambda: optimizers.ESGD(update_frequency=0), "`update_frequency` of ESGD must be a positive integer."),
        (lambda: optimizers.Lookahead("sgd", slow_step_size=0.0), r"`slow_step_size` of Lookahead must be a number"),
        (lambda: optimizers.Lookahead("sgd", sync_period=0), "`sync_period` of Lookahead must be a positive integer. "),
    ],
)
def test_bad_values(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_bad_exclusions() -> None:
    with pytest.raises(TypeError, match=r"a list of variables and a list of names. Received: .* var_names='bias'"):
        optimizers.SGD().exclude_from_weight_decay(var_names="bias")


def test_fit_ends_with_the_average(backend: Any) -> None:
    random.set_seed(0)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((32, 3)).astype("float32"), rng.standard_normal((32, 1)).astype("float32")
    model = models.Sequential([Dense(1)])
    model.compile(optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9), "mse")
    model.fit(x, y, batch_size=8, epochs=2, verbose=0)
    averages = model.optimizer_state[1]["average"]
    for path, variable in model.named_variables().items():
        np.testing.assert_allclose(to_numpy(variable.value), to_numpy(averages[path]))
    before = {path: np.array(to_numpy(average)) for path, average in averages.items()}
    model.fit(x, y, batch_size=8, epochs=1, verbose=0)  # the average is not an alias of the weights
    assert all((to_numpy(model.optimizer_state[1]["average"][path]) != old).any() for path, old in before.items())


@pytest.mark.parametrize("kind", [optimizers.SGD, optimizers.RMSprop])
def test_momentum_set_before_the_first_step_is_that_of_the_constructor(kind: Any, xp: Any) -> None:
    def trained(optimizer: Any) -> Any:
        params, state = {"w": asarray([1.0, -2.0])}, optimizer.init({"w": asarray([1.0, -2.0])})
        for _ in range(3):
            params, state = optimizer.update(params, {"w": asarray([0.5, 0.25])}, state)
        return to_numpy(params["w"])

    later = kind(0.1)
    without = later.slots
    later.momentum = 0.0
    assert later.slots == without == kind(0.1, momentum=0.0).slots
    assert "momentum" not in without
    for value in (0.8, 0.9):
        later.momentum = value
        assert sorted(later.slots) == sorted((*without, "momentum")) == sorted(kind(0.1, momentum=value).slots)
    expected = trained(kind(0.1, momentum=0.9))
    np.testing.assert_array_equal(trained(later), expected)
    np.testing.assert_array_equal(trained(kind.from_config(later.get_config())), expected)
    assert abs(trained(kind(0.1)) - expected).min() > 1e-3
    for bad in (1.5, -0.1, float("nan"), "0.9", True):
        with pytest.raises(ValueError, match=r"Argument `momentum` of .* must be"):
            later.momentum = bad
    later.momentum = 0.0  # turned off, as if there had never been any
    np.testing.assert_allclose(trained(later), trained(kind(0.1)), rtol=1e-6)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (optimizers.Adam, {"amsgrad": True}),
        (optimizers.RMSprop, {"centered": True}),
        (optimizers.RMSprop, {"momentum": 0.9}),
        (optimizers.SGD, {"momentum": 0.9}),
        (optimizers.SGD, {"use_ema": True}),
        (optimizers.SGD, {"gradient_accumulation_steps": 2}),
    ],
)
@pytest.mark.parametrize("started", [False, True])
def test_options_set_later_are_those_of_the_constructor(kind: Any, options: Any, started: bool, xp: Any) -> None:
    """Before the first step, and after `init`: then what they keep begins with its initial value."""

    def trained(optimizer: Any, state: Any) -> Any:
        params = {"w": asarray([1.0, -2.0])}
        for gradient in ([0.5, 0.25], [-0.25, 0.1], [0.1, 0.0], [0.2, -0.1]):
            params, state = optimizer.update(params, {"w": asarray(gradient)}, state)
        return to_numpy(optimizer.finalize(params, state)["w"])

    params = {"w": asarray([1.0, -2.0])}
    direct, later = kind(0.1, **options), kind(0.1)
    expected = trained(direct, direct.init(params))
    assert abs(expected - trained(later, later.init(params))).max() > 1e-5
    state = later.init(params)
    for name, value in options.items():
        setattr(later, name, value)
    np.testing.assert_allclose(trained(later, state if started else later.init(params)), expected, rtol=1e-6)
    if isinstance(getattr(kind, next(iter(options)), None), property):
        assert later.get_config() == direct.get_config()


@pytest.mark.parametrize("wrapped", [lambda sgd: sgd, optimizers.LossScaleOptimizer, optimizers.Lookahead])
def test_an_option_set_between_two_fits(wrapped: Any, backend: Any) -> None:
    """The compiled step of the first fit does not stay in use."""
    x = asarray([[1.0], [-0.5]])
    model = models.Sequential([Dense(1, kernel_initializer="ones")])
    sgd = optimizers.SGD(0.0)
    model.compile(wrapped(sgd), "mse")
    model.fit(x, x, verbose=0)
    sgd.momentum = 0.9
    model.optimizer.learning_rate = 0.1
    model.fit(x, asarray([[0.0], [0.0]]), batch_size=2, epochs=2, verbose=0)
    again = models.Sequential([Dense(1, kernel_initializer="ones")])
    again.compile(wrapped(optimizers.SGD(0.1, momentum=0.9)), "mse")
    again.fit(x, asarray([[0.0], [0.0]]), batch_size=2, epochs=2, verbose=0)
    for ours, theirs in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


@pytest.mark.parametrize("wrapped", [False, True])
def test_the_learning_rate_of_a_schedule_is_that_of_the_next_step(wrapped: bool, backend: Any) -> None:
    rates = []

    class Reader(portanet.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            rates.append(float(self.model.optimizer.learning_rate))

    schedule = portanet.schedules.ExponentialDecay(0.5, 2, 0.5)
    inner = portanet.optimizers.SGD(schedule)
    model = portanet.Sequential([portanet.layers.Input((2,)), portanet.layers.Dense(1)])
    model.compile(portanet.optimizers.Lookahead(inner) if wrapped else inner, "mse")
    assert model.optimizer.learning_rate == 0.5
    x = np.zeros((4, 2), dtype="float32")
    model.fit(x, x[:, :1], batch_size=2, epochs=2, callbacks=[Reader()], verbose=0)
    assert rates == [0.25, 0.125]
    assert model.optimizer.rates is schedule
    assert inner.get_config()["learning_rate"] is schedule
    model.optimizer.learning_rate = 0.1
    assert model.optimizer.learning_rate == 0.1
