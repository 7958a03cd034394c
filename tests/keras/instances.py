"""What objects of Keras have and ours do not: attributes that no class tells, since `__init__` or `build` sets them."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import torch

import portanet
from portanet.variables import collect_losses
from tests.keras.file_layers import CASES
from tests.saving.test_everything import ARGUMENTS

PACKAGES = (
    "layers", "losses", "metrics", "optimizers", "optimizers.schedules", "callbacks", "initializers", "regularizers",
    "constraints", "dtype_policies", "random", "utils",
)  # fmt: skip
GIVEN: dict[str, dict[str, Any]] = {
    "layers.Discretization": {"bin_boundaries": [1.0, 2.0]},
    "layers.GRUCell": {"units": 2},
    "layers.HashedCrossing": {"num_bins": 3},
    "layers.Hashing": {"num_bins": 3},
    "layers.InputLayer": {"shape": (3,)},
    "layers.LSTMCell": {"units": 2},
    "layers.Lambda": {"function": abs},
    "layers.RandomCrop": {"height": 2, "width": 2},
    "layers.SimpleRNNCell": {"units": 2},
    "optimizers.SGD": {"momentum": 0.5},
    "callbacks.BackupAndRestore": {"backup_dir": "backup"},
    "callbacks.CSVLogger": {"filename": "log.csv"},
    "callbacks.LearningRateScheduler": {"schedule": abs},
    "callbacks.ModelCheckpoint": {"filepath": "best.keras"},
    "utils.CustomObjectScope": {"custom_objects": {}},
    "utils.Progbar": {"target": 1},
}
"""Arguments of the classes that need some, where those of the files' tests do not serve."""
MADE: dict[str, Callable[[Any], Any]] = {
    "layers.SpectralNormalization": lambda library: library.layers.SpectralNormalization(library.layers.Dense(2)),
    "layers.StackedRNNCells": lambda library: library.layers.StackedRNNCells([library.layers.GRUCell(2)]),
    "layers.Wrapper": lambda library: library.layers.Wrapper(library.layers.Dense(2)),
    "optimizers.OptimizerMap": lambda library: library.optimizers.OptimizerMap(library.optimizers.SGD()),
    "utils.FeatureSpace": lambda library: library.utils.FeatureSpace({"age": "float"}),
}
"""Objects made of others of their library."""
LIBRARIES = frozenset({*dir(torch.nn.Module()), "torch_params"})
INTEGERS = ("Embedding", "ReversibleEmbedding", "CategoryEncoding")


def _layers() -> dict[str, tuple[Any, Any]]:
    """Pairs of layers that were called."""
    pairs = {}
    for name, (make, shapes) in CASES.items():
        kind = name.partition(",")[0]
        x = [np.ones((2, *shape), "int32" if kind in INTEGERS else "float32") for shape in shapes]
        pair = make(keras.layers), make(portanet.layers)
        with collect_losses():  # which layers that stay would keep, and later calls of others look for
            for layer in pair:
                layer(*x) if "Head" in name or "Query" in name else layer(x if len(x) > 1 else x[0])
        pairs[f"layers.{kind}"] = pair
    return pairs


def _models(library: Any) -> dict[str, Any]:
    x = library.layers.Input((3,))
    graph, stack = library.Model(x, library.layers.Dense(1)(x)), library.Sequential([x, library.layers.Dense(1)])
    for model in (graph, stack):
        model.compile("sgd", "mse")
    return {"Model": graph, "Sequential": stack, "Variable": library.Variable([1.0]), "KerasTensor": x}


def _others(known: dict[str, tuple[Any, Any]]) -> dict[str, tuple[Any, Any]]:
    """Pairs of objects of the other classes that both libraries have, or of classes that need what is not here."""
    pairs: dict[str, tuple[Any, Any]] = {}
    seen = {type(theirs) for theirs, _ in known.values()}
    for package in PACKAGES:
        ours, theirs = (functools.reduce(getattr, package.split("."), each) for each in (portanet, keras))
        for name in dir(theirs):
            path, classes = f"{package}.{name}", (getattr(theirs, name), getattr(ours, name, None))
            if not all(map(inspect.isclass, classes)) or classes[0] in seen:
                continue
            seen.add(classes[0])
            if path in MADE:
                pairs[path] = MADE[path](keras), MADE[path](portanet)
                continue
            given = GIVEN.get(path, ARGUMENTS.get(path.replace("optimizers.schedules", "schedules"), {}))
            try:
                pairs[path] = tuple(each(**given) for each in classes)
            except (ImportError, TypeError, ValueError, NotImplementedError):  # abstract, or made by TensorFlow
                pairs[path] = classes
    return pairs


def _names(thing: Any) -> set[str]:
    """The public attributes that are Keras's, with those that this object alone has."""
    cls = thing if inspect.isclass(thing) else type(thing)
    defined = {name for base in cls.__mro__ if base.__module__.startswith("keras.") for name in vars(base)}
    own = set() if inspect.isclass(thing) else set(vars(thing))
    return {name for name in defined | own if not name.startswith("_")} - LIBRARIES


def _has(thing: Any, name: str) -> bool:
    try:
        getattr(thing, name)
    except AttributeError:
        return False
    except Exception:  # it is there, but cannot tell yet
        return True
    return True


def _arguments(cls: type) -> set[str]:
    return {name for base in cls.__mro__ if "__init__" in vars(base) for name in inspect.signature(base).parameters}


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, (bool, int, float, str))


@functools.cache
def pairs() -> dict[str, tuple[Any, Any]]:
    """Objects of both libraries by their class, `layers.Dense`; the classes themselves where Keras makes none."""
    with warnings.catch_warnings(action="ignore"):  # those of PyTorch, of what Keras calls
        layers = _layers()
        others = _others(layers)
    models = [_models(library) for library in (keras, portanet)]
    return layers | others | {name: (models[0][name], models[1][name]) for name in models[0]}


def different() -> dict[str, tuple[Any, Any]]:
    """Arguments kept as attributes with other values than Keras's: numbers, text and truth values."""
    found = {}
    for path, (theirs, ours) in pairs().items():
        for name in [] if inspect.isclass(theirs) else sorted(_arguments(type(theirs)) - {"name", "seed"}):
            if name in vars(theirs) and hasattr(ours, name):
                values = vars(theirs)[name], getattr(ours, name)
                if _is_plain(values[0]) and values[0] != values[1]:
                    found[f"{path}.{name}"] = values
    return found


@functools.cache
def missing() -> tuple[str, ...]:
    """Attributes of Keras's objects that ours do not have, as `losses.Huber.name`."""
    found = []
    for path, (theirs, ours) in pairs().items():
        names = (name for name in sorted(_names(theirs)) if _has(theirs, name) and not _has(ours, name))
        found += [f"{path}.{name}" for name in names]
    return tuple(found)
