from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from portanet import layers, models, ops, optimizers, random, schedules
from portanet.backends import device_of, use_backend
from tests.support import asarray, assert_close, to_numpy

EVERY = [
    schedules.Constant(0.3),
    schedules.PiecewiseConstantDecay([5, 20], [0.3, 0.1, 0.01]),
    schedules.PiecewiseConstantDecay([], [0.3]),
    schedules.ExponentialDecay(0.3, 7, 0.9),
    schedules.ExponentialDecay(0.3, 7, 0.9, staircase=True),
    schedules.StepDecay(0.3, 10, 0.1),
    schedules.PolynomialDecay(0.3, 50, 0.01, 2.0),
    schedules.PolynomialDecay(0.3, 20, 0.01, 0.5, cycle=True),
    schedules.InverseTimeDecay(0.3, 10, 0.5),
    schedules.InverseTimeDecay(0.3, 10, 0.5, staircase=True),
    schedules.PowerDecay(0.3, 0.55),
    schedules.CosineDecay(0.01, 60, 0.1, warmup_target=0.3, warmup_steps=10),
    schedules.CosineDecayRestarts(0.3, 10, 2.0, 0.9, 0.1),
    schedules.CosineDecayRestarts(0.3, 10, 1.0, 0.9),
    schedules.CosineDecayRestarts(0.3, 10, 1.5),
    schedules.OneCycle(0.3, 100),
    schedules.OneCycle(0.85, 100, anneal="linear", initial=0.95, final=0.95),
    schedules.Warmup(schedules.ExponentialDecay(0.3, 7, 0.9), 10),
    schedules.Sequential([0.1, schedules.ExponentialDecay(0.3, 7, 0.9), lambda step: 0.5], [10, 50]),
    schedules.Product([schedules.PowerDecay(0.3), 2.0, schedules.CosineDecay(1.0, 50)]),
]
NAMES = [f"{type(each).__name__}-{i}" for i, each in enumerate(EVERY)]
STEPS = [0, 1, 2, 5, 6, 7, 9, 10, 11, 14, 20, 29, 30, 31, 50, 60, 70, 99, 100, 1000]


@pytest.mark.parametrize("schedule", EVERY, ids=NAMES)
def test_arrays_give_what_ints_give(backend: Any, schedule: Any) -> None:
    expected = [schedule(step) for step in STEPS]
    assert all(type(value) is float for value in expected)
    many = schedule(asarray(np.asarray(STEPS, dtype="int32")))
    assert_close(many, expected, rtol=1e-6, atol=5e-8)
    one = schedule(asarray(np.asarray(STEPS[6], dtype="int32")))
    assert_close(one, expected[6], rtol=1e-6, atol=5e-8)
    wide = schedule(asarray(np.asarray(STEPS, dtype="int32")), dtype=backend.find_dtype("float64"))
    assert_close(wide, np.asarray(expected), rtol=1e-12, atol=1e-14, dtype="float64")
    assert {device_of(value) for value in (many, one, wide)} == {device_of(asarray(STEPS))}


