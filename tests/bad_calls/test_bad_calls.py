"""Every public call, with every kind of bad argument: one clear error of the library each, and nothing accepted in
silence."""

from __future__ import annotations

from collections import Counter

import pytest

import portanet
from portanet.backends import Backend
from tests.bad_calls.judging import complaints, in_a_folder, message
from tests.bad_calls.oracle import verdict
from tests.bad_calls.targets import Target, all_targets
from tests.bad_calls.values import WRONG_TYPES, bad_values

TARGETS = {target.name: target for target in all_targets()}
TOTALS: Counter[str] = Counter()


@pytest.mark.parametrize("name", TARGETS)
def test_bad_arguments_are_refused(name: str) -> None:
    with in_a_folder(), portanet.use_backend("numpy"):
        assert dict(complaints(TARGETS[name], TOTALS)) == {}


def test_there_are_many() -> None:
    calls = sum(len(bad_values(kinds)) for target in TARGETS.values() for kinds in target.kinds.values())
    assert len(TARGETS) > 500
    assert calls > 20_000


SAMPLE = [name for name in list(TARGETS)[::12] if not name.startswith(("estimators.", "set_backend", "use_backend"))]


@pytest.mark.parametrize("name", SAMPLE)
def test_the_message_is_the_same_on_every_backend(name: str, backend: Backend) -> None:
    target = TARGETS[name]
    for parameter, kinds in target.kinds.items():
        label = next(label for label, (_, kind) in WRONG_TYPES.items() if label != "object" and kind not in kinds)
        messages = set()
        for used in (backend.name, "numpy"):
            with in_a_folder(), portanet.use_backend(used):
                messages.add(message(target, parameter, bad_values(kinds)[label]))
        assert len(messages) == 1, messages


def broken(x: int, flag: bool = False) -> object:
    if flag == "no such name":
        raise ValueError("This is wrong.")
    return [1, 2, 3][x] if x is not None else None


def test_the_verdict_sees_what_it_should() -> None:
    assert verdict(broken, {"x": None}, ["x"]) == "accepted"
    assert verdict(broken, {"x": "a"}, ["x"]).startswith("foreign: TypeError")
    assert verdict(broken, {"x": 0, "flag": "no such name"}, ["flag"]).startswith("foreign: ValueError")
    assert verdict(portanet.layers.Dense, {"units": "a"}, ["units"]) == "good"
    assert verdict(portanet.layers.Dense, {"units": "a"}, ["rate"]).startswith("message: ValueError")
    target = Target("broken", broken, {"x": frozenset({"int"}), "flag": frozenset({"bool"})}, {"x": lambda: 0})
    result = dict(complaints(target, Counter()))
    assert result["broken(x=None)"] == "accepted"
    assert result["broken(flag='text')"] == "foreign: ValueError: This is wrong."
