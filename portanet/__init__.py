"""Neural networks in the array API standard: one script on NumPy, CuPy, PyTorch, JAX, MLX, dpnp, array-api-strict."""

import importlib
from typing import TYPE_CHECKING, Any

from portanet.backends import asarray, available_backends, get_backend, set_backend, to_host, use_backend

if TYPE_CHECKING:
    from portanet import (
        activations,
        applications,
        autodiff,
        backend,
        callbacks,
        config,
        constraints,
        datasets,
        distillation,
        distribution,
        dtype_policies,
        estimators,
        export,
        initializers,
        layers,
        losses,
        metrics,
        mixed_precision,
        models,
        ops,
        optimizers,
        plot,
        preprocessing,
        random,
        regularizers,
        saving,
        schedules,
        training,
        tree,
        utils,
        wrappers,
    )
    from portanet.backends.precision import get_float32_matmul_precision, set_float32_matmul_precision
    from portanet.initializers import Initializer
    from portanet.layers import Input, InputSpec, Layer
    from portanet.layers.operation import Operation
    from portanet.layers.symbolic import KerasTensor
    from portanet.losses import Loss
    from portanet.metrics import Metric
    from portanet.mixed_precision import DTypePolicy, FloatDTypePolicy
    from portanet.models import Model, Sequential
    from portanet.models.function import Function
    from portanet.optimizers import Optimizer
    from portanet.regularizers import Regularizer
    from portanet.saving import load_model
    from portanet.scopes import device, name_scope, remat
    from portanet.variables import Variable

__version__ = "0.1.0"

__all__ = [
    "DTypePolicy",
    "FloatDTypePolicy",
    "Function",
    "Initializer",
    "Input",
    "InputSpec",
    "KerasTensor",
    "Layer",
    "Loss",
    "Metric",
    "Model",
    "Operation",
    "Optimizer",
    "Regularizer",
    "Sequential",
    "Variable",
    "activations",
    "applications",
    "asarray",
    "autodiff",
    "available_backends",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "datasets",
    "device",
    "distillation",
    "distribution",
    "dtype_policies",
    "estimators",
    "export",
    "get_backend",
    "get_float32_matmul_precision",
    "initializers",
    "layers",
    "load_model",
    "losses",
    "metrics",
    "mixed_precision",
    "models",
    "name_scope",
    "ops",
    "optimizers",
    "plot",
    "preprocessing",
    "random",
    "regularizers",
    "remat",
    "saving",
    "schedules",
    "set_backend",
    "set_float32_matmul_precision",
    "to_host",
    "training",
    "tree",
    "use_backend",
    "utils",
    "version",
    "wrappers",
]


def version() -> str:
    """The version of the library.

    Example:
        >>> version()
        '0.1.0'
    """
    return __version__


_HOMES = {
    "DTypePolicy": "portanet.mixed_precision",
    "FloatDTypePolicy": "portanet.mixed_precision",
    "Function": "portanet.models.function",
    "Initializer": "portanet.initializers",
    "Input": "portanet.layers",
    "InputSpec": "portanet.layers",
    "KerasTensor": "portanet.layers.symbolic",
    "Layer": "portanet.layers",
    "Loss": "portanet.losses",
    "Metric": "portanet.metrics",
    "Model": "portanet.models",
    "Operation": "portanet.layers.operation",
    "Optimizer": "portanet.optimizers",
    "Regularizer": "portanet.regularizers",
    "Sequential": "portanet.models",
    "Variable": "portanet.variables",
    "device": "portanet.scopes",
    "get_float32_matmul_precision": "portanet.backends.precision",
    "load_model": "portanet.saving",
    "name_scope": "portanet.scopes",
    "remat": "portanet.scopes",
    "set_float32_matmul_precision": "portanet.backends.precision",
}


if not TYPE_CHECKING:  # which knows the names

    def __getattr__(name: str) -> Any:
        """Import the rooms of the library when they are first asked for: `import portanet` stays quick."""
        if name in _HOMES:
            return getattr(importlib.import_module(_HOMES[name]), name)
        if name in __all__ or name == "compat":
            return importlib.import_module(f"portanet.{name}")
        raise importlib.import_module("portanet.lookup").no_attribute("portanet", name, __all__)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__", "compat"])
