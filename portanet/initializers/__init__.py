"""Initial values of weights, drawn on the host, so that they are bitwise the same on every backend."""

from __future__ import annotations

from typing import Any

from portanet.initializers.base import Initializer, fans
from portanet.initializers.constant import Constant, Identity, Ones, Zeros
from portanet.initializers.lsuv import lsuv
from portanet.initializers.scaled import (
    FanIn,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
)
from portanet.initializers.structured import SVD, Orthogonal, Sparse
from portanet.lookup import lookup, names

INITIALIZERS = names(
    Constant, FanIn, GlorotNormal, GlorotUniform, HeNormal, HeUniform, Identity, LecunNormal, LecunUniform, Ones,
    Orthogonal, RandomNormal, RandomUniform, SVD, Sparse, TruncatedNormal, VarianceScaling, Zeros,
)  # fmt: skip
INITIALIZERS |= {"zero": Zeros, "one": Ones, "uniform": RandomUniform, "normal": RandomNormal}


def get(identifier: Any, name: str = "identifier", of: Any = "") -> Any:
    """An initializer by name, or the given object (or function `(shape, generator) -> NumPy array`).

    Args:
        identifier: Name or object.
        name: Name of the argument that holds it, for errors.
        of: The layer, class or function that takes it.

    Example:
        >>> from portanet import initializers
        >>> initializers.get("he_normal").get_config()
        {'seed': None}
    """
    return lookup("initializer", identifier, INITIALIZERS, name, of)


__all__ = [
    "SVD",
    "Constant",
    "FanIn",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "Sparse",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "fans",
    "get",
    "lsuv",
]
