"""The numbers that public calls take: what is at a bound, and no more."""

from __future__ import annotations

from tests.bad_calls.limits import RECORDED, lines, targets


def test_limits_are_those_recorded() -> None:
    """`python -m tests.bad_calls.limits` records them."""
    found = [line.rstrip() for target in targets() for line in lines(target)]
    recorded = RECORDED.read_text().splitlines()
    assert sorted(set(found) - set(recorded)) == sorted(set(recorded) - set(found)) == []
