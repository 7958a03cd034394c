"""Initial values of weights, drawn on the host, so that they are bitwise the same on every backend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from portanet import checks
from portanet.backends import backend_class_of, to_host
from portanet.initializers.base import Initializer, fans
from portanet.initializers.constants import Constant, Identity, Ones, Zeros
from portanet.initializers.fourier import STFT
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
from portanet.lookup import created, described, lookup, names, no_attribute

INITIALIZERS = names(
    Constant, FanIn, GlorotNormal, GlorotUniform, HeNormal, HeUniform, Identity, LecunNormal, LecunUniform, Ones,
    Orthogonal, RandomNormal, RandomUniform, STFT, SVD, Sparse, TruncatedNormal, VarianceScaling, Zeros,
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
STFTInitializer = STFT
stft = STFT
random_normal = RandomNormal
random_uniform = RandomUniform
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
zeros = Zeros
INITIALIZERS |= {"zero": Zeros, "one": Ones, "uniform": RandomUniform, "normal": RandomNormal}
INITIALIZERS |= {f"{cls.__name__}Initializer": cls for cls in (Identity, Orthogonal, STFT)}


def get(identifier: Any, name: str = "identifier", of: Any = "") -> Any:
    """An initializer by name, or the given object (or function `(shape, generator) -> NumPy array`);
    an array for its values; None for None.

    Args:
        identifier: Name or object.
        name: Name of the argument that holds it, for errors.
        of: The layer, class or function that takes it.

    Example:
        >>> from portanet import initializers
        >>> initializers.get("he_normal").scale
        2.0
    """
    if identifier is None and not of:
        return None
    if backend_class_of(identifier) is not None:
        host = to_host(identifier)
        if host.dtype.kind not in "biuf" or not np.isfinite(host).all():
            raise checks.invalid(name, identifier, "a name, an initializer, or an array of finite numbers", of)
        identifier = Constant(host)
    return lookup("initializer", identifier, INITIALIZERS, name, of)


def serialize(initializer: Any) -> Any:
    """The description of an initializer that Keras would write, for `deserialize`.

    Args:
        initializer: The initializer.

    Example:
        >>> from portanet import initializers
        >>> float(initializers.deserialize(initializers.serialize(initializers.Constant(2.0))).value)
        2.0
    """
    return described(initializer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The initializer of a description by `serialize` or Keras's own, or of its name.

    Args:
        config: The description.
        custom_objects: Classes and functions by the names in it, beside those that are registered.

    Example:
        >>> deserialize({"class_name": "Constant", "config": {"value": 2.0}})((2,)).tolist()
        [2.0, 2.0]
    """
    return created("initializer", config, INITIALIZERS, custom_objects)


__all__ = [
    "STFT",
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
    "deserialize",
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
    "serialize",
    "truncated_normal",
    "variance_scaling",
    "zeros",
]


if not TYPE_CHECKING:  # which then knows the names

    def __getattr__(name):
        raise no_attribute(__name__, name, __all__)
