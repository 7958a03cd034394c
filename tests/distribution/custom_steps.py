"""Steps of a user's own that compute parts of batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import portanet
from portanet import distribution, layers


class Own(portanet.Model):
    """Means of its own and losses of the library beside each other, what a layer adds, a tracker, noise."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.tracker = portanet.metrics.Mean("tracked")
        self.mse = portanet.losses.MeanSquaredError()

    def train_step(self, data: Any) -> Any:
        x, y = data

        def loss_fn() -> Any:
            noise = portanet.random.normal((x.shape[0], x.shape[1]), dtype="float32", seed=3)
            y_pred = self(x + 0.1 * noise, training=True)
            xp = y_pred.__array_namespace__()
            own = xp.mean(xp.sum(xp.square(y_pred - y), axis=-1))
            return own + self.mse(y, y_pred) + self.compute_loss(x, y, y_pred), (own, y_pred)

        (loss, (own, y_pred)), gradients = self.value_and_gradients(loss_fn, has_aux=True)
        self.optimizer.apply(gradients, self.trainable_variables)
        self.tracker.update_state(loss)
        return {"loss": loss, "nested": {"own": own}, **self.compute_metrics(x, y, y_pred)}


class Doubled(portanet.Model):
    """The ordinary step with a loss of its own, of steps that are not masked."""

    def compute_loss(self, *args: Any, **options: Any) -> Any:
        return 2.0 * super().compute_loss(*args, **options)


class Centred(portanet.Model):
    """A weight without a gradient, which is assigned, beside those that are trained."""

    def build(self, shape: Any) -> None:
        self.centre = self.add_weight((shape[-1],), "zeros", name="centre")
        self.inner = layers.Dense(3)

    def call(self, x: Any) -> Any:
        return self.inner(x - self.centre.value)

    def train_step(self, data: Any) -> Any:
        x, y = data
        loss, gradients = self.value_and_gradients(lambda: self.compute_loss(x, y, self(x)), self.inner.weights)
        self.optimizer.apply(gradients, self.inner.weights)
        self.centre.assign(0.9 * self.centre.value + 0.1 * portanet.ops.mean(x, axis=0))
        return {"loss": loss}


class ByHand(portanet.Model):
    """Gradients of a weight that nothing adds up, beside others."""

    def train_step(self, data: Any) -> Any:
        x, y = data
        first, *others = self.trainable_variables
        loss, gradients = self.value_and_gradients(lambda: self.compute_loss(x, y, self(x)), others)
        self.optimizer.apply([first.value, *gradients], [first, *others])
        return {"loss": loss}


class Counting(portanet.metrics.Metric):
    """A metric whose sums are its own."""

    def __init__(self) -> None:
        super().__init__()
        self.count = self.add_weight(name="count")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.count.assign_add(1.0)

    def result(self) -> Any:
        return self.count.value


def own() -> Any:
    from tests.distribution import programs  # which imports this module

    x, y = programs.data(50, 6)
    inputs = layers.Input((6,))
    inner = layers.BatchNormalization(synchronized=True)(layers.Dense(8, kernel_regularizer="l2")(inputs))
    model = Own(inputs, layers.Dense(3, activity_regularizer="l2")(layers.Dropout(0.3)(inner)))
    model.compile("sgd", "mse", metrics=["mae"])
    fit = model.fit(x, np.eye(3, dtype="float32")[y], batch_size=16, epochs=2, verbose=0)
    logs = model.train_on_batch(x, np.eye(3, dtype="float32")[y], return_dict=True)
    return {**programs.record(model, fit.history), "batch": {name: float(value) for name, value in logs.items()}}


def masked() -> Any:
    from tests.distribution import programs  # which imports this module

    generator = np.random.default_rng(0)
    x = generator.integers(1, 9, (50, 5))
    x[:, 3:][generator.random((50, 2)) < 0.5] = 0
    inputs = layers.Input((5,), dtype="int32")
    hidden = layers.GRU(4, return_sequences=True)(layers.Embedding(9, 4, mask_zero=True)(inputs))
    model = Doubled(inputs, layers.Dense(9, activation="softmax", kernel_regularizer="l2")(hidden))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    weight = generator.random(50)
    return programs.record(model, model.fit(x, x, 16, 2, verbose=0, sample_weight=weight).history)


def centred() -> Any:
    from tests.distribution import programs  # which imports this module

    x, y = programs.data(50, 6)
    model = Centred()
    model.compile("sgd", portanet.losses.SparseCategoricalCrossentropy(from_logits=True))
    return programs.record(model, model.fit(x, y, batch_size=16, epochs=2, verbose=0).history)


def refusals() -> list[str]:
    from tests.distribution import programs  # which imports this module

    x, y = programs.data(16, 6)
    inputs, told = layers.Input((6,)), []
    for make, metrics in ((ByHand, []), (Doubled, [Counting()])):
        model = make(inputs, layers.Dense(3)(inputs))
        model.compile("sgd", portanet.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=metrics)
        try:
            model.fit(x, y, batch_size=16, verbose=0)
        except ValueError as error:
            told.append(str(error))
    return told


WORKLOADS: tuple[Callable[[], Any], ...] = (own, masked, centred)


def custom_steps(backend: str = "numpy") -> Any:
    """What both kinds of steps give, and what is refused."""
    shared = distribution.distribution() is not None
    if shared:
        distribution.set_distribution(distribution.DataParallel(custom_steps="parts"))
    results: dict[str, Any] = {}
    with portanet.use_backend(backend):
        for workload in WORKLOADS:
            portanet.random.set_seed(3)
            results[workload.__name__] = workload()
        results["refused"] = refusals() if shared else []
    return results
