"""The base class of callbacks: hooks called by `fit`, `evaluate` and `predict`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portanet.configurable import Configurable

Logs = Mapping[str, Any]
"""Values by name. Those of a batch stay on the device until they are read."""


class Callback(Configurable):
    """Base class of callbacks; as `keras.callbacks.Callback`.

    Setting `self.model.stop_training = True` ends training after the current batch.

    Attributes:
        model: The model that is trained.
        params: Arguments of `fit`: `epochs`, `steps` (None if unknown), `verbose`; None before.
        order: Callbacks are called in ascending order of this number, then as passed: those that save the state of
            others come last.
        first_process_only: Whether, in a job of several processes, hooks are called in the first one alone: for what
            is shown, written or sent.

    Example:
        >>> import numpy as np
        >>> import portanet
        >>> from portanet import layers
        >>> class Count(portanet.callbacks.Callback):
        ...     batches = 0
        ...     def on_train_batch_end(self, batch, logs=None):
        ...         self.batches += 1
        >>> model, count = portanet.Sequential([layers.Input((3,)), layers.Dense(1)]), Count()
        >>> model.compile("sgd", "mse")
        >>> _ = model.fit(np.ones((8, 3)), np.ones((8, 1)), batch_size=4, verbose=0, callbacks=[count])
        >>> count.batches
        2
    """

    model: Any = None
    params: Any = None
    order = 0
    first_process_only = False

    def set_model(self, model: Any) -> None:
        """Set the model; called before training."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Set the arguments of `fit`; called before training."""
        self.params = params

    def get_state(self) -> dict[str, Any]:
        """The state of this callback that a checkpoint saves for a resumed run.

        The values are JSON values or NumPy arrays, or lists and dicts of these; the callback must not mutate them
        later.
        """
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore the result of `get_state` in an earlier run; called after `on_train_begin`."""

    def note(self, logs: Any, name: str, value: Any) -> None:
        """Add a quantity to the `logs` of `on_epoch_end`, which later callbacks see; `fit` adds it to the history."""
        logs[name] = value

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Training begins."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Training ended; always called, even after an interrupt."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """An epoch begins; epochs are numbered from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """An epoch ended; `logs` holds the loss and the metrics, those of validation as `val_...`."""

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """As `on_train_batch_begin`, for callbacks that do not implement that."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """As `on_train_batch_end`, for callbacks that do not implement that."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """A training step begins; batches are numbered from 0 in each epoch."""

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """A training step ended; `logs` holds the means over the epoch so far, fetched when read."""

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """An evaluation begins."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """An evaluation ended."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """A batch of an evaluation begins."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """A batch of an evaluation ended."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """A prediction begins."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """A prediction ended."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """A batch of a prediction begins."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """A batch of a prediction ended."""
