"""The record of training: where it stands, what each epoch gave, and the sums over the batches of one."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from portanet import checks, random
from portanet.backends import Backend, HostArray
from portanet.callbacks import CallbackList
from portanet.callbacks.history import described
from portanet.metrics import Mean, Metric
from portanet.training.objective import Statistics
from portanet.training.step_methods import every_metric


@dataclass
class Position:
    """Where training stands. Shuffling depends on the seed and the epoch alone, so that these numbers say the rest.

    `fit(..., initial_epoch=position)` goes on from a position, such as that of a model that was loaded.

    Attributes:
        epoch: Number of the epoch under way, from 0.
        batch: Batches of it that are done.
        sums: Sums of the loss and metrics over these batches, by name; see `Totals`.
        epochs: Numbers of the epochs that are finished.
        history: Loss, metrics and `val_...` after each of them.
        seed: The seed of the run, see `portanet.random`; None before it began.
        callbacks: In a position that was saved, what the callbacks of the run knew; see `CallbackList.get_states`.
        weights: After a run with `use_ema` of the optimizer, by path, the weights whose averages the model now has.

    Example:
        >>> Position(epoch=2, batch=0).epoch
        2
    """

    epoch: int = 0
    batch: int = 0
    sums: dict[str, list[Any]] = field(default_factory=dict)
    epochs: list[int] = field(default_factory=list)
    history: dict[str, list[Any]] = field(default_factory=dict)
    seed: int | None = None
    callbacks: list[Any] = field(default_factory=list)
    weights: dict[str, HostArray] = field(default_factory=dict, repr=False, compare=False)

    def take_up(self, callbacks: CallbackList) -> None:
        """Go on from here: take over the seed of an earlier run, and what its callbacks knew."""
        if self.seed is None:
            self.seed = random.get_seed()
        elif self.seed != random.get_seed():
            random.set_seed(self.seed)
        callbacks.set_states(self.callbacks)
        self.callbacks = []

    def latest(self) -> dict[str, Any]:
        """The logs of the last finished epoch."""
        return {name: column[-1] for name, column in self.history.items()}

    def finish_epoch(self, logs: Mapping[str, Any]) -> EpochLogs:
        """Note what an epoch gave, and go on to the next; the result is for `on_epoch_end`."""
        self.epochs.append(self.epoch)
        noted = EpochLogs(self.history)
        noted.update(logs)
        self.epoch += 1
        self.batch, self.sums = 0, {}
        return noted


class EpochLogs(dict[str, Any]):
    """What an epoch gave, by name; what callbacks put in goes into the history, too, as in Keras.

    Args:
        history: The values of each epoch, by name.
    """

    def __init__(self, history: dict[str, list[Any]]) -> None:
        super().__init__()
        self._history = history

    def __setitem__(self, name: str, value: Any) -> None:
        column = self._history.setdefault(name, [])
        column[-1 if name in self else len(column) :] = [value]
        super().__setitem__(name, value)

    def update(self, *args: Any, **values: Any) -> None:
        """As `dict.update`."""
        for name, value in dict(*args, **values).items():
            self[name] = value


class History:
    """The record of a training run, of which `position` is where it ended.

    Attributes:
        epoch: Numbers of the epochs that were finished.
        history: For each quantity (`loss`, metrics, `val_...`) its value after each epoch.
        params: Parameters of the run: epochs, steps, batch_size, verbose, validation_freq.
        seconds: How long the run took; None while it goes on.

    Example:
        >>> History({}, Position(epochs=[0, 1], history={"loss": [0.5, 0.25]}))
        <History of 2 epochs, loss: 0.2500>
    """

    def __init__(self, params: dict[str, Any], position: Position) -> None:
        self.params = params
        self.epoch = position.epochs
        self.history = position.history
        self.seconds: float | None = None

    def __enter__(self) -> Self:
        self._started = time.perf_counter()
        return self

    def __exit__(self, *error: object) -> None:
        self.seconds = time.perf_counter() - self._started

    def __repr__(self) -> str:
        return described(self.epoch, self.history, self.seconds)


AT_MOST = 256
"""Batches kept on the device before their sums are fetched."""


class Totals(Mapping[str, Any]):
    """Adds up the statistics of batches; `logs()` fetches what is pending in one transfer for each sum.

    As a mapping it is what `logs()` gives at the moment, which is fetched when a value is looked at.

    Args:
        metrics: The metrics beside the loss, by name.
        backend: Where the statistics are.
        sums: What earlier batches gave; brought up to date by `fetch`.
        spare: Sums on the device that are not in use; None where steps do not add up.
        loss: The mean of the loss.
    """

    def __init__(
        self,
        metrics: Mapping[str, Metric],
        backend: Backend,
        sums: dict[str, list[Any]] | None = None,
        spare: list[Statistics] | None = None,
        loss: Metric | None = None,
    ) -> None:
        self.metrics = metrics
        self.loss = Mean("loss") if loss is None else loss
        self.backend = backend
        self.pending: list[Statistics] = []
        self.sums = {} if sums is None else sums
        self.spare = spare
        self.on_device: Statistics | None = None
        """Sums that the steps themselves add to, in double precision as `fetch` does, where they do."""
        if spare is not None:
            self.on_device = self._begun(spare.pop() if spare else {})
        self.fetched = True

    def _begun(self, arrays: Statistics) -> Statistics:
        """The sums so far, on the device: in these arrays, since steps are recorded with them."""
        if not arrays:
            from_host = self.backend.from_host
            return {name: tuple(from_host(np.asarray(x, "float64")) for x in each) for name, each in self.sums.items()}
        for name, each in arrays.items():
            for i, array in enumerate(each):
                array[...] = self.backend.from_host(np.asarray(self.sums[name][i], "float64")) if self.sums else 0.0
        return arrays

    def close(self) -> dict[str, Any]:
        """As `logs`; the metrics keep the sums, and later ones may use what this one has on the device."""
        logs = self.logs()
        for name, metric in {"loss": self.loss, **self.metrics}.items():
            metric._totals = tuple(self.sums[name]) if self.sums else None
        if self.spare is not None and self.on_device:
            self.spare.append(self.on_device)
        self.on_device = None
        return logs

    def add(self, statistics: Statistics) -> None:
        """Add a batch; with sums on the device, replace these."""
        if self.on_device is not None:
            self.on_device, self.fetched = statistics, False
            return
        self.pending.append(statistics)
        if len(self.pending) >= AT_MOST:
            self.fetch()

    def fetch(self) -> None:
        """Bring the pending sums to the host, where they add up in double precision."""
        if not self.fetched:
            to_host = self.backend.to_host
            for name, each in (self.on_device or {}).items():
                self.sums[name] = [np.asarray(to_host(x)) for x in each]
            self.fetched = True
        if not self.pending:
            return
        with uninterrupted():  # nothing is counted twice or lost
            xp = self.backend.xp
            for name in self.pending[0]:
                columns = zip(*(batch[name] for batch in self.pending), strict=True)
                new = [np.asarray(self.backend.to_host(xp.stack(list(map(xp.asarray, c)))), "float64") for c in columns]
                old = self.sums.get(name)
                if old is not None:
                    new = [np.concatenate([np.asarray(a)[None], b]) for a, b in zip(old, new, strict=True)]
                # Added one after the other: the same bits, whenever and however often this is called.
                self.sums[name] = [np.cumsum(column, axis=0)[-1] for column in new]
            self.pending.clear()

    def logs(self) -> dict[str, Any]:
        """The loss and every metric over all batches so far: floats, NumPy arrays for metrics of several numbers."""
        self.fetch()
        if not self.sums:
            return {}
        total, count = self.sums["loss"]
        # In this order whatever the order of `sums`: a compiled step may sort its results by name.
        values = {"loss": total / count}
        values |= {name: metric.from_statistics(*self.sums[name]) for name, metric in self.metrics.items()}
        return {name: float(value) if np.ndim(value) == 0 else np.asarray(value) for name, value in values.items()}

    def __getitem__(self, name: str) -> Any:
        return self.logs()[name]

    # The names are known without asking the device.

    def __iter__(self) -> Iterator[str]:
        return iter(("loss", *self.metrics) if self.pending or self.sums or not self.fetched else ())

    def __len__(self) -> int:
        return len(tuple(iter(self)))

    def __contains__(self, name: object) -> bool:
        return name in tuple(iter(self))


class LatestLogs(Mapping[str, Any]):
    """What an overridden step returned for the latest batch; `logs()` fetches it.

    Args:
        model: The model, whose metrics begin anew.
        sums: What the metrics had summed up in an interrupted epoch; brought up to date by `fetch`.
    """

    def __init__(self, model: Any, sums: dict[str, list[Any]]) -> None:
        self.model = model
        self.sums = sums
        self.on_device = None
        self.latest: dict[str, Any] = {}
        model.reset_metrics()
        for number, metric in enumerate(every_metric(model)):
            if f"metric_{number}" in sums:
                metric.totals = tuple(sums[f"metric_{number}"])

    def close(self) -> dict[str, Any]:
        """As `logs`."""
        return self.logs()

    def add(self, values: dict[str, Any]) -> None:
        """Note the values of a batch."""
        self.latest = values

    def fetch(self) -> None:
        """Bring the sums of the metrics to the host."""
        to_host = self.model.backend.to_host
        for number, metric in enumerate(every_metric(self.model)):
            if metric.totals is not None:
                self.sums[f"metric_{number}"] = [np.asarray(to_host(each), "float64") for each in metric.totals]

    def logs(self) -> dict[str, Any]:
        """The values: floats, NumPy arrays for several numbers."""
        self.fetch()
        backend = self.model.backend
        values = {n: np.asarray(backend.to_host(v) if backend.owns(v) else v) for n, v in self.latest.items()}
        for name, value in values.items():
            if value.dtype.kind not in "biuf":
                raise TypeError(f"A step must return numbers by name. Received: {name}={self.latest[name]!r}")
        return {name: float(value) if value.ndim == 0 else value for name, value in values.items()}

    def __getitem__(self, name: str) -> Any:
        return self.logs()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.latest)

    def __len__(self) -> int:
        return len(self.latest)


def listed(logs: dict[str, Any], return_dict: bool, names: list[str]) -> Any:
    """Logs as a dict, or their values in a list, in the order of `names`; the value, if it is the only one."""
    if checks.boolean("return_dict", return_dict):
        return logs
    values = [logs[name] for name in names]
    return values if len(values) > 1 else values[0]


class _CtrlC:
    """The handler of Ctrl-C while a model trains."""

    def __init__(self) -> None:
        self.depth = 0
        """Number of blocks under way that are not to be interrupted."""
        self.waiting = False

    def __call__(self, number: int, frame: Any) -> None:
        if self.depth and not self.waiting:
            self.waiting = True
            return
        self.waiting = False
        raise KeyboardInterrupt


_in_place: list[_CtrlC] = []


class uninterrupted:  # noqa: N801 -- read as a word: `with uninterrupted():`
    """Let a Ctrl-C in a `with` block take effect at its end, so that weights changed in place are never left half-done.

    A second Ctrl-C takes effect at once. Where Ctrl-C does not raise KeyboardInterrupt (another thread than the main
    one, a signal handler of the user's), nothing is changed.
    """

    handler: _CtrlC | None = None
    outer = 0
    installs = False

    def __enter__(self) -> _CtrlC | None:
        if threading.current_thread() is not threading.main_thread():
            return None
        if _in_place:
            handler = _in_place[-1]
            self.handler, self.outer = handler, handler.depth
            handler.depth += 1
        elif signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            handler = _CtrlC()
            handler.depth = 1
            self.handler, self.installs = handler, True
            signal.signal(signal.SIGINT, handler)
            _in_place.append(handler)
        return self.handler

    def __exit__(self, *error: object) -> None:
        handler = self.handler
        if handler is None:
            return
        if self.installs:
            _in_place.clear()
            if isinstance(signal.getsignal(signal.SIGINT), _CtrlC):
                signal.signal(signal.SIGINT, signal.default_int_handler)
        handler.depth = self.outer
        if handler.waiting and not handler.depth:
            handler.waiting = False
            raise KeyboardInterrupt


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Make `uninterrupted` cheap in a `with` block: the handler is in place all the time, and raises outside of it."""
    with uninterrupted() as handler:
        if handler is None:
            yield
            return
        before, handler.depth = handler.depth, 0
        try:
            if handler.waiting:
                handler(0, None)
            yield
        finally:
            handler.depth = before
