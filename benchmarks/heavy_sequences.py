"""The sequence models of `benchmarks.heavy`, in each library."""

from __future__ import annotations

from typing import Any

LSTM = (64, 50, 64)
LSTM_UNITS = 128
LSTM_PRODUCTS = (64 * 50 * 4 * LSTM_UNITS * 64, 64 * 50 * 4 * LSTM_UNITS * LSTM_UNITS)
"""Multiplications of the inputs, and of the outputs, with all four gates."""

BLOCK = (32, 64, 128)
HEADS, INNER = 4, 512
BLOCK_PRODUCTS = 32 * 64 * (4 * 128 * 128 + 2 * 128 * INNER) + 2 * 32 * 64 * 64 * 128
"""Multiplications of the projections and the feed-forward network, then those of attention."""


def lstm_layers(layers: Any) -> list[Any]:
    """For portanet and Keras."""
    return [layers.LSTM(LSTM_UNITS), layers.Dense(10)]


def lstm_torch(nn: Any) -> Any:
    class Last(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.dense = nn.LSTM(64, LSTM_UNITS, batch_first=True), nn.Linear(LSTM_UNITS, 10)

        def forward(self, x: Any) -> Any:
            return self.dense(self.lstm(x)[0][:, -1])

    return Last()


def block_layers(layers: Any) -> list[Any]:
    """For portanet."""
    block = layers.TransformerEncoder(INNER, HEADS, activation="gelu")
    return [block, layers.GlobalAveragePooling1D(), layers.Dense(10)]


def block_keras(layers: Any) -> list[Any]:
    import keras

    x = keras.Input(BLOCK[1:])
    h = layers.LayerNormalization()(x + layers.MultiHeadAttention(HEADS, 128 // HEADS)(x, x))
    y = layers.LayerNormalization()(h + layers.Dense(128)(layers.Dense(INNER, activation="gelu")(h)))
    return [keras.Model(x, y), layers.GlobalAveragePooling1D(), layers.Dense(10)]


def block_torch(nn: Any) -> Any:
    class Mean(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.block = nn.TransformerEncoderLayer(128, HEADS, INNER, 0.0, "gelu", batch_first=True)
            self.dense = nn.Linear(128, 10)

        def forward(self, x: Any) -> Any:
            return self.dense(self.block(x).mean(1))

    return Mean()
