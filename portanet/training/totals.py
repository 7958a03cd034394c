"""Sums over batches that stay on the device, and are fetched together, now and then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from portanet.backends import Backend
from portanet.metrics import Metric
from portanet.training.interrupts import uninterrupted

AT_MOST = 256
"""Batches kept on the device before their sums are fetched."""


class Totals(Mapping[str, Any]):
    """Adds up the statistics of batches; `logs()` fetches what is pending in one transfer for each sum.

    As a mapping it is what `logs()` gives at the moment, which is fetched when a value is looked at.

    Args:
        metrics: The metrics beside the loss, by name.
        backend: Where the statistics are.
        sums: What earlier batches gave; brought up to date by `fetch`.
    """

    def __init__(
        self, metrics: Mapping[str, Metric], backend: Backend, sums: dict[str, list[Any]] | None = None
    ) -> None:
        self.metrics = metrics
        self.backend = backend
        self.pending: list[dict[str, tuple[Any, ...]]] = []
        self.sums = {} if sums is None else sums

    def add(self, statistics: dict[str, tuple[Any, ...]]) -> None:
        """Add a batch."""
        self.pending.append(statistics)
        if len(self.pending) >= AT_MOST:
            self.fetch()

    def fetch(self) -> None:
        """Bring the pending sums to the host, where they add up in double precision."""
        if not self.pending:
            return
        with uninterrupted():  # nothing is counted twice or lost
            xp = self.backend.xp
            for name in self.pending[0]:
                columns = zip(*(batch[name] for batch in self.pending), strict=True)
                new = [np.asarray(self.backend.to_host(xp.stack(list(map(xp.asarray, c)))), "float64") for c in columns]
                old = self.sums.get(name)
                if old is not None:
                    new = [np.concatenate([np.asarray(a)[None], b]) for a, b in zip(old, new, strict=True)]
                # Added one after the other: the same bits, whenever and however often this is called.
                self.sums[name] = [np.cumsum(column, axis=0)[-1] for column in new]
            self.pending.clear()

    def logs(self) -> dict[str, Any]:
        """The loss and every metric over all batches so far: floats, NumPy arrays for metrics of several numbers."""
        self.fetch()
        if not self.sums:
            return {}
        total, count = self.sums["loss"]
        # In this order whatever the order of `sums`: a compiled step may sort its results by name.
        found = {"loss": total / count}
        found |= {name: metric.from_statistics(*self.sums[name]) for name, metric in self.metrics.items()}
        return {name: float(value) if np.ndim(value) == 0 else np.asarray(value) for name, value in found.items()}

    def __getitem__(self, name: str) -> Any:
        return self.logs()[name]

    # The names are known without asking the device.

    def __iter__(self) -> Iterator[str]:
        return iter(("loss", *self.metrics) if self.pending or self.sums else ())

    def __len__(self) -> int:
        return len(tuple(iter(self)))

    def __contains__(self, name: object) -> bool:
        return name in tuple(iter(self))
