from __future__ import annotations

import numpy as np
import pytest

from portanet import layers
from portanet.autodiff import array_namespace, grad
from tests.layers.matrix import check_layer
from tests.support import asarray, assert_close, to_numpy

MHA = {
    "query_kernel": (6, 2, 3),
    "query_bias": (2, 3),
    "key_kernel": (6, 2, 3),
    "key_bias": (2, 3),
    "value_kernel": (6, 2, 4),
    "value_bias": (2, 4),
    "output_kernel": (2, 4, 6),
    "output_bias": (6,),
}


def normal(*shape):
    return np.random.default_rng(shape).normal(size=shape)


def test_multi_head_attention(backend):
    # The softmax does not depend on a constant added to all scores of a row.
    check_layer(lambda: layers.MultiHeadAttention(2, 3, value_dim=4), (2, 5, 6), (2, 5, 6), MHA, unchanged=["key_bias"])


def test_multi_head_attention_of_three_inputs(backend):
    check_layer(
        lambda: layers.MultiHeadAttention(2, 3, output_shape=7, dropout=0.3, use_bias=False, seed=1),
        [(2, 4, 6), (2, 5, 3), (2, 5, 4)],
        (2, 4, 7),
        {"query_kernel": (6, 2, 3), "key_kernel": (4, 2, 3), "value_kernel": (3, 2, 3), "output_kernel": (2, 3, 7)},
        training=True,
    )


def test_group_query_attention(backend):
    check_layer(
        lambda: layers.GroupQueryAttention(3, 4, 2, use_bias=False),
        (2, 5, 6),
        (2, 5, 6),
        {"query_kernel": (6, 4, 3), "key_kernel": (6, 2, 3), "value_kernel": (6, 2, 3), "output_kernel": (4, 3, 6)},
    )


def test_attention(backend):
    shapes = [(2, 4, 3), (2, 5, 6), (2, 5, 3)]
    check_layer(lambda: layers.Attention(use_scale=True), shapes, (2, 4, 6), {"scale": ()})
    check_layer(
        lambda: layers.Attention(score_mode="concat", dropout=0.2, seed=1),
        shapes,
        (2, 4, 6),
        {"concat_score_weight": ()},
        training=True,
    )
    check_layer(layers.AdditiveAttention, shapes, (2, 4, 6), {"scale": (3,)})


def test_scales_are_factors(backend):
    """Of the query for products; of the sum of query and key, in the tangent."""
    query, value = (asarray(normal(*shape)) for shape in ((2, 3, 4), (2, 5, 4)))
    for mode in ("dot", "concat"):
        layer, plain = layers.Attention(use_scale=True, score_mode=mode), layers.Attention(score_mode=mode)
        scale = {"scale": np.asarray(2.0)}
        layer.build([(2, 3, 4), (2, 5, 4)])
        layer.set_weights([scale.get(path, np.asarray(0.5)) for path in layer.named_variables()])
        plain.build([(2, 3, 4), (2, 5, 4)])
        plain.set_weights([np.asarray(0.5) for _ in plain.weights])
        key = value if mode == "dot" else value * 2
        expected = plain([query * 2, value, key])
        assert_close(layer([query, value]), to_numpy(expected))


def test_positions(backend):
    check_layer(layers.SinePositionEncoding, (2, 5, 7), (2, 5, 7), {}, gradient=False)
    check_layer(
        lambda: layers.PositionEmbedding(6), (2, 5, 3), (2, 5, 3), {"position_embeddings": (6, 3)}, trains=False
    )
    check_layer(layers.RotaryEmbedding, (2, 5, 6), (2, 5, 6), {})


# Masks


@pytest.mark.parametrize("causal", [False, True])
def test_padding_has_no_influence(backend, causal):
    layer = layers.MultiHeadAttention(2, 4, dtype="float64")
    x = normal(1, 4, 6)
    padded = np.concatenate([x, np.full((1, 3, 6), np.nan)], axis=1)
    mask = asarray(np.isfinite(padded[..., 0]))
    layer.build(x.shape)

    def total(x, mask=None):
        out = layer(x, mask=mask, use_causal_mask=causal)[:, :4, :]
        return array_namespace(out).sum(out * out)

    whole, alone = asarray(padded, "float64"), asarray(x, "float64")
    out, expected = layer(whole, mask=mask, use_causal_mask=causal), to_numpy(layer(alone, use_causal_mask=causal))
    assert_close(out[:, :4, :], expected, dtype="float64")
    assert_close(grad(total)(alone), to_numpy(grad(total)(whole, mask))[:, :4], dtype="float64")


