"""Valid arguments, by the name of the parameter; those of one owner by `Owner.name`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import portanet
from portanet import layers, optimizers, schedules

Make = Callable[[], Any]


def ones(*shape: int, dtype: str = "float32") -> Make:
    return lambda: portanet.asarray(np.ones(shape, dtype))


def data() -> tuple[Any, Any]:
    return np.ones((4, 3), "float32"), np.ones((4, 2), "float32")


def pairs() -> Iterator[tuple[Any, Any]]:
    """Targets and predictions: one-hot rows, class numbers, one value each, halves, and sequences of labels."""
    probabilities, labels = portanet.asarray(np.full((4, 4), 0.25)), np.arange(4, dtype="int32")
    yield portanet.asarray(np.eye(4)), probabilities
    yield portanet.asarray(labels), probabilities
    yield ones(4)(), ones(4)()
    yield ones(4, 2)(), ones(4, 4)()
    yield ones(2, 2, dtype="int32")(), ones(2, 4, 3)()


def model() -> Any:
    made = portanet.Sequential([layers.Input((3,)), layers.Dense(2)])
    made.compile("sgd", "mse")
    return made


def built_dense() -> Any:
    layer = layers.Dense(3)
    layer.build((2, 4))
    return layer


def labels() -> Any:
    return portanet.asarray(np.arange(4, dtype="int32"))


def classes() -> str:
    with open("classes.json", "w", encoding="utf-8") as file:
        file.write('{"0": ["n0", "cat"], "1": ["n1", "dog"]}')
    return "classes.json"


VALID: dict[str, Make] = {
    **{f"{room}.{name}": ones(4, 4) for room in ("losses", "metrics") for name in ("y_true", "y_pred")},
    **{
        f"{name}.y_true": labels
        for name in (
            "categorical_generalized_cross_entropy",
            "circle",
            "sparse_categorical_crossentropy",
            "sparse_categorical_accuracy",
            "sparse_top_k_categorical_accuracy",
        )
    },
    "custom_objects": dict,
    "preprocess_input.x": ones(1, 4, 4, 3),
    "preds": ones(1, 2),
    "decode_predictions.class_index": classes,
    "img_to_array.img": ones(4, 4, 3),
    "array_to_img.x": ones(4, 4, 3),
    "timeseries_dataset_from_array.data": ones(8, 2),
    "timeseries_dataset_from_array.targets": ones(8),
    "timeseries_dataset_from_array.sequence_length": lambda: 3,
    "units": lambda: 2,
    "equation": lambda: "ab,bc->ac",
    "EinsumDense.output_shape": lambda: 2,
    "output_units": lambda: 2,
    "filters": lambda: 2,
    "kernel_size": lambda: 2,
    "pool_size": lambda: 2,
    "output_size": lambda: 2,
    "tiles": lambda: 2,
    "num_heads": lambda: 2,
    "head_dim": lambda: 2,
    "key_dim": lambda: 2,
    "num_query_heads": lambda: 2,
    "num_key_value_heads": lambda: 2,
    "intermediate_dim": lambda: 2,
    "input_dim": lambda: 4,
    "output_dim": lambda: 2,
    "sequence_length": lambda: 8,
    "axes": lambda: 1,
    "centers": lambda: 2,
    "n": lambda: 2,
    "height": lambda: 2,
    "width": lambda: 2,
    "factor": lambda: 0.2,
    "RandomPosterization.factor": lambda: (3, 5),
    "height_factor": lambda: 0.2,
    "width_factor": lambda: 0.2,
    "rate": lambda: 0.5,
    "stddev": lambda: 0.5,
    "pieces": lambda: 2,
    "num_classes": lambda: 4,
    "recall": lambda: 0.5,
    "q": lambda: 0.5,
    "precision": lambda: 0.5,
    "sensitivity": lambda: 0.5,
    "specificity": lambda: 0.5,
    "num_tokens": lambda: 4,
    "init_values": lambda: 0.1,
    "LayerScale.projection_dim": lambda: 4,
    "num_bins": lambda: 4,
    "scale": lambda: 0.5,
    "Pipeline.layers": lambda: [layers.AutoContrast()],
    "layers.inputs": lambda: [ones(2, 4)(), ones(2, 4)()],
    "StringLookup.vocabulary": lambda: ["a", "b"],
    "TextVectorization.vocabulary": lambda: ["a", "b"],
    "IntegerLookup.vocabulary": lambda: [1, 2],
    "Discretization.bin_boundaries": lambda: [0.0, 1.0],
    "FeatureSpace.features": lambda: {"a": "integer_hashed", "b": "integer_hashed"},
    "FeatureSpace.crosses": lambda: [("a", "b")],
    "Discretization.num_bins": lambda: None,
    "target_class_ids": lambda: [0, 1],
    "target_shape": lambda: (-1,),
    "dims": lambda: (2, 1),
    "function": lambda: lambda *args: args[-1],
    "fn": lambda: lambda *args: args[-1],
    "activation": lambda: "relu",
    "layer": lambda: layers.Dense(2),
    "Bidirectional.layer": lambda: layers.GRU(2, return_sequences=True),
    "cell": lambda: layers.LSTMCell(2),
    "cells": lambda: [layers.LSTMCell(2), layers.LSTMCell(2)],
    "encoder": lambda: layers.Dense(2),
    "shape": lambda: (3, 4),
    "identifier": lambda: None,
    "initializers.identifier": lambda: "zeros",
    "losses.identifier": lambda: "mse",
    "metrics.identifier": lambda: "mse",
    "optimizers.identifier": lambda: "sgd",
    "lsuv.x": ones(4, 3),
    "descend.f": lambda: lambda *x: x[0] * x[-1],
    "descend.x0": lambda: [1.0, 2.0],
    "descend.optimizer": lambda: optimizers.SGD(0.1),
    "plot.steps": lambda: 10,
    "history.history": lambda: {"loss": [1.0, 0.5]},
    "curves.functions": lambda: "relu",
    "plot.lines": ones(2, 3),
    "decision_boundary.model": lambda: lambda points: points[:, 0],
    "decision_boundary.x": ones(3, 2),
    "decision_boundary.resolution": lambda: 3,
    "plot.loss": lambda: lambda w: np.sum(w),
    "plot.at": ones(3),
    "plot.directions": lambda: [np.ones(3), np.ones(3)],
    "coordinates": lambda: [[0.0], [0.0]],
    "plot.model": model,
    "plot.xlim": lambda: (-1.0, 1.0),
    "plot.ylim": lambda: (-1.0, 1.0),
    "plot.f": lambda: lambda x, y: x + y,
    "plot.paths": lambda: {"a": np.ones((3, 2))},
    "plot.models": model,
    "activation_histograms.x": ones(4, 3),
    "activation_spread.x": ones(4, 3),
    "plot.images": ones(2, 3, 3),
    "confusion_matrix.labels": lambda: [0, 1],
    "confusion_matrix.predictions": lambda: [0, 1],
    "attention.weights": ones(2, 3),
    "gates.values": lambda: {"input": np.ones((3, 2))},
    "plot.schedules": lambda: schedules.Constant(0.1),
    "GroupNormalization.groups": lambda: 2,
    "TiedDense.layer": built_dense,
    "tree": ones(2, 4),
    "chosen_policy.dtype": lambda: "float32",
    "require_real.xp": lambda: portanet.get_backend().xp,
    "cast_floats.dtype": lambda: portanet.get_backend().xp.float32,
    "require_real.dtype": lambda: portanet.get_backend().xp.float32,
    "cast_integers.layer": lambda: layers.Dense(2),
    "alpha": lambda: 1.0,
    "prelu.alpha": ones(4),
    "threshold": lambda: 0.5,
    "default_value": lambda: 0.0,
    "x": ones(2, 4),
    "x1": ones(2, 4),
    "x2": ones(2, 4),
    "learning_rate": lambda: 0.1,
    "initial_learning_rate": lambda: 0.1,
    "decay_steps": lambda: 4,
    "first_decay_steps": lambda: 4,
    "decay_rate": lambda: 0.5,
    "maximum": lambda: 0.1,
    "total_steps": lambda: 8,
    "boundaries": lambda: [2],
    "values": lambda: [0.2, 0.1],
    "schedules": lambda: [0.1, schedules.Constant(0.2)],
    "schedule": lambda: schedules.Constant(0.2),
    "LearningRateScheduler.schedule": lambda: lambda epoch: 0.1,
    "warmup_steps": lambda: 2,
    "optimizer": lambda: "sgd",
    "inner_optimizer": lambda: optimizers.SGD(0.1),
    "default_optimizer": lambda: optimizers.SGD(0.1),
    "MultiOptimizer.optimizer_map": lambda: optimizers.OptimizerMap(optimizers.SGD(0.1)),
    "filename": lambda: "log",
    "filepath": lambda: "model.weights.portanet",
    "backup_dir": lambda: "backup",
    "monitor": lambda: "loss",
    "y": ones(4, 2),
    "ActivationMonitor.x": ones(4, 3),
    "GradientMonitor.x": ones(4, 3),
    "Profiler.x": ones(4, 3),
    "model": model,
    "loss": lambda: "mse",
    "logits": ones(4, 3),
    "targets": lambda: portanet.asarray(np.eye(3)[[0, 1, 2, 0]]),
    "target": lambda: portanet.asarray(np.eye(4, 3)),
    "output": lambda: portanet.asarray(np.full((4, 3), 1 / 3)),
    "probabilities": lambda: portanet.asarray(np.full((4, 3), 1 / 3)),
    "labels": lambda: portanet.asarray(np.asarray([0, 1, 2, 0], "int32")),
    "classes": lambda: 3,
    "one_hot.dtype": lambda: portanet.get_backend().xp.float32,
    "Input.shape": lambda: (3,),
    "InputLayer.shape": lambda: (3,),
    "ctc.y_pred": ones(2, 6, 4),
    "ctc.y_true": ones(2, 2, dtype="int32"),
    "ctc.label_lengths": lambda: portanet.asarray(np.asarray([1, 2], "int32")),
    "anchor": ones(4, 3),
    "positive": ones(4, 3),
    "negative": ones(4, 3),
    "class_weights.y": lambda: np.asarray([0, 1, 1]),
    "class_weight": lambda: {0: 1.0, 1: 2.0},
    "k_means.x": lambda: np.arange(24.0).reshape(8, 3),
    "choose_centers.x": lambda: np.arange(24.0).reshape(8, 3),
    "clusters": lambda: 2,
    "count": lambda: 2,
    "bisect.f": lambda: lambda x: x - 0.5,
    "bisect.a": lambda: portanet.asarray(np.zeros(())),
    "bisect.b": lambda: portanet.asarray(np.ones(())),
    "newton.f": lambda: lambda x: x * x - 2.0,
    "minimize.f": lambda: lambda x: (x * x)[0],
    "x0": ones(1),
    "sequences": lambda: [[1, 2], [3]],
    "to_categorical.x": lambda: np.asarray([0, 1, 2]),
    "seed": lambda: 3,
    "name": lambda: "own",
    "key": lambda: 3,
    "step": lambda: portanet.asarray(np.asarray(0, "int32")),
    "p": lambda: 0.5,
    "choice.p": lambda: None,
    "low": lambda: 0,
    "high": lambda: 3,
    "streams.shape": lambda: (2, 3),
    "policy": lambda: "float32",
    "value": lambda: 1.0,
}
