"""Optimizers, schedules, callbacks and data."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np

from tests.keras.overrides.cases import Seen, X, Y, case, dense, fitted


def trained(library: Any, optimizer: Any, **options: Any) -> Any:
    """What training with an optimizer says; the model, and its history."""
    model = library.Sequential([library.layers.Input((3,)), dense(library)])
    model.compile(optimizer, "mse")
    return model, fitted(library, model, **options)


def momentum(library: Any, seen: Seen) -> Any:
    """A class of optimizers."""

    class Own(library.optimizers.Optimizer):  # type: ignore[misc]
        def __init__(self, learning_rate: Any = 0.1, rho: float = 0.5, **options: Any) -> None:
            super().__init__(learning_rate=learning_rate, **options)
            self.rho = rho

        def build(self, variables: Any) -> None:
            seen("build")
            if self.built:
                return
            super().build(variables)
            self.velocities = [self.add_variable_from_reference(v, name="velocity") for v in variables]

        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            seen("update_step")
            v = self.velocities[self._get_variable_index(variable)]
            rate = library.ops.cast(learning_rate, variable.dtype)
            self.assign(v, v * self.rho + gradient)
            self.assign_sub(variable, rate * v)

        def get_config(self) -> Any:
            seen("get_config")
            return {**super().get_config(), "rho": self.rho}

        @classmethod
        def from_config(cls, config: Any) -> Any:
            seen("from_config")
            return cls(**{**config, "rho": config["rho"] / 2})

    return Own


@case("Optimizer", "build, update_step, get_config, from_config")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    cls = momentum(library, seen)
    model, found = trained(library, cls(0.1, clipnorm=0.5, weight_decay=0.01))
    model.save(folder / "m.keras")
    loaded = library.saving.load_model(folder / "m.keras", custom_objects={"Own": cls})
    optimizer = cls(0.1)
    variable = library.Variable(np.ones(2, "float32"))
    optimizer.apply_gradients([(library.ops.convert_to_tensor(np.ones(2, "float32")), variable)])
    optimizer.apply([library.ops.convert_to_tensor(np.ones(2, "float32"))], [variable])
    return found, loaded.optimizer.rho, fitted(library, loaded), variable, int(optimizer.iterations)


@case("SGD", "update_step")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.optimizers.SGD):  # type: ignore[misc]
        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            seen("update_step")
            super().update_step(gradient * 2, variable, learning_rate)

    return trained(library, Own(0.1))[1]


@case("Adam", "apply")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.optimizers.Adam):  # type: ignore[misc]
        def apply(self, grads: Any, trainable_variables: Any = None) -> Any:
            seen("apply")
            return super().apply([g * 0.5 for g in grads], trainable_variables)

    return trained(library, Own(0.1, epsilon=1.0))[1]


@case("Adam", "apply_gradients")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    """Which `fit` does not call on every backend of Keras; but a user's step does."""

    class Own(library.optimizers.SGD):  # type: ignore[misc]
        def apply_gradients(self, grads_and_vars: Any) -> Any:
            seen("apply_gradients")
            return super().apply_gradients([(g * 0.5, v) for g, v in grads_and_vars])

    variable = library.Variable(np.ones(2, "float32"))
    Own(0.1).apply_gradients([(library.ops.convert_to_tensor(np.ones(2, "float32")), variable)])
    return variable


@case("Adam", "scale_loss, learning_rate")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.optimizers.SGD):  # type: ignore[misc]
        def scale_loss(self, loss: Any) -> Any:
            seen("scale_loss")
            return super().scale_loss(loss) * 2

    return trained(library, Own(0.1))[1]


@case("Adam", "finalize_variable_values")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.optimizers.SGD):  # type: ignore[misc]
        def finalize_variable_values(self, var_list: Any) -> None:
            seen("finalize_variable_values")
            super().finalize_variable_values(var_list)

    return trained(library, Own(0.1, use_ema=True))[1]


@case("Optimizer", "save_own_variables, load_own_variables")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.optimizers.Adam):  # type: ignore[misc]
        def save_own_variables(self, store: Any) -> None:
            seen("save_own_variables")
            super().save_own_variables(store)

        def load_own_variables(self, store: Any) -> None:
            seen("load_own_variables")
            super().load_own_variables(store)

    model, found = trained(library, Own(0.1))
    model.save(folder / "m.keras")
    loaded = library.saving.load_model(folder / "m.keras", custom_objects={"Own": Own})
    return found, fitted(library, loaded)


@case("LearningRateSchedule", "__call__, get_config")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
        def __init__(self, first: float) -> None:
            self.first = first

        def __call__(self, step: Any) -> Any:
            seen("called")
            return self.first / (library.ops.cast(step, "float32") + 1)

        def get_config(self) -> Any:
            seen("get_config")
            return {"first": self.first}

    model, found = trained(library, library.optimizers.SGD(Own(0.1)))
    rate = library.ops.convert_to_numpy(model.optimizer.learning_rate)
    model.save(folder / "m.keras")
    loaded = library.saving.load_model(folder / "m.keras", custom_objects={"Own": Own})
    return found, rate, fitted(library, loaded)


HOOKS = [
    *(f"on_{kind}_{end}" for kind in ("train", "test", "predict") for end in ("begin", "end")),
    *(f"on_{kind}_batch_{end}" for kind in ("train", "test", "predict") for end in ("begin", "end")),
    *("on_epoch_begin", "on_epoch_end"),
]


def recording(seen: Seen, name: str) -> Any:
    """A hook that says that it was called, and with what."""

    def hook(self: Any, *args: Any, logs: Any = None) -> None:
        number, given = [each for each in args if isinstance(each, int)], args[-1] if logs is None else logs
        seen(f"{name} {number} {sorted(given or ())}")

    return hook


