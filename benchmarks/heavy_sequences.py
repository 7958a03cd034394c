"""The sequence models of `benchmarks.heavy`, in each library."""

from __future__ import annotations

from typing import Any

SEQUENCE = (64, 50, 64)
UNITS = 128


def recurrent_products(gates: int, directions: int = 1) -> tuple[int, int]:
    """Multiplications of the inputs, and of the outputs, with all gates."""
    sums = SEQUENCE[0] * SEQUENCE[1] * gates * UNITS * directions
    return sums * SEQUENCE[2], sums * UNITS


BLOCK = (32, 64, 128)
HEADS, INNER = 4, 512
BLOCK_PRODUCTS = 32 * 64 * (4 * 128 * 128 + 2 * 128 * INNER) + 2 * 32 * 64 * 64 * 128
"""Multiplications of the projections and the feed-forward network, then those of attention."""


def lstm_layers(layers: Any) -> list[Any]:
    """For portanet and Keras."""
    return [layers.LSTM(UNITS), layers.Dense(10)]


def gru_layers(layers: Any) -> list[Any]:
    return [layers.GRU(UNITS), layers.Dense(10)]


def bidirectional_layers(layers: Any) -> list[Any]:
    return [layers.Bidirectional(layers.LSTM(UNITS)), layers.Dense(10)]


def recurrent_torch(nn: Any, kind: str, bidirectional: bool = False) -> Any:
    """The last output; of both directions, that of the last step of each."""

    class Last(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            options = {"batch_first": True, "bidirectional": bidirectional}
            self.recurrent = getattr(nn, kind)(SEQUENCE[2], UNITS, **options)
            self.dense = nn.Linear(UNITS * (1 + bidirectional), 10)

        def forward(self, x: Any) -> Any:
            last = self.recurrent(x)[1]
            h = last[0] if kind == "LSTM" else last
            return self.dense(h.transpose(0, 1).reshape(len(x), -1))

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
