"""What the processes of a job do: `mpiexec -n 2 python -m tests.distribution.programs NAME FOLDER ...`."""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import json
import os
import pathlib
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import portanet
from portanet import distribution, layers
from portanet.backends import to_host
from portanet.callbacks import BackupAndRestore, Callback, CSVLogger, ModelCheckpoint
from portanet.distribution import strategy
from tests.distribution.meeting import meeting
from tests.distribution.sharded import sharded
from tests.support import PATIENCE


def data(count: int = 50, *shape: int) -> tuple[Any, Any]:
    generator = np.random.default_rng(0)
    return generator.standard_normal((count, *shape)).astype("float32"), generator.integers(0, 3, count)


def record(model: Any, history: Any) -> dict[str, Any]:
    """The curves of a run and its weights."""
    weights = {path: to_host(v.value).astype("float64").ravel().tolist() for path, v in model.named_variables().items()}
    return {"history": {k: np.asarray(v).tolist() for k, v in history.items()}, "weights": weights}


def fitted(model: Any, x: Any, y: Any, optimizer: Any, loss: Any, metrics: Any = ("accuracy",), **options: Any) -> Any:
    start = [to_host(v.value).astype("float64").ravel().tolist() for v in model.variables]
    model.compile(optimizer, loss, metrics=list(metrics))
    history = model.fit(x, y, verbose=0, **{"batch_size": 16, "epochs": 3, **options}).history
    return {**record(model, history), "start": start, "predictions": np.asarray(model.predict(x[:21])).tolist()}


def mlp() -> Any:
    """Dropout and noise, penalties, sample weights, a validation split, an uneven last batch."""
    x, y = data(50, 6)
    model = portanet.Sequential(
        [
            layers.Input((6,)),
            layers.Dense(16, activation="relu", kernel_regularizer="l2"),
            layers.Dropout(0.5),
            layers.GaussianNoise(0.1),
            layers.Dense(3, activation="softmax", activity_regularizer="l2"),
        ]
    )
    weight = np.random.default_rng(1).random(50)
    loss = "sparse_categorical_crossentropy"
    out = fitted(model, x, y, "adam", loss, sample_weight=weight, validation_split=0.2)
    loss, gradients = model.loss_and_gradients(x, y)
    sums = {path: float(np.abs(to_host(g)).sum()) for path, g in gradients.items()}
    logs = {"evaluate": model.evaluate(x, y, verbose=0), "batch": model.train_on_batch(x, y), "loss": float(loss)}
    return {**out, **logs, "gradients": sums}


