"""Training with weights of its own in each process, which are brought together every few steps."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary, ref

import numpy as np

from portanet import checks
from portanet.backends import HostArray
from portanet.distribution.devices import DeviceMesh
from portanet.distribution.server import Server, as_row, from_row
from portanet.distribution.share import Share
from portanet.distribution.strategy import DataParallel

MOST_SERVERS = 8
"""Models that may be trained in turn with asynchronous strategies."""


class LocalSGD(DataParallel):
    """Train weights of its own in each process, and average them every `period` steps (Stich 2019).

    Each process makes its steps with its part of each batch alone, so that it waits for the others once in `period`
    steps. Averaged are weights, other numbers that layers keep, and the optimizer's moments; after an epoch, too, so
    that validation, callbacks and files see the same model in all processes. With `period=1` and plain SGD the run is
    that of `DataParallel`. Without several processes it changes nothing.

    Args:
        period: Steps from one average to the next.
        auto_shard_dataset: As for `DataParallel`.

    Raises:
        ValueError: `period` is not a positive integer.

    References:
        - S. U. Stich, Local SGD Converges Fast and Communicates Little, ICLR 2019.

    Example:
        >>> from portanet import distribution
        >>> distribution.LocalSGD(period=4)
        <LocalSGD, process 0 of 1>
    """

    stays_apart = False
    """Whether each process goes on with weights of its own after they were brought together."""
    asynchronous = False
    """Whether processes wait for each other at the end of an epoch alone."""
    brings_moments = True
    """Whether the optimizer's moments are brought together, too."""

    def __init__(self, period: int = 10, auto_shard_dataset: bool = True) -> None:
        super().__init__(auto_shard_dataset=auto_shard_dataset)
        self.period = checks.positive_int("period", period, type(self))
        self._steps: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
        self._servers: WeakKeyDictionary[Any, Server] = WeakKeyDictionary()
        """Of the strategies that are asynchronous."""
        self._open: list[tuple[ref[Any], Server]] = []
        """The servers that are not closed, the first ones first, with their models."""

    def _devices(self, mesh: DeviceMesh | None, devices: Sequence[str] | None) -> list[str]:
        return []  # weights of their own are those of processes

    def for_training(self, share: Share) -> Share:
        return dataclasses.replace(share, alone=True)

    def forget(self, model: Any) -> None:
        """Begin anew with a model."""
        self._steps.pop(model, None)
        server = self._servers.pop(model, None)
        if server is not None:
            self._open = [pair for pair in self._open if pair[1] is not server]
            server.close()

    def _serve(self, model: Any, rows: list[HostArray]) -> Server:
        """Make a server for a model, which all processes do together; of many models, the first one's is closed.

        Loops of `train_on_batch` have no end at which it could be closed.
        """
        assert self.processes is not None
        if len(self._open) == MOST_SERVERS:
            first, old = self._open[0]
            self._open = self._open[1:]
            trained = first()
            if trained is None:
                old.close()
            else:
                self.forget(trained)
        server = self._servers[model] = Server(self.processes, rows)
        self._open.append((ref(model), server))
        return server

    def is_due(self, model: Any) -> bool:
        """Count a step of a model; whether its weights are to be brought together after it."""
        self._steps[model] = self._steps.get(model, 0) + 1
        return self._steps[model] >= self.period

    def bring_together(self, model: Any, own: list[HostArray], trained: list[bool]) -> list[HostArray]:
        """What a model goes on with in this process.

        Args:
            model: The model.
            own: Its numbers in this process.
            trained: Which of them are weights that are trained.
        """
        self._steps[model] = 0
        return self.mean(own)

    def shown(self, model: Any, own: list[HostArray]) -> list[HostArray]:
        """What a model has after an epoch, the same in all processes, which all have brought theirs.

        Args:
            model: The model.
            own: What it goes on with in this process.
        """
        return own

    def mean(self, arrays: list[HostArray]) -> list[HostArray]:
        """The means of arrays over all processes."""
        assert self.processes is not None
        return [np.asarray(total / self.size, total.dtype) for total in self.processes.sum(arrays)]


class EASGD(LocalSGD):
    """Train weights of its own in each process, tied to a centre by an elastic force (Zhang et al. 2015).

    Every `period` steps, with the centre c, the weights x of each of n processes and r, the `moving_rate`,

        x += (r / n) * (c - x);  c += r * (mean(x) - c)

    from the values before both. Unlike in `LocalSGD` the weights stay apart and explore more. The centre, at first the
    mean of the weights, is what validation, callbacks and files see after an epoch, and what the model is after `fit`;
    in between each process goes on with its own weights. Moments of the optimizer stay with each process.

    The paper's first form is the asynchronous one, in which each process exchanges the force with the centre when it
    has made its steps, and waits for no other: `x += (r / n) * (c - x)`, and c moves by as much to x. With
    `SGD(momentum=..., nesterov=True)` in the processes either form is the paper's EAMSGD.

    Args:
        period: Steps from one exchange to the next.
        moving_rate: How much of the way to the mean the centre goes, in (0, 1].
        auto_shard_dataset: As for `DataParallel`.
        asynchronous: Whether processes wait for each other at the end of an epoch alone.

    Raises:
        ValueError: `period` is not a positive integer, or `moving_rate` not in (0, 1].

    References:
        - S. Zhang, A. Choromanska and Y. LeCun, Deep learning with Elastic Averaging SGD, NIPS 2015.

    Example:
        >>> from portanet import distribution
        >>> distribution.EASGD(period=4)
        <EASGD, process 0 of 1>
    """

    stays_apart = True
    brings_moments = False

    def __init__(
        self,
        period: int = 10,
        moving_rate: float = 0.9,
        auto_shard_dataset: bool = True,
        asynchronous: bool = False,
    ) -> None:
        super().__init__(period, auto_shard_dataset)
        self.moving_rate = checks.number("moving_rate", moving_rate, "(0, 1]", type(self))
        self.asynchronous = checks.boolean("asynchronous", asynchronous, type(self))
        self._centres: WeakKeyDictionary[Any, list[HostArray]] = WeakKeyDictionary()

    def bring_together(self, model: Any, own: list[HostArray], trained: list[bool]) -> list[HostArray]:
        pull, rate = self.moving_rate / self.size, self.moving_rate
        if self.asynchronous:
            self._steps[model] = 0
            return self._exchange(model, own, pull)
        mean = super().bring_together(model, own, trained)
        centre = self._centres.get(model, mean)
        self._centres[model] = [_towards(c, m, rate) for c, m in zip(centre, mean, strict=True)]
        return [_towards(x, c, pull) for x, c in zip(own, centre, strict=True)]

    def _exchange(self, model: Any, own: list[HostArray], pull: float) -> list[HostArray]:
        """The weights after an exchange with the centre alone."""
        if model not in self._servers:
            self._serve(model, [as_row(self.mean(own))])
        row = as_row(own)

        def force(part: slice, rows: HostArray) -> HostArray:
            moved: HostArray = pull * (row[part] - rows[0])
            row[part] -= moved
            return rows + moved

        self._servers[model].revise(force)
        return from_row(row, own)

    def shown(self, model: Any, own: list[HostArray]) -> list[HostArray]:
        if self.asynchronous:
            (centre,) = self._servers[model].settled()
            return from_row(centre, own)
        return [c.copy() for c in self._centres[model]]  # steps may overwrite what the model has

    def forget(self, model: Any) -> None:
        super().forget(model)
        self._centres.pop(model, None)


def _towards(x: HostArray, y: HostArray, rate: float) -> HostArray:
    return np.asarray(x + rate * (y - x), x.dtype)
