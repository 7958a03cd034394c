"""Layers."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np

from tests.keras.overrides.cases import Seen, X, case, dense, fitted


def saved(library: Any, model: Any, folder: pathlib.Path, **classes: Any) -> Any:
    """The model from a file."""
    model.save(folder / "m.keras")
    return library.saving.load_model(folder / "m.keras", custom_objects=classes)


def around(library: Any, layer: Any) -> Any:
    """A graph of one layer between others."""
    inputs = library.layers.Input((3,))
    return library.Model(inputs, dense(library)(layer(inputs)))


@case("Layer", "__call__")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.layers.Dense):  # type: ignore[misc]
        def __call__(self, *args: Any, **options: Any) -> Any:
            seen("called")
            return super().__call__(*args, **options) * 2

    return around(library, Own(2, kernel_initializer="ones")).predict(X, verbose=0)


@case("Layer", "call, build")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.Layer):  # type: ignore[misc]
        def build(self, input_shape: Any) -> None:
            seen(f"build {tuple(input_shape)}")
            self.w = self.add_weight(shape=(input_shape[-1], 2), initializer="ones")

        def call(self, x: Any, training: bool = False) -> Any:
            seen(f"call {training}")
            return library.ops.matmul(x, self.w) + (1.0 if training else 0.0)

    model = around(library, Own())
    model.compile("sgd", "mse")
    return fitted(library, model), model.predict(X, verbose=0)


@case("Layer", "build of several inputs")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.Layer):  # type: ignore[misc]
        def build(self, first_shape: Any, second_shape: Any) -> None:
            seen(f"{tuple(first_shape)} {tuple(second_shape)}")
            self.w = self.add_weight(shape=(first_shape[-1], second_shape[-1]), initializer="ones")

        def call(self, first: Any, second: Any) -> Any:
            return library.ops.matmul(first, self.w) + second

        def compute_output_shape(self, first_shape: Any, second_shape: Any) -> Any:
            seen("compute_output_shape")
            return second_shape

    a, b = library.layers.Input((3,)), library.layers.Input((2,))
    model = library.Model([a, b], Own()(a, b))
    return model.output_shape, model.predict([X, X[:, :2]], verbose=0)


@case("Layer", "compute_output_shape")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.Layer):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            if not isinstance(x, library.KerasTensor):
                seen("call on arrays")
            return library.ops.concatenate([x, x], axis=-1)

        def compute_output_shape(self, input_shape: Any) -> Any:
            seen("compute_output_shape")
            return (*input_shape[:-1], 2 * input_shape[-1])

    layer = Own()
    inputs = library.layers.Input((3,))
    return tuple(layer(inputs).shape), layer.compute_output_shape((5, 4)), around(library, Own()).predict(X, verbose=0)


@case("Layer", "compute_output_spec")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.Layer):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return library.ops.cast(x[:, :2] > 0, "int32")

        def compute_output_spec(self, x: Any) -> Any:
            seen("compute_output_spec")
            return library.KerasTensor((x.shape[0], 2), dtype="int32")

    inputs = library.layers.Input((3,))
    out = Own()(inputs)
    return tuple(out.shape), str(out.dtype), library.Model(inputs, out).predict(X, verbose=0)


@case("Layer", "compute_mask")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.Layer):  # type: ignore[misc]
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.supports_masking = True

        def call(self, x: Any) -> Any:
            return x[:, 1:]

        def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
            seen("compute_mask")
            return None if mask is None else mask[:, 1:]

    inputs = library.layers.Input((4,), dtype="int32")
    x = library.layers.Embedding(5, 3, mask_zero=True, embeddings_initializer="ones")(inputs)
    x = Own()(x)
    x = library.layers.GlobalAveragePooling1D()(library.layers.Lambda(lambda y: y)(x))
    steps = np.array([[1, 2, 0, 0], [0, 0, 3, 1]], "int32")
    return library.Model(inputs, x).predict(steps, verbose=0)


@case("Layer", "compute_mask that makes one")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.Layer):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return x * 2

        def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
            seen("compute_mask")
            return library.ops.any(library.ops.not_equal(inputs, 0.0), axis=-1)

    class Reader(library.Layer):  # type: ignore[misc]
        def call(self, x: Any, mask: Any = None) -> Any:
            seen(f"mask {mask is not None}")
            return x if mask is None else library.ops.sum(x * library.ops.cast(mask, "float32")[..., None], axis=1)

    inputs = library.layers.Input((4, 3))
    model = library.Model(inputs, Reader()(Own()(inputs)))
    x = np.ones((2, 4, 3), "float32")
    x[0, 2:] = 0
    return model.predict(x, verbose=0), Reader()(Own()(library.ops.convert_to_tensor(x)))


@case("Layer", "get_config, from_config")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.layers.Dense):  # type: ignore[misc]
        def __init__(self, units: int, factor: float = 1.0, **options: Any) -> None:
            super().__init__(units, **options)
            self.factor = factor

        def call(self, x: Any) -> Any:
            return super().call(x) * self.factor

        def get_config(self) -> dict[str, Any]:
            seen("get_config")
            return {**super().get_config(), "factor": self.factor + 1}

        @classmethod
        def from_config(cls, config: dict[str, Any]) -> Any:
            seen("from_config")
            return cls(**{**config, "factor": config["factor"] * 2})

    model = around(library, Own(2, 3.0, kernel_initializer="ones"))
    copies = library.models.clone_model(model), saved(library, model, folder, Own=Own)
    found = [copy.layers[1].factor for copy in copies]
    copies[0].set_weights(model.get_weights())
    return found, [copy.predict(X, verbose=0) for copy in copies]


@case("Layer", "get_build_config, build_from_config")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.Layer):  # type: ignore[misc]
        def build(self, input_shape: Any) -> None:
            self.w = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="w")

        def late(self) -> None:
            self.extra = self.add_weight(shape=(3,), initializer="ones", name="extra")

        def call(self, x: Any) -> Any:
            return x * self.w + (self.extra if hasattr(self, "extra") else 0.0)

        def get_build_config(self) -> dict[str, Any]:
            seen("get_build_config")
            return {"input_shape": [None, 3], "late": hasattr(self, "extra")}

        def build_from_config(self, config: dict[str, Any]) -> None:
            seen(f"build_from_config {config['late']}")
            self.build(config["input_shape"])
            self.built = True
            if config["late"]:
                self.late()

    layer = Own()
    model = around(library, layer)
    return saved(library, model, folder, Own=Own).predict(X, verbose=0)


@case("Layer", "save_own_variables, load_own_variables")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.layers.Dense):  # type: ignore[misc]
        def save_own_variables(self, store: Any) -> None:
            seen("save_own_variables")
            super().save_own_variables(store)
            store["twice"] = library.ops.convert_to_numpy(self.kernel.value) * 2

        def load_own_variables(self, store: Any) -> None:
            seen("load_own_variables")
            self.kernel.assign(store["twice"])

    model = around(library, Own(2, kernel_initializer="ones"))
    loaded = saved(library, model, folder, Own=Own)
    found = [loaded.predict(X, verbose=0)]
    model.save_weights(folder / "m.weights.h5")
    model.load_weights(folder / "m.weights.h5")
    return [*found, model.predict(X, verbose=0)]


@case("Layer", "save_assets, load_assets")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.Layer):  # type: ignore[misc]
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.words = ["none"]

        def call(self, x: Any) -> Any:
            return x * len(self.words)

        def save_assets(self, inner_path: Any) -> None:
            seen("save_assets")
            (pathlib.Path(str(inner_path)) / "words.txt").write_text("\n".join(self.words))

        def load_assets(self, inner_path: Any) -> None:
            seen("load_assets")
            self.words = (pathlib.Path(str(inner_path)) / "words.txt").read_text().split("\n")

    layer = Own()
    model = around(library, layer)
    layer.words = ["a", "b", "c"]
    loaded = saved(library, model, folder, Own=Own)
    return loaded.layers[1].words


@case("Layer", "add_loss in call")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.Layer):  # type: ignore[misc]
        def add_loss(self, loss: Any) -> None:
            seen("add_loss")
            super().add_loss(loss)

        def call(self, x: Any) -> Any:
            self.add_loss(0.1 * library.ops.sum(x**2))
            return x

    model = around(library, Own())
    model.compile("sgd", "mse")
    found = fitted(library, model)
    model(library.ops.convert_to_tensor(X))
    return found, model.losses, model.layers[1].losses


@case("Layer", "losses")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.layers.Dense):  # type: ignore[misc]
        @property
        def losses(self) -> Any:
            seen("losses")
            return [*super().losses, library.ops.sum(self.kernel**2) if self.built else 0.0]

    layer = Own(2, kernel_initializer="ones", kernel_regularizer="l2")
    layer(library.ops.convert_to_tensor(X))
    return layer.losses


@case("Layer", "add_weight")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.layers.Dense):  # type: ignore[misc]
        def add_weight(self, *args: Any, **options: Any) -> Any:
            seen("add_weight")
            return super().add_weight(*args, **{**options, "initializer": "ones"})

    return around(library, Own(2)).predict(X, verbose=0)


@case("Layer", "get_weights, set_weights")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.layers.Dense):  # type: ignore[misc]
        def get_weights(self) -> Any:
            seen("get_weights")
            return [w * 2 for w in super().get_weights()]

        def set_weights(self, weights: Any) -> None:
            seen("set_weights")
            super().set_weights([w + 1 for w in weights])

    layer = Own(2, kernel_initializer="ones")
    layer.build((None, 3))
    layer.set_weights(layer.get_weights())
    return layer.get_weights()


@case("Layer", "stateless_call")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.layers.BatchNormalization):  # type: ignore[misc]
        def call(self, x: Any, training: Any = None, mask: Any = None) -> Any:
            seen("call")
            return super().call(x, training=training) * 2

    layer = Own()
    layer.build((None, 3))
    values = [[v.value + 1 for v in layer.trainable_variables], [v.value + 1 for v in layer.non_trainable_variables]]
    out, changed = layer.stateless_call(*values, library.ops.convert_to_tensor(X), training=True)
    return out, changed, layer.get_weights()


@case("Layer", "trainable_weights")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.layers.Dense):  # type: ignore[misc]
        @property
        def trainable_weights(self) -> Any:
            seen("trainable_weights")
            return super().trainable_weights[:1]

    model = around(library, Own(2, kernel_initializer="ones"))
    model.compile("sgd", "mse")
    return fitted(library, model)


@case("Model", "trainable_weights")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.Model):  # type: ignore[misc]
        @property
        def trainable_weights(self) -> Any:
            seen("trainable_weights")
            return super().trainable_weights[:1]

    inputs = library.layers.Input((3,))
    model = Own(inputs, dense(library)(inputs))
    model.compile("sgd", "mse")
    return fitted(library, model)


@case("Wrapper", "build, call")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.layers.Wrapper):  # type: ignore[misc]
        def build(self, input_shape: Any = None) -> None:
            seen("build")
            super().build(input_shape)
            self.scale = self.add_weight(shape=(), initializer="ones", name="scale")

        def call(self, x: Any) -> Any:
            return self.layer(x) * self.scale

    model = around(library, Own(dense(library, 2)))
    model.compile("sgd", "mse")
    return fitted(library, model), saved(library, model, folder, Own=Own).predict(X, verbose=0)


@case("Conv2D", "convolution_op")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.layers.Conv2D):  # type: ignore[misc]
        def convolution_op(self, inputs: Any, kernel: Any) -> Any:
            seen("convolution_op")
            return super().convolution_op(inputs, kernel * 2)

    return Own(2, 2, kernel_initializer="ones")(library.ops.convert_to_tensor(np.ones((1, 4, 4, 1), "float32")))


@case("Layer", "metrics")
def _(library: Any, seen: Seen, folder: pathlib.Path) -> Any:
    class Own(library.layers.Dense):  # type: ignore[misc]
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.mean = library.metrics.Mean(name="seen")

        def call(self, x: Any) -> Any:
            y = super().call(x)
            self.mean.update_state(y)
            return y

    model = around(library, Own(2, kernel_initializer="ones"))
    model.compile("sgd", "mse")
    return fitted(library, model), [m.name for m in model.layers[1].metrics]
