"""`portanet.tree` next to `keras.tree`."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque, namedtuple
from typing import Any

import pytest

from portanet import tree

keras = pytest.importorskip("keras")

Point = namedtuple("Point", "x y")
STRUCTURES = [
    {"b": 1, "a": [2, None, (3,)]},
    OrderedDict(b=1, a=[2]),
    defaultdict(list, a=[1, (2, 3)]),
    Point([1], {"z": 2, "y": 3}),
    [],
    None,
    5,
    [(), {}, [[]]],
]
EXAMPLES: list[tuple[str, tuple[Any, ...]]] = [
    *(
        (name, (s,))
        for name in ("flatten", "flatten_with_path", "is_nested", "lists_to_tuples")
        for s in STRUCTURES[:-1]
    ),
    ("map_structure", (lambda *x: x, STRUCTURES[0], {"a": [5, 6, (7,)], "b": 8})),
    ("map_structure", (lambda x: (x,), STRUCTURES[3])),
    ("map_structure", (lambda a, b: a, [1], [1, 2])),
    ("map_structure", (lambda a, b: a, [1], (1,))),
    ("map_structure", (lambda a, b: a, {"a": 1}, {"b": 1})),
    ("map_structure", (lambda: 1,)),
    ("map_structure", (1, [1])),
    ("map_structure_up_to", ([1, 2], lambda a, b: (a, b), [[1, 2], 3], [{"a": 4}, 5])),
    ("map_structure_up_to", (1, lambda a: a, [[1, 2], 3])),
    ("map_structure_up_to", ([1], lambda a, b: a, [1, 2], [3])),
    ("pack_sequence_as", (STRUCTURES[0], [7, 8, 9, 10])),
    ("pack_sequence_as", (STRUCTURES[3], [7, 8, 9])),
    ("pack_sequence_as", (1, [4])),
    ("pack_sequence_as", ([1, 2], [1])),
    ("pack_sequence_as", (1, [4, 5])),
    ("pack_sequence_as", ([1, 2], 3)),
    ("assert_same_structure", ([1, {"a": None}], [None, {"a": 2}])),
    ("assert_same_structure", ([1], [[1]])),
    ("assert_same_structure", ([1], (1,))),
    ("assert_same_structure", ({"a": 1}, {"b": 1})),
    ("assert_same_structure", ([1], [1, 2])),
    ("assert_same_paths", ([1, (2,)], (1, [2]))),
    ("assert_same_paths", ([1], [1, 2])),
    ("map_shape_structure", (lambda s: ("shape", s), {"a": (1, 2), "b": [(3, None), [4, 5]], "c": None})),
    ("traverse", (lambda x: tuple(x) if isinstance(x, list) else None, [[1, 2], [3]])),
    ("traverse", (lambda x: tuple(x) if isinstance(x, list) else None, [[1, 2], [3]], False)),
    ("traverse", (lambda x: x + 1 if isinstance(x, int) else None, {"a": [1, 2]})),
]


@pytest.mark.parametrize(("name", "args"), EXAMPLES)
def test_as_keras(name: str, args: tuple[Any, ...]) -> None:
    try:
        expected = getattr(keras.tree, name)(*args)
    except (ValueError, TypeError) as error:
        with pytest.raises(type(error)) as raised:
            getattr(tree, name)(*args)
        assert "Received: " in str(raised.value)
        return
    result = getattr(tree, name)(*args)
    assert result == expected
    assert type(result) is type(expected)


def test_none() -> None:
    assert tree.map_structure(lambda x: 1, [0, None], none_is_leaf=False) == [1, None]
    assert tree.traverse(lambda x: tree.MAP_TO_NONE() if x == 1 else None, [1, 2]) == [None, 2]


def test_deques_are_sequences():
    queue = deque([1, (2, 3)])
    assert tree.flatten(queue) == [1, 2, 3]
    assert tree.map_structure(lambda x: 2 * x, queue) == deque([2, (4, 6)])
    assert tree.is_nested(queue)
    assert tree.pack_sequence_as(queue, list("abc")) == deque(["a", ("b", "c")])
