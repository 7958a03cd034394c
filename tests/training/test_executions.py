"""Epochs of whole executions, `steps_per_execution` of `compile`, and validations by generators."""

import itertools
import warnings

import numpy as np
import pytest

import portanet
from portanet import layers

X = np.random.default_rng(0).normal(size=(20, 4)).astype("float32")
Y = X.sum(axis=1, keepdims=True)


def compiled():
    model = portanet.Sequential([layers.Input((4,)), layers.Dense(1)])
    model.compile("sgd", "mse", steps_per_execution=2)
    return model


def test_steps_per_execution_groups_the_calls_of_callbacks(backend):
    seen = []

    class Note(portanet.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            seen.append(("begin", batch))

        def on_train_batch_end(self, batch, logs=None):
            seen.append(("end", batch))

        def on_test_batch_end(self, batch, logs=None):
            seen.append(("test", batch))

        def on_predict_batch_end(self, batch, logs=None):
            seen.append(("predict", batch))

    model = compiled()
    model.fit(X, Y, batch_size=4, verbose=0, callbacks=[Note()])
    assert seen == [("begin", 0), ("end", 1), ("begin", 2), ("end", 3), ("begin", 4), ("end", 5)]  # as in Keras
    seen.clear()
    model.evaluate(X, Y, batch_size=7, verbose=0, callbacks=[Note()])
    model.predict(X, batch_size=7, callbacks=[Note()])
    assert seen == [("test", 1), ("test", 3), ("predict", 1), ("predict", 3)]


@pytest.mark.parametrize(
    ("source", "steps", "sizes", "warns"),
    [("arrays", 5, [6, 4], 1), ("arrays", 9, [10, 10], 0), ("endless", 5, [6, 6], 0), ("generator", 5, [6, 4], 1)],
)
def test_epochs_have_whole_executions(backend, source, steps, sizes, warns):
    """As in Keras: the number of steps in an epoch is rounded up, and what ends in the last one is no surprise."""

    def batches():
        for _ in range(10) if source == "generator" else itertools.count():
            yield X[:2], Y[:2]

    model, counted = compiled(), []
    note = portanet.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: counted.append(int(portanet.to_host(model.optimizer.iterations)))
    )
    data = {"x": X, "y": Y, "batch_size": 2} if source == "arrays" else {"x": batches()}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(**data, steps_per_epoch=steps, epochs=2, verbose=0, callbacks=[note])
    assert [counted[0], counted[1] - counted[0]] == sizes
    assert len([each for each in caught if "which ends there" in str(each.message)]) == warns
    if source == "endless":
        assert model.predict(batches(), steps=3).shape[0] == 8


@pytest.mark.parametrize(
    ("length", "steps", "means"), [(None, 3, [2, 8 / 3, 10 / 3]), (7, 4, [3, 5, 14 / 3]), (4, None, [3, 1, 1])]
)
def test_validations_by_a_generator_begin_with_its_first_two_batches(length, steps, means):
    """As in Keras, which looks at them before training; here they are 0 and 2."""

    def batches():
        for i in itertools.count() if length is None else range(length):
            yield X[:2], np.full((2, 1), 2 * i, "float32")

    model = portanet.Sequential([layers.Input((4,)), layers.Dense(1, kernel_initializer="zeros", trainable=False)])
    model.compile("sgd", "mae")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        history = model.fit(X, Y, validation_data=batches(), validation_steps=steps, epochs=3, verbose=0).history
    assert history["val_loss"] == pytest.approx(means)
    texts = [str(each.message) for each in caught]
    assert len([text for text in texts if "has ended" in text]) == (2 if steps is None else 0)
    assert len([text for text in texts if "which ends there" in text]) == (1 if length == 7 else 0)


@pytest.mark.parametrize("number", [0, -1, 1.5, "2"])
def test_steps_per_execution_may_be_set_to_positive_integers(number):
    model = compiled()
    model.steps_per_execution = number
    with pytest.raises(ValueError, match="Argument `steps_per_execution` of compile must be a positive integer"):
        model.fit(X, Y, verbose=0)
