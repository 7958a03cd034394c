"""A layer with an optimizer, whose state goes where the layer goes."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, Self
from weakref import WeakKeyDictionary

from portanet.backends import Backend
from portanet.layers import Layer
from portanet.optimizers import Optimizer
from portanet.optimizers.base import State
from portanet.optimizers.state import rescaled, unscaled
from portanet.tree import tree_map
from portanet.variables import moved

Known = tuple[list[str], State]


class Optimized(Layer):
    """A layer and the states of its optimizers: moments, number of steps and so on, by the layer's paths.

    A state belongs to one optimizer and one layer. So an optimizer goes on where it was when it is used again, and
    trains several models independently. Copies and files hold the state of the present optimizer.
    """

    optimizer: Optimizer | None = None
    optimizer_state: Known | None = None
    """Paths of the weights that are or were trained, and the optimizer's state for them."""
    _earlier: MutableMapping[Optimizer, Known] | None = None
    """The states of earlier optimizers; each is forgotten with its optimizer."""

    def replace_optimizer(self, optimizer: Optimizer) -> None:
        """Use an optimizer, from its own state if it has trained this layer before."""
        earlier = self._earlier = WeakKeyDictionary() if self._earlier is None else self._earlier
        if self.optimizer is not None and self.optimizer_state is not None:
            earlier[unscaled(self.optimizer)] = self.optimizer_state
        known = earlier.pop(unscaled(optimizer), None)
        self.optimizer = optimizer
        self.optimizer_state = None if known is None else (known[0], rescaled(optimizer, known[1]))

    def to(self, name: str | Backend, device: Any = None, dtype: str | None = None) -> Self:
        """Move the weights and the optimizer's state to another backend or device; see `Layer.to`."""
        variable = self.first_variable()
        source = None if variable is None else variable.backend
        super().to(name, device, dtype)

        def move(known: Known) -> Known:
            if variable is None or source is None:  # no weights, no state
                return known
            target = variable.backend
            return known[0], tree_map(lambda leaf: moved(leaf, source, target), known[1])

        if self.optimizer_state is not None:
            self.optimizer_state = move(self.optimizer_state)
        for optimizer, known in list((self._earlier or {}).items()):
            self._earlier[optimizer] = move(known)  # type: ignore[index]
        return self

    def __getstate__(self) -> dict[str, Any]:
        """The contents of copies and pickles, without other optimizers."""
        return {name: value for name, value in super().__getstate__().items() if name != "_earlier"}
