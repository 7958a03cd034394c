from __future__ import annotations

import collections
import dataclasses
import types
from typing import Any, NamedTuple

import pytest

from portanet.tree import tree_items, tree_leaves, tree_map


class Pair(NamedTuple):
    left: Any
    right: Any


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    w: Any
    b: Any = None


@dataclasses.dataclass
class Counted:
    w: Any
    total: Any = dataclasses.field(init=False, default=0)

    def __post_init__(self) -> None:
        self.total = 100


TREE = {"a": [1, (2, None)], "b": Pair(3, {"c": 4}), "d": Frozen(5), "e": Counted(6)}


def test_paths_read_like_the_code_that_finds_the_leaf():
    paths = dict(tree_items(TREE))
    assert list(paths.values()) == [1, 2, 3, 4, 5, 6, 100]
    for path, leaf in paths.items():
        assert eval(f"TREE{path}") == leaf


def test_map_keeps_every_type_and_does_not_run_constructors():
    doubled = tree_map(lambda x: 2 * x, TREE)
    assert doubled["a"] == [2, (4, None)]
    assert doubled["b"] == Pair(6, {"c": 8})
    assert type(doubled["b"]) is Pair
    assert doubled["d"] == Frozen(10)
    assert type(doubled["d"]) is Frozen
    assert (doubled["e"].w, doubled["e"].total) == (12, 200)
    assert TREE["e"].total == 100


def test_map_keeps_kinds_of_mappings():
    default = collections.defaultdict(list, {"k": 1})
    mapped = tree_map(lambda x: x + 1, default)
    assert type(mapped) is collections.defaultdict
    assert mapped["k"] == 2
    assert mapped["missing"] == []
    assert default["k"] == 1
    assert type(tree_map(str, collections.OrderedDict(b=1, a=2))) is collections.OrderedDict
    view = tree_map(lambda x: -x, types.MappingProxyType({"k": 1}))
    assert type(view) is types.MappingProxyType
    assert view["k"] == -1


def test_leaves_are_matched_by_path_not_by_order():
    assert tree_map(lambda x, y: (x, y), {"a": 1, "b": 2}, {"b": 20, "a": 10}) == {"a": (1, 10), "b": (2, 20)}


def test_different_structures_are_refused_with_the_path():
    with pytest.raises(ValueError, match=r"without \[\"\['b'\]\"\] and with additional \[\"\['c'\]\"\]"):
        tree_map(lambda x, y: x, {"a": 1, "b": 2}, {"a": 1, "c": 2})
    with pytest.raises(ValueError, match="the tree itself"):
        tree_map(lambda x, y: x, 1, [1])


def test_none_is_an_empty_tree():
    assert tree_leaves(None) == []
    assert tree_map(str, None) is None
