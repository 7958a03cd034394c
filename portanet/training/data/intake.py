"""From what a user has to arrays on the device: converted once, checked on the host, never changed."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from portanet import checks
from portanet.backends import (
    Array,
    HostArray,
    asarray,
    backend_class_of,
    converted,
    get_backend,
    numeric,
    raw_namespace,
    readable,
    require_plain,
    to_host,
)
from portanet.distribution.strategy import cuts_custom_steps, distribution
from portanet.layers.preprocessing.host_layer import listed_strings, strings_in
from portanet.losses import class_weights
from portanet.training.data.deferred import DeferredChecks
from portanet.training.data.parts import PartOfBatch, as_part, taken
from portanet.training.data.prefetch import prefetch
from portanet.training.data.streams import Names
from portanet.training.objective import AnyTargets
from portanet.tree import tree_items, tree_leaves, tree_map
from portanet.variables import Discarded, bind

if TYPE_CHECKING:
    from portanet.training.data.gathered import Gathering
    from portanet.training.data.streams import Batch, Source
    from portanet.training.trainer import Trainer


FIT = Names(steps="steps_per_epoch")
VALIDATION = Names(
    "validation_data", ("validation_data[0]", "validation_data[1]", "validation_data[2]"), "validation_steps"
)


class Intake:
    """How the data of one call of `fit`, `evaluate` or `predict` are taken in, for the backend in use.

    Args:
        model: The model that they are for; its layers and losses have checks of their own.
        check_finite: Whether to refuse NaN and infinity.
        depth: Batches to prepare in advance where the data is not moved as a whole.
        class_weight: Weights by class number, where there are no weights of examples.
        names: What the function calls its data.
        only_inputs: Whether to leave targets aside, for a prediction.
        trains: Whether they are to train on.
    """

    def __init__(
        self,
        model: Trainer,
        check_finite: bool,
        depth: int,
        class_weight: Mapping[int, float] | None = None,
        names: Names = Names(),  # noqa: B008 -- immutable
        only_inputs: bool = False,
        trains: bool = False,
    ) -> None:
        self.model, self.trains = model, trains
        self.check_finite = checks.boolean("check_finite", check_finite)
        self.depth = checks.integer("prefetch", depth, least=0)
        self.class_weight = class_weight if class_weight is None else _checked_class_weight(class_weight)
        self.names = names
        self.shapes: list[tuple[int, ...]] = []
        """The shapes of an example's inputs."""
        self.only_inputs = only_inputs
        self.send: Any = None  # what sends arrays of batches, where `from_host` does not
        self.deferred: DeferredChecks | None = None
        self.on_host: Any = model.several_inputs if getattr(model.several_inputs, "on_host", False) else None
        """The part of the model that is computed on the host, for each batch."""
        self.strings = self.on_host is None and model.takes_strings()
        """Whether inputs may be strings, which the model's `call` looks up."""

    def feed(self, source: Source, like: Intake | None = None) -> Feed:
        """The batches of a source on the device, when the model is built and what is known of the data is checked.

        Args:
            source: The source.
            like: The intake of the data that the model is trained on, if this is for validation.
        """
        custom = self.model.has_custom_step("predict" if self.only_inputs else "train")
        source.divided = distribution() is not None and (not custom or (self.trains and cuts_custom_steps()))
        first = self._structured(source.first())
        self._build(first, source.outline() or first)
        if like is not None and like.shapes != self.shapes:
            self._try(first[0])
        if source.resident:
            x, y, weight = source.data
            self._check(x, y, whole=True)
            if self.class_weight is not None:
                source.data = x, y, asarray(self._by_class(y, weight))
        return Feed(source, self)

    def __call__(self, batch: Batch) -> Batch:
        """A batch of the user's: converted, checked and moved."""
        x, y, weight = tree_map(_host_unless_native, self._structured(batch))
        if self.class_weight is not None:
            weight = self._by_class(y, weight)
        moved = self.convert((x, y, weight), whole=False)
        self.require_alike(moved)
        self._check(x, y, whole=False)
        return moved

    def structured(self, data: Batch) -> Batch:
        """Data, or a batch, as trees of arrays, the inputs as the model takes them.

        Raises:
            ValueError: Inputs are missing, or are not those of the model; rows are of several lengths.
            TypeError: Data is not numeric.
        """
        if self.on_host is not None:
            data = (self.on_host.arrange(self.model, data[0]), *data[1:])
        elif self.strings:
            data = (listed_strings(data[0]), *data[1:])
        x, y, weight = (as_tree(part, name) for name, part in zip(self.names.parts, data, strict=True))
        name = self.names.parts[0]
        for path, leaf in _with_missing(x):
            if leaf is None and not self.model.takes_missing:
                raise ValueError(f"Argument `{name}{path}` must be an array of inputs. Received: None")
        if not tree_leaves(x):
            raise checks.invalid(name, data[0], "an array of inputs, or a list or dict of them")
        if isinstance(weight, Mapping) and any(not isinstance(key, str) for key in weight):
            raise ValueError(
                f"Argument `{self.names.parts[2]}` must hold a weight for each example; weights by class number are "
                f"the argument `class_weight`. Received: the keys {', '.join(map(repr, list(weight)[:3]))}"
            )
        return self.model.arranged_inputs(x) if isinstance(x, (list, Mapping)) else x, y, weight

    def _structured(self, batch: Batch) -> Batch:
        """A batch that a source gave, structured."""
        if self.on_host is not None:
            batch = (self.on_host.take(self.model, batch[0]), *batch[1:])
        if self.only_inputs:
            return self.structured((batch[0], None, None))
        if batch[1] is None and self.model.wants_targets():
            raise ValueError(
                f"Argument `{self.names.data}` must give batches (x, y) or (x, y, sample_weight), with targets. "
                f"Received: a batch of {type(batch[0]).__name__} alone"
            )
        return self.structured(batch)

    def whole(self, x: Any) -> Any:
        """All inputs there are, converted, checked and moved, for the model, which is built if it has to be."""
        require_one_batch(x)
        data = moved, _, _ = self.convert(self._structured((x, None, None)), whole=True)
        self.require_alike(data)
        if not self.model._built:
            self._build(data, data)
        self._check(moved, None, whole=True)
        return moved

    def convert(self, data: Batch, whole: bool) -> Batch:
        """Data as arrays of the backend in use.

        Args:
            data: Inputs, targets and weights: trees of arrays.
            whole: Whether this is all of the data, rather than a batch, for which nobody waits.

        Raises:
            ValueError: Data is empty, has no batch axis, or holds NaN or infinity.
        """

        def arrays(part: str, tree: Any) -> Any:
            names = iter([f"{part}{path}" for path, _ in tree_items(tree)])
            return tree_map(lambda leaf: self._array(leaf, next(names), whole), tree)

        x, y, weight = map(arrays, self.names.parts, data)
        return x, y, weight

    def _array(self, x: Any, name: str, whole: bool) -> Array:
        array = self._with_batch_axis(x, name, None if whole else self.send)
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
        own = array is not x or whole or not self.depth  # else the next batch may be written into it meanwhile
        return array if own else xp.asarray(array, copy=True)

    def _with_batch_axis(self, x: Any, name: str, send: Any = None) -> Array:
        """The data as an array of the backend in use, which has examples."""
        strings = strings_in(x) if self.strings else None
        array = converted(x, None, f"Argument `{name}`", send) if strings is None else strings
        if strings is None and raw_namespace(array).isdtype(array.dtype, "complex floating"):
            raise TypeError(
                f"Argument `{name}` must be real; pass the real and imaginary parts as separate features. "
                f"Received: an array of dtype {array.dtype}"
            )
        if array.ndim == 0:
            raise ValueError(f"Argument `{name}` needs a batch axis, an entry for each example. Received: shape ()")
        if 0 in array.shape:
            raise ValueError(f"Argument `{name}` holds no data. Received: an array of shape {tuple(array.shape)}")
        return array

    def require_alike(self, data: Batch) -> None:
        """Refuse parts of another number of examples than the first input."""
        counts = [
            (f"{part}{path}", leaf.shape[0])
            for part, tree in zip(self.names.parts, data, strict=True)
            for path, leaf in tree_items(tree)
        ]
        first, count = counts[0]
        for name, other in counts[1:]:
            if other != count:
                raise ValueError(
                    f"Arguments `{first}` and `{name}` must hold the same number of examples. "
                    f"Received: {count} in {first}, {other} in {name}"
                )

    def _example(self, x: Any) -> Any:
        names = iter([f"{self.names.parts[0]}{path}" for path, _ in tree_items(x)])
        return tree_map(lambda leaf: self._with_batch_axis(leaf, next(names))[:1, ...], x)

    def _try(self, x: Any) -> None:
        """Call the model on an example of another shape than those of training, which then has not begun in vain."""
        try:
            with bind(Discarded(self.model.variables)):
                self.model(self._example(x))
        except Exception as error:
            error.add_note(f"Argument `{self.names.data}`, whose examples have other shapes than those in `x`")
            raise

    def _build(self, first: Batch, outline: Batch) -> None:
        """Build the model for data of these shapes, and find the objective if it is to be trained or evaluated."""
        x, y, weight = outline
        name, shape, known = self.names.parts[0], tuple(getattr(x, "shape", ())), self.model.build_shape
        if shape and shape != (1,) and isinstance(known, tuple) and known[1:] in (shape, (*shape, 1)):
            raise ValueError(
                f"Argument `{name}` needs a batch axis first: a batch of one example is {name}[None]. If axis 0 counts "
                f"the examples, leave their number out of the Input. Received: shape {shape}, that of one example"
            )
        example = self._example(first[0])
        self.shapes = [tuple(leaf.shape[1:]) for leaf in tree_leaves(example)]
        if not self.model._built and self.model._computes:
            self.model._place("")
            with bind(Discarded(self.model.variables)):  # it is not one of the user's data
                self.model(example)
            for variable in self.model.variables:
                if variable.counter:
                    variable.assign(variable.value * 0)
        if not self.only_inputs:
            objective = self.model.find_objective(example)
            objective.check_shapes(objective.arrange(y), self.model.known_outputs(x))
            objective.arrange(weight, "sample_weight")

    def _check(self, x: Any, y: Any, whole: bool) -> None:
        """Refuse inputs and targets that steps compiled for a device could not refuse."""
        if whole or _can_be_looked_at(x):
            self.model.check_data(x)
        if not self.only_inputs:
            objective = self.model.find_objective()
            targets = objective.arrange(y)
            if whole or _can_be_looked_at(targets):
                objective.check_targets(tree_map(to_host, targets))
            elif not isinstance(objective, AnyTargets):
                self.deferred = self.deferred or DeferredChecks(self.model)
                self.deferred.add([None if target is None else asarray(target) for target in targets])

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
        self.transfers = None if source.resident else get_backend().transfers()
        intake.send = None if self.transfers is None else self.transfers.send

    def batches(
        self, epoch: int = 0, first: int = 0, occasion: str = "", gathering: Gathering | None = None
    ) -> Generator[Any, None, None]:
        """The batches of an epoch from number `first` on; close it to end what prepares them.

        Args:
            epoch: Number of the epoch, from 0.
            first: Number of the first batch.
            occasion: What they are for, for messages; by default the epoch.
            gathering: What gives batches in place of the source.
        """
        self.source.occasion = occasion or f"epoch {epoch + 1}"
        if gathering is not None:
            yield from gathering.batches(epoch, first)
            return
        batches = self.source.batches(epoch, first)
        if not self.source.resident:
            batches = prefetch(map(self._taken_in, batches), self.intake.depth, self.transfers)
        try:
            yield from taken(batches) if self.source.divided else batches
        finally:
            if isinstance(batches, Generator):
                batches.close()

    def _taken_in(self, batch: Batch) -> Batch:
        moved = self.intake(batch)
        return as_part(moved, batch.share) if isinstance(batch, PartOfBatch) else moved

    def finish_checks(self) -> None:
        """Check what was left to be checked after the steps."""
        if self.intake.deferred is not None:
            self.intake.deferred.finish()


