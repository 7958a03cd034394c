"""Objects that record the arguments of `__init__`, so that they can be described, saved and cloned."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any, Self

from portanet.lookup import nearest

_asked: ContextVar[Any] = ContextVar("portanet_arguments_of", default=None)


class Configurable:
    """Records the arguments of `__init__` by name, for `get_config` and `from_config`.

    Example:
        >>> class Scale(Configurable):
        ...     def __init__(self, factor=2.0):
        ...         self.factor = factor
        >>> Scale(3.0).get_config()
        {'factor': 3.0}
        >>> Scale.from_config({"factor": 3.0}).factor
        3.0
    """

    _config: dict[str, Any]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__init__" not in cls.__dict__:
            return
        init = cls.__dict__["__init__"]
        signature = inspect.signature(init)

        @functools.wraps(init)
        def recording(self: Any, *args: Any, **kwargs: Any) -> None:
            if type(self).__init__ is not recording:
                init(self, *args, **kwargs)
                return
            try:
                bound = signature.bind(self, *args, **kwargs)
                bound.apply_defaults()
                config: dict[str, Any] = {}
                for name, value in list(bound.arguments.items())[1:]:
                    kind = signature.parameters[name].kind
                    if kind is inspect.Parameter.VAR_KEYWORD:
                        config.update(value)
                    elif kind is not inspect.Parameter.VAR_POSITIONAL:
                        config[name] = value
                    elif value:
                        config[name] = list(value)
                object.__setattr__(self, "_config", config)
                init(self, *args, **kwargs)
            except TypeError as error:
                explained = _explained(error, type(self), args, kwargs)
                if explained is None:
                    raise
                raise explained from None

        cls.__init__ = recording  # type: ignore[method-assign]

    def get_config(self) -> dict[str, Any]:
        """The arguments that create an equal object; for an override in a subclass, those of the class it derives from.

        As in Keras, a subclass that overrides this method adds the arguments of its own. Those that it leaves out are
        in files nevertheless, unless it overrides `from_config`, too.
        """
        return self._arguments()

    def _arguments(self) -> dict[str, Any]:
        """The same, with objects in them as they are."""
        config = dict(getattr(self, "_config", {}))
        if not is_of_user(type(self), "get_config"):
            return config
        own = _arguments_of_user(type(self))
        return {name: value for name, value in config.items() if name not in own}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Create an object from the `get_config()` of another."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({shown(self.told_arguments())})"

    def told_arguments(self) -> dict[str, Any]:
        """The arguments that a repr shows: those that are not the defaults."""
        signatures = reversed([parameters for _, parameters in constructors(type(self))])
        defaults = {each.name: each.default for parameters in signatures for each in parameters}
        given = getattr(self, "_config", {})
        return {name: value for name, value in given.items() if not _is_same(value, defaults.get(name, given))}


def shown(arguments: Mapping[str, Any]) -> str:
    """Arguments by name in one line, each shortened.

    Example:
        >>> shown({"units": 3, "activation": max, "text": "a" * 100})
        "units=3, activation=max, text='aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa..."
    """
    return ", ".join(f"{name}={_brief(value)}" for name, value in arguments.items())


def _is_same(value: Any, default: Any) -> bool:
    plain = isinstance(value, (bool, int, float, str, tuple)) and type(value) is type(default)
    return value is default or (plain and repr(value) == repr(default))


def _brief(value: Any, most: int = 60) -> str:
    if getattr(value, "shape", ()) and hasattr(value, "dtype"):
        return f"<array of shape {tuple(value.shape)}>"
    named = (inspect.isroutine(value) or inspect.isclass(value)) and hasattr(value, "__name__")
    text = value.__name__ if named else " ".join(repr(value).split())
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _explained(error: TypeError, cls: type, args: tuple[Any, ...], kwargs: dict[str, Any]) -> TypeError | None:
    """Python's error for arguments that do not fit a signature, in terms of the class; None for another error."""
    text = str(error).removeprefix(f"{cls.__name__}.__init__() ")
    accepted = named_arguments(cls)
    missing = text.startswith("missing a required argument")
    if missing or "unexpected keyword argument" in text:
        for name in kwargs:
            near = nearest(name, accepted)
            if name not in accepted and (near or repr(name) in text):
                remedy = f"did you mean `{near}`?" if near else f"it takes {', '.join(accepted)}."
                return TypeError(f"{cls.__name__} has no argument `{name}`; {remedy} Received: {name}={kwargs[name]!r}")
    received = ", ".join([*map(repr, args), *(f"{name}={value!r}" for name, value in kwargs.items())]) or "no arguments"
    if missing:
        name = text.rpartition(" ")[2].strip("'")
        return TypeError(f"{cls.__name__} needs a value of argument `{name}`. Received: {received}")
    if text == "too many positional arguments":
        return TypeError(f"{cls.__name__} takes fewer arguments by position; name the last ones. Received: {received}")
    return None


