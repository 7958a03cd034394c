"""Training by threads of one process that change the same weights."""

from __future__ import annotations

from collections.abc import Sequence

from portanet import checks
from portanet.distribution.devices import DeviceMesh
from portanet.distribution.strategy import DataParallel


class Hogwild(DataParallel):
    """Train by threads of one process that change the same weights without waiting for each other (Niu et al. 2011).

    Each thread takes a part of each batch, and goes through it in steps of a few examples: it computes the gradient for
    the weights as they are, and changes them where they are, with the optimizer. What others have changed meanwhile is
    seen or not; a change may overwrite another, which is rare where the gradient of an example has few elements that
    are not 0. Threads wait for each other at the end of a batch, before callbacks see it, so let batches be large. A
    run is not repeated bit for bit.

    It needs arrays on the host that are changed in place: those of the backends numpy and torch on the CPU.

    Args:
        threads: How many threads there are.
        examples_per_step: Examples of a step of one thread.

    Raises:
        ValueError: An argument is not a positive integer, or there are several processes.

    References:
        - F. Niu, B. Recht, C. Re and S. J. Wright, Hogwild!: A lock-free approach to parallelizing stochastic gradient
          descent, NIPS 2011.

    Example:
        >>> import numpy as np
        >>> import portanet
        >>> from portanet import distribution, layers
        >>> distribution.set_distribution(distribution.Hogwild(threads=2))
        >>> model = portanet.Sequential([layers.Input((2,)), layers.Dense(1)])
        >>> model.compile(portanet.optimizers.SGD(0.1), "mse")
        >>> history = model.fit(np.eye(2), np.ones((2, 1)), epochs=100, verbose=0)
        >>> history.history["loss"][-1] < 1e-3
        True
        >>> distribution.set_distribution(None)
    """

    def __init__(self, threads: int = 2, examples_per_step: int = 1) -> None:
        super().__init__()
        self.threads = checks.positive_int("threads", threads, type(self))
        self.examples_per_step = checks.positive_int("examples_per_step", examples_per_step, type(self))
        if self.size > 1:
            raise ValueError(
                "Hogwild trains by threads of one process; for several there are DataParallel, LocalSGD, EASGD and "
                f"Downpour. Received: a job of {self.size} processes"
            )

    def _devices(self, mesh: DeviceMesh | None, devices: Sequence[str] | None) -> list[str]:
        return []

    def __repr__(self) -> str:
        return f"<Hogwild, {self.threads} threads>"
