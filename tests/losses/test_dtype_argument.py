"""`dtype=` of losses and metrics."""

import numpy as np
import pytest

import portanet
from portanet import losses, metrics
from portanet.backends import get_backend

TRUE, PRED = np.asarray([[1.0], [0.0], [1.0]]), np.asarray([[0.1], [0.2], [0.7]])


@pytest.mark.parametrize("name", ["MeanSquaredError", "BinaryCrossentropy", "Huber", "LogCosh", "Dice", "Hinge"])
def test_losses_compute_in_their_dtype(backend, name):
    plain, chosen = getattr(losses, name)(), getattr(losses, name)(dtype="float64")
    y_true, y_pred = portanet.asarray(TRUE, "float32"), portanet.asarray(PRED, "float32")
    result = chosen(y_true, y_pred)
    assert get_backend().dtype_name(result.dtype) == "float64"
    assert get_backend().dtype_name(plain(y_true, y_pred).dtype) == "float32"
    exact = plain(
        portanet.asarray(TRUE, "float64"), portanet.asarray(PRED.astype("float32").astype("float64"), "float64")
    )
    np.testing.assert_allclose(backend.to_host(result), backend.to_host(exact), rtol=1e-12)
    assert type(chosen).from_config(chosen.get_config()).dtype == "float64"


def test_metrics_return_their_dtype(backend):
    y_true, y_pred = portanet.asarray(TRUE, "float32"), portanet.asarray(PRED, "float32")
    for metric in (
        metrics.MeanSquaredError(dtype="float32"),
        metrics.BinaryAccuracy("b", "float32"),
        metrics.AUC(dtype="float32"),
    ):
        metric.update_state(y_true, y_pred)
        assert metric.result().dtype == "float32"
        assert type(metric).from_config(metric.get_config()).dtype == "float32"
    mean = metrics.Mean(dtype="float16")
    mean.update_state(y_pred)
    np.testing.assert_allclose(mean.result(), np.float16(PRED.mean()), rtol=1e-3)
    assert metrics.MeanSquaredError()(y_true, y_pred).dtype == "float64"


@pytest.mark.parametrize("make", [losses.MeanSquaredError, metrics.MeanSquaredError, metrics.Mean, losses.Tversky])
def test_a_dtype_that_is_none_is_refused(make):
    with pytest.raises(ValueError, match="Argument `dtype` of"):
        make(dtype="float31")