def arguments_of(value: Any) -> dict[str, Any]:
    """The configuration of an object for `from_config`, with objects as they are, which `get_config` may describe.

    A `get_config` that overrides one of the library and calls it counts.
    """
    token = _asked.set(value)
    try:
        config = dict(value.get_config())
    finally:
        _asked.reset(token)
    if is_of_user(type(value), "get_config") and not is_of_user(type(value), "from_config"):
        own, given = _arguments_of_user(type(value)), getattr(value, "_config", {})
        config = {**{name: given[name] for name in given if name in own}, **config}
    return config


def keeps_objects(value: Any) -> bool:
    """Whether `arguments_of` called this `get_config`, so that it returns objects as they are."""
    return _asked.get() is value


def named_arguments(cls: type) -> list[str]:
    """The arguments that a class takes by name, also for those that it derives from."""
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    named = (each.name for _, parameters in constructors(cls) for each in parameters if each.kind in kinds)
    return list(dict.fromkeys(named))


def library_class(cls: type) -> type:
    """The class of the library that a class is, or derives from; `object` if there is none."""
    return next((base for base in cls.__mro__ if base.__module__.startswith("portanet.")), object)


def origin(cls: type, method: str) -> type:
    """The class that defines a method of a class, or another attribute."""
    return next(each for each in cls.__mro__ if method in each.__dict__)


def overrides(cls: type, base: type, *methods: str) -> bool:
    """Whether a class, or one between it and `base`, defines one of these methods of `base` anew.

    Example:
        >>> class Scale(Configurable):
        ...     @classmethod
        ...     def from_config(cls, config):
        ...         return cls(**config)
        >>> overrides(Scale, Configurable, "from_config"), overrides(Scale, Configurable, "get_config")
        (True, False)
    """
    return any(origin(cls, method) not in base.__mro__ for method in methods)


def is_of_user(cls: type, method: str) -> bool:
    """Whether a method of a class is defined outside of the library."""
    return not origin(cls, method).__module__.startswith("portanet.")


def _arguments_of_user(cls: type) -> set[str]:
    """The arguments that the constructors of a user's classes take, and that of the library's class does not."""
    return set(named_arguments(cls)).difference(named_arguments(library_class(cls)))


def constructors(cls: type) -> Iterator[tuple[type, list[inspect.Parameter]]]:
    """The constructors that arguments by name reach, of a class and those it derives from: their parameters."""
    for base in cls.__mro__:
        if (init := base.__dict__.get("__init__")) is None:
            continue
        parameters = list(inspect.signature(init).parameters.values())[1:]
        yield base, parameters
        if not any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters):
            break


def is_described(value: Any) -> bool:
    """Whether a value is, or holds, the description of an object: a dict with its class and its configuration."""
    if isinstance(value, Mapping):
        return {"class_name", "config"} <= value.keys() or any(map(is_described, value.values()))
    return isinstance(value, (list, tuple)) and any(map(is_described, value))


def clone(value: Any, memo: dict[int, Any] | None = None) -> Any:
    """Copy a tree, recreating its configurable objects from their configurations.

    An object that occurs twice is copied once: layers that share weights share those of the copy.

    Example:
        >>> class Scale(Configurable):
        ...     def __init__(self, factor):
        ...         self.factor = factor
        >>> first = Scale([1.0, 2.0])
        >>> a, b = clone([first, first])
        >>> a is b, a is first, a.factor
        (True, False, [1.0, 2.0])
    """
    memo = {} if memo is None else memo
    if isinstance(value, (list, tuple)):
        return type(value)(clone(item, memo) for item in value)
    if isinstance(value, dict):
        return {key: clone(item, memo) for key, item in value.items()}
    if not isinstance(value, Configurable):
        return value
    if id(value) not in memo:
        memo[id(value)] = type(value).from_config(clone(arguments_of(value), memo))
    return memo[id(value)]
