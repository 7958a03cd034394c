"""Training without waiting: processes around a server, and threads that share weights."""

from __future__ import annotations

import math
import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import distribution, layers
from portanet.distribution.downpour import adaptive_revision
from portanet.distribution.server import as_row, from_row
from tests.distribution import apart, jobs, programs


@pytest.fixture
def _alone_afterwards() -> Iterator[None]:
    yield
    distribution.set_distribution(None)


@pytest.mark.parametrize(("count", "library"), [(3, "numpy"), (2, "torch")])
def test_processes_find_the_optimum(tmp_path: pathlib.Path, count: int, library: str) -> None:
    reason = portanet.backends.registry.backend_class(library).unavailable()
    if reason is not None:
        pytest.skip(reason)
    results = jobs.run(count, "asynchronous", tmp_path, library)
    for result in results:
        for name in apart.KINDS:
            assert result[name]["distance"] < 1e-3, name  # of numbers of the order of 1
            for what in ("found", "last", "loss"):  # bit for bit
                assert result[name][what] == results[0][name][what]
        assert result["network"] == results[0]["network"]
        assert all(map(math.isfinite, result["network"]["history"]["val_loss"]))
        assert result["network"]["least"] > 0.0
    for epoch in range(1, 4):
        assert results[0]["EASGD"]["first"][epoch] != results[1]["EASGD"]["first"][epoch]
        assert results[0]["Downpour"]["first"][epoch] == results[1]["Downpour"]["first"][epoch]


class Turns:
    """In place of a server: rows in this process."""

    def __init__(self, rows: list[Any]) -> None:
        self.rows = np.stack(rows)

    def revise(self, change: Any) -> None:
        for part in (slice(0, 2), slice(2, None)):
            self.rows[:, part] = change(part, self.rows[:, part].copy())


def test_an_exchange_with_the_centre_is_that_of_its_definition() -> None:
    strategies, model = [distribution.EASGD(1, 0.5, asynchronous=True) for _ in range(2)], layers.Dense(1)
    centre, moving = np.asarray([1.0, 2.0, 3.0]), 0.5  # of one process, which is what `size` says here
    server = Turns([centre])
    for strategy in strategies:
        strategy._servers[model] = server  # type: ignore[assignment]
    own = [np.asarray([0.0, 0.0, 8.0]), np.asarray([4.0, 4.0, 4.0])]
    for turn in (0, 1, 1, 0):
        force = moving * (own[turn] - centre)
        expected, centre = own[turn] - force, centre + force
        (own[turn],) = strategies[turn].bring_together(model, [own[turn]], [True])
        assert np.array_equal(own[turn], expected)
        assert np.array_equal(server.rows[0], centre)


def test_revised_steps_are_those_of_the_definition() -> None:
    """Against McMahan and Streeter's first, impractical form, which knows which gradients were under way."""
    generator = np.random.default_rng(0)
    rate, begin = 0.3, 0.5
    rows = np.stack([np.ones(3), np.zeros(3), np.full(3, begin), np.full(3, begin)])
    gradients: list[Any] = []
    read: list[int] = []
    for step in range(20):
        since = max(
            0, step - int(generator.integers(0, 5))
        )  # how many gradients the server had, when weights were read
        gradients.append(generator.standard_normal(3))
        read.append(since)
        seen = np.sum(gradients[:since], axis=0) if since else np.zeros(3)
        rows = adaptive_revision(rows, gradients[step], seen, rate)
    z, largest, weights = np.full(3, begin), np.full(3, begin), np.ones(3)
    for step, gradient in enumerate(gradients):
        missed = np.sum(gradients[read[step] : step], axis=0) if step > read[step] else np.zeros(3)
        old = rate / np.sqrt(largest)
        z = z + gradient**2 + 2 * gradient * missed
        largest = np.maximum(z, largest)
        new = rate / np.sqrt(largest)
        weights = weights + old * missed - new * (missed + gradient)  # as if the missed ones had had this step size
    assert np.allclose(rows[0], weights, rtol=1e-12)


def test_a_server_without_delays_is_adagrad() -> None:
    rows, adagrad = np.stack([np.ones(2), np.zeros(2), np.full(2, 0.1), np.full(2, 0.1)]), portanet.optimizers.Adagrad
    optimizer = adagrad(0.3, epsilon=1e-30)
    params = {"w": np.ones(2)}
    state = optimizer.init(params)
    for gradient in np.random.default_rng(0).standard_normal((5, 2)):
        rows = adaptive_revision(rows, gradient, rows[1], 0.3)
        params, state = optimizer.update(params, {"w": gradient}, state)
    assert np.allclose(rows[0], params["w"], rtol=1e-12)


def test_rows_of_numbers() -> None:
    arrays = [np.ones((2, 2), "float16"), np.asarray([1 + 2j], "complex64"), np.float32(3.0) * np.ones(())]
    row = as_row(arrays)
    assert row.tolist() == [1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 3.0]
    for a, b in zip(from_row(row, arrays), arrays, strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        assert np.array_equal(a, b)


@pytest.mark.usefixtures("_alone_afterwards")
def test_threads_find_the_optimum(backend: Any) -> None:
    x, y, optimum = programs.least_squares()
    distribution.set_distribution(distribution.Hogwild(3, 2))
    portanet.random.set_seed(3)
    model = portanet.Sequential([layers.Input((4,)), layers.Dense(1, use_bias=False)])
    model.compile(portanet.optimizers.SGD(0.05), "mse", metrics=["mae"])
    if backend.name not in ("numpy", "torch", "strict"):
        with pytest.raises(ValueError, match=r"Hogwild needs arrays on the host that are changed in place"):
            model.fit(x, y, verbose=0)
        return
    fit = model.fit(x, y, batch_size=24, epochs=30, verbose=0)
    assert float(np.abs(model.get_weights()[0] - optimum).max()) < 1e-3
    assert fit.history["mae"][-1] < 1e-2 < fit.history["mae"][0]
    assert int(model.optimizer.iterations) == 30 * 2 * 3 * 4  # epochs, batches, threads, steps


@pytest.mark.usefixtures("_alone_afterwards")
def test_one_thread_is_training_in_small_batches() -> None:
    """With masks, moments, statistics of batches, constraints and results that are not in place, bit for bit."""
    x, y = programs.data(32, 6)
    weights = []
    for kind, size in ((None, 4), (distribution.Hogwild(1, 4), 16)):
        distribution.set_distribution(kind)
        portanet.random.set_seed(3)
        inner = [layers.Dense(8, kernel_constraint="unit_norm"), layers.BatchNormalization()]
        model = portanet.Sequential([layers.Input((6,)), *inner, layers.Dense(3)])
        model.compile("schedule_free_adam_w", portanet.losses.SparseCategoricalCrossentropy(from_logits=True))
        fit = model.fit(x, y, batch_size=size, epochs=3, shuffle=False, verbose=0)
        weights.append(
            [*(weight.tolist() for weight in model.get_weights()), np.round(fit.history["loss"], 6).tolist()]
        )
    assert weights[0] == weights[1]


def test_arguments() -> None:
    with pytest.raises(ValueError, match="`learning_rate` of Downpour must be a positive number"):
        distribution.Downpour(learning_rate=0.0)
    with pytest.raises(ValueError, match="`asynchronous` of EASGD must be True or False"):
        distribution.EASGD(asynchronous="yes")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="`threads` of Hogwild must be a positive integer"):
        distribution.Hogwild(0)
