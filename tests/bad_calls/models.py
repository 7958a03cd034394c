"""Targets: methods of models, files, estimators, data sets, and the functions of `portanet` itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import portanet
from portanet import autodiff, datasets, layers, models, random, saving
from portanet.backends import registry
from tests.bad_calls.kinds import kinds_of
from tests.bad_calls.targets import Target, signature_of
from tests.bad_calls.valid import Make, data, model, ones

X, Y = (lambda: data()[0]), (lambda: data()[1])
METHODS: dict[str, dict[str, Make]] = {
    "compile": {"optimizer": lambda: "sgd", "loss": lambda: "mse"},
    "fit": {"x": X, "y": Y, "validation_data": data, "verbose": lambda: 0},
    "evaluate": {"x": X, "y": Y, "verbose": lambda: 0},
    "predict": {"x": X},
    "train_on_batch": {"x": X, "y": Y},
    "test_on_batch": {"x": X, "y": Y},
    "predict_on_batch": {"x": X},
    "summary": {},
    "get_layer": {"index": lambda: 0},
    "save": {"filepath": lambda: "model.safetensors"},
    "save_weights": {"filepath": lambda: "weights.safetensors"},
    "load_weights": {"filepath": lambda: written("weights")},
    "set_weights": {"weights": lambda: [np.ones((3, 2)), np.ones(2)]},
    "count_params": {},
    "to": {"name": lambda: "numpy"},
}

FUNCTIONS: dict[str, tuple[Callable[..., Any], dict[str, Make]]] = {
    "asarray": (portanet.asarray, {"x": lambda: [1.0]}),
    "to_host": (portanet.to_host, {"x": lambda: [1.0]}),
    "set_backend": (portanet.set_backend, {"name": lambda: "numpy"}),
    "use_backend": (lambda **arguments: portanet.use_backend(**arguments).__enter__(), {"name": lambda: "numpy"}),
    "set_float32_matmul_precision": (portanet.set_float32_matmul_precision, {"precision": lambda: "highest"}),
    "load_model": (portanet.load_model, {"filepath": lambda: written("model")}),
    "Sequential": (portanet.Sequential, {"layers": lambda: [layers.Dense(2)]}),
    "Sequential.add": (
        lambda layer, rebuild=True: portanet.Sequential().add(layer, rebuild),
        {"layer": lambda: layers.Dense(2)},
    ),
    "random.set_seed": (random.set_seed, {"seed": lambda: 3}),
    "random.use_seed": (lambda seed: random.use_seed(seed).__enter__(), {"seed": lambda: 3}),
    "models.clone_model": (models.clone_model, {"model": model}),
    "models.plot_model": (models.plot_model, {"model": model}),
    "saving.save_model": (saving.save_model, {"model": model, "filepath": lambda: "model.safetensors"}),
    "saving.save_weights": (saving.save_weights, {"model": model, "filepath": lambda: "weights.safetensors"}),
    "saving.load_weights": (saving.load_weights, {"model": model, "filepath": lambda: written("weights")}),
    "saving.restore": (saving.restore, {"model": model, "path": lambda: written("model")}),
    "saving.register_serializable": (saving.register_serializable, {}),
    "datasets.NpyShards": (datasets.NpyShards, {"paths": lambda: [written("array")]}),
    "layers.Layer": (layers.Layer, {}),
    "autodiff.grad": (lambda **a: autodiff.grad(**a)(ones(1)()), {"f": lambda: lambda x: x[0]}),
    "autodiff.value_and_grad": (lambda **a: autodiff.value_and_grad(**a)(ones(1)()), {"f": lambda: lambda x: x[0]}),
    "autodiff.jacobian": (lambda **a: autodiff.jacobian(**a)(ones(1)()), {"f": lambda: lambda x: x * x}),
    "autodiff.hessian": (lambda **a: autodiff.hessian(**a)(ones(1)()), {"f": lambda: lambda x: x[0] * x[0]}),
    "autodiff.value_and_jacobian": (
        lambda **a: autodiff.value_and_jacobian(**a)(ones(1)()),
        {"f": lambda: lambda x: x * x},
    ),
    "autodiff.sparse_jacobian": (lambda **a: autodiff.sparse_jacobian(**a)(ones(1)()), {"f": lambda: lambda x: x * x}),
    "autodiff.sparse_hessian": (
        lambda **a: autodiff.sparse_hessian(**a)(ones(1)()),
        {"f": lambda: lambda x: x[0] * x[0]},
    ),
    "autodiff.jacobian_sparsity": (
        lambda **a: autodiff.jacobian_sparsity(**a)(ones(1)()),
        {"f": lambda: lambda x: x * x},
    ),
    "autodiff.hessian_sparsity": (
        lambda **a: autodiff.hessian_sparsity(**a)(ones(1)()),
        {"f": lambda: lambda x: x[0] * x[0]},
    ),
    "autodiff.detect_anomaly": (lambda **a: autodiff.detect_anomaly(**a).__enter__(), {}),
    "autodiff.checkpoint": (lambda **a: autodiff.checkpoint(**a)(ones(1)()), {"f": lambda: lambda x: x[0]}),
    "autodiff.custom_root": (
        autodiff.custom_root,
        {"f": lambda: lambda x: x - 1.0, "initial_guess": ones(2), "solve": lambda: lambda f, x: x},
    ),
    "autodiff.custom_minimum": (
        autodiff.custom_minimum,
        {
            "f": lambda: lambda x: autodiff.array_namespace(x).sum(abs(x) ** 2),
            "initial_guess": ones(2),
            "solve": lambda: lambda f, x: 0.0 * x,
        },
    ),
    "autodiff.custom_linear_solve": (
        autodiff.custom_linear_solve,
        {"matvec": lambda: lambda x: 2.0 * x, "b": ones(2), "solve": lambda: lambda f, b: 0.5 * b},
    ),
    "autodiff.cg": (autodiff.cg, {"A": lambda: lambda x: 2.0 * x, "b": ones(2)}),
    "autodiff.gmres": (autodiff.gmres, {"A": lambda: lambda x: 2.0 * x, "b": ones(2)}),
    "autodiff.fixed_point": (autodiff.fixed_point, {"f": lambda: lambda x: 0.5 * x, "x0": ones(2)}),
    "autodiff.on_host": (autodiff.on_host, {"solver": lambda: lambda f, x: x}),
    "autodiff.scan": (autodiff.scan, {"f": lambda: lambda carry, x: (carry, x), "init": ones(2), "xs": ones(3, 2)}),
    "autodiff.fori_loop": (
        autodiff.fori_loop,
        {"lower": lambda: 0, "upper": lambda: 2, "body_fun": lambda: lambda i, x: x, "init_val": ones(2)},
    ),
    "autodiff.while_loop": (
        autodiff.while_loop,
        {"cond_fun": lambda: lambda x: False, "body_fun": lambda: lambda x: x, "init_val": ones(2)},
    ),
    "autodiff.odeint": (
        autodiff.odeint,
        {"func": lambda: lambda y, t: 0.0 * y, "y0": ones(2), "t": lambda: portanet.asarray([0.0, 1.0])},
    ),
    "autodiff.quadrature": (
        autodiff.quadrature,
        {"f": lambda: lambda x: x, "a": lambda: 0.0, "b": ones()},
    ),
    "backends.make_backend": (registry.make_backend, {"name": lambda: "numpy"}),
}
SIGNATURES = {
    "use_backend": portanet.use_backend,
    "Sequential": portanet.Sequential,
    "Sequential.add": portanet.Sequential.add,
    "random.use_seed": random.use_seed,
    "autodiff.grad": autodiff.grad,
    "autodiff.value_and_grad": autodiff.value_and_grad,
    "autodiff.jacobian": autodiff.jacobian,
    "autodiff.hessian": autodiff.hessian,
    "autodiff.value_and_jacobian": autodiff.value_and_jacobian,
    "autodiff.sparse_jacobian": autodiff.sparse_jacobian,
    "autodiff.sparse_hessian": autodiff.sparse_hessian,
    "autodiff.jacobian_sparsity": autodiff.jacobian_sparsity,
    "autodiff.hessian_sparsity": autodiff.hessian_sparsity,
    "autodiff.detect_anomaly": autodiff.detect_anomaly,
    "autodiff.checkpoint": autodiff.checkpoint,
}
"""Of the functions that are called by others above."""


def targets() -> Iterator[Target]:
    for name, required in METHODS.items():
        signature = signature_of(getattr(portanet.Sequential, name))
        kinds = {p.name: kinds_of(p.name, str(p.annotation)) for p in signature.values()}
        yield Target(f"Model.{name}", method(name), kinds, required)
    for name, (function, required) in FUNCTIONS.items():
        signature = signature_of(SIGNATURES.get(name, function))
        yield Target(
            name, function, {p.name: kinds_of(p.name, str(p.annotation)) for p in signature.values()}, required
        )
    yield from estimators()


def method(name: str) -> Callable[..., Any]:
    """A method of a new model, built and compiled; with `compile`, it is also trained."""

    def call(**arguments: Any) -> Any:
        made = model()
        result = getattr(made, name)(**arguments)
        if name == "compile":
            made.fit(*data(), verbose=0)
        return result

    return call


def written(what: str) -> str:
    """The path of a file in the current folder."""
    if what == "array":
        np.save("array.npy", np.ones((3, 2)))
        return "array.npy"
    path = f"{what}-written.safetensors"
    (saving.save_model if what == "model" else saving.save_weights)(model(), path)
    return path


def estimators() -> Iterator[Target]:
    try:
        from portanet import wrappers
        from portanet.estimators import PortanetClassifier, PortanetRegressor
    except ImportError:  # without scikit-learn
        return
    x, y = np.arange(24.0).reshape(8, 3), np.arange(8) % 2
    for cls in (PortanetClassifier, PortanetRegressor):
        kinds = {p.name: kinds_of(p.name, str(p.annotation)) for p in signature_of(cls).values()}
        small: dict[str, Make] = {"epochs": lambda: 1, "hidden_layer_sizes": lambda: (2,), "verbose": lambda: 0}
        call = lambda cls=cls, **arguments: cls(**arguments).fit(x, y)
        yield Target(f"estimators.{cls.__name__}", call, kinds, small)
    for cls in (wrappers.SKLearnClassifier, wrappers.SKLearnRegressor, wrappers.SKLearnTransformer):
        kinds = {p.name: kinds_of(p.name, str(p.annotation)) for p in signature_of(cls).values()}
        valid: dict[str, Make] = {"model": lambda: network, "fit_kwargs": lambda: {"verbose": 0}}
        call = lambda cls=cls, **arguments: cls(**arguments).fit(x, y)
        yield Target(f"wrappers.{cls.__name__}", call, kinds, valid)


def network(X: Any, y: Any) -> portanet.Model:
    """A compiled model for data, as the wrappers for scikit-learn take it."""
    made = portanet.Sequential([layers.Input((X.shape[1],)), layers.Dense(y.shape[1] if y.ndim > 1 else 1, "sigmoid")])
    made.compile("sgd", "mse")
    return made
