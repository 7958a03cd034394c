"""What the processes of a job agree on before they train together; see `portanet.distribution`."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from portanet import random
from portanet.backends import HostArray
from portanet.distribution.engines import engine_of
from portanet.distribution.local import LocalSGD
from portanet.distribution.strategy import DataParallel, distribution
from portanet.training import exchange
from portanet.training.data.parts import sample
from portanet.training.data.sources import Examples, Numbered
from portanet.training.data.streams import Source
from portanet.tree import tree_leaves

if TYPE_CHECKING:
    from portanet.training.loops import TrainingRun


def begin(run: TrainingRun, source: Source, epochs: int) -> None:
    """Make sure that all processes train the same model on the same data, from the weights of the first one.

    Raises:
        ValueError: They do not; or a layer keeps states of the examples in a batch.
    """
    strategy, model = distribution(), run.model
    if strategy is None or strategy.size == 1:
        return
    for layer in model.flatten_layers():
        if getattr(layer, "stateful", False):
            raise ValueError(
                f"Layer '{layer.name}' is stateful: its states are those of the examples in a whole batch, of which "
                "each process computes a part. Train it in one process. Received: stateful=True"
            )
    if isinstance(strategy, LocalSGD):
        strategy.forget(model)
        if strategy.stays_apart and run.averages():
            raise ValueError(
                f"Argument `use_ema` of an optimizer must be False with {type(strategy).__name__}, whose "
                "processes have weights of their own; its centre is an average of them. Received: use_ema=True"
            )
    strategy.require_alike("seed", str(random.get_seed()))
    strategy.require_alike("weights", ", ".join(f"{path} {v.shape}" for path, v in run.variables.items()))
    size = f"{source.count} in batches of {source.size}, " if isinstance(source, Numbered) else ""
    strategy.require_alike("data and epochs", f"{size}{source.steps} steps, {epochs} epochs")
    if isinstance(source, Examples):
        shapes = ", ".join(str(tuple(leaf.shape)) for leaf in tree_leaves(source.data))
        strategy.require_alike("shapes of data", shapes)
        strategy.require_same_data(sample(source.data))
    position = model.position
    strategy.require_alike("position", f"epoch {position.epoch}, batch {position.batch}")
    _share_values(run, strategy)


def _share_values(run: TrainingRun, strategy: DataParallel) -> None:
    """Take over weights and the optimizer's state from the first process, where a bit differs."""
    processes, to_host = strategy.processes, run.model.backend.to_host
    assert processes is not None
    held: list[HostArray] = [to_host(value) for value in exchange.values(run)]
    digest = hashlib.sha256()
    for each in held:
        digest.update(each.tobytes())
    if len(set(processes.texts(digest.hexdigest()))) > 1:
        exchange.replace(run, list(engine_of(processes).broadcast(exchange.values(run))))
