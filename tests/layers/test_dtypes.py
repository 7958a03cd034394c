"""Dtypes of data: layers compute in their compute dtype, and inputs have the dtype that `Input` declares."""

from __future__ import annotations

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.backends import to_host

IMAGES = np.asarray([[[[200], [100]], [[50], [250]]], [[[0], [3]], [[255], [255]]]])  # (2, 2, 2, 1)
ROWS = np.asarray([[200, 3], [7, 255]])
SEQUENCE = np.asarray([[[200, 0], [255, 255]], [[1, 2], [3, 4]]])
CASES = {
    "activation": (lambda: layers.Activation("tanh"), ROWS),
    "additive_attention": (layers.AdditiveAttention, [SEQUENCE, SEQUENCE]),
    "add": (layers.Add, [ROWS, ROWS]),
    "attention": (layers.Attention, [SEQUENCE, SEQUENCE]),
    "average": (layers.Average, [ROWS, ROWS]),
    "average_pooling": (lambda: layers.AveragePooling2D(2), IMAGES),
    "adaptive_average_pooling": (lambda: layers.AdaptiveAveragePooling2D(1), IMAGES),
    "batch_normalization": (layers.BatchNormalization, ROWS),
    "bilinear": (lambda: layers.Bilinear(2), [ROWS, ROWS]),
    "concatenate_then_dense": (lambda: portanet.Sequential([layers.Concatenate(), layers.Dense(2)]), [ROWS, ROWS]),
    "conv": (lambda: layers.Conv2D(2, 2), IMAGES),
    "dense": (lambda: layers.Dense(2), ROWS),
    "dot": (lambda: layers.Dot(1), [ROWS, ROWS]),
    "dropout": (lambda: layers.Dropout(0.5, seed=1), ROWS),
    "elu": (layers.ELU, ROWS),
    "flatten_then_dense": (lambda: portanet.Sequential([layers.Flatten(), layers.Dense(2)]), IMAGES),
    "gaussian_dropout": (lambda: layers.GaussianDropout(0.5, seed=1), ROWS),
    "gaussian_noise": (lambda: layers.GaussianNoise(0.5, seed=1), ROWS),
    "global_average_pooling": (layers.GlobalAveragePooling2D, IMAGES),
    "global_max_pooling": (layers.GlobalMaxPooling2D, IMAGES),
    "group_normalization": (lambda: layers.GroupNormalization(1), ROWS),
    "gru": (lambda: layers.GRU(2), SEQUENCE),
    "lambda": (lambda: layers.Lambda(lambda x: x + x), ROWS),
    "layer_normalization": (layers.LayerNormalization, ROWS),
    "leaky_relu": (layers.LeakyReLU, ROWS),
    "lstm": (lambda: layers.LSTM(2), SEQUENCE),
    "masking": (layers.Masking, SEQUENCE),
    "max_pooling": (lambda: layers.MaxPooling2D(2), IMAGES),
    "maximum": (layers.Maximum, [ROWS, ROWS]),
    "maxout": (lambda: layers.Maxout(2, 2), ROWS),
    "minimum": (layers.Minimum, [ROWS, ROWS]),
    "model_of_a_lambda": (lambda: portanet.Sequential([layers.Lambda(lambda x: x + x)]), ROWS),
    "multi_head_attention": (lambda: layers.MultiHeadAttention(1, 2), [SEQUENCE, SEQUENCE]),
    "multiply": (layers.Multiply, [ROWS, ROWS]),
    "prelu": (layers.PReLU, ROWS),
    "rbf": (lambda: layers.RBF(2), ROWS),
    "relu": (layers.ReLU, ROWS),
    "rms_normalization": (layers.RMSNormalization, ROWS),
    "rotation": (lambda: layers.RandomRotation(0.1, seed=1), IMAGES),
    "simple_rnn": (lambda: layers.SimpleRNN(2), SEQUENCE),
    "softmax": (layers.Softmax, ROWS),
    "subtract": (layers.Subtract, [ROWS, ROWS]),
    "time_distributed": (lambda: layers.TimeDistributed(layers.Dense(2)), SEQUENCE),
    "unit_normalization": (layers.UnitNormalization, ROWS),
    "up_sampling": (lambda: layers.UpSampling2D(2, interpolation="bilinear"), IMAGES),
}


def arrays(data, dtype):
    if isinstance(data, list):
        return [portanet.asarray(part, dtype) for part in data]
    return portanet.asarray(data, dtype)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", ["uint8", "int32", "bool"])
