"""Fused attention against its definition in the standard, with both results and their derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet.autodiff import array_namespace, grad
from portanet.fused import attention as module
from portanet.fused.attention import attention, dot_product_attention, with_causal
from portanet.fused.attention_blocks import attention_in_blocks
from tests.support import asarray, assert_close, to_numpy

SCALE = 0.7
generator = np.random.default_rng(5)
QUERY, KEY, VALUE = (generator.normal(size=(2, *shape)) for shape in ((5, 3), (7, 3), (7, 4)))
MASKS = {
    "none": None,
    "sources": generator.random((2, 1, 7)) < 0.7,
    "targets": generator.random((5, 1)) < 0.7,
    "pairs": generator.random((2, 5, 7)) < 0.5,
    "one row": generator.random(7) < 0.7,
    "a hidden row": np.arange(5)[:, None] + np.zeros((1, 7)) != 2,
}


def defined(q: Any, k: Any, v: Any, mask: Any = None, causal: bool = False, keep: Any = None) -> Any:
    """The result, the weights before `keep` and the logarithm of each row's sum of exponentials."""
    xp = array_namespace(q, k, v)
    scores = SCALE * xp.matmul(q, xp.matrix_transpose(k))
    visible = np.ones((q.shape[-2], k.shape[-2]), dtype=bool) if mask is None else mask
    visible = np.broadcast_to(visible & np.tri(q.shape[-2], k.shape[-2], dtype=bool) if causal else visible, (2, 5, 7))
    exponentials = xp.where(asarray(visible), xp.exp(xp.where(asarray(visible), scores, 0.0)), 0.0)
    total = xp.sum(exponentials, axis=-1, keepdims=True)
    empty = asarray(~visible.any(axis=-1, keepdims=True))
    weights = exponentials / xp.where(empty, 1.0, total)
    return xp.matmul(weights if keep is None else weights * keep, v), weights, xp.log(xp.where(empty, 1.0, total))


def total(parts: Any) -> Any:
    """A sum with a factor of its own for each element."""
    result: Any = 0.0
    for part in parts:
        xp = array_namespace(part)
        factors = np.cos(np.arange(1.0, 1 + np.prod(part.shape))).reshape(tuple(part.shape))
        result = result + xp.sum(part * asarray(factors, "float64"))
    return result


def assert_same(function: Any, expected: Any) -> None:
    """The same results, and derivatives of each result and of all together."""
    arrays = [asarray(a, "float64") for a in (QUERY, KEY, VALUE)]
    count = len(function(*arrays))
    for one, other in zip(function(*arrays), expected(*arrays), strict=True):
        assert_close(one, to_numpy(other), dtype="float64")
    for chosen in {(*range(count),), *((i,) for i in range(count))}:
        slopes = [
            grad(lambda q, k, v, f=f, chosen=chosen: total([f(q, k, v)[i] for i in chosen]), (0, 1, 2))(*arrays)
            for f in (function, expected)
        ]
        for one, other in zip(*slopes, strict=True):
            assert_close(one, to_numpy(other), dtype="float64")


@pytest.mark.parametrize(("name", "dropout"), [*((name, False) for name in MASKS), ("none", True), ("pairs", True)])
def test_attention_and_its_weights(xp: Any, name: str, dropout: bool) -> None:
    mask = None if MASKS[name] is None else asarray(MASKS[name])
    keep = asarray(np.cos(np.arange(70.0)).reshape(2, 5, 7), "float64") if dropout else None
    assert_same(
        lambda q, k, v: attention(q, k, v, scale=SCALE, mask=mask, keep=keep),
        lambda q, k, v: defined(q, k, v, MASKS[name], keep=keep)[:2],
    )


@pytest.mark.parametrize("dropout", [False, True])
@pytest.mark.parametrize(
    ("name", "causal"),
    [("none", False), ("none", True), ("sources", False), ("targets", True), ("pairs", True), ("one row", False)],
)
def test_attention_in_blocks(xp: Any, name: str, causal: bool, dropout: bool) -> None:
    mask = None if MASKS[name] is None else asarray(MASKS[name])
    keep = asarray(np.cos(np.arange(70.0)).reshape(2, 5, 7), "float64") if dropout else None

    def whole(q: Any, k: Any, v: Any) -> Any:
        result, _, log_sum = defined(q, k, v, MASKS[name], causal, keep)
        return result, log_sum

    def in_blocks(q: Any, k: Any, v: Any) -> Any:
        result, log_sum = attention_in_blocks(q, k, v, scale=SCALE, mask=mask, causal=causal, keep=keep, block=3)
        visible = np.broadcast_to(True if MASKS[name] is None else MASKS[name], (2, 5, 7)) & (
            np.tri(5, 7, dtype=bool) if causal else True
        )
        rows = asarray(visible.any(axis=-1, keepdims=True))
        return result, array_namespace(log_sum).where(rows, log_sum, 0.0)

    assert_same(in_blocks, whole)


