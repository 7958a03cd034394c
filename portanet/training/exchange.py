"""How processes that each train weights of their own bring them together; see `portanet.distribution.LocalSGD`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from portanet.backends import Array, HostArray, is_dtype
from portanet.distribution.local import LocalSGD
from portanet.distribution.slices import Slices
from portanet.distribution.strategy import distribution
from portanet.optimizers import Optimizer
from portanet.optimizers.state import unscaled
from portanet.training.history import LatestLogs, Totals
from portanet.training.objective import AnyTargets
from portanet.tree import tree_leaves, tree_map

if TYPE_CHECKING:
    from portanet.training.loops import TrainingRun


def _strategy() -> LocalSGD | None:
    """How weights are brought together; None where all processes train the same ones."""
    strategy = distribution()
    return strategy if isinstance(strategy, LocalSGD) and strategy.size > 1 else None


def slices(optimizer: Optimizer, objective: Any) -> Slices | None:
    """How the optimizer's state is cut among the processes; None where each has all of it.

    Raises:
        ValueError: The optimizer looks at whole weights.
    """
    strategy = distribution()
    cut = None if strategy is None or isinstance(objective, AnyTargets) else strategy.slices
    if cut is not None and not optimizer.elementwise:
        raise ValueError(
            "Argument `shard_optimizer` of DataParallel must be False with an optimizer that looks at whole weights; "
            "SGD, Adam, AdamW and others treat each element by itself. "
            f"Received: optimizer '{optimizer.name}' of class {type(unscaled(optimizer)).__name__}"
        )
    return cut


def after_step(run: TrainingRun) -> None:
    """Bring the weights together, if it is time."""
    strategy = _strategy()
    if strategy is not None and strategy.is_due(run.model):
        position = run.model.position
        if not strategy.asynchronous:
            _require_alike(strategy, f"epoch {position.epoch}, batch {position.batch}")
        _set(run, strategy, _brought_together(run, strategy))


def after_epoch(run: TrainingRun, totals: Totals | LatestLogs) -> Callable[[], None] | None:
    """Bring together what the processes have, for all to see: losses, metrics and weights.

    Returns:
        What lets this process go on.
    """
    strategy, model = _strategy(), run.model
    if strategy is None:
        return None
    _require_alike(strategy, f"end of epoch {model.position.epoch}")
    if isinstance(totals, Totals):
        _add_up(totals, strategy)
    own = _brought_together(run, strategy)
    _set(run, strategy, strategy.shown(model, own))
    shown = [variable.value for variable in run.variables.values()]

    def go_on() -> None:
        if all(v.value is value for v, value in zip(run.variables.values(), shown, strict=True)):
            if strategy.stays_apart:
                _set(run, strategy, own)
        else:  # a callback has set other weights
            strategy.forget(model)

    return go_on


def finish(run: TrainingRun) -> None:
    """Forget what weights were tied to, after training."""
    strategy = _strategy()
    if strategy is not None:
        strategy.forget(run.model)


def _add_up(totals: Totals, strategy: LocalSGD) -> None:
    totals.fetch()
    assert strategy.processes is not None
    names = sorted(totals.sums)
    sums = iter(strategy.processes.sum([np.asarray(each) for name in names for each in totals.sums[name]]))
    for name in names:
        totals.sums[name] = [next(sums) for _ in totals.sums[name]]


def values(run: TrainingRun) -> list[Array]:
    """The numbers of a run that all processes have: the weights and the optimizer's state, apart from slices of it."""
    assert run.model._kept is not None
    state = run.model._kept[1] if run.model._slices is None else run.model.optimizer_numbers
    return [*(v.value for v in run.variables.values()), *tree_leaves(state)]


def replace(run: TrainingRun, new: list[Array | None]) -> None:
    """Give a run other numbers, in the order of `values`; None for those that stay."""
    xp = run.model.backend.xp
    assert run.model._kept is not None
    paths, state = run.model._kept
    moved = [
        value if other is None else xp.astype(other, value.dtype) for other, value in zip(new, values(run), strict=True)
    ]
    for variable, value in zip(run.variables.values(), moved, strict=False):
        if value is not variable.value:
            variable.take(value)
    rest = iter(moved[len(run.variables) :])
    alike = state if run.model._slices is None else run.model.optimizer_numbers
    run.model._kept = paths, state | tree_map(lambda _: next(rest), alike)
    run.rate_arrays = {}
    run.take_over_learning_rate()


def _require_alike(strategy: LocalSGD, place: str) -> None:
    # Else sums of one thing would be added to sums of another.
    strategy.require_alike("place in training, and callbacks that stop it there", place)


def _exchanged(run: TrainingRun, strategy: LocalSGD) -> list[bool]:
    """Which of `values` are brought together."""
    xp, count = run.model.backend.xp, len(run.variables)
    return [
        (i < count or strategy.brings_moments) and is_dtype(xp, value.dtype, ("real floating", "complex floating"))
        for i, value in enumerate(values(run))
    ]


def _brought_together(run: TrainingRun, strategy: LocalSGD) -> list[HostArray]:
    """What this process goes on with."""
    to_host, paths = run.model.backend.to_host, [*run.variables, *[""] * len(values(run))]
    chosen = [i for i, exchanged in enumerate(_exchanged(run, strategy)) if exchanged]
    own, trained = [to_host(values(run)[i]) for i in chosen], set(run.trained)
    return strategy.bring_together(run.model, own, [paths[i] in trained for i in chosen])


def _set(run: TrainingRun, strategy: LocalSGD, new: list[HostArray]) -> None:
    given = map(run.model.backend.from_host, new)
    replace(run, [next(given) if chosen else None for chosen in _exchanged(run, strategy)])
