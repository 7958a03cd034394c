"""What the gradients of the weights are like: norms, sizes beside the weights, histograms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from portanet.callbacks.probe import Figures, Probe, figures_of


class GradientMonitor(Probe):
    """Records the gradient of each trained weight on data of one's own, when training begins and after epochs.

    A look is one forward and backward pass on the data, by `model.loss_and_gradients`, whose gradients are copied to
    the host: choose a batch, not a data set. It works on every backend (on JAX a second program is compiled) and does
    not touch the training step.

    The figures of a weight: `mean`, `std`, `norm` (Euclidean), `largest` size, `nonfinite` (NaN and infinite elements),
    `counts` and `edges` of the histogram of its gradient, and `ratio`, the gradient's norm divided by the weight's
    (None for a weight of zeros). Norms that fall or grow from layer to layer show gradients that vanish or explode.

    Args:
        x: Inputs to look with, as for `fit`.
        y: Targets.
        sample_weight: Weight of each example.
        every: Epochs between two looks.
        bins: Bins of the histograms.
        log: Names of figures that become part of the logs and the history after an epoch, as `weight/name`.

    Attributes:
        epochs: Numbers of epochs that were done at each look, the first of which is 0 in a new run.
        records: What was seen at each look: for each weight, by path, the figures by name.

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
        self.data = (x, y, sample_weight)
        self.bins = bins

    def look(self, model: Any) -> Figures:
        _, gradients = model.loss_and_gradients(*self.data)
        variables = model.named_variables()
        found: Figures = {}
        for path, variable in variables.items():
            if path in gradients:
                found[path] = figures_of(model.backend.to_host(gradients[path]), self.bins)
                size = figures_of(variable.numpy(), 1)["norm"]
                found[path]["ratio"] = found[path]["norm"] / size if size else None
        return found
