"""Sums are exact, whatever the arrays, and whoever waits for them when."""

from __future__ import annotations

import pathlib

import pytest

from tests.distribution import jobs


@pytest.mark.parametrize("count", [2, 3])
def test_sums_of_all_kinds_of_arrays(tmp_path: pathlib.Path, count: int) -> None:
    assert jobs.run(count, "exchanging", tmp_path) == [[]] * count
