"""Transformer blocks against PyTorch's layers, with the same weights: values and gradients."""

from __future__ import annotations

from typing import Any

import pytest

from portanet import layers
from tests.oracles.compare import TOLERANCE, compare, drawn

torch = pytest.importorskip("torch")
FEATURES, HEADS, INNER = 8, 4, 16


def attention(prefix: str, w: dict[str, Any]) -> dict[str, Any]:
    """Weights of one attention layer under PyTorch's names."""
    ours = {"self_attn": "self_attention", "multihead_attn": "cross_attention"}[prefix]
    parts = ("query", "key", "value")
    return {
        f"{prefix}.in_proj_weight": torch.cat([w[f"{ours}/{p}_kernel"].reshape(FEATURES, -1).T for p in parts]),
        f"{prefix}.in_proj_bias": torch.cat([w[f"{ours}/{p}_bias"].reshape(-1) for p in parts]),
        f"{prefix}.out_proj.weight": w[f"{ours}/output_kernel"].reshape(-1, FEATURES).T,
        f"{prefix}.out_proj.bias": w[f"{ours}/output_bias"],
    }


def rest(w: dict[str, Any], norms: tuple[str, ...]) -> dict[str, Any]:
    """Weights of the feed-forward network and the normalisations."""
    result = {
        "linear1.weight": w["feedforward_intermediate_dense/kernel"].T,
        "linear1.bias": w["feedforward_intermediate_dense/bias"],
        "linear2.weight": w["feedforward_output_dense/kernel"].T,
        "linear2.bias": w["feedforward_output_dense/bias"],
    }
    for number, name in enumerate(norms, 1):
        result[f"norm{number}.weight"] = w[f"{name}_layer_norm/gamma"]
        result[f"norm{number}.bias"] = w[f"{name}_layer_norm/beta"]
    return result


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("first", [False, True])
def test_encoder(first: bool, dtype: str) -> None:
    ours = layers.TransformerEncoder(INNER, HEADS, normalize_first=first)
    probe = layers.TransformerEncoder(INNER, HEADS)
    probe.build((None, 5, FEATURES))
    paths = [path for path, v in probe.named_variables().items() if not v.counter]
    options = {"dropout": 0.0, "norm_first": first, "batch_first": True, "dtype": getattr(torch, dtype)}
    theirs = torch.nn.TransformerEncoderLayer(FEATURES, HEADS, INNER, **options)

    def run(x: list[Any], weights: list[Any]) -> Any:
        w = dict(zip(paths, weights, strict=True))
        state = attention("self_attn", w) | rest(w, ("self_attention", "feedforward"))
        return torch.func.functional_call(theirs, state, (x[0],))

    compare(ours, run, drawn((2, 5, FEATURES)), drawn(*(v.shape for v in probe.weights)), dtype)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("first", [False, True])
def test_decoder(first: bool, dtype: str) -> None:
    """With PyTorch's causal mask: ours is causal by default."""
    ours = layers.TransformerDecoder(INNER, HEADS, normalize_first=first)
    probe = layers.TransformerDecoder(INNER, HEADS)
    probe.build([(None, 5, FEATURES), (None, 6, FEATURES)])
    paths = [path for path, v in probe.named_variables().items() if not v.counter]
    options = {"dropout": 0.0, "norm_first": first, "batch_first": True, "dtype": getattr(torch, dtype)}
    theirs = torch.nn.TransformerDecoderLayer(FEATURES, HEADS, INNER, **options)
    causal = torch.nn.Transformer.generate_square_subsequent_mask(5, dtype=getattr(torch, dtype))

    def run(x: list[Any], weights: list[Any]) -> Any:
        w = dict(zip(paths, weights, strict=True))
        state = attention("self_attn", w) | attention("multihead_attn", w)
        state |= rest(w, ("self_attention", "cross_attention", "feedforward"))
        return torch.func.functional_call(theirs, state, (x[0], x[1]), {"tgt_mask": causal})

    hosts = drawn((2, 5, FEATURES), (2, 6, FEATURES))
    compare(ours, run, hosts, drawn(*(v.shape for v in probe.weights)), dtype)
