"""A plot of the training history."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from portanet import checks
from portanet.callbacks.base import Callback, Logs
from portanet.drawing import figure_class, history_curves


class PlotHistory(Callback):
    """Plots the curves of training and validation to a file, one subplot per quantity.

    Args:
        filename: Path of the file; its extension selects the format, such as `.png`, `.svg` or `.pdf`.
        quantities: Quantities to plot, such as `["loss", "accuracy"]`; by default all scalars.
        every: Epochs between two plots; None to plot only when training ends. A plot takes some tenths of a second.

    Attributes:
        figure: The latest matplotlib figure; a notebook shows it.

    Raises:
        ImportError: matplotlib is not installed.

    Example:
        >>> import pathlib, tempfile
        >>> import numpy as np
        >>> import portanet
        >>> from portanet import layers
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "history.svg"
        >>> model = portanet.Sequential([layers.Input((3,)), layers.Dense(1)])
        >>> model.compile("sgd", "mse", metrics=["mae"])
        >>> plot = portanet.callbacks.PlotHistory(path)
        >>> _ = model.fit(np.ones((8, 3)), np.ones((8, 1)), epochs=2, verbose=0, callbacks=[plot])
        >>> [axes.get_title() for axes in plot.figure.axes], path.exists()
        (['loss', 'mae'], True)
    """

    first_process_only = True

    def __init__(
        self,
        filename: str | os.PathLike[str] = "history.png",
        quantities: Iterable[str] | None = None,
        every: int | None = None,
    ) -> None:
        self.path = pathlib.Path(checks.path("filename", filename, type(self)))
        self.quantities = None if quantities is None else list(checks.texts("quantities", quantities, type(self)))
        self.every = None if every is None else checks.positive_int("every", every, type(self))
        self.figure: Any = None
        self.curves: dict[str, list[list[float]]] = {}
        """For each quantity, the epoch, from 1, and the value of each point."""

    def on_train_begin(self, logs: Logs | None = None) -> None:
        figure_class()
        self.curves = {}

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        for name, value in (logs or {}).items():
            if np.ndim(value) == 0:
                self.curves.setdefault(name, []).append([epoch + 1, float(value)])
        if self.every is not None and (epoch + 1) % self.every == 0:
            self._draw()

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.curves:
            self._draw()

    def _draw(self) -> None:
        names = self.quantities or [name for name in self.curves if not name.startswith("val_")]
        unknown = [name for name in names if name not in self.curves]
        if unknown:
            raise ValueError(
                f"PlotHistory can draw {', '.join(map(repr, self.curves))}. Received: quantities={self.quantities!r}"
            )
        self.figure = figure_class()(figsize=(5 * len(names), 3.5), layout="constrained")
        history_curves(self.figure.subplots(1, len(names), squeeze=False)[0], names, {"": self.curves})
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.figure.savefig(self.path)

    def get_state(self) -> dict[str, Any]:
        return {"curves": {name: list(points) for name, points in self.curves.items()}}

    def set_state(self, state: dict[str, Any]) -> None:
        self.curves = {name: list(points) for name, points in state["curves"].items()}
