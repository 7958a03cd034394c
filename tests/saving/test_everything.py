"""Every class of the library that has a config survives a file: the same config, the same behaviour.

Layers are tested in their own matrix, tests/layers/matrix.py.
"""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import numpy as np
import pytest

from portanet import activations, constraints, initializers, losses, metrics, optimizers, regularizers, schedules
from portanet.configurable import Configurable
from portanet.initializers import Initializer
from portanet.losses import Loss
from portanet.metrics import Metric
from portanet.optimizers import Optimizer
from portanet.saving.registry import PACKAGES
from portanet.schedules import LearningRateSchedule
from tests.saving.through import from_file

ELSEWHERE = ("layers", "models", "callbacks", "distillation")  # files hold states of callbacks, not configs
BASES = {
    "Constraint", "FunctionLoss", "FunctionMetric", "Initializer", "LearningRateSchedule", "Loss", "MeanMetric",
    "Metric", "Optimizer", "OptimizerMap", "Regularizer",
}  # fmt: skip
ARGUMENTS: dict[str, dict[str, Any]] = {
    "initializers.Constant": {"value": np.asarray([[1.5], [2.5]])},
    "initializers.Orthogonal": {"gain": 2.0, "seed": 3},
    "metrics.ConfusionMatrix": {"num_classes": 3},
    "metrics.IoU": {"num_classes": 3, "target_class_ids": [0, 2]},
    "metrics.AUC": {"multi_label": True, "label_weights": [1.0, 2.0, 0.5], "thresholds": [0.5, 0.2]},
    "metrics.MeanIoU": {"num_classes": 3},
    "metrics.MeanMetricWrapper": {"fn": losses.huber, "delta": 0.5},
    "metrics.OneHotIoU": {"num_classes": 3, "target_class_ids": [0, 2], "sparse_y_pred": True},
    "metrics.OneHotMeanIoU": {"num_classes": 3, "ignore_class": 1},
    "metrics.PrecisionAtRecall": {"recall": 0.5},
    "metrics.RecallAtPrecision": {"precision": 0.5, "num_thresholds": 9},
    "metrics.SensitivityAtSpecificity": {"specificity": 0.5, "class_id": 1},
    "metrics.SpecificityAtSensitivity": {"sensitivity": 0.5},
    "metrics.TopKCategoricalAccuracy": {"k": 2},
    "constraints.MaxNorm": {"max_value": 0.5, "axis": (0, 1)},
    "regularizers.L1L2": {"l1": 0.1, "l2": 0.2},
    "losses.Huber": {"delta": 0.3, "reduction": None, "name": "mine"},
    "optimizers.Adam": {"learning_rate": schedules.CosineDecay(0.1, 10), "amsgrad": True, "weight_decay": 0.01},
    "optimizers.SGD": {"learning_rate": 0.3, "momentum": schedules.Warmup(0.9, 3), "global_clipnorm": 1.0},
    "optimizers.Lookahead": {"optimizer": optimizers.RMSprop(0.1, centered=True), "sync_period": 2},
    "optimizers.LossScaleOptimizer": {"inner_optimizer": optimizers.SGD(0.1), "initial_scale": 4.0},
    "optimizers.MultiOptimizer": {
        "optimizer_map": optimizers.OptimizerMap(optimizers.Adam(0.1), {"w": optimizers.SGD(0.3, momentum=0.9)}),
        "name": "both",
    },
    "schedules.Constant": {"learning_rate": 0.1},
    "schedules.CosineDecay": {"initial_learning_rate": 0.1, "decay_steps": 9},
    "schedules.CosineDecayRestarts": {"initial_learning_rate": 0.1, "first_decay_steps": 3},
    "schedules.ExponentialDecay": {"initial_learning_rate": 0.1, "decay_steps": 3, "decay_rate": 0.5},
    "schedules.InverseTimeDecay": {"initial_learning_rate": 0.1, "decay_steps": 3, "decay_rate": 0.5},
    "schedules.OneCycle": {"maximum": 0.1, "total_steps": 9},
    "schedules.PiecewiseConstantDecay": {"boundaries": [2, 4], "values": [0.3, 0.2, 0.1]},
    "schedules.PolynomialDecay": {"initial_learning_rate": 0.1, "decay_steps": 9},
    "schedules.PowerDecay": {"initial_learning_rate": 0.1, "power": 0.5},
    "schedules.Product": {"schedules": [0.1, schedules.ExponentialDecay(1.0, 3, 0.5)]},
    "schedules.Sequential": {"schedules": [0.1, schedules.Constant(0.2)], "boundaries": [4]},
    "schedules.StepDecay": {"initial_learning_rate": 0.1, "decay_steps": 3},
    "schedules.Warmup": {"schedule": schedules.CosineDecay(0.1, 5), "warmup_steps": 3},
}


