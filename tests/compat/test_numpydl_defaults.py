"""The defaults of NumpyDL's classes, but for smaller epsilons where its own do nothing in float32."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from portanet.compat import numpydl as npdl

RECURRENT = {"n_in": None, "nb_batch": None, "nb_seq": None, "return_sequence": False}
RECURRENT |= {"init": "glorot_uniform", "inner_init": "orthogonal", "activation": "tanh"}
GATED = RECURRENT | {"gate_activation": "sigmoid", "need_grad": True}
SCHEDULED = {"lr": 0.001, "clip": -1, "decay": 0.0, "lr_min": 0.0, "lr_max": float("inf")}
MOMENTS = SCHEDULED | {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}

DEFAULTS: dict[str, dict[str, Any]] = {
    "activations.Elliot": {"steepness": 1},
    "activations.SymmetricElliot": {"steepness": 1},
    "initializations.Normal": {"std": 0.01, "mean": 0.0},
    "initializations.Orthogonal": {"gain": 1.0},
    "initializations.Uniform": {"scale": 0.05},
    "layers.BatchLSTM": GATED | {"forget_bias_num": 1},
    "layers.BatchNormal": {"epsilon": 1e-6, "momentum": 0.9, "axis": 0, "beta_init": "zero", "gamma_init": "one"},
    "layers.Convolution": {"input_shape": None, "stride": 1, "init": "glorot_uniform", "activation": "relu"},
    "layers.Dense": {"n_in": None, "init": "glorot_uniform", "activation": "tanh"},
    "layers.DimShuffle": {"axis": 1},
    "layers.Dropout": {"p": 0.0},
    "layers.Embedding": dict.fromkeys(["embed_words", "static", "input_size", "n_out", "nb_batch", "nb_seq"])
    | {"init": "uniform"},
    "layers.Flatten": {"outdim": 2},
    "layers.GRU": GATED,
    "layers.LSTM": GATED | {"forget_bias_num": 1},
    "layers.Linear": {"n_in": None, "init": "glorot_uniform"},
    "layers.SimpleRNN": RECURRENT,
    "layers.Softmax": {"n_in": None, "init": "glorot_uniform"},
    "objectives.BinaryCrossEntropy": {"epsilon": 1e-7},  # NumpyDL's 1e-11 is lost in 1 - epsilon
    "objectives.HellingerDistance": {"epsilon": 1e-7},
    "objectives.SoftmaxCategoricalCrossEntropy": {"epsilon": 1e-11},
    "optimizers.Adadelta": SCHEDULED | {"rho": 0.9, "epsilon": 1e-6},
    "optimizers.Adagrad": SCHEDULED | {"epsilon": 1e-6},
    "optimizers.Adam": MOMENTS,
    "optimizers.Adamax": MOMENTS,
    "optimizers.Momentum": SCHEDULED | {"momentum": 0.9},
    "optimizers.NesterovMomentum": SCHEDULED | {"momentum": 0.9},
    "optimizers.RMSprop": SCHEDULED | {"rho": 0.9, "epsilon": 1e-6},
    "optimizers.SGD": SCHEDULED,
}
LAYERS = [name for name in npdl.layers.__all__ if hasattr(getattr(npdl.layers, name), "forward")]


def defaults(value: Any) -> dict[str, Any]:
    """Default of each argument of a class, also of those that reach a base class."""
    result: dict[str, Any] = {}
    for init in filter(inspect.isfunction, (vars(base).get("__init__") for base in value.__mro__)):
        parameters = list(inspect.signature(init).parameters.values())
        result = {p.name: p.default for p in parameters if p.default is not p.empty} | result
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return result


@pytest.mark.parametrize("name", DEFAULTS)
def test_defaults(name: str) -> None:
    room, _, function = name.partition(".")
    values = defaults(getattr(getattr(npdl, room), function))
    assert {k: (type(v), v) for k, v in values.items()} == {k: (type(v), v) for k, v in DEFAULTS[name].items()}


@pytest.mark.parametrize(
    "name", [name for name in npdl.layers.__all__ if hasattr(getattr(npdl.layers, name), "forward")]
)
def test_layers_train_unless_told_otherwise(name: str) -> None:
    forward = getattr(npdl.layers, name).forward
    assert inspect.signature(forward).parameters["train"].default is True


def test_defaults_of_models() -> None:
    expected = {"max_iter": 100, "batch_size": 64, "shuffle": True, "validation_split": 0.0}
    fit = {name: p.default for name, p in inspect.signature(npdl.Model.fit).parameters.items()}
    assert {name: fit[name] for name in expected} == expected
    assert inspect.signature(npdl.Model.evaluate).parameters["batch_size"].default == 64
