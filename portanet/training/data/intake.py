"""From what a user has to arrays on the device: converted once, checked on the host, never changed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from portanet.backends import Array, Backend, HostArray, asarray, get_backend, raw_namespace, to_host
from portanet.backends.registry import backend_class_of
from portanet.losses import class_weights
from portanet.training.data.examples import Examples, Rows
from portanet.training.data.sources import Batch, Order, Source
from portanet.training.data.streams import Numbers, Stream
from portanet.tree import tree_items, tree_leaves, tree_map

PARTS = ("x", "y", "sample_weight")


def find_source(
    x: Any,
    y: Any,
    weight: Any,
    backend: Backend,
    batch_size: int | None,
    shuffle: Order,
    steps: int | None,
    check_finite: bool,
    prefix: str = "",
) -> Source:
    """The source of batches that the user's data amounts to.

    Args:
        x: Arrays, mapped files, an object with numbered batches, or an iterable of batches.
        y: Targets, for arrays and mapped files.
        weight: Weights of the examples, likewise.
        backend: The backend in use.
        batch_size: Examples in a batch; None for 32, or where `x` gives batches.
        shuffle: See `Numbered`.
        steps: Batches in an epoch.
        check_finite: Whether to refuse NaN and infinity in arrays.
        prefix: What the names of the arguments begin with.
    """
    for name, value in (("batch_size", batch_size), ("steps", steps)):
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            raise ValueError(f"Argument `{name}` must be a positive integer. Received: {name}={value!r}")
    if gives_batches(x):
        for name, value in (("y", y), ("sample_weight", weight), ("batch_size", batch_size)):
            if value is not None:
                raise ValueError(
                    f"Argument `{prefix}x` gives whole batches, so that `{name}` must be left out. "
                    f"Received: x of type {type(x).__name__} and {name}={type(value).__name__}"
                )
        return Numbers(x, shuffle, steps) if hasattr(x, "__getitem__") else Stream(x, steps)
    data = as_tree(x), as_tree(y), as_tree(weight)
    if any(is_mapped(leaf) for leaf in tree_leaves(data)):
        data = tree_map(lambda leaf: Rows(leaf if is_mapped(leaf) else to_host(leaf)), data)
        require_alike(data, prefix)
    else:
        data = convert(data, prefix, check_finite, whole=True)
        require_alike(data, prefix)
    return Examples(data, backend, batch_size or 32, shuffle, steps)


class Intake:
    """Takes in the batches of a source that is not on the device yet: looks at them on the host and moves them.

    Args:
        check: What else to do before inputs and targets are moved: `check(x, y, False, only_inputs)`.
        check_finite: Whether to refuse NaN and infinity.
        class_weight: Weights by class number, where the batch brings no weights.
        prefix: What the names of the arguments begin with.
        only_inputs: Whether to leave targets aside, for a prediction.
    """

    def __init__(
        self,
        check: Callable[[Any, Any, bool, bool], None],
        check_finite: bool,
        class_weight: Mapping[int, float] | None = None,
        prefix: str = "",
        only_inputs: bool = False,
    ) -> None:
        self.check = check
        self.check_finite = check_finite
        self.class_weight = class_weight
        self.prefix = prefix
        self.only_inputs = only_inputs

    def __call__(self, batch: Batch) -> Batch:
        chosen = (batch[0], None, None) if self.only_inputs else batch
        x, y, weight = (tree_map(host_unless_native, as_tree(part)) for part in chosen)
        if self.class_weight is not None:
            weight = weights_of_classes(y, weight, self.class_weight)
        moved = convert((x, y, weight), self.prefix, self.check_finite, whole=False)
        require_alike(moved, self.prefix)
        self.check(x, y, False, self.only_inputs)
        return moved


def gives_batches(x: Any) -> bool:
    """Whether an object gives batches itself, rather than being the data."""
    if isinstance(x, (list, tuple, Mapping, str, bytes)) or hasattr(x, "shape") or backend_class_of(x) is not None:
        return False
    return hasattr(x, "__iter__") or (hasattr(x, "__getitem__") and hasattr(x, "__len__"))


def is_mapped(x: Any) -> bool:
    """Whether an array is not in memory: a memory map, or a file's object that is indexed like an array."""
    if isinstance(x, np.memmap):
        return True
    known = backend_class_of(x) is not None or hasattr(x, "__dlpack__") or hasattr(x, "iloc")
    return not known and all(hasattr(x, name) for name in ("shape", "dtype", "__getitem__"))


