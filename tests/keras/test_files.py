"""Models and weights as files, written by Keras and loaded here, and the other way round."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import portanet
from portanet.backends import Backend
from portanet.saving.keras.table import CLASSES, DIFFERENT, MODULES
from tests.keras.file_layers import CASES

keras = pytest.importorskip("keras")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:.*Skipping variable loading")

SEPARATE = ("MultiHeadAttention", "GroupQueryAttention", "GroupedQueryAttention")


def single_layer(library: Any, name: str) -> Any:
    make, shapes = CASES[name]
    inputs = [library.layers.Input(shape, batch_size=2) for shape in shapes]
    layer = make(library.layers)
    together = len(inputs) > 1 and type(layer).__name__ not in SEPARATE
    return library.Model(inputs, layer(inputs) if together else layer(*inputs))


def two_inputs(library: Any) -> Any:
    L = library.layers
    a, b, shared = L.Input((3,), name="a"), L.Input((4,), name="b"), L.Dense(5, "relu")
    joined = L.Concatenate()([shared(a), shared(L.Dense(3)(b))])
    return library.Model([a, b], [L.Dense(2)(joined), L.Dense(1)(shared(a))])


def nested(library: Any) -> Any:
    L = library.layers
    x = L.Input((3,))
    hidden = L.Dense(4)(x)
    inner = library.Model(x, [hidden, L.Dense(2)(hidden)])
    last = library.Sequential([L.Input((4,)), L.Dense(3)])
    stack = library.Sequential([L.Input((4,)), L.Dense(4), L.BatchNormalization(), last])
    start = L.Input((3,))
    first, second = inner(start)
    third, fourth = inner(stack(first))
    return library.Model(start, {"z": fourth, "a": third, "m": second})


def masked(library: Any) -> Any:
    L = library.layers
    words = L.Input((6,), dtype="int32")
    x = L.Dropout(0.2)(L.Embedding(9, 4, mask_zero=True)(words))
    x = L.Bidirectional(L.GRU(2))(L.LSTM(3, return_sequences=True)(x))
    return library.Model(words, L.Dense(2)(x))


def masking(library: Any) -> Any:
    L = library.layers
    x = L.Input((6, 2))
    return library.Model(x, L.Add()([L.SimpleRNN(3)(L.Masking(0.0)(x)), L.Dense(3)(L.Flatten()(x))]))


def masked_branch(library: Any) -> Any:
    """The operations that compute a mask in Keras change the order of layers."""
    L = library.layers
    x = L.Input((6, 2))
    branch = L.Dense(3)(L.Flatten()(L.Dense(2)(x)))
    return library.Model(x, L.Add()([branch, L.SimpleRNN(3)(L.Masking(0.0)(L.Dense(2)(x)))]))


def residual(library: Any) -> Any:
    L = library.layers
    start = L.Input((8, 8, 3))
    x = L.Conv2D(4, 3, padding="same")(start)
    for _ in range(2):
        y = L.ReLU()(L.BatchNormalization()(L.Conv2D(4, 3, padding="same")(x)))
        x = L.Add()([L.Conv2D(4, 1)(x), L.Conv2D(4, 1)(y)])
    return library.Model(start, L.Dense(2)(L.GlobalAveragePooling2D()(x)))


def sequences(library: Any) -> Any:
    L = library.layers
    start = L.Input((5, 4))
    attended = L.MultiHeadAttention(2, 2)(start, start, use_causal_mask=True)
    x = L.LayerNormalization()(L.Add()([start, attended]))
    out, h, c = L.LSTM(3, return_sequences=True, return_state=True)(x)
    return library.Model(start, [L.LSTM(3)(x, initial_state=[h, c]), L.Attention()([out, out])])


def part(library: Any) -> Any:
    L = library.layers
    x = L.Input((4,))
    code = L.Dense(3, name="code")(x)
    whole = library.Model(x, L.Dense(4)(code))
    decoder = library.Model(whole.get_layer("code").output, whole.output)
    start = L.Input((3,))
    return library.Model(start, decoder(start))


GRAPHS: dict[str, tuple[Callable[[Any], Any], list[tuple[int, ...]]]] = {
    "two inputs": (two_inputs, [(3,), (4,)]),
    "nested": (nested, [(3,)]),
    "masked": (masked, [(6,)]),
    "masking": (masking, [(6, 2)]),
    "masked branch": (masked_branch, [(6, 2)]),
    "residual": (residual, [(8, 8, 3)]),
    "sequences": (sequences, [(5, 4)]),
    "part": (part, [(3,)]),
}


def data(shapes: Any, integers: bool) -> Any:
    rng = np.random.default_rng(1)
    arrays = [rng.integers(0, 9, (2, *s)).astype("int32" if integers else "float32") for s in shapes]
    arrays = arrays if integers else [a + rng.normal(size=a.shape).astype("float32") for a in arrays]
    return arrays if len(arrays) > 1 else arrays[0]


def set_values(weights: Any) -> None:
    rng = np.random.default_rng(2)
    for weight in weights:
        values = rng.uniform(0.3, 1.0, tuple(weight.shape)) * rng.choice([-1, 1], tuple(weight.shape))
        if "int" in str(weight.dtype):
            continue
        values = (np.abs(values) if "variance" in weight.path else values).astype("float32")
        weight.assign(values if not hasattr(weight, "backend") else weight.backend.from_host(values))


def outputs(model: Any, x: Any) -> list[Any]:
    y = model.predict(x, batch_size=2, verbose=0)
    if isinstance(y, dict):
        return [y[key] for key in sorted(y)]
    return y if isinstance(y, list) else [y]


def require_equal(one: Any, other: Any, x: Any) -> None:
    for a, b in zip(outputs(one, x), outputs(other, x), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_a_layer(name: str, tmp_path: pathlib.Path) -> None:
    x = data(CASES[name][1], name in ("Embedding", "CategoryEncoding"))
    theirs = single_layer(keras, name)
    set_values(theirs.weights)
    theirs.save(tmp_path / "theirs.keras")
    loaded = portanet.load_model(tmp_path / "theirs.keras")
    assert [type(layer).__name__ for layer in loaded.layers[-1:]] == [name.partition(",")[0]]
    require_equal(theirs, loaded, x)
    ours = single_layer(portanet, name)
    set_values(ours.weights)
    ours.save(tmp_path / "ours.keras")
    require_equal(ours, keras.saving.load_model(tmp_path / "ours.keras"), x)


@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph(name: str, backend: Backend, tmp_path: pathlib.Path) -> None:
    make, shapes = GRAPHS[name]
    x = data(shapes, name == "masked")
    theirs, ours = make(keras), make(portanet)
    set_values(theirs.weights)
    theirs.save(tmp_path / "theirs.keras")
    require_equal(theirs, portanet.load_model(tmp_path / "theirs.keras"), x)
    set_values(ours.weights)
    ours.save(tmp_path / "ours.keras")
    require_equal(ours, keras.saving.load_model(tmp_path / "ours.keras"), x)
    ours.save_weights(tmp_path / "ours.weights.h5")
    theirs.load_weights(tmp_path / "ours.weights.h5")
    require_equal(ours, theirs, x)
    for weight in theirs.weights:
        weight.assign(weight * 0.5)
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    assert not ours.load_weights(tmp_path / "theirs.weights.h5").missing
    require_equal(ours, theirs, x)


def subclassed(library: Any) -> Any:
    L = library.layers

    class Block(L.Layer):  # type: ignore[misc]
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.second, self.first = L.Dense(3), L.Dense(3, "tanh")

        def build(self, input_shape: Any) -> None:
            self.scale = self.add_weight((3,), "ones", name="scale")
            self.first.build(input_shape)
            self.second.build((*input_shape[:-1], 3))

        def call(self, x: Any) -> Any:
            scale = self.scale.value if library is portanet else self.scale
            return self.second(self.first(x)) * scale

    class Net(library.Model):  # type: ignore[misc]
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.head = L.Dense(2)
            self.blocks = [Block(), Block()]
            self.also = self.blocks[1]

        def call(self, x: Any) -> Any:
            for block in self.blocks:
                x = block(x)
            return self.head(x)

    return Net()


def test_subclassed_models(tmp_path: pathlib.Path) -> None:
    x = data([(3,)], False)
    theirs, ours = subclassed(keras), subclassed(portanet)
    outputs(theirs, x), outputs(ours, x)
    set_values(theirs.weights)
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    assert len(ours.load_weights(tmp_path / "theirs.weights.h5").matching) == 12
    require_equal(theirs, ours, x)
    set_values(ours.weights)
    ours.save_weights(tmp_path / "ours.weights.h5")
    theirs.load_weights(tmp_path / "ours.weights.h5")
    require_equal(theirs, ours, x)


# Training


def rate(library: Any) -> Any:
    schedules = portanet.schedules if library is portanet else library.optimizers.schedules
    return schedules.ExponentialDecay(0.01, 2, 0.9)


OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "SGD": lambda P: P.optimizers.SGD(0.01),
    "SGD, momentum": lambda P: P.optimizers.SGD(0.01, momentum=0.9, nesterov=True),
    "Adam": lambda P: P.optimizers.Adam(0.01, amsgrad=True),
    "Adam, schedule": lambda P: P.optimizers.Adam(rate(P)),
    "Adam, accumulated": lambda P: P.optimizers.Adam(0.01, gradient_accumulation_steps=2, clipnorm=1.0),
    "Adam, scaled loss": lambda P: P.optimizers.LossScaleOptimizer(P.optimizers.Adam(0.01)),
    "AdamW": lambda P: P.optimizers.AdamW(),
    "RMSprop": lambda P: P.optimizers.RMSprop(momentum=0.5, centered=True),
    "Adagrad": lambda P: P.optimizers.Adagrad(),
    "Adadelta": lambda P: P.optimizers.Adadelta(),
    "Adamax": lambda P: P.optimizers.Adamax(),
    "Nadam": lambda P: P.optimizers.Nadam(),
    "Lamb": lambda P: P.optimizers.Lamb(),
    "Lion": lambda P: P.optimizers.Lion(),
    "Adafactor": lambda P: P.optimizers.Adafactor(),
}


def trainable(library: Any, optimizer: Any) -> Any:
    L = library.layers
    x = L.Input((3,))
    y = L.Add()([L.Dense(4, "tanh", kernel_regularizer="l2")(x), L.Dense(4, "tanh")(x)])
    frozen = L.Dense(4)
    frozen.trainable = False
    model = library.Model(x, L.Dense(2)(frozen(L.BatchNormalization()(y))))
    model.compile(optimizer, "mse", metrics=["mae"])
    return model


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_continues(name: str, tmp_path: pathlib.Path) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(16, 3)).astype("float32"), rng.normal(size=(16, 2)).astype("float32")

    def fit(model: Any) -> dict[str, float]:
        history = model.fit(x, y, epochs=1, batch_size=4, shuffle=False, verbose=0).history
        return {key: values[-1] for key, values in history.items()}

    theirs = trainable(keras, OPTIMIZERS[name](keras))
    fit(theirs)
    theirs.save(tmp_path / "theirs.keras")
    ours = portanet.load_model(tmp_path / "theirs.keras")
    assert fit(ours) == pytest.approx(fit(theirs), rel=1e-4)
    require_equal(theirs, ours, x)
    ours.save(tmp_path / "ours.keras")
    again = keras.saving.load_model(tmp_path / "ours.keras")
    assert fit(ours) == pytest.approx(fit(again), rel=1e-4)
    require_equal(again, ours, x)
    new = trainable(portanet, OPTIMIZERS[name](portanet))
    new.save(tmp_path / "new.keras")
    same = keras.saving.load_model(tmp_path / "new.keras")
    assert fit(new) == pytest.approx(fit(same), rel=1e-4)


# The table


def module_of_keras(package: str) -> Any:
    module = keras
    for name in MODULES[package].split(".")[1:]:
        module = getattr(module, name)
    return module


@pytest.mark.parametrize("package", CLASSES)
def test_the_table_names_what_both_have(package: str) -> None:
    here, there = getattr(portanet, package), module_of_keras(package)
    missing = [n for n in CLASSES[package] if not (hasattr(here, n) and hasattr(there, n))]
    assert missing == []
    if package == "layers":
        cells = {"GRUCell", "LSTMCell", "SimpleRNNCell", "StackedRNNCells", "InputLayer"}
        tested = {name.partition(",")[0] for name in CASES}
        assert sorted(set(CLASSES["layers"]) - cells - tested) == []
        assert not tested & set(DIFFERENT)


ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "Constant": (2.0,),
    "CosineDecay": (0.1, 10),
    "CosineDecayRestarts": (0.1, 10),
    "ExponentialDecay": (0.1, 10, 0.9),
    "InverseTimeDecay": (0.1, 10, 0.9),
    "IoU": (3, [0]),
    "LossScaleOptimizer": ("adam",),
    "MeanIoU": (3,),
    "PiecewiseConstantDecay": ([1, 2], [0.1, 0.2, 0.3]),
    "PolynomialDecay": (0.1, 10),
}


@pytest.mark.parametrize("package", [package for package in CLASSES if package != "layers"])
def test_objects_without_weights(package: str) -> None:
    from portanet.saving.keras.decode import KerasDecoder
    from portanet.saving.keras.encode import KerasEncoder

    module = module_of_keras(package)
    decoder, encoder = KerasDecoder(AssertionError, {}, "float32"), KerasEncoder("float32")  # type: ignore[arg-type]
    for name in CLASSES[package]:
        arguments = ARGUMENTS.get(name, ())
        theirs = getattr(module, name)(*(keras.optimizers.get("adam") if a == "adam" else a for a in arguments))
        ours = getattr(getattr(portanet, package), name)(*arguments)
        loaded = decoder.decode(keras.saving.serialize_keras_object(theirs))
        assert type(loaded) is type(ours)
        again = keras.saving.deserialize_keras_object(encoder.encode(ours, name))
        assert type(again) is type(theirs)
        expected = ours.get_config()
        shared = set(expected) & set(loaded.get_config()) - {"name", "dtype"}
        for key, value in {key: loaded.get_config()[key] for key in shared}.items():
            if isinstance(value, float):
                assert value == pytest.approx(expected[key]), (name, key)
            elif isinstance(value, (int, str, bool)):
                assert value == expected[key], (name, key)