def test_what_comes_later_has_no_influence(backend):
    layer = layers.MultiHeadAttention(2, 4)
    x = normal(2, 5, 6)
    other = np.concatenate([x[:, :3], normal(2, 2, 6) * 9], axis=1)
    first, second = (to_numpy(layer(asarray(each), use_causal_mask=True)) for each in (x, other))
    np.testing.assert_allclose(first[:, :3], second[:, :3], rtol=1e-5, atol=1e-6)
    assert not np.allclose(first[:, 3:], second[:, 3:])


def test_no_place_to_attend_to(backend):
    layer = layers.MultiHeadAttention(2, 4, bias_initializer="ones")
    out = layer(asarray(normal(2, 5, 6)), mask=asarray(np.arange(5) < np.asarray([[5], [0]])))
    assert_close(out[1, ...], np.ones((5, 6)))


def test_calling_conventions(backend):
    layer = layers.MultiHeadAttention(2, 4)
    q, v, k = asarray(normal(2, 3, 6)), asarray(normal(2, 5, 6)), asarray(normal(2, 5, 6) + 1)
    out = to_numpy(layer(q, v, k))
    np.testing.assert_array_equal(out, to_numpy(layer([q, v, k])))
    np.testing.assert_array_equal(out, to_numpy(layer(q, value=v, key=k)))
    np.testing.assert_array_equal(to_numpy(layer(q)), to_numpy(layer(q, q, q)))
    value_mask = asarray(np.arange(5) < np.asarray([[5], [2]]))
    masked = to_numpy(layer(q, v, value_mask=value_mask))
    np.testing.assert_array_equal(masked, to_numpy(layer([q, v], mask=[None, value_mask])))
    as_pairs = asarray(np.broadcast_to(to_numpy(value_mask)[:, None], (2, 3, 5)))
    np.testing.assert_allclose(masked, to_numpy(layer(q, v, attention_mask=as_pairs)), rtol=1e-5, atol=1e-6)
    out, weights = layer(q, v, use_causal_mask=True, return_attention_scores=True)
    np.testing.assert_allclose(to_numpy(weights).sum(-1), 1, rtol=1e-5)
    assert np.all(to_numpy(weights)[..., 0, 1:] == 0)
    assert_close(out, to_numpy(layer(q, v, use_causal_mask=True)), rtol=1e-5, atol=1e-6)


def test_groups_are_heads_that_share_keys():
    grouped, plain = layers.GroupQueryAttention(3, 4, 2), layers.MultiHeadAttention(4, 3)
    x = normal(2, 5, 6).astype("float32")
    grouped.build(x.shape)
    plain.build(x.shape)
    weights = grouped.get_weights()
    for i in (2, 3, 4, 5):
        weights[i] = np.repeat(weights[i], 2, axis=-2)
    plain.set_weights(weights)
    np.testing.assert_allclose(grouped(x), plain(x), rtol=1e-5, atol=1e-6)


def test_rotary_products_depend_on_distance_alone(backend):
    layer = layers.RotaryEmbedding(dtype="float64")
    q, k = normal(8), normal(8, 1)[:, 0]
    turned_q, turned_k = (
        to_numpy(layer(asarray(np.broadcast_to(x, (1, 6, 8)), "float64"), start_index=start))[0]
        for x, start in ((q, 0), (k, 3))
    )
    products = turned_q @ turned_k.T
    np.testing.assert_allclose(products[1:, 1:], products[:-1, :-1], rtol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(turned_q, axis=-1), np.linalg.norm(q), rtol=1e-9)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.MultiHeadAttention(0, 4), "`num_heads`.*Received: num_heads=0"),
        (lambda: layers.MultiHeadAttention(2, 4, dropout=1), r"`dropout` .* a number in \[0, 1\). Received: dropout=1"),
        (lambda: layers.GroupQueryAttention(4, 4, 3), "`num_query_heads` .* a multiple of num_key_value_heads=3. Rec"),
        (lambda: layers.Attention(score_mode="product"), "`score_mode`.*Received: score_mode='product'"),
        (lambda: layers.Attention()(np.ones((2, 3, 4))), "takes a list.*Received: one array"),
        (lambda: layers.MultiHeadAttention(2, 4)(np.ones((2, 3))), "needs inputs of shape.*Received: shape"),
        (
            lambda: layers.MultiHeadAttention(2, 4)(np.ones((2, 3, 4)), mask=np.ones((2, 4), dtype=bool)),
            r"A mask of layer.*here \(2, 3\). Received: \(2, 4\)",
        ),
        (
            lambda: layers.MultiHeadAttention(2, 4)(np.ones((2, 3, 4)), attention_mask=np.ones((2, 3, 4), dtype=bool)),
            r"`attention_mask`.*Received: \(2, 3, 4\)",
        ),
        (lambda: layers.PositionEmbedding(3)(np.ones((2, 4, 5))), "knows 3 positions.*Received: positions 0 to 3"),
        (lambda: layers.RotaryEmbedding()(np.ones((2, 4, 5))), "even number of features.*Received:"),
        (lambda: layers.SinePositionEncoding(0), "`max_wavelength`.*Received: max_wavelength=0"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("make", "shapes"),
    [
        (lambda: layers.MultiHeadAttention(1, 2), [(2, 3, 4), (1, 3, 4)]),
        (lambda: layers.MultiHeadAttention(1, 2), [(2, 3, 4), (2, 3, 4), (1, 3, 4)]),
        (lambda: layers.GroupQueryAttention(2, 2, 1), [(1, 3, 4), (2, 3, 4)]),
        (layers.Attention, [(2, 3, 4), (1, 3, 4)]),
        (layers.Attention, [(1, 3, 4), (2, 3, 4)]),
        (layers.AdditiveAttention, [(2, 3, 4), (1, 3, 4)]),
        (layers.Add, [(2, 3), (1, 3)]),
        (lambda: layers.Bilinear(3), [(2, 3), (1, 3)]),
        (lambda: layers.LSTM(3), [(2, 5, 4), (1, 3), (1, 3)]),
    ],
)
def test_no_batch_of_one_is_stretched(make, shapes, backend):
    layer = make()
    layer([asarray(normal(2, *shape[1:])) for shape in shapes])
    with pytest.raises(ValueError, match=r"the same number of examples in all its arrays\. Received: shapes"):
        layer([asarray(normal(*shape)) for shape in shapes])