def gives_batches(x: Any) -> bool:
    """Whether an object gives batches itself, rather than being the data."""
    if isinstance(x, (list, tuple, Mapping, str, bytes, type)) or hasattr(x, "shape") or backend_class_of(x):
        return False
    return hasattr(x, "__iter__") or (hasattr(x, "__getitem__") and hasattr(x, "__len__"))


def require_one_batch(x: Any) -> None:
    """Refuse what gives batches, where one is taken."""
    if gives_batches(x):
        raise ValueError(
            "Argument `x` must be one batch, arrays; what gives batches goes to fit, evaluate or predict. "
            f"Received: x of type {type(x).__name__}"
        )


def as_tree(x: Any, name: str = "x") -> Any:
    """Data as a tree of arrays: dicts and lists of arrays are kept, lists of numbers become NumPy arrays.

    Args:
        x: The data.
        name: Name of the argument, for errors.
    """
    what = f"Argument `{name}`"
    require_plain(x, what)  # first, as some sparse matrices are dicts
    if isinstance(x, Mapping):
        return {key: as_tree(value, f"{name}[{key!r}]") for key, value in x.items()}
    if _holds_arrays(x):
        return [as_tree(part, f"{name}[{i}]") for i, part in enumerate(x)]
    if isinstance(x, (list, tuple)):
        return numeric(x, what) if x else x
    is_data = hasattr(x, "shape") or not (callable(x) or isinstance(x, (str, bytes)))
    return x if is_data else numeric(x, what)


