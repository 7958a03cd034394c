"""Objects that remember the arguments they were made with, so that they can be described, saved and cloned."""

from __future__ import annotations

import functools
import inspect
from typing import Any, Self


class Configurable:
    """Records the arguments of `__init__`, under their names; `get_config` and `from_config` use them.

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
        def remembering(self: Any, *args: Any, **kwargs: Any) -> None:
            if type(self).__init__ is remembering:
                bound = signature.bind(self, *args, **kwargs)
                bound.apply_defaults()
                config: dict[str, Any] = {}
                for name, value in list(bound.arguments.items())[1:]:
                    kind = signature.parameters[name].kind
                    if kind is inspect.Parameter.VAR_KEYWORD:
                        config.update(value)
                    else:
                        config[name] = list(value) if kind is inspect.Parameter.VAR_POSITIONAL else value
                object.__setattr__(self, "_config", config)
            init(self, *args, **kwargs)

        cls.__init__ = remembering  # type: ignore[method-assign]

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal object."""
        return dict(getattr(self, "_config", {}))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Make an object from `get_config()` of another."""
        return cls(**config)


def clone(value: Any, memo: dict[int, Any] | None = None) -> Any:
    """A copy of a tree, its configurable objects made again from their configurations.

    An object that occurs twice is copied once: a layer that shares another's weights shares those of its copy.

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
        return type(value)(clone(each, memo) for each in value)
    if isinstance(value, dict):
        return {key: clone(each, memo) for key, each in value.items()}
    if not isinstance(value, Configurable):
        return value
    if id(value) not in memo:
        memo[id(value)] = type(value).from_config(clone(value.get_config(), memo))
    return memo[id(value)]
