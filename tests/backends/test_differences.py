"""The table of differences in docs/backends.md is what libraries do, in the versions that it names."""

from __future__ import annotations

import pytest

from portanet.backends import Backend
from tests.backends.differences import BEGIN, DEVICE, END, PAGE, QUESTIONS, answers, version


def test_the_table_is_right(backend: Backend) -> None:
    if backend.name == "jax" or backend.device_name != make_name(backend):
        pytest.skip("measured in JAX's default mode, and on the first device")
    rows = PAGE.read_text().partition(BEGIN)[2].partition(END)[0].splitlines()
    cells = [row[2:-2].split(" | ") for row in rows if row.startswith("| ")]
    heads = [row for row in cells if row[0] in QUESTIONS]
    assert [row[0] for row in heads] == list(QUESTIONS)
    questions = [row for row in cells if row[0] not in QUESTIONS]
    assert [row[0] for row in questions] == [name for group in QUESTIONS.values() for name in group]
    if version(backend) not in heads[0]:
        pytest.skip(f"measured with {', '.join(heads[0][1:])}")
    column = heads[0].index(version(backend))
    assert [row[column] for row in questions] == answers(backend)


def make_name(backend: Backend) -> str:
    """The name of the device that the table was measured on."""
    return DEVICE.get(backend.name) or next(iter(backend.devices()))
