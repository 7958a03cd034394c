"""Runs in which each process keeps its slice of the optimizer's state, beside those in which each keeps all of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import portanet
from portanet import distribution, layers, optimizers
from portanet.backends import to_host
from portanet.callbacks import Callback, SwapEMAWeights

OPTIMIZERS: dict[str, Callable[[], optimizers.Optimizer]] = {
    "adamw": lambda: optimizers.AdamW(
        portanet.schedules.CosineDecay(0.01, 30), clipvalue=0.1, use_ema=True, gradient_noise=0.01
    ),
    "accumulating": lambda: optimizers.SGD(0.1, momentum=0.9, gradient_accumulation_steps=2),
    "scaled": lambda: optimizers.LossScaleOptimizer(optimizers.Nadam(0.01), initial_scale=2.0**126),
    "lookahead": lambda: optimizers.Lookahead(optimizers.RMSprop(0.01), sync_period=2),
    "schedule_free": lambda: optimizers.ScheduleFreeAdamW(0.01),
    "several": lambda: optimizers.MultiOptimizer(
        optimizers.OptimizerMap(optimizers.Adagrad(0.1), {".*bias": optimizers.Lion()})
    ),
}
CLIPPED: dict[str, Callable[[], optimizers.Optimizer]] = {
    "by norm": lambda: optimizers.Adam(0.01, clipnorm=0.1),
    "by global norm": lambda: optimizers.Adam(0.01, global_clipnorm=0.1),
}
REFUSED = ("lamb", "adafactor", "muon", "esgd")


class First(Callback):
    """Looks at numbers of the optimizer in the first process alone."""

    first_process_only = True

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        assert int(self.model.optimizer.iterations) >= 0
        if not isinstance(self.model.optimizer, optimizers.MultiOptimizer):
            assert float(self.model.optimizer.learning_rate) > 0


def sharded(backend: str = "numpy") -> Any:
    """What both kinds of runs give, by optimizer, and what is refused."""
    with portanet.use_backend(backend):
        results: dict[str, Any] = {
            name: [_trained(make(), shard) for shard in (False, True)] for name, make in (OPTIMIZERS | CLIPPED).items()
        }
        return {**results, "bytes": [_bytes(shard) for shard in (False, True)], "refused": list(map(_refusal, REFUSED))}


def _model(units: int = 16) -> Any:
    inner = [layers.Dense(units, "relu", kernel_constraint="unit_norm"), layers.Dropout(0.3), layers.Dense(3)]
    return portanet.Sequential([layers.Input((6,)), *inner])


def _data() -> Any:
    generator = np.random.default_rng(0)
    return generator.standard_normal((41, 6)).astype("float32"), generator.integers(0, 3, 41)


def _trained(optimizer: Any, shard: bool) -> list[Any]:
    """Weights, the optimizer's state and losses of a run in which a layer is frozen for a while.

    The last batch, of one example, is computed whole by all.
    """
    portanet.random.set_seed(3)
    distribution.set_distribution(distribution.DataParallel(shard_optimizer=shard))
    x, y = _data()
    model = _model()
    model.compile(optimizer, portanet.losses.SparseCategoricalCrossentropy(from_logits=True))
    callbacks = [First(), *([SwapEMAWeights()] if optimizer.use_ema else [])]
    losses = []
    for trainable in (True, False, True):
        model.layers[0].trainable = trainable
        fit = model.fit(x, y, batch_size=8, epochs=2, validation_data=(x, y), verbose=0, callbacks=callbacks)
        losses.append(fit.history)
    _, state = model.optimizer_state
    trees = {entry: tree for entry, tree in state.items() if isinstance(tree, dict)}
    slots = {f"{entry} {path}": to_host(x).tolist() for entry, tree in trees.items() for path, x in tree.items()}
    return [losses, [weight.tolist() for weight in model.get_weights()], slots]


def _bytes(shard: bool) -> int:
    """The moments' bytes in this process after training; views would keep the arrays that they are of."""
    distribution.set_distribution(distribution.DataParallel(shard_optimizer=shard))
    model = _model(1024)
    model.compile("adam", portanet.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(*_data(), batch_size=8, verbose=0)
    model.optimizer_state  # noqa: B018  # whole, until the next step
    model.fit(*_data(), batch_size=8, verbose=0)
    arrays = [to_host(x) for slot in ("m", "v") for x in model._kept[1][slot].values()]
    return sum(x.nbytes if x.base is None else x.base.nbytes for x in arrays)


def _refusal(name: str) -> str:
    distribution.set_distribution(distribution.DataParallel(shard_optimizer=True))
    model = _model()
    model.compile(name, portanet.losses.SparseCategoricalCrossentropy(from_logits=True))
    try:
        model.fit(*_data(), verbose=0)
    except ValueError as error:
        return str(error)
    return ""