@pytest.mark.parametrize("pairs", [34, 35])
def test_what_is_long_is_computed_in_blocks(xp: Any, monkeypatch: pytest.MonkeyPatch, pairs: int) -> None:
    """5 * 7 pairs; the result is the same."""
    monkeypatch.setattr(module, "LONG", pairs**0.5)
    monkeypatch.setattr("portanet.backends.numpy.backend.NumpyBackend.attends_in_blocks", False)
    calls = []
    blocks = module.attention_in_blocks
    monkeypatch.setattr(module, "attention_in_blocks", lambda *a, **o: calls.append(1) or blocks(*a, **o))
    q, k, v = (asarray(a, "float64") for a in (QUERY, KEY, VALUE))
    mask = MASKS["sources"]
    for causal in (False, True):
        out = dot_product_attention(q, k, v, SCALE, asarray(mask), causal)
        assert_close(out, to_numpy(defined(q, k, v, mask, causal)[0]), dtype="float64")
    assert len(calls) == (2 if pairs < 35 else 0)
    keep = asarray(np.full((2, 5, 7), 2.0), "float64")
    out = dot_product_attention(q, k, v, SCALE, keep=keep)
    assert_close(out, 2 * to_numpy(defined(q, k, v)[0]), dtype="float64")
    assert len(calls) == (3 if pairs < 35 else 0)


def test_causal_masks(xp: Any) -> None:
    assert to_numpy(with_causal(None, asarray(np.ones((3, 1))), 4)).astype(int).tolist() == [
        [1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0],
    ]  # fmt: skip
    mask = asarray(np.asarray([[False, True, True, True]]))
    assert to_numpy(with_causal(mask, asarray(np.ones((2, 1))), 4)).astype(int).tolist() == [[0, 0, 0, 0], [0, 1, 0, 0]]


@pytest.mark.parametrize("unusable", [np.nan, np.inf])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("block", [None, 2, 3])
def test_what_is_hidden_need_not_be_finite(xp: Any, block: int | None, causal: bool, unusable: float) -> None:
    """Queries that do not see the last sources have the results and derivatives that they have with 0 there."""
    mask = np.ones((5, 7), dtype=bool)
    if not causal:
        mask[:3, 4:] = False
    hidden = slice(3, None) if causal else slice(4, None)
    visible = asarray(np.arange(5)[:, None] < 3, "bool")

    def computed(q: Any, k: Any, v: Any) -> Any:
        if block is None:
            allowed = with_causal(asarray(mask), asarray(QUERY), 7) if causal else asarray(mask)
            return attention(q, k, v, scale=SCALE, mask=allowed)[0]
        options = {} if causal else {"mask": asarray(mask)}
        return attention_in_blocks(q, k, v, scale=SCALE, causal=causal, block=block, **options)[0]

    def seen(q: Any, k: Any, v: Any) -> Any:
        return total([array_namespace(q).where(visible, computed(q, k, v), 0.0)])

    results = []
    for number in (0.0, unusable):
        key, value = KEY.copy(), VALUE.copy()
        key[:, hidden], value[:, hidden] = number, number
        arrays = [asarray(a, "float64") for a in (QUERY, key, value)]
        results.append([to_numpy(computed(*arrays))[:, :3], *map(to_numpy, grad(seen, (0, 1, 2))(*arrays))])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


def test_a_mask_for_all_examples_is_that_of_each() -> None:
    """Large enough for the examples to be shared out among threads, with the mask."""
    rng = np.random.default_rng(0)
    q, k, v = (rng.normal(size=(48, 96, 16)).astype("float32") for _ in range(3))
    mask = rng.random((96, 96)) < 0.5
    each = attention(q, k, v, scale=SCALE, mask=np.broadcast_to(mask, (48, 96, 96)))
    for one in (mask, mask[None]):
        for a, b in zip(attention(q, k, v, scale=SCALE, mask=one), each, strict=True):
            np.testing.assert_array_equal(a, b)