def as_tree(x: Any) -> Any:
    """Data as a tree of arrays: dicts and lists of arrays are kept, lists of numbers become NumPy arrays."""
    if isinstance(x, Mapping):
        return {key: as_tree(value) for key, value in x.items()}
    if _holds_arrays(x):
        return [as_tree(part) for part in x]
    return to_host(x) if isinstance(x, (list, tuple)) else x


def _holds_arrays(x: Any) -> bool:
    """Whether a list is one of arrays, rather than one of numbers."""
    if not isinstance(x, (list, tuple)) or not x:
        return False
    return isinstance(x[0], Mapping) or bool(getattr(x[0], "shape", ())) or _holds_arrays(x[0])


def host_unless_native(x: Any) -> Any:
    """A NumPy array, unless it is an array of the backend in use already."""
    return x if get_backend().owns(x) else to_host(x)


def can_be_looked_at(tree: Any) -> bool:
    """Whether looking at the values costs nothing: those on a device would have to be waited for."""
    backend = get_backend()
    return all(isinstance(leaf, np.ndarray) or backend.cost_of_reading(leaf) == "free" for leaf in tree_leaves(tree))


def convert(data: Batch, prefix: str, check_finite: bool, whole: bool) -> Batch:
    """Data as arrays of the backend in use.

    Args:
        data: Inputs, targets and weights: trees of arrays.
        prefix: What the names of the arguments begin with.
        check_finite: Whether to look for NaN and infinity.
        whole: Whether this is all of the data, rather than a batch, for which nobody waits.

    Raises:
        ValueError: Data is empty, has no batch axis, or holds NaN or infinity.
    """
    converted = []
    for part, tree in zip(PARTS, data, strict=True):
        paths = iter([path for path, _ in tree_items(tree)])
        converted.append(tree_map(lambda leaf: _array(leaf, prefix + part + next(paths), check_finite, whole), tree))  # noqa: B023
    x, y, weight = converted
    return x, y, weight


def _array(x: Any, name: str, check_finite: bool, whole: bool) -> Array:
    array = asarray(x)
    if array.ndim == 0:
        raise ValueError(f"Argument `{name}` needs a batch axis. Received: an array of shape ()")
    if 0 in array.shape:
        raise ValueError(f"Argument `{name}` holds no data. Received: an array of shape {tuple(array.shape)}")
    seen = x if isinstance(x, np.ndarray) else array
    xp = raw_namespace(seen)
    floating = xp.isdtype(seen.dtype, ("real floating", "complex floating"))
    if check_finite and floating and (whole or can_be_looked_at(seen)):
        finite = xp.isfinite(seen)
        if not bool(xp.all(finite)):
            bad = int(xp.sum(xp.astype(~finite, xp.int32)))
            raise ValueError(
                f"Argument `{name}` holds NaN or infinity, from which no model recovers. Replace or drop those "
                f"examples, or pass check_finite=False. Received: {bad} such elements of {math.prod(array.shape)}"
            )
    return array


def require_alike(data: Batch, prefix: str) -> None:
    """Refuse parts of another number of examples than the first input."""
    found = [
        (part + path, leaf.shape[0]) for part, tree in zip(PARTS, data, strict=True) for path, leaf in tree_items(tree)
    ]
    if not found:
        raise ValueError(f"Argument `{prefix}x` holds no arrays. Received: an empty structure")
    first, count = found[0]
    for name, other in found[1:]:
        if other != count:
            raise ValueError(
                f"Arguments `{prefix}{first}` and `{prefix}{name}` must hold the same number of examples. "
                f"Received: {count} in {first}, {other} in {name}"
            )


def weights_of_classes(y: Any, weight: Any, class_weight: Mapping[int, float]) -> HostArray:
    """A weight for each example by its class, where there are no others."""
    if weight is not None:
        raise ValueError("Only one of `sample_weight` and `class_weight` can be given. Received: both")
    if len(tree_leaves(y)) != 1:
        raise ValueError(
            "Argument `class_weight` is for models with one output; pass `sample_weight` for each output. "
            f"Received: {len(tree_leaves(y))} arrays of targets"
        )
    return class_weights(tree_leaves(y)[0], class_weight)
