import time

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.callbacks import Profiler


def test_memory_and_time_of_each_layer(backend, capsys):
    inner = portanet.Sequential([layers.Dense(8, name="a"), layers.BatchNormalization(name="b")], name="inner")
    model = portanet.Sequential([layers.Input((6,)), layers.Embedding(20, 4), layers.Flatten(), inner, layers.Dense(2)])
    model.compile("sgd", "mse")
    profiler = Profiler(np.ones((3, 6), dtype="int32"), repeats=1)
    model.fit(np.ones((3, 6), dtype="int32"), np.ones((3, 2)), verbose=0, callbacks=[profiler])
    result = {row["layer"]: (row["type"], row["weights"], row["results"]) for row in profiler.rows}
    assert result == {
        "embedding": ("Embedding", 20 * 4 * 4, 3 * 6 * 4 * 4),
        "flatten": ("Flatten", 0, 3 * 24 * 4),
        "inner/a": ("Dense", (24 * 8 + 8) * 4, 3 * 8 * 4),
        "inner/b": ("BatchNormalization", 4 * 8 * 4, 3 * 8 * 4),
        "dense": ("Dense", (8 * 2 + 2) * 4, 3 * 2 * 4),
    }
    assert all(row["forward"] > 0 and row["backward"] >= 0 for row in profiler.rows)
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].startswith("embedding (Embedding)")
    assert lines[-1].split()[0] == "all"
    assert lines[-1].split()[-1] == f"{sum(size for _, _, size in result.values()) / 1024:.1f}"


def test_the_slow_layer_is_the_slow_one(monkeypatch):
    now = [100.0]

    class Slow(layers.Layer):
        def call(self, x):
            now[0] += 0.5
            return x * 2.0

    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    model = portanet.Sequential([layers.Input((6,)), layers.Dense(4), Slow(), layers.Dense(2)])
    first, slow, last = Profiler(np.ones((3, 6))).profile(model)
    assert (first["forward"], slow["forward"], last["forward"]) == (0.0, 0.5, 0.0)


def test_what_has_no_gradient():
    class Largest(layers.Layer):
        def call(self, x):
            return np.argmax(x, axis=-1)

    (row,) = Profiler(np.ones((3, 6))).profile(portanet.Sequential([layers.Input((6,)), Largest()]))
    assert (row["backward"], row["results"]) == (None, 3 * 8)


def test_repeats_must_be_positive():
    with pytest.raises(ValueError, match=r"`repeats` of Profiler must be a positive integer. Received: repeats=0"):
        Profiler(np.ones((3, 6)), repeats=0)


@pytest.mark.parametrize("repeats", [1, 4])
def test_each_function_runs_once_to_warm_up_and_then_is_timed(backend, monkeypatch, repeats):
    times = iter([100.0, 0.0, 50.0, 51.0, 52.0, 53.0, 54.0, 55.0, 56.0, 57.0, 58.0, 59.0])
    monkeypatch.setattr(time, "perf_counter", lambda: next(times))
    calls = []
    seconds = Profiler(np.ones(3), repeats)._seconds(
        backend, lambda x: calls.append(x) or x, portanet.asarray(np.ones(3))
    )
    assert (len(calls), seconds) == (repeats + 1, 1.0)  # the first does not count
