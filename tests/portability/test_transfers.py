"""A training step moves nothing between host and device and reads no value, which would wait for a GPU."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.backends import get_backend, use_backend
from portanet.backends.strict import StrictBackend
from portanet.training import TrainingRun

strict = pytest.importorskip("array_api_strict")

READS = (
    "__bool__",
    "__float__",
    "__int__",
    "__index__",
    "__complex__",
    "__array__",
    "__buffer__",
    "__dlpack__",
    "to_device",
)
MODELS: dict[str, Callable[[], tuple[tuple[int, ...], list[Any]]]] = {
    "MLP": lambda: ((12,), [layers.Dense(8, "relu"), layers.Dropout(0.3), layers.Dense(3)]),
    "CNN": lambda: (
        (6, 6, 1),
        [layers.Conv2D(2, 3), layers.BatchNormalization(), layers.MaxPooling2D(), layers.Flatten(), layers.Dense(3)],
    ),
    "LSTM": lambda: ((5, 4), [layers.LSTM(6), layers.Dense(3)]),
    "Transformer": lambda: (
        (5, 4),
        [layers.TransformerEncoder(8, 2, dropout=0.1), layers.GlobalAveragePooling1D(), layers.Dense(3)],
    ),
}


@pytest.fixture
def transfers(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts transfers between host and device, with array-api-strict's `device1` in place of a GPU."""
    counts: Counter[str] = Counter()

    def counted(owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def method(*arguments: Any, **options: Any) -> Any:
            counts[name] += 1
            return original(*arguments, **options)

        monkeypatch.setattr(owner, name, method)

    kind = type(strict.zeros(()))
    for name in READS:
        if hasattr(kind, name):
            counted(kind, name)
    counted(StrictBackend, "from_host")
    to_host = StrictBackend.to_host
    counting = classmethod(lambda cls, x: (counts.update(["to_host"]), to_host(x))[1])
    monkeypatch.setattr(StrictBackend, "to_host", counting)
    return counts


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "lamb"])
def test_a_step_transfers_nothing(transfers: Counter[str], name: str, optimizer: str) -> None:
    shape, parts = MODELS[name]()
    with use_backend("strict", "device1"):
        model = portanet.Sequential([layers.Input(shape), *parts])
        loss = portanet.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer, loss, metrics=["accuracy"])
        x = portanet.asarray(np.random.default_rng(0).standard_normal((4, *shape)))
        y = portanet.asarray([0, 2, 1, 1], dtype="int32")
        model.fit(x, y, verbose=0)
        run = TrainingRun(model)
        transfers.clear()
        for _ in range(3):
            run(x, y)
        assert not transfers, f"a step crossed between host and device: {dict(transfers)}"
        assert bool(portanet.asarray(True))
        get_backend().to_host(x)
        assert transfers.keys() >= {"from_host", "__bool__", "to_host"}, "the counter counts"
