"""How processes that each train weights of their own bring them together; see `portanet.distribution.LocalSGD`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from portanet.backends import Array, HostArray, is_dtype
from portanet.distribution.local import LocalSGD
from portanet.distribution.strategy import distribution
from portanet.training.history import LatestLogs, Totals
from portanet.tree import tree_leaves, tree_map

if TYPE_CHECKING:
    from portanet.training.loops import TrainingRun


def _strategy() -> LocalSGD | None:
    """How weights are brought together; None where all processes train the same ones."""
    strategy = distribution()
    return strategy if isinstance(strategy, LocalSGD) and strategy.size > 1 else None


def after_step(run: TrainingRun) -> None:
    """Bring the weights together, if it is time."""
    strategy = _strategy()
    if strategy is not None and strategy.is_due(run.model):
        position = run.model.position
        _require_alike(strategy, f"epoch {position.epoch}, batch {position.batch}")
        _set(run, strategy, strategy.bring_together(run.model, _own(run, strategy)))


def after_epoch(run: TrainingRun, totals: Totals | LatestLogs) -> Callable[[], None] | None:
    """Bring together what the processes have, for all to see: losses, metrics and weights.

    Returns:
        What lets this process go on with weights of its own, if it has any.
    """
    strategy, model = _strategy(), run.model
    if strategy is None:
        return None
    _require_alike(strategy, f"end of epoch {model.position.epoch}")
    if isinstance(totals, Totals):
        _add_up(totals, strategy)
    own = strategy.bring_together(model, _own(run, strategy))
    _set(run, strategy, strategy.shown(model, own))
    if not strategy.stays_apart:
        return None
    shown = [variable.value for variable in run.variables.values()]

    def go_on() -> None:
        if all(v.value is value for v, value in zip(run.variables.values(), shown, strict=True)):
            _set(run, strategy, own)
        else:  # a callback has set other weights
            strategy.forget(model)

    return go_on


def _add_up(totals: Totals, strategy: LocalSGD) -> None:
    totals.fetch()
    assert strategy.processes is not None
    names = sorted(totals.sums)
    sums = iter(strategy.processes.sum([np.asarray(each) for name in names for each in totals.sums[name]]))
    for name in names:
        totals.sums[name] = [next(sums) for _ in totals.sums[name]]


def values(run: TrainingRun) -> list[Array]:
    """All numbers of a run: the weights and the optimizer's state."""
    assert run.model.optimizer_state is not None
    return [*(v.value for v in run.variables.values()), *tree_leaves(run.model.optimizer_state[1])]


def replace(run: TrainingRun, new: list[HostArray | None]) -> None:
    """Give a run other numbers, in the order of `values`; None for those that stay."""
    backend = run.model.backend
    assert run.model.optimizer_state is not None
    paths, state = run.model.optimizer_state
    moved = [
        value if host is None else backend.xp.astype(backend.from_host(host), value.dtype)
        for host, value in zip(new, values(run), strict=True)
    ]
    for variable, value in zip(run.variables.values(), moved, strict=False):
        if value is not variable.value:
            variable.take(value)
    rest = iter(moved[len(run.variables) :])
    run.model.optimizer_state = paths, tree_map(lambda _: next(rest), state)
    run.rate_arrays = {}
    run.take_over_learning_rate()


def _require_alike(strategy: LocalSGD, place: str) -> None:
    # Else sums of one thing would be added to sums of another.
    strategy.require_alike("place in training, and callbacks that stop it there", place)


def _exchanged(run: TrainingRun, strategy: LocalSGD) -> list[bool]:
    """Which of `values` are brought together."""
    xp, count = run.model.backend.xp, len(run.variables)
    return [
        (i < count or not strategy.stays_apart) and is_dtype(xp, value.dtype, ("real floating", "complex floating"))
        for i, value in enumerate(values(run))
    ]


def _own(run: TrainingRun, strategy: LocalSGD) -> list[HostArray]:
    to_host = run.model.backend.to_host
    return [to_host(v) for v, chosen in zip(values(run), _exchanged(run, strategy), strict=True) if chosen]


def _set(run: TrainingRun, strategy: LocalSGD, new: list[HostArray]) -> None:
    given = iter(new)
    replace(run, [next(given) if chosen else None for chosen in _exchanged(run, strategy)])
