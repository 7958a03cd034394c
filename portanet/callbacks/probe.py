"""The base class of monitors of layers and weights: statistics and histograms of arrays, epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from portanet import checks
from portanet.backends import HostArray
from portanet.callbacks.base import Callback, Logs
from portanet.callbacks.table import table
from portanet.drawing import figure_class, histograms

Statistics = dict[str, dict[str, Any]]
"""For each layer or weight, by path, its statistics by name."""


class Probe(Callback):
    """Records statistics of a model when training begins and after epochs; subclasses implement `look(model)`.

    It computes on separate data, apart from the training step, which stays compiled where the backend compiles it and
    costs nothing more. Each subclass documents the cost of a record.

    Args:
        every: Epochs between two records.
        log: Names of statistics to add to the logs and the history after an epoch, as `path/name`.

    Attributes:
        epochs: Number of epochs completed at each record, starting from 0 in a new run.
        records: Each record: for each path, the statistics by name.

    Example:
        >>> class Norms(Probe):
        ...     def look(self, model):
        ...         return {"weights": float(sum(abs(w).sum() for w in model.get_weights()))}
    """

    def __init__(self, every: int = 1, log: Iterable[str] = ()) -> None:
        self.every = checks.positive_int("every", every, type(self))
        self.log = checks.texts("log", log, type(self))
        self.epochs: list[int] = []
        self.records: list[Statistics] = []

    def look(self, model: Any) -> Statistics:
        """The statistics of the model in its current state."""
        raise NotImplementedError(f"{type(self).__name__} does not implement look(model).")

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.epochs, self.records = [], []
        self._record(self.model.position.epoch)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if (epoch + 1) % self.every == 0:
            for path, statistics in self._record(epoch + 1).items():
                for name in self.log:
                    if statistics.get(name) is not None:
                        self.note(logs, f"{path}/{name}", statistics[name])

    def _record(self, epochs: int) -> Statistics:
        record = self.look(self.model)
        self.epochs.append(epochs)
        self.records.append(record)
        return record

    def get_state(self) -> dict[str, Any]:
        return {"epochs": list(self.epochs), "records": list(self.records)}

    def set_state(self, state: dict[str, Any]) -> None:
        self.epochs, self.records = list(state["epochs"]), list(state["records"])

    # Tables and plots

    def table(self, record: int = -1) -> str:
        """A record as a table.

        Args:
            record: Index of the record; by default the latest.
        """
        rows = self.records[record]
        names = [name for name in next(iter(rows.values()), {}) if name not in ("counts", "edges")]
        return table(
            ["", *names],
            [
                [path, *("" if statistics[name] is None else f"{statistics[name]:.4g}" for name in names)]
                for path, statistics in rows.items()
            ],
        )

    def plot_histograms(self, record: int = -1) -> Any:
        """Plot the histograms of a record, one per path; returns a matplotlib figure.

        Args:
            record: Index of the record; by default the latest.
        """
        paths = self.records[record]
        rows, columns = -(-len(paths) // 5), min(5, len(paths))
        figure = figure_class()(figsize=(3 * columns, 2.5 * rows), layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False)
        for axes in grid.ravel()[len(paths) :]:
            axes.remove()
        histograms(grid.ravel()[: len(paths)], paths)
        return figure

    def plot_spread(self, record: int = -1) -> Any:
        """Plot the means and standard deviations of a record over its paths; returns a matplotlib figure.

        Args:
            record: Index of the record; by default the latest.
        """
        paths = self.records[record]
        figure = figure_class()(figsize=(10, 3.5), layout="constrained")
        for axes, name in zip(figure.subplots(1, 2), ("mean", "std"), strict=True):
            axes.plot(list(paths), [statistics[name] for statistics in paths.values()], marker=".")
            axes.tick_params(axis="x", rotation=90)
            axes.set_title(name)
        return figure


def statistics_of(values: HostArray, bins: int) -> dict[str, Any]:
    """Mean, standard deviation, norm, largest absolute value and histogram of finite elements; number of the others.

    Example:
        >>> statistics = statistics_of(np.asarray([3.0, -4.0, 0.0, np.nan]), bins=2)
        >>> statistics["norm"], statistics["largest"], statistics["nonfinite"]
        (5.0, 4.0, 1)
        >>> statistics["counts"].tolist(), statistics["edges"].tolist()
        ([1, 2], [-4.0, -0.5, 3.0])
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
