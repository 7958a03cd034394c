"""A recording of one call of a step, with the arrays that it reads and writes; see `portanet.backends.graphs`."""

from __future__ import annotations

import dataclasses
import itertools
import operator
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from portanet.backends.base import Array
from portanet.backends.recording import state
from portanet.tree import KINDS, LEAF, MAPPING, NOTHING, SEQUENCE, tree_items, tree_leaves, tree_map

if TYPE_CHECKING:
    from portanet.backends.graphs import Recorder

Key = tuple[Hashable, Hashable]
"""What tells recordings apart: the signature of the arguments, and the structure of those that stay in place."""


class Program:
    """A recording of one call.

    Args:
        recorder: Whose step it is.
        key: What the recorder knows it by.
        args: The arguments of the call.
        leaves: Their leaves, those of arguments that stay in place last.
        loose: Numbers of leaves that would stay in place, but change too often: they are copied in and out.
    """

    def __init__(self, recorder: Recorder, key: Key, args: tuple[Any, ...], leaves: list[Any], loose: set[int]) -> None:
        self.key = key
        graphs = self.graphs = recorder.graphs
        arrays = {i: leaf for i, leaf in enumerate(leaves) if graphs.owns(leaf)}
        alone = Counter(map(graphs.memory, arrays.values()))
        self.bound: dict[int, Any] = {}
        """Leaves that stay in place, by number; of arrays that are released, their addresses."""
        self.kept_numbers: list[int] = []
        self.buffers: dict[int, Array] = {}
        given, number = [], 0
        self.stays = True
        """Whether all arrays that would stay in place do."""
        order = [*(i for i in range(len(args)) if i not in recorder.in_place), *recorder.in_place]
        for i in order:
            for leaf in tree_leaves(args[i]):
                if number not in arrays:
                    if i in recorder.in_place:
                        self.bound[number] = leaf
                elif number in loose or i not in recorder.in_place:
                    self.buffers[number] = leaf
                elif i not in recorder.given:  # what is only read may share its memory
                    self.bound[number] = leaf
                    self.kept_numbers.append(number)
                else:
                    (self.bound if alone[graphs.memory(leaf)] == 1 else self.buffers)[number] = leaf
                if i in recorder.in_place and number in self.buffers:
                    self.stays = False
                    given += [number] if i in recorder.given else []
                number += 1
        self.buffers = {i: graphs.copy(leaf) for i, leaf in self.buffers.items()}
        again = iter([self.buffers.get(i, leaf) for i, leaf in enumerate(leaves)])
        by_number = {i: replaced(args[i], again) for i in order}
        recorded = tuple(by_number[i] for i in range(len(args)))
        places = recorder.places(recorded)

        def run() -> Any:
            # The step may change the dicts that it gets.
            return recorder.put_back(places, recorder.step(*tree_map(lambda leaf: leaf, recorded)))

        self.kept: list[Any] = []
        state.kept = self.kept
        state.recording = True
        try:
            self.launch, results = graphs.record(run)
        finally:
            state.recording, state.kept = False, []
        self.loose = {id(self.buffers[i]): i for i in given if alone[graphs.memory(leaves[i])] == 1}
        self._bind()
        stays = {id(array) for array in self.bound.values()}

        def marked(leaf: Any) -> Any:
            return _In(leaf) if graphs.owns(leaf) and id(leaf) not in stays else leaf

        if recorder.given:
            results = tuple(
                _Argument(i) if i in recorder.given and self.stays and _same(result, recorded[i]) else result
                for i, result in enumerate(results)
            )
        self.results = _compact(tree_map(marked, results))

    def _bind(self) -> None:
        self._bound_leaves = _getter(list(self.bound))
        self._bound = tuple(self.bound.values())

    def fits(self, leaves: list[Any]) -> bool:
        """Whether the arrays that stay in place are those of the recording."""
        if all(map(operator.is_, self._bound_leaves(leaves), self._bound)):
            return True
        moved = [i for i, known in self.bound.items() if leaves[i] is not known]
        if any(type(self.bound[i]) is not _Released or self.bound[i] != self._released(leaves[i]) for i in moved):
            return False
        self.bound.update({i: leaves[i] for i in moved})
        self._bind()
        return True

    def changed(self, leaves: list[Any]) -> list[int]:
        """Numbers of the leaves that do not fit, apart from those in the place of released arrays."""
        return [i for i, known in self.bound.items() if leaves[i] is not known and type(known) is not _Released]

    def release(self) -> None:
        """Hold the arrays that are only read no longer: others may be in their memory, and are read if they fit."""
        for i in self.kept_numbers:
            if type(self.bound[i]) is not _Released:
                self.bound[i] = self._released(self.bound[i])
        self._bind()

    def _released(self, leaf: Any) -> Any:
        return _Released(self.graphs.layout(leaf)) if self.graphs.owns(leaf) else leaf

    def replay(self, args: tuple[Any, ...], leaves: list[Any]) -> Any:
        """The results for these leaves, which fit."""
        graphs = self.graphs
        graphs.follow()
        for i, buffer in self.buffers.items():
            graphs.fill(buffer, leaves[i])
        self.launch()
        for i in self.loose.values():
            graphs.fill(leaves[i], self.buffers[i])
        return self._result(self.results, args, leaves)

    def _result(self, tree: Any, args: tuple[Any, ...], leaves: list[Any]) -> Any:
        kind = type(tree)
        if kind is _Argument:
            return args[tree]
        if kind is _Plain:
            return dict(tree)
        if kind is _In:
            number = self.loose.get(id(tree.array))
            return self.graphs.copy(tree.array) if number is None else leaves[number]
        if kind is dict:
            return {key: self._result(branch, args, leaves) for key, branch in tree.items()}
        if kind is tuple or kind is list:
            return kind([self._result(branch, args, leaves) for branch in tree])
        return tree if KINDS[kind] in (LEAF, NOTHING) else tree_map(lambda leaf: self._result(leaf, args, leaves), tree)


