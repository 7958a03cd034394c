"""Ends training when the loss is not finite, and reports the cause."""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import numpy as np

from portanet import checks
from portanet.backends import HostArray, use_backend
from portanet.callbacks.base import Callback, Logs
from portanet.callbacks.watch import all_layers, watched
from portanet.distribution.strategy import apart
from portanet.tree import tree_leaves
from portanet.variables import bind


class TerminateOnNaN(Callback):
    """Ends training when the loss is NaN or infinite, as `keras.callbacks.TerminateOnNaN`, and reports the cause.

    Once the loss is not finite, all weights may be NaN too. So the weights before the last two steps are stored, and
    those steps are computed again, layer by layer. The report names the first layer whose output is not finite, else
    the loss, the gradient or the updated weight.

    It fetches the loss after every batch and copies the weights on the device before it: use it only for debugging.

    Args:
        raise_error: Whether to raise an error instead of ending training normally.

    Attributes:
        report: The cause; None as long as the loss is finite.

    Raises:
        RuntimeError: The loss is not finite, with `raise_error`.

    Example:
        >>> import numpy as np
        >>> import portanet
        >>> from portanet import layers
        >>> model = portanet.Sequential([layers.Input((2,)), layers.Dense(1, activation="exponential")])
        >>> model.layers[0].set_weights([np.full((2, 1), 500.0), np.zeros(1)])
        >>> model.compile("sgd", "mse")
        >>> stop = portanet.callbacks.TerminateOnNaN()
        >>> with np.errstate(all="ignore"):
        ...     _ = model.fit(np.ones((8, 2)), np.ones((8, 1)), epochs=5, verbose=0, callbacks=[stop])
        Epoch 1, batch 1: the loss is inf, training ends. First to go bad: the result of layer 'dense' (Dense) in batch
        1, 8 of whose 8 elements are not finite (inf); its inputs are finite, up to 1.
    """

    def __init__(self, raise_error: bool = False) -> None:
        self.raise_error = checks.boolean("raise_error", raise_error, type(self))
        self.on_train_begin()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.report: str | None = None
        self._steps: deque[tuple[int, Any, dict[str, Any]]] = deque(maxlen=2)
        """Number, batch, and copies of all variables before the step, for each of the last two steps."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        copy = self.model.backend.xp.asarray
        values = {path: copy(variable.value, copy=True) for path, variable in self.model.named_variables().items()}
        self._steps.append((batch, self.model.batch, values))

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        with np.errstate(all="ignore"):
            cause = self._cause()
        epoch = self.model.position.epoch + 1
        self.report = f"Epoch {epoch}, batch {batch + 1}: the loss is {loss}, training ends. First to go bad: {cause}"
        if self.raise_error:
            raise RuntimeError(self.report)
        print(self.report)
        self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        self._steps.clear()

    def _cause(self) -> str:
        """The first value that is not finite in the stored steps."""
        variables = self.model.named_variables()
        earlier = ""
        for number, batch, values in self._steps:
            for path, value in values.items():
                if bad := self._bad(value):
                    return f"weight '{path}', {bad} before batch {number + 1}{earlier}."
            with (
                use_backend(self.model.backend),
                bind({variables[path]: value for path, value in values.items()}),
            ):
                cause = self._in_data(batch) or self._in_layers(batch[0]) or self._in_gradients(batch)
            if cause:
                return cause.format(where=f"in batch {number + 1}")
            earlier = (
                ", though its gradient was finite: the update was too large, or divided by zero. Try a smaller "
                "learning rate or clipnorm"
            )
        return "not reproduced by computing the last steps again; the update, or a metric, may be the cause."

    def _in_data(self, batch: Any) -> str:
        for name, part in zip(("x", "y", "sample_weight"), batch, strict=True):
            for leaf in tree_leaves(part):
                if bad := self._bad(leaf):
                    return f"the data: {name} {{where}}, {bad}."
        return ""

    def _in_layers(self, x: Any) -> str:
        layers = all_layers(self.model)
        causes: list[str] = []

        def check(path: str, args: Any, kwargs: Any, result: Any) -> None:
            bad = next(filter(None, map(self._bad, tree_leaves(result))), "")
            if bad and not causes:
                largest = max((np.max(np.abs(leaf), initial=0.0) for leaf in self._floats(args)), default=0.0)
                kind = type(layers[path]).__name__
                causes.append(
                    f"the result of layer '{path}' ({kind}) {{where}}, {bad}; "
                    f"its inputs are finite, up to {largest:.4g}."
                )

        with watched(layers, check):
            self.model(x, training=True)
        return causes[0] if causes else ""

    def _in_gradients(self, batch: Any) -> str:
        with apart():  # other processes may have found a cause before this
            loss, gradients = self.model.loss_and_gradients(*batch)
        if bad := self._bad(loss):
            return f"the loss {{where}}, {bad}, though the model's outputs are finite."
        for path in reversed(self.model.trainable_paths()):  # the order of the backward pass
            if bad := self._bad(gradients[path]):
                return f"the gradient of weight '{path}' {{where}}, {bad}, though the loss is finite."
        return ""

    def _floats(self, tree: Any) -> list[HostArray]:
        """The floating-point arrays of a tree, on the host."""
        xp, to_host = self.model.backend.xp, self.model.backend.to_host
        arrays = [leaf for leaf in tree_leaves(tree) if hasattr(leaf, "dtype")]
        return [to_host(leaf) for leaf in arrays if xp.isdtype(leaf.dtype, "real floating")]

    def _bad(self, value: Any) -> str:
        """A description of the elements that are not finite; empty if all are finite."""
        for host in self._floats(value):
            count = int(np.sum(~np.isfinite(host)))
            if count:
                kinds = " and ".join(n for n, test in (("nan", np.isnan), ("inf", np.isinf)) if np.any(test(host)))
                return f"{count} of whose {host.size} elements are not finite ({kinds})"
        return ""
