"""Prediction for Dask arrays, which may be larger than memory: block by block, when the result is requested."""

from __future__ import annotations

import copy
import functools
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from portanet.backends import Array, HostArray, forward_backend_of, require_plain
from portanet.backends.dask import DaskBackend
from portanet.callbacks import CallbackList
from portanet.tree import tree_items, tree_leaves, tree_map

if TYPE_CHECKING:
    from portanet.training.trainer import Trainer

Model = TypeVar("Model", bound="Trainer")


def is_lazy(x: Any) -> bool:
    """Whether data (a tree) is made of Dask arrays."""
    path, first = next(tree_items(x), ("", None))
    require_plain(first, f"Argument `x{path}`")
    return forward_backend_of(first) is DaskBackend


def predict(model: Trainer, x: Any, batch_size: int | None, check_finite: bool) -> Any:
    """The model's results as Dask arrays, with blocks of as many examples as those of `x`.

    The model is copied as it is now: what becomes of it later does not change the results.
    """
    example = tree_map(lambda leaf: np.zeros((1, *leaf.shape[1:]), dtype=leaf.dtype), x)
    like = model.predict(example, check_finite=False)
    results = functools.partial(_results, snapshot(model), example, batch_size, check_finite)
    remaining = iter(DaskBackend.map_batches(results, tree_leaves(x), tree_leaves(like)))
    return tree_map(lambda _: next(remaining), like)


def _results(
    model: Trainer, example: Any, batch_size: int | None, check_finite: bool, *blocks: Array
) -> list[HostArray]:
    """The results for the blocks of all inputs, in a list."""
    remaining = iter(blocks)
    x = tree_map(lambda _: next(remaining), example)
    return tree_leaves(model.predict(x, batch_size, check_finite=check_finite, prefetch=0))


def snapshot(model: Model) -> Model:
    """A copy of a model with all that inference needs and nothing of its training, which other processes may get."""
    twin = copy.copy(model)
    twin.optimizer, twin.optimizer_state, twin.loss = None, None, None
    twin._settings = {}
    twin._forget_steps()
    twin.callbacks = CallbackList(model=twin)
    return copy.deepcopy(twin)