def test_integers_are_computed_with_as_numbers(backend, name, dtype):
    make, data = CASES[name]
    data = [part > 100 for part in data] if dtype == "bool" and isinstance(data, list) else data
    data = data > 100 if dtype == "bool" and not isinstance(data, list) else data
    results = []
    for kind in ("float32", dtype):
        portanet.random.set_seed(1)
        layer = make()
        for training in (False, True):
            out = layer(arrays(data, kind), training=training)
            assert backend.dtype_name(out.dtype) == "float32"
            results.append(to_host(out))
    np.testing.assert_allclose(results[2], results[0], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(results[3], results[1], rtol=1e-6, atol=1e-6)


def test_known_values(backend):
    x = portanet.asarray(ROWS, "uint8")
    assert to_host(layers.Add()([x, x])).tolist() == [[400.0, 6.0], [14.0, 510.0]]
    assert to_host(layers.Average()([x, x])).tolist() == ROWS.tolist()
    pooled = layers.GlobalAveragePooling2D()(portanet.asarray(IMAGES, "uint8"))
    assert to_host(pooled).tolist() == [[150.0], [128.25]]


@pytest.mark.parametrize("given", [None, "float32"])
def test_a_model_casts_data_to_the_dtype_of_its_input(backend, given):
    x = layers.Input((2,), dtype=given)
    doubled = portanet.Model(x, layers.Lambda(lambda x: x + x)(x))
    flat = portanet.Model(x, layers.Flatten()(x))
    chain = portanet.Sequential([layers.Input((2,), dtype=given), layers.Lambda(lambda x: x + x)])
    for model, factor in ((doubled, 2), (flat, 1), (chain, 2)):
        for out in (model(portanet.asarray(ROWS, "uint8")), portanet.asarray(model.predict(ROWS.astype("uint8")))):
            assert backend.dtype_name(out.dtype) == "float32"
            np.testing.assert_array_equal(to_host(out), factor * ROWS)


def test_declared_integers_stay_integers(backend):
    x = layers.Input((2,), dtype="int32")
    model = portanet.Model(x, layers.Lambda(lambda x: x // 2)(x))
    chain = portanet.Sequential([layers.Input((2,), dtype="int32"), layers.Lambda(lambda x: x // 2)])
    for each in (model, chain):
        for dtype in ("uint8", "int32", "float32"):
            out = each(portanet.asarray([[3, 4]], dtype))
            assert backend.dtype_name(out.dtype) == "int32"
            assert to_host(out).tolist() == [[1, 2]]
        with pytest.raises(ValueError, match=r"Input '\w+' of dtype 'int32' holds integers; round the data first"):
            each(portanet.asarray([[1.7, 2.0]]))
        with pytest.raises(ValueError, match="holds integers; round the data first"):
            each.predict(np.asarray([[1.7, 2.0]]))


def test_data_of_an_embedding_is_not_cast(backend):
    ids = portanet.asarray([[2**24 + 1]], "int32")
    seen = []

    class Ids(layers.Embedding):
        def call(self, x, training=False):
            seen.append(int(to_host(x)[0, 0]))
            return super().call(x % 5, training=training)

    x = layers.Input((1,))
    graph = portanet.Model(x, Ids(5, 2)(layers.Reshape((1,))(layers.Identity()(x))))
    graph(ids)
    portanet.Sequential([layers.Input((1,)), layers.Flatten(), Ids(5, 2)])(ids)
    portanet.Sequential([layers.Flatten(), Ids(5, 2)])(ids)
    assert seen[-1] == 2**24 + 1
    assert set(seen) - {0} == {2**24 + 1}


def test_a_layer_of_ones_own_gets_integers_as_they_are(backend):
    class Rows(layers.Layer):
        def call(self, x):
            assert backend.dtype_name(x.dtype) == "int32"
            return x

    Rows()(portanet.asarray(ROWS, "int32"))
    x = layers.Input((2,), dtype="int32")
    portanet.Model(x, Rows()(x))(portanet.asarray(ROWS, "int32"))


@pytest.mark.parametrize("dtype", ["foo", "complex64", 3])
def test_an_input_has_a_dtype_of_real_numbers(dtype):
    with pytest.raises(ValueError, match="dtype"):
        layers.Input((2,), dtype=dtype)


def test_an_input_takes_a_dtype_of_the_library(backend):
    assert layers.Input((2,), dtype=backend.xp.int32).dtype == "int32"


@pytest.mark.parametrize("make", [CASES[n][0] for n in ("dense", "add", "relu", "layer_normalization", "lambda")])
def test_complex_numbers_are_refused(backend, make):
    x = portanet.asarray(ROWS + 1j)
    layer = make()
    with pytest.raises(TypeError, match="pass the real and imaginary parts"):
        layer([x, x] if layer.several_inputs else x)


@pytest.mark.parametrize(
    "make",
    [
        layers.LayerNormalization,
        lambda **o: layers.LayerNormalization(center=False, scale=False, **o),
        lambda **o: layers.GroupNormalization(1, **o),
        layers.BatchNormalization,
        layers.RMSNormalization,
        layers.UnitNormalization,
    ],
)
def test_normalization_in_half_precision_takes_large_numbers(backend, make):
    if not hasattr(backend.xp, "float16"):
        pytest.skip(f"{backend.name} has no float16")
    x = portanet.asarray([[70000.0, 1e6, -2e5], [1.0, 2.0, 3.0]])
    half, single = make(dtype="mixed_float16"), make(dtype="float32")
    out, expected = half(x, training=True), single(x, training=True)
    assert backend.dtype_name(out.dtype) == "float16"
    np.testing.assert_allclose(to_host(out), to_host(expected), rtol=2e-3, atol=2e-3)
