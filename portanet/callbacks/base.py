"""What a callback is: a set of functions that `fit`, `evaluate` and `predict` call at fixed moments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portanet.configurable import Configurable

Logs = Mapping[str, Any]
"""Numbers by name. Those of a batch stay on the device until they are looked at."""


class Callback(Configurable):
    """Does something at the moments of training that it implements; as `keras.callbacks.Callback`.

    Setting `self.model.stop_training = True` ends training after the present batch.

    Attributes:
        model: The model that is trained.
        params: How `fit` was asked for: `epochs`, `steps` (None if not known), `verbose`.
        order: Callbacks are called in the order of this number, then as given: those that keep what the others know
            come last.

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
    params: dict[str, Any]
    order = 0

    def set_model(self, model: Any) -> None:
        """Called before training with the model."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Called before training with how it was asked for."""
        self.params = params

    def get_state(self) -> dict[str, Any]:
        """What a resumed run must know of this callback, by name. A checkpoint keeps it.

        The values are JSON values or NumPy arrays, or lists and dicts of these; the callback does not change them
        later.
        """
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        """Take over what `get_state` gave in an earlier run; called after `on_train_begin`."""

    def note(self, logs: Any, name: str, value: Any) -> None:
        """Add a quantity to those of the epoch that has ended: the `logs` of `on_epoch_end`, which the next callbacks
        see, and the history.
        """
        column = self.model.position.history.setdefault(name, [])
        column[-1 if name in logs else len(column) :] = [value]
        logs[name] = value

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Training begins."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Training ended, be it by an interrupt: always called."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """An epoch begins; epochs count from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """An epoch ended; `logs` holds the loss, the metrics and, as `val_...`, those of the validation data."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """A step of training begins; batches count from 0 in each epoch."""

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """A step of training ended; `logs` holds the means over the epoch so far, fetched when they are looked at."""

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