def classes() -> list[str]:
    result = []
    for room in PACKAGES:
        module = importlib.import_module(f"portanet.{room}")
        names = getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]
        for name in names:
            thing = getattr(module, name)
            if room not in ELSEWHERE and inspect.isclass(thing) and issubclass(thing, Configurable):
                result.append(f"{room}.{name}")
    return sorted(name for name in set(result) if name.partition(".")[2] not in BASES | {"Configurable"})


def make(name: str) -> Any:
    room, _, attribute = name.partition(".")
    cls = getattr(importlib.import_module(f"portanet.{room}"), attribute)
    arguments = ARGUMENTS.get(name, {})
    required = [
        p.name
        for p in inspect.signature(cls).parameters.values()
        if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD and p.name not in arguments
    ]
    assert not required, f"give {name} its arguments {required} in ARGUMENTS"
    return cls(**arguments)


W = np.asarray([[0.5, -2.0, 1.0], [1.5, 0.25, -0.75]])


def behaviour(thing: Any) -> Any:
    """The result of calling an object."""
    if isinstance(thing, LearningRateSchedule):
        return [thing(step) for step in range(12)]
    if isinstance(thing, Initializer):
        shape = (6, 1, 3) if isinstance(thing, initializers.STFT) else (2, 3)
        return thing(shape, np.random.default_rng(1))
    if isinstance(thing, Optimizer):
        params, state = {"w": W.copy()}, thing.init({"w": W})
        for _ in range(3):
            state = thing.observe(lambda v: v, params, state)
            params, state = thing.update(params, {"w": W * W - 1}, state)
        return params["w"]
    if isinstance(thing, (Loss, Metric)):
        return _of_predictions(thing)
    return thing(W) if callable(thing) and not isinstance(thing, schedules.ReduceOnPlateau) else None


def _of_predictions(thing: Any) -> Any:
    """The first accepted inputs: targets like the predictions, class indices, scores, one value per example."""
    scores = np.asarray([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])
    for true, pred in (
        (np.asarray([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]), scores),
        (np.asarray([2, 0]), scores),
        (np.asarray([2, 0]), np.asarray([2, 1])),
        (np.asarray([1.0, 0.0]), scores[:, 0]),
        (np.asarray([[1.0], [0.0]]), scores[:, :1]),
        (np.asarray([[0.1], [0.2]]), scores[:, :2]),
        (np.asarray([[1], [2]]), np.ones((2, 4, 3)) / 3),
    ):
        try:
            return thing(true, pred)
        except (ValueError, IndexError, AttributeError, TypeError):
            continue
    return None


@pytest.mark.parametrize("name", classes())
def test_it_survives_a_file(name: str) -> None:
    thing = make(name)
    made = from_file(thing)
    assert type(made) is type(thing)
    np.testing.assert_array_equal(behaviour(made), behaviour(make(name)))


def test_some_of_every_room_were_looked_at() -> None:
    for room in (constraints, initializers, losses, metrics, optimizers, regularizers, schedules):
        short = room.__name__.removeprefix("portanet.")
        assert sum(name.startswith(f"{short}.") for name in classes()) >= 4


@pytest.mark.parametrize("name", [n for n in activations.__all__ if n != "get"])
def test_activations_survive_as_functions(name: str) -> None:
    function = getattr(activations, name)
    assert from_file(function) is function
