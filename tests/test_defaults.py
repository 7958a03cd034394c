"""The defaults of what Keras does not have; `oracles/test_defaults.py` compares the others with Keras, and knows that
the list is complete.

They are those of the source that the docstring names: PyTorch (`Rprop`, `OneCycle`, `Triplet`...),
scikit-learn (`StandardScaler`, `train_test_split`...), the original of a reimplementation, or the paper.
"""

from __future__ import annotations

import importlib
import inspect
import operator
from typing import Any

import pytest

import portanet
from portanet import autodiff
from portanet.autodiff import special

NUMBERS: dict[str, dict[str, float | bool]] = {
    "activations.elliot": {"steepness": 1.0},
    "activations.maxout": {"axis": -1},
    "activations.symmetric_elliot": {"steepness": 1.0},
    "activations.tanh_linear": {"slope": 0.1},
    "autodiff.cg": {"atol": 0.0},
    "autodiff.check_grads": {"order": 2, "tol": 1e-5, "directions": 2, "seed": 0},
    "autodiff.custom_linear_solve": {"symmetric": False, "has_aux": False},
    "autodiff.custom_minimum": {"has_aux": False},
    "autodiff.custom_root": {"has_aux": False},
    "autodiff.custom_vjp": {"early": False},
    "autodiff.detect_anomaly": {"nan_only": False},
    "autodiff.fixed_point": {"max_iterations": 500, "memory": 5},
    "autodiff.gmres": {"atol": 0.0, "restart": 20},
    "autodiff.grad": {"argnums": 0, "has_aux": False},
    "autodiff.hessian": {"argnums": 0, "has_aux": False},
    "autodiff.hessian_sparsity": {"argnums": 0, "points": 3},
    "autodiff.hvp": {"has_aux": False},
    "autodiff.jacobian": {"argnums": 0, "has_aux": False},
    "autodiff.jacobian_sparsity": {"argnums": 0, "points": 3},
    "autodiff.jvp": {"has_aux": False},
    "autodiff.linearize": {"has_aux": False},
    "autodiff.numeric_grad": {"argnum": 0},
    "autodiff.odeint": {"max_steps": 100000},
    "autodiff.quadrature": {"atol": 0.0, "max_intervals": 1000},
    "autodiff.scan": {"reverse": False},
    "autodiff.sparse_hessian": {"argnums": 0, "has_aux": False, "verify": True},
    "autodiff.sparse_jacobian": {"argnums": 0, "has_aux": False, "verify": True},
    "autodiff.special.logsumexp": {"keepdims": False},
    "autodiff.value_and_grad": {"argnums": 0, "has_aux": False},
    "autodiff.value_and_jacobian": {"argnums": 0, "has_aux": False},
    "autodiff.vjp": {"has_aux": False},
    "autodiff.vmap": {"in_axes": 0, "out_axes": 0},
    "callbacks.ActivationMonitor": {"every": 1, "bins": 30},
    "callbacks.GradientMonitor": {"every": 1, "bins": 30},
    "callbacks.JSONLinesLogger": {"append": False},
    "callbacks.LogFile": {"append": False},
    "callbacks.Monitor": {"min_delta": 0.0},
    "callbacks.Probe": {"every": 1},
    "callbacks.Profiler": {"repeats": 5, "verbose": 1},
    "callbacks.Timing": {"verbose": 0},
    "initializers.Sparse": {"connections": 15, "stddev": 1.0},
    "initializers.lsuv": {"tolerance": 0.1, "max_iterations": 10},
    "layers.Bilinear": {"use_bias": True},
    "layers.ContractiveRegularization": {"factor": 0.01},
    "layers.Elliot": {"steepness": 1.0, "symmetric": False},
    "layers.Highway": {"carry_bias": -1.0},
    "layers.InstanceNormalization": {"epsilon": 0.001, "center": True, "scale": True, "groups": 32, "axis": -1},
    "layers.JordanCell": {"use_bias": True, "dropout": 0.0, "recurrent_dropout": 0.0},
    "layers.JordanRNN": {
        "return_sequences": False,
        "return_state": False,
        "go_backwards": False,
        "stateful": False,
        "unroll": False,
        "zero_output_for_mask": False,
        "learn_initial_state": False,
        "use_bias": True,
    },
    "layers.L2Pooling1D": {"pool_size": 2, "ceil_mode": False},
    "layers.L2Pooling2D": {"pool_size": 2, "ceil_mode": False},
    "layers.L2Pooling3D": {"pool_size": 2, "ceil_mode": False},
    "layers.LocallyConnected1D": {"strides": 1, "use_bias": True},
    "layers.LocallyConnected2D": {"strides": 1, "use_bias": True},
    "layers.MaxUnpooling1D": {"pool_size": 2, "ceil_mode": False},
    "layers.MaxUnpooling2D": {"pool_size": 2, "ceil_mode": False},
    "layers.MaxUnpooling3D": {"pool_size": 2, "ceil_mode": False},
    "layers.Maxout": {"pieces": 2, "use_bias": True},
    "layers.Perceptron": {"use_bias": True},
    "layers.RBF": {"normalize": False, "beta": 1.0, "local_linear": False},
    "layers.RecurrentCell": {"use_bias": True, "dropout": 0.0, "recurrent_dropout": 0.0},
    "layers.RotaryEmbedding": {"max_wavelength": 10000, "scaling_factor": 1.0, "sequence_axis": 1},
    "layers.SinePositionEncoding": {"max_wavelength": 10000},
    "layers.TiedDense": {"use_bias": True},
    "layers.TiledConv1D": {"strides": 1, "dilation_rate": 1, "use_bias": True, "groups": 1},
    "layers.TiledConv2D": {"strides": 1, "dilation_rate": 1, "use_bias": True, "groups": 1},
    "layers.TransformerDecoder": {"dropout": 0.0, "layer_norm_epsilon": 1e-05, "normalize_first": False},
    "layers.TransformerEncoder": {"dropout": 0.0, "layer_norm_epsilon": 1e-05, "normalize_first": False},
    "losses.BernoulliNegativeLogLikelihood": {"from_logits": False},
    "losses.Contrastive": {"margin": 1.0},
    "losses.MulticlassSVM": {"margin": 1.0},
    "losses.Triplet": {"margin": 1.0},
    "losses.ctc": {"blank": 0},
    "losses.triplet": {"margin": 1.0},
    "metrics.Perplexity": {"from_logits": False},
    "optimizers.ESGD": {"learning_rate": 0.01, "damping": 0.0001, "update_frequency": 20},
    "optimizers.Lookahead": {"sync_period": 5, "slow_step_size": 0.5},
    "optimizers.Rprop": {"learning_rate": 0.01, "eta_minus": 0.5, "eta_plus": 1.2, "min_step": 1e-06, "max_step": 50.0},
    "optimizers.bisect": {"max_iterations": 100},
    "optimizers.descend": {"steps": 100},
    "optimizers.minimize": {"tolerance": 1e-05, "max_iterations": 1000, "memory": 10},
    "optimizers.newton": {"max_iterations": 50},
    "schedules.OneCycle": {"pct_start": 0.3},
    "schedules.PowerDecay": {"power": 0.55},
    "schedules.ReduceOnPlateau": {"factor": 0.1, "patience": 10, "min_delta": 0.0001, "cooldown": 0, "min_lr": 0.0},
    "schedules.StepDecay": {"factor": 0.1},
    "schedules.Warmup": {"start": 0.0},
    "datasets.read_cifar": {"labels": 1, "max_bytes": 2**32},
    "datasets.read_idx": {"max_bytes": 2**32},
    "datasets.read_text": {"max_bytes": 2**32},
    "preprocessing.PCAWhitening": {"epsilon": 1e-08},
    "preprocessing.PolynomialFeatures": {"degree": 2, "include_bias": True},
    "preprocessing.StandardScaler": {"with_mean": True, "with_std": True},
    "preprocessing.Tokenizer": {"lower": True, "char_level": False},
    "preprocessing.ZCAWhitening": {"epsilon": 1e-08},
    "preprocessing.k_means": {"iterations": 100},
    "preprocessing.train_test_split": {"test_size": 0.25, "shuffle": True},
    "estimators.PortanetClassifier": {"epochs": 200, "validation_fraction": 0.0, "verbose": 0, "warm_start": False},
    "estimators.PortanetRegressor": {"epochs": 200, "validation_fraction": 0.0, "verbose": 0, "warm_start": False},
    "saving.load_model": {"compile": True, "safe_mode": True},
    "saving.load_weights": {"strict": True, "skip_mismatch": False},
    "models.plot_model": {
        "show_shapes": True,
        "show_dtype": False,
        "show_layer_names": True,
        "expand_nested": False,
        "dpi": 200,
        "show_layer_activations": False,
        "show_trainable": False,
    },
    "utils.PyDataset": {"workers": 1, "use_multiprocessing": False, "max_queue_size": 10},
    "utils.normalize": {"axis": -1, "order": 2},
    "utils.pad_sequences": {"value": 0.0},
}
ANYWHERE = {"autocast", "trainable", "use_ema", "ema_momentum"}  # of every layer and optimizer; compared with Keras


def numbers(function: Any) -> dict[str, float | bool]:
    """Default of each argument where it is a number or a boolean, also of those that reach a base class."""
    functions = [vars(base).get("__init__") for base in function.__mro__] if inspect.isclass(function) else [function]
    result: dict[str, Any] = {}
    for each in filter(inspect.isfunction, functions):
        parameters = inspect.signature(each).parameters.values()
        result = {p.name: p.default for p in parameters} | result
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return {k: v for k, v in result.items() if isinstance(v, (bool, int, float)) and k not in ANYWHERE}


@pytest.mark.parametrize("name", NUMBERS)
def test_defaults(name: str) -> None:
    room, _, function = name.rpartition(".")
    values = numbers(getattr(importlib.import_module(f"portanet.{room}"), function))
    assert {k: (type(v), v) for k, v in values.items()} == {k: (type(v), v) for k, v in NUMBERS[name].items()}


def test_every_function_that_differentiates_or_solves_is_listed() -> None:
    functions = [f"autodiff.{name}" for name in autodiff.__all__] + [f"autodiff.special.{n}" for n in special.__all__]
    found = {name for name in functions if numbers(operator.attrgetter(name)(portanet))}
    assert found == {name for name in NUMBERS if name.startswith("autodiff.")}
