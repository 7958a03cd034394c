"""Callbacks against Keras on the same logs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portanet import callbacks
from tests.callbacks.scripted import Script, losses

keras = pytest.importorskip("keras")

# Sixteenths are exact, in differences and in float32, in which Keras compares.
SIXTEENTHS = st.integers(-8, 8).map(lambda n: n / 16)
VALUES = st.lists(SIXTEENTHS | st.just(float("inf")), min_size=1, max_size=14)


def play(library: Any, name: str, values: list[float], options: dict[str, Any], **model: Any) -> Script:
    return Script(**model).play(getattr(library, name)(**options), losses(*values))


@given(
    values=VALUES,
    options=st.fixed_dictionaries(
        {
            "patience": st.integers(0, 4),
            "min_delta": st.sampled_from([0, 0.125, -0.125]),
            "mode": st.sampled_from(["auto", "min", "max"]),
            "baseline": st.none() | SIXTEENTHS,
            "restore_best_weights": st.booleans(),
            "start_from_epoch": st.integers(0, 3),
        }
    ),
)
def test_early_stopping(values: list[float], options: dict[str, Any]) -> None:
    ours = play(callbacks, "EarlyStopping", values, options)
    theirs = play(keras.callbacks, "EarlyStopping", values, options)
    assert (ours.stop_training, ours.position.epoch, ours.weights) == (
        theirs.stop_training,
        theirs.position.epoch,
        theirs.weights,
    )


@given(
    values=VALUES,
    options=st.fixed_dictionaries(
        {
            "factor": st.sampled_from([0.5, 0.25]),
            "patience": st.integers(0, 3),
            "mode": st.sampled_from(["auto", "min", "max"]),
            "min_delta": st.sampled_from([0, 0.125]),
            "cooldown": st.integers(0, 3),
            "min_lr": st.sampled_from([0.0, 0.0625]),
        }
    ),
)
def test_reduce_lr_on_plateau(values: list[float], options: dict[str, Any]) -> None:
    ours, theirs = (play(each, "ReduceLROnPlateau", values, options) for each in (callbacks, keras.callbacks))
    assert ours.optimizer.learning_rate == theirs.optimizer.learning_rate


LONG = st.lists(SIXTEENTHS | st.just(float("inf")), min_size=1, max_size=4).flatmap(
    lambda firsts: st.integers(0, 30).map(lambda count: [*firsts, *firsts[-1:] * count])
)


@given(values=LONG)
def test_defaults_act_alike(values: list[float]) -> None:
    ours, theirs = (play(each, "EarlyStopping", values, {}) for each in (callbacks, keras.callbacks))
    assert (ours.stop_training, ours.position.epoch, ours.weights) == (
        theirs.stop_training,
        theirs.position.epoch,
        theirs.weights,
    )
    ours, theirs = (play(each, "ReduceLROnPlateau", values, {}) for each in (callbacks, keras.callbacks))
    assert ours.optimizer.learning_rate == theirs.optimizer.learning_rate


@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("append", [False, True])
def test_csv_logger(tmp_path: Any, separator: str, append: bool) -> None:
    epochs = [{"loss": 0.1, "accuracy": 0.5}, {"loss": 1 / 3, "accuracy": 0.75, "val_loss": 2.0}]
    texts = []
    for library, name in ((callbacks, "ours.csv"), (keras.callbacks, "theirs.csv")):
        for _ in range(2):
            log = library.CSVLogger(str(tmp_path / name), separator=separator, append=append)
            Script().play(log, epochs)
        texts.append((tmp_path / name).read_bytes())
    assert texts[0] == texts[1]
    assert texts[0].count(b"\n") == (5 if append else 3)


@pytest.mark.parametrize("takes_rate", [False, True])
def test_learning_rate_scheduler(takes_rate: bool) -> None:
    schedule = (lambda epoch, rate: rate * 0.7) if takes_rate else (lambda epoch: 1.0 / (epoch + 1))
    ours, theirs = (
        Script().play(each.LearningRateScheduler(schedule), losses(1.0, 1.0, 1.0))
        for each in (callbacks, keras.callbacks)
    )
    assert ours.optimizer.learning_rate == theirs.optimizer.learning_rate
