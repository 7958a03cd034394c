"""A layer with an optimizer, whose state goes where the layer goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from types import SimpleNamespace
from typing import Any, Self
from weakref import WeakKeyDictionary, ref

from portanet.backends import Backend, BackendName, raw_namespace
from portanet.distribution.slices import Slices
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
    _kept: Known | None = None
    """The optimizer's state as this process keeps it: whole, or its slice."""
    _slices: Slices | None = None
    """How it is cut; None if it is whole."""
    _shapes: Mapping[str, tuple[int, ...]] = {}
    """The shapes of the weights whose state is cut."""
    _earlier: MutableMapping[Optimizer, Known] | None = None
    """The states of earlier optimizers; each is forgotten with its optimizer."""
    _known = SimpleNamespace(variables={})
    """The variables that the states are of, by path."""

    @property
    def optimizer_state(self) -> Known | None:
        """Paths of the weights that are or were trained, and the optimizer's state for them.

        Where each process keeps a slice of it, all of them must ask for it together; the next step cuts it again.
        """
        if self._slices is not None and self._kept is not None:
            paths, state = self._kept
            names = [(entry, path) for entry, tree in state.items() if isinstance(tree, dict) for path in tree]
            if names:
                self._slices.processes.meet(
                    "the optimizer's state, of which each keeps a slice (shard_optimizer=True), such as by saving or "
                    "copying a model"
                )
            whole = self._slices.whole(
                {f"{entry} {path}": state[entry][path] for entry, path in names},
                {f"{entry} {path}": self._shapes[path] for entry, path in names},
            )
            trees: State = {}
            for entry, path in names:
                trees.setdefault(entry, {})[path] = whole[f"{entry} {path}"]
            self.optimizer_state = paths, state | trees
        return self._kept

    @optimizer_state.setter
    def optimizer_state(self, value: Known | None) -> None:
        self._kept, self._slices, self._shapes = value, None, {}

    @property
    def optimizer_numbers(self) -> State:
        """The entries of the optimizer's state that are not of weights, which each process has: it asks no other."""
        _, state = self._kept or ([], {})
        return {entry: value for entry, value in state.items() if not isinstance(value, dict)}

    def _state_in(self, slices: Slices | None) -> Known | None:
        """The optimizer's state as a step of training takes it: this process's slice of it, or whole."""
        if slices is None:
            return self.optimizer_state
        whole = self._slices is None
        self._slices = slices
        if whole:
            self._shapes = {path: variable.shape for path, variable in self.named_variables().items()}
            if self._kept is not None:
                paths, state = self._kept
                # Copies, of which views would keep the whole.
                self._kept = (
                    paths,
                    {
                        entry: tree_map(_copy, slices.cut(tree)) if isinstance(tree, dict) else tree
                        for entry, tree in state.items()
                    },
                )
        return self._kept

    def _keep_state(self, paths: list[str], state: State) -> None:
        """Keep what follows the result of `_state_in`, be it a slice or whole."""
        self._kept = paths, state
        if self._slices is not None:
            shapes = {path: variable.shape for path, variable in self.named_variables().items()}
            self._shapes = shapes | dict(self._shapes)

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

    def to(self, name: BackendName | Backend, device: Any = None, dtype: str | None = None) -> Self:
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
        whole: dict[str, Any] = {"_kept": self.optimizer_state, "_slices": None, "_shapes": {}}
        return {name: value for name, value in {**super().__getstate__(), **whole}.items() if name != "_earlier"}


def _copy(x: Any) -> Any:
    return raw_namespace(x).asarray(x, copy=True)
