"""Every public name of Keras exists here with the same arguments, or is listed with the reason; so the lists stay true.

If a test fails because something new is here: `python -m tests.keras.names`.
"""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("keras")

from tests.keras import names as keras_names

UPDATE = "Type: python -m tests.keras.names"


def test_what_is_not_here_yet_is_listed() -> None:
    listed = keras_names.PENDING.read_text().split()
    actual = keras_names.pending()
    assert sorted(set(actual) - set(listed)) == [], "Gone, or with other arguments than before"
    assert sorted(set(listed) - set(actual)) == [], f"Here now. {UPDATE}"


def test_reasons_are_not_out_of_date() -> None:
    assert keras_names.stale() == [], "These patterns of tests/keras/absent.py match nothing that is absent"


def test_the_table_is_up_to_date() -> None:
    assert keras_names.TABLE.read_text() == keras_names.table(), UPDATE


def test_the_names_are_those_of_the_installed_keras() -> None:
    """Over 1,700 names in 75 namespaces and classes: the walk does not lose them."""
    namespaces = keras_names.namespaces()
    assert len(namespaces) > 75
    assert sum(map(len, namespaces.values())) > 1_700
    assert {"Dense", "LSTM", "add"} <= set(namespaces["layers"])
    assert {"get_file", "set_random_seed"} <= set(namespaces["utils"])
    assert {"add_weight", "losses"} <= set(namespaces["layers.Layer"])


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda a, b=1, *, c=2: 0, (["a", "b"], ["a", "b", "c"])),
        (lambda *args, **options: 0, ([], [])),
    ],
)
def test_arguments_are_read(function: Any, expected: tuple[list[str], list[str]]) -> None:
    positions, defaults = keras_names.arguments(function)
    assert (positions, list(defaults)) == expected


def test_arguments_of_base_classes_are_read() -> None:
    class Base:
        def __init__(self, *, name: str = "") -> None: ...

    class Derived(Base):
        def __init__(self, units: int, **options: Any) -> None: ...

    assert keras_names.arguments(Derived)[0] == ["units"]
    assert set(keras_names.arguments(Derived)[1]) == {"units", "name"}
