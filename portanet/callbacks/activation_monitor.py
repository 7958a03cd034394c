"""Outputs of layers: norms, dead units, saturation, histograms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from portanet import checks
from portanet.backends import HostArray, asarray, use_backend
from portanet.callbacks.probe import Probe, Statistics, statistics_of
from portanet.callbacks.watch import batch, named_layers, watched
from portanet.tree import tree_leaves, tree_map

BOUNDS = {
    "sigmoid": (0.0, 1.0),
    "hard_sigmoid": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "hard_tanh": (-1.0, 1.0),
    "scaled_tanh": (-1.7159, 1.7159),
    "softsign": (-1.0, 1.0),
}
"""Lower and upper bounds of activations that saturate."""
NEAR = 0.025
"""An output is saturated within this fraction of the range from either bound: |tanh| > 0.95."""


class ActivationMonitor(Probe):
    """Records statistics of the outputs of each layer on given data, when training begins and after epochs.

    Each record takes one inference outside of the compiled step and copies its outputs to the host: pass a batch, not a
    dataset. It works on every backend and does not touch the training step. `ActivationMonitor(x).look(model)` needs no
    training: it shows the effect of the initialisation.

    The statistics of a layer, whose units are its last axis: `mean`, `std`, `norm` (Euclidean, of all outputs),
    `largest` absolute value, `nonfinite` (NaN and infinite elements), `counts` and `edges` of the histogram, `dead`
    (fraction of units that are 0 for every example and position) and `saturated` (fraction of outputs near a bound of
    the activation; None unless it has two bounds).

    Args:
        x: Inputs, as for `predict`.
        every: Epochs between two records.
        bins: Bins of the histograms.
        log: Names of statistics to add to the logs and the history after an epoch, as `layer/name`.

    Attributes:
        epochs: Number of epochs completed at each record, starting from 0 in a new run.
        records: Each record: for each layer, by path, the statistics by name.

    Example:
        >>> import numpy as np
        >>> import portanet
        >>> from portanet import layers
        >>> model = portanet.Sequential([layers.Input((2,)), layers.Dense(4, "relu", kernel_initializer="zeros")])
        >>> statistics = portanet.callbacks.ActivationMonitor(np.ones((3, 2))).look(model)
        >>> statistics["dense"]["dead"]
        1.0
    """

    def __init__(self, x: Any, every: int = 1, bins: int = 30, log: Iterable[str] = ()) -> None:
        super().__init__(every, log)
        self.x = batch("x", x, type(self))
        self.bins = checks.positive_int("bins", bins, type(self))

    def look(self, model: Any) -> Statistics:
        layers = named_layers(model)
        outputs: dict[str, list[HostArray]] = {path: [] for path in layers}

        with use_backend(model.backend) as backend:

            def record(path: str, args: Any, kwargs: Any, result: Any) -> None:
                outputs[path] += [backend.to_host(leaf) for leaf in tree_leaves(result)]

            with watched(layers, record):
                model(tree_map(asarray, self.x), training=False)
        return {path: self._statistics(layers[path], arrays) for path, arrays in outputs.items() if arrays}

    def _statistics(self, layer: Any, outputs: list[HostArray]) -> dict[str, Any]:
        """The statistics of all outputs of a layer; a shared layer has several."""
        values = np.concatenate([output.ravel() for output in outputs])
        statistics = statistics_of(values, self.bins)
        dead = [np.all(output.reshape(-1, output.shape[-1] if output.ndim else 1) == 0, axis=0) for output in outputs]
        statistics["dead"] = float(np.mean(np.concatenate(dead)))
        bounds = BOUNDS.get(getattr(getattr(layer, "activation", None), "__name__", ""))
        statistics["saturated"] = None
        if bounds is not None:
            low, high = bounds
            margin = NEAR * (high - low)
            statistics["saturated"] = float(np.mean((values < low + margin) | (values > high - margin)))
        return statistics
