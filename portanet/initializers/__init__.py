"""Initial values of weights, drawn on the host, so that they are bitwise the same on every backend."""

from __future__ import annotations

from typing import Any

import numpy as np

from portanet import checks
from portanet.backends import backend_class_of, to_host
from portanet.initializers.base import Initializer, fans
from portanet.initializers.constants import Constant, Identity, Ones, Zeros
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
# Keras's other names
constant = Constant
glorot_normal = GlorotNormal
glorot_uniform = GlorotUniform
he_normal = HeNormal
he_uniform = HeUniform
identity = Identity
IdentityInitializer = Identity
lecun_normal = LecunNormal
lecun_uniform = LecunUniform
ones = Ones
orthogonal = Orthogonal
OrthogonalInitializer = Orthogonal
random_normal = RandomNormal
random_uniform = RandomUniform
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
zeros = Zeros
INITIALIZERS |= {"zero": Zeros, "one": Ones, "uniform": RandomUniform, "normal": RandomNormal}


def get(identifier: Any, name: str = "identifier", of: Any = "") -> Any:
    """An initializer by name, or the given object (or function `(shape, generator) -> NumPy array`);
    an array for its values.

    Args:
        identifier: Name or object.
        name: Name of the argument that holds it, for errors.
        of: The layer, class or function that takes it.

    Example:
        >>> from portanet import initializers
        >>> initializers.get("he_normal").get_config()
        {'seed': None}
    """
    if backend_class_of(identifier) is not None:
        host = to_host(identifier)
        if host.dtype.kind not in "biuf" or not np.isfinite(host).all():
            raise checks.invalid(name, identifier, "a name, an initializer, or an array of finite numbers", of)
        identifier = Constant(host)
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
    "IdentityInitializer",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "OrthogonalInitializer",
    "RandomNormal",
    "RandomUniform",
    "Sparse",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "constant",
    "fans",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "lsuv",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "truncated_normal",
    "variance_scaling",
    "zeros",
]
