"""A dict with attributes."""

from __future__ import annotations

import json
from typing import Any


class Config:
    """Named values, read and written as attributes or by key, such as the settings of an experiment.

    Args:
        **kwargs: The values.

    Example:
        >>> config = Config(units=3)
        >>> config.rate = 0.1
        >>> config["units"], config.as_dict()
        (3, {'units': 3, 'rate': 0.1})
    """

    _frozen: bool
    _values: dict[str, Any]

    def __init__(self, **kwargs: Any) -> None:
        object.__setattr__(self, "_frozen", False)
        object.__setattr__(self, "_values", dict(kwargs))

    @property
    def frozen(self) -> bool:
        """Whether values can be read only."""
        return self._frozen

    def freeze(self) -> None:
        """Let values be read only."""
        object.__setattr__(self, "_frozen", True)

    def unfreeze(self) -> None:
        """Let values be changed again."""
        object.__setattr__(self, "_frozen", False)

    def as_dict(self) -> dict[str, Any]:
        """A copy of the values."""
        return dict(self._values)

    def to_json(self) -> str:
        """The values as JSON."""
        return json.dumps(self._values)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Set several values, as `dict.update`."""
        self._require_unfrozen()
        self._values.update(*args, **kwargs)

    def keys(self) -> Any:
        """The names."""
        return self._values.keys()

    def values(self) -> Any:
        """The values."""
        return self._values.values()

    def items(self) -> Any:
        """Names and values."""
        return self._values.items()

    def pop(self, *args: Any) -> Any:
        """Remove a value and return it, as `dict.pop`."""
        self._require_unfrozen()
        return self._values.pop(*args)

    def get(self, key: str, default_value: Any = None) -> Any:
        """A value, or a default if there is none of this name."""
        return self._values.get(key, default_value)

    def _require_unfrozen(self) -> None:
        if self._frozen:
            raise ValueError("This Config is frozen; call unfreeze() to change it. Received: a change")

    def __getattr__(self, name: str) -> Any:
        if name in ("_frozen", "_values") or name not in self._values:
            raise AttributeError(f"Config has no value {name!r}")
        return self._values[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self._require_unfrozen()
        self._values[name] = value

    def __delattr__(self, name: str) -> None:
        self._require_unfrozen()
        del self._values[name]

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __setitem__(self, key: str, item: Any) -> None:
        self._require_unfrozen()
        self._values[key] = item

    def __delitem__(self, key: str) -> None:
        self._require_unfrozen()
        del self._values[key]

    def __iter__(self) -> Any:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, item: object) -> bool:
        return item in self._values

    def __repr__(self) -> str:
        return f"<Config {self._values}>"
