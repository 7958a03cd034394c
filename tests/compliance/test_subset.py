"""What the compliance suite needs, in each run of the tests: every function works on the arrays that it creates."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

from portanet.autodiff import unwrap
from portanet.backends import raw_namespace
from tests.autodiff.batching.test_every_function import is_refused
from tests.autodiff.cases import CASES, Case
from tests.compliance.run import KINDS, LIBRARIES
from tests.compliance.subject import Subject

OUTSIDE = {"arange", "full", "full_like", "linspace", "to_device"}  # with arrays where the standard has numbers


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("library", LIBRARIES)
def test_every_function_has_the_values_of_the_library(library: str, kind: str) -> None:
    xp = Subject(library, kind)
    raw = raw_namespace(importlib.import_module(library).ones(()))
    lacking = {"array_api_strict": "strict"}.get(library, "numpy")
    for case in CASES:
        if kind == "batched" and is_refused(case):  # its shape would differ between examples
            continue
        if lacking not in case.lacking and case.function not in OUTSIDE:
            compare(xp, raw, case)


def compare(xp: Any, raw: Any, case: Case) -> None:
    arguments = case.arguments()
    got = case.call(xp, *(xp.asarray(a) for a in arguments))
    want = case.call(raw, *(raw.asarray(a) for a in arguments))
    several = isinstance(want, tuple | list)
    for ours, theirs in zip(*((x if several else [x]) for x in (got, want)), strict=True):
        assert ours.dtype == theirs.dtype, case
        np.testing.assert_allclose(
            np.asarray(unwrap(ours)), np.asarray(theirs), rtol=1e-10, atol=1e-12, err_msg=str(case)
        )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("library", LIBRARIES)
def test_arrays_created_and_written_to_belong_together(library: str, kind: str) -> None:
    xp = Subject(library, kind)
    x = xp.linspace(0.0, 1.0, 4)
    y = xp.zeros_like(x)
    y[1:] = x[:-1]
    y += xp.ones(4)
    assert x.__array_namespace__() is y.__array_namespace__()
    total = float(unwrap(xp.sum(xp.where(y > x, y, x))))
    assert total == pytest.approx(5.0)
