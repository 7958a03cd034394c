"""Trees of values as JSON and tensors, and back."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portanet import activations, layers
from portanet.saving import LoadError
from portanet.saving.archive import open_archive, write_archive
from portanet.saving.config import Decoder, Encoder
from tests.support import asarray

KEYS = st.text(max_size=4) | st.sampled_from(["$array", "$object", "a/b"]) | st.integers() | st.none()
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


def through(tmp_path, value):
    encoder = Encoder()
    write_archive(tmp_path / "x", {"value": encoder.encode(value, "value")}, encoder.tensors)
    with open_archive(tmp_path / "x") as archive:
        return Decoder(archive).decode(archive.document["value"])


@given(value=VALUES)
def test_values_come_back_with_their_types(tmp_path, value):
    assert repr(through(tmp_path, value)) == repr(value)


def test_arrays_of_every_library_come_back_as_numpy(backend, tmp_path):
    value = {"a": [asarray([1.0, math.nan]), {"b": asarray([1, 2], "int32")}], "a/0": np.float64(0.1)}
    result = through(tmp_path, value)
    np.testing.assert_array_equal(result["a"][0], np.asarray([1.0, math.nan], dtype="float32"))
    assert (result["a"][0].dtype, result["a"][1]["b"].dtype, result["a/0"].dtype) == ("float32", "int32", "float64")
    assert (result["a"][1]["b"].tolist(), float(result["a/0"])) == ([1, 2], 0.1)


def test_what_cannot_be_saved_is_named():
    with pytest.raises(ValueError, match=r"Cannot save state/1/x: it is neither a number.*Received: <object"):
        Encoder().encode([1, {"x": object()}], "state")


def test_one_layer_in_two_places_is_one_layer(tmp_path):
    layer = layers.Dense(3)
    one, two, other = through(tmp_path, [layer, {"again": layer}, layers.Dense(3)])
    assert one is two["again"]
    assert one is not other


GOOD = {
    '{"$ellipsis": null}': ...,
    '{"$float": "-inf"}': -math.inf,
    '{"$slice": [1, null, 2]}': slice(1, None, 2),
    '{"$tuple": []}': (),
    '{"$tuple": [1, "a"]}': (1, "a"),
    '{"$dict": []}': {},
    '{"$dict": [[1, 2], ["a", 3]]}': {1: 2, "a": 3},
    '{"$array": "there"}': 7,
    '{"$class": "layers.Dense"}': layers.Dense,
    '{"$function": "activations.relu"}': activations.relu,
}
CONTENTS: list[Any] = [
    None,
    True,
    3,
    1.5,
    "x",
    "",
    "there",
    "nan",
    [],
    [1],
    [1, 2],
    [1, 2, 3],
    [1] * 4,
    [[1]],
    [[1, 2, 3]],
    {},
]
TAKEN: dict[str, Sequence[Any]] = {
    "$array": ["there"],
    "$float": ["nan"],
    "$ellipsis": CONTENTS,
    "$slice": [[1, 2, 3]],
    "$tuple": [content for content in CONTENTS if isinstance(content, list)],
    "$dict": [[]],
    **dict.fromkeys(("$function", "$class", "$same", "$object", "$other"), ()),
}


def decoded(node: Any) -> Any:
    """The value of a node, in a file with the array "there"."""
    entries = {"there": None, 3: None, None: None}
    archive: Any = SimpleNamespace(
        error=LoadError, file=SimpleNamespace(entries=entries), read=lambda name: SimpleNamespace(values=7)
    )
    return Decoder(archive).decode(node)


@pytest.mark.parametrize("text", GOOD)
def test_each_mark(text: str) -> None:
    assert decoded(json.loads(text)) == GOOD[text]


@pytest.mark.parametrize("mark", TAKEN)
def test_marks_with_other_contents_are_refused(mark: str) -> None:
    for content in CONTENTS:
        if content in TAKEN[mark]:
            decoded({mark: content})
            continue
        for node in ({mark: content}, {mark: content, "config": {}}, {mark: content, "config": 3}):
            with pytest.raises(LoadError):
                decoded(node)
