"""Progress of training: a bar on a terminal or in a notebook, lines elsewhere."""

from __future__ import annotations

import importlib.util
import sys
import time
from typing import Any

from portanet import checks
from portanet.callbacks.base import Callback, Logs
from portanet.settings import settings

INTERVAL = 0.2
"""Seconds between two updates of the loss, each of which waits for the device."""


class ProgressBar(Callback):
    """Shows the progress of training, evaluation or prediction.

    `fit`, `evaluate` and `predict` create one if `verbose` is not 0 and the callbacks contain none. The loss next to
    the bar is updated a few times per second.

    Args:
        verbose: 0 for no output, 1 for a bar (tqdm), 2 for one line per epoch, "auto" for a bar on a terminal or in a
            notebook with widgets, and lines elsewhere.

    Example:
        >>> import numpy as np
        >>> import portanet
        >>> from portanet import layers
        >>> model = portanet.Sequential([layers.Input((3,)), layers.Dense(1, kernel_initializer="zeros")])
        >>> model.compile(portanet.optimizers.SGD(0.0), "mse")
        >>> _ = model.fit(np.ones((8, 3)), np.ones((8, 1)), epochs=2, callbacks=[ProgressBar(2)])
        Epoch 1/2 - ...s - loss: 1.0000
        Epoch 2/2 - ...s - loss: 1.0000
    """

    first_process_only = True

    def __init__(self, verbose: Any = "auto") -> None:
        self.mode = shown_as(verbose, type(self))
        self.bar: Any = None
        self.title = ""
        self.training = False
        self.started = self.shown = 0.0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.training = True

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._start(f"Epoch {epoch + 1}/{self.params['epochs']}", self.model.position.batch)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._advance({} if logs is None else logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self._finish(logs or {})

    def on_train_end(self, logs: Logs | None = None) -> None:
        self.training = False
        self._close()

    def on_test_begin(self, logs: Logs | None = None) -> None:
        if not self.training:
            self._start("Evaluation")

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if not self.training:
            self._advance({} if logs is None else logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        if not self.training:
            self._finish(logs or {})

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        self._start("Prediction")

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._advance({})

    def on_predict_end(self, logs: Logs | None = None) -> None:
        self._finish({})

    def _start(self, title: str, batch: int = 0) -> None:
        self._close()
        self.title = title
        self.started = self.shown = time.perf_counter()
        if self.mode == 1:
            from tqdm.auto import tqdm

            steps = self.params["steps"]
            self.bar = tqdm(total=steps, initial=batch, desc=title, unit="batch", leave=True, mininterval=INTERVAL)

    def _advance(self, logs: Logs) -> None:
        if self.bar is None:
            return
        self.bar.update()
        now = time.perf_counter()
        if now - self.shown > INTERVAL:
            self.shown = now
            self.bar.set_postfix_str(describe(logs), refresh=False)

    def _finish(self, logs: Logs) -> None:
        if self.bar is not None:
            self.bar.set_postfix_str(describe(logs), refresh=True)
            self._close()
        elif self.mode == 2:
            seconds = time.perf_counter() - self.started
            print(" - ".join([self.title, f"{seconds:.2f}s", *numbers(logs)]), flush=True)

    def _close(self) -> None:
        if self.bar is not None:
            self.bar.close()
            self.bar = None


class ProgbarLogger(ProgressBar):
    """The progress bar of `fit`, with its `verbose`; as `keras.callbacks.ProgbarLogger`.

    Example:
        >>> import numpy as np
        >>> import portanet
        >>> from portanet import layers
        >>> model = portanet.Sequential([layers.Input((3,)), layers.Dense(1, kernel_initializer="zeros")])
        >>> model.compile(portanet.optimizers.SGD(0.0), "mse")
        >>> _ = model.fit(np.ones((8, 3)), np.ones((8, 1)), verbose=2, callbacks=[ProgbarLogger()])
        Epoch 1/1 - ...s - loss: 1.0000
    """

    def __init__(self) -> None:
        super().__init__()

    def set_params(self, params: dict[str, Any]) -> None:
        """Set the arguments of `fit`; called before training."""
        super().set_params(params)
        self.mode = shown_as(params.get("verbose", "auto"), type(self))


def shown_as(verbose: Any, of: type) -> int:
    """0 for no output, 1 for a bar, 2 for lines."""
    if isinstance(verbose, str):
        checks.choice("verbose", verbose, ("auto",), of)
        return 1 if settings.interactive_logging and shows_bars() else 2
    return checks.verbose(verbose, of)


def shows_bars() -> bool:
    """Whether standard error can show a moving bar: on a terminal or as a widget in a notebook."""
    shell = sys.modules.get("IPython")
    notebook = shell is not None and type(shell.get_ipython()).__name__ == "ZMQInteractiveShell"
    return sys.stderr.isatty() or (notebook and importlib.util.find_spec("ipywidgets") is not None)


def describe(logs: Logs) -> str:
    """The scalars of the logs in one line.

    Example:
        >>> describe({"loss": 0.51234, "accuracy": 0.9})
        'loss: 0.5123, accuracy: 0.9000'
    """
    return ", ".join(numbers(logs))


def numbers(logs: Logs) -> list[str]:
    """Each scalar of the logs, with its name."""
    scalars = {name: value for name, value in logs.items() if isinstance(value, float)}
    formats = {name: ".4f" if abs(value) >= 1e-3 or value == 0 else ".3e" for name, value in scalars.items()}
    return [f"{name}: {value:{formats[name]}}" for name, value in scalars.items()]
