"""Targets: public classes, whose objects are used once, and functions of arrays."""

from __future__ import annotations

import copy
import functools
import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import portanet
from portanet import callbacks, constraints, initializers, layers, losses, metrics, optimizers, regularizers, schedules
from tests.bad_calls.kinds import kinds_of
from tests.bad_calls.targets import Target, signature_of, target_of
from tests.bad_calls.valid import Make, data, ones, pairs
from tests.ops.cases import CASES, FUNCTIONS, OTHER
from tests.test_public_names import names_of

ROOMS = """
    activations initializers regularizers constraints schedules losses metrics optimizers layers callbacks
    ops plot preprocessing utils random.streams mixed_precision applications.imagenet_utils
"""
ABSTRACT = """
    Initializer Regularizer Constraint LearningRateSchedule Loss MeanMetric Metric Optimizer Result Root Callback
    CallbackList LogFile Probe RandomLayer RecurrentCell Layer Wrapper PyDataset Transformer
    at_least_float32 cast_floats cast_integers require_real as_policy chosen_policy
    deserialize serialize deserialize_keras_object serialize_keras_object
    Config Progbar Sequence clear_session get_custom_objects get_registered_name get_registered_object is_keras_tensor
    is_interactive_logging_enabled enable_interactive_logging disable_interactive_logging pack_x_y_sample_weight
    plot_model register_keras_serializable set_random_seed standardize_dtype unpack_x_y_sample_weight
    get_file get_source_inputs image_dataset_from_directory load_img save_img split_dataset text_dataset_from_directory
    InputSpec
"""
"""Not called by users: base classes, and functions for layers and losses; or what takes anything, nothing or files."""


def targets() -> Iterator[Target]:
    seen: set[Any] = set()
    for room in ROOMS.split():
        inherited: set[Any] = set()
        for name in names_of(importlib.import_module(f"portanet.{room}")):
            thing = getattr(importlib.import_module(f"portanet.{room}"), name)
            if name in ABSTRACT.split() or thing in seen or not (inspect.isclass(thing) or inspect.isfunction(thing)):
                continue
            seen.add(thing)
            if room == "ops" and name in FUNCTIONS.split():
                continue  # errors may be the user's
            if room == "ops" and name in CASES | OTHER:
                yield from of_operation(f"{room}.{name}", thing)
                continue
            call = split_one if name == "train_test_split" else use_of(thing)
            yield target_of(f"{room}.{name}", thing, call, inherited)
            if inspect.isclass(thing):  # options of base classes are tried once
                inherited |= set(signature_of(thing)) - set(inspect.signature(thing).parameters)


def of_operation(name: str, function: Callable[..., Any]) -> Iterator[Target]:
    """The target for a function of portanet.ops, with the arguments of its first case."""
    case = (CASES | OTHER)[name.removeprefix("ops.")][0]
    signature = inspect.signature(function)
    arguments = signature.bind(*case.args, **case.kwargs).arguments
    parameters = signature.parameters.values()
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return
    kinds = {p.name: kinds_of(p.name, str(p.annotation)) for p in parameters if str(p.annotation) != "Any"}
    yield Target(name, function, kinds, {key: functools.partial(copy.copy, value) for key, value in arguments.items()})


def use_of(thing: Any) -> Callable[..., Any]:
    """The function, or for a class, a function that creates an object and uses it."""
    if not inspect.isclass(thing):
        return thing  # type: ignore[no-any-return]
    use = next((use for base, use in USES.items() if issubclass(thing, base)), lambda made: made)
    return lambda **arguments: use(thing(**arguments))


def call_layer(layer: Any) -> Any:
    if isinstance(layer, (layers.InputLayer, layers.StackedRNNCells)):
        return layer
    if hasattr(layer, "state_size") and not isinstance(layer, layers.RNN):
        layer = layers.RNN(layer)
    return layer(input_of(type(layer).__name__)(), training=True)


def input_of(name: str) -> Make:
    """A valid input of a class of layers."""
    return next(make for pattern, make in INPUTS.items() if re.fullmatch(pattern, name))