class Repeated:
    """Arguments whose arrays stayed in place in a call, so that later calls can be seen to have the same.

    Args:
        args: The arguments, those given returned as they are.
    """

    def __init__(self, args: tuple[Any, ...]) -> None:
        self.args = args
        self.programs: dict[Hashable, Program] = {}
        """Recordings with these arguments, by the signature of the others."""
        self.views: list[Iterable[Any]] = []
        for arg in args:
            _collect_views(arg, self.views)
        self.items = list(itertools.chain(*self.views))

    def fits(self, args: tuple[Any, ...]) -> bool:
        """Whether these are the same objects, holding the same arrays."""
        if not all(map(operator.is_, args, self.args)):
            return False
        items = list(itertools.chain(*self.views))
        return len(items) == len(self.items) and all(map(operator.is_, items, self.items))


def _collect_views(tree: Any, views: list[Iterable[Any]]) -> None:
    """For each container in a tree, what iterates over its keys and items as they are at the time."""
    kind = KINDS[type(tree)]
    if kind in (LEAF, NOTHING):
        return
    if kind == MAPPING:
        views.append(tree)
    branches = tree.values() if kind == MAPPING else tree if kind == SEQUENCE else _Fields(tree)
    views.append(branches)
    for branch in branches:
        _collect_views(branch, views)


class _Fields:
    """The values of a dataclass, which need not have a `__dict__`."""

    def __init__(self, tree: Any) -> None:
        self.tree = tree
        self.names = [field.name for field in dataclasses.fields(tree)]

    def __iter__(self) -> Iterator[Any]:
        return iter([getattr(self.tree, name) for name in self.names])


class _Released(tuple[Any, ...]):
    """Where an array was, and its layout."""


class _Argument(int):
    """A result that is an argument, by number."""


class _Plain(dict[Any, Any]):
    """A dict of results that need no more than a copy of the dict."""


class _In:
    """An array of a recording, which results must not hold."""

    def __init__(self, array: Array) -> None:
        self.array = array


def _compact(tree: Any) -> Any:
    """A tree of results with `_Plain` where that is enough."""
    if type(tree) is dict:
        if all(KINDS[type(branch)] in (LEAF, NOTHING) and type(branch) is not _In for branch in tree.values()):
            return _Plain(tree)
        return {key: _compact(branch) for key, branch in tree.items()}
    return type(tree)(map(_compact, tree)) if type(tree) in (tuple, list) else tree


def _same(x: Any, y: Any) -> bool:
    """Whether two trees have the same leaves at the same paths."""
    first, second = dict(tree_items(x)), dict(tree_items(y))
    return first.keys() == second.keys() and all(leaf is second[path] for path, leaf in first.items())


def outline(tree: Any, leaves: list[Any]) -> Hashable:
    """The structure of a tree, whose leaves are appended to a list."""
    kind = KINDS[type(tree)]
    if kind == LEAF:
        leaves.append(tree)
        return LEAF
    if kind == NOTHING:
        return None
    if kind not in (MAPPING, SEQUENCE):
        items = list(tree_items(tree))
        leaves.extend(leaf for _, leaf in items)
        return type(tree), tuple(path for path, _ in items)
    branches: Any = tree.values() if kind == MAPPING else tree
    inner = []
    for i, branch in enumerate(branches):
        if KINDS[type(branch)] == LEAF:
            leaves.append(branch)
        else:
            inner.append((i, outline(branch, leaves)))
    return type(tree), tuple(tree) if kind == MAPPING else len(tree), tuple(inner)


def replaced(tree: Any, leaves: Iterator[Any]) -> Any:
    """A tree of the same structure with other leaves, in order."""
    return tree_map(lambda _: next(leaves), tree)


def _getter(numbers: list[int]) -> Callable[[list[Any]], tuple[Any, ...]]:
    if len(numbers) < 2:
        return lambda leaves: tuple(leaves[i] for i in numbers)
    return operator.itemgetter(*numbers)
