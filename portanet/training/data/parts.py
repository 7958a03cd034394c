"""The parts of batches that the processes of a job compute; see `portanet.distribution`."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any

import numpy as np

from portanet.backends import HostArray, get_backend
from portanet.distribution.share import Share
from portanet.distribution.strategy import distribution
from portanet.training.data.streams import Batch
from portanet.tree import tree_leaves


class PartOfBatch(tuple[Any, Any, Any]):
    """A batch `(x, y, weight)`, or the `share` of it that this process computes."""

    share: Share | None = None


def as_part(batch: Batch, share: Share | None) -> Batch:
    """A batch that has been cut to a share; None if it is whole."""
    part = PartOfBatch(batch)
    part.share = share
    return part


def share_in(batch: Any) -> Share | None:
    """The share that a batch was cut to."""
    return getattr(batch, "share", None)


def share_of(count: int) -> Share | None:
    """What this process computes of a batch of so many examples; None for all of it."""
    strategy = distribution()
    return None if strategy is None else strategy.share(count)


def to_train(share: Share) -> Share:
    """A share as training computes it, with the others or alone."""
    strategy = distribution()
    return share if strategy is None else strategy.for_training(share)


def cut(batch: Batch) -> Batch:
    """What this process computes of a batch that all of them have."""
    share = share_of(int(tree_leaves(batch)[0].shape[0]))
    return batch if share is None else as_part(share.cut(batch), share)


def sample(batch: Batch, most: int = 8) -> list[HostArray]:
    """The begin of a few examples of a batch, or of all data, on the host."""
    count = int(tree_leaves(batch)[0].shape[0])
    rows = sorted({i * count // most for i in range(most)})
    to_host = get_backend().to_host
    leaves = [
        (leaf[i : i + 1] if len(leaf.shape) == 1 or not hasattr(leaf, "ndim") else leaf[i : i + 1, ...])
        for leaf in tree_leaves(batch)
        for i in rows
    ]
    return [np.asarray(leaf if isinstance(leaf, np.ndarray) else to_host(leaf)).reshape(-1)[:256] for leaf in leaves]


def taken(batches: Iterable[Batch]) -> Generator[Batch, None, None]:
    """The share in each of the batches; those that were cut stay as they are."""
    strategy = distribution()
    given = strategy is not None and not strategy.auto_shard_dataset
    cuts = first = True
    for batch in batches:
        if isinstance(batch, PartOfBatch):
            cuts = False
            yield batch
        elif given:
            assert strategy is not None
            yield as_part(batch, strategy.share_of(int(tree_leaves(batch)[0].shape[0])))
        else:
            if first and strategy is not None and strategy.size > 1:
                strategy.require_same_data(sample(batch))
            first = False
            yield cut(batch)
    if given and cuts:
        assert strategy is not None
        strategy.share_of(0)
