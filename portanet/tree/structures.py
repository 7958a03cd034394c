"""The functions of `keras.tree`: structures are dicts (by sorted keys), lists, tuples, named tuples and deques
of leaves.

None is a leaf here, and so is a dataclass; `tree_map` and `tree_leaves` of portanet go into these.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

Path = tuple[Any, ...]
SEQUENCES = (list, tuple, deque)


class MAP_TO_NONE:  # noqa: N801 -- as Keras
    """What a function for `traverse` returns to put None into the result; None itself means to go on.

    Example:
        >>> traverse(lambda leaf: MAP_TO_NONE if leaf == 0 else None, [0, 1])
        [None, 1]
    """


def is_nested(structure: Any) -> bool:
    """Whether it is a dict, list, tuple or deque, empty ones included.

    Args:
        structure: Any object.

    Example:
        >>> is_nested([]), is_nested("text"), is_nested(None)
        (True, False, False)
    """
    return isinstance(structure, (*SEQUENCES, Mapping))


def flatten(structure: Any) -> list[Any]:
    """The leaves, those of dicts by sorted keys.

    Args:
        structure: A nested list, tuple or dict.

    Example:
        >>> flatten({"b": 1, "a": [2, None]})
        [2, None, 1]
    """
    return [leaf for _, leaf in _items(structure, ())]


def flatten_with_path(structure: Any) -> list[tuple[Path, Any]]:
    """The leaves with their paths: tuples of keys and positions.

    Args:
        structure: A nested list, tuple or dict.

    Example:
        >>> flatten_with_path({"b": 1, "a": [2]})
        [(('a', 0), 2), (('b',), 1)]
    """
    return list(_items(structure, ()))


def map_structure(func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True) -> Any:
    """A structure of the results of a function for the leaves of one or more structures.

    Args:
        func: Takes one leaf of each structure.
        *structures: Structures that are the same but for their leaves.
        none_is_leaf: Whether the function is called for None, which stays None otherwise.

    Raises:
        ValueError: There is no structure, or they differ.

    Example:
        >>> map_structure(lambda a, b: a + b, {"w": (1, 2)}, {"w": (10, 20)})
        {'w': (11, 22)}
    """
    _require_function(func)
    if not structures:
        raise ValueError("Argument `structures` of map_structure must be at least one structure. Received: none")
    for other in structures[1:]:
        assert_same_structure(structures[0], other)
    columns = zip(*map(flatten, structures), strict=True)
    results = [None if leaves[0] is None and not none_is_leaf else func(*leaves) for leaves in columns]
    return _packed(structures[0], iter(results))


def map_structure_up_to(shallow_structure: Any, func: Callable[..., Any], *structures: Any) -> Any:
    """A structure of the results of a function for the parts of structures that are where another has leaves.

    Args:
        shallow_structure: The structure whose leaves say how deep to go.
        func: Takes one part of each structure.
        *structures: Structures with the branches of `shallow_structure`.

    Example:
        >>> map_structure_up_to([0, 0], len, [[1, 2], [3]])
        [2, 1]
    """
    _require_function(func)
    columns = zip(*(_parts(shallow_structure, structure) for structure in structures), strict=True)
    return pack_sequence_as(shallow_structure, [func(*parts) for parts in columns])


def pack_sequence_as(structure: Any, flat_sequence: Sequence[Any]) -> Any:
    """A structure like another with these leaves; the inverse of `flatten`.

    Args:
        structure: A nested list, tuple or dict.
        flat_sequence: New leaves, in the order of `flatten`.

    Raises:
        ValueError: There are more or fewer leaves than in the structure.

    Example:
        >>> pack_sequence_as({"b": 0, "a": [0]}, [1, 2])
        {'b': 2, 'a': [1]}
    """
    if not isinstance(flat_sequence, (list, tuple)):
        raise TypeError(f"Argument `flat_sequence` must be a list of leaves. Received: {flat_sequence!r}")
    count = len(flatten(structure))
    if len(flat_sequence) != count:
        raise ValueError(
            f"Argument `flat_sequence` must have a leaf for each of the {count} of the structure. "
            f"Received: {len(flat_sequence)} leaves"
        )
    return _packed(structure, iter(flat_sequence))


def assert_same_structure(a: Any, b: Any, check_types: Any = None) -> None:
    """Raise if two structures differ in more than their leaves.

    Args:
        a: A structure.
        b: Another.
        check_types: Has no effect, as in Keras: types are always compared.

    Raises:
        ValueError: The types, lengths or keys of two branches differ.

    Example:
        >>> assert_same_structure({"a": [1, 2]}, {"a": [None, "x"]})
        >>> assert_same_structure([1], (1,))
        Traceback (most recent call last):
        ValueError: Structures must be the same. Received: a list where the other has a tuple
    """
    if not is_nested(a) and not is_nested(b):
        return
    if type(a) is not type(b) and not (isinstance(a, dict) and isinstance(b, dict)):
        received = f"a {type(a).__name__} where the other has a {type(b).__name__}"
        raise ValueError(f"Structures must be the same. Received: {received}")
    if isinstance(a, Mapping) and a.keys() != b.keys():
        raise ValueError(f"Structures must be the same. Received: the keys {list(a)} where the other has {list(b)}")
    if len(a) != len(b):
        raise ValueError(f"Structures must be the same. Received: {len(a)} entries where the other has {len(b)}")
    for key, branch in _branches(a):
        assert_same_structure(branch, b[key])


def assert_same_paths(a: Any, b: Any) -> None:
    """Raise if the leaves of two structures have other paths; lists and tuples count as the same.

    Args:
        a: A nested list, tuple or dict.
        b: Another.

    Raises:
        ValueError: A path of one does not exist in the other.

    Example:
        >>> assert_same_paths([1, (2,)], ((1, [2])))
    """
    first, second = ({path for path, _ in _items(each, ())} for each in (a, b))
    if first != second:
        raise ValueError(
            f"Structures must have leaves at the same paths. Received: {sorted(map(str, first - second))} only in `a`, "
            f"{sorted(map(str, second - first))} only in `b`"
        )


def lists_to_tuples(structure: Any) -> Any:
    """The structure with tuples in place of lists.

    Args:
        structure: A nested list, tuple or dict.

    Example:
        >>> lists_to_tuples({"a": [1, [2]]})
        {'a': (1, (2,))}
    """
    return traverse(lambda part: tuple(part) if isinstance(part, list) else None, structure, top_down=False)


def map_shape_structure(func: Callable[[Any], Any], structure: Any) -> Any:
    """A structure of the results of a function for the shapes in another: lists or tuples of integers and None.

    Args:
        func: A function of a shape.
        structure: A nested list, tuple or dict of shapes.

    Example:
        >>> map_shape_structure(len, {"a": (1, 2), "b": [(3, None, 4)]})
        {'a': 2, 'b': [3]}
    """
    _require_function(func)

    def apply(part: Any) -> Any:
        is_shape = isinstance(part, (list, tuple)) and all(n is None or isinstance(n, int) for n in part)
        return func(part) if is_shape or not is_nested(part) else None

    return traverse(apply, structure)


def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """A structure in which the parts for which a function returns something are replaced by it.

    Args:
        func: Takes a leaf or a branch; returns what takes its place, `MAP_TO_NONE` for None there, or None to keep it.
        structure: The structure.
        top_down: Whether the function sees branches before what is in them; what it replaces is not looked into.

    Example:
        >>> traverse(lambda part: sum(part) if isinstance(part, tuple) else None, [(1, 2), [(3,)]])
        [3, [3]]
    """
    _require_function(func)

    def inside(branch: Any) -> Any:
        return _rebuilt(branch, {key: traverse(func, part, top_down) for key, part in _branches(branch)})

    structure = structure if top_down else inside(structure)
    result = func(structure)
    if result is None:
        return inside(structure) if top_down else structure
    return None if isinstance(result, MAP_TO_NONE) or result is MAP_TO_NONE else result


def _require_function(func: Any) -> None:
    if not callable(func):
        raise TypeError(f"Argument `func` must be a function. Received: func={func!r}")


def _branches(structure: Any) -> list[tuple[Any, Any]]:
    """Keys or positions of a branch, with what is there; none of a leaf."""
    if isinstance(structure, Mapping):
        keys = list(structure)
        return [(key, structure[key]) for key in (keys if isinstance(structure, OrderedDict) else _sorted(keys))]
    return list(enumerate(structure)) if isinstance(structure, SEQUENCES) else []


def _sorted(keys: list[Any]) -> list[Any]:
    try:
        return sorted(keys)
    except TypeError:  # keys of several types
        return sorted(keys, key=lambda key: (type(key).__qualname__, str(key)))


def _items(structure: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if not is_nested(structure):
        yield path, structure
    for key, part in _branches(structure):
        yield from _items(part, (*path, key))


def _parts(shallow: Any, structure: Any) -> list[Any]:
    """The parts of a structure that are where another has leaves."""
    if not is_nested(shallow):
        return [structure]
    if not is_nested(structure) or len(shallow) != len(structure):
        raise ValueError(
            f"Structures must have the branches of `shallow_structure`, one of {len(shallow)} entries. "
            f"Received: {structure!r}"
        )
    if isinstance(shallow, Mapping) and shallow.keys() != structure.keys():
        raise ValueError(f"Structures must have the keys {list(shallow)}. Received: {list(structure)}")
    return [part for key, branch in _branches(shallow) for part in _parts(branch, structure[key])]


def _packed(structure: Any, leaves: Iterator[Any]) -> Any:
    if not is_nested(structure):
        return next(leaves)
    return _rebuilt(structure, {key: _packed(part, leaves) for key, part in _branches(structure)})


def _rebuilt(structure: Any, parts: dict[Any, Any]) -> Any:
    """A branch of the same type and order with other parts; a leaf as it is."""
    if isinstance(structure, Mapping):
        ordered = {key: parts[key] for key in structure}
        if hasattr(structure, "default_factory"):
            return type(structure)(structure.default_factory, ordered)  # type: ignore[call-arg]
        return type(structure)(ordered)  # type: ignore[call-arg]
    if not isinstance(structure, SEQUENCES):
        return structure
    values = list(parts.values())
    return type(structure)(*values) if hasattr(structure, "_fields") else type(structure)(values)
