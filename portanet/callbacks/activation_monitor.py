"""What the layers of a model give: norms, dead units, saturation, histograms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from portanet.backends import HostArray, asarray, use_backend
from portanet.callbacks.probe import Figures, Probe, figures_of
from portanet.callbacks.watch import named_layers, watched
from portanet.tree import tree_leaves, tree_map

BOUNDS = {
    "sigmoid": (0.0, 1.0),
    "hard_sigmoid": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "hard_tanh": (-1.0, 1.0),
    "scaled_tanh": (-1.7159, 1.7159),
    "softsign": (-1.0, 1.0),
}
"""Activations that saturate at two bounds."""
NEAR = 0.025
"""A result is saturated if it is nearer to a bound than this share of the distance of the bounds: |tanh| > 0.95."""


class ActivationMonitor(Probe):
    """Records what each layer gives for data of one's own, when training begins and after epochs.

    A look is one inference on the data outside of the compiled step, whose results are copied to the host: choose a
    batch, not a data set. It works on every backend and does not touch the training step. Before training it shows what
    the initialisation does: `ActivationMonitor(x).look(model)` needs no training at all.

    The figures of a layer, whose units are its last axis: `mean`, `std`, `norm` (Euclidean, of all results), `largest`
    size, `nonfinite` (NaN and infinite elements), `counts` and `edges` of the histogram, `dead` (share of units that
    give 0 for every example and place) and `saturated` (share of results near a bound of the activation; None where it
    has no two bounds).

    Args:
        x: Inputs to look with, as for `predict`.
        every: Epochs between two looks.
        bins: Bins of the histograms.
        log: Names of figures that become part of the logs and the history after an epoch, as `layer/name`.

    Attributes:
        epochs: Numbers of epochs that were done at each look, the first of which is 0 in a new run.
        records: What was seen at each look: for each layer, by path, the figures by name.

    Example:
        >>> import numpy as np
        >>> import portanet
        >>> from portanet import layers
        >>> model = portanet.Sequential([layers.Input((2,)), layers.Dense(4, "relu", kernel_initializer="zeros")])
        >>> figures = portanet.callbacks.ActivationMonitor(np.ones((3, 2))).look(model)
        >>> figures["dense"]["dead"]
        1.0
    """

    def __init__(self, x: Any, every: int = 1, bins: int = 30, log: Iterable[str] = ()) -> None:
        super().__init__(every, log)
        self.x = x
        self.bins = bins

    def look(self, model: Any) -> Figures:
        layers = named_layers(model)
        seen: dict[str, list[HostArray]] = {path: [] for path in layers}

        with use_backend(model.backend) as backend:

            def saw(path: str, args: Any, options: Any, result: Any) -> None:
                seen[path] += [backend.to_host(leaf) for leaf in tree_leaves(result)]

            with watched(layers, saw):
                model(tree_map(asarray, self.x), training=False)
        return {path: self._figures(layers[path], results) for path, results in seen.items() if results}

    def _figures(self, layer: Any, results: list[HostArray]) -> dict[str, Any]:
        """The figures of all results of a layer, which has several if it is shared."""
        values = np.concatenate([result.ravel() for result in results])
        found = figures_of(values, self.bins)
        silent = [np.all(result.reshape(-1, result.shape[-1] if result.ndim else 1) == 0, axis=0) for result in results]
        found["dead"] = float(np.mean(np.concatenate(silent)))
        bounds = BOUNDS.get(getattr(getattr(layer, "activation", None), "__name__", ""))
        found["saturated"] = None
        if bounds is not None:
            low, high = bounds
            margin = NEAR * (high - low)
            found["saturated"] = float(np.mean((values < low + margin) | (values > high - margin)))
        return found
