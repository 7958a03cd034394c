"""Training with weights of its own in each process, which sends its moves to a server and fetches the sum of all."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from portanet import checks
from portanet.backends import HostArray
from portanet.distribution.local import LocalSGD
from portanet.distribution.server import as_row, from_row


class Downpour(LocalSGD):
    """Train in each process on its part of the data, with a server of the weights between them (Dean et al. 2012).

    Every `period` steps a process sends by how much its optimizer has moved the weights since it fetched them, and
    fetches them again; it waits for no other before the end of an epoch. The server takes a move as a gradient (with
    plain SGD it is the learning rate times their sum) and makes a step of Adagrad, which is told what others have sent
    meanwhile: AdaptiveRevision (McMahan and Streeter 2014). For a gradient g, with G the sum of all gradients and G' as
    it was when the weights were fetched,

        b = G - G';  z += g^2 + 2 g b;  z' = max(z, z')
        w -= a g - (a_before - a) b;  G += g,  where a = rate / sqrt(z')

    so that the step sizes of gradients which overlapped are revised. Validation, callbacks and files after an epoch see
    the server's weights, with which all processes go on. Each process holds a part of the server. Moments of the
    optimizer stay with each process. Without several processes it changes nothing.

    Args:
        period: Steps from one exchange to the next.
        learning_rate: The server's step size.
        initial_accumulator_value: z before the first step; the less, the larger are the first steps.
        delay_tolerant: Whether the server revises the step sizes; else it is Adagrad (b is 0).
        auto_shard_dataset: As for `DataParallel`.

    Raises:
        ValueError: An argument is not positive.

    References:
        - J. Dean et al., Large scale distributed deep networks, NIPS 2012.
        - B. McMahan and M. Streeter, Delay-tolerant algorithms for asynchronous distributed online learning, NIPS 2014.

    Example:
        >>> from portanet import distribution
        >>> distribution.Downpour(period=4)
        <Downpour, process 0 of 1>
    """

    asynchronous = True
    brings_moments = False

    def __init__(
        self,
        period: int = 10,
        learning_rate: float = 0.1,
        initial_accumulator_value: float = 0.1,
        delay_tolerant: bool = True,
        auto_shard_dataset: bool = True,
    ) -> None:
        super().__init__(period, auto_shard_dataset)
        self.learning_rate = checks.positive("learning_rate", learning_rate, type(self))
        self.initial_accumulator_value = checks.positive(
            "initial_accumulator_value", initial_accumulator_value, type(self)
        )
        self.delay_tolerant = checks.boolean("delay_tolerant", delay_tolerant, type(self))
        self._fetched: WeakKeyDictionary[Any, HostArray] = WeakKeyDictionary()
        """The weights and the sum of gradients, as they were fetched."""

    def bring_together(self, model: Any, own: list[HostArray], trained: list[bool]) -> list[HostArray]:
        self._steps[model] = 0
        if model not in self._servers:  # all begin with the mean
            first = as_row(self.mean(own))
            nothing, begin = np.zeros_like(first), np.full_like(first, self.initial_accumulator_value)
            self._serve(model, [first, nothing, begin, begin])
            self._fetched[model] = np.stack([first, nothing])
        else:
            self._send(
                model, as_row(own), as_row([np.full(a.shape, t, a.dtype) for a, t in zip(own, trained, strict=True)])
            )
        return from_row(self._fetched[model][0], own)

    def _send(self, model: Any, row: HostArray, trained: HostArray) -> None:
        fetched = self._fetched[model]
        gradient = fetched[0] - row

        def change(part: slice, rows: HostArray) -> HostArray:
            seen = fetched[1][part] if self.delay_tolerant else rows[1]
            new = adaptive_revision(rows, gradient[part], seen, self.learning_rate)
            kept = trained[part] == 0  # such as means of batches, of which each process knows a part
            new[:, kept] = rows[:, kept]
            new[0, kept] -= gradient[part][kept] / self.size
            fetched[:, part] = new[:2]
            return new

        self._servers[model].revise(change)

    def shown(self, model: Any, own: list[HostArray]) -> list[HostArray]:
        self._fetched[model] = np.stack(self._servers[model].settled()[:2])
        return from_row(self._fetched[model][0], own)

    def forget(self, model: Any) -> None:
        super().forget(model)
        self._fetched.pop(model, None)


def adaptive_revision(rows: HostArray, gradient: HostArray, seen: HostArray, rate: float) -> HostArray:
    """The weights, the sum of gradients, z and z' after a gradient; see `Downpour`.

    Args:
        rows: These before it, as rows of an array.
        gradient: The gradient.
        seen: The sum of gradients when the weights were fetched that it is taken at.
        rate: The step size.
    """
    weights, total, z, largest = rows
    missed = total - seen
    z = z + gradient * gradient + 2 * gradient * missed
    new = np.maximum(z, largest)
    before, now = rate / np.sqrt(largest), rate / np.sqrt(new)
    return np.stack([weights - now * gradient + (before - now) * missed, total + gradient, z, new])
