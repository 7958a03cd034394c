"""Calls of small models on small batches, compared with PyTorch eager: `python -m benchmarks.small_calls`.

The detector of voice activity is of the size of Silero's: it takes 32 ms of sound at 16 kHz at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import portanet
from benchmarks import threads
from benchmarks.timing import Step
from portanet import layers, ops
from portanet.backends import use_backend

generator = np.random.default_rng(0)
SOUND = generator.standard_normal((1, 576, 1)).astype("float32")
STATE = np.zeros((1, 128), dtype="float32")
IMAGE = generator.standard_normal((1, 28, 28, 1)).astype("float32")
STEP = generator.standard_normal((1, 1, 64)).astype("float32")
TOKENS = generator.standard_normal((1, 16, 64)).astype("float32")
ROW = generator.standard_normal((1, 784)).astype("float32")


def portanet_detector() -> Callable[[], Any]:
    """The detector on the NumPy backend; the state of its cell is passed in and out."""
    with use_backend("numpy"):
        sound, h, c = layers.Input((576, 1)), layers.Input((128,)), layers.Input((128,))
        x = layers.ZeroPadding1D((0, 64))(sound)
        x = layers.Conv1D(258, 256, strides=128, use_bias=False)(x)
        real, imaginary = x[..., :129], x[..., 129:]
        x = ops.sqrt(real * real + imaginary * imaginary)
        for filters, strides in ((128, 1), (64, 2), (64, 2), (128, 1)):
            x = layers.Conv1D(filters, 3, strides=strides, padding=1, activation="relu")(x)
        x, *states = layers.LSTM(128, return_sequences=True, return_state=True)(x, initial_state=[h, c])
        x = layers.Activation("sigmoid")(layers.Conv1D(1, 1)(layers.ReLU()(x)))
        model = portanet.Model([sound, h, c], [x, *states])
    return lambda: model([SOUND, STATE, STATE])


def torch_detector() -> Callable[[], Any]:
    """The detector in PyTorch."""
    import torch
    from torch import nn

    class Detector(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.spectrum = nn.Conv1d(1, 258, 256, stride=128, bias=False)
            sizes = [(129, 128, 1), (128, 64, 2), (64, 64, 2), (64, 128, 1)]
            convolutions = [(nn.Conv1d(i, o, 3, stride=s, padding=1), nn.ReLU()) for i, o, s in sizes]
            self.encoder = nn.Sequential(*(layer for pair in convolutions for layer in pair))
            self.cell = nn.LSTMCell(128, 128)
            self.end = nn.Sequential(nn.ReLU(), nn.Conv1d(128, 1, 1), nn.Sigmoid())

        def forward(self, x: Any, h: Any, c: Any) -> Any:
            x = self.spectrum(nn.functional.pad(x, (0, 64)))
            x = torch.sqrt(x[:, :129] ** 2 + x[:, 129:] ** 2)
            h, c = self.cell(self.encoder(x)[:, :, 0], (h, c))
            return self.end(h[:, :, None]), h, c

    net = Detector().eval()
    sound, state = torch.from_numpy(SOUND.reshape(1, 1, 576)), torch.from_numpy(STATE)
    return _without_gradients(lambda: net(sound, state, state))


def _portanet_mlp() -> Any:
    with use_backend("numpy"):
        return portanet.Sequential(
            [layers.Input((784,)), layers.Dense(128, "relu"), layers.Dense(64, "relu"), layers.Dense(10, "softmax")]
        )


def portanet_mlp() -> Callable[[], Any]:
    """An MLP 784-128-64-10."""
    model = _portanet_mlp()
    return lambda: model(ROW)


def portanet_mlp_predict() -> Callable[[], Any]:
    """The same, by `predict_on_batch`, which checks and converts its data."""
    model = _portanet_mlp()
    return lambda: model.predict_on_batch(ROW)


def torch_mlp() -> Callable[[], Any]:
    """The same in PyTorch."""
    import torch
    from torch import nn

    net = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10), nn.Softmax(1))
    row = torch.from_numpy(ROW)
    return _without_gradients(lambda: net(row))


def portanet_cnn() -> Callable[[], Any]:
    """Two convolutions with pooling, and a dense layer, for one image of 28 x 28."""
    with use_backend("numpy"):
        model = portanet.Sequential(
            [
                layers.Input((28, 28, 1)),
                layers.Conv2D(16, 3, activation="relu", padding="same"),
                layers.MaxPooling2D(2),
                layers.Conv2D(32, 3, activation="relu", padding="same"),
                layers.MaxPooling2D(2),
                layers.Flatten(),
                layers.Dense(10, "softmax"),
            ]
        )
    return lambda: model(IMAGE)


def torch_cnn() -> Callable[[], Any]:
    """The same in PyTorch."""
    import torch
    from torch import nn

    net = nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(1568, 10), nn.Softmax(1)),
    )
    image = torch.from_numpy(IMAGE.reshape(1, 1, 28, 28))
    return _without_gradients(lambda: net(image))


def portanet_lstm() -> Callable[[], Any]:
    """One time step of an LSTM with 128 units, whose state is passed in and out."""
    with use_backend("numpy"):
        x, h, c = layers.Input((1, 64)), layers.Input((128,)), layers.Input((128,))
        model = portanet.Model([x, h, c], layers.LSTM(128, return_state=True)(x, initial_state=[h, c]))
    return lambda: model([STEP, STATE, STATE])


def torch_lstm() -> Callable[[], Any]:
    """The same in PyTorch: a cell."""
    import torch
    from torch import nn

    cell = nn.LSTMCell(64, 128)
    x, state = torch.from_numpy(STEP[0]), torch.from_numpy(STATE)
    return _without_gradients(lambda: cell(x, (state, state)))


def portanet_block() -> Callable[[], Any]:
    """A block of a transformer for 16 tokens of 64 features: 4 heads, hidden layer of 256, normalization first."""
    with use_backend("numpy"):
        start = x = layers.Input((16, 64))
        y = layers.LayerNormalization(epsilon=1e-5)(x)
        x = x + layers.MultiHeadAttention(4, 16)(y, y)
        y = layers.LayerNormalization(epsilon=1e-5)(x)
        x = x + layers.Dense(64)(layers.Dense(256, "relu")(y))
        model = portanet.Model(start, x)
    return lambda: model(TOKENS)


def torch_block() -> Callable[[], Any]:
    """The same in PyTorch, as its users write it; `nn.TransformerEncoderLayer` has a fused path for inference."""
    import torch
    from torch import nn

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.LayerNorm(64), nn.LayerNorm(64)
            self.attention = nn.MultiheadAttention(64, 4, batch_first=True)
            self.hidden = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 64))

        def forward(self, x: Any) -> Any:
            y = self.first(x)
            x = x + self.attention(y, y, y, need_weights=False)[0]
            return x + self.hidden(self.second(x))

    net, tokens = Block().eval(), torch.from_numpy(TOKENS)
    return _without_gradients(lambda: net(tokens))


def _without_gradients(call: Callable[[], Any]) -> Callable[[], Any]:
    import torch

    def run() -> Any:
        with torch.inference_mode():
            return call()

    return run


TASKS: dict[str, dict[str, Callable[[], Step]]] = {
    "voice activity, 32 ms: `model(x)`": {"portanet": portanet_detector, "torch": torch_detector},
    "MLP 784-128-64-10, batch 1: `model(x)`": {"portanet": portanet_mlp, "torch": torch_mlp},
    "the same: `predict_on_batch(x)`": {"portanet": portanet_mlp_predict, "torch": torch_mlp},
    "CNN, 28 x 28, 16 and 32 filters, batch 1: `model(x)`": {"portanet": portanet_cnn, "torch": torch_cnn},
    "LSTM, 64 to 128, one step: `model(x)`": {"portanet": portanet_lstm, "torch": torch_lstm},
    "transformer block, 16 x 64, batch 1: `model(x)`": {"portanet": portanet_block, "torch": torch_block},
}
TARGET = 1.0
"""Ratio to PyTorch's time."""


if __name__ == "__main__":
    threads.main("small_calls", __doc__, TASKS, TARGET)
