"""A list of callbacks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from numbers import Integral
from typing import Any

from portanet.callbacks.base import Callback
from portanet.callbacks.progress import ProgressBar


class CallbackList:
    """Calls the hooks of several callbacks, in order; see `Callback.order`.

    A progress bar is put first, unless the callbacks contain one, or `params["verbose"]` is 0 or missing.

    Args:
        callbacks: The callbacks, or one; None for none.
        model: The model that is trained.
        params: Arguments of `fit`.
    """

    def __init__(self, callbacks: Callback | Iterable[Callback] | None, model: Any, params: dict[str, Any]) -> None:
        given = () if callbacks is None else (callbacks,) if isinstance(callbacks, Callback) else callbacks
        ordered: list[Callback] = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else [given]
        for callback in ordered:
            if not isinstance(callback, Callback):
                raise TypeError(
                    "Argument `callbacks` must be an object of portanet.callbacks.Callback, or a list of them; make "
                    "one of a function with callbacks.LambdaCallback, of a class by calling it. "
                    f"Received: {callback!r}"
                )
        verbose = params.get("verbose", 0)
        silent = isinstance(verbose, Integral) and verbose == 0
        if not silent and not any(isinstance(callback, ProgressBar) for callback in ordered):
            ordered.insert(0, ProgressBar(verbose))
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
            chosen = [
                (each, next((name for name in names if _implements(each, name)), None)) for each in self.callbacks
            ]
            self._hooks[hook] = [getattr(each, name) for each, name in chosen if name is not None]
        for function in self._hooks[hook]:
            function(*args)

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
        """The same after the last batch, where that ends no full execution."""
        if self._open is not None:
            kind, number, logs = self._open
            self._open = None
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


def _implements(callback: Callback, hook: str) -> bool:
    """Whether a callback implements a hook, in its class or as an attribute of the instance."""
    return getattr(type(callback), hook) is not getattr(Callback, hook) or hook in vars(callback)
