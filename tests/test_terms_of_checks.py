"""Checks of several terms: calls at which one term alone decides, in both directions."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from portanet import (
    Sequential,
    callbacks,
    fused,
    initializers,
    layers,
    models,
    ops,
    preprocessing,
    schedules,
    tree,
    utils,
)
from portanet.activations import softmax
from portanet.compat import numpydl as npdl
from portanet.fused.convolution import conv_nd
from portanet.fused.least_squares import least_squares
from portanet.random import streams

STEP = np.asarray(0, "int32")
X = np.ones((2, 3))
IMAGE, SERIES = np.ones((1, 6, 6, 2)), np.arange(10.0)
TEXT = np.asarray([["a", "b"]])


def over_columns(query: Any, value: Any) -> Any:
    return layers.MultiHeadAttention(1, 2, attention_axes=(2,))(query, value)


def built() -> Sequential:
    return Sequential([layers.Input((3,)), layers.Dense(2, name="one")])


REFUSED: dict[str, list[tuple[Callable[[], Any], str]]] = {
    "ops": [
        (lambda: ops.fold(np.ones((2, 4)), (3, 3), 2), "shape (2, 4)"),
        (lambda: ops.fold(np.ones((2, 5, 4)), (3, 3), 2), "shape (2, 5, 4)"),
        (lambda: ops.fold(np.ones((2, 4, 5)), (3, 3), 2), "shape (2, 4, 5)"),
        (lambda: ops.conv(np.ones((1, 5, 5, 3)), np.ones((2, 2, 2, 4))), "kernel of shape"),
        (lambda: ops.conv(np.ones((1, 5, 3)), np.ones((2, 2, 3, 4))), "as many axes"),
        (lambda: ops.ctc_loss(X[:1], X, [1], [3]), "ctc_loss takes"),
        (lambda: ops.ctc_loss(X[0], np.ones((2, 4, 3)), [1], [3]), "ctc_loss takes"),
        (lambda: ops.ctc_loss(X[:1], np.ones((2, 4, 3)), [1], [3]), "ctc_loss takes"),
        (lambda: ops.einsum("i,j->ij", SERIES), "a term for each"),
        (lambda: ops.einsum("i->i;", SERIES), "a term for each"),
        (lambda: ops.einsum("ij->ii", X), "different letters"),
        (lambda: ops.einsum("ij->ijk", X), "different letters"),
        (lambda: ops.einsum("ijk->i", X), "a letter for each"),
        (lambda: ops.einsum("i->i", X), "a letter for each"),
        (lambda: ops.einsum("ij,jk->ik", X, X), "Sizes of axis"),
        (lambda: ops.rearrange(X, "a (b c) -> a b c"), "sizes of"),
        (lambda: ops.rearrange(X, "a (b c) -> a b c", b=2), "sizes of"),
        (lambda: ops.rearrange(X, "a (b c) -> a b c", b=2, c=2), "sizes of"),
        (lambda: ops.cdist(SERIES[:3], X), "cdist"),
        (lambda: ops.cdist(X, SERIES[:3]), "cdist"),
        (lambda: ops.cdist(X, X[:, :2]), "cdist"),
        (lambda: ops.unique(SERIES, axis=1), "axis"),
        (lambda: ops.unique(X, axis=0), "axis"),
        (lambda: ops.unstack(X, 3), "num"),
        (lambda: ops.fft((X, X, X)), "two arrays of one shape"),
        (lambda: ops.fft((X, X[:1])), "two arrays of one shape"),
        (lambda: ops.view_as_complex(1.0), "last axis of size 2"),
        (lambda: ops.view_as_complex(X), "last axis of size 2"),
        (lambda: ops.convert_to_tensor(X, sparse=True), "sparse=True"),
        (lambda: ops.convert_to_tensor(X, ragged=True), "ragged=True"),
        (lambda: ops.pad(X, 1, "edge", 1.0), "constant_values"),
    ],
    "random": [
        (lambda: streams.bernoulli(1, np.asarray(0.5), 0.5, (2,)), "`step` of a draw"),
        (lambda: streams.bernoulli(1, np.asarray([1, 2]), 0.5, (2,)), "`step` of a draw"),
        (lambda: streams.bernoulli(1, STEP, 0.5, (-1,)), "shape"),
        (lambda: streams.bernoulli(1, STEP, 0.5, (1.5,)), "shape"),
        (lambda: streams.bernoulli(1.5, STEP, 0.5, (2,)), "key"),
        (lambda: streams.integers(1, STEP, (2,), 3, 3), "`high - low`"),
        (lambda: streams.integers(1, STEP, (2,), 0, 2**31), "`high - low`"),
        (lambda: streams.integers(1, STEP, (2,), -(2**31) - 1, 0), "`high - low`"),
        (lambda: streams.integers(1, STEP, (2,), 2**31 - 1, 2**31 + 1), "`high - low`"),
        (lambda: streams.choice(1, STEP, 2, (3,), p=[0.5, 0.25, 0.25]), "`p` must be"),
        (lambda: streams.choice(1, STEP, 2, (3,), p=[1.5, -0.5]), "`p` must be"),
        (lambda: streams.choice(1, STEP, 2, (3,), p=[0.5, 0.4]), "`p` must be"),
        (lambda: streams.choice(1, STEP, 2, (3,), replace=False, p=[0.5, 0.5]), "with replacement"),
    ],
    "fused": [
        (lambda: conv_nd(IMAGE[0], np.ones((2, 2, 2, 3))), "must have shape"),
        (lambda: conv_nd(IMAGE, np.ones((2, 2, 3, 3))), "must have shape"),
        (lambda: conv_nd(IMAGE, np.ones((2, 2, 1, 3)), groups=2), "`groups` must divide"),
        (lambda: conv_nd(IMAGE, np.ones((2, 2, 2, 3)), groups=0), "groups"),
        (lambda: least_squares(SERIES, X), "Received"),
        (lambda: least_squares(X, SERIES[:2]), "Received"),
        (lambda: least_squares(X, X[:1]), "Received"),
    ],
    "initializers": [
        (lambda: initializers.get(np.asarray(["a"])), "initializer"),
        (lambda: initializers.get(np.asarray([np.nan])), "initializer"),
        (lambda: initializers.Constant("a"), "value"),
        (lambda: initializers.Constant([1.0, np.inf]), "value"),
        (lambda: initializers.Constant(1j), "value"),
        (lambda: initializers.STFT(window=3), "window"),
        (lambda: initializers.STFT(window=X), "window"),
        (lambda: initializers.STFT(window=["a", "b"]), "window"),
        (lambda: initializers.STFT(window=[1.0, np.nan]), "window"),
        (lambda: initializers.STFT()((4, 1, 3, 2)), "STFT initializes"),
        (lambda: initializers.STFT()((4, 1)), "STFT initializes"),
        (lambda: initializers.STFT()((4, 2, 3)), "STFT initializes"),
        (lambda: initializers.STFT()((4, 1, 1)), "STFT initializes"),
        (lambda: initializers.STFT(window=[1.0, 2.0])((4, 1, 3)), "window"),
    ],
    "preprocessing": [
        (lambda: preprocessing.k_means(SERIES, 2), "(examples, features)"),
        (lambda: preprocessing.k_means(TEXT, 1), "(examples, features)"),
        (lambda: utils.pad_sequences("abc"), "sequences"),
        (lambda: utils.pad_sequences(list), "sequences"),
        (lambda: utils.pad_sequences(3), "sequences"),
        (lambda: utils.pad_sequences([[1], "ab"]), "Every entry"),
        (lambda: utils.pad_sequences([[1], 2]), "Every entry"),
        (lambda: utils.pad_sequences([[1], ["a"]]), "numbers"),
        (lambda: preprocessing.train_test_split(X, stratify=[0, 1], shuffle=False), "shuffle=True"),
        (lambda: preprocessing.train_test_split(SERIES, test_size=2, stratify=[0] * 9 + [1]), "Every class"),
        (lambda: preprocessing.train_test_split(SERIES, test_size=8, stratify=[0] * 8 + [1, 1], seed=3), "Every class"),
        (lambda: preprocessing.StandardScaler().fit(3.0), "Received"),
        (lambda: preprocessing.StandardScaler().fit(np.ones((0, 3))), "Received"),
    ],
    "layers": [
        (lambda: layers.EinsumDense("ab", 3), "`equation`"),
        (lambda: layers.EinsumDense("...ab,bc->ac", 3), "`equation`"),
        (lambda: layers.EinsumDense("...ab...,bc->...ac...", 3), "`equation`"),
        (lambda: layers.EinsumDense("ab,bc->ca", (3, 3)), "`equation`"),
        (lambda: layers.EinsumDense("ab,abc->ac", 3), "`equation`"),
        (lambda: layers.EinsumDense("ab,bc->ad", 3), "`equation`"),
        (lambda: layers.EinsumDense("ab,bcd->ac", 3), "`equation`"),
        (lambda: layers.EinsumDense("ab,bc->ac", (3, 4)), "`output_shape`"),
        (lambda: layers.EinsumDense("ab,bc->ac", 3, bias_axes=3), "`bias_axes`"),
        (lambda: layers.EinsumDense("ab,bc->ac", 3, bias_axes=""), "`bias_axes`"),
        (lambda: layers.EinsumDense("ab,bc->ac", 3, bias_axes="b"), "`bias_axes`"),
        (lambda: layers.Highway(layer=3), "`layer`"),
        (lambda: over_columns(layers.Input((5, 4, 3)), layers.Input((6, 4, 3))), "which are not attended along"),
        (lambda: over_columns(layers.Input((5, 4, 3)), layers.Input((4, 3))), "same number of axes"),
        (lambda: layers.Input((2,), batch_shape=(1, 2)), "takes the place of"),
        (lambda: layers.Input(batch_size=1, batch_shape=(1, 2)), "takes the place of"),
        (lambda: layers.Dense(2, input_shape=(3,), input_dim=3), "not both"),
        (lambda: layers.Sampling()([X, X[..., None]]), "of one shape"),
        (lambda: layers.Sampling()([X, X[:, :2]]), "of one shape"),
        (lambda: layers.InputSpec(axes=3), "`axes`"),
        (lambda: layers.BatchNormalization()(X, mask=X > 0, training=True), "leading axes"),
        (lambda: layers.BatchNormalization()(X, mask=SERIES[:3] > 0, training=True), "leading axes"),
        (lambda: layers.CategoryEncoding(3)([-1, 0]), "from 0 to 2"),
        (lambda: layers.CategoryEncoding(3)([0, 3]), "from 0 to 2"),
        (lambda: layers.Dropout(0.5, noise_shape=(2,))(X, training=True), "noise_shape"),
        (lambda: layers.Dropout(0.5, noise_shape=(2, 2))(X, training=True), "noise_shape"),
        (lambda: layers.StackedRNNCells(3), "`cells`"),
        (lambda: layers.StackedRNNCells([]), "`cells`"),
        (lambda: layers.StackedRNNCells([layers.LSTMCell(2), layers.Dense(2)]), "`cells`"),
        (lambda: layers.RotaryEmbedding()(np.ones((1, 2, 3))), "(1, 2, 3)"),
        (lambda: layers.RotaryEmbedding(sequence_axis=2)(np.ones((1, 2, 4))), "(1, 2, 4)"),
        (lambda: layers.PositionEmbedding(3)(X[None], start_index=-1), "3"),
        (lambda: layers.PositionEmbedding(3)(X[None], start_index=2), "3"),
        (lambda: layers.IntegerLookup(vocabulary=[1], salt=3), "salt"),
        (lambda: layers.JordanRNN(3, 3)(X[None], teacher=X[None]), "return_sequences"),
        (lambda: layers.JordanRNN(3, 3, return_sequences=True, stateful=True)(X[None], teacher=X[None]), "stateful"),
        (
            lambda: layers.JordanRNN(3, 3, return_sequences=True, go_backwards=True)(X[None], teacher=X[None]),
            "go_backw",
        ),
        (
            lambda: layers.JordanRNN(3, 3, return_sequences=True, return_state=True)(X[None], teacher=X[None]),
            "return_st",
        ),
        (lambda: layers.JordanRNN(3, 3, return_sequences=True)(X[None], teacher=X), "shape of the output, (1, 2, 3)"),
        (lambda: layers.Normalization().adapt(3), "`data`"),
        (lambda: layers.Normalization().adapt("abc"), "`data`"),
        (lambda: layers.Normalization().adapt({"a": 1}), "`data`"),
        (lambda: layers.Normalization(mean="a", variance=1.0), "`mean`"),
        (lambda: layers.Normalization(mean=[[1.0]], variance=1.0), "`mean`"),
        (lambda: layers.Normalization().adapt(iter([X, X[0]])), "was built for"),
        (lambda: layers.Normalization().adapt(iter([X, X[:, :2]])), "was built for"),
        (lambda: layers.CategoryEncoding(3)([0, 1], count_weights=[1.0, 2.0]), "count_weights"),
        (lambda: layers.HashedCrossing(3)(TEXT.T), "at least two features"),
        (lambda: layers.HashedCrossing(3)(TEXT), "at least two features"),
        (lambda: layers.HashedCrossing(3)([TEXT[0]]), "at least two features"),
        (lambda: layers.HashedCrossing(3)([TEXT[0], TEXT[0, :1]]), "one shape"),
        (lambda: layers.HashedCrossing(3)([TEXT, TEXT]), "one shape"),
        (lambda: layers.HashedCrossing(3)([TEXT[..., None]] * 2), "one shape"),
        (lambda: layers.RandomFlip()({"labels": X}), "'images'"),
        (lambda: layers.RandomFlip()({"images": IMAGE, "other": X}), "'images'"),
        (lambda: layers.StringLookup(vocabulary=["a"], invert=True, output_mode="count"), "output_mode"),
        (lambda: layers.StringLookup(pad_to_max_tokens=True), "max_tokens"),
        (lambda: layers.StringLookup(vocabulary=["a"], idf_weights=[1.0]), "idf_weights"),
        (lambda: layers.StringLookup(max_tokens=2, vocabulary=["a", "b"]), "at most 1"),
        (lambda: layers.StringLookup(mask_token=3), "mask_token"),
        (lambda: layers.MelSpectrogram(window=[1.0, 2.0], fft_length=4), "window"),
        (lambda: layers.MelSpectrogram(fft_length=8)(np.ones((1, 4), "float32")), "more than 4 samples"),
        (lambda: layers.Pipeline(layers.Rescaling(2.0)), "layers"),
        (lambda: layers.Pipeline([layers.Rescaling(2.0), 3]), "layers"),
        (lambda: layers.Resizing(2, 2, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True), "Received"),
        (lambda: layers.TextVectorization(vocabulary=["a"])(TEXT), "(batch, 1)"),
        (lambda: layers.TextVectorization(vocabulary=["a"])(TEXT[..., None]), "(batch, 1)"),
        (lambda: layers.Hashing(3, salt="a"), "salt"),
        (lambda: layers.Input(0), "shape=0"),
        (lambda: layers.Input(True), "shape=True"),
        (lambda: layers.TextVectorization(ngrams=0), "ngrams=0"),
        (lambda: layers.TextVectorization(ngrams=(2, 0)), "ngrams=(2, 0)"),
    ],
    "models": [
        (lambda: built().get_layer(3), "by name or index"),
        (lambda: built().get_layer("none"), "by name or index"),
        (lambda: built().get_layer("one", 0), "by name or index"),
        (lambda: built().get_layer(index=1), "`index`"),
        (lambda: built().summary(positions=[]), "`positions`"),
        (lambda: built().summary(positions=3), "`positions`"),
        (lambda: built().summary(positions=[-1]), "`positions`"),
        (lambda: built().summary(print_fn=3), "`print_fn`"),
        (lambda: built().summary(layer_range=3), "`layer_range`"),
        (lambda: built().summary(layer_range=["one"]), "`layer_range`"),
        (lambda: built().summary(layer_range=["one", 3]), "`layer_range`"),
        (lambda: utils.FeatureSpace({}), "`features`"),
        (lambda: utils.FeatureSpace(3), "`features`"),
        (lambda: utils.FeatureSpace({"a": 3}), "features['a']"),
        (lambda: utils.FeatureSpace({"a": "none"}), "features['a']"),
        (lambda: utils.FeatureSpace({"a": "float"})(3), "a dict of columns"),
        (lambda: utils.FeatureSpace({"a": "float"})({"a": [1.0]}, 3), "a dict of columns"),
        (lambda: utils.FeatureSpace({"a": "float_normalized"}).adapt("abc"), "`dataset`"),
        (lambda: utils.FeatureSpace({"a": "float_normalized"}).adapt(3), "`dataset`"),
        (lambda: utils.FeatureSpace({"a": "float_normalized"}).adapt(X), "`dataset`"),
        (lambda: models.clone_model(built(), input_tensors=[X]), "symbolic"),
    ],
    "schedules": [
        (lambda: schedules.CosineDecayRestarts(0.1, 5, t_mul=0.5), "`t_mul`"),
        (lambda: schedules.CosineDecayRestarts(0.1, 5, t_mul=1.009), "`t_mul`"),
        (lambda: schedules.ExponentialDecay(0.1, 5, 0.5)("a"), "`step`"),
        (lambda: schedules.ExponentialDecay(0.1, 5, 0.5)(True), "`step`"),
        (lambda: schedules.ExponentialDecay(0.1, 5, 0.5)(np.nan), "`step`"),
        (lambda: schedules.ExponentialDecay(0.1, 5, 0.5)(np.asarray(1j)), "`step`"),
        (lambda: callbacks.LearningRateScheduler(3), "`schedule`"),
        (lambda: callbacks.LearningRateScheduler(int), "`schedule`"),
    ],
    "numpydl": [
        (lambda: npdl.layers.MaxPooling((2, 2)).forward(np.ones((1, 1, 3, 4))), "divisible by pool_size"),
        (lambda: npdl.layers.Embedding(None, input_size=3), "`n_out`"),
        (lambda: npdl.layers.Embedding(None, n_out=3), "`input_size`"),
    ],
    "tree": [
        (lambda: tree.assert_same_structure([1], (1,)), "a list where"),
        (lambda: tree.assert_same_structure({"a": 1}, [1]), "where the other"),
        (lambda: tree.assert_same_structure([1], {"a": 1}), "where the other"),
        (lambda: tree.assert_same_structure({"a": 1}, {"b": 1}), "keys"),
        (lambda: tree.assert_same_structure([1], [1, 2]), "entries"),
        (lambda: tree.map_structure_up_to([1, 2], lambda x: x, 3), "branches of"),
        (lambda: tree.map_structure_up_to([1, 2], lambda x: x, [3]), "branches of"),
        (lambda: tree.map_structure_up_to({"a": 1}, lambda x: x, {"b": 3}), "keys"),
    ],
    "utils": [
        (lambda: utils.get_file("..", "file:///a"), "fname"),
        (lambda: utils.get_file(".", "file:///a"), "fname"),
        (lambda: utils.get_file("", "file:///a"), "fname"),
        (lambda: utils.get_file("a/b", "file:///a"), "fname"),
        (lambda: utils.get_file(3, "file:///a"), "fname"),
        (lambda: utils.get_file("a", "file:///a", file_hash="abc"), "file_hash"),
        (lambda: utils.get_file("a", "file:///a", file_hash=b"0" * 32), "file_hash"),
        (lambda: utils.to_categorical([0.5]), "class indices"),
        (lambda: utils.to_categorical([-1, 0]), "class indices"),
        (lambda: utils.to_categorical([0, 3], 3), "class indices"),
        (lambda: utils.split_dataset((X, SERIES), 0.5), "one length"),
        (lambda: utils.split_dataset((np.asarray(1.0), np.asarray(2.0)), 0.5), "one length"),
        (lambda: utils.split_dataset("abc", 0.5), "dataset"),
        (lambda: utils.split_dataset({"a": 1}, 0.5), "dataset"),
        (lambda: utils.split_dataset(list, 0.5), "dataset"),
        (lambda: utils.split_dataset(3, 0.5), "dataset"),
        (lambda: utils.split_dataset(X), "must be given"),
        (lambda: utils.split_dataset(SERIES, 0.6, 0.6), "at least one example"),
        (lambda: utils.split_dataset(SERIES, 0.01), "at least one example"),
        (lambda: utils.split_dataset(SERIES, 0.99), "at least one example"),
        (lambda: utils.timeseries_dataset_from_array(SERIES, None, 2, start_index=5, end_index=5), "start_index <"),
        (lambda: utils.timeseries_dataset_from_array(SERIES, None, 2, end_index=10), "start_index <"),
        (lambda: utils.timeseries_dataset_from_array(SERIES, None, 2, start_index=10), "start_index <"),
        (lambda: utils.timeseries_dataset_from_array(3.0, None, 2), "data"),
        (lambda: utils.timeseries_dataset_from_array(["a", "b"], None, 1), "data"),
        (lambda: utils.timeseries_dataset_from_array(SERIES, None, 2, sequence_stride=10), "sequence_stride"),
        (lambda: utils.timeseries_dataset_from_array(SERIES, None, 11), "no window"),
    ],
}

ACCEPTED: list[Callable[[], Any]] = [
    lambda: layers.EinsumDense("ab,bc->ac", 3, bias_axes="c"),
    lambda: over_columns(layers.Input((None, 4, 3)), layers.Input((5, 4, 3))),
    lambda: over_columns(layers.Input((5, 4, 3)), layers.Input((None, 4, 3))),
    lambda: layers.EinsumDense("ab...,bc->ac...", 3),
    lambda: layers.Sampling()([layers.Input((3,)), layers.Input((3,), batch_size=2)]),
    lambda: layers.BatchNormalization()(X, mask=X[:, 0] > 0, training=True),
    lambda: layers.CategoryEncoding(3)([0, 2]),
    lambda: layers.Dropout(0.5, noise_shape=(None, 1))(X, training=True),
    lambda: layers.PositionEmbedding(3)(X[None], start_index=1),
    lambda: schedules.CosineDecayRestarts(0.1, 5, t_mul=1),
    lambda: schedules.CosineDecayRestarts(0.1, 5, t_mul=1.01),
    lambda: schedules.ExponentialDecay(0.1, 5, 0.5)(np.float32(2)),
    lambda: layers.JordanRNN(3, 3, return_sequences=True)(X[None], teacher=np.ones((1, 2, 3))),
    lambda: ops.pad(X, 1, constant_values=1.0),
    lambda: ops.rearrange(X, "a (b c) -> a b c", b=1, c=3),
    lambda: ops.unique(SERIES, axis=0),
    lambda: ops.unstack(X, 2),
    lambda: ops.einsum("...->...", X),
    lambda: streams.integers(1, STEP, (2,), -(2**31), -1),
    lambda: streams.integers(1, STEP, (2,), 1, 2**31),
    lambda: streams.integers(1, np.asarray([3], "int64"), (2,), 0, 2**31 - 1),
    lambda: streams.choice(1, STEP, 2, (3,), p=[1.0, 0.0]),
    lambda: initializers.STFT(window=np.asarray([1, 2]))((2, 1, 2)),
    lambda: initializers.STFT(window=(1.0, 2.0))((2, 1, 2)),
    lambda: initializers.Constant(True)((2,)),
    lambda: layers.Normalization(mean=[1.0], variance=2),
    lambda: layers.Normalization(axis=None, mean=True, variance=2),
    lambda: layers.CategoryEncoding(3, "count")([[0, 2]], count_weights=[[1.0, 2.0]]),
    lambda: layers.HashedCrossing(3)([TEXT.T, TEXT.T]),
    lambda: layers.RandomFlip()({"images": IMAGE, "labels": X[:1]}),
    lambda: layers.StringLookup(max_tokens=3, vocabulary=["a", "b"]),
    lambda: layers.StringLookup(max_tokens=2, pad_to_max_tokens=True),
    lambda: layers.TextVectorization(vocabulary=["a"], split=None)(TEXT),
    lambda: layers.MelSpectrogram(fft_length=8, num_mel_bins=2)(np.ones((1, 5), "float32")),
    lambda: tree.assert_same_structure({"a": 1}, {"a": 2}),
    lambda: utils.split_dataset(SERIES, 1, 9),
    lambda: utils.split_dataset(SERIES, right_size=0.1),
    lambda: utils.timeseries_dataset_from_array(SERIES, None, 10),
    lambda: utils.timeseries_dataset_from_array(SERIES, None, 2, start_index=3, end_index=9),
    lambda: utils.to_categorical([0.0, 2.0]),
    lambda: utils.unhot([[1.0]]),
    lambda: softmax(X, (0, 1)),
    lambda: fused.one_hot(np.asarray([0, 5]), 3, np.dtype("float32")),
]


@pytest.mark.parametrize(("room", "i"), [(room, i) for room, rows in REFUSED.items() for i in range(len(rows))])
def test_each_term_refuses(room: str, i: int) -> None:
    function, text = REFUSED[room][i]
    with pytest.raises((TypeError, ValueError), match=re.escape(text)) as caught:
        function()
    assert "Received" in str(caught.value)


@pytest.mark.parametrize("i", range(len(ACCEPTED)))
def test_what_satisfies_all_terms_is_accepted(i: int) -> None:
    ACCEPTED[i]()


def test_images_of_arrays() -> None:
    pytest.importorskip("PIL")
    for array, form in ((X, None), (np.ones((2, 3, 2)), None), (np.ones((2, 3, 3)), "channels_first")):
        with pytest.raises(ValueError, match="one image"):
            utils.array_to_img(array, form)
    assert utils.array_to_img(np.ones((3, 4, 2)), "channels_first").size == (2, 4)
