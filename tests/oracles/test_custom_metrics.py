"""Metrics with variables of their own, written as for Keras: alone and in `compile`, next to Keras's results."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet.autodiff import array_namespace
from tests.support import asarray

keras = pytest.importorskip("keras")
pytestmark = [
    pytest.mark.skipif(keras.backend.backend() != "torch", reason="Keras runs on another backend here"),
    pytest.mark.filterwarnings("ignore:.*copy keyword:DeprecationWarning"),
]

RNG = np.random.default_rng(0)
X = RNG.normal(size=(16, 3)).astype("float32")
Y = (X.sum(1, keepdims=True) > 0).astype("float32")
KERNEL = np.asarray([[0.5], [-0.2], [0.1]], "float32")


def overlap_metric(library: Any, total: Any) -> Any:
    """The mean overlap of the batches, weighted; with a variable that is assigned, not only added to."""

    class Overlap(library.metrics.Metric):  # type: ignore[misc]
        def __init__(self, name: str = "overlap", **options: Any) -> None:
            super().__init__(name=name, **options)
            self.sum = self.add_weight(name="sum", initializer="zeros")
            self.count = self.add_variable(shape=(), initializer="zeros", name="count")

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            values = y_true * y_pred
            if sample_weight is not None:
                values = values * sample_weight
            self.sum.assign(0.5 * self.sum + total(values))
            self.count.assign_add(1.0)

        def result(self) -> Any:
            return self.sum / self.count

    return Overlap()


def ours() -> Any:
    return overlap_metric(portanet, lambda x: array_namespace(x).sum(x))


def theirs() -> Any:
    return overlap_metric(keras, keras.ops.sum)


def test_alone(xp: Any) -> None:
    metric, other = ours(), theirs()
    for _ in range(2):
        for y, p in ((Y[:4], X[:4, :1]), (Y[4:8], X[4:8, :1])):
            result = metric(asarray(y), asarray(p))
            np.testing.assert_allclose(float(result), float(other(y, p)), rtol=1e-5)
        metric.reset_state()
        other.reset_state()
    assert [variable.name for variable in metric.variables] == ["sum", "count"]


@pytest.mark.parametrize("weighted", [False, True])
def test_in_compile(weighted: bool, xp: Any) -> None:
    histories = []
    for library, metric in ((portanet, ours()), (keras, theirs())):
        model = library.Sequential([library.layers.Input((3,)), library.layers.Dense(1)])
        model.set_weights([KERNEL, np.zeros(1, "float32")])
        kind = "weighted_metrics" if weighted else "metrics"
        model.compile(library.optimizers.SGD(0.1), "mse", **{kind: [metric, "mae"]})
        weight = np.linspace(0.5, 1.5, 16).astype("float32").reshape(16, 1) if weighted else None
        options = {"batch_size": 4, "shuffle": False, "verbose": 0}
        validation = (X, Y) if weight is None else (X, Y, weight)
        history = model.fit(X, Y, sample_weight=weight, epochs=2, validation_data=validation, **options).history
        histories.append({name: np.asarray(values) for name, values in history.items()})
        histories[-1] |= {f"test_{n}": v for n, v in model.evaluate(X, Y, verbose=0, return_dict=True).items()}
    assert histories[0].keys() == histories[1].keys()
    for name, values in histories[1].items():
        np.testing.assert_allclose(histories[0][name], values, rtol=2e-4, err_msg=name)
