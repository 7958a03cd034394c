"""The batches of a source, on the device."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from portanet.training.data.intake import Intake
from portanet.training.data.prefetch import prefetch
from portanet.training.data.sources import Batch, Source


class Feed:
    """The batches of a source on the device, those that are not there yet prepared in advance.

    Args:
        source: Where they come from.
        intake: What looks at them and moves them.
        depth: How many to prepare.
    """

    def __init__(self, source: Source, intake: Intake, depth: int) -> None:
        self.source = source
        self.intake = intake
        self.depth = depth

    def batches(self, epoch: int = 0, first: int = 0) -> Generator[Batch, None, None]:
        """The batches of an epoch from number `first` on; close it to end what prepares them."""
        batches = self.source.batches(epoch, first)
        if self.source.resident:
            yield from batches
        else:
            yield from prefetch(self._taken_in(batches), self.depth)

    def _taken_in(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        for batch in batches:
            yield self.intake(batch)