def cnn() -> Any:
    """Batch normalisation of the whole batch, weights by class, images drawn at random."""
    x, y = data(50, 8, 8, 2)
    model = portanet.Sequential(
        [
            layers.Input((8, 8, 2)),
            layers.RandomFlip(),
            layers.RandomContrast(0.2),
            layers.Conv2D(4, 3),
            layers.BatchNormalization(synchronized=True),
            layers.ReLU(),
            layers.SpatialDropout2D(0.2),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    optimizer = portanet.optimizers.SGD(0.05, momentum=0.9, gradient_accumulation_steps=2)
    weights = {0: 1.0, 1: 2.0, 2: 0.5}
    return fitted(model, x, y, optimizer, "sparse_categorical_crossentropy", class_weight=weights)


def lstm() -> Any:
    """Masks that differ between the processes, clipped gradients, averaged weights."""
    generator = np.random.default_rng(0)
    x = generator.integers(1, 9, (50, 7))
    x[:, 4:][generator.random((50, 3)) < 0.5] = 0
    model = portanet.Sequential(
        [
            layers.Input((7,), dtype="int32"),
            layers.Embedding(9, 5, mask_zero=True),
            layers.LSTM(6, return_sequences=True, dropout=0.1, recurrent_dropout=0.2),
            layers.Dense(9, activation="softmax"),
        ]
    )
    optimizer = portanet.optimizers.Adam(clipnorm=0.5, use_ema=True)
    metrics = ["accuracy", portanet.metrics.SparseTopKCategoricalAccuracy(2)]
    weight = generator.random(50)
    return fitted(model, x, x, optimizer, "sparse_categorical_crossentropy", metrics, sample_weight=weight)


def two_outputs() -> Any:
    """Metrics whose sums are no means."""
    x, y = data(50, 6)
    inputs = layers.Input((6,))
    outputs = [layers.Dense(1, activation="sigmoid", name="a")(inputs), layers.Dense(2, name="b")(inputs)]
    model = portanet.Model(inputs, outputs)
    targets = [y % 2, np.random.default_rng(2).standard_normal((50, 2)).astype("float32")]
    model.compile("lamb", ["binary_crossentropy", "mse"], metrics=[["accuracy", "AUC"], ["mae", "R2Score"]])
    return record(model, model.fit(x, targets, batch_size=16, epochs=2, verbose=0).history)


def sources() -> Any:
    """What gives batches, and files that are read batch by batch."""
    x, y = data(50, 6)

    class Batches(portanet.utils.PyDataset):
        def __len__(self) -> int:
            return 3

        def __getitem__(self, i: int) -> Any:
            return x[16 * i : 16 * i + 16], y[16 * i : 16 * i + 16]

    class Stream:
        def __iter__(self) -> Iterator[Any]:
            return (Batches()[i] for i in range(3))

    folder = pathlib.Path(sys.argv[2])
    np.save(folder / f"x{rank()}.npy", x)
    mapped = np.load(folder / f"x{rank()}.npy", mmap_mode="r")
    model = portanet.Sequential([layers.Input((6,)), layers.Dense(8), layers.Dropout(0.3), layers.Dense(3)])
    model.compile("sgd", portanet.losses.SparseCategoricalCrossentropy(from_logits=True))
    curves = [model.fit(each, epochs=2, verbose=0).history["loss"] for each in (Batches(), Stream())]
    curves.append(model.fit(mapped, y, batch_size=16, epochs=2, verbose=0).history["loss"])
    return {"curves": curves}


def own_parts() -> Any:
    """Each process gives another part of each batch, as large as the others' or not."""
    if distribution.distribution() is not None:
        distribution.set_distribution(distribution.DataParallel(auto_shard_dataset=False))
    x, y = data(48, 6)
    count = 1 if distribution.distribution() is None else distribution.distribution().size
    cuts = {1: [0, 16], 2: [0, 5, 16], 3: [0, 2, 9, 16], 4: [0, 2, 4, 11, 16]}[count]

    class Stream:
        def __iter__(self) -> Iterator[Any]:
            a, b = cuts[rank()], cuts[rank() + 1]
            return ((x[i + a : i + b], y[i + a : i + b]) for i in (0, 16, 32))

    model = portanet.Sequential([layers.Input((6,)), layers.Dense(8), layers.Dropout(0.3), layers.Dense(3)])
    model.compile("sgd", portanet.losses.SparseCategoricalCrossentropy(from_logits=True))
    return record(model, model.fit(Stream(), epochs=2, verbose=0).history)


def overridden() -> Any:
    """A step of one's own is computed whole by every process."""

    class Model(portanet.Model):
        def train_step(self, data: Any) -> Any:
            x, y = data
            loss, gradients = self.value_and_gradients(lambda: self.compute_loss(x, y, self(x, training=True)))
            self.optimizer.apply(gradients, self.trainable_variables)
            return {"loss": loss}

    x, y = data(50, 6)
    inputs = layers.Input((6,))
    model = Model(inputs, layers.Dense(3)(inputs))
    model.compile("sgd", portanet.losses.SparseCategoricalCrossentropy(from_logits=True))
    return record(model, model.fit(x, y, batch_size=16, epochs=2, verbose=0).history)


WORKLOADS = (mlp, cnn, lstm, two_outputs, sources, own_parts, overridden, meeting)


def workloads(*names: str) -> Any:
    """Every workload, or those named, one after the other."""
    backends = os.environ.get("BACKENDS", "numpy").split(",")
    results = {}
    for workload in WORKLOADS:
        if names and workload.__name__ not in names:
            continue
        portanet.random.set_seed(3)
        if distribution.distribution() is not None:
            distribution.set_distribution(parallel())
        with portanet.use_backend(backends[rank() % len(backends)]):
            if "DEVICES" in os.environ:
                distribution.set_distribution(distribution.DataParallel())
                assert len(distribution.distribution().devices) == int(os.environ["DEVICES"])
            results[workload.__name__] = workload()
    return results


# Weights of its own in each process


def least_squares(count: int = 48) -> tuple[Any, Any, Any]:
    """Inputs, targets without noise, and the weights that are the optimum of all parts of the data."""
    generator = np.random.default_rng(0)
    x, optimum = generator.standard_normal((count, 4)), generator.standard_normal((4, 1))
    return x.astype("float32"), (x @ optimum).astype("float32"), optimum


class Apart(Callback):
    """Notes the weights at the first batch of each epoch, and at its end."""

    def on_train_begin(self, logs: Any = None) -> None:
        self.first: list[Any] = []
        self.last: list[Any] = []

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        if batch == 0:
            self.first.append(self.model.get_weights()[0].ravel().tolist())

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.last.append(self.model.get_weights()[0].ravel().tolist())


def local(backend: str = "numpy") -> Any:
    """Runs in which each process has weights of its own."""
    with portanet.use_backend(backend):
        return {**same_as_together(), **optima(), **center(), **resumed()}


def same_as_together() -> Any:
    """Averages after each step of plain SGD are the run of `DataParallel`, with masks and penalties."""
    x, y = data(48, 6)
    results: dict[str, Any] = {}
    kinds = {"together": distribution.DataParallel(), "averaged": distribution.LocalSGD(1)}
    for name, kind in kinds.items():
        portanet.random.set_seed(3)
        distribution.set_distribution(kind)
        inner = [layers.Dense(8, "relu", kernel_regularizer="l2"), layers.Dropout(0.3), layers.GaussianNoise(0.1)]
        model = portanet.Sequential([layers.Input((6,)), *inner, layers.Dense(3)])
        model.compile("sgd", portanet.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
        results[name] = record(model, model.fit(x, y, batch_size=24, epochs=3, verbose=0).history)
    return results


def optima() -> Any:
    """Where least squares end, with a last batch that each process computes whole; momentum is averaged."""
    x, y, optimum = least_squares(49)
    results: dict[str, Any] = {}
    for kind in (distribution.LocalSGD(3), distribution.EASGD(3)):
        distribution.set_distribution(kind)
        model = portanet.Sequential([layers.Input((4,)), layers.Dense(1, use_bias=False)])
        model.compile(portanet.optimizers.SGD(0.05, momentum=0.5), "mse")
        apart = Apart()
        model.fit(x, y, batch_size=12, epochs=40, verbose=0, callbacks=[apart])
        found = model.get_weights()[0]
        results[type(kind).__name__] = {
            "distance": float(np.abs(found - optimum).max()),
            "found": found.ravel().tolist(),
            "first": apart.first,
            "last": apart.last,
            "loss": model.history.history["loss"],
        }
    return results


def center() -> Any:
    """Weights and centre after exchanges, beside their definition; gradients are those of one example each."""
    rate, moving, size = 0.1, 0.6, distribution.DataParallel().size
    distribution.set_distribution(distribution.EASGD(2, moving))
    model = portanet.Sequential([layers.Input((1,)), layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    model.compile(portanet.optimizers.SGD(rate), "mse")
    targets = np.repeat(np.arange(1.0, size + 1), 2)[:, None]
    model.fit(np.ones((2 * size, 1)), targets, batch_size=2 * size, epochs=5, shuffle=False, verbose=0)
    weights, centre = np.zeros(size), None
    for _ in range(5):
        weights -= rate * 2 * (weights - np.arange(1.0, size + 1))  # one step in an epoch, and an exchange at its end
        centre = weights.mean() if centre is None else centre
        pulled = weights + moving / size * (centre - weights)
        centre += moving * (weights.mean() - centre)
        weights = pulled
    return {"center": [float(model.get_weights()[0][0, 0]), float(centre)]}


def resumed() -> Any:
    """A run of averages, and one that is interrupted after an epoch and goes on from its file."""
    x, y = data(48, 6)
    folder, results = pathlib.Path(sys.argv[2]), {}

    class Interrupt(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch == 1:
                raise KeyboardInterrupt

    for name, callbacks in {"unbroken": [], "interrupted": [Interrupt()], "resumed": []}.items():
        portanet.random.set_seed(3)
        distribution.set_distribution(distribution.LocalSGD(2))
        inner = [layers.Dense(8), layers.BatchNormalization(), layers.Dropout(0.3)]
        model = portanet.Sequential([layers.Input((6,)), *inner, layers.Dense(3)])
        model.compile("adam", portanet.losses.SparseCategoricalCrossentropy(from_logits=True))
        backup = BackupAndRestore(folder / f"backup of {name == 'unbroken'}")
        with contextlib.suppress(KeyboardInterrupt):
            model.fit(x, y, batch_size=16, epochs=3, verbose=0, callbacks=[backup, *callbacks])
        results[name] = {path: to_host(v.value).ravel().tolist() for path, v in model.named_variables().items()}
    return results


# Faults


class Disturb(Callback):
    """Does something in the second batch of the second epoch, in the last process."""

    def __init__(self, what: Callable[[], None]) -> None:
        self.what = what

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        strategy = distribution.distribution()
        assert strategy is not None
        if batch == 1 and self.model.position.epoch == 1 and strategy.rank == strategy.size - 1:
            self.what()


def training(what: str = "nothing", epochs: str = "4") -> Any:
    """A run that saves its state after each batch, and goes on from it; something happens in it."""
    folder = pathlib.Path(sys.argv[2])
    portanet.random.set_seed(rank() if what == "seed" else 3)
    x, y = data(50 + rank() if what == "count" else 50, 6)
    if what == "order":
        x = x[np.random.default_rng(rank()).permutation(50)]
    if what == "wait":
        distribution.initialize(timeout=2.0)
    if what == "exit" and rank() == 1:
        sys.exit(3)
    if what in ("stop", "ema"):
        distribution.set_distribution(distribution.EASGD(2))
    wide = layers.Dense(16 + rank() if what == "weights" else 16)
    model = portanet.Sequential([layers.Input((6,)), wide, layers.Dropout(0.5), layers.Dense(3)])
    optimizer = portanet.optimizers.Adam(use_ema=what == "ema")
    model.compile(optimizer, portanet.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    if what == "full":
        from tests.distribution import going_on  # which imports this module

        going_on.full(folder)

    def fail() -> None:
        raise RuntimeError("The machine is on fire.")

    happens: dict[str, Callable[[], Any]] = {
        "raise": fail,
        "catch": fail,
        "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
        "stop": lambda: setattr(model, "stop_training", True),
        "exit in fit": lambda: sys.exit(3),
        "wait": lambda: time.sleep(1000),
    }
    callbacks = [
        Disturb(happens.get(what, lambda: None)),
        CSVLogger(folder / "log.csv"),
        ModelCheckpoint(folder / "{epoch}.safetensors"),
        BackupAndRestore(folder / "backup", save_freq=1, delete_checkpoint=False),
    ]
    try:
        history = model.fit(x, y, batch_size=16, epochs=int(epochs), verbose=2, callbacks=callbacks)
    except RuntimeError:
        if what != "catch":
            raise
        model.evaluate(x, y)
    return {**record(model, history.history), "files": sorted(p.name for p in folder.glob("*.safetensors"))}


def parallel() -> distribution.DataParallel:
    return distribution.DataParallel(shard_optimizer="SHARD" in os.environ)


def rank() -> int:
    return 0 if distribution.distribution() is None else distribution.distribution().rank


PROGRAMS = {"workloads": workloads, "training": training, "local": local, "sharded": sharded}
ELSEWHERE = {"asynchronous": "apart", "by_one": "going_on", "waiting": "linked"}
"""Modules of other programs, which import this one, where they have another name."""

if __name__ == "__main__":
    faulthandler.dump_traceback_later(PATIENCE - 60, exit=True)  # what hangs says where
    if "JAX_PROCESS" in os.environ:
        import jax

        jax.config.update("jax_cpu_collectives_implementation", "gloo")
        jax.distributed.initialize(os.environ["JAX_ADDRESS"], 2, int(os.environ["JAX_PROCESS"]))
    name = sys.argv[1]
    if name not in PROGRAMS:
        PROGRAMS[name] = getattr(importlib.import_module(f"tests.distribution.{ELSEWHERE.get(name, name)}"), name)
    distribution.set_distribution(parallel())
    if "FAR" in os.environ:
        strategy.distribution().processes.near = False  # as if each process were on another machine
    result = PROGRAMS[name](*sys.argv[3:])
    pathlib.Path(sys.argv[2], f"{strategy.distribution().rank}.json").write_text(json.dumps(result))
