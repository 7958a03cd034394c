"""What monitors of layers and weights share: figures and histograms of arrays, epoch by epoch, on data of one's own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from portanet import checks
from portanet.backends import HostArray
from portanet.callbacks.base import Callback, Logs
from portanet.callbacks.plot_history import figure_class
from portanet.callbacks.table import table

Figures = dict[str, dict[str, Any]]
"""For each layer or weight, by path, its figures by name."""


class Probe(Callback):
    """Looks at a model when training begins and after epochs; subclasses implement `look(model)`.

    It computes on data of its own, apart from the training step, which stays as it is, compiled where the backend
    compiles it, and costs nothing more. What the look itself costs is said by each subclass.

    Args:
        every: Epochs between two looks.
        log: Names of figures that become part of the logs and the history after an epoch, as `path/name`.

    Attributes:
        epochs: Numbers of epochs that were done at each look, the first of which is 0 in a new run.
        records: What was seen at each look: for each path, the figures by name.
    """

    def __init__(self, every: int = 1, log: Iterable[str] = ()) -> None:
        self.every = checks.positive_int("every", every, type(self))
        self.log = tuple(log)
        self.epochs: list[int] = []
        self.records: list[Figures] = []

    def look(self, model: Any) -> Figures:
        """The figures of the model as it is."""
        raise NotImplementedError(f"{type(self).__name__} does not implement look(model).")

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.epochs, self.records = [], []
        self._record(self.model.position.epoch)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if (epoch + 1) % self.every == 0:
            for path, figures in self._record(epoch + 1).items():
                for name in self.log:
                    if figures.get(name) is not None:
                        self.note(logs, f"{path}/{name}", figures[name])

    def _record(self, epochs: int) -> Figures:
        found = self.look(self.model)
        self.epochs.append(epochs)
        self.records.append(found)
        return found

    def get_state(self) -> dict[str, Any]:
        return {"epochs": list(self.epochs), "records": list(self.records)}

    def set_state(self, state: dict[str, Any]) -> None:
        self.epochs, self.records = list(state["epochs"]), list(state["records"])

    # Showing it

    def table(self, record: int = -1) -> str:
        """The figures of a look in a table.

        Args:
            record: Number of the look; by default the latest.
        """
        rows = self.records[record]
        names = [name for name in next(iter(rows.values()), {}) if name not in ("counts", "edges")]
        return table(
            ["", *names],
            [
                [path, *("" if figures[name] is None else f"{figures[name]:.4g}" for name in names)]
                for path, figures in rows.items()
            ],
        )

    def plot_histograms(self, record: int = -1) -> Any:
        """Draw the histograms of a look, one for each path; a matplotlib figure.

        Args:
            record: Number of the look; by default the latest.
        """
        found = self.records[record]
        figure = figure_class()(figsize=(3 * min(5, len(found)), 2.5 * -(-len(found) // 5)), layout="constrained")
        grid = figure.subplots(-(-len(found) // 5), min(5, len(found)), squeeze=False)
        for axes in grid.ravel()[len(found) :]:
            axes.remove()
        for axes, (path, figures) in zip(grid.ravel(), found.items(), strict=False):
            axes.stairs(figures["counts"], figures["edges"], fill=True)
            axes.set_title(path)
        return figure

    def plot_spread(self, record: int = -1) -> Any:
        """Draw the means and standard deviations of a look from path to path; a matplotlib figure.

        Args:
            record: Number of the look; by default the latest.
        """
        found = self.records[record]
        figure = figure_class()(figsize=(10, 3.5), layout="constrained")
        for axes, name in zip(figure.subplots(1, 2), ("mean", "std"), strict=True):
            axes.plot(list(found), [figures[name] for figures in found.values()], marker=".")
            axes.tick_params(axis="x", rotation=90)
            axes.set_title(name)
        return figure


def figures_of(values: HostArray, bins: int) -> dict[str, Any]:
    """Mean, standard deviation, Euclidean norm, largest size and histogram of the finite elements; how many are not.

    Example:
        >>> found = figures_of(np.asarray([3.0, -4.0, 0.0, np.nan]), bins=2)
        >>> found["norm"], found["largest"], found["nonfinite"], found["counts"].tolist(), found["edges"].tolist()
        (5.0, 4.0, 1, [1, 2], [-4.0, -0.5, 3.0])
    """
    wide = np.asarray(values, dtype="float64").ravel()
    finite = wide[np.isfinite(wide)]
    counts, edges = np.histogram(finite, bins=bins)
    return {
        "mean": float(finite.mean()) if finite.size else 0.0,
        "std": float(finite.std()) if finite.size else 0.0,
        "norm": float(np.sqrt(np.sum(finite * finite))),
        "largest": float(np.max(np.abs(finite), initial=0.0)),
        "nonfinite": int(wide.size - finite.size),
        "counts": counts,
        "edges": edges,
    }
