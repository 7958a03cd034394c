"""Which seed is in use: one per context, as the backend is."""

from __future__ import annotations

import contextvars
import hashlib
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import initializers, layers
from portanet.preprocessing import choose_centers, k_means, train_test_split
from portanet.random import get_seed, host_generator, next_unowned, seeds, set_seed, stream_key, use_seed
from portanet.random.seeds import keep_seed
from tests.support import PATIENCE


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
                    assert go.wait(PATIENCE)

            stop = portanet.callbacks.LambdaCallback(on_epoch_end=pause)
            model.fit(x, y, batch_size=2, epochs=3, verbose=0, callbacks=[stop])
            return list(model.get_weights())

    set_seed(7)
    expected = fit()
    begun, go, results = threading.Event(), threading.Event(), []
    thread = threading.Thread(target=lambda: results.append(fit(begun, go)))
    thread.start()
    try:
        assert begun.wait(PATIENCE)
        set_seed(100)
        in_thread(lambda: set_seed(200))
    finally:
        go.set()
        thread.join()
    for one, other in zip(results[0], expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_seeds_are_non_negative_integers() -> None:
    for seed in (-1, 1.5, True, None, "1"):
        with pytest.raises(ValueError, match="`seed` must be a non-negative integer"):
            set_seed(seed)
        with pytest.raises(ValueError, match="`seed` must be a non-negative integer"), use_seed(seed):
            pass
    set_seed(0)
    assert get_seed() == 0
    with use_seed(0):
        assert get_seed() == 0


def test_a_seed_that_nobody_chose_is_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeds, "_default", [seeds._Seed()])

    def two() -> tuple[int, int]:
        return get_seed(), get_seed()

    first, second = contextvars.Context().run(two)
    assert first == second
    assert 0 <= first < 2**31
    monkeypatch.setattr(seeds, "_default", [seeds._Seed()])
    assert contextvars.Context().run(get_seed) != first


def test_layers_outside_models_are_counted_for_each_seed() -> None:
    set_seed(7)
    assert [next_unowned() for _ in range(3)] == [0, 1, 2]
    with use_seed(7):
        assert [next_unowned() for _ in range(2)] == [0, 1]
    assert next_unowned() == 3
    set_seed(7)
    assert next_unowned() == 0


def test_generators_depend_on_seed_and_path_alone() -> None:
    def numbers(*path: Any, seed: int | None = None) -> list[int]:
        return host_generator(*path, seed=seed).integers(2**31, size=4).tolist()

    set_seed(7)
    assert numbers("a", 1) == numbers("a", 1) == numbers("a/1") == numbers("a", 1, seed=7)
    assert len({tuple(numbers(*path, seed=seed)) for path in (("a", 1), ("a", 2), ("b", 1)) for seed in (0, 7, 8)}) == 9
    expected = np.random.default_rng([7, stream_key("a", 1)]).integers(2**31, size=4).tolist()
    assert numbers("a", 1) == expected


HOSTS: dict[str, Callable[[Any], Any]] = {
    "train_test_split": lambda seed: train_test_split(np.arange(20.0), test_size=5, seed=seed)[1],
    "k_means": lambda seed: k_means(np.random.default_rng(0).normal(size=(40, 2)), 5, iterations=1, seed=seed),
    "choose_centers": lambda seed: choose_centers(np.arange(40.0)[:, None], 5, "sample", seed=seed)[0],
    "an initializer": lambda seed: initializers.GlorotUniform(seed)((3, 4), np.random.default_rng(0)),
}


@pytest.mark.parametrize("name", HOSTS)
def test_seeds_of_draws_on_the_host(name: str) -> None:
    """An integer names the draw; without one, it is the seed in use; nothing else is a seed."""
    draw = HOSTS[name]
    np.testing.assert_array_equal(draw(3), draw(np.int64(3)))
    assert not np.array_equal(draw(3), draw(4))
    if name != "an initializer":
        for seed in (3, 4):
            with use_seed(seed):
                np.testing.assert_array_equal(draw(None), draw(seed))
    for wrong in (-1, 1.0, True, "1", np.random.default_rng(0), np.random.RandomState(0)):
        with pytest.raises(ValueError, match=r"`seed`.* must be a non-negative integer\. Received: seed="):
            draw(wrong)


def test_keys_are_31_bits_of_a_digest() -> None:
    digest = hashlib.sha256(b"7/mask").digest()
    assert stream_key(7, "mask") == (digest[0] + 256 * digest[1] + 256**2 * digest[2] + 256**3 * digest[3]) // 2
    assert all(0 <= stream_key(i) < 2**31 for i in range(200))


def test_a_kept_seed_is_that_of_the_start() -> None:
    """In another thread, a block keeps the main thread's seed; elsewhere, and after the block, the latest one holds."""
    set_seed(7)

    def work() -> tuple[int, int, int]:
        with keep_seed():
            before = get_seed()
            wait()
            during = get_seed()
        return before, during, get_seed()

    def wait() -> None:
        chosen.set()
        assert done.wait(PATIENCE)

    chosen, done, results = threading.Event(), threading.Event(), []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    assert chosen.wait(PATIENCE)
    set_seed(8)
    done.set()
    thread.join()
    assert results == [(7, 7, 8)]

    with keep_seed():
        set_seed(9)
        assert get_seed() == 9
    assert get_seed() == 9

    def chosen_here() -> int:
        set_seed(3)
        with keep_seed():
            set_seed(4)
        return get_seed()

    assert in_thread(chosen_here) == 4
    assert get_seed() == 9


def test_a_block_in_a_thread_is_its_own() -> None:
    set_seed(7)

    def work() -> tuple[int, int]:
        with use_seed(5):
            set_seed(6)
            inside = get_seed()
        return inside, get_seed()

    assert in_thread(work) == (6, 7)
    assert get_seed() == 7
    in_thread(lambda: set_seed(11))
    assert get_seed() == 7
