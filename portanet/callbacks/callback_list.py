"""Several callbacks at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from portanet.callbacks.base import Callback
from portanet.callbacks.progress import ProgressBar


class CallbackList:
    """Calls the hooks of several callbacks, in order; see `Callback.order`.

    A progress bar comes first, unless one is among the callbacks, or `params["verbose"]` is 0 or missing.

    Args:
        callbacks: The callbacks.
        model: The model that is trained.
        params: How training was asked for.
    """

    def __init__(self, callbacks: Iterable[Callback], model: Any, params: dict[str, Any]) -> None:
        given = list(callbacks)
        for callback in given:
            if not isinstance(callback, Callback):
                raise TypeError(
                    f"Argument `callbacks` must hold portanet.callbacks.Callback objects. Received: {callback!r}"
                )
        if params.get("verbose", 0) != 0 and not any(isinstance(callback, ProgressBar) for callback in given):
            given.insert(0, ProgressBar(params["verbose"]))
        for callback in given:
            callback.set_model(model)
            callback.set_params(params)
        self.callbacks = sorted(given, key=lambda callback: callback.order)
        self._hooks: dict[str, list[Callable[..., None]]] = {}

    def call(self, hook: str, *args: Any) -> None:
        """Call a hook, such as `on_epoch_end`, of those callbacks that implement it."""
        if hook not in self._hooks:
            self._hooks[hook] = [getattr(each, hook) for each in self.callbacks if _implements(each, hook)]
        for function in self._hooks[hook]:
            function(*args)

    def get_states(self) -> list[list[Any]]:
        """What a resumed run must know of the callbacks: for each, the name of its class and `get_state()`."""
        return [[type(callback).__name__, callback.get_state()] for callback in self.callbacks]

    def set_states(self, states: Iterable[Iterable[Any]]) -> None:
        """Give callbacks the states that those of their class had in an earlier run, the first to the first."""
        waiting = [(str(name), state) for name, state in states]
        for callback in self.callbacks:
            found = next((entry for entry in waiting if entry[0] == type(callback).__name__), None)
            if found is not None:
                waiting.remove(found)
                callback.set_state(found[1])


def _implements(callback: Callback, hook: str) -> bool:
    """Whether a callback does anything at a moment, by a method of its class or a function of its own."""
    return getattr(type(callback), hook) is not getattr(Callback, hook) or hook in vars(callback)
