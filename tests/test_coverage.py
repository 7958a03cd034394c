"""Every block is tested on every backend and against an oracle, or the reason is stated; docs/coverage.md agrees."""

from __future__ import annotations

import re

import pytest

from tests.oracles import coverage


@pytest.mark.parametrize("room", coverage.ROOMS, ids=lambda room: room.name)
def test_every_block_has_its_tests_or_a_reason(room: coverage.Room) -> None:
    gaps = [gap for row in coverage.rows(room) for gap in row.gaps]
    assert not gaps, "\n".join([*gaps, "Add the test, or a reason in tests/oracles/coverage.py."])


def test_reasons_are_not_out_of_date() -> None:
    assert not coverage.stale_reasons()


def test_tests_that_reasons_name_exist_and_name_the_block() -> None:
    faults = []
    for block, reason in (*coverage.NO_MATRIX.items(), *coverage.NO_ORACLE.items()):
        room = block.partition(".")[0]
        for path in re.findall(r"`([\w/]+\.py)`", reason):
            place = coverage.TESTS / path
            if not place.is_file() or block.partition(".")[2] not in coverage.named_in(place, room):
                faults.append(f"tests/{path} is not there or does not name {block}")
    assert not faults, "\n".join(faults)


def test_a_block_without_tests_is_noticed(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = coverage.Row("layers.New", "", "`oracles/test_small_layers.py`")
    assert row.gaps == ["layers.New has neither a test on every backend nor a reason"]
    (tmp_path / "test_x.py").write_text('def test(backend):\n    layers.Dense(3), "Flatten", other.Reshape(2)\n')
    assert coverage.on_every_backend(tmp_path / "test_x.py")
    named = coverage.named_in(tmp_path / "test_x.py", "layers")
    assert {"Dense", "Flatten"} <= named
    assert "Reshape" not in named


def test_the_table_is_up_to_date() -> None:
    assert coverage.TABLE.read_text() == coverage.table(), "Type: python -m tests.oracles.coverage"
