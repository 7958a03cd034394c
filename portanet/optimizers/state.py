"""The state of an optimizer where parameters are frozen and thawed: its entries by path are divided, joined, extended.

A state is a dict of scalars, and of dicts by path such as the slots. It belongs to one optimizer and one model.
"""

from __future__ import annotations

from collections.abc import Container, Mapping

from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.optimizers.base import Optimizer, State
from portanet.optimizers.loss_scale import LossScaleOptimizer


def extended(optimizer: Optimizer, state: State, params: Mapping[str, Array]) -> State:
    """The state with entries for further parameters; the number of steps and other scalars stay.

    Example:
        >>> import numpy as np
        >>> from portanet.optimizers import Adam
        >>> state = Adam().init({"a": np.ones(1)}) | {"iterations": np.asarray(3)}
        >>> state = extended(Adam(), state, {"b": np.ones(1)})
        >>> int(state["iterations"]), list(state["m"])
        (3, ['a', 'b'])
    """
    return joined(_begun(optimizer, params), state) if state else optimizer.init(params)


def completed(optimizer: Optimizer, state: State, params: Mapping[str, Array]) -> State:
    """The state with the entries of options that were set after `init`, such as a momentum.

    Example:
        >>> import numpy as np
        >>> from portanet.optimizers import SGD
        >>> params, sgd = {"a": np.ones(1)}, SGD(0.1)
        >>> state = sgd.init(params)
        >>> sgd.momentum = 0.9
        >>> completed(sgd, state, params)["momentum"]
        {'a': array([0.])}
    """
    return _begun(optimizer, params) | state


def _begun(optimizer: Optimizer, params: Mapping[str, Array]) -> State:
    """The initial state of training that goes on: an average of zeros would be too small for many steps."""
    state = optimizer.init(params)
    if "average" in state:
        state["average"] = {path: array_namespace(p).asarray(p, copy=True) for path, p in params.items()}
    return state


def divided(state: State, paths: Container[str]) -> tuple[State, State]:
    """The state for some parameters, scalars included, and the entries for the others.

    Example:
        >>> divided({"iterations": 3, "m": {"a": 1, "b": 2}}, {"a"})
        ({'iterations': 3, 'm': {'a': 1}}, {'m': {'b': 2}})
    """
    trees = {name: entry for name, entry in state.items() if isinstance(entry, dict)}
    inside = {name: {p: x for p, x in tree.items() if p in paths} for name, tree in trees.items()}
    outside = {name: {p: x for p, x in tree.items() if p not in paths} for name, tree in trees.items()}
    return state | inside, outside


def joined(outside: State, state: State) -> State:
    """The state with the entries of another one for other parameters; its own scalars count.

    Example:
        >>> joined({"m": {"b": 2}}, {"iterations": 4, "m": {"a": 1}})
        {'iterations': 4, 'm': {'a': 1, 'b': 2}}
    """
    others = {name: entry for name, entry in outside.items() if isinstance(entry, dict)}
    return state | {name: {**state.get(name, {}), **tree} for name, tree in others.items()}


def unscaled(optimizer: Optimizer) -> Optimizer:
    """The optimizer inside one with loss scaling: `compile` may wrap it anew each time."""
    return unscaled(optimizer.inner_optimizer) if isinstance(optimizer, LossScaleOptimizer) else optimizer


def rescaled(optimizer: Optimizer, state: State) -> State:
    """The state of an optimizer that was used with loss scaling, for one without, or the other way round.

    Example:
        >>> import numpy as np
        >>> from portanet.optimizers import SGD
        >>> state = SGD(0.1).init({"a": np.ones(1)})
        >>> list(rescaled(LossScaleOptimizer("sgd"), state))
        ['dynamic_scale', 'step_counter', 'iterations', 'learning_rate']
        >>> list(rescaled(SGD(0.1), rescaled(LossScaleOptimizer("sgd"), state)))
        ['iterations', 'learning_rate']
    """
    if not state:
        return state
    if isinstance(optimizer, LossScaleOptimizer):
        return optimizer.init_scale(state["iterations"]) | state
    return {name: entry for name, entry in state.items() if name not in ("dynamic_scale", "step_counter")}
