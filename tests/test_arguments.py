"""Arguments without a meaning are refused where they are given, not taken for something else."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import callbacks, initializers, layers, losses, metrics, optimizers, preprocessing, schedules
from portanet.activations import gelu
from portanet.backends import Backend
from portanet.losses import Loss
from portanet.random import streams

REQUIRED: dict[str, Any] = {
    "units": 2,
    "num_bins": 3,
    "num_tokens": 3,
    "init_values": 0.1,
    "projection_dim": 2,
    "output_units": 2,
    "filters": 2,
    "kernel_size": 2,
    "pool_size": 2,
    "num_heads": 2,
    "head_dim": 2,
    "key_dim": 2,
    "num_query_heads": 2,
    "num_key_value_heads": 2,
    "intermediate_dim": 2,
    "input_dim": 2,
    "output_dim": 2,
    "axes": 1,
    "shape": (2,),
    "height": 2,
    "width": 2,
    "num_classes": 2,
    "target_class_ids": [0],
    "centers": 2,
    "learning_rate": 0.1,
    "initial_learning_rate": 0.1,
    "decay_steps": 2,
    "decay_rate": 0.5,
    "filename": "log",
    "filepath": "model",
    "backup_dir": "folder",
    "cell": layers.LSTMCell(2),
    "layer": layers.Dense(2),
    "tied_to": layers.Dense(2),
}


def booleans() -> list[Any]:
    cases = []
    for module in (callbacks, initializers, layers, losses, metrics, optimizers, preprocessing, schedules):
        for name in module.__all__:
            cls = getattr(module, name)
            if not inspect.isclass(cls) or cls in (optimizers.Result, optimizers.Root):
                continue
            parameters = inspect.signature(cls).parameters
            flags = [p.name for p in parameters.values() if p.annotation in ("bool", bool)]
            cases += [pytest.param(cls, flag, id=f"{name}-{flag}") for flag in flags]
    return cases


@pytest.mark.parametrize("value", ["no", 1, None, np.ones(1, dtype=bool)])
@pytest.mark.parametrize(("cls", "flag"), booleans())
def test_every_boolean_argument_is_one(cls: Any, flag: str, value: Any) -> None:
    required = {
        name: REQUIRED[name]
        for name, p in inspect.signature(cls).parameters.items()
        if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD
    }
    if cls is layers.Discretization:
        required["num_bins"] = 3
    if cls is layers.InputLayer:
        required["shape"] = (3,)
    if flag == "pad_to_max_tokens":
        required["max_tokens"] = 9
    for good in (np.False_,) if flag in ("sparse", "ragged") else (True, np.False_):  # arrays are dense
        cls(**required, **{flag: good})
    with pytest.raises(ValueError, match=rf"Argument `{flag}` .*must be True or False\. Received: {flag}="):
        cls(**required, **{flag: value})


def compiled(optimizer: Any = "sgd", loss: Any = "mse") -> Any:
    model = portanet.Sequential([layers.Input((3,)), layers.Dense(1)])
    model.compile(optimizer, loss)
    return model


X, Y = np.ones((8, 3), dtype="float32"), np.ones((8, 1), dtype="float32")

CALLS: dict[str, Callable[[Any], Any]] = {
    "return_dict": lambda v: compiled().evaluate(X, Y, return_dict=v),
    "check_finite": lambda v: compiled().fit(X, Y, check_finite=v),
    "shuffle": lambda v: compiled().fit(X, Y, shuffle=v),
    "auto_scale_loss": lambda v: compiled().compile("sgd", "mse", auto_scale_loss=v),
    "training": lambda v: layers.Dropout(0.5)(X, training=v),
    "trainable": lambda v: setattr(compiled(), "trainable", v),
    "use_causal_mask": lambda v: layers.MultiHeadAttention(1, 2)(X[None], use_causal_mask=v),
    "return_attention_scores": lambda v: layers.Attention()([X[None], X[None]], return_attention_scores=v),
    "approximate": lambda v: gelu(X, approximate=v),
    "expand_nested": lambda v: compiled().summary(expand_nested=v),
}


@pytest.mark.parametrize("flag", CALLS)
def test_booleans_of_calls(flag: str) -> None:
    with pytest.raises(ValueError, match=rf"Argument `{flag}` .*must be True or False\. Received: {flag}='no'"):
        CALLS[flag]("no")


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("epochs", 0),
        ("initial_epoch", -2),
        ("initial_epoch", 0.5),
        ("steps_per_epoch", 0),
        ("validation_steps", 0),
        ("validation_batch_size", 0),
        ("validation_freq", 0),
        ("validation_freq", [0.5]),
        ("batch_size", 0),
        ("prefetch", -1),
    ],
)
def test_counts_of_fit(argument: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"Argument `{argument}` .*integer"):
        compiled().fit(X, Y, validation_data=(X, Y), verbose=0, **{argument: value})


@pytest.mark.parametrize(
    "make",
    [
        lambda: callbacks.EarlyStopping(patience="a"),  # type: ignore[arg-type]
        lambda: callbacks.EarlyStopping(min_delta="a"),  # type: ignore[arg-type]
        lambda: callbacks.EarlyStopping(baseline="a"),  # type: ignore[arg-type]
        lambda: callbacks.ModelCheckpoint("x", initial_value_threshold=math.nan),
        lambda: initializers.RandomUniform(2.0, 1.0),
    ],
)
def test_arguments_of_callbacks_and_initializers(make: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match=r"Argument `.* must be .*Received: "):
        make()


@pytest.mark.parametrize("rate", [-0.1, math.nan, math.inf, "fast", True])
def test_learning_rates_set_later(rate: Any, backend: Backend) -> None:
    for optimizer in (optimizers.SGD(0.1), optimizers.Lookahead("adam"), optimizers.LossScaleOptimizer("adam")):
        before = optimizer.learning_rate
        with pytest.raises(ValueError, match=r"Argument `learning_rate` of \w+ must be .*Received: learning_rate="):
            optimizer.learning_rate = rate
        assert optimizer.learning_rate == before


class Falling(schedules.LearningRateSchedule):
    def value(self, xp: Any, step: Any, dtype: Any) -> Any:
        return 0.3 - 0.1 * xp.astype(step, dtype)


def test_schedules_that_go_below_zero(backend: Backend) -> None:
    model = compiled(optimizers.SGD(Falling()))
    model.fit(X, Y, batch_size=4, verbose=0)  # 0.3, 0.2
    with pytest.raises(ValueError, match=r"must give a non-negative learning rate\. Received: -0\.1.* at step 4 from"):
        model.fit(X, Y, batch_size=2, verbose=0)
    model = compiled(optimizers.SGD(lambda step: math.nan))
    with pytest.raises(ValueError, match=r"must give a non-negative learning rate. Received: nan at step 0"):
        model.fit(X, Y, verbose=0)
    model = compiled("sgd")
    with pytest.raises(ValueError, match=r"Argument `learning_rate`"):
        model.fit(X, Y, verbose=0, callbacks=[callbacks.LearningRateScheduler(lambda epoch: -1.0)])


def test_ranges_of_random_numbers(backend: Backend) -> None:
    step = backend.xp.asarray(0, dtype=backend.xp.int32)
    with pytest.raises(ValueError, match=r"Argument `high` of uniform must be at least `low`. Received: low=2, high=1"):
        streams.uniform(1, step, (3,), low=2, high=1)
    for draw in (streams.normal, streams.truncated_normal):
        with pytest.raises(ValueError, match=r"Argument `stddev` of .* must be a non-negative number"):
            draw(1, step, (3,), stddev=-1.0)


class Three(Loss):
    def call(self, y_true: Any, y_pred: Any) -> Any:
        return (y_pred - y_true)[:3, 0]


@pytest.mark.parametrize("loss", [Three(), lambda true, pred: (pred - true)[:3, 0], lambda true, pred: 3.0])
def test_losses_of_another_number_of_examples(loss: Any, backend: Backend) -> None:
    with pytest.raises(ValueError, match=r"must return an array with the loss of each example, .* 8, .*Received: "):
        compiled(loss=loss).fit(X, Y, verbose=0)


def test_a_loss_may_return_a_single_number(backend: Backend) -> None:
    loss = compiled(loss=lambda true, pred: ((pred - true) ** 2).mean() if backend.name == "numpy" else pred[0, 0] * 0)
    assert loss.evaluate(X, Y, verbose=0) >= 0


@pytest.mark.parametrize("weight", [math.nan, "a"])
def test_weights_of_losses(weight: Any) -> None:
    def train() -> None:
        model = compiled()
        model.compile("sgd", "mse", loss_weights=[weight])
        model.fit(X, Y, verbose=0)

    with pytest.raises(ValueError, match=r"Argument `loss_weights` of compile must be (a finite number|numbers)"):
        train()


def test_predict_proba_needs_probabilities() -> None:
    estimators = pytest.importorskip("portanet.estimators")
    x, y = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 3

    def network(features: int, classes: int) -> portanet.Sequential:
        return portanet.Sequential([layers.Input((features,)), layers.Dense(classes)])

    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    logits = estimators.PortanetClassifier(network, loss=loss, epochs=1).fit(x, y)
    assert logits.predict(x).shape == (40,)
    with pytest.raises(ValueError, match=r"predict_proba needs a model whose outputs are probabilities"):
        logits.predict_proba(x)
    assert np.allclose(estimators.PortanetClassifier(epochs=1).fit(x, y).predict_proba(x).sum(axis=1), 1)
