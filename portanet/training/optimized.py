"""A layer with an optimizer, whose state goes where the layer goes."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from types import SimpleNamespace
from typing import Any, Self
from weakref import WeakKeyDictionary, ref

from portanet.backends import Backend
from portanet.optimizers import Optimizer
from portanet.optimizers.applied import models
from portanet.optimizers.base import State
from portanet.optimizers.state import divided, rescaled, unscaled
from portanet.training.planned_calls import PlannedCalls
from portanet.tree import tree_map
from portanet.variables import Variable, moved

Known = tuple[list[str], State]


class Optimized(PlannedCalls):
    """A layer and the states of its optimizers: moments, number of steps and so on, by the layer's paths.

    A state belongs to one optimizer and one layer. So an optimizer goes on where it was when it is used again, and
    trains several models independently. Copies and files hold the state of the present optimizer.
    """

    optimizer: Optimizer | None = None
    optimizer_state: Known | None = None
    """Paths of the weights that are or were trained, and the optimizer's state for them."""
    _earlier: MutableMapping[Optimizer, Known] | None = None
    """The states of earlier optimizers; each is forgotten with its optimizer."""
    _known = SimpleNamespace(variables={})
    """The variables that the states are of, by path."""

    def _replace_optimizer(self, optimizer: Optimizer) -> None:
        """Use an optimizer, from its own state if it has trained this layer before."""
        earlier = self._earlier = WeakKeyDictionary() if self._earlier is None else self._earlier
        if self.optimizer is not None and self.optimizer_state is not None:
            earlier[unscaled(self.optimizer)] = self.optimizer_state
        known = earlier.pop(unscaled(optimizer), None)
        self.optimizer = optimizer
        models[optimizer] = models[unscaled(optimizer)] = ref(self)
        self.optimizer_state = None if known is None else (known[0], rescaled(optimizer, known[1]))

    def _follow(self, variables: dict[str, Variable]) -> bool:
        """Forget the states of weights in whose place there are other ones now, such as those of a new last layer.

        Args:
            variables: The variables of the layer by path.

        Returns:
            Whether there are such weights.
        """
        known, self._known = self._known, SimpleNamespace(variables=variables)
        replaced = {p for p, v in known.variables.items() if variables.get(p) is not v}
        if not replaced:
            return False

        def rest(known: Known) -> Known:
            paths = [path for path in known[0] if path not in replaced]
            return paths, divided(known[1], set(paths))[0]

        self._change(rest)
        return True

    def _change(self, function: Callable[[Known], Known]) -> None:
        """Replace the state of every optimizer."""
        if self.optimizer_state is not None:
            self.optimizer_state = function(self.optimizer_state)
        earlier = self._earlier or {}
        for optimizer, known in list(earlier.items()):
            earlier[optimizer] = function(known)

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

        self._change(move)
        return self

    def __getstate__(self) -> dict[str, Any]:
        """The contents of copies and pickles, without other optimizers."""
        return {name: value for name, value in super().__getstate__().items() if name != "_earlier"}
