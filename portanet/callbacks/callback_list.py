"""A list of callbacks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from numbers import Integral
from typing import Any

from portanet import checks
from portanet.callbacks.base import Callback
from portanet.callbacks.history import History
from portanet.callbacks.progress import ProgressBar
from portanet.configurable import overrides
from portanet.distribution.strategy import writes_files


def _hook(name: str) -> Callable[..., None]:
    """A method that calls a hook of all callbacks."""

    def method(self: CallbackList, logs: Any = None) -> None:
        self.call(name, {} if logs is None else logs)

    method.__doc__ = f"""Call `{name}` of the callbacks."""
    return method


def _hook_of_epoch(name: str) -> Callable[..., None]:
    def method(self: CallbackList, epoch: int, logs: Any = None) -> None:
        self.call(name, epoch, {} if logs is None else logs)

    method.__doc__ = f"""Call `{name}` of the callbacks."""
    return method


def _hook_of_batch(name: str) -> Callable[..., None]:
    def method(self: CallbackList, batch: int, logs: Any = None) -> None:
        self.call(name, batch, {} if logs is None else logs)

    method.__doc__ = f"""Call `{name}` of the callbacks."""
    return method


class CallbackList:
    """Calls the hooks of several callbacks, in order (see `Callback.order`); for loops of one's own, as in Keras.

    Args:
        callbacks: The callbacks, or one; None for none.
        add_history: Whether to add a `History`, which also becomes `model.history`, unless there is one.
        add_progbar: Whether to put a progress bar first, unless there is one; `verbose` does so, too, if it is not 0.
        model: The model that is trained.
        **params: What callbacks find in `params`: `epochs`, `steps`, `verbose`.

    Example:
        >>> from portanet import callbacks
        >>> show = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs))
        >>> listeners = callbacks.CallbackList([show], epochs=1)
        >>> listeners.on_train_begin()
        >>> listeners.on_epoch_end(0, {"loss": 0.5})
        0 {'loss': 0.5}
    """

    model: Any = None
    """The model that is trained."""

    def __init__(
        self,
        callbacks: Callback | Iterable[Callback] | None = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        given = () if callbacks is None else (callbacks,) if isinstance(callbacks, Callback) else callbacks
        ordered: list[Callback] = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else [given]
        for callback in ordered:
            if not isinstance(callback, Callback):
                raise TypeError(
                    "Argument `callbacks` must be an object of portanet.callbacks.Callback, or a list of them; make "
                    "one of a function with callbacks.LambdaCallback, of a class by calling it. "
                    f"Received: {callback!r}"
                )
        verbose = params.get("verbose", int(checks.boolean("add_progbar", add_progbar, type(self))))
        silent = isinstance(verbose, Integral) and verbose == 0
        if not silent and not any(isinstance(callback, ProgressBar) for callback in ordered):
            ordered.insert(0, ProgressBar(verbose))
        if checks.boolean("add_history", add_history, type(self)):
            record = next((callback for callback in ordered if isinstance(callback, History)), None)
            if record is None:
                ordered.append(record := History())
            if model is not None:
                model.history = record
        self.model, self.params = model, params
        for callback in ordered:
            callback.set_model(model)
            callback.set_params(params)
        self.callbacks = sorted(ordered, key=lambda callback: callback.order)
        self._hooks: dict[str, list[Callable[..., None]]] = {}
        self._steps = getattr(model, "steps_per_execution", 1)
        self._open: tuple[str, int, Any] | None = None

    def call(self, hook: str, *args: Any) -> None:
        """Call a hook, such as `on_epoch_end`, on the callbacks that implement it."""
        if hook not in self._hooks:
            names = (hook, hook.replace("_train_batch_", "_batch_"))
            callbacks = [each for each in self.callbacks if writes_files() or not each.first_process_only]
            chosen = [(each, next((name for name in names if _implements(each, name)), None)) for each in callbacks]
            self._hooks[hook] = [getattr(each, name) for each, name in chosen if name is not None]
        for function in self._hooks[hook]:
            function(*args)

    def append(self, callback: Callback) -> None:
        """Add a callback, which is called after those of its order."""
        self.callbacks = sorted([*self.callbacks, callback], key=lambda callback: callback.order)
        self._hooks = {}

    def set_params(self, params: dict[str, Any]) -> None:
        """Set the arguments of `fit` on all callbacks."""
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        """Set the model of all callbacks."""
        self.model = model
        for callback in self.callbacks:
            callback.set_model(model)

    def begin_batch(self, kind: str, number: int) -> None:
        """Call `on_{kind}_batch_begin` where an execution begins; see `steps_per_execution` of `compile`."""
        if number % self._steps == 0:
            self.call(f"on_{kind}_batch_begin", number, {})

    def end_batch(self, kind: str, number: int, logs: Any) -> None:
        """Call `on_{kind}_batch_end` where an execution ends."""
        if (number + 1) % self._steps == 0:
            self.call(f"on_{kind}_batch_end", number, logs)
            self._open = None
        else:
            self._open = kind, number, logs

    def end_batches(self) -> None:
        """The same after the last batch, where that ends no full execution; with the number of that, as in Keras."""
        if self._open is not None:
            kind, number, logs = self._open
            self._open = None
            number += self._steps - 1 - number % self._steps
            self.call(f"on_{kind}_batch_end", number, logs)

    def get_states(self) -> list[list[Any]]:
        """The states of the callbacks for a resumed run: the name of the class and `get_state()` of each."""
        return [[type(callback).__name__, callback.get_state()] for callback in self.callbacks]

    def set_states(self, states: Iterable[Iterable[Any]]) -> None:
        """Restore states from an earlier run, matching callbacks by class name, in order."""
        remaining = [(str(name), state) for name, state in states]
        for callback in self.callbacks:
            match = next((entry for entry in remaining if entry[0] == type(callback).__name__), None)
            if match is not None:
                remaining.remove(match)
                callback.set_state(match[1])

    on_train_begin, on_train_end = _hook("on_train_begin"), _hook("on_train_end")
    on_test_begin, on_test_end = _hook("on_test_begin"), _hook("on_test_end")
    on_predict_begin, on_predict_end = _hook("on_predict_begin"), _hook("on_predict_end")
    on_epoch_begin, on_epoch_end = _hook_of_epoch("on_epoch_begin"), _hook_of_epoch("on_epoch_end")
    on_batch_begin, on_batch_end = _hook_of_batch("on_train_batch_begin"), _hook_of_batch("on_train_batch_end")
    on_train_batch_begin, on_train_batch_end = on_batch_begin, on_batch_end
    on_test_batch_begin, on_test_batch_end = _hook_of_batch("on_test_batch_begin"), _hook_of_batch("on_test_batch_end")
    on_predict_batch_begin = _hook_of_batch("on_predict_batch_begin")
    on_predict_batch_end = _hook_of_batch("on_predict_batch_end")


def _implements(callback: Callback, hook: str) -> bool:
    """Whether a callback implements a hook, in its class or as an attribute of the instance."""
    return overrides(type(callback), Callback, hook) or hook in vars(callback)
