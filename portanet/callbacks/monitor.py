"""The base class of callbacks that monitor whether a quantity improves."""

from __future__ import annotations

import warnings
from typing import Any

from portanet import checks
from portanet.callbacks.base import Callback, Logs
from portanet.schedules.plateau import improves


class Monitor(Callback):
    """Monitors one quantity of the logs; as Keras's `MonitorCallback`.

    Args:
        monitor: Name of the quantity, such as `"val_loss"`.
        mode: `"min"` if it should decrease, `"max"` if it should increase, `"auto"` to infer it from the loss or
            metric.
        min_delta: Smallest change that qualifies as an improvement, exclusive.

    Raises:
        ValueError: The mode is unknown; or, when the first epoch ends, the mode is "auto" and cannot be inferred.

    Example:
        >>> monitor = Monitor("accuracy", mode="max", min_delta=0.01)
        >>> monitor.improves(0.905, 0.9), monitor.improves(0.92, 0.9), monitor.improves(0.1, None)
        (False, True, True)
    """

    def __init__(self, monitor: str = "val_loss", mode: str = "auto", min_delta: float = 0.0) -> None:
        self.monitor = checks.text("monitor", monitor, type(self))
        self.mode = checks.choice("mode", mode, ("auto", "min", "max"), type(self))
        self.min_delta = abs(checks.number("min_delta", min_delta, of=type(self)))

    def get_monitor_value(self, logs: Logs | None) -> float | None:
        """The quantity after an epoch; None, with a warning, if it is not available."""
        logs = {} if logs is None else logs
        if self.monitor not in logs:
            warnings.warn(
                f"{type(self).__name__} monitors '{self.monitor}', which is not available, and so does nothing. "
                f"Available in this epoch: {', '.join(map(repr, logs)) or 'nothing'}. Pass one of them as `monitor`; "
                f"quantities of validation need validation_data or validation_split in fit. "
                f"Received: monitor={self.monitor!r}",
                stacklevel=2,
            )
            return None
        value = logs[self.monitor]
        try:
            if isinstance(value, str):
                raise TypeError
            return float(value)
        except (TypeError, ValueError):
            raise TypeError(
                f"The quantity that {type(self).__name__} monitors must be a number; let on_epoch_end of the callback "
                f"that sets it pass one. Received: logs[{self.monitor!r}]={value!r}"
            ) from None

    @property
    def direction(self) -> str:
        """The mode, inferred if it is "auto": `"min"` or `"max"`."""
        if self.mode != "auto":
            return self.mode
        name = self.monitor.removeprefix("val_")
        if name == "loss" or name.endswith("_loss"):
            return "min"
        metrics: dict[str, Any] = {}
        for each in self.model.metrics:
            metrics |= each.by_name() if hasattr(each, "by_name") else {each.name: each}
        direction = metrics[name].direction if name in metrics else None
        if direction is None:
            raise ValueError(
                f"{type(self).__name__} cannot infer whether '{self.monitor}' should decrease or increase: "
                f"pass mode='min' or mode='max'. Received: monitor={self.monitor!r}, mode='auto'"
            )
        return str(direction)

    def improves(self, value: float, reference: float | None) -> bool:
        """Whether a value is better by more than `min_delta`; see `portanet.schedules.plateau.improves`."""
        return improves(value, reference, self.direction, self.min_delta)
