"""Neural networks in the Python array API standard: one script on NumPy, CuPy, PyTorch, JAX and array-api-strict."""

import importlib
from typing import TYPE_CHECKING, Any

from portanet.backends import asarray, available_backends, get_backend, set_backend, to_host, use_backend

if TYPE_CHECKING:
    from portanet import (
        activations,
        autodiff,
        callbacks,
        constraints,
        datasets,
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
        utils,
    )
    from portanet.layers import Input
    from portanet.mixed_precision import DTypePolicy
    from portanet.models import Model, Sequential
    from portanet.saving import load_model

__version__ = "0.1.0"

__all__ = [
    "DTypePolicy",
    "Input",
    "Model",
    "Sequential",
    "activations",
    "asarray",
    "autodiff",
    "available_backends",
    "callbacks",
    "constraints",
    "datasets",
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
    "use_backend",
    "utils",
]

_HOMES = {
    "DTypePolicy": "portanet.mixed_precision",
    "Input": "portanet.layers",
    "Model": "portanet.models",
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
