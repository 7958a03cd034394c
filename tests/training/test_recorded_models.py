"""Whole models whose steps are recorded and replayed: what `fit`, `evaluate` and `predict` give is the same."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, losses, metrics, mixed_precision, optimizers
from tests.recorded.runs import LOSS, Changes, both, recorded

__all__ = ["recorded"]  # the fixture

RNG = np.random.default_rng(1)
COUNT = 10
"""Examples, in batches of four: the last is smaller."""


def numbers(*shape: int) -> Any:
    return RNG.standard_normal((COUNT, *shape)).astype("float32")


LABELS, TOKENS = RNG.integers(0, 3, COUNT).astype("int32"), RNG.integers(1, 7, (COUNT, 5)).astype("int32")
TOKENS[:, 3:] *= RNG.integers(0, 2, (COUNT, 2)).astype("int32")  # some are padded
VECTORS, IMAGES, SERIES, STEPS = numbers(4), numbers(6, 6, 2), numbers(5, 3), numbers(5, 4)


def convolutional() -> Any:
    parts = [
        layers.Conv2D(3, 3, activation="relu"),
        layers.BatchNormalization(),
        layers.MaxPooling2D(),
        layers.Dropout(0.3),
    ]
    return (
        portanet.Sequential([layers.Input((6, 6, 2)), *parts, layers.Flatten(), layers.Dense(3)]),
        IMAGES,
        LABELS,
        LOSS,
    )


def recurrent() -> Any:
    parts = [layers.Embedding(7, 4, mask_zero=True), layers.LSTM(3, return_sequences=True), layers.GRU(3)]
    return portanet.Sequential([layers.Input((5,), dtype="int32"), *parts, layers.Dense(3)]), TOKENS, LABELS, LOSS


def transformer() -> Any:
    x = layers.Input((5, 4))
    h = layers.LayerNormalization()(layers.Add()([x, layers.MultiHeadAttention(2, 2, dropout=0.1)(x, x)]))
    h = layers.Add()([h, layers.Dense(4)(layers.Dense(6, "gelu")(h))])
    return portanet.Model(x, layers.Dense(3)(layers.GlobalAveragePooling1D()(h))), STEPS, LABELS, LOSS


def autoencoder() -> Any:
    parts = [
        layers.Conv2D(3, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2DTranspose(2, 3, strides=2, padding="same"),
        layers.Activation("sigmoid"),
    ]
    images = IMAGES - IMAGES.min()
    return portanet.Sequential([layers.Input((6, 6, 2)), *parts]), images, images / images.max(), "binary_crossentropy"


def several() -> Any:
    a, b = layers.Input((4,), name="a"), layers.Input((5, 3), name="b")
    h = layers.Concatenate()([layers.Dense(4, "tanh")(a), layers.SimpleRNN(3)(b)])
    net = portanet.Model({"a": a, "b": b}, {"c": layers.Dense(3, name="c")(h), "d": layers.Dense(1, name="d")(h)})
    return net, {"a": VECTORS, "b": SERIES}, {"c": LABELS, "d": VECTORS[:, :1]}, {"c": LOSS, "d": "mse"}


class Penalised(portanet.Model):
    """A subclass with a loss and a metric of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = layers.Dense(4, "relu", kernel_regularizer="l2"), layers.Dense(3)

    def call(self, x: Any, training: bool = False) -> Any:
        h = self.first(x)
        self.add_loss(0.01 * portanet.ops.mean(portanet.ops.square(h)))
        return self.last(h)


MODELS: dict[str, Callable[[], Any]] = {
    "convolutional": convolutional,
    "recurrent": recurrent,
    "transformer": transformer,
    "autoencoder": autoencoder,
    "several inputs": several,
    "subclass": lambda: (Penalised(), VECTORS, LABELS, LOSS),
}


def trained(name: str, jit_compile: Any) -> Any:
    """What a model gives: losses, predictions and weights."""
    portanet.random.set_seed(3)
    net, x, y, loss = MODELS[name]()
    net.compile(optimizers.Adam(0.01), loss, jit_compile=jit_compile)
    history = net.fit(x, y, 4, 3, 0, validation_data=(x, y), validation_batch_size=5).history
    return history, net.predict(x, 4), [v.numpy() for v in net.variables]


@pytest.mark.parametrize("name", MODELS)
def test_models(name: str) -> None:
    both(functools.partial(trained, name), least=8)


def mlp(jit_compile: Any, optimizer: Any = "adam", last: int = 3, loss: Any = LOSS, **options: Any) -> Any:
    portanet.random.set_seed(3)
    net = portanet.Sequential([layers.Input((4,)), layers.Dense(5, "relu"), layers.Dense(last)])
    net.compile(optimizer, loss, jit_compile=jit_compile, **options)
    return net


def test_metrics_of_all_kinds() -> None:
    def run(jit_compile: Any) -> Any:
        kinds = ["accuracy", metrics.SparseTopKCategoricalAccuracy(2)]
        net = mlp(jit_compile, metrics=kinds, weighted_metrics=["accuracy"])
        first = net.fit(VECTORS, LABELS, 4, 2, 0, class_weight={0: 1.0, 1: 2.0, 2: 0.5}).history
        weights = np.linspace(0.5, 2.0, COUNT).astype("float32")
        second = net.fit(VECTORS, LABELS, 4, 2, 0, sample_weight=weights).history
        curves = [metrics.AUC(num_thresholds=9), metrics.Precision(), metrics.F1Score(threshold=0.5), metrics.R2Score()]
        other = mlp(jit_compile, "sgd", 1, losses.BinaryCrossentropy(from_logits=True), metrics=curves)
        targets = (LABELS[:, None] > 0).astype("float32")
        return first, second, other.fit(VECTORS, targets, 4, 2, 0, validation_data=(VECTORS, targets)).history

    both(run, least=8)


def test_half_precision_with_a_loss_scale(recorded: Any) -> None:
    if not hasattr(recorded.xp, "float16"):
        pytest.skip("the stand-in has no float16")

    def run(jit_compile: Any) -> Any:
        mixed_precision.set_global_policy("mixed_float16")
        try:
            return mlp(jit_compile).fit(VECTORS, LABELS, 4, 3, 0).history
        finally:
            mixed_precision.set_global_policy(None)

    both(run)


def test_layers_are_frozen_and_thawed_in_mid_training() -> None:
    def switch(net: Any, epoch: int) -> None:
        net.layers[0].trainable = epoch % 2 == 0
        if epoch == 2:
            net.optimizer.learning_rate = 0.05

    def run(jit_compile: Any) -> Any:
        net = mlp(jit_compile, optimizers.Adam(0.01, use_ema=True, gradient_accumulation_steps=2))
        history = net.fit(VECTORS, LABELS, 4, 4, 0, Changes(switch)).history
        return history, [v.numpy() for v in net.variables]

    both(run, least=4)


def test_several_models_and_backends_take_turns(recorded: Any) -> None:
    def run(jit_compile: Any) -> Any:
        nets, curves = [mlp(jit_compile), mlp(jit_compile, "sgd")], []
        for _ in range(3):
            curves += [net.fit(VECTORS, LABELS, 4, 1, 0).history for net in nets]
            with portanet.use_backend("numpy"):
                curves.append(mlp(jit_compile).fit(VECTORS, LABELS, 4, 1, 0).history)
            nets[0].to("numpy")
            curves.append(nets[0].evaluate(VECTORS, LABELS, 4, 0, return_dict=True))
            nets[0].to(recorded)
        return curves, [net.predict(VECTORS, 4) for net in nets]

    both(run, least=6)
