"""The models of `benchmarks.heavy` with attention: a block as in GPT, and the encoder of MiniLM, of random weights."""

from __future__ import annotations

from typing import Any

GPT = (8, 256, 256)
GPT_HEADS, GPT_INNER = 4, 1024
# Projections, feed-forward network and the products of attention; of the latter, half is hidden.
GPT_PRODUCTS = 8 * 256 * (4 * 256 * 256 + 2 * 256 * GPT_INNER) + 8 * 256 * 256 * 256

MINILM = (64, 17, 384)
"""Embedded tokens of 64 sentences. MiniLM's table of 30,522 tokens has no part in them: its update would be all that a
step of training measures.
"""
MINILM_LAYERS, MINILM_HEADS, MINILM_INNER = 6, 12, 1536
MINILM_PRODUCTS = MINILM_LAYERS * (64 * 17 * (4 * 384 * 384 + 2 * 384 * MINILM_INNER) + 2 * 64 * 17 * 17 * 384)


def gpt_layers(layers: Any) -> list[Any]:
    block = layers.TransformerDecoder(GPT_INNER, GPT_HEADS, activation="gelu", normalize_first=True)
    return [block, layers.GlobalAveragePooling1D(), layers.Dense(10)]


def gpt_torch(nn: Any) -> Any:
    attend = nn.functional.scaled_dot_product_attention

    class Block(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            width = GPT[-1]
            self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
            self.projections, self.joined = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.feedforward = nn.Sequential(nn.Linear(width, GPT_INNER), nn.GELU(), nn.Linear(GPT_INNER, width))
            self.dense = nn.Linear(width, 10)

        def forward(self, x: Any) -> Any:
            batch, time, width = x.shape
            parts = self.projections(self.norms[0](x)).reshape(batch, time, 3, GPT_HEADS, -1)
            out = attend(*parts.permute(2, 0, 3, 1, 4), is_causal=True)
            x = x + self.joined(out.transpose(1, 2).reshape(batch, time, width))
            return self.dense((x + self.feedforward(self.norms[1](x))).mean(1))

    return Block()


def minilm_layers(layers: Any) -> list[Any]:
    blocks = [layers.TransformerEncoder(MINILM_INNER, MINILM_HEADS, activation="gelu") for _ in range(MINILM_LAYERS)]
    return [*blocks, layers.GlobalAveragePooling1D(), layers.Dense(10)]


def minilm_torch(nn: Any) -> Any:
    class Encoder(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            sizes = MINILM[-1], MINILM_HEADS, MINILM_INNER
            self.blocks = nn.Sequential(
                *(nn.TransformerEncoderLayer(*sizes, 0.0, "gelu", batch_first=True) for _ in range(MINILM_LAYERS))
            )
            self.dense = nn.Linear(MINILM[-1], 10)

        def forward(self, x: Any) -> Any:
            return self.dense(self.blocks(x).mean(1))

    return Encoder()
