"""Gradients of weights: norms, ratios to the weights, histograms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from portanet import checks
from portanet.callbacks.probe import Probe, Statistics, statistics_of
from portanet.callbacks.watch import batch


class GradientMonitor(Probe):
    """Records statistics of the gradients of trainable weights on given data, when training begins and after epochs.

    Each record takes one forward and backward pass by `model.loss_and_gradients` and copies the gradients to the host:
    pass a batch, not a dataset. It works on every backend (JAX compiles a second program) and does not touch the
    training step.

    The statistics of a weight: `mean`, `std`, `norm` (Euclidean), `largest` absolute value, `nonfinite` (NaN and
    infinite elements), `counts` and `edges` of the histogram of its gradient, and `ratio`, the norm of the gradient
    divided by that of the weight (None for a weight of zeros). Norms that shrink or grow from layer to layer indicate
    vanishing or exploding gradients.

    Args:
        x: Inputs, as for `fit`.
        y: Targets.
        sample_weight: Weight of each example.
        every: Epochs between two records.
        bins: Bins of the histograms.
        log: Names of statistics to add to the logs and the history after an epoch, as `weight/name`.

    Attributes:
        epochs: Number of epochs completed at each record, starting from 0 in a new run.
        records: Each record: for each weight, by path, the statistics by name.

    Example:
        >>> import numpy as np
        >>> import portanet
        >>> from portanet import layers
        >>> x, y = np.ones((8, 3)), np.ones((8, 1))
        >>> model = portanet.Sequential([layers.Input((3,)), layers.Dense(1, kernel_initializer="zeros")])
        >>> model.compile("sgd", "mse")
        >>> monitor = portanet.callbacks.GradientMonitor(x, y, log=["norm"])
        >>> history = model.fit(x, y, verbose=0, callbacks=[monitor])
        >>> monitor.records[0]["dense/bias"]["norm"], list(history.history)
        (2.0, ['loss', 'dense/kernel/norm', 'dense/bias/norm'])
    """

    def __init__(
        self, x: Any, y: Any, sample_weight: Any = None, every: int = 1, bins: int = 30, log: Iterable[str] = ()
    ) -> None:
        super().__init__(every, log)
        weight = None if sample_weight is None else batch("sample_weight", sample_weight, type(self))
        self.data = (batch("x", x, type(self)), batch("y", y, type(self)), weight)
        self.bins = checks.positive_int("bins", bins, type(self))

    def look(self, model: Any) -> Statistics:
        _, gradients = model.loss_and_gradients(*self.data)
        variables = model.named_variables()
        statistics: Statistics = {}
        for path, variable in variables.items():
            if path in gradients:
                statistics[path] = statistics_of(model.backend.to_host(gradients[path]), self.bins)
                norm = statistics_of(variable.numpy(), 1)["norm"]
                statistics[path]["ratio"] = statistics[path]["norm"] / norm if norm else None
        return statistics
