"""What callbacks share that watch one quantity and ask whether it improves."""

from __future__ import annotations

import warnings

from portanet import checks
from portanet.callbacks.base import Callback, Logs
from portanet.schedules.plateau import improves


class Monitor(Callback):
    """Watches one quantity of the logs; as Keras's `MonitorCallback`.

    Args:
        monitor: Name of the quantity, such as `"val_loss"`.
        mode: `"min"` if it should fall, `"max"` if it should rise, `"auto"` for what suits the loss or metric.
        min_delta: A change counts as an improvement if it is larger than this.

    Raises:
        ValueError: The mode is not known; or, when the first epoch ends, the mode is "auto" and cannot be found out.

    Example:
        >>> watch = Monitor("accuracy", mode="max", min_delta=0.01)
        >>> watch.improves(0.905, 0.9), watch.improves(0.92, 0.9), watch.improves(0.1, None)
        (False, True, True)
    """

    def __init__(self, monitor: str = "val_loss", mode: str = "auto", min_delta: float = 0.0) -> None:
        self.monitor = monitor
        self.mode = checks.choice("mode", mode, ("auto", "min", "max"), type(self))
        self.min_delta = abs(checks.number("min_delta", min_delta, of=type(self)))

    def monitored(self, logs: Logs | None) -> float | None:
        """The quantity after an epoch; None, with a warning, if there is no such quantity."""
        known = {} if logs is None else logs
        if self.monitor not in known:
            warnings.warn(
                f"{type(self).__name__} watches '{self.monitor}', which is not there, and so does nothing. Known in "
                f"this epoch: {', '.join(map(repr, known)) or 'nothing'}. Pass one of them as `monitor`; quantities of "
                f"validation need validation_data or validation_split in fit. Received: monitor={self.monitor!r}",
                stacklevel=2,
            )
            return None
        return float(known[self.monitor])

    @property
    def direction(self) -> str:
        """The mode, found out if it is "auto": `"min"` or `"max"`."""
        if self.mode != "auto":
            return self.mode
        name = self.monitor.removeprefix("val_")
        if name == "loss" or name.endswith("_loss"):
            return "min"
        metrics = dict(zip(self.model.metrics_names[1:], self.model.metrics, strict=True))  # the first is the loss
        found = metrics[name].direction if name in metrics else None
        if found is None:
            raise ValueError(
                f"{type(self).__name__} cannot tell whether '{self.monitor}' should fall or rise: pass mode='min' or "
                f"mode='max'. Received: monitor={self.monitor!r}, mode='auto'"
            )
        return str(found)

    def improves(self, value: float, reference: float | None) -> bool:
        """Whether a value is better than another by more than `min_delta`, as `portanet.schedules.plateau.improves`."""
        return improves(value, reference, "min" if reference is None else self.direction, self.min_delta)
