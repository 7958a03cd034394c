"""From what a user has to arrays on the device: converted once, checked on the host, never changed."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from portanet import checks
from portanet.backends import Array, HostArray, asarray, get_backend, raw_namespace, to_host
from portanet.losses import class_weights
from portanet.training.data.prefetch import prefetch
from portanet.tree import tree_items, tree_leaves, tree_map

if TYPE_CHECKING:
    from portanet.training.data.streams import Batch, Source
    from portanet.training.trainer import Trainer

PARTS = ("x", "y", "sample_weight")


class Intake:
    """How the data of one call of `fit`, `evaluate` or `predict` are taken in, for the backend in use.

    Args:
        model: The model that they are for; its layers and losses have checks of their own.
        check_finite: Whether to refuse NaN and infinity.
        depth: Batches to prepare in advance where the data is not moved as a whole.
        class_weight: Weights by class number, where there are no weights of examples.
        prefix: What the names of the arguments begin with.
        only_inputs: Whether to leave targets aside, for a prediction.
    """

    def __init__(
        self,
        model: Trainer,
        check_finite: bool,
        depth: int,
        class_weight: Mapping[int, float] | None = None,
        prefix: str = "",
        only_inputs: bool = False,
    ) -> None:
        self.model = model
        self.check_finite = checks.boolean("check_finite", check_finite)
        self.depth = checks.integer("prefetch", depth, least=0)
        self.class_weight = class_weight
        self.prefix = prefix
        self.only_inputs = only_inputs

    def feed(self, source: Source) -> Feed:
        """The batches of a source on the device, when the model is built and what is known of the data is checked."""
        self._build(source.first()[0])
        if source.resident:
            x, y, weight = source.data
            self._check(x, y, whole=True)
            if self.class_weight is not None:
                source.data = x, y, asarray(self._by_class(y, weight))
        return Feed(source, self)

    def __call__(self, batch: Batch) -> Batch:
        """A batch of the user's: converted, checked and moved."""
        chosen = (batch[0], None, None) if self.only_inputs else batch
        x, y, weight = (tree_map(_host_unless_native, as_tree(part)) for part in chosen)
        if self.class_weight is not None:
            weight = self._by_class(y, weight)
        moved = self.convert((x, y, weight), whole=False)
        self.require_alike(moved)
        self._check(x, y, whole=False)
        return moved

    def convert(self, data: Batch, whole: bool) -> Batch:
        """Data as arrays of the backend in use.

        Args:
            data: Inputs, targets and weights: trees of arrays.
            whole: Whether this is all of the data, rather than a batch, for which nobody waits.

        Raises:
            ValueError: Data is empty, has no batch axis, or holds NaN or infinity.
        """

        def converted(part: str, tree: Any) -> Any:
            names = iter([f"{self.prefix}{part}{path}" for path, _ in tree_items(tree)])
            return tree_map(lambda leaf: self._array(leaf, next(names), whole), tree)

        x, y, weight = map(converted, PARTS, data)
        return x, y, weight

    def _array(self, x: Any, name: str, whole: bool) -> Array:
        array = _with_batch_axis(x, name)
        seen = x if isinstance(x, np.ndarray) else array
        xp = raw_namespace(seen)
        floating = xp.isdtype(seen.dtype, ("real floating", "complex floating"))
        if self.check_finite and floating and (whole or _can_be_looked_at(seen)):
            finite = xp.isfinite(seen)
            if not bool(xp.all(finite)):
                bad = int(xp.sum(xp.astype(~finite, xp.int32)))
                raise ValueError(
                    f"Argument `{name}` holds NaN or infinity, from which no model recovers. Replace or drop those "
                    f"examples, or pass check_finite=False. Received: {bad} such elements of {math.prod(array.shape)}"
                )
        return array

    def require_alike(self, data: Batch) -> None:
        """Refuse parts of another number of examples than the first input."""
        counts = [
            (f"{self.prefix}{part}{path}", leaf.shape[0])
            for part, tree in zip(PARTS, data, strict=True)
            for path, leaf in tree_items(tree)
        ]
        if not counts:
            raise ValueError(f"Argument `{self.prefix}x` holds no arrays. Received: an empty structure")
        first, count = counts[0]
        for name, other in counts[1:]:
            if other != count:
                short = (each.removeprefix(self.prefix) for each in (first, name))
                raise ValueError(
                    f"Arguments `{first}` and `{name}` must hold the same number of examples. "
                    f"Received: {count} in {next(short)}, {other} in {next(short)}"
                )

    def _build(self, x: Any) -> None:
        """Build the model for inputs like these, and find the objective if it is to be trained or evaluated."""
        names = iter([f"{self.prefix}x{path}" for path, _ in tree_items(x)])
        example = tree_map(lambda leaf: _with_batch_axis(leaf, next(names))[:1, ...], x)
        if not self.model.built:
            self.model._place("")
            self.model(example)
            for variable in self.model.variables:
                if variable.counter:  # this call was not one on the user's data
                    variable.assign(variable.value * 0)
        if not self.only_inputs:
            self.model.find_objective(example)

    def _check(self, x: Any, y: Any, whole: bool) -> None:
        """Refuse inputs and targets that steps compiled for a device could not refuse."""
        if whole or _can_be_looked_at(x):
            self.model.check_data(x)
        if not self.only_inputs:
            objective = self.model.find_objective()
            targets = objective.arrange(y)
            if whole or _can_be_looked_at(targets):
                objective.check_targets([None if target is None else to_host(target) for target in targets])

    def _by_class(self, y: Any, weight: Any) -> HostArray:
        """A weight for each example by its class."""
        assert self.class_weight is not None
        if weight is not None:
            raise ValueError("Only one of `sample_weight` and `class_weight` can be given. Received: both")
        if len(tree_leaves(y)) != 1:
            raise ValueError(
                "Argument `class_weight` is for models with one output; pass `sample_weight` for each output. "
                f"Received: {len(tree_leaves(y))} arrays of targets"
            )
        return class_weights(tree_leaves(y)[0], self.class_weight)


