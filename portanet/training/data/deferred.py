"""Checks of targets that are on a device already: nobody waits for their values, which are read with the loss."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from portanet.backends import Array, raw_namespace, to_host
from portanet.losses import Loss
from portanet.metrics import Metric
from portanet.metrics.base import LossMetric

if TYPE_CHECKING:
    from portanet.training.trainer import Trainer

ELEMENTS = 2**24
"""Elements of targets that wait to be checked."""


class DeferredChecks:
    """Checks the targets of batches in turn, without reading them: `finish` reads all at once.

    Checks that look at each value alone get a few values, which the device finds; others get the targets.

    Args:
        model: The model, built and compiled.
    """

    def __init__(self, model: Trainer) -> None:
        self.model = model
        self.batches = 0
        self.few: dict[Any, Array] = {}
        """For each output, by its number, and each dtype of its targets, values that tell as much as all."""
        self.whole: list[tuple[int, Array]] = []
        """Targets by the number of their output."""
        self._plans: dict[Any, Any] = {}

    def add(self, targets: Sequence[Any]) -> None:
        """Note the targets of a batch, one for each output of the model or None."""
        self.batches += 1
        for i, y in enumerate(targets):
            if y is None:
                continue
            key = i, y.dtype
            if key not in self._plans:
                self._plans[key] = self._plan(i, y)
            find = self._plans[key]
            if find is None:
                continue
            if find is _WHOLE:
                self.whole.append((i, y))
            else:
                known = self.few.get(key)
                self.few[key] = find(_in_a_row(y[:1, ...])[:1] if known is None else known, y)
        if sum(math.prod(y.shape) for _, y in self.whole) > ELEMENTS:
            self.finish()

    def finish(self) -> None:
        """Check what was noted.

        Raises:
            ValueError: Targets are out of range. The model may have been trained on them.
        """
        noted = [*((i, y) for (i, _), y in self.few.items()), *self.whole]
        batches, self.batches, self.few, self.whole = self.batches, 0, {}, []
        outputs = self.model.find_objective().outputs
        try:
            for i, y in noted:
                outputs[i].check_target(to_host(y))
        except ValueError as error:
            error.add_note(
                f"In one of the last {batches} batches: their targets are on the device, where they are checked after "
                "the steps, not to wait for them"
            )
            raise

    def _plan(self, i: int, y: Array) -> Any:
        """What to do with targets like these: None if nothing is checked, a function of what tells of earlier ones and
        the targets, or `_WHOLE`.
        """
        output = self.model.find_objective().outputs[i]
        metrics = (*output.metrics.values(), *output.weighted_metrics.values())
        parts: list[Loss | Metric] = [m.loss if isinstance(m, LossMetric) else m for m in metrics]
        parts += [] if output.loss is None else [output.loss]
        checks = [type(part).check_targets for part in parts]
        checks = [check for check in checks if check not in (Loss.check_targets, Metric.check_targets)]
        if not checks:
            return None
        kinds = [getattr(check, "by_value", ()) for check in checks]
        xp = raw_namespace(y)
        if not all(each and xp.isdtype(y.dtype, each) for each in kinds):
            return _WHOLE
        classes = (getattr(part, "ignore_class", None) for part in parts)
        ignored = tuple(dict.fromkeys(number for number in classes if number is not None))
        return self.model.compiled_step(
            ("targets", *map(str, ignored)),
            lambda: lambda known, y: telling(xp.concat([known, _in_a_row(y)]), ignored),
        )


_WHOLE = object()


def telling(y: Array, ignored: Sequence[int] = ()) -> Array:
    """Values of an array from which one can tell whether all are in a range, and whether all are whole.

    Args:
        y: Any real array.
        ignored: Values that do not count; those that occur are among the results.

    Returns:
        Shape (n,): the least and the largest that count, one with a fraction or NaN if there is one, and others of `y`.

    Example:
        >>> import numpy as np
        >>> telling(np.asarray([3, 255, 0, 7]), ignored=[255])
        array([  0,   7, 255])
    """
    xp, y = raw_namespace(y), _in_a_row(y)
    floating = xp.isdtype(y.dtype, "real floating")
    limits = (xp.finfo if floating else xp.iinfo)(y.dtype)
    ignored = [value for value in ignored if limits.min <= value <= limits.max]
    occur = [xp.any(y == value) for value in ignored]
    counts = xp.ones_like(y) > 0
    for value in ignored:
        counts = counts & (y != value)
    some = xp.any(counts)
    first = y[0]
    least = xp.where(some, xp.min(xp.where(counts, y, limits.max)), first)
    largest = xp.where(some, xp.max(xp.where(counts, y, limits.min)), first)
    values = [least, largest]
    if floating:
        values.append(xp.max(xp.where(counts & (y != xp.floor(y)), y, least)))
    values += [xp.where(o, xp.full_like(first, value), least) for o, value in zip(occur, ignored, strict=True)]
    return xp.stack(values)


def _in_a_row(y: Array) -> Array:
    """The elements in one axis, booleans as integers."""
    xp = raw_namespace(y)
    return xp.reshape(xp.astype(y, xp.int32) if xp.isdtype(y.dtype, "bool") else y, (-1,))
