"""The parts of batches that the processes of a job compute; see `portanet.distribution`."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any

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


def taken(batches: Iterable[Batch]) -> Generator[Batch, None, None]:
    """The share in each of the batches; those that were cut stay as they are."""
    strategy = distribution()
    given = strategy is not None and not strategy.auto_shard_dataset
    cuts = True
    for batch in batches:
        if isinstance(batch, PartOfBatch):
            cuts = False
            yield batch
        elif given:
            assert strategy is not None
            yield as_part(batch, strategy.share_of(int(tree_leaves(batch)[0].shape[0])))
        else:
            yield cut(batch)
    if given and cuts:
        assert strategy is not None
        strategy.share_of(0)
