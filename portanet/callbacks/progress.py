"""Progress of training: a line for each epoch, and a bar while it runs on a terminal or in a notebook."""

from __future__ import annotations

import sys
import time
from typing import Any

from portanet import checks
from portanet.callbacks.bars import INTERVAL, Bar, in_notebook
from portanet.callbacks.base import Callback, Logs
from portanet.settings import settings


class ProgressBar(Callback):
    """Shows the progress of training, evaluation or prediction.

    `fit`, `evaluate` and `predict` create one if `verbose` is not 0 and the callbacks contain none. Each epoch leaves a
    line with all numbers. While it runs, a bar shows those for which there is room, a few times per second.

    Args:
        verbose: 0 for no output, 1 for lines and a bar (tqdm), 2 for lines, "auto" for a bar on a terminal or in a
            notebook.

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
        self.bar: Bar | None = None
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
            self.bar = Bar(title, self.params["steps"], batch)

    def _advance(self, logs: Logs) -> None:
        if self.bar is None:
            return
        now = time.perf_counter()
        if now - self.shown > INTERVAL:
            self.shown = now
            self.bar.show(numbers(logs))  # waits for the device
        self.bar.advance()

    def _finish(self, logs: Logs) -> None:
        self._close(finished=True)
        if self.mode:
            seconds = time.perf_counter() - self.started
            print(" - ".join([self.title, f"{seconds:.2f}s", *numbers(logs)]), flush=True)

    def _close(self, finished: bool = False) -> None:
        if self.bar is not None:
            self.bar.close(finished)
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
    """Whether there is something that can show a moving bar: a terminal at standard error, or a notebook."""
    return sys.stderr.isatty() or in_notebook()


def numbers(logs: Logs) -> list[str]:
    """Each scalar of the logs, with its name.

    Example:
        >>> numbers({"loss": 0.51234, "accuracy": 0.9})
        ['loss: 0.5123', 'accuracy: 0.9000']
    """
    scalars = {name: value for name, value in logs.items() if isinstance(value, float)}
    formats = {name: ".4f" if abs(value) >= 1e-3 or value == 0 else ".3e" for name, value in scalars.items()}
    return [f"{name}: {value:{formats[name]}}" for name, value in scalars.items()]
