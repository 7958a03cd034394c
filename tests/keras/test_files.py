"""Models and weights as files, written by Keras and loaded here, and the other way round."""

from __future__ import annotations

import importlib
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import portanet
from portanet.backends import Backend
from portanet.saving.keras.table import CLASSES, DIFFERENT, MODULES
from tests.keras.common import as_on_jax
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
    x = data(CASES[name][1], name in ("Embedding", "ReversibleEmbedding", "CategoryEncoding"))
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
    "Ftrl": lambda P: P.optimizers.Ftrl(0.05, loss_scale_factor=4.0),
    "Muon": lambda P: P.optimizers.Muon(use_ema=True),
    "ScheduleFreeAdamW": lambda P: P.optimizers.ScheduleFreeAdamW(),
    "Adafactor": lambda P: P.optimizers.Adafactor(),
    "MultiOptimizer": lambda P: P.optimizers.MultiOptimizer(several(P)),
}


def several(library: Any) -> Any:
    """Optimizers for kernels, for offsets, for the rest, and one, of the same class as another, for nothing."""
    P = library.optimizers
    offsets = P.SGD(P.schedules.ExponentialDecay(0.1, 3, 0.5), momentum=0.5)
    return P.OptimizerMap(P.Adam(0.01), {".*kernel": P.RMSprop(0.01), ".*bias": offsets, "none": P.SGD(0.3)})


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

    with as_on_jax(keras):
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


@pytest.mark.parametrize("package", CLASSES)
def test_the_table_names_what_both_have(package: str) -> None:
    here, there = getattr(portanet, package), importlib.import_module(MODULES[package])
    missing = [n for n in CLASSES[package] if not (hasattr(here, n) and hasattr(there, n))]
    assert missing == []
    if package == "layers":
        cells = {"GRUCell", "LSTMCell", "SimpleRNNCell", "StackedRNNCells", "InputLayer"}
        cells |= {"Equalization"}  # graphs with it are circular in Keras
        tested = {name.partition(",")[0] for name in CASES}
        tested |= {"Discretization", "HashedCrossing", "Hashing", "IntegerLookup", "StringLookup", "TextVectorization"}
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
    "MultiOptimizer": ("map",),
    "OptimizerMap": ("adam",),
    "MeanIoU": (3,),
    "OneHotIoU": (3, [0]),
    "OneHotMeanIoU": (3,),
    "PrecisionAtRecall": (0.5,),
    "RecallAtPrecision": (0.5,),
    "SensitivityAtSpecificity": (0.5,),
    "SpecificityAtSensitivity": (0.5,),
    "PiecewiseConstantDecay": ([1, 2], [0.1, 0.2, 0.3]),
    "PolynomialDecay": (0.1, 10),
}


def created(library: Any, argument: Any) -> Any:
    if argument == "map":
        return library.optimizers.OptimizerMap(library.optimizers.get("adam"))
    return library.optimizers.get(argument) if argument == "adam" else argument


@pytest.mark.parametrize("package", [package for package in CLASSES if package != "layers"])
def test_objects_without_weights(package: str) -> None:
    from portanet.saving.keras.decode import KerasDecoder
    from portanet.saving.keras.encode import KerasEncoder

    module = importlib.import_module(MODULES[package])
    decoder, encoder = KerasDecoder(AssertionError, {}, "float32"), KerasEncoder("float32")  # type: ignore[arg-type]
    for name in CLASSES[package]:
        arguments = ARGUMENTS.get(name, ())
        theirs = getattr(module, name)(*(created(keras, argument) for argument in arguments))
        ours = getattr(getattr(portanet, package), name)(*(created(portanet, argument) for argument in arguments))
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
