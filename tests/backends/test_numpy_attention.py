"""Attention on NumPy in blocks, beside its definition."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import threadpoolctl

from portanet.backends import use_backend
from portanet.backends.numpy import attention
from portanet.fused.attention import dot_product_attention
from portanet.fused.attention_blocks import attention_in_blocks


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {"WEIGHTS": 60, "ROWS": 2, "KEPT": 100}.items():
        monkeypatch.setattr(attention, name, value)
    with use_backend("numpy"):
        yield


def drawn(targets: int, sources: int, size: float = 1.0, dtype: str = "float64") -> list[Any]:
    """Query, key and value of five examples and two heads, as a layer has them: views."""
    generator = np.random.default_rng(0)
    shapes = [(5, targets, 2, 3), (5, sources, 2, 3), (5, sources, 2, 4)]
    return [(size * generator.standard_normal(shape)).transpose(0, 2, 1, 3).astype(dtype) for shape in shapes]


def masks(targets: int, sources: int) -> dict[str, Any]:
    generator = np.random.default_rng(1)
    sides = generator.random((5, 1, targets, sources)) < 0.5
    sides[:, :, 1] = False  # sees nothing
    padding = np.arange(sources) < np.asarray([1, sources, 0, 2, 3])[:, None]
    return {"none": None, "sources": padding[:, None, None], "sides": sides, "shared": sides[0, 0], "row": padding[3]}


@pytest.mark.parametrize("name", masks(4, 4))
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(("targets", "sources"), [(9, 9), (13, 9), (4, 11)])
@pytest.mark.parametrize(("size", "dropout"), [(1.0, False), (40.0, False), (1.0, True)])
def test_blocks_are_the_definition(
    name: str, causal: bool, targets: int, sources: int, size: float, dropout: bool
) -> None:
    """Also of scores that need a shift, and where weights are computed again."""
    query, key, value = drawn(targets, sources, size)
    keep = np.random.default_rng(3).random((5, 1, targets, sources)) if dropout else None
    options = {"scale": 0.5, "mask": masks(targets, sources)[name], "causal": causal, "keep": keep}
    (result, log_sum), pull = attention.attention_in_blocks(query, key, value, **options)
    (expected, expected_sum), defined = attention_in_blocks.__wrapped__.definition(query, key, value, **options)
    np.testing.assert_allclose(result, expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(log_sum, expected_sum, rtol=1e-9, atol=1e-9)
    generator = np.random.default_rng(2)
    g, g_sum = generator.standard_normal(result.shape), generator.standard_normal(log_sum.shape)
    for cotangents in ((g, g_sum), (g, None), (None, g_sum)):
        for a, b in zip(pull(cotangents), defined(cotangents), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-8 * size)


def test_threads_change_no_bit() -> None:
    query, key, value = drawn(40, 40, dtype="float32")

    def run() -> list[Any]:
        (result, _), pull = attention.attention_in_blocks(query, key, value, scale=0.5, causal=True)
        return [result, *pull((result, None))]

    with threadpoolctl.threadpool_limits(1):
        alone = run()
    for a, b in zip(run(), alone, strict=True):
        np.testing.assert_array_equal(a, b)


def test_results_lie_as_the_query_does() -> None:
    query, key, _ = drawn(6, 6)
    out = dot_product_attention(query, key, key, 1.0)
    assert out.transpose(0, 2, 1, 3).flags.c_contiguous
