"""Steps that are recorded once and replayed, such as CUDA graphs: all but what the library does.

A call of a step goes one of three ways, by its signature (structure, shapes and dtypes of the arguments):

1. The first call runs as ordinary Python: kernels are compiled, caches fill.
2. The second is recorded. Given and kept arrays, such as weights, are used where they lie; what the step returns for
   given ones is copied back into them as a part of the recording. Other arrays are copied into buffers.
3. Later ones fill the buffers and replay. Results that are not given arrays are copied, since the next call overwrites
   them.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

from portanet.backends.base import Array
from portanet.backends.error_place import warn_of
from portanet.backends.programs import Key, Program, Repeated, outline, replaced
from portanet.backends.recording import recording
from portanet.tree import tree_items, tree_leaves

MOST_PROGRAMS = 16
"""Recordings that a step keeps; of more, the least recently used is dropped."""

_WARM, _EAGER = object(), object()
_one_at_a_time = threading.RLock()


class Graphs:
    """What a library does for a recorded step: it records what a function computes, and copies arrays."""

    def follow(self) -> None:
        """Let what is computed from here on wait for what computed with the recordings before, on another stream."""

    def owns(self, x: Any) -> bool:
        """Whether `x` is an array that can be part of a recording."""
        raise NotImplementedError

    def record(self, function: Callable[[], Any]) -> tuple[Callable[[], None], Any]:
        """Record a function, which computes nothing; return what replays it, and the function's result.

        The arrays of the result are overwritten by each replay. Whatever leaves the function ends the recording.
        """
        raise NotImplementedError

    def copy(self, x: Array) -> Array:
        """A copy in memory that no recording uses; while recording, a part of it."""
        raise NotImplementedError

    def fill(self, target: Array, source: Array) -> None:
        """Copy an array into another of the same shape and dtype."""
        raise NotImplementedError

    def memory(self, x: Array) -> Hashable:
        """What identifies the memory of an array: the same for its views."""
        raise NotImplementedError

    def layout(self, x: Array) -> tuple[Any, ...]:
        """The address of an array, its shape, strides and dtype."""
        raise NotImplementedError


class Recorder:
    """A pure function of arrays that records itself; see `Backend.compile`.

    Args:
        step: The function.
        given: Numbers of the arguments that results of the same number replace.
        kept: Numbers of the arguments whose arrays are usually those of the call before.
        graphs: The library's part.
        warned: Places that a warning has named; they are not named again.
    """

    def __init__(
        self,
        step: Callable[..., Any],
        given: tuple[int, ...],
        kept: tuple[int, ...],
        graphs: Graphs,
        warned: set[str] | None = None,
    ) -> None:
        self.step = step
        self.given = given
        self.in_place = tuple(sorted((*given, *kept)))
        self.graphs = graphs
        self.warned = set() if warned is None else warned
        self.programs: OrderedDict[Hashable, Any] = OrderedDict()
        self.moves: dict[Hashable, Counter[int]] = {}
        self.repeated: Repeated | None = None
        self.latest: Program | None = None
        """The recording that was replayed last."""
        self.lock = threading.RLock()

    def __call__(self, *args: Any) -> Any:
        """The results of the step."""
        leaves: list[Any] = []
        free = None if recording() else self._signature(args, leaves)
        if free is None:
            return self.step(*args)
        stay = tuple([args[i] for i in self.in_place])
        with self.lock:
            known = self.repeated
            if known is not None and known.fits(stay):
                program = known.programs.get(free)
                if program is not None:
                    if program is not self.latest:
                        self.latest = program
                        self.programs.move_to_end(program.key)
                    return program.replay(args, leaves)
            key = free, self._structure(leaves, stay)
            program = self.programs.get(key)
            if program is not None:
                self.programs.move_to_end(key)
            if isinstance(program, Program) and program.fits(leaves):
                return self._replay(program, free, args, leaves)
            if program is not None and program is not _EAGER:
                return self._record(key, program, args, leaves)
        if program is _EAGER:
            return self.step(*args)
        results = self._run(args)
        self._keep(key, _WARM)
        return results

    def _replay(self, program: Program, free: Hashable, args: tuple[Any, ...], leaves: list[Any]) -> Any:
        results = program.replay(args, leaves)
        self.latest = program
        if program.stays and all(results[i] is args[i] for i in self.given):
            stay = tuple([args[i] for i in self.in_place])
            if self.repeated is None or not self.repeated.fits(stay):
                self.repeated = Repeated(stay)
            self.repeated.programs[free] = program
        return results

    def release(self) -> None:
        """Hold the arrays of kept arguments no longer.

        Recordings are replayed with later ones that lie at the same addresses.
        """
        with self.lock:
            self.repeated = None
            for program in self.programs.values():
                if isinstance(program, Program):
                    program.release()

    def _signature(self, args: tuple[Any, ...], leaves: list[Any]) -> Hashable | None:
        """What tells calls apart that need recordings of their own, for arguments whose arrays do not stay in place.

        None where there can be no recording. Their leaves are appended to a list.
        """
        owns, parts = self.graphs.owns, []
        for number, arg in enumerate(args):
            if number in self.in_place:
                continue
            start = len(leaves)
            parts.append(outline(arg, leaves))
            for leaf in leaves[start:]:
                if owns(leaf):
                    parts.append((tuple(leaf.shape), leaf.dtype))
                elif isinstance(leaf, (bool, int, float, str)):
                    parts.append((type(leaf), leaf))
                else:
                    return None
        return tuple(parts)

    def _structure(self, leaves: list[Any], stay: tuple[Any, ...]) -> Hashable:
        """The same for the arguments that stay in place; which arrays these are, a program compares."""
        parts: list[Any] = []
        for number, arg in zip(self.in_place, stay, strict=True):
            start = len(leaves)
            parts.append(outline(arg, leaves))
            if number not in self.given:
                parts += [(tuple(leaf.shape), leaf.dtype) for leaf in leaves[start:] if self.graphs.owns(leaf)]
        return tuple(parts)

    def _keep(self, key: Hashable, program: Any) -> None:
        with self.lock:
            self.programs[key] = program
            self.programs.move_to_end(key)
            while len(self.programs) > MOST_PROGRAMS:
                dropped, _ = self.programs.popitem(last=False)
                self.moves.pop(dropped, None)
                self.repeated = self.latest = None

    def _run(self, args: tuple[Any, ...]) -> Any:
        """Run as ordinary Python, with results in the given arrays, so that these are there in the next call."""
        given = self.places(args)
        return self.put_back(given, self.step(*args))

    def places(self, args: tuple[Any, ...]) -> dict[int, dict[str, Array]]:
        """The given arrays by argument and path, without those that share memory with others."""
        arrays = [leaf for i in self.in_place for leaf in tree_leaves(args[i]) if self.graphs.owns(leaf)]
        count = Counter(map(self.graphs.memory, arrays))

        def alone(leaf: Any) -> bool:
            return self.graphs.owns(leaf) and count[self.graphs.memory(leaf)] == 1

        return {i: {path: leaf for path, leaf in tree_items(args[i]) if alone(leaf)} for i in self.given}

    def put_back(self, given: dict[int, dict[str, Array]], results: Any) -> Any:
        """The results, with those for given arrays (see `places`) copied into these."""
        graphs, pairs, new = self.graphs, [], list(results) if given else []
        memories = {graphs.memory(target) for targets in given.values() for target in targets.values()}
        for i, targets in given.items():
            chosen = {}
            for path, value in tree_items(new[i]):
                target = targets.get(path)
                if target is None or not graphs.owns(value) or not _alike(target, value):
                    chosen[path] = value
                    continue
                chosen[path] = target
                if value is not target:  # what lies in a given array might be overwritten before it is read
                    pairs.append((target, graphs.copy(value) if graphs.memory(value) in memories else value))
            new[i] = replaced(new[i], iter(chosen.values()))
        for target, value in pairs:
            graphs.fill(target, value)
        return tuple(new) if given else results

    def _record(self, key: Key, former: Any, args: tuple[Any, ...], leaves: list[Any]) -> Any:
        """Record this call, and compute it."""
        moves = self.moves.setdefault(key, Counter())
        if isinstance(former, Program):
            moves.update(former.changed(leaves))
        try:
            with _one_at_a_time:
                program = Program(self, key, args, leaves, {i for i, count in moves.items() if count > 1})
        except Exception as error:
            self._keep(key, _EAGER)
            try:
                results = self.step(*args)
            except Exception:
                self.programs.pop(key, None)  # the step is wrong, whether it is recorded or not
                raise
            warn_of(error, self.warned, "recorded")
            return results
        self._keep(key, program)
        return self._replay(program, key[0], args, leaves)


def _alike(x: Array, y: Array) -> bool:
    return tuple(x.shape) == tuple(y.shape) and x.dtype == y.dtype