@pytest.mark.parametrize("dtype", ["int32", "uint8", "float32"])
def test_masks_of_ones_and_zeros(xp: object, dtype: str) -> None:
    """Are those of True and False."""
    layer, x = layers.MultiHeadAttention(2, 3), asarray(np.random.default_rng(2).normal(size=(2, 4, 5)))
    allowed = np.asarray([[1, 0, 1, 1], [1, 1, 0, 0], [0, 0, 1, 0], [1, 1, 1, 1]])[None]
    expected = layer(x, attention_mask=asarray(allowed == 1))
    assert_close(layer(x, attention_mask=asarray(allowed, dtype)), to_numpy(expected))


@pytest.mark.parametrize("make", [layers.Attention, layers.AdditiveAttention])
@pytest.mark.parametrize("shapes", [[(2, 3, 1), (2, 3, 4)], [(2, 3, 4), (2, 5, 4), (2, 1, 4)]])
def test_attention_broadcasts_nothing(make, shapes, backend):
    with pytest.raises(ValueError, match=r"needs (query and key|key and value) of the same .*Received: shapes \(2, 3"):
        make()([asarray(normal(*shape)) for shape in shapes])


@pytest.mark.parametrize("make", [layers.Attention, layers.AdditiveAttention])
def test_masks_of_attention_are_of_every_example(make, backend):
    x, mask = asarray(normal(2, 3, 4)), backend.xp.ones((1, 3), dtype=backend.xp.bool)
    for masks in ([mask, None], [None, mask]):
        with pytest.raises(
            ValueError, match=r"must be an array of shape \(batch, time\), here \(2, 3\)\. Received: \(1, 3\)"
        ):
            make()([x, x], mask=masks)


def test_rows_of_an_image_attend_by_themselves(xp):
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype("float32")
    y = np.random.default_rng(1).normal(size=(2, 3, 6, 5)).astype("float32")
    for layer in (layers.Attention(), layers.Attention(score_mode="concat"), layers.AdditiveAttention(use_scale=False)):
        out, weights = layer([asarray(x), asarray(y)], return_attention_scores=True)
        rows, parts = layer([asarray(x[:, 1]), asarray(y[:, 1])], return_attention_scores=True)
        assert out.shape == (2, 3, 4, 5)
        assert weights.shape == (2, 3, 4, 6)
        np.testing.assert_allclose(to_numpy(out)[:, 1], to_numpy(rows), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(to_numpy(weights)[:, 1], to_numpy(parts), rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="differ in their last two axes alone"):
        layers.Attention()([asarray(x), asarray(y[:, :2])])


def test_returned_weights_are_those_after_dropout(xp):
    x = asarray(np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32"))
    out, weights = layers.Attention(dropout=0.5, seed=1)([x, x], return_attention_scores=True, training=True)
    assert (to_numpy(weights) == 0).any()
    np.testing.assert_allclose(to_numpy(weights) @ to_numpy(x), to_numpy(out), rtol=1e-5, atol=1e-6)
