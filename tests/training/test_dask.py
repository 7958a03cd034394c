"""Prediction for Dask arrays: lazily, in other processes, and for data larger than memory."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.autodiff import array_namespace
from portanet.backends import Array, Backend
from tests.support import PATIENCE, asarray

dask = pytest.importorskip("dask", reason="extra `dask`")
da = pytest.importorskip("dask.array", reason="extra `dask`")


def model_and_data() -> tuple[portanet.Sequential, Any]:
    model = portanet.Sequential([layers.Input((6,)), layers.Dense(4, activation="tanh"), layers.Dense(2)])
    return model, np.random.default_rng(0).standard_normal((50, 6)).astype("float32")


def test_any_backend_block_by_block(backend: Backend) -> None:
    model, x = model_and_data()
    sizes: list[int] = []

    def seen(block: Any) -> Any:
        sizes.append(len(block))
        return block

    lazy = da.from_array(x, chunks=(20, 3)).map_blocks(seen, dtype=x.dtype, meta=x[:0])
    y = model.predict(lazy, batch_size=8)
    assert not sizes, "computed before it was asked for"
    assert (y.shape, y.dtype, y.chunks) == ((50, 2), np.dtype("float32"), ((20, 20, 10), (2,)))
    np.testing.assert_allclose(y[:20].compute(scheduler="synchronous"), model.predict(x[:20]), rtol=1e-5, atol=1e-6)
    assert sizes == [20, 20], "only what is asked for is computed"
    np.testing.assert_allclose(y.compute(scheduler="threads"), model.predict(x), rtol=1e-5, atol=1e-6)


class Peeking(layers.Dense):
    """A layer that reads values, so that it cannot be called on lazy arrays."""

    def call(self, x: Array) -> Array:
        xp = array_namespace(x)
        return super().call(x) if float(xp.max(x)) > 0 else super().call(-x)


def test_a_layer_that_looks_at_values() -> None:
    model = portanet.Sequential([layers.Input((6,)), Peeking(2)])
    x = model_and_data()[1]
    y = model.predict(da.from_array(x, chunks=(20, 6)))
    np.testing.assert_allclose(y.compute(scheduler="synchronous"), model.predict(x), rtol=1e-5, atol=1e-6)


def test_blocks_of_unknown_sizes() -> None:
    model, x = model_and_data()
    lazy = da.from_array(x, chunks=(20, 6))
    result = model.predict(lazy[lazy[:, 0] > 0]).compute(scheduler="synchronous")
    np.testing.assert_allclose(result, model.predict(x[x[:, 0] > 0]), rtol=1e-5, atol=1e-6)


def test_later_training_does_not_change_what_was_asked_for() -> None:
    model, x = model_and_data()
    before, lazy = model.predict(x), model.predict(da.from_array(x, chunks=(25, 6)))
    model.compile("sgd", "mse")
    model.fit(x, np.zeros((50, 2)), verbose=0)
    np.testing.assert_array_equal(lazy.compute(scheduler="synchronous"), before)
    assert np.any(model.predict(x) != before)


class Several(portanet.Model):
    """Two inputs, two outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = layers.Dense(3)

    def call(self, x: list[Array]) -> list[Array]:
        return [self.mix(x[0]) + x[1], x[0]]


def test_several_inputs_and_outputs() -> None:
    g = np.random.default_rng(1)
    x = [g.standard_normal((10, 2)).astype("float32"), g.standard_normal((10, 3)).astype("float32")]
    model = Several()
    result = model.predict([da.from_array(x[0], chunks=(4, 2)), da.from_array(x[1], chunks=(5, 3))])
    for ours, theirs in zip(dask.compute(*result, scheduler="synchronous"), model.predict(x), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_layers_called_on_lazy_arrays(backend: Backend) -> None:
    model = portanet.Sequential([layers.Input((6,)), layers.Dense(4, activation="tanh"), layers.Softmax()])
    x = np.random.default_rng(0).standard_normal((50, 6)).astype("float32")
    lazy = da.from_array(x, chunks=(20, 6))
    if backend.name != "numpy":  # blocks are NumPy's, weights are not
        with pytest.raises(TypeError, match=r"model\.predict\(x\)"):
            model(lazy)
        return
    y = model(lazy)
    assert isinstance(y, da.Array)
    np.testing.assert_allclose(y.compute(scheduler="synchronous"), model(asarray(x)), rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="forward only"):
        model(lazy, training=True)


def test_other_processes() -> None:
    distributed = pytest.importorskip("distributed", reason="it makes the cluster")
    program = """
        import numpy as np, os, dask.array as da, portanet
        from distributed import Client
        from portanet import layers

        if __name__ == "__main__":
            model = portanet.Sequential([layers.Input((6,)), layers.Dense(4, activation="tanh"), layers.Dense(2)])
            model.compile("adam", "mse")
            x = np.random.default_rng(0).standard_normal((60, 6)).astype("float32")
            model.fit(x, np.zeros((60, 2)), verbose=0)
            lazy = da.from_array(x, chunks=(10, 6))
            with Client(n_workers=2, threads_per_worker=1, dashboard_address=None) as client:
                assert os.getpid() not in client.run(os.getpid).values()
                for y in (model.predict(lazy), model(lazy)):
                    np.testing.assert_allclose(y.compute(), model.predict(x), rtol=1e-5, atol=1e-6)
                print("same on", len(client.scheduler_info()["workers"]), "workers")
    """
    assert distributed
    assert "same on 2 workers" in run(program)


def test_more_data_than_memory() -> None:
    """Under a limit on the address space, the data (800 MB) does not fit in memory, but its prediction works."""
    program = """
        import resource
        import dask, dask.array as da, numpy as np, portanet
        from portanet import layers

        model = portanet.Sequential([layers.Input((1000,)), layers.Dense(16, activation="relu"), layers.Dense(2)])
        x = da.ones((200_000, 1000), chunks=(5_000, 1000), dtype="float32") * 0.5
        model.predict(x[:10]).compute(scheduler="synchronous")
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + x.nbytes // 4, resource.RLIM_INFINITY))
        with dask.config.set(scheduler="synchronous"):
            for y in (model.predict(x, batch_size=1000), model(x)):
                total = y.sum(axis=0).compute()
                expected = 200_000 * model.predict(np.full((1, 1000), 0.5, dtype="float32"))[0]
                np.testing.assert_allclose(total, expected, rtol=1e-3)
            # Not ru_maxrss, which a process takes over from the one that started it.
            peak = next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
            assert peak < x.nbytes, peak
            try:
                x.compute()
            except MemoryError:
                print("the data do not fit, peak", peak // 2**20, "MB")
    """
    if not sys.platform.startswith("linux"):
        pytest.skip("the limit and its measurement are Linux's")
    assert "the data do not fit" in run(program)


def run(program: str) -> str:
    """The output of a Python program."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout
