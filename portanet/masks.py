"""Masks of arrays: which time steps a layer's output leaves out, for later layers, losses and metrics."""

from __future__ import annotations

import contextlib
import functools
import weakref
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from portanet.autodiff import array_namespace
from portanet.backends import Array, lifetime
from portanet.tree import tree_leaves


class Masks(dict[int, tuple[Callable[[], Any], Any]]):
    """The masks of arrays, found by the identity of the arrays, since arrays of most libraries take no attributes.

    It lasts for one call of a model or layer, but for the masks of outputs, and holds no arrays but masks.
    """

    def __init__(self) -> None:
        super().__init__()
        self.outputs: set[int] = set()
        """The identities of the outputs of earlier calls that live: later arrays may have those of others."""

    def find(self, x: Any) -> Any:
        """The mask of an array; the masks of the arrays in a list or dict, or None if all are None."""
        if isinstance(x, (list, tuple, Mapping)):
            masks = {key: self.find(x[key]) for key in (x if isinstance(x, Mapping) else range(len(x)))}
            if all(mask is None for mask in masks.values()):
                return None
            return masks if isinstance(x, Mapping) else list(masks.values())
        array, mask = self.get(id(x), (None, None))
        return mask if array is not None and array() is lifetime(x) else None

    def keep(self, x: Any, mask: Any) -> None:
        """Keep the mask of an array, or the masks of several, unless they have one."""
        if isinstance(x, Mapping):
            for key, part in x.items():
                self.keep(part, mask.get(key) if isinstance(mask, Mapping) else None)
        elif isinstance(x, (list, tuple)):
            for part, own in zip(x, masks_of(mask, len(x)), strict=True):
                self.keep(part, own)
        elif mask is not None and self.find(x) is None:
            with contextlib.suppress(AttributeError, TypeError):  # arrays of most libraries take no attributes
                x._keras_mask = mask
            try:
                self[id(x)] = weakref.ref(lifetime(x)), mask
            except TypeError:  # arrays of some libraries take no weak references
                self[id(x)] = (lambda: x), mask


remembered: ContextVar[Masks | None] = ContextVar("portanet_masks_of_arrays", default=None)
"""The masks of arrays in the current call of a model, and of outputs of earlier calls; None until there is one."""


def remember(x: Any, mask: Any) -> None:
    """Keep masks of arrays until the end of the outermost call."""
    if (masks := remembered.get()) is None:
        remembered.set(masks := Masks())
    masks.keep(x, mask)


def mask_of(x: Any) -> Any:
    """The mask of an array that a layer returned, or the masks of several; None if there is none."""
    masks = remembered.get()
    return None if masks is None else masks.find(x)


def keep_masks(out: Any) -> None:
    """At the end of an outermost call, forget all masks but those of its output and of earlier outputs that live."""
    masks, kept = remembered.get() or Masks(), Masks()
    outputs = set(map(id, tree_leaves(out)))
    for key, (array, mask) in masks.items():
        x = array() if isinstance(array, weakref.ref) and (key in outputs or key in masks.outputs) else None
        if x is not None:
            kept[key] = weakref.ref(x, functools.partial(_pop, kept, key)), mask
    kept.outputs.update(kept)
    remembered.set(kept or None)


def _pop(masks: Masks, key: int, _: Any) -> None:
    masks.pop(key, None)
    masks.outputs.discard(key)


def masks_of(mask: Any, count: int) -> list[Any]:
    """A list of `count` masks from one mask, a list, or None; None where one is missing."""
    masks = list(mask) if isinstance(mask, (list, tuple)) else [mask]
    return [*masks, *[None] * (count - len(masks))][:count]


def without_masked(x: Array, mask: Array) -> Array:
    """Targets or predictions with 0 where they are masked: masked values, even NaN, then have no derivative either."""
    if tuple(x.shape[: mask.ndim]) != tuple(mask.shape):
        return x
    plain = array_namespace(mask)
    shown = plain.astype(plain.reshape(mask, (*mask.shape, *(1,) * (x.ndim - mask.ndim))), plain.bool)
    xp = array_namespace(x, shown)
    return xp.where(shown, x, xp.zeros_like(x))


def masked_weight(weight: Array | None, mask: Array | None, y_pred: Array) -> Array | None:
    """Weights of examples times the mask of the predictions, 1 or 0, in the dtype of the predictions."""
    if mask is None:
        return weight
    if weight is None:
        return array_namespace(mask).astype(mask, y_pred.dtype)
    xp = array_namespace(mask, weight)
    mask = xp.astype(mask, y_pred.dtype)
    weight, rank = xp.astype(weight, y_pred.dtype), max(weight.ndim, mask.ndim)
    weight, mask = (xp.reshape(a, (*a.shape, *(1,) * (rank - a.ndim))) for a in (weight, mask))
    return xp.multiply(weight, mask)