def _with_missing(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves in a list or dict, with their paths; None is one."""
    if isinstance(tree, (list, Mapping)):
        for key, branch in tree.items() if isinstance(tree, Mapping) else enumerate(tree):
            yield from _with_missing(branch, f"{path}[{key!r}]")
    elif path:
        yield path, tree


def _checked_class_weight(given: Any) -> Mapping[int, float]:
    if not isinstance(given, Mapping):
        remedy = "dict(enumerate(weights)) for a list of them, and for balanced ones "
        remedy += "dict(enumerate(len(y) / (classes * np.bincount(y))))"
        raise checks.invalid("class_weight", given, f"a dict, a weight by class number: {remedy}", "fit")
    return given


def _holds_arrays(x: Any) -> bool:
    """Whether a list is one of arrays, rather than one of numbers."""
    if not isinstance(x, (list, tuple)) or not x:
        return False
    first = x[0] if x[0] is not None else next((part for part in x if part is not None), None)
    return isinstance(first, Mapping) or bool(getattr(first, "shape", ())) or _holds_arrays(first)


def _host_unless_native(x: Any) -> Any:
    """A NumPy array, unless it is an array of the backend in use already."""
    return x if get_backend().owns(x) else to_host(x)


def _can_be_looked_at(tree: Any) -> bool:
    """Whether looking at the values costs nothing: those on a device would have to be waited for."""
    return all(readable(leaf, wait=False) for leaf in tree_leaves(tree))
