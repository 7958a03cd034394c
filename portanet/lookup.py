"""Lookup of objects by what a user passes: a name such as `"relu"`, a class, an object or a function."""

from __future__ import annotations

import difflib
import importlib
import inspect
import re
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from typing import Any, Self

from portanet import checks

_custom: dict[str, Any] = {}
_in_scope: ContextVar[dict[str, Any]] = ContextVar("portanet_custom_objects", default={})  # noqa: B039 -- never changed


def get_custom_objects() -> dict[str, Any]:
    """The registered classes and functions by name, which files and arguments such as `activation` may name.

    The dict may be changed, as in Keras; `portanet.saving.register_keras_serializable` adds to it.

    Example:
        >>> def triple(x):
        ...     return 3 * x
        >>> get_custom_objects()["triple"] = triple
        >>> from portanet import layers
        >>> layers.Activation("triple").activation is triple
        True
        >>> del get_custom_objects()["triple"]
    """
    return _custom


class CustomObjectScope:
    """Makes classes and functions known by name in a `with` block.

    Args:
        custom_objects: Classes and functions by name.

    Example:
        >>> from portanet import layers
        >>> with CustomObjectScope({"triple": lambda x: 3 * x}):
        ...     layer = layers.Activation("triple")
        >>> import numpy as np
        >>> layer(np.asarray([2.0]))
        array([6.])
    """

    def __init__(self, custom_objects: Mapping[str, Any] | None) -> None:
        if not (custom_objects is None or isinstance(custom_objects, Mapping)):
            raise checks.invalid("custom_objects", custom_objects, "a dict of classes and functions", type(self))
        self.custom_objects = dict(custom_objects or {})

    def __enter__(self) -> Self:
        self._token = _in_scope.set(_in_scope.get() | self.custom_objects)
        return self

    def __exit__(self, *error: object) -> None:
        _in_scope.reset(self._token)


def custom_object(name: str) -> Any:
    """The class or function that a custom object scope or a registration gives this name; None if there is none."""
    found = _in_scope.get().get(name)
    return _custom.get(name) if found is None else found


def snake_case(name: str) -> str:
    """Convert a name to snake case, as Keras does.

    Example:
        >>> snake_case("CategoricalCrossentropy"), snake_case("MaxPooling2D")
        ('categorical_crossentropy', 'max_pooling2d')
    """
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)).lower()


def lookup(
    kind: str,
    identifier: Any,
    known: Mapping[str, Any],
    name: str = "identifier",
    of: str | type | checks.Named = "",
    base: type | None = None,
) -> Any:
    """Find an object by name, or return the one passed.

    Args:
        kind: Kind of object, for the error message: "activation", "loss", ...
        identifier: A key of `known` (classes are instantiated with their defaults), a class, or a callable object; or
            a dict with a `class_name` and a `config`, as in Keras.
        known: Objects by name.
        name: Name of the argument that holds the identifier.
        of: The layer, class, or name of the function that takes it.
        base: The class of objects; by default, any that can be called.

    Raises:
        ValueError: The name is unknown (the message lists the known ones and the closest), or the identifier is no
            object of the kind, nor a class that creates one without arguments.
    """
    config: Any = None
    if isinstance(identifier, Mapping) and "class_name" in identifier:
        registered = custom_object(str(identifier.get("registered_name")))
        identifier, config = (
            identifier["class_name"] if registered is None else registered,
            identifier.get("config", {}),
        )
        if identifier == "function":  # as Keras describes functions
            identifier, config = config, None
        elif inspect.isclass(identifier):
            return _from_config(identifier, config)
    if isinstance(identifier, str):
        match = custom_object(identifier) or known.get(identifier)
        if match is None:
            near = nearest(identifier, known)
            hint = "" if near is None else f" Did you mean {near!r}?"
            shown = ", ".join(sorted({*_usual(known), *([] if near is None else [near])}))
            raise ValueError(
                f"Unknown {kind}.{hint} {checks.argument(name, of)} must be one of {shown}; or an object. "
                f"Received: {name}={identifier!r}"
            )
        if inspect.isclass(match):
            cls: Any = match
            return cls() if config is None else _from_config(cls, config)
        return match
    made = identifier() if inspect.isclass(identifier) and _needs_nothing(identifier) else identifier
    if not inspect.isclass(made) and (callable(made) if base is None else isinstance(made, base)):
        return made
    what = "a callable object" if base is None else f"a portanet {kind}"
    expected = f"the name of a known {kind}, {what}, or a class that creates one without arguments"
    raise checks.invalid(name, identifier, expected, of)


