"""Runs of a model whose steps are recorded, beside those whose steps are not."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import callbacks, layers
from portanet.backends import Backend
from tests.conftest import MATRIX, chosen_backends
from tests.recorded.backend import FakeGraphs, use_recorded

LOSS = portanet.losses.SparseCategoricalCrossentropy(from_logits=True)


REAL = [name for name in chosen_backends() if name in ("cupy", "torch-cuda")]


@pytest.fixture(autouse=True, params=["recorded", *REAL])
def recorded(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """The library that replays calls; where a GPU is at hand, those that have CUDA graphs as well."""
    real = request.param in REAL
    with portanet.use_backend(*MATRIX[request.param]) if real else use_recorded() as backend:
        yield backend


def data(count: int = 14, shape: tuple[int, ...] = (4,)) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return rng.standard_normal((count, *shape)).astype("float32"), rng.integers(0, 3, count).astype("int32")


def model(jit_compile: Any, optimizer: Any = "adam", middle: Any = (), **options: Any) -> portanet.Sequential:
    portanet.random.set_seed(3)
    net = portanet.Sequential(
        [layers.Input((4,)), layers.Dense(5, "relu"), layers.BatchNormalization(), *middle, layers.Dense(3)]
    )
    chosen = optimizer() if callable(optimizer) else optimizer
    net.compile(chosen, LOSS, metrics=["accuracy"], jit_compile=jit_compile, **options)
    return net


def both(run: Callable[[Any], Any], least: int = 1) -> Any:
    """The result of a run whose steps are recorded; it is that of the run whose steps are not."""
    expected = run(False)
    FakeGraphs.launches[0] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        result = run("auto")
    assert FakeGraphs.launches[0] >= least or portanet.backends.get_backend().name != "recorded"
    np.testing.assert_equal(result, expected)
    return result


def summary(net: Any) -> Any:
    return [v.numpy() for v in net.variables]


class Changes(callbacks.Callback):
    """Calls a function with the model and the number of an epoch or batch."""

    def __init__(self, at_epoch: Any = None, at_batch: Any = None) -> None:
        super().__init__()
        self.at_epoch, self.at_batch = at_epoch, at_batch

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self.at_epoch:
            self.at_epoch(self.model, epoch)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.at_batch:
            self.at_batch(self.model, batch)
