"""Arguments and attributes that scripts of Keras use: lists, formats, hashes, statistics."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import activations, config, layers
from portanet.backends import Backend
from portanet.layers.preprocessing.fingerprints import bucket, fingerprint64, siphash
from tests.support import assert_close, assert_equal


def test_layers_that_prepare_data_take_lists(backend: Backend) -> None:
    assert_equal(layers.CategoryEncoding(4, "one_hot")([3, 0]), np.eye(4, dtype="float32")[[3, 0]])
    assert_equal(layers.Discretization([0.0, 1.0])([[-1.5, 1.0]]), np.asarray([[0, 2]], dtype="int32"))
    assert_equal(layers.Rescaling(2.0)([[1, 2]]), np.asarray([[2, 4]], dtype="float32"))
    normalization = layers.Normalization(mean=1.0, variance=4.0)
    assert_equal(normalization([[1.0, 5.0]]), np.asarray([[0, 2]], dtype="float32"))
    with pytest.raises(TypeError, match=r"'rescaling_1' computes with arrays.* Received: dict of 1"):
        layers.Rescaling(2.0, name="rescaling_1")({"x": [1.0]})
    with pytest.raises(TypeError, match="takes one array"):
        normalization([portanet.asarray([[1.0, 5.0]])])


def test_a_variable_by_keyword(backend: Backend) -> None:
    variable = portanet.Variable(np.ones((2, 3, 4, 1), dtype="float32"))
    assert layers.UpSampling2D(2, interpolation="bilinear")(inputs=variable).shape == (2, 6, 8, 1)


@pytest.fixture
def channels_first():
    config.set_image_data_format("channels_first")
    yield
    config.set_image_data_format("channels_last")


def test_sequences_have_their_channels_last_whatever_images_have(channels_first: None) -> None:
    x = np.arange(12, dtype="float32").reshape(1, 4, 3)
    assert_equal(layers.Cropping1D((1, 2))(x), x[:, 1:2])
    assert_equal(layers.UpSampling1D(2)(x), np.repeat(x, 2, axis=1))


def test_factors_of_channels_that_come_first(channels_first: None) -> None:
    x = np.ones((2, 3, 4, 5), dtype="float32")
    factors = np.asarray([1.0, 2.0, 3.0], dtype="float32")
    assert_equal(layers.Rescaling(factors)(x), x * factors[:, None, None])
    with pytest.raises(ValueError, match="the third axis from the end of its inputs"):
        layers.Rescaling(factors)(x[:, :2])


def test_weights_after_flattening_fit_both_formats(backend: Backend) -> None:
    x = np.arange(24, dtype="float32").reshape(2, 3, 4, 1)
    last = layers.Flatten()(portanet.asarray(x))
    first = layers.Flatten("channels_first")(portanet.asarray(np.moveaxis(x, -1, 1)))
    assert_equal(first, backend.to_host(last))
    assert layers.Flatten("channels_first")(portanet.asarray([1.0, 2.0])).shape == (2, 1)


@pytest.mark.parametrize(
    ("axis", "mask"),
    [
        (1, np.asarray([[1, 0, 1], [1, 1, 0]])),
        (-1, np.asarray([[1], [0]])),
        (2, np.asarray([[[1, 0]], [[1, 1]]])),
    ],
)
def test_batches_are_normalized_with_masks_on_any_axes(axis: int, mask: Any, backend: Backend) -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 2, 4)).astype("float32")
    layer = layers.BatchNormalization(axis, momentum=0.0, epsilon=0.0)
    asarray = portanet.asarray
    out = layer(asarray(x), training=True, mask=asarray(mask.astype(bool)))
    weights = np.broadcast_to(mask.reshape(mask.shape + (1,) * (4 - mask.ndim)), x.shape).astype("float64")
    others = tuple(i for i in range(4) if i != axis % 4)
    count = weights.sum(axis=others, keepdims=True)
    mean = (x * weights).sum(axis=others, keepdims=True) / count
    variance = ((x - mean) ** 2 * weights).sum(axis=others, keepdims=True) / count
    assert_close(out, ((x - mean) / np.sqrt(variance)).astype("float32"))
    assert_close(layer.moving_mean.value, mean.reshape(-1).astype("float32"))


def test_given_statistics_are_attributes_of_the_rank_of_the_input() -> None:
    layer = layers.Normalization((1, 2), mean=[1.0, 2.0], variance=4.0)
    layer.build((None, 3, 2, 5))
    np.testing.assert_array_equal(layer.mean, np.broadcast_to(np.asarray([1.0, 2.0])[:, None], (1, 3, 2, 1)))
    np.testing.assert_array_equal(layer.variance, np.full((1, 3, 2, 1), 4.0))


def test_statistics_of_single_images_normalize_batches(backend: Backend) -> None:
    x = np.random.default_rng(2).normal(size=(6, 5, 3)).astype("float32")
    layer = layers.Normalization()
    layer.adapt(x)
    expected = ((x - x.mean(axis=(0, 1))) / x.std(axis=(0, 1))).astype("float32")
    assert_close(layer(portanet.asarray(x[None])), expected[None])
    with pytest.raises(ValueError, match="with 3 features on axis -1"):
        layer(portanet.asarray(x[..., :2]))


def test_the_bins_are_known_before_adapting() -> None:
    assert layers.Discretization(num_bins=5, output_mode="one_hot").compute_output_shape((None, 3)) == (None, 3, 5)


def test_unknown_integers_by_hash() -> None:
    values = [100, 200, 300, 400]
    layer = layers.IntegerLookup(vocabulary=[10, 20], num_oov_indices=4, oov_method="farmhash")
    assert portanet.to_host(layer(values)).tolist() == [fingerprint64(str(v).encode()) % 4 for v in values]
    salted = layers.IntegerLookup(vocabulary=[10], num_oov_indices=4, oov_method="farmhash", salt=[137, 42])
    assert portanet.to_host(salted(values)).tolist() == [siphash(str(v).encode(), (137, 42)) % 4 for v in values]
    copy = layers.IntegerLookup.from_config(salted.get_config())
    assert portanet.to_host(copy(values)).tolist() == portanet.to_host(salted(values)).tolist()
    floor = layers.IntegerLookup(vocabulary=[10], num_oov_indices=4)
    assert portanet.to_host(floor([*values, -1])).tolist() == [0, 0, 0, 0, 3]
    with pytest.raises(ValueError, match=r"`salt` .* must be None, except for oov_method='farmhash'"):
        layers.IntegerLookup(salt=3)


def test_unknown_strings_by_salted_hash() -> None:
    layer = layers.StringLookup(vocabulary=["a"], num_oov_indices=3, salt=5)
    assert portanet.to_host(layer(["x", "y"])).tolist() == [bucket(v, 3, (5, 5)) for v in "xy"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.CategoryEncoding(3, sparse=True), "`sparse` of layer .* must be False: arrays are dense"),
        (lambda: layers.Hashing(3, sparse=True), "Received: sparse=True"),
        (lambda: layers.TextVectorization(ragged=True), "Received: ragged=True"),
        (lambda: layers.TextVectorization(encoding="latin-1"), "must be one of 'utf-8'"),
        (lambda: layers.IntegerLookup(vocabulary_dtype="int32"), "must be one of 'int64'"),
        (lambda: layers.GroupNormalization(2).build((None, 3, None)), "whose size on axis 2 is known"),
    ],
)
def test_what_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("cls", [layers.LSTM, layers.GRU])
def test_ways_to_compute_are_chosen_by_the_backend(cls: Any, backend: Any) -> None:
    layer = cls(2, "relu", use_cudnn=False, implementation=1)
    assert (layer.units, layer.activation, layer.use_bias, layer.dropout) == (2, activations.relu, True, 0.0)
    assert layers.Bidirectional(cls(2, return_sequences=True)).return_sequences
    with pytest.raises(ValueError, match="`use_cudnn`"):
        cls(2, use_cudnn="never")
    with pytest.raises(ValueError, match="`implementation`"):
        cls(2, implementation=3)
    with pytest.raises(TypeError, match="no argument `implementation`"):
        layers.SimpleRNN(2, implementation=1)