def split_one(**options: Any) -> Any:
    return portanet.preprocessing.train_test_split(np.arange(8), **options)


def judge(thing: Any) -> Any:
    """Call a loss or metric with the first targets and predictions that it takes."""
    for y_true, y_pred in pairs():
        try:
            return thing(y_true, y_pred)
        except (ValueError, TypeError) as error:
            if "Argument `" in str(error):
                raise
            last = error
    raise last


def step(optimizer: Any) -> Any:
    params = {"w": ones(2, 3)()}
    state = optimizer.observe(lambda v: v, params, optimizer.init(params))
    return optimizer.update(params, params, state)


def train(callback: Any) -> Any:
    x, y = data()
    model = portanet.Sequential([layers.Input((3,)), layers.Dense(2)])
    model.compile(optimizers.SGD(use_ema=True), "mse")
    return model.fit(x, y, verbose=0, callbacks=[callback], validation_split=0.5)


USES: dict[type, Callable[[Any], Any]] = {
    layers.Layer: call_layer,
    losses.Loss: judge,
    metrics.Metric: judge,
    optimizers.Optimizer: step,
    schedules.LearningRateSchedule: lambda schedule: schedule(3),
    initializers.STFT: lambda initializer: initializer((8, 1, 5)),
    initializers.Initializer: lambda initializer: initializer((20, 4), np.random.default_rng(0)),
    regularizers.Regularizer: lambda regularizer: regularizer(ones(3, 4)()),
    constraints.Constraint: lambda constraint: constraint(ones(3, 4)()),
    callbacks.Callback: train,
}

SEQUENCE, PAIR = ones(2, 8, 4), lambda: [ones(2, 4)(), ones(2, 4)()]
INPUTS: dict[str, Make] = {
    "(LSTM|GRU|SimpleRNN|JordanRNN|RNN|Bidirectional|TimeDistributed|TransformerEncoder)": SEQUENCE,
    ".*Attention|TransformerDecoder": lambda: [SEQUENCE(), SEQUENCE()],
    ".*Unpooling1D": lambda: [ones(2, 4, 4)(), ones(2, 4, 4, dtype="int32")()],
    ".*Unpooling2D": lambda: [ones(2, 4, 4, 4)(), ones(2, 4, 4, 4, dtype="int32")()],
    ".*Unpooling3D": lambda: [ones(2, 4, 4, 4, 4)(), ones(2, 4, 4, 4, 4, dtype="int32")()],
    "FeatureSpace": lambda: {"a": [1, 2], "b": [3, 4]},
    "MelSpectrogram": ones(2, 2048),
    "STFTSpectrogram": ones(2, 512, 1),
    "ConvLSTM1D": ones(2, 3, 8, 4),
    "ConvLSTM2D": ones(2, 3, 4, 4, 4),
    "ConvLSTM3D": ones(2, 3, 3, 3, 3, 4),
    ".*1D(Transpose)?": SEQUENCE,
    ".*2D(Transpose)?": ones(2, 8, 8, 4),
    ".*3D(Transpose)?": ones(2, 8, 8, 8, 4),
    "Rand.*|Solarization|Resizing|CenterCrop|AugMix|AutoContrast|.*Equalization|MixUp|CutMix|Pipeline": ones(
        2, 8, 8, 3
    ),
    "Add|Average|Maximum|Minimum|Multiply|Subtract|Concatenate|Dot|Bilinear|Sampling": PAIR,
    "StringLookup|TextVectorization|Hashing": lambda: ["a", "b"],
    "IntegerLookup": lambda: [1, 2],
    "HashedCrossing": lambda: [["a"], [1]],
    "CategoryEncoding": ones(2, 3, dtype="int32"),
    "(Reversible)?Embedding": ones(2, 3, dtype="int32"),
    "PositionEmbedding|SinePositionEncoding|Masking|Permute|Reshape|GroupNormalization": SEQUENCE,
    "TiedDense": ones(2, 3),
    "RotaryEmbedding": ones(2, 8, 2, 4),
    "InstanceNormalization": ones(2, 8, 8, 4),
    ".*": ones(2, 4),
}
"""Valid inputs of layers, by a pattern of the name."""
