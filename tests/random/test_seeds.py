"""Which seed is in use: one per context, as the backend is."""

from __future__ import annotations

import contextvars
import threading
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.random import get_seed, set_seed, use_seed


@pytest.fixture(autouse=True)
def outer_seed() -> Any:
    before = get_seed()
    yield
    set_seed(before)


def in_thread(function: Any) -> Any:
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join()
    return results[0]


def test_a_thread_has_a_seed_of_its_own() -> None:
    set_seed(7)

    def work() -> tuple[int, int]:
        before = get_seed()
        set_seed(8)
        return before, get_seed()

    assert in_thread(work) == (7, 8)
    assert get_seed() == 7
    assert in_thread(get_seed) == 7


def test_a_context_does_not_change_the_one_that_it_was_copied_from() -> None:
    set_seed(7)
    contextvars.copy_context().run(set_seed, 8)
    assert get_seed() == 7


def test_set_seed_in_a_block_ends_with_it() -> None:
    set_seed(7)
    with use_seed(8):
        set_seed(9)
        assert (get_seed(), in_thread(get_seed)) == (9, 7)
    assert (get_seed(), in_thread(get_seed)) == (7, 7)


def test_set_seed_elsewhere_does_not_change_a_fit(backend: Any) -> None:
    """A fit in a thread, in the middle of which the main thread and another one choose other seeds."""
    x = np.linspace(0, 1, 24, dtype="float32").reshape(8, 3)
    y = np.sum(x, axis=1, keepdims=True)

    def fit(begun: threading.Event | None = None, go: threading.Event | None = None) -> list[Any]:
        with portanet.use_backend(backend):
            model = portanet.Sequential([layers.Input((3,)), layers.Dropout(0.3), layers.Dense(2), layers.Dense(1)])
            model.compile(portanet.optimizers.SGD(0.1, gradient_noise=0.1), "mse")

            def pause(epoch: int, logs: Any) -> None:
                if begun is not None and go is not None and epoch == 0:
                    begun.set()
                    assert go.wait(60)

            stop = portanet.callbacks.LambdaCallback(on_epoch_end=pause)
            model.fit(x, y, batch_size=2, epochs=3, verbose=0, callbacks=[stop])
            return list(model.get_weights())

    set_seed(7)
    expected = fit()
    begun, go, results = threading.Event(), threading.Event(), []
    thread = threading.Thread(target=lambda: results.append(fit(begun, go)))
    thread.start()
    try:
        assert begun.wait(120)
        set_seed(100)
        in_thread(lambda: set_seed(200))
    finally:
        go.set()
        thread.join()
    for one, other in zip(results[0], expected, strict=True):
        np.testing.assert_array_equal(one, other)
