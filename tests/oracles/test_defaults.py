"""The defaults of Keras, argument by argument, also of those that reach a base class through `**options`."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import portanet
from portanet import (
    activations,
    callbacks,
    constraints,
    datasets,
    initializers,
    layers,
    losses,
    metrics,
    optimizers,
    regularizers,
    schedules,
)
from tests.test_defaults import NUMBERS, numbers

keras = pytest.importorskip("keras")

ROOMS = [
    (activations, keras.activations),
    (callbacks, keras.callbacks),
    (constraints, keras.constraints),
    (initializers, keras.initializers),
    (layers, keras.layers),
    (losses, keras.losses),
    (metrics, keras.metrics),
    (optimizers, keras.optimizers),
    (regularizers, keras.regularizers),
    (schedules, keras.optimizers.schedules),
]


def _has_arguments(value: Any) -> bool:
    """Whether it is a class or a function other than `get`, which takes a name."""
    return inspect.isclass(value) or (
        inspect.isfunction(value) and value.__name__ not in ("get", "serialize", "deserialize")
    )


PAIRS = [
    (f"{room.__name__.removeprefix('portanet.')}.{name}", getattr(room, name), getattr(theirs, name))
    for room, theirs in ROOMS
    for name in sorted(set(vars(room)) & set(vars(theirs)))
    if _has_arguments(getattr(room, name)) and _has_arguments(getattr(theirs, name))
]
METHODS = [
    *("compile", "fit", "evaluate", "predict", "train_on_batch", "test_on_batch", "predict_on_batch"),
    *("summary", "save", "save_weights", "load_weights"),
]
PAIRS += [(f"Model.{name}", getattr(portanet.Model, name), getattr(keras.Model, name)) for name in METHODS]
PAIRS += [("layers.Input", layers.Input, keras.layers.Input)]
MODULES = [("ops", portanet.ops, keras.ops), ("random", portanet.random, keras.random)]
MODULES += [("utils", portanet.utils, keras.utils)]
MODULES += [
    (f"datasets.{name}", getattr(datasets, name), getattr(keras.datasets, name))
    for name in ("boston_housing", "california_housing", "cifar10", "cifar100", "imdb", "reuters")
]
PAIRS += [
    (f"{place}.{name}", getattr(room, name), getattr(theirs, name))
    for place, room, theirs in MODULES
    for name in sorted(set(vars(room)) & set(vars(theirs)))
    if inspect.isfunction(getattr(room, name)) and inspect.isfunction(getattr(theirs, name))
]
NEEDED = inspect.Parameter.empty

# Ours, where it is another, with the reason.
POOLS = "like that of MaxPooling"
DATA = "Keras's None is an error of fit and evaluate too"
NONE = "no callbacks, as a value of the argument's type"
DIFFERENT: dict[str, tuple[Any, str]] = {
    **{f"layers.{name}{rank}D(pool_size)": (2, POOLS) for name in ("AveragePooling", "AvgPool") for rank in (1, 2, 3)},
    "layers.CategoryEncoding(num_tokens)": (NEEDED, "Keras's None is an error"),
    "layers.PReLU(alpha_initializer)": ("zeros", "Keras's 'Zeros' is the same initializer"),
    "Model.fit(x)": (NEEDED, DATA),
    "Model.evaluate(x)": (NEEDED, DATA),
    "Model.fit(callbacks)": ((), NONE),
    "Model.evaluate(callbacks)": ((), NONE),
    "Model.predict(callbacks)": ((), NONE),
    "Model.predict(verbose)": (0, "a prediction is quiet, unless asked"),
}


def defaults(value: Any) -> dict[str, Any]:
    """Default of each argument that can be named."""
    functions = [vars(base).get("__init__") for base in value.__mro__] if inspect.isclass(value) else [value]
    result: dict[str, Any] = {}
    for function in filter(inspect.isfunction, functions):
        parameters = list(inspect.signature(function).parameters.values())
        named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and p.name != "self"]
        result = {p.name: p.default for p in named} | result
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return result


def same(ours: Any, theirs: Any) -> bool:
    """Equal, where a number is as good as one for each axis."""
    if isinstance(theirs, tuple) and not isinstance(ours, tuple):
        return all(same(ours, part) for part in theirs)
    kinds = [isinstance(value, (bool, str)) or value is None for value in (ours, theirs)]
    return bool(ours == theirs) and kinds[0] == kinds[1]


@pytest.mark.parametrize(("name", "ours", "theirs"), PAIRS, ids=[name for name, _, _ in PAIRS])
def test_defaults(name: str, ours: Any, theirs: Any) -> None:
    values, expected = defaults(ours), defaults(theirs)
    shared = set(values) & set(expected)
    if name.partition(".")[0] in ("losses", "metrics"):
        shared.discard("name")  # compared below
    different = {f"{name}({each})": values[each] for each in shared if not same(values[each], expected[each])}
    known = {place: value for place, (value, _) in DIFFERENT.items() if place.startswith(f"{name}(")}
    assert different == known


def test_most_arguments_are_compared() -> None:
    """Over 1,200 arguments of 220 classes and methods; the parsing of signatures does not lose them."""
    counts = [len(set(defaults(ours)) & set(defaults(theirs))) for _, ours, theirs in PAIRS]
    assert sum(counts) > 1_200
    assert len(PAIRS) >= 220


@pytest.mark.parametrize("room", [losses, metrics], ids=["losses", "metrics"])
def test_default_names(room: Any) -> None:
    library = keras.losses if room is losses else keras.metrics
    needed: dict[str, dict[str, Any]] = {
        "IoU": {"num_classes": 2, "target_class_ids": [0]},
        "MeanIoU": {"num_classes": 2},
        "MeanMetricWrapper": {"fn": lambda y_true, y_pred: y_pred},
        "OneHotIoU": {"num_classes": 2, "target_class_ids": [0]},
        "OneHotMeanIoU": {"num_classes": 2},
        "PrecisionAtRecall": {"recall": 0.5},
        "RecallAtPrecision": {"precision": 0.5},
        "SensitivityAtSpecificity": {"specificity": 0.5},
        "SpecificityAtSensitivity": {"sensitivity": 0.5},
    }
    bases = {"Loss", "Metric"}
    different = {}
    for name in sorted((set(vars(room)) & set(vars(library))) - bases):
        if inspect.isclass(getattr(room, name)):
            keras.utils.clear_session(free_memory=False)  # Keras counts the instances of a class
            ours, theirs = (getattr(each, name)(**needed.get(name, {})).name for each in (room, library))
            if ours != theirs:
                different[name] = ours, theirs
    assert different == ({"Huber": ("huber", "huber_loss")} if room is losses else {})  # as losses.get calls it


def test_the_other_defaults_are_listed() -> None:
    """Each number or boolean that is a default of a public name of these packages is compared with Keras or listed."""
    compared = {name for name, _, _ in PAIRS} | set(NUMBERS)
    missing = {
        f"{room.__name__.removeprefix('portanet.')}.{name}": numbers(value)
        for room, _ in ROOMS
        for name, value in ((name, getattr(room, name)) for name in getattr(room, "__all__", vars(room)))
        if callable(value) and getattr(value, "__module__", "").startswith(room.__name__)
    }
    assert {name for name, values in missing.items() if values} <= compared
