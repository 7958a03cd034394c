"""Neural networks in the Python array API standard: one script on NumPy, CuPy, PyTorch, JAX and array-api-strict."""

import importlib
from typing import TYPE_CHECKING, Any

from portanet.backends import asarray, available_backends, get_backend, set_backend, to_host, use_backend

if TYPE_CHECKING:
    from portanet import (
        activations,
        autodiff,
        backend,
        callbacks,
        config,
        constraints,
        datasets,
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
        preprocessing,
        random,
        regularizers,
        saving,
        schedules,
        training,
        tree,
        utils,
    )
    from portanet.initializers import Initializer
    from portanet.layers import Input, Layer
    from portanet.losses import Loss
    from portanet.metrics import Metric
    from portanet.mixed_precision import DTypePolicy, FloatDTypePolicy
    from portanet.models import Model, Sequential
    from portanet.optimizers import Optimizer
    from portanet.regularizers import Regularizer
    from portanet.saving import load_model

__version__ = "0.1.0"

__all__ = [
    "DTypePolicy",
    "FloatDTypePolicy",
    "Initializer",
    "Input",
    "Layer",
    "Loss",
    "Metric",
    "Model",
    "Optimizer",
    "Regularizer",
    "Sequential",
    "activations",
    "asarray",
    "autodiff",
    "available_backends",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "datasets",
    "dtype_policies",
    "estimators",
    "export",
    "get_backend",
    "initializers",
    "layers",
    "load_model",
    "losses",
    "metrics",
    "mixed_precision",
    "models",
    "ops",
    "optimizers",
    "preprocessing",
    "random",
    "regularizers",
    "saving",
    "schedules",
    "set_backend",
    "to_host",
    "training",
    "tree",
    "use_backend",
    "utils",
    "version",
]


def version() -> str:
    """The version of the library."""
    return __version__


_HOMES = {
    "DTypePolicy": "portanet.mixed_precision",
    "FloatDTypePolicy": "portanet.mixed_precision",
    "Initializer": "portanet.initializers",
    "Input": "portanet.layers",
    "Layer": "portanet.layers",
    "Loss": "portanet.losses",
    "Metric": "portanet.metrics",
    "Model": "portanet.models",
    "Optimizer": "portanet.optimizers",
    "Regularizer": "portanet.regularizers",
    "Sequential": "portanet.models",
    "load_model": "portanet.saving",
}


def __getattr__(name: str) -> Any:
    """Import the rooms of the library when they are first asked for: `import portanet` stays quick."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name in __all__:
        return importlib.import_module(f"portanet.{name}")
    raise AttributeError(f"module 'portanet' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
