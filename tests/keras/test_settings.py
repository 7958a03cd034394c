"""The arguments of `compile` in files of Keras and of portanet: losses and metrics of several outputs, optimizers."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest

import portanet

keras = pytest.importorskip("keras")

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore:.*Skipping variable loading", "ignore:(?s).*Gradients do not"
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(8, 3)).astype("float32")
Y = {"a": RNG.integers(0, 3, (8, 1)).astype("int32"), "b": RNG.normal(size=(8, 2)).astype("float32")}


def model(library: Any) -> Any:
    L = library.layers
    x = L.Input((3,))
    hidden = L.Dense(4, "tanh")(x)
    return library.Model(x, {"a": L.Dense(3, "softmax", name="a")(hidden), "b": L.Dense(2, name="b")(hidden)})


def decayed(library: Any) -> Any:
    schedules = library.optimizers.schedules
    return library.optimizers.AdamW(schedules.CosineDecay(0.1, 20, warmup_steps=2, warmup_target=0.2), weight_decay=0.1)


SETTINGS: dict[str, Any] = {
    "dicts": lambda P: {
        "optimizer": P.optimizers.Adam(P.optimizers.schedules.PiecewiseConstantDecay([2, 4], [0.1, 0.05, 0.01])),
        "loss": {"a": P.losses.SparseCategoricalCrossentropy(ignore_class=2), "b": "huber"},
        "loss_weights": {"a": 0.5, "b": 2.0},
        "metrics": {
            "a": ["accuracy", P.metrics.SparseTopKCategoricalAccuracy(2, name="top")],
            "b": P.metrics.R2Score(),
        },
        "weighted_metrics": {"b": ["mae"]},
    },
    "lists": lambda P: {
        "optimizer": decayed(P),
        "loss": [None, P.losses.MeanSquaredError(reduction="sum")],
        "metrics": [["sparse_categorical_accuracy"], ["mse", P.metrics.RootMeanSquaredError("rms")]],
    },
    "one": lambda P: {
        "optimizer": P.optimizers.LossScaleOptimizer(
            P.optimizers.SGD(0.1, momentum=0.5, global_clipnorm=1.0, use_ema=True), 4.0
        ),
        "loss": {"b": P.losses.LogCosh()},
        "loss_weights": None,
        "run_eagerly": True,
    },
}


def fitted(m: Any) -> dict[str, float]:
    weight = np.linspace(0.5, 1.5, 8)
    history = m.fit(X, Y, sample_weight=weight, batch_size=4, epochs=2, shuffle=False, verbose=0)
    return {key: values[-1] for key, values in history.history.items()}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings(name: str, tmp_path: pathlib.Path) -> None:
    """Training goes on on the other side with the same losses and metrics, by the same names."""
    for library, other in ((keras, portanet), (portanet, keras)):
        m = model(library)
        m.set_weights([np.random.default_rng(1).normal(size=w.shape) for w in m.get_weights()])
        m.compile(**SETTINGS[name](library))
        fitted(m)
        m.save(tmp_path / "m.keras")
        loaded = other.saving.load_model(tmp_path / "m.keras")
        assert fitted(loaded) == pytest.approx(fitted(m), rel=1e-3, abs=1e-5)
