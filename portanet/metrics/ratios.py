"""Sums of outcomes and their ratios, in which predictions of NaN stay unknown."""

from __future__ import annotations

import math

from portanet.autodiff import array_namespace
from portanet.backends import Array, raw_namespace


def known(values: Array, y_pred: Array) -> Array:
    """The values, NaN where a prediction (or one of the row that a value is of) is NaN."""
    xp = array_namespace(values, y_pred)
    if not xp.isdtype(y_pred.dtype, "real floating"):
        return values
    unknown = xp.isnan(y_pred)
    return xp.where(xp.any(unknown, axis=-1) if unknown.ndim > values.ndim else unknown, math.nan, values)


def known_weights(weight: Array, y_pred: Array) -> Array:
    """The weights, NaN where the prediction is NaN and counts."""
    return array_namespace(weight).where(weight == 0, weight, known(weight, y_pred))


def total(outcome: Array, weight: Array) -> Array:
    """The sum of the weights of an outcome over the first axis; a prediction of weight NaN may have any outcome."""
    xp = array_namespace(weight)
    return xp.sum(xp.where(outcome | xp.isnan(weight), weight, 0.0), axis=0)


def ratio(a: Array, b: Array) -> Array:
    """`a / b`, 0 where b is 0."""
    xp = raw_namespace(b)
    return xp.where(b != 0, a, 0.0 * a) / xp.where(b != 0, b, 0.0 * b + 1)
