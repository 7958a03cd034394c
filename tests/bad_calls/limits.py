"""Which numbers every public call takes: both sides of every bound, as recorded in tests/data/limits.txt.

Bad values must be refused (see `test_bad_calls.py`); here what is at a bound must be taken, too. After a bound has
changed: `python -m tests.bad_calls.limits`, and read the difference.
"""

from __future__ import annotations

import importlib
import inspect
import math
import pathlib
from collections.abc import Iterator
from typing import Any

import portanet
from tests.bad_calls.constructors import ABSTRACT
from tests.bad_calls.judging import in_a_folder, quiet
from tests.bad_calls.models import targets as other_targets
from tests.bad_calls.targets import Target, target_of
from tests.test_public_names import names_of

ROOMS = "initializers regularizers constraints schedules losses metrics optimizers layers callbacks mixed_precision"
RECORDED = pathlib.Path(__file__).parents[1] / "data" / "limits.txt"
INTEGERS = (-2, -1, 0, 1, 2, 3)
NUMBERS = (-1.5, -1.0, 0.0, 0.5, 1.0, 1.5, math.inf)


def targets() -> Iterator[Target]:
    """The creation of public objects, without their use; and public functions."""
    for room in ROOMS.split():
        module = importlib.import_module(f"portanet.{room}")
        for name in names_of(module):
            cls = getattr(module, name)
            if inspect.isclass(cls) and name == cls.__name__ and name not in ABSTRACT.split():
                yield target_of(f"{room}.{name}", cls, cls, ["input_dim"])  # which all layers have: see layers.Layer
    yield from (each for each in other_targets() if not each.name.startswith("estimators."))


def ladder(kinds: frozenset[str]) -> list[Any]:
    """The numbers to try for a parameter, and None."""
    return [*(INTEGERS if "int" in kinds else NUMBERS), None] if kinds & {"int", "float"} else []


def accepted(target: Target, parameter: str, value: Any) -> bool:
    arguments = {name: make() for name, make in target.required.items()} | {parameter: value}
    try:
        with quiet():
            target.call(**arguments)
    except Exception as error:  # others, such as ConvergenceError, are about what was computed
        return not isinstance(error, (TypeError, ValueError))
    return True


def lines(target: Target) -> list[str]:
    """For each parameter that takes numbers, those of the ladder that are accepted."""
    with in_a_folder(), portanet.use_backend("numpy"):
        return [
            f"{target.name} {name}: " + " ".join(str(v) for v in ladder(kinds) if accepted(target, name, v))
            for name, kinds in target.kinds.items()
            if ladder(kinds)
        ]


if __name__ == "__main__":
    RECORDED.write_text("\n".join(line.rstrip() for target in targets() for line in lines(target)) + "\n")
