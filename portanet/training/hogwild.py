"""A step of training by threads that change the same arrays; see `portanet.distribution.Hogwild`."""

from __future__ import annotations

import contextvars
import functools
import operator
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from portanet.backends import Backend
from portanet.distribution.hogwild import Hogwild
from portanet.distribution.rows import part_of
from portanet.distribution.share import ALONE, Share, sharing
from portanet.training.objective import Statistics
from portanet.training.step import examples, summed

if TYPE_CHECKING:
    from portanet.training.loops import TrainingRun


def shared_step(run: TrainingRun, strategy: Hogwild) -> Callable[..., Any]:
    """As `step.train_step`, of many steps by threads on parts of the batch.

    Args:
        run: The run.
        strategy: How many threads there are, and examples in a step.

    Raises:
        ValueError: Arrays of the backend are not changed in place.
    """
    require_shared_arrays(run.model.backend)
    inner = run.compiled_step(("alone",))

    def step(params: Any, state: Any, slots: Any, sums: Any, x: Any, y: Any, weight: Any) -> Any:
        whole, each = examples(x), strategy.examples_per_step
        trees = params, state, slots
        begin = {count: slots[count] for _, count, _ in run.optimizer.each_rate() if count in slots}

        def work(part: slice) -> list[Statistics]:
            found = []
            for start in range(part.start, part.stop, each):
                share = Share(ALONE, start, min(start + each, part.stop), whole, alone=True)
                with sharing(share):
                    *new, statistics = inner(*map(_same_arrays, trees), None, *share.cut((x, y, weight)))
                for tree, values in zip(trees, new, strict=True):
                    _write(tree, values)
                found.append(statistics)
            return found

        parts = [part_of(whole, i, strategy.threads) for i in range(strategy.threads)]
        with ThreadPoolExecutor(strategy.threads) as pool:
            started = [pool.submit(contextvars.copy_context().run, work, part) for part in parts]
        steps = [statistics for each in started for statistics in each.result()]
        slots |= {count: number + len(steps) for count, number in begin.items()}  # threads count over each other
        together = {
            name: tuple(
                functools.reduce(operator.add, several) for several in zip(*(s[name] for s in steps), strict=True)
            )
            for name in steps[0]
        }
        return params, state, slots, summed(sums, together)

    return step


def require_shared_arrays(backend: Backend) -> None:
    """Refuse a backend whose arrays are not changed in place, on the host."""
    x = backend.xp.zeros((), device=backend.device)
    if not backend.shares_arrays or backend.cost_of_reading(x) != "free":
        raise ValueError(
            "Hogwild needs arrays on the host that are changed in place: those of the backends numpy and torch on the "
            f"CPU. Received: backend '{backend.name}' on {backend.device_name}"
        )


def _same_arrays(tree: dict[str, Any]) -> dict[str, Any]:
    """A tree of its own with the same arrays."""
    return {name: _same_arrays(each) if isinstance(each, dict) else each for name, each in tree.items()}


def _write(tree: dict[str, Any], values: dict[str, Any]) -> None:
    """Change the arrays of a tree to what a step returned, where it has not done so; numbers are replaced."""
    for name, value in values.items():
        known = tree.get(name)
        if isinstance(value, dict) and isinstance(known, dict):
            _write(known, value)
        elif known is None or isinstance(value, dict) or value.ndim == 0:
            tree[name] = value
        elif value is not known:
            known[...] = value
