"""Sources that are hidden from some queries only: those queries, and their gradients, do not depend on their values."""

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.autodiff import array_namespace, grad, lift, vmap
from portanet.fused.attention import attention
from portanet.fused.attention_blocks import attention_in_blocks
from tests.support import assert_close, to_numpy

RNG = np.random.default_rng(0)
Q, K, V = (RNG.normal(size=(2, 4, 3)).astype("float32") for _ in range(3))
VISIBLE = np.tril(np.ones((4, 4), dtype=bool))  # the last source is visible to the last query alone
VALUES = [1e6, float("nan")]
LAYERS = {
    "attention": lambda: layers.Attention(use_scale=True),
    "attention by tanh": lambda: layers.Attention(score_mode="concat", use_scale=True),
    "additive attention": layers.AdditiveAttention,
}
HEADS = {
    "multi-head attention": lambda: layers.MultiHeadAttention(2, 2),
    "grouped-query attention": lambda: layers.GroupQueryAttention(2, 2, 1),
}
OPS = {
    "at once": lambda q, k, v, mask: attention(q, k, v, scale=0.7, mask=mask),
    "in blocks": lambda q, k, v, mask: attention_in_blocks(q, k, v, scale=0.7, mask=mask, block=3),
    "causal, in blocks": lambda q, k, v, mask: attention_in_blocks(q, k, v, scale=0.7, causal=True, block=3),
}


def with_last(x, value):
    x = x.copy()
    x[:, -1] = value
    return portanet.asarray(x)


def slopes(function, *arrays):
    """All rows but the last of `function(*arrays)`, and gradients of the sum of their squares."""

    def total(*arrays):
        out = function(*arrays)[:, :3, ...]
        return array_namespace(out).sum(out * out)

    out = to_numpy(function(*arrays))[:, :3]
    return [out, *(to_numpy(g) for g in grad(total, tuple(range(len(arrays))))(*arrays))]


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("name", OPS)
def test_ops(backend, name, value):
    q, mask = portanet.asarray(Q), portanet.asarray(VISIBLE)

    def results(value):
        return slopes(lambda *x: OPS[name](*x, mask)[0], q, with_last(K, value), with_last(V, value))

    expected = results(0.0)
    assert all(np.isfinite(x).all() for x in expected)
    for result, x in zip(results(value), expected, strict=True):
        np.testing.assert_allclose(result, x, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("name", LAYERS)
def test_layers(backend, name, value):
    layer, q = LAYERS[name](), portanet.asarray(Q)
    layer([q, portanet.asarray(V), portanet.asarray(K)])

    def results(value):
        v, k = with_last(V, value), with_last(K, value)
        return slopes(lambda q: layer([q, v, k], use_causal_mask=True), q)

    expected = results(0.0)
    assert all(np.isfinite(x).all() for x in expected)
    for result, x in zip(results(value), expected, strict=True):
        np.testing.assert_allclose(result[:, :3], x[:, :3], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("name", HEADS)
def test_heads(backend, name, causal):
    layer = HEADS[name]()
    options = {"use_causal_mask": True} if causal else {"attention_mask": portanet.asarray(VISIBLE[None])}
    expected = to_numpy(layer(with_last(V, 0.0), **options))[:, :3]
    for value in VALUES:
        out = to_numpy(layer(with_last(V, value), **options))
        np.testing.assert_allclose(out[:, :3], expected, rtol=1e-5, atol=1e-6)
        assert np.isnan(out[:, 3]).all() == np.isnan(value)


def test_queries_that_see_it_get_nan(backend):
    out = to_numpy(OPS["at once"](portanet.asarray(Q), portanet.asarray(K), with_last(V, np.nan), None)[0])
    assert np.isnan(out).all()
    mask = portanet.asarray(VISIBLE)
    out = to_numpy(OPS["at once"](portanet.asarray(Q), portanet.asarray(K), with_last(V, np.nan), mask)[0])
    assert np.isnan(out[:, 3]).all()


def test_dropout_and_weights(backend):
    layer = layers.Attention(dropout=0.5, seed=1)
    q, k = portanet.asarray(Q), portanet.asarray(K)
    out, weights = layer(
        [q, with_last(V, np.nan), k], use_causal_mask=True, training=True, return_attention_scores=True
    )
    assert np.isfinite(to_numpy(out)[:, :3]).all()
    whole = to_numpy(attention(q, k, k, scale=1.0, mask=portanet.asarray(VISIBLE))[1])
    assert_close(weights, np.where(to_numpy(weights) == 0, 0, 2 * whole))


def test_values_per_example_of_vmap_that_are_not_read(backend, monkeypatch):
    """As on GPUs, and beside a mask for all examples that is a constant of another trace."""
    monkeypatch.setattr("portanet.fused.attention.readable", lambda x, wait: False)
    q, k, v = (portanet.asarray(x) for x in (Q, K, V))

    def loss(q, k, v):
        xp = array_namespace(q)
        return xp.sum(attention(q, k, v, scale=0.7, mask=lift(portanet.asarray(VISIBLE)))[0] ** 2)

    found = vmap(grad(loss, (0, 1, 2)))(*(x[:, None, ...] for x in (q, k, v)))
    for i in range(2):
        alone = grad(loss, (0, 1, 2))(*(x[i : i + 1, ...] for x in (q, k, v)))
        for a, b in zip(found, alone, strict=True):
            assert_close(a[i, ...], to_numpy(b))
