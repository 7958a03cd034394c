"""Several optimizers for parts of a model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from portanet import checks, optimizers
from portanet.autodiff import array_namespace
from portanet.backends import Array, device_of
from portanet.configurable import Configurable, overrides
from portanet.optimizers.base import Optimizer, State, Tree
from portanet.optimizers.custom import StandIn
from portanet.optimizers.loss_scale import LossScaleOptimizer


class OptimizerMap(Configurable):
    """Optimizers by patterns of the paths of variables; as `keras.optimizers.OptimizerMap`.

    Args:
        default_optimizer: The optimizer of variables that match no pattern.
        optimizer_map: Optimizers by regular expressions, which match a whole path: `{"encoder/.*": Adam()}`.

    Example:
        >>> from portanet import optimizers
        >>> chosen = OptimizerMap(optimizers.SGD(), {"encoder/.*": optimizers.Adam()})
        >>> chosen["encoder/dense/kernel"].name, chosen["head/kernel"].name
        ('adam', 'sgd')
    """

    def __init__(self, default_optimizer: Optimizer, optimizer_map: Mapping[str, Optimizer] | None = None) -> None:
        self.default_optimizer = _checked("default_optimizer", default_optimizer)
        self._optimizers: dict[str, Optimizer] = {}
        given = {} if optimizer_map is None else checks.mapping("optimizer_map", optimizer_map, type(self))
        for pattern, optimizer in given.items():
            self[pattern] = optimizer

    def __getitem__(self, path: str) -> Optimizer:
        if path in self._optimizers:
            return self._optimizers[path]
        matching = [pattern for pattern in self._optimizers if re.fullmatch(pattern, path)]
        if len(matching) > 1:
            raise ValueError(f"OptimizerMap has several optimizers for '{path}'. Received: {', '.join(matching)}")
        return self._optimizers[matching[0]] if matching else self.default_optimizer

    def __setitem__(self, pattern: str, optimizer: Optimizer) -> None:
        checks.text("key", pattern, type(self))
        if pattern in self._optimizers:
            raise ValueError(f"OptimizerMap has an optimizer for '{pattern}' already. Received: {optimizer!r}")
        self._optimizers[pattern] = _checked("optimizer", optimizer)

    def __delitem__(self, pattern: str) -> None:
        del self._optimizers[pattern]

    def __len__(self) -> int:
        return len(self._optimizers)

    def __iter__(self) -> Iterator[str]:
        return iter(self._optimizers)

    def keys(self) -> Iterable[str]:
        """The patterns."""
        return self._optimizers.keys()

    def values(self) -> Iterable[Optimizer]:
        """The optimizers of the patterns."""
        return self._optimizers.values()

    def __call__(self, variable: Any) -> Optimizer:
        """The optimizer of a variable."""
        return self[variable.path]

    def get_config(self) -> dict[str, Any]:
        """The arguments that create an equal map."""
        return {"default_optimizer": self.default_optimizer, "optimizer_map": dict(self._optimizers)}


class MultiOptimizer(Optimizer):
    """Trains parts of a model by optimizers of their own; as `keras.optimizers.MultiOptimizer`.

    Each has its own learning rate, options and number of steps: see `optimizers`.

    Args:
        optimizer_map: An `OptimizerMap`, or a function from a variable (with `path`, `name` and `shape`) to the
            optimizer that trains it.
        loss_scale_factor: That of all of them.
        name: Name shown in logs.

    Example:
        >>> import numpy as np
        >>> from portanet import optimizers
        >>> both = MultiOptimizer(OptimizerMap(optimizers.SGD(1.0), {"head/.*": optimizers.SGD(0.1)}))
        >>> params = {"body/kernel": np.asarray([5.0]), "head/kernel": np.asarray([5.0])}
        >>> params, state = both.update(params, {path: np.asarray([1.0]) for path in params}, both.init(params))
        >>> params["body/kernel"], params["head/kernel"]
        (array([4.]), array([4.9]))
    """

    def __init__(
        self,
        optimizer_map: OptimizerMap | Callable[[Any], Optimizer],
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(0.0, loss_scale_factor=loss_scale_factor, name=name)
        self.optimizer_map = checks.function("optimizer_map", optimizer_map, type(self))
        self.optimizers: list[Optimizer] = []
        """The optimizers; further ones that a function returns join them."""
        self._numbers: dict[str, int] = {}
        self._rates: tuple[Any, ...] = ()
        if isinstance(optimizer_map, OptimizerMap):
            for optimizer in (*optimizer_map.values(), optimizer_map.default_optimizer):
                self._add(optimizer)

    def _add(self, optimizer: Optimizer) -> int:
        """The number of an optimizer, which joins the others."""
        for number, known in enumerate(self.optimizers):
            if known is optimizer:
                return number
        _checked("optimizer", optimizer).loss_scale_factor = self.loss_scale_factor
        optimizer._part_of = (self, len(self.optimizers))
        self.optimizers.append(optimizer)
        return len(self.optimizers) - 1

    @property
    def learning_rate(self) -> Any:
        """There is none: see `optimizers`."""
        raise AttributeError("MultiOptimizer has no learning rate; its `optimizers` have.")

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if "optimizer_map" in vars(self):
            raise AttributeError(
                f"MultiOptimizer has no learning rate; set that of its `optimizers`. Received: {value}"
            )

    @property
    def rates(self) -> Any:
        """The learning rates of the optimizers; the same object until one changes."""
        rates = tuple(optimizer.rates for optimizer in self.optimizers)
        if len(rates) != len(self._rates) or any(a is not b for a, b in zip(rates, self._rates, strict=True)):
            self._rates = rates
        return self._rates

    def each_rate(self) -> list[tuple[str, str, Any]]:
        return [
            (f"{number}/{rate}", f"{number}/{count}", value)
            for number, optimizer in enumerate(self.optimizers)
            for rate, count, value in optimizer.each_rate()
        ]

    @property
    def entries(self) -> set[str]:
        return {f"{n}/{entry}" for n in set(self._numbers.values()) for entry in self.optimizers[n].entries}

    @property
    def elementwise(self) -> bool:
        # A function of variables may ask for their shapes.
        return isinstance(self.optimizer_map, OptimizerMap) and all(each.elementwise for each in self.optimizers)

    def _parts(self, params: Mapping[str, Array]) -> dict[int, list[str]]:
        """The paths of the parameters of each optimizer."""
        parts: dict[int, list[str]] = {}
        for path, p in params.items():
            if path not in self._numbers:
                self._numbers[path] = self._add(self.optimizer_map(StandIn(path, p)))
            parts.setdefault(self._numbers[path], []).append(path)
        return parts

    def init(self, params: Mapping[str, Array]) -> State:
        if not params:
            return {}
        first = next(iter(params.values()))
        xp = array_namespace(first)
        state: State = {"iterations": xp.zeros((), dtype=xp.int32, device=device_of(first))}
        for number, paths in self._parts(params).items():
            part = self.optimizers[number].init({path: params[path] for path in paths})
            state |= {f"{number}/{entry}": value for entry, value in part.items()}
        return state

    def update(self, params: Tree, grads: Tree, state: State) -> tuple[Tree, State]:
        state["iterations"] = state["iterations"] + 1
        for number, paths in self._parts(params).items():
            part, chosen = part_of(state, number), {path: params[path] for path in paths}
            chosen, part = self.optimizers[number].update(chosen, {path: grads[path] for path in paths}, part)
            params |= chosen
            state |= {f"{number}/{entry}": value for entry, value in part.items()}
        return params, state

    def finalize(self, params: Tree, state: State) -> Tree:
        if not state:
            return params
        for number, paths in self._parts(params).items():
            params = params | self.optimizers[number].finalize({p: params[p] for p in paths}, part_of(state, number))
        return params


def part_of(state: State, number: int) -> State:
    """The state of one of the optimizers."""
    prefix = f"{number}/"
    return {entry.removeprefix(prefix): value for entry, value in state.items() if entry.startswith(prefix)}


def _checked(name: str, optimizer: Any) -> Optimizer:
    """An optimizer that can be one of several."""
    if not isinstance(optimizer, Optimizer) or isinstance(optimizer, (LossScaleOptimizer, MultiOptimizer)):
        expected = "an optimizer, and neither LossScaleOptimizer nor MultiOptimizer"
        raise checks.invalid(name, optimizer, expected, MultiOptimizer)
    if overrides(type(optimizer), Optimizer, "observe") or isinstance(optimizer, optimizers.Lookahead):
        raise checks.invalid(name, optimizer, "an optimizer of Keras, or of the user", MultiOptimizer)
    return optimizer
