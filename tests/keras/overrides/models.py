"""Models: what happens to a batch, and what `fit` and others call."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np

from tests.keras.overrides.cases import Seen, X, Y, case, dense, fitted

WEIGHT = np.linspace(0.5, 2.0, 4, dtype="float32")


def graph(library: Any, cls: Any) -> Any:
    """A model of a class as a graph."""
    inputs = library.layers.Input((3,))
    return cls(inputs, dense(library, kernel_regularizer="l2")(inputs))


def trained(library: Any, cls: Any, **settings: Any) -> Any:
    """What each of the methods of a model with data says."""
    model = graph(library, cls)
    model.compile(**{"optimizer": "sgd", "loss": "mse", "metrics": ["mae"], **settings})
    return (
        fitted(library, model, validation_data=(X, Y), sample_weight=WEIGHT),
        model.evaluate(X, Y, verbose=0, return_dict=True),
        model.predict(X, verbose=0),
        model.train_on_batch(X, Y, return_dict=True),
        model.test_on_batch(X, Y, sample_weight=WEIGHT, return_dict=True),
        model.predict_on_batch(X),
        model.get_weights(),
    )


@case("Model", "train_step")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.Model):  # type: ignore[misc]
        def train_step(self, data: Any) -> Any:
            seen("train_step")
            return {**super().train_step(data), "more": 3.0}

    return trained(library, Own)


@case("Model", "test_step")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.Model):  # type: ignore[misc]
        def test_step(self, data: Any) -> Any:
            seen("test_step")
            return {**super().test_step(data), "more": 3.0}

    return trained(library, Own)


@case("Model", "predict_step")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.Model):  # type: ignore[misc]
        def predict_step(self, data: Any) -> Any:
            seen("predict_step")
            return super().predict_step(data) * 2

    return trained(library, Own)


@case("Model", "compute_loss")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.Model):  # type: ignore[misc]
        def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None, training: Any = True) -> Any:
            seen(f"compute_loss {training} {x is None} {sample_weight is None}")
            loss = super().compute_loss(x, y, y_pred, sample_weight, training)
            return loss + 0.1 * library.ops.mean(y_pred**2)

    return trained(library, Own)


@case("Model", "compute_loss without loss")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.Model):  # type: ignore[misc]
        def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None) -> Any:
            seen("compute_loss")
            return library.ops.mean((library.ops.convert_to_tensor(y) - y_pred) ** 2) + sum(self.losses)

    return trained(library, Own, loss=None)


@case("Model", "compute_metrics")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.Model):  # type: ignore[misc]
        def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
            seen("compute_metrics")
            return {**super().compute_metrics(x, y, y_pred, sample_weight), "double": library.ops.mean(y_pred) * 2}

    return trained(library, Own)


@case("Model", "metrics")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    hidden = library.metrics.Mean(name="hidden")

    class Own(library.Model):  # type: ignore[misc]
        @property
        def metrics(self) -> Any:
            return [*super().metrics, hidden]

        def train_step(self, data: Any) -> Any:
            logs = super().train_step(data)
            hidden.update_state(2.0)
            return {**logs, "hidden": hidden.result()}

    model = graph(library, Own)
    model.compile("sgd", "mse")
    return fitted(library, model), sorted(metric.name for metric in model.metrics)


@case("Model", "reset_metrics, get_metrics_result")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.Model):  # type: ignore[misc]
        def reset_metrics(self) -> None:
            seen("reset_metrics")
            super().reset_metrics()

        def get_metrics_result(self) -> Any:
            seen("get_metrics_result")
            return {**super().get_metrics_result(), "one": 1.0}

    return trained(library, Own)


@case("Model", "make_train_function, make_test_function, make_predict_function")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.Model):  # type: ignore[misc]
        def make_train_function(self, force: bool = False) -> Any:
            seen("make_train_function")
            return super().make_train_function(force)

        def make_test_function(self, force: bool = False) -> Any:
            seen("make_test_function")
            return super().make_test_function(force)

        def make_predict_function(self, force: bool = False) -> Any:
            seen("make_predict_function")
            return super().make_predict_function(force)

    return trained(library, Own)


@case("Model", "fit, evaluate, predict")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    """`fit` evaluates validation data by `evaluate`."""

    class Own(library.Model):  # type: ignore[misc]
        def fit(self, *args: Any, **options: Any) -> Any:
            seen("fit")
            return super().fit(*args, **options)

        def evaluate(self, *args: Any, **options: Any) -> Any:
            seen("evaluate")
            logs = super().evaluate(*args, **options)
            return {**logs, "own": 1.0} if isinstance(logs, dict) else logs

        def predict(self, *args: Any, **options: Any) -> Any:
            seen("predict")
            return super().predict(*args, **options) + 1

    return trained(library, Own)


@case("Model", "compile")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.Model):  # type: ignore[misc]
        def compile(self, optimizer: Any, factor: float = 1.0, **options: Any) -> None:
            seen("compile")
            super().compile(optimizer, loss=lambda y, p: factor * library.ops.mean((y - p) ** 2, axis=-1))

    model = graph(library, Own)
    model.compile("sgd", factor=2.0)
    return fitted(library, model)


@case("Model", "get_compile_config, compile_from_config")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.Model):  # type: ignore[misc]
        def compile(self, optimizer: Any, factor: float) -> None:
            self.factor = factor
            super().compile(optimizer, "mse")

        def get_compile_config(self) -> Any:
            seen("get_compile_config")
            return {"optimizer": "sgd", "factor": self.factor}

        def compile_from_config(self, config: Any) -> None:
            seen("compile_from_config")
            self.compile(**config)

    model = graph(library, Own)
    model.compile("sgd", 2.0)
    model.save(folder / "m.keras")
    loaded = library.saving.load_model(folder / "m.keras", custom_objects={"Own": Own})
    return loaded.factor, fitted(library, loaded)


@case("Model", "build, call, compute_output_shape")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.head = dense(library)

        def build(self, input_shape: Any) -> None:
            seen("build")
            self.head.build(input_shape)
            self.shift = self.add_weight(shape=(1,), initializer="ones", name="shift")
            self.built = True

        def call(self, x: Any, training: bool = False) -> Any:
            seen(f"call {training}")
            return self.head(x) + self.shift

        def compute_output_shape(self, input_shape: Any) -> Any:
            return (input_shape[0], 1)

    model = Own()
    model.compile("sgd", "mse")
    outer = library.Sequential([library.layers.Input((3,)), Own()])
    return fitted(library, model), outer.output_shape, outer.predict(X, verbose=0)


@case("Model", "save, save_weights, get_weights, set_weights")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    """As callbacks call them."""

    class Own(library.Model):  # type: ignore[misc]
        def save(self, *args: Any, **options: Any) -> None:
            seen("save")
            super().save(*args, **options)

        def save_weights(self, *args: Any, **options: Any) -> None:
            seen("save_weights")
            super().save_weights(*args, **options)

        def load_weights(self, *args: Any, **options: Any) -> None:
            seen("load_weights")
            super().load_weights(*args, **options)

        def get_weights(self) -> Any:
            seen("get_weights")
            return super().get_weights()

        def set_weights(self, weights: Any) -> None:
            seen("set_weights")
            super().set_weights(weights)

    model = graph(library, Own)
    model.compile("sgd", "mse")
    callbacks = [
        library.callbacks.ModelCheckpoint(str(folder / "m.keras")),
        library.callbacks.ModelCheckpoint(str(folder / "m.weights.h5"), save_weights_only=True),
        library.callbacks.EarlyStopping("loss", mode="max", patience=1, restore_best_weights=True),
    ]
    return fitted(library, model, epochs=4, callbacks=callbacks)


@case("Model", "get_config, from_config")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.Model):  # type: ignore[misc]
        def __init__(self, units: int, **options: Any) -> None:
            super().__init__(**options)
            self.units = units
            self.head = dense(library, units)

        def call(self, x: Any) -> Any:
            return self.head(x)

        def get_config(self) -> Any:
            seen("get_config")
            return {"units": self.units, "name": self.name}

        @classmethod
        def from_config(cls, config: Any) -> Any:
            seen("from_config")
            return cls(**config)

    model = Own(2, name="named")
    expected = model.predict(X, verbose=0)
    model.save(folder / "m.keras")
    loaded = library.saving.load_model(folder / "m.keras", custom_objects={"Own": Own})
    copy = Own.from_config(model.get_config())
    return loaded.name, loaded.predict(X, verbose=0), copy.units, expected


@case("Model", "add_loss in call")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.head = dense(library)

        def call(self, x: Any) -> Any:
            y = self.head(x)
            self.add_loss(library.ops.mean(y**2))
            return y

    model = Own()
    model.compile("sgd", "mse")
    found = fitted(library, model)
    alone = Own()
    alone.compile("sgd")
    history = alone.fit(X, batch_size=2, epochs=2, shuffle=False, verbose=0).history
    model(library.ops.convert_to_tensor(X))
    return found, history, model.losses, alone.get_weights()


@case("Model", "stateless_compute_loss")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.Model):  # type: ignore[misc]
        def compute_loss(
            self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: Any = True
        ) -> Any:
            seen("compute_loss")
            return super().compute_loss(x, y, y_pred, sample_weight, training) * 2

    model = graph(library, Own)
    model.compile("sgd", "mse")
    model.evaluate(X, Y, verbose=0)
    values = [[v.value for v in group] for group in (
        model.trainable_variables, model.non_trainable_variables, model.metrics_variables)]  # fmt: skip
    tensors = [library.ops.convert_to_tensor(each) for each in (X, Y, X @ np.ones((3, 1), "float32"))]
    return model.stateless_compute_loss(*values, *tensors, training=True)[0]


@case("Sequential", "call, add")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.Sequential):  # type: ignore[misc]
        def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
            seen("call")
            return super().call(inputs, training=training, mask=mask) * 2

        def add(self, layer: Any, **options: Any) -> None:
            seen("add")
            super().add(layer, **options)

    model = Own([library.layers.Input((3,)), dense(library)])
    model.compile("sgd", "mse")
    return fitted(library, model), model.predict(X, verbose=0)


@case("Model", "call of a graph")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            inputs = library.layers.Input((3,))
            super().__init__(inputs, dense(library)(inputs))

        def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
            seen("call")
            return super().call(inputs, training=training, mask=mask) * 2

    model = Own()
    model.compile("sgd", "mse")
    return fitted(library, model), model.predict(X, verbose=0)