class Feed:
    """The batches of a source on the device; those that are not there yet are prepared in advance."""

    def __init__(self, source: Source, intake: Intake) -> None:
        self.source = source
        self.intake = intake

    def batches(self, epoch: int = 0, first: int = 0) -> Generator[Batch, None, None]:
        """The batches of an epoch from number `first` on; close it to end what prepares them."""
        batches = self.source.batches(epoch, first)
        if self.source.resident:
            yield from batches
        else:
            yield from prefetch((self.intake(batch) for batch in batches), self.intake.depth)


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


def _host_unless_native(x: Any) -> Any:
    """A NumPy array, unless it is an array of the backend in use already."""
    return x if get_backend().owns(x) else to_host(x)


def _can_be_looked_at(tree: Any) -> bool:
    """Whether looking at the values costs nothing: those on a device would have to be waited for."""
    backend = get_backend()
    return all(isinstance(leaf, np.ndarray) or backend.cost_of_reading(leaf) == "free" for leaf in tree_leaves(tree))


def _with_batch_axis(x: Any, name: str) -> Array:
    """The data as an array of the backend in use, which has examples."""
    array = asarray(x)
    if raw_namespace(array).isdtype(array.dtype, "complex floating"):
        raise TypeError(
            f"Argument `{name}` must be real; pass the real and imaginary parts as separate features. "
            f"Received: an array of dtype {array.dtype}"
        )
    if array.ndim == 0:
        raise ValueError(f"Argument `{name}` needs a batch axis. Received: an array of shape ()")
    if 0 in array.shape:
        raise ValueError(f"Argument `{name}` holds no data. Received: an array of shape {tuple(array.shape)}")
    return array
