"""Gradients against those computed by hand."""

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.callbacks import GradientMonitor

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(16, 3)).astype("float32"), RNG.normal(size=(16, 2)).astype("float32")


def model():
    made = portanet.Sequential([layers.Input((3,)), layers.Dense(2, kernel_regularizer=portanet.regularizers.L2(0.1))])
    made.compile(portanet.optimizers.SGD(0.0), "mse")
    return made


def test_figures_are_those_of_the_gradient(backend):
    made, weight = model(), RNG.uniform(size=16).astype("float32")
    result = GradientMonitor(X, Y, weight, bins=4).look(made)
    kernel, bias = made.get_weights()
    residual = weight[:, None] * (X @ kernel + bias - Y) / 16  # d/dp of the mean of squares over 2 outputs
    for path, gradient in (("dense/kernel", X.T @ residual + 0.2 * kernel), ("dense/bias", residual.sum(0))):
        figures = result[path]
        assert figures["norm"] == pytest.approx(np.linalg.norm(gradient), rel=1e-4)
        assert figures["std"] == pytest.approx(gradient.std(), rel=1e-4)
        assert figures["counts"].sum() == gradient.size
    assert result["dense/kernel"]["ratio"] == pytest.approx(
        result["dense/kernel"]["norm"] / np.linalg.norm(kernel), rel=1e-4
    )
    assert result["dense/bias"]["ratio"] is None


def test_frozen_weights_have_none_and_training_is_not_touched(backend):
    made = portanet.Sequential(
        [layers.Input((3,)), layers.Dense(4, trainable=False), layers.Dropout(0.5), layers.Dense(2)]
    )
    made.compile("sgd", "mse")
    monitor = GradientMonitor(X, Y, log=["norm"])
    history = made.fit(X, Y, epochs=2, verbose=0, callbacks=[monitor]).history
    assert list(monitor.records[0]) == ["dense_1/kernel", "dense_1/bias"]
    assert len(monitor.records) == 3
    assert history["dense_1/bias/norm"] == [record["dense_1/bias"]["norm"] for record in monitor.records[1:]]
