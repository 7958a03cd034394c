"""docs/third-party.md is what the functions do: a sample of them; `python -m tests.third_party.table` runs all."""

from __future__ import annotations

import pytest

from tests.third_party import table

CURRENT = table.versions() in table.TABLE.read_text()
SAMPLE = list(table.cases())[::8]


def test_the_table_has_all_functions_and_no_wrong_gradient():
    recorded = table.recorded()
    assert sorted(recorded) == sorted(table.cases())
    assert not [name for name, statuses in recorded.items() if "wrong" in statuses]


@pytest.mark.skipif(not CURRENT, reason="the table was made with other versions of the libraries")
@pytest.mark.parametrize("name", SAMPLE)
def test_the_status_of_a_function(name):
    statuses = tuple(table.outcome(name, library).status for library in table.LIBRARIES)
    assert statuses == table.recorded()[name], "update the table: python -m tests.third_party.table"
