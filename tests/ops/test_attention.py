"""Attention of portanet.ops against its definition, with all its options together."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from portanet import ops
from portanet.autodiff import check_grads
from tests.support import asarray, assert_close, to_numpy

RNG = np.random.default_rng(2)
QUERY, KEY, VALUE = RNG.normal(size=(2, 3, 4, 5)), RNG.normal(size=(2, 6, 2, 5)), RNG.normal(size=(2, 6, 2, 5))
BIAS = RNG.normal(size=(2, 4, 3, 6))
MASK = RNG.uniform(size=(2, 1, 3, 6)) < 0.6
MASK[0, 0, 1], MASK[1, 0, 0] = False, [False, *[True] * 5]  # nothing for one query, with the causal mask for two


def reference(scale: float, cap: float | None, causal: bool, bias: Any, mask: Any) -> Any:
    result = np.zeros_like(QUERY)
    for b, t, h in np.ndindex(*QUERY.shape[:3]):
        scores = KEY[b, :, h // 2] @ QUERY[b, t, h] * scale
        scores = scores if cap is None else cap * np.tanh(scores / cap)
        scores = scores if bias is None else scores + np.broadcast_to(bias, BIAS.shape)[b, h, t]
        allowed = np.ones(6, bool) if mask is None else np.broadcast_to(mask, BIAS.shape)[b, h, t]
        allowed = allowed & (np.arange(6) <= t) if causal else allowed
        weights = np.where(allowed, np.exp(scores), 0.0)
        if weights.any():
            result[b, t, h] = weights @ VALUE[b, :, h // 2] / weights.sum()
    return result


@pytest.mark.parametrize("more", ["nothing", "bias", "wide bias", "mask", "numbers as a mask", "both"])
def test_all_options(backend: Any, more: str) -> None:
    bias = {"bias": BIAS, "wide bias": BIAS[:1, :, :1], "both": BIAS}.get(more)
    mask = MASK if "mask" in more or more == "both" else None
    given = {} if bias is None else {"bias": asarray(bias)}
    if mask is not None:
        given["mask"] = asarray(mask * 2, "int32") if "numbers" in more else asarray(mask)
    for scale, cap, causal in itertools.product((None, 0.7), (None, 0.9), (False, True)):
        result = ops.dot_product_attention(
            *map(asarray, (QUERY, KEY, VALUE)),
            **given, scale=scale, is_causal=causal, attn_logits_soft_cap=cap,
        )  # fmt: skip
        expected = reference(5**-0.5 if scale is None else scale, cap, causal, bias, mask)
        np.testing.assert_allclose(to_numpy(result), expected, rtol=1e-4, atol=1e-5, err_msg=f"{scale} {cap} {causal}")


def test_derivatives_with_a_cap_and_a_bias() -> None:
    args = (QUERY, KEY, VALUE, BIAS)
    check_grads(
        lambda q, k, v, b: ops.dot_product_attention(q, k, v, b, attn_logits_soft_cap=0.9, is_causal=True), args
    )
    check_grads(lambda q: ops.dot_product_attention(q, KEY, VALUE, mask=MASK, attn_logits_soft_cap=0.9), (QUERY,))


def test_integers(backend: Any) -> None:
    x = asarray(np.arange(24).reshape(1, 3, 2, 4) % 5, "int32")
    assert_close(ops.dot_product_attention(x, x, x), ops.dot_product_attention(*[ops.cast(x, "float32")] * 3))
