"""Limits of `portanet.config` on epochs and steps."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import pytest

import portanet
from portanet import config
from portanet.backends import Backend

X = np.arange(20.0).reshape(10, 2) / 20
Y = X.sum(axis=1)


@pytest.fixture
def limits() -> Iterator[None]:
    config.set_max_epochs(2)
    config.set_max_steps_per_epoch(3)
    yield
    config.set_max_epochs(None)
    config.set_max_steps_per_epoch(None)


def model() -> portanet.Sequential:
    line = portanet.Sequential([portanet.layers.Input((2,)), portanet.layers.Dense(1, kernel_initializer="zeros")])
    line.compile(portanet.optimizers.SGD(0.1), "mse")
    return line


def test_runs_are_those_with_fewer_epochs_and_steps(backend: Backend, limits: None) -> None:
    limited = model()
    assert (config.max_epochs(), config.max_steps_per_epoch()) == (2, 3)
    options = {"batch_size": 2, "shuffle": False, "verbose": 0}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        history = limited.fit(X, Y, epochs=5, validation_data=(X, Y), **options).history
        loss, predicted = limited.evaluate(X, Y, 2, verbose=0), limited.predict(X, 2)
    names = ("epochs", "steps_per_epoch", "validation_steps", "steps", "steps")
    assert [str(w.message).split("`")[1] for w in caught if "Limiting" in str(w.message)] == list(names)
    config.set_max_epochs(None)
    config.set_max_steps_per_epoch(None)
    free = model()
    with pytest.warns(UserWarning, match="gave 2 batches of steps_per_epoch=3"):
        expected = free.fit(
            X, Y, epochs=2, steps_per_epoch=3, validation_data=(X, Y), validation_steps=3, **options
        ).history
    assert history == expected
    assert loss == free.evaluate(X, Y, 2, verbose=0, steps=3)
    assert np.array_equal(predicted, free.predict(X, 2, steps=3))
    assert len(predicted) == 6


def test_what_is_within_the_limits_is_no_warning(backend: Backend, limits: None) -> None:
    assert len(model().fit(X, Y, epochs=2, batch_size=4, steps_per_epoch=3, verbose=0, shuffle=False).epoch) == 2


@pytest.mark.filterwarnings("ignore:Limiting")
def test_limits_leave_the_size_of_batches(backend: Backend, limits: None) -> None:
    x, y = np.tile(X, (20, 1)), np.tile(Y, 20)
    for steps, split, size in ((None, 0.0, 32), (10, 0.0, 20), (10, 0.5, 10), (None, 0.5, 32)):
        sizes: list[int] = []
        limited = model()
        seen = portanet.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: sizes.append(limited.batch[0].shape[0])  # noqa: B023 -- called at once
        )
        limited.fit(x, y, steps_per_epoch=steps, validation_split=split, callbacks=[seen], verbose=0)
        assert sizes == [size] * 3


@pytest.mark.parametrize("name", ["set_max_epochs", "set_max_steps_per_epoch"])
def test_wrong_limits(name: str) -> None:
    with pytest.raises(ValueError, match=f"`{name[4:]}` of {name} must be a positive integer. Received: {name[4:]}=0"):
        getattr(config, name)(0)