@pytest.mark.parametrize("schedule", EVERY, ids=NAMES)
def test_schedules_compile(schedule: Any) -> None:
    jax = pytest.importorskip("jax")
    with use_backend("jax"):
        compiled = jax.jit(schedule)
        result = [float(compiled(asarray(np.asarray(step, dtype="int32")))) for step in (0, 10, 99)]
    np.testing.assert_allclose(result, [schedule(step) for step in (0, 10, 99)], rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("schedule", [each for each in EVERY if not isinstance(each, schedules.Sequential)])
def test_round_trip(schedule: Any) -> None:
    twin = type(schedule).from_config(schedule.get_config())
    assert [twin(step) for step in STEPS] == [schedule(step) for step in STEPS]


def test_a_tenth_at_half_and_three_quarters(backend: Any) -> None:
    """Shanahan: 0.1, divided by 10 at 50% and at 75% of the training."""
    rate = schedules.PiecewiseConstantDecay([49, 74], [0.1, 0.01, 0.001])
    result = to_numpy(rate(asarray(np.arange(100, dtype="int32"))))
    np.testing.assert_array_equal(result, np.repeat(np.float32([0.1, 0.01, 0.001]), [50, 25, 25]))


def test_inverse_time_with_a_penalty() -> None:
    """The articles' eta0 / (1 + eta0 * lambda * t)."""
    eta0, penalty = 0.3, 0.05
    rate = schedules.InverseTimeDecay(eta0, 1, eta0 * penalty)
    assert [rate(t) for t in (0, 10, 500)] == pytest.approx([eta0 / (1 + eta0 * penalty * t) for t in (0, 10, 500)])


def test_gradient_noise_variance() -> None:
    """The documents' sigma_t^2 = eta / (1 + t)^gamma."""
    sigma2 = schedules.PowerDecay(0.3, 0.55)
    assert [sigma2(t) for t in (0, 9, 99)] == pytest.approx([0.3 / (1 + t) ** 0.55 for t in (0, 9, 99)])


def test_float32_keeps_late_steps_apart(backend: Any) -> None:
    """Above 2^24 float32 cannot distinguish neighbouring steps; integers can."""
    late = 2**24 + 1
    step = asarray(np.asarray([late - 1, late, late + 1], dtype="int32"))
    rate = schedules.PiecewiseConstantDecay([late - 1], [1.0, 0.5])
    assert_close(rate(step), [1.0, 0.5, 0.5])
    fast = schedules.CosineDecayRestarts(1.0, 10, t_mul=1.0)
    assert_close(fast(step), [fast(int(s)) for s in to_numpy(step)], atol=1e-6)
    assert_close(schedules.ExponentialDecay(1.0, 2**20, 0.5)(step), [2.0**-16] * 3, rtol=3e-6)


@pytest.mark.parametrize("t_mul", [1.5, 2.0])
def test_every_restart_is_met(backend: Any, t_mul: float) -> None:
    rate = schedules.CosineDecayRestarts(1.0, 10, t_mul=t_mul)
    start = 0.0
    for cycle in range(40):
        if start > 2**30:
            break
        edge = math.ceil(start)
        value = float(to_numpy(rate(asarray(np.asarray(edge, dtype="int32")))))
        assert value == pytest.approx(1.0, abs=0.03), f"restart {cycle} at step {edge}"
        start += 10 * t_mul**cycle


def test_sequence_clocks_start_at_zero() -> None:
    rate = schedules.Sequential([1.0, schedules.ExponentialDecay(8.0, 1, 0.5), 0.25], [2, 4])
    assert [rate(step) for step in range(6)] == [1.0, 1.0, 8.0, 4.0, 0.25, 0.25]


def test_plot() -> None:
    pytest.importorskip("matplotlib")
    ax = schedules.plot({"fall": schedules.ExponentialDecay(0.1, 10, 0.5), "flat": schedules.Constant(0.1)}, 20)
    lines = ax.get_lines()
    assert [line.get_label() for line in lines] == ["fall", "flat"]
    assert list(lines[0].get_xdata()) == list(range(20))
    assert lines[0].get_ydata()[10] == pytest.approx(0.05)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["fall", "flat"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("step", "value")
    assert schedules.plot(schedules.Constant(0.1), 5, ax=ax) is ax


def test_plot_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"Type: pip install 'portanet\[plot\]'"):
        schedules.plot(schedules.Constant(0.1), 5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: schedules.Constant("a"), "`learning_rate` of Constant must be a finite number. Received:"),
        (lambda: schedules.ExponentialDecay(0.1, 0, 0.5), "`decay_steps` of ExponentialDecay must be a positive"),
        (lambda: schedules.ExponentialDecay(0.1, 1.5, 0.5), "`decay_steps` of ExponentialDecay must be a positive"),
        (lambda: schedules.ExponentialDecay(0.1, 10, 0.0), "`decay_rate` of ExponentialDecay must be a positive"),
        (lambda: schedules.PiecewiseConstantDecay([1], [0.1]), "one entry more than `boundaries`. Received: 1 values"),
        (
            lambda: schedules.PiecewiseConstantDecay([5, 5], [1, 2, 3]),
            "increasing integers. Received: boundaries=",
        ),
        (
            lambda: schedules.PiecewiseConstantDecay([0.5], [1, 2]),
            r"`boundaries` of PiecewiseConstantDecay must be an integer. Received: boundaries=0.5",
        ),
        (lambda: schedules.InverseTimeDecay(0.1, 10, -1.0), r"`decay_rate` of InverseTimeDecay must be a non-"),
        (
            lambda: schedules.CosineDecay(0.1, 10, warmup_target=0.2),
            "`warmup_steps` of CosineDecay must be a positive integer",
        ),
        (lambda: schedules.CosineDecayRestarts(0.1, 10, t_mul=0.5), "`t_mul` of CosineDecayRestarts must be 1 or at"),
        (lambda: schedules.OneCycle(0.1, 100, pct_start=1.5), r"`pct_start` of OneCycle must be a number in \[0, 1\]."),
        (lambda: schedules.OneCycle(0.1, 2), "`pct_start` must leave at least one step.*Received: pct_start=0.3"),
        (lambda: schedules.OneCycle(0.1, 8, pct_start=0.125), "`pct_start` must leave at least one step"),
        (lambda: schedules.OneCycle(0.1, 8, pct_start=1.0), "`pct_start` must leave at least one step"),
        (lambda: schedules.OneCycle(0.1, 100, anneal="exp"), "`anneal` of OneCycle must be one of 'cos', 'linear'."),
        (lambda: schedules.Sequential([0.1, 0.2], [5, 6]), "one fewer than `schedules`. Received: 2 schedules and bo"),
        (lambda: schedules.Product([]), r"at least one. Received: schedules=\[\]"),
        (lambda: schedules.ReduceOnPlateau(factor=2.0), r"`factor` of ReduceOnPlateau must be a number in \(0, 1\)."),
        (lambda: schedules.ReduceOnPlateau(mode="auto"), "`mode` of ReduceOnPlateau must be one of 'min', 'max'."),
        (lambda: schedules.ReduceOnPlateau(patience=-1), "`patience` of ReduceOnPlateau must be a non-negative"),
        (lambda: schedules.Warmup("fast", 10), "`schedule` of Warmup must be a number or a schedule. Received: sc"),
    ],
)
def test_bad_values(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_bad_types() -> None:
    with pytest.raises(TypeError, match=r"a number, or an array of numbers. Received: nan \(of type float\)"):
        schedules.Constant(0.1)(float("nan"))
    with pytest.raises(TypeError, match=r"a number, or an array of numbers. Received: array"):
        schedules.Constant(0.1)(np.ones(2, dtype="bool"))


class Warmup(schedules.LearningRateSchedule):
    """With `__call__`, as in Keras."""

    def __init__(self, width: float, steps: float) -> None:
        self.width, self.steps = width, steps

    def __call__(self, step: Any, dtype: Any = None) -> Any:
        step = ops.cast(step, "float32") + 1
        return self.width**-0.5 * ops.minimum(ops.rsqrt(step), step * self.steps**-1.5)


def test_schedules_with_a_call_of_their_own(backend: Any) -> None:
    class Same(schedules.LearningRateSchedule):
        def value(self, xp: Any, step: Any, dtype: Any) -> Any:
            step = xp.astype(step, dtype) + 1
            return 8.0**-0.5 * xp.minimum(1 / xp.sqrt(step), step * 3.0**-1.5)

    results = []
    for schedule in (Warmup(8.0, 3.0), Same()):
        random.set_seed(1)
        model = models.Sequential([layers.Input((2,)), layers.Dense(1)])
        model.compile(optimizers.SGD(schedule), "mse")
        model.fit(asarray(np.ones((8, 2))), asarray(np.ones((8, 1))), batch_size=2, epochs=2, verbose=0)
        results.append(model.get_weights())
    for actual, expected in zip(*results, strict=True):
        np.testing.assert_allclose(actual, expected, rtol=1e-5)


def test_a_function_may_return_an_array(backend: Any) -> None:
    """Of any floating-point dtype; the schedule's result has that which is asked for."""
    schedule = schedules.Product([lambda step: asarray(0.25, "float64"), 2.0])
    assert_close(schedule(asarray(3, "int32")), 0.5)
