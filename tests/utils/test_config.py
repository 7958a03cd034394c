"""A dict with attributes."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable

import pytest

from portanet.utils import Config

CHANGES: dict[str, Callable[[Config], object]] = {
    "update": lambda config: config.update({"units": 4}, rate=0.5),
    "an attribute": lambda config: setattr(config, "units", 4),
    "no attribute": lambda config: delattr(config, "units"),
    "a key": lambda config: config.__setitem__("units", 4),
    "no key": lambda config: config.__delitem__("units"),
}
AFTER = {"update": {"units": 4, "rate": 0.5}, "an attribute": {"units": 4}, "a key": {"units": 4}}


@pytest.mark.parametrize("change", CHANGES)
def test_frozen_values_stay(change: str) -> None:
    config = Config(units=3)
    config.freeze()
    with pytest.raises(ValueError, match="frozen; call unfreeze"):
        CHANGES[change](config)
    assert config.as_dict() == {"units": 3}
    config.unfreeze()
    CHANGES[change](config)
    assert config.as_dict() == AFTER.get(change, {})


def test_reading() -> None:
    config = Config(units=3, rate=0.1)
    assert (config.units, config["rate"], config.get("units"), config.get("a"), config.get("a", 2)) == (
        3,
        0.1,
        3,
        None,
        2,
    )
    assert (list(config), list(config.keys()), len(config)) == (["units", "rate"], ["units", "rate"], 2)
    assert ("units" in config, "a" in config) == (True, False)
    assert (json.loads(config.to_json()), repr(Config(a=1))) == ({"units": 3, "rate": 0.1}, "<Config {'a': 1}>")
    config.as_dict()["units"] = 5  # a copy
    assert config.units == 3
    with pytest.raises(AttributeError, match="no value 'a'"):
        config.a  # noqa: B018
    with pytest.raises(KeyError):
        config["a"]


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda config: pickle.loads(pickle.dumps(config))])
def test_copies(copied: Callable[[Config], Config]) -> None:
    config = Config(units=3)
    config.freeze()
    same = copied(config)
    assert same.as_dict() == {"units": 3}
    with pytest.raises(ValueError, match="frozen"):
        same.units = 4


def test_a_value_may_be_named_as_what_holds_it() -> None:
    config = Config(_values=1)
    assert config.as_dict() == {"_values": 1}
    assert config["_values"] == 1