@case("Callback", "every hook")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    cls = type("Own", (library.callbacks.Callback,), {name: recording(seen, name) for name in HOOKS})
    model, found = trained(library, "sgd", callbacks=[cls()], validation_data=(X, Y))
    model.evaluate(X, Y, batch_size=2, verbose=0, callbacks=[cls()])
    model.predict(X, batch_size=2, verbose=0, callbacks=[cls()])
    return found


@case("Callback", "on_batch_begin, on_batch_end, set_model, set_params")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.callbacks.Callback):  # type: ignore[misc]
        def on_batch_begin(self, batch: int, logs: Any = None) -> None:
            seen(f"on_batch_begin {batch}")

        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            seen(f"on_batch_end {batch} {sorted(logs)}")

        def set_model(self, model: Any) -> None:
            seen("set_model")
            super().set_model(model)

        def set_params(self, params: Any) -> None:
            seen(f"set_params {params['epochs']} {params['steps']} {params['verbose']}")
            super().set_params(params)

    return trained(library, "sgd", callbacks=[Own()])[1]


@case("Callback", "model.stop_training, weights in a hook")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.callbacks.Callback):  # type: ignore[misc]
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.model.layers[0].bias.assign(self.model.layers[0].bias * 0.5)

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            logs["own"] = 3.0
            self.model.optimizer.learning_rate = self.model.optimizer.learning_rate * 0.5
            self.model.stop_training = epoch == 1

    return trained(library, "sgd", epochs=5, callbacks=[Own()])[1]


@case("EarlyStopping", "on_epoch_end, get_monitor_value")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.callbacks.EarlyStopping):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            seen("on_epoch_end")
            super().on_epoch_end(epoch, logs)

        def get_monitor_value(self, logs: Any) -> Any:
            seen("get_monitor_value")
            return 1.0

    return trained(library, "sgd", epochs=6, callbacks=[Own("loss", patience=2)])[1]


@case("PyDataset", "__getitem__, __len__, on_epoch_begin, on_epoch_end")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.utils.PyDataset):  # type: ignore[misc]
        def __len__(self) -> int:
            seen("len")
            return 2

        def __getitem__(self, index: int) -> Any:
            seen(f"item {index}")
            part = slice(2 * index, 2 * index + 2)
            return X[part], Y[part]

        def on_epoch_begin(self) -> None:
            seen("on_epoch_begin")

        def on_epoch_end(self) -> None:
            seen("on_epoch_end")

    model = library.Sequential([library.layers.Input((3,)), dense(library)])
    model.compile("sgd", "mse")
    history = model.fit(Own(), epochs=3, shuffle=False, verbose=0).history
    return history, model.evaluate(Own(), verbose=0), model.predict(Own(), verbose=0)


@case("PyDataset", "num_batches")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.utils.PyDataset):  # type: ignore[misc]
        @property
        def num_batches(self) -> int:
            seen("num_batches")
            return 2

        def __getitem__(self, index: int) -> Any:
            part = slice(2 * index, 2 * index + 2)
            return X[part], Y[part], np.ones(2, "float32")

    model = library.Sequential([library.layers.Input((3,)), dense(library)])
    model.compile("sgd", "mse")
    return model.fit(Own(), epochs=2, shuffle=False, verbose=0).history, model.predict(Own(), verbose=0)


@case("LSTMCell", "call, build, get_initial_state")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.layers.Layer):  # type: ignore[misc]
        def __init__(self, units: int, **options: Any) -> None:
            super().__init__(**options)
            self.units = self.state_size = self.output_size = units

        def build(self, input_shape: Any) -> None:
            seen(f"build {tuple(input_shape)}")
            self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="ones", name="w")
            self.built = True

        def call(self, inputs: Any, states: Any, training: Any = None) -> Any:
            seen("call")
            h = library.ops.tanh(library.ops.matmul(inputs, self.w) + states[0])
            return h, [h]

        def get_initial_state(self, batch_size: Any = None) -> Any:
            seen("get_initial_state")
            return [library.ops.ones((batch_size, self.units))]

        def get_config(self) -> Any:
            return {**super().get_config(), "units": self.units}

    inputs = library.layers.Input((4, 3))
    model = library.Model(inputs, library.layers.RNN(Own(2), return_sequences=True)(inputs))
    x = np.linspace(-1, 1, 24, dtype="float32").reshape(2, 4, 3)
    found = model.predict(x, verbose=0)
    model.save(folder / "m.keras")
    loaded = library.saving.load_model(folder / "m.keras", custom_objects={"Own": Own})
    return found, loaded.predict(x, verbose=0)


@case("LSTMCell", "call of a built-in")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.layers.SimpleRNNCell):  # type: ignore[misc]
        def call(self, sequence: Any, states: Any, training: bool = False) -> Any:
            seen("call")
            out, new = super().call(sequence, states, training=training)
            return out * 2, new

    options = {"kernel_initializer": "ones", "recurrent_initializer": "ones"}
    x = library.ops.convert_to_tensor(np.linspace(-1, 1, 24, dtype="float32").reshape(2, 4, 3))
    stacked = library.layers.RNN([Own(2, **options), Own(2, **options)])
    return library.layers.RNN(Own(2, **options), return_sequences=True)(x), stacked(x)


@case("SeedGenerator", "next")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.random.SeedGenerator):  # type: ignore[misc]
        def next(self, ordered: bool = True) -> Any:
            seen("next")
            return super().next(ordered)

    library.random.normal((2,), seed=Own(1))
    return None
