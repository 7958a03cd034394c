"""Metrics as pure functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet import layers, metrics, models
from tests.support import asarray, assert_close, to_numpy

Y = np.asarray([[1.0], [0.0], [1.0], [1.0]], "float32")
P = np.asarray([[0.75], [0.5], [0.25], [1.0]], "float32")


class Counting(metrics.Metric):
    """Variables of its own, one of which does not begin with 0."""

    def __init__(self) -> None:
        super().__init__()
        self.count = self.add_weight(name="count")
        self.peak = self.add_weight(shape=(1,), name="peak")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.count.assign_add(float(y_pred.shape[0]))
        self.peak.assign(self.peak.value + y_pred[0, ...])

    def result(self) -> Any:
        return self.count.value


@pytest.mark.parametrize("make", [metrics.BinaryAccuracy, metrics.AUC, metrics.TruePositives, Counting])
def test_it_is_the_metric_and_changes_nothing(backend: Any, make: Any) -> None:
    metric, plain = make(), make()

    def update(sums: Any, y: Any, p: Any) -> Any:
        return metric.stateless_update_state(sums, y, p)

    compiled, sums = backend.compile(update), metric.stateless_reset_state()
    for half in (slice(0, 2), slice(2, 4)):
        y, p = asarray(Y[half]), asarray(P[half])
        sums = compiled(sums, y, p) if sums else update(sums, y, p)
        plain.update_state(y, p)
    result = metric.stateless_result(sums)
    expected = plain.result()
    expected = to_numpy(expected) if backend.owns(expected) else np.asarray(expected)
    np.testing.assert_allclose(to_numpy(result), expected, rtol=1e-6)
    assert metric.totals is None or all(float(to_numpy(v).sum()) == 0 for v in metric.totals)


def test_weights_are_passed_on(xp: Any) -> None:
    metric = metrics.BinaryAccuracy()
    sums = metric.stateless_update_state([], asarray(Y), asarray(P), sample_weight=asarray([1.0, 1.0, 2.0, 0.0]))
    assert_close(metric.stateless_result(sums), 0.5)


def test_a_loop_assigns_the_variables(backend: Any) -> None:
    metric, plain = metrics.Precision(), metrics.Precision()
    arrays = [variable.value for variable in metric.variables]
    for half in (slice(0, 2), slice(2, 4)):
        arrays = metric.stateless_update_state(arrays, asarray(Y[half]), asarray(P[half]))
        plain.update_state(asarray(Y[half]), asarray(P[half]))
    assert all(backend.owns(array) for array in arrays)
    for variable, array in zip(metric.variables, arrays, strict=True):
        variable.assign(array)
    assert metric.result() == plain.result() == 1.0
    assert_close(metric.true_positives.value, [2.0])
    metric.update_state(asarray(Y), asarray(1 - P))
    assert metric.true_positives.numpy().tolist() == [3.0]
    metric.reset_state()
    assert [variable.numpy().tolist() for variable in metric.variables] == [[0.0], [0.0]]


def test_sums_that_data_shape() -> None:
    metric, hot, scores = metrics.F1Score(), np.eye(3)[[0, 1]], np.asarray([[0.5, 0.1, 0.4], [0.7, 0.2, 0.1]])
    assert metric.variables == metric.stateless_reset_state() == []
    arrays = metric.stateless_update_state([], hot, scores)
    arrays = metric.stateless_update_state(arrays, hot, scores)
    np.testing.assert_allclose(metric.stateless_result(arrays), metric(hot, scores))
    metric.reset_state()
    assert [variable.shape for variable in metric.variables] == [(3,), (3,), (3,)]
    with pytest.raises(AttributeError, match="'F1Score' object has no attribute 'nothing'"):
        metric.nothing  # noqa: B018


def test_variables_of_metrics_in_attributes(backend: Any) -> None:
    class Both(Counting):
        def __init__(self) -> None:
            super().__init__()
            self.inner = [metrics.BinaryAccuracy()]

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            super().update_state(y_true, y_pred)
            self.inner[0].update_state(y_true, y_pred)

        def result(self) -> Any:
            return self.inner[0].result() * 4

    metric = Both()
    assert [variable.name for variable in metric.variables] == ["count", "peak", "total", "count"]
    arrays = metric.stateless_update_state(metric.variables, asarray(Y), asarray(P))
    assert [float(to_numpy(array).sum()) for array in arrays] == [4.0, 0.75, 3.0, 4.0]
    assert_close(metric.stateless_result(arrays), 3.0)
    assert not metric.inner[0].has_data
    metric.update_state(asarray(Y), asarray(P))
    assert float(metric.result()) == 3.0
    metric.reset_state()
    assert not metric.inner[0].has_data
    model = models.Sequential([layers.Input((1,)), layers.Activation("linear")])
    model.compile(loss="mse", metrics=[metric])
    assert model.evaluate(asarray(P), asarray(Y), batch_size=2, verbose=0)[1] == pytest.approx(3.0)


def test_a_metric_made_of_others_is_logged(backend: Any) -> None:
    class Mean(metrics.Metric):
        def __init__(self) -> None:
            super().__init__(name="both")
            self.parts = [metrics.Precision(), metrics.Recall()]

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            for part in self.parts:
                part.update_state(y_true, y_pred, sample_weight)

        def result(self) -> Any:
            return (self.parts[0].result() + self.parts[1].result()) / 2

    model = models.Sequential([layers.Input((1,)), layers.Activation("linear")])
    model.compile(loss="mse", metrics=[Mean()])
    logs = model.evaluate(asarray(P), asarray(Y), batch_size=2, verbose=0, return_dict=True)
    assert logs["both"] == pytest.approx((1 + 2 / 3) / 2)


def test_lists_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match=r"`metric_variables` of metric 'counting' must hold .* 2. Received: 1"):
        Counting().stateless_result([np.zeros(())])
