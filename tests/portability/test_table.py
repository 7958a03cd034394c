"""The portability matrix has no holes without a reason, and the documents show the stored results."""

from __future__ import annotations

import pytest

from tests.portability import table
from tests.portability.columns import Column, Found

REMEDY = "type: python -m nox -s portability -- --write"


def test_no_hole_without_a_reason() -> None:
    result = table.holes()
    assert not result, "\n".join([*result, REMEDY])


def test_documents_are_up_to_date() -> None:
    assert table.PAGE.read_text() == table.page(), REMEDY
    assert table.README.read_text() == table.readme(), REMEDY


def test_what_is_on_file_is_within_the_tolerance() -> None:
    for column, result in table.results():
        if result is not None:
            assert max(result.worst("inference"), result.worst("training"), *result.curves.values(), 0) < 1e-4, column


def test_reasons_are_for_blocks_that_exist() -> None:
    assert set(table.NO_CASE) <= set(table.block_names())


def test_a_hole_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = {name: {"inference": 0.0, "training": 0.0} for name in table.block_names() if name not in table.NO_CASE}
    cells["layers.Dense"]["training"] = ""
    del cells["losses.Huber"]
    silent = (Column("a", "A", None), Found("here", cells=cells)), (Column("b", "B", None), None)
    monkeypatch.setattr(table, "results", lambda: silent)
    assert table.holes() == [
        "B: neither results nor a reason",
        "A: layers.Dense, training",
        "A: losses.Huber, inference",
        "A: losses.Huber, training",
    ]
