"""Callbacks that change the learning rate from epoch to epoch."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from portanet import checks
from portanet.callbacks.base import Callback, Logs
from portanet.callbacks.monitor import Monitor
from portanet.optimizers.state import unscaled
from portanet.schedules import LearningRateSchedule, ReduceOnPlateau


class LearningRateScheduler(Callback):
    """Sets the learning rate before each epoch; as `keras.callbacks.LearningRateScheduler`.

    `learning_rate` is added to the logs and the history. To change the learning rate from step to step, pass a schedule
    to the optimizer; see `portanet.schedules`.

    Args:
        schedule: Function of the epoch, from 0, or of the epoch and the current learning rate, that returns the
            learning rate; or a schedule, whose steps are epochs.
        verbose: 1 to print each learning rate.

    Example:
        >>> import numpy as np
        >>> import portanet
        >>> from portanet import layers
        >>> model = portanet.Sequential([layers.Input((3,)), layers.Dense(1)])
        >>> model.compile(portanet.optimizers.SGD(0.1), "mse")
        >>> halve = portanet.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2 if epoch else rate)
        >>> history = model.fit(np.ones((8, 3)), np.ones((8, 1)), epochs=3, verbose=0, callbacks=[halve])
        >>> history.history["learning_rate"]
        [0.1, 0.05, 0.025]
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        if not callable(schedule) or isinstance(schedule, type):
            raise checks.invalid(
                "schedule", schedule, "a function of the epoch, or of epoch and learning rate", type(self)
            )
        self.schedule = schedule
        self.verbose = checks.verbose(verbose, type(self))
        self.epoch: int | None = None
        """The epoch for which the learning rate was set; None before the first."""
        self._takes_rate = not isinstance(schedule, LearningRateSchedule) and _takes_two(schedule)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.epoch = None

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        if epoch == self.epoch:  # resumed in the middle of the epoch
            return
        self.epoch = epoch
        for optimizer in optimizers_of(self.model):
            old = learning_rate(self, optimizer)
            new = self.schedule(epoch, old) if self._takes_rate else self.schedule(epoch)
            try:
                if isinstance(new, (str, bool)):
                    raise TypeError
                rate = float(new)
            except (TypeError, ValueError):
                raise ValueError(
                    f"The schedule of LearningRateScheduler must return a number. Received: {new!r} for epoch {epoch}"
                ) from None
            optimizer.learning_rate = rate
            if self.verbose:
                print(f"Epoch {epoch + 1}: learning rate {rate:g}")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.note(logs, "learning_rate", learning_rate(self, optimizers_of(self.model)[0]))

    def get_state(self) -> dict[str, Any]:
        return {"epoch": self.epoch}

    def set_state(self, state: dict[str, Any]) -> None:
        self.epoch = state["epoch"]


class ReduceLROnPlateau(Monitor):
    """Multiplies the learning rate by `factor` when a quantity has stopped improving.

    As `keras.callbacks.ReduceLROnPlateau`; the rule is `portanet.schedules.ReduceOnPlateau`. `learning_rate`, as used
    in the epoch, is added to the logs and the history.

    Args:
        monitor: Name of the quantity.
        factor: Factor of the learning rate, in (0, 1).
        patience: Number of epochs without improvement after which the learning rate is reduced.
        verbose: 1 to print reductions.
        mode: `"min"`, `"max"`, or `"auto"` to infer it from the loss or metric.
        min_delta: Smallest change that qualifies as an improvement, exclusive.
        cooldown: Epochs to wait after a reduction before monitoring resumes.
        min_lr: Lower bound of the learning rate.

    Example:
        >>> import numpy as np
        >>> import portanet
        >>> from portanet import layers
        >>> model = portanet.Sequential([layers.Input((3,)), layers.Dense(1)])
        >>> model.compile(portanet.optimizers.SGD(1e-9), "mse")
        >>> reduce = portanet.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=2)
        >>> history = model.fit(np.ones((8, 3)), np.ones((8, 1)), epochs=5, verbose=0, callbacks=[reduce])
        >>> history.history["learning_rate"]
        [1e-09, 1e-09, 1e-09, 5e-10, 5e-10]
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.verbose = checks.verbose(verbose, type(self))
        self.plateau = ReduceOnPlateau(factor, patience, "min", self.min_delta, cooldown, min_lr)
        self.factor, self.patience = self.plateau.factor, self.plateau.patience
        self.cooldown, self.min_lr = self.plateau.cooldown, self.plateau.min_lr

    @property
    def best(self) -> float | None:
        """The best value so far."""
        return self.plateau.best

    @property
    def wait(self) -> int:
        """The number of epochs without improvement."""
        return self.plateau.wait

    @property
    def cooldown_counter(self) -> int:
        """The number of epochs until monitoring resumes."""
        return self.plateau.resting

    def in_cooldown(self) -> bool:
        """Whether epochs after a reduction are waited for."""
        return self.cooldown_counter > 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.plateau.reset()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        optimizer, *others = optimizers_of(self.model)
        old = learning_rate(self, optimizer)
        self.note(logs, "learning_rate", old)
        value = self.get_monitor_value(logs)
        if value is None:
            return
        self.plateau.mode = self.direction
        rate = self.plateau(old, value)
        if rate != old:
            optimizer.learning_rate = rate
            for other in others:  # by the same factor
                other.learning_rate = max(learning_rate(self, other) * self.plateau.factor, self.plateau.min_lr)
            if self.verbose:
                print(f"Epoch {epoch + 1}: learning rate reduced to {rate:g}")

    def get_state(self) -> dict[str, Any]:
        return self.plateau.get_state()

    def set_state(self, state: dict[str, Any]) -> None:
        self.plateau.set_state(state)


def optimizers_of(model: Any) -> list[Any]:
    """The optimizer of a model, or those that it consists of."""
    optimizer = unscaled(model.optimizer)
    return getattr(optimizer, "optimizers", None) or [optimizer]


def learning_rate(callback: Callback, optimizer: Any) -> float:
    """The learning rate of an optimizer, if it is a number."""
    rate = optimizer.rates
    if callable(rate):
        raise TypeError(
            f"{type(callback).__name__} changes a learning rate that is a number, but the optimizer has a schedule. "
            f"Use one of the two. Received: learning_rate={rate!r}"
        )
    return float(rate)


def _takes_two(function: Callable[..., Any]) -> bool:
    """Whether a function can be called with two arguments."""
    try:
        inspect.signature(function).bind(0, 0.0)
    except TypeError:
        return False
    except ValueError:  # no signature, as for some functions in C
        return True
    return True
