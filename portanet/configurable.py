"""Objects that record the arguments of `__init__`, so that they can be described, saved and cloned."""

from __future__ import annotations

import functools
import inspect
from typing import Any, Self


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
            if type(self).__init__ is recording:
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

        cls.__init__ = recording  # type: ignore[method-assign]

    def get_config(self) -> dict[str, Any]:
        """The arguments that create an equal object."""
        return dict(getattr(self, "_config", {}))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Create an object from the `get_config()` of another."""
        return cls(**config)


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
        memo[id(value)] = type(value).from_config(clone(value.get_config(), memo))
    return memo[id(value)]
