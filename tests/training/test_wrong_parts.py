"""Parts of compile and fit that would give a wrong number without a word, or stop deep inside."""

import re

import numpy as np
import pytest

import portanet
from portanet import layers, losses, metrics

X, Y = np.ones((4, 2), dtype="float32"), np.ones((4, 1), dtype="float32")


def model(**parts):
    made = portanet.Sequential([layers.Input((2,)), layers.Dense(1, kernel_initializer="zeros")])
    made.compile("sgd", **{"loss": "mse", **parts})
    return made


@pytest.mark.parametrize("loss", [metrics.MeanSquaredError(), metrics.MeanSquaredError, [metrics.Mean()]])
def test_a_metric_is_no_loss(loss):
    with pytest.raises(ValueError, match=r"`loss` of compile must be a loss, .*as metrics=\[\.\.\.\]. Received: loss="):
        model(loss=loss)


@pytest.mark.parametrize("value", ["x", None, (1.0, 2.0)])
def test_what_the_function_of_a_metric_must_return(backend, value):
    mine = metrics.FunctionMetric(lambda y, p: value, name="mine")
    with pytest.raises(TypeError, match=rf"'mine' must .*an array or a number. Received: {re.escape(repr(value))}"):
        model(metrics=[mine]).evaluate(X, Y, verbose=0)


def test_a_metric_named_loss_leaves_the_loss(backend):
    """The loss is 1, the error of zeros; the mean absolute error of twice that is 2."""
    double = metrics.FunctionMetric(lambda y, p: 2 * abs(y - p), name="loss")
    results = model(metrics=[double]).evaluate(X, Y, verbose=0, return_dict=True)
    assert results == pytest.approx({"loss": 1.0, "loss_1": 2.0})


def test_weights_of_classes_are_finite(backend):
    made = portanet.Sequential([layers.Input((2,)), layers.Dense(2, "softmax")])
    made.compile("sgd", losses.SparseCategoricalCrossentropy())
    with pytest.raises(ValueError, match=r"non-negative weights by class number. Received: 1: inf"):
        made.fit(X, np.asarray([0, 1, 1, 0]), class_weight={0: 1.0, 1: float("inf")}, verbose=0)


def test_stateful_layers_say_how_many_examples_fit(backend):
    made = portanet.Sequential([layers.Input(batch_shape=(4, 3, 2)), layers.GRU(2, stateful=True)])
    with pytest.raises(ValueError, match=r"stateful: pass a multiple of 4 examples, in batches of as many. Received"):
        made.predict(np.ones((10, 3, 2)), batch_size=4)


@pytest.mark.parametrize("make", [metrics.F1Score, metrics.FBetaScore])
def test_targets_of_f_scores_are_from_0_to_1(backend, make):
    scores = np.asarray([[0.2, 0.8], [0.6, 0.4]], dtype="float32")
    for wrong in ([[0.0, 3.0], [1.0, 0.0]], [[-1.0, 1.0], [1.0, -1.0]]):
        with pytest.raises(ValueError, match=r"needs values from 0 to 1 as targets. Received: y from"):
            make()(np.asarray(wrong, dtype="float32"), scores)


@pytest.mark.parametrize("make", [layers.LSTMCell, layers.GRUCell, layers.SimpleRNNCell])
def test_states_of_one_example_are_not_stretched(backend, make):
    cell, x = make(2), portanet.asarray(np.ones((3, 4), dtype="float32"))
    for examples in (1, 2):
        states = [portanet.asarray(np.zeros((examples, 2), dtype="float32"))] * (2 if make is layers.LSTMCell else 1)
        with pytest.raises(ValueError, match=rf"states of as many examples as its input, here 3.*\[\({examples}, 2\)"):
            cell(x, states)
