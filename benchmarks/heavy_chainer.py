"""The workloads of `benchmarks.heavy` in Chainer 7.8, which needs an old NumPy.

So it needs a separate environment, whose Python is passed to `benchmarks.heavy --chainer`:

    python -m venv ENV
    ENV/bin/pip install "setuptools<65" wheel "numpy==1.23.5" "protobuf<3.21" six filelock typing_extensions
    ENV/bin/pip install threadpoolctl
    ENV/bin/pip install --no-build-isolation --no-deps chainer==7.8.1
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import chainer
import numpy as np
from chainer import functions, links

from benchmarks import heavy_sequences as sequences
from benchmarks.heavy import data
from benchmarks.heavy_feedforward import CNN
from benchmarks.timing import serve


class Cnn(chainer.Chain):  # type: ignore[misc]
    """The CNN of Ketkar's listing 7-7, without dropout."""

    def __init__(self) -> None:
        super().__init__()
        with self.init_scope():
            self.first, self.second = links.Convolution2D(1, 32, 3), links.Convolution2D(32, 32, 3)
            self.inner, self.outer = links.Linear(4608, 128), links.Linear(128, 10)

    def forward(self, x: Any) -> Any:
        x = functions.max_pooling_2d(functions.relu(self.second(functions.relu(self.first(x)))), 2)
        return self.outer(functions.relu(self.inner(x)))


class Last(chainer.Chain):  # type: ignore[misc]
    """A dense layer on the last output of an LSTM."""

    def __init__(self) -> None:
        super().__init__()
        with self.init_scope():
            self.lstm = links.NStepLSTM(1, sequences.SEQUENCE[2], sequences.UNITS, 0.0)
            self.dense = links.Linear(sequences.UNITS, 10)

    def forward(self, x: Any) -> Any:
        return self.dense(self.lstm(None, None, list(x))[0][0])


WORKLOADS: dict[str, tuple[Callable[[], Any], tuple[int, ...]]] = {
    "cnn": (Cnn, CNN),
    "lstm": (Last, sequences.SEQUENCE),
}


def step_of(name: str) -> Callable[[], None]:
    """A training step: forward, backward, Adam."""
    make, shape = WORKLOADS[name]
    x, y = data(shape)
    x = np.ascontiguousarray(np.moveaxis(x, -1, 1)) if name == "cnn" else x
    net, optimizer, y = make(), chainer.optimizers.Adam(), y.astype("int32")
    optimizer.setup(net)

    def step() -> None:
        net.cleargrads()
        functions.softmax_cross_entropy(net(x), y).backward()
        optimizer.update()

    return step


if __name__ == "__main__":
    serve(lambda task: step_of(task.partition(":")[0]))
