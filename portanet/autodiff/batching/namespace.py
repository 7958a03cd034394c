"""The namespace of batched arrays over one library: every function of the standard, by its batching rule."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from portanet.autodiff.batching.array import BatchedArray, BatchedSpace, Level, innermost_level
from portanet.autodiff.batching.declare import Call, find
from portanet.autodiff.batching.rules import RULES
from portanet.autodiff.namespace import CONSTANTS, SECTIONS, differentiable_namespace
from portanet.autodiff.rules import PRIMITIVES
from portanet.autodiff.traced import TracedArray, is_traced
from portanet.autodiff.tracing import SCALARS, is_array, melted_arguments, no_arrays, rebuild

_SPACES: dict[int, BatchedNamespace] = {}


class BatchedSection(BatchedSpace):
    """The functions of the standard, or of one of its extensions, over one library."""

    def __init__(self, library: Any, prefix: str = "", root: BatchedNamespace | None = None) -> None:
        self.library = self.wrapped_library = library
        self._prefix = prefix
        self._root: Any = root or self
        self.__name__ = f"portanet.vmap[{library.__name__}]"

    def __repr__(self) -> str:
        return f"<batched namespace over {self.library.__name__}>"

    def __getattr__(self, name: str) -> Any:
        key = self._prefix + name
        if key in SECTIONS:
            value: Any = BatchedSection(getattr(self.library, name), f"{name}.", self._root)
        elif key in CONSTANTS or name.startswith("__array"):
            value = getattr(self.library, name)
        elif key in RULES:
            if key in PRIMITIVES:
                plain = functools.partial(PRIMITIVES[key], self.library)
            else:
                plain = getattr(self.library, name)
            value = batched(plain, key, self._root)
        else:
            raise AttributeError(f"{self!r} has no {key!r}: it offers the functions of the array API standard.")
        setattr(self, name, value)
        return value


class BatchedNamespace(BatchedSection):
    """Every function of the standard over batched arrays of one library, of any level, and plain ones."""

    def __init__(self, library: Any) -> None:
        super().__init__(library)
        self.array: type[BatchedArray] = type("BatchedArray", (BatchedArray,), {"namespace": self, "__slots__": ()})

    def differentiable(self) -> Any:
        """The differentiable namespace over this one."""
        return differentiable_namespace(self)


def batched_over(library: Any) -> BatchedNamespace:
    """The batched namespace over a library's namespace; one object per library."""
    namespace = _SPACES.get(id(library))
    if namespace is None:
        namespace = _SPACES[id(library)] = BatchedNamespace(library)
    return namespace


def batched(plain: Callable[..., Any], key: str, space: BatchedNamespace) -> Callable[..., Any]:
    """A function of the standard for batched arrays, and the library's own for all others."""
    rule = RULES[key]

    def at_level(level: Level, *args: Any, **kwargs: Any) -> Any:
        """For batched arguments of one level with plain values, and shared ones."""
        return closed(space, level, rule.function(Call(space.library, level, key, plain), *args, **kwargs), rule.opened)

    def op(*args: Any, **kwargs: Any) -> Any:
        if rule.opened and no_arrays(kwargs.values()) and (level := _only_level(space.array, args)) is not None:
            return at_level(level, *args, **kwargs)
        level = innermost_level((*args, *kwargs.values()) if kwargs else args)
        if level is None:
            return plain(*args, **kwargs)
        if not level.alive:
            level.require_alive()
        if level.example is not None:
            args, kwargs = melted_arguments(args, kwargs)
            return find(space.differentiable() if is_traced(args, kwargs) else space, key)(*args, **kwargs)
        if rule.opened:
            xp, args, kwargs = opened(space, level, args, kwargs)
        else:
            xp = space.library
        return closed(space, level, rule.function(Call(xp, level, key), *args, **kwargs), rule.opened)

    function = functools.update_wrapper(broadcasting(plain, op, space) if rule.elementwise else op, plain)
    function.at_level = at_level  # type: ignore[attr-defined]
    return function


def broadcasting(plain: Callable[..., Any], op: Callable[..., Any], space: BatchedNamespace) -> Callable[..., Any]:
    """An elementwise function, `op`, with a short path where values of one level and shared arrays broadcast as they
    are.
    """
    batched_array = space.array

    def short(*args: Any) -> Any:
        level, rank, shared = None, 0, 0
        values = []
        for a in args:
            if type(a) is batched_array:
                value = a.value
                if (level is not None and (a.level is not level or len(a.shape) != rank)) or not _is_plain(value):
                    return op(*args)
                level, rank = a.level, len(a.shape)
                values.append(value)
            elif type(a) in SCALARS:
                values.append(a)
            elif type(a) is not TracedArray:
                shared = max(shared, len(getattr(a, "shape", ())))
                values.append(a)
            else:
                return op(*args)
        if level is None or not level.alive or shared > rank:
            return op(*args)
        return batched_array(plain(*values), level)

    return short


def _only_level(array: type[BatchedArray], args: tuple[Any, ...]) -> Level | None:
    """The level of all batched arguments, if their values are plain; others must be plain arrays, or none."""
    level = None
    for a in args:
        if type(a) is array:
            if (level is not None and a.level is not level) or not _is_plain(a.value):
                return None
            level = a.level
        elif type(a) is TracedArray or isinstance(a, (BatchedArray, list)) or (type(a) is tuple and not no_arrays(a)):
            return None
    return None if level is None or not level.alive or level.example is not None else level


def _is_plain(value: Any) -> bool:
    return type(value) is not TracedArray and type(value).__base__ is not BatchedArray


def opened(
    space: BatchedNamespace, level: Level, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    """The namespace of the values inside a level, and the arguments with values that it accepts.

    Inner values are plain, batched by an outer level or traced. If any is traced, batched ones are made constants, so
    that all can be mixed.
    """
    kinds = [False, False]

    def look(a: Any) -> None:
        if type(a) in (tuple, list):
            for part in a:
                look(part)
            return
        if isinstance(a, BatchedArray):
            if a.level is not level:
                kinds[0] = True
                return
            a = a.value
        if isinstance(a, BatchedArray):
            kinds[0] = True
        elif type(a) is TracedArray:
            kinds[1] = True
            kinds[0] = kinds[0] or a._xp.raw is space

    for a in args:
        look(a)
    for a in kwargs.values():
        look(a)
    outer, traced = kinds
    if not traced:
        return (space if outer else space.library), args, kwargs
    xp = differentiable_namespace(space if outer else space.library)
    if not outer:
        return xp, args, kwargs

    def lifted(a: Any) -> Any:
        if type(a) in (tuple, list):
            return type(a)([lifted(part) for part in a])
        if not isinstance(a, BatchedArray):
            return a
        if a.level is not level:
            return TracedArray(a, None, None, xp)
        if isinstance(a.value, BatchedArray):
            return type(a)(TracedArray(a.value, None, None, xp), level)
        return a

    return xp, tuple(map(lifted, args)), {name: lifted(a) for name, a in kwargs.items()}


def closed(space: BatchedNamespace, level: Level, out: Any, several: bool = True) -> Any:
    """Results of a rule, which have the batch axis first, as batched arrays; a rule may also return finished ones."""
    if isinstance(out, (tuple, list)) and several:
        return rebuild(out, [closed(space, level, part) for part in out])
    if not several or (isinstance(out, BatchedArray) and out.level is level) or not is_array(out):
        return out
    if type(out) is TracedArray and out._trace is None:
        out = out._value
    return space.array(out, level)
