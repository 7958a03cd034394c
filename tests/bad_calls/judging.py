"""All bad calls of a target, judged."""

from __future__ import annotations

import contextlib
import io
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator

from portanet import random
from portanet.lookup import snake_case
from portanet.mixed_precision import set_global_policy
from tests.bad_calls.accepted import ACCEPTED, UNCHECKED, reason
from tests.bad_calls.oracle import verdict
from tests.bad_calls.targets import Target
from tests.bad_calls.valid import Make
from tests.bad_calls.values import bad_values


def complaints(target: Target, totals: Counter[str]) -> Iterator[tuple[str, str]]:
    """The bad calls of a target that are not refused well, with what is wrong; counted in `totals`.

    First, a valid call is made.
    """
    with quiet():
        target.call(**{name: make() for name, make in target.required.items()})
    for parameter, kinds in target.kinds.items():
        rest = {name: make for name, make in target.required.items() if name != parameter}
        subjects = [parameter, target.short, snake_case(target.short)]
        if "array" in kinds:  # the layer that refuses it may be another
            subjects.append("([Ll]ayer|Model) '")
        for label, bad in bad_values(kinds).items():
            if reason(UNCHECKED, target.name, parameter, label):
                continue
            arguments = {name: make() for name, make in rest.items()} | {parameter: bad()}
            with quiet():
                result = verdict(target.call, arguments, subjects)
            if result == "accepted" and reason(ACCEPTED, target.name, parameter, label):
                result = "accepted with reason"
            totals[result.partition(":")[0]] += 1
            if result not in ("good", "accepted with reason"):
                yield f"{target.name}({parameter}={label})", result


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without output and warnings."""
    silent = io.StringIO()
    with contextlib.redirect_stdout(silent), contextlib.redirect_stderr(silent), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def in_a_folder() -> Iterator[None]:
    """In a new folder, for the files that calls write; and what they set is undone."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), random.use_seed(0):
        try:
            yield
        finally:
            set_global_policy(None)


def message(target: Target, parameter: str, bad: Make) -> str:
    """The message of a bad call; of a call that is accepted, none."""
    arguments = {name: make() for name, make in target.required.items()} | {parameter: bad()}
    try:
        with quiet():
            target.call(**arguments)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""
