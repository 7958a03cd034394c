"""Losses, metrics, regularizers, constraints and initializers."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np

from tests.keras.overrides.cases import Seen, X, Y, case, dense, fitted

WEIGHT = np.linspace(0.5, 2.0, 4, dtype="float32")


def model_with(library: Any, **settings: Any) -> Any:
    """A compiled model of one layer."""
    model = library.Sequential([library.layers.Input((3,)), dense(library)])
    model.compile(**{"optimizer": "sgd", "loss": "mse", **settings})
    return model


def reloaded(library: Any, model: Any, folder: pathlib.Path, **classes: Any) -> Any:
    """What the model from a file says of data."""
    model.save(folder / "m.keras")
    loaded = library.saving.load_model(folder / "m.keras", custom_objects=classes)
    return loaded.evaluate(X, Y, sample_weight=WEIGHT, verbose=0, return_dict=True)


@case("Loss", "call, get_config")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.losses.Loss):  # type: ignore[misc]
        def __init__(self, factor: float = 2.0, name: str = "own", reduction: Any = "sum_over_batch_size") -> None:
            super().__init__(name=name, reduction=reduction)
            self.factor = factor

        def call(self, y_true: Any, y_pred: Any) -> Any:
            seen("call")
            return library.ops.mean((y_true - y_pred) ** 2, axis=-1) * self.factor

        def get_config(self) -> Any:
            seen("get_config")
            return {**super().get_config(), "factor": self.factor}

    model = model_with(library, loss=Own(3.0))
    found = fitted(library, model, sample_weight=WEIGHT)
    by_hand = [Own(reduction=r)(Y, Y * 2, sample_weight=WEIGHT) for r in ("sum", None, "mean", "sum_over_batch_size")]
    return found, by_hand, reloaded(library, model, folder, Own=Own)


@case("Loss", "__call__")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.losses.Loss):  # type: ignore[misc]
        def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
            seen("called")
            return library.ops.mean(library.ops.abs(y_true - y_pred)) * 3

        def call(self, y_true: Any, y_pred: Any) -> Any:
            seen("call")
            return y_pred

    return fitted(library, model_with(library, loss=Own()), sample_weight=WEIGHT)


@case("MeanSquaredError", "call")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.losses.MeanSquaredError):  # type: ignore[misc]
        def call(self, y_true: Any, y_pred: Any) -> Any:
            seen("call")
            return super().call(y_true, y_pred) * 2

    model = model_with(library, loss=Own())
    return fitted(library, model, sample_weight=WEIGHT), Own()(Y, Y * 3)


@case("Metric", "update_state, result, reset_state, get_config")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.metrics.Metric):  # type: ignore[misc]
        def __init__(self, power: float = 1.0, name: str = "own", **options: Any) -> None:
            super().__init__(name=name, **options)
            self.power = power
            self.total = self.add_weight(name="total", initializer="zeros")
            self.count = self.add_variable(shape=(), initializer="zeros", name="count")

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            seen(f"update_state {sample_weight is None}")
            values = library.ops.abs(library.ops.cast(y_true, y_pred.dtype) - y_pred) ** self.power
            self.total.assign_add(library.ops.sum(values))
            self.count.assign(self.count + 1)

        def result(self) -> Any:
            seen("result")
            return self.total / library.ops.maximum(self.count, 1)

        def reset_state(self) -> None:
            seen("reset_state")
            self.total.assign(0.0)
            self.count.assign(0.0)

        def get_config(self) -> Any:
            return {**super().get_config(), "power": self.power}

    model = model_with(library, metrics=[Own(2.0)], weighted_metrics=[Own(1.0, "weighted")])
    found = fitted(library, model, sample_weight=WEIGHT)
    metric = Own()
    tensors = [library.ops.convert_to_tensor(each) for each in (Y, Y * 2)]
    state = metric.stateless_update_state(metric.variables, *tensors)
    return (
        found,
        metric.stateless_result(state),
        metric.stateless_reset_state(),
        metric.result(),
        metric(*tensors),
        [variable.name for variable in metric.variables],
        reloaded(library, model, folder, Own=Own),
    )


@case("Mean", "update_state, result")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.metrics.Mean):  # type: ignore[misc]
        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            seen("update_state")
            super().update_state(library.ops.abs(y_true - y_pred), sample_weight=sample_weight)

        def result(self) -> Any:
            seen("result")
            return super().result() * 10

    return fitted(library, model_with(library, metrics=[Own(name="own")]))


@case("MeanSquaredError metric", "update_state, reset_state")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.metrics.MeanSquaredError):  # type: ignore[misc]
        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
            seen("update_state")
            return super().update_state(y_true * 2, y_pred, sample_weight)

        def reset_state(self) -> None:
            seen("reset_state")
            super().reset_state()

    return fitted(library, model_with(library, metrics=[Own(name="own")]))


@case("MeanMetricWrapper", "get_config")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    def distance(y_true: Any, y_pred: Any) -> Any:
        seen("function")
        return library.ops.mean(library.ops.abs(y_true - y_pred), axis=-1)

    class Own(library.metrics.MeanMetricWrapper):  # type: ignore[misc]
        def __init__(self, name: str = "own", dtype: Any = None) -> None:
            super().__init__(distance, name=name, dtype=dtype)

        def get_config(self) -> Any:
            return {"name": self.name, "dtype": self.dtype}

    model = model_with(library, metrics=[Own()])
    return fitted(library, model, sample_weight=WEIGHT), reloaded(library, model, folder, Own=Own)


@case("Regularizer", "__call__, get_config, from_config")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.regularizers.Regularizer):  # type: ignore[misc]
        def __init__(self, factor: float) -> None:
            self.factor = factor

        def __call__(self, x: Any) -> Any:
            seen("called")
            return self.factor * library.ops.sum(x**4)

        def get_config(self) -> Any:
            seen("get_config")
            return {"factor": self.factor}

        @classmethod
        def from_config(cls, config: Any) -> Any:
            seen("from_config")
            return cls(config["factor"] * 2)

    model = library.Sequential([library.layers.Input((3,)), dense(library, kernel_regularizer=Own(0.1))])
    model.compile("sgd", "mse")
    found = fitted(library, model)
    return found, model.losses, reloaded(library, model, folder, Own=Own)


@case("Constraint", "__call__, get_config")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.constraints.Constraint):  # type: ignore[misc]
        def __init__(self, most: float = 0.5) -> None:
            self.most = most

        def __call__(self, w: Any) -> Any:
            seen("called")
            return library.ops.minimum(w, self.most)

        def get_config(self) -> Any:
            seen("get_config")
            return {"most": self.most}

    model = library.Sequential([library.layers.Input((3,)), dense(library, kernel_constraint=Own(0.4))])
    model.compile("sgd", "mse")
    found = fitted(library, model)
    model.save(folder / "m.keras")
    loaded = library.saving.load_model(folder / "m.keras", custom_objects={"Own": Own})
    return found, loaded.layers[0].kernel_constraint.most


@case("Initializer", "__call__, get_config, clone")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.initializers.Initializer):  # type: ignore[misc]
        def __init__(self, value: float) -> None:
            self.value = value

        def __call__(self, shape: Any, dtype: Any = None) -> Any:
            seen(f"called {tuple(shape)} {dtype is None}")
            return library.ops.ones(shape, dtype=dtype) * self.value

        def get_config(self) -> Any:
            seen("get_config")
            return {"value": self.value}

    layer = library.layers.Dense(2, kernel_initializer=Own(3.0), bias_initializer=Own(1.0))
    model = library.Sequential([library.layers.Input((3,)), layer])
    model.save(folder / "m.keras")
    loaded = library.saving.load_model(folder / "m.keras", custom_objects={"Own": Own})
    return model.get_weights(), loaded.layers[0].kernel_initializer.value, Own(2.0).clone().value, X