ELSEWHERE = {
    "acc": "accuracy",
    "batchnorm": "BatchNormalization",
    "batchnorm1d": "BatchNormalization",
    "batchnorm2d": "BatchNormalization",
    "batchnorm3d": "BatchNormalization",
    "bceloss": "BinaryCrossentropy",
    "bcewithlogitsloss": "BinaryCrossentropy",
    "convtranspose1d": "Conv1DTranspose",
    "convtranspose2d": "Conv2DTranspose",
    "convtranspose3d": "Conv3DTranspose",
    "crossentropyloss": "SparseCategoricalCrossentropy",
    "eps": "epsilon",
    "f1": "f1_score",
    "groupnorm": "GroupNormalization",
    "kaiming_normal": "he_normal",
    "kaiming_uniform": "he_uniform",
    "l1loss": "MeanAbsoluteError",
    "layernorm": "LayerNormalization",
    "linear": "Dense",
    "logistic": "sigmoid",
    "lr": "learning_rate",
    "mseloss": "MeanSquaredError",
    "nllloss": "SparseCategoricalCrossentropy",
    "out_channels": "filters",
    "out_features": "units",
    "rmsnorm": "RMSNormalization",
    "smoothl1loss": "Huber",
    "upsample": "UpSampling2D",
    "xavier": "glorot_uniform",
    "xavier_normal": "glorot_normal",
    "xavier_uniform": "glorot_uniform",
}
"""What other libraries call things, in lower case."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that another one may stand for: in another case, of another library, or misspelt; None if none.

    Example:
        >>> known = ["Conv1D", "Conv2D", "Dense"]
        >>> nearest("Conv2d", known), nearest("Linear", known), nearest("Dens", known), nearest("LSTM", known)
        ('Conv2D', 'Dense', 'Dense', None)
        >>> nearest("sparse_crossentropy", ["binary_crossentropy", "sparse_categorical_crossentropy"])
        'sparse_categorical_crossentropy'
    """
    known = list(known)
    lower = {each.lower(): each for each in reversed(known)}
    for candidate in (lower.get(name.lower()), ELSEWHERE.get(name.lower())):
        if candidate in known:
            return candidate
    words = set(snake_case(name).split("_"))
    longer = [each for each in known if len(words) > 1 and words < set(snake_case(each).split("_"))]
    if longer:  # words are missing
        return min(longer, key=len)
    near = difflib.get_close_matches(name, known) or difflib.get_close_matches(name.lower(), lower)
    near.sort(key=lambda match: sorted(match) != sorted(name))  # letters that changed places
    return near[0] if near and near[0] in known else lower[near[0]] if near else None


def _usual(known: Iterable[str]) -> set[str]:
    """Of names with and without capitals and underscores those that people write, such as "adamw" for "adam_w"."""
    lower = {key for key in known if key.islower()} or set(known)
    parts = {key: key.split("_") for key in lower if "_" in key and key.replace("_", "") in lower}
    broken = {key for key, words in parts.items() if min(map(len, words)) == 1 or words[0] == "rm"}
    return lower - broken - {key.replace("_", "") for key in lower - broken if "_" in key}


def no_attribute(module: str, name: str, known: Iterable[str]) -> AttributeError:
    """The error for a name that a module lacks.

    Example:
        >>> no_attribute("portanet.layers", "Conv2d", ["Conv1D", "Conv2D"])
        AttributeError("module 'portanet.layers' has no attribute 'Conv2d'. Did you mean 'Conv2D'?")
    """
    near = None if name.startswith("_") else nearest(name, known)
    hint = "" if near is None else f". Did you mean {near!r}?"
    # With another object, Python does not add a hint of its own.
    return AttributeError(f"module {module!r} has no attribute {name!r}{hint}", name=name, obj=None)


def described(value: Any) -> Any:
    """The description of an object that Keras would write."""
    saving = importlib.import_module("portanet.saving")  # which is built on this, and which few need here
    return saving.serialize_keras_object(value)


def created(kind: str, config: Any, known: Mapping[str, Any], custom_objects: Mapping[str, Any] | None) -> Any:
    """The object of a description, with further classes and functions by name; see `lookup`."""
    with CustomObjectScope(custom_objects):
        return lookup(kind, config, known, "config", "deserialize")


def _from_config(cls: Any, config: Any) -> Any:
    """An object of a class by its configuration, which may hold the descriptions of others."""
    if not isinstance(config, Mapping):
        raise checks.invalid("config", config, f"a dict, the configuration of {cls.__name__}")
    objects = importlib.import_module("portanet.saving.keras.objects")
    return cls.from_config(objects.arguments_from(cls, config))


def _needs_nothing(cls: type) -> bool:
    try:
        inspect.signature(cls).bind()
    except (TypeError, ValueError):  # arguments, or no signature
        return False
    return True


def names(*objects: Any) -> dict[str, Any]:
    """A table for `lookup`: each class or function under its own name, in snake case and in lower case."""
    table = {}
    for obj in objects:
        table[obj.__name__] = obj
        table[snake_case(obj.__name__)] = obj
        table[obj.__name__.lower()] = obj
    return table
