"""Errors that only unusual calls meet: each has its own text, and says what was received."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import (
    callbacks,
    datasets,
    initializers,
    layers,
    losses,
    ops,
    optimizers,
    plot,
    random,
    regularizers,
    saving,
    schedules,
    tree,
    utils,
)
from portanet.autodiff import array_namespace, grad, linalg, vmap
from portanet.compat import numpydl as npdl
from portanet.fused.convolution import conv_nd

X, ROW = np.ones((4, 3), "float32"), np.ones(3)
ONE, SYMBOLIC = np.asarray(1.0), layers.Input((3,))
IMAGES = np.ones((2, 4, 4, 2), "float32")
LABELS, LENGTHS, SCORES = np.ones((2, 2), "int32"), np.ones(2, "int32"), np.ones((2, 3, 4))


def built(**compiled: Any) -> portanet.Sequential:
    model = portanet.Sequential([layers.Input((3,)), layers.Dense(1)])
    if compiled:
        model.compile(**compiled)
    return model


def fitting() -> portanet.Sequential:
    return built(optimizer="sgd", loss="mse")


def state_tree_of_others(key: str, values: Any) -> None:
    model = built(optimizer="sgd", loss="mse")
    model.set_state_tree({key: values})


REFUSED: dict[str, list[tuple[Callable[[], Any], str]]] = {
    "rnn": [
        (lambda: layers.LSTM(2).reset_state(), "keeps no state between batches"),
        (lambda: layers.LSTM(2, stateful=True).build((None, 3, 2)), "needs a fixed batch size"),
        (
            lambda: layers.Bidirectional(layers.LSTM(2), backward_layer=layers.LSTM(2, return_sequences=True)),
            "the same",
        ),
        (lambda: layers.Bidirectional(layers.LSTM(2), backward_layer=layers.LSTM(2, return_state=True)), "the same"),
    ],
    "preprocessing": [
        (lambda: layers.AveragePooling2D(2, padding="same", ceil_mode=True), "`ceil_mode`"),
        (lambda: layers.Discretization([0.0, 1.0]).adapt(ROW), "create it with `num_bins` to adapt it"),
        (lambda: layers.Discretization(num_bins=2).adapt(np.ones(0)), "must not be empty"),
        (lambda: layers.StringLookup(vocabulary=["a"], invert=True)(np.asarray([["a"]])), "takes integers"),
        (
            lambda: layers.StringLookup(vocabulary=["a"], output_mode="tf_idf", idf_weights=[1.0, 2.0, 3.0, 4.0]),
            "`idf_weights`",
        ),
        (lambda: layers.StringLookup(vocabulary=["a"], idf_weights=[1.0]), "except for output_mode='tf_idf'"),
        (lambda: layers.Normalization(axis=-1).build((None, None)), "needs inputs whose size on axis (-1,) is known"),
        (lambda: layers.RandomPosterization(9), "at most 8 bits"),
        (lambda: layers.TextVectorization(output_mode="count", output_sequence_length=3), "output_sequence_length"),
        (lambda: layers.RandomGrayscale(1.0)(IMAGES, training=True), "needs images of 3 channels"),
    ],
    "layers": [
        (lambda: layers.Lambda(np.sin, mask=3), "`mask`"),
        (lambda: layers.StringLookup(vocabulary=[]), "at least one token"),
        (lambda: layers.StringLookup(vocabulary=3), "`vocabulary`"),
        (lambda: layers.StringLookup(vocabulary=[3]), "a list of strings"),
        (lambda: layers.IntegerLookup(vocabulary=["a"]), "a list of integers"),
        (lambda: layers.IntegerLookup(vocabulary=[True]), "a list of integers"),
        (lambda: layers.StringLookup(vocabulary="none.txt"), "the path of a file"),
        (lambda: layers.StringLookup(vocabulary=["a"], output_mode="tf_idf"), "`idf_weights`"),
        (lambda: layers.StringLookup(oov_token=3), "`oov_token`"),
        (lambda: layers.StringLookup(vocabulary=["a"], num_oov_indices=0)(np.asarray(["b"])), "num_oov_indices=0"),
        (lambda: layers.MelSpectrogram()(IMAGES), "(batch, samples)"),
        (lambda: layers.Bidirectional(layers.Dense(2)), "a recurrent layer"),
        (lambda: layers.RandomRotation((0.1, 0.2, 0.3)), "a pair (low, high)"),
        (lambda: layers.Dense(2).load_own_variables({"0": X}), "variables of its own"),
        (lambda: layers.PReLU(shared_axes=[3])(X), "names axes that the input lacks"),
        (lambda: layers.serialize(3), "`layer`"),
        (lambda: layers.deserialize(optimizers.serialize(optimizers.SGD())), "the description of a layer"),
        (lambda: layers.Dense(2).add_loss("a"), "`loss`"),
        (lambda: layers.Dense(2).stateless_call([], [], X), "must be built before stateless_call"),
        (lambda: built().stateless_call([X], [], X), "a list of 2 arrays"),
        (lambda: built().stateless_call(3, [], X), "a list of 2 arrays"),
        (lambda: layers.Dense(2).count_params(), "no weights to count before it is built"),
        (lambda: conv_nd(np.ones((1, 2, 2, 2, 2, 1)), np.ones((1, 1, 1, 1, 1, 1))), "one, two or three spatial axes"),
        (lambda: float(layers.Input((3,))), "A symbolic array has no values"),
        (lambda: bool(layers.Input((3,)) > 0), "A symbolic array has no values"),
        (lambda: np.sum(layers.Input((3,))), "Received"),
        (lambda: np.add.reduce(layers.Input((3,))), "Received"),
        (lambda: len(layers.Input((3,))), "size of the first axis"),
    ],
    "models": [
        (lambda: portanet.utils.FeatureSpace({"a": "float"}, crosses="a"), "`crosses`"),
        (lambda: portanet.utils.plot_model(3), "a model"),
        (lambda: built().export("a", format="tf_saved_model"), "`format`"),
        (lambda: portanet.Sequential([layers.Dense(1)]).export("a"), "is not built yet"),
        (lambda: portanet.Sequential().pop(), "has no layer to remove"),
        (lambda: portanet.Sequential([layers.Dense(1)]).input, "symbolic"),
        (lambda: portanet.Sequential([layers.Dense(1)]).output, "symbolic"),
        (lambda: state_tree_of_others("weights", {}), "a dict with keys"),
        (lambda: state_tree_of_others("trainable_variables", {"none": {"kernel": X}}), "has no variable 'none"),
    ],
    "losses": [
        (lambda: losses.circle(np.arange(4), X, np.arange(4), X[:, :2]), "embeddings of one size"),
        (lambda: losses.circle(np.arange(4), X, np.arange(4)), "both `ref_labels` and `ref_embeddings`"),
        (lambda: losses.ctc(LABELS, X, LENGTHS), "ctc needs `y_pred` of shape (batch, time, classes)"),
        (lambda: losses.ctc(LENGTHS, SCORES, LENGTHS), "ctc needs `y_pred` of shape (batch, time, classes)"),
        (lambda: losses.ctc(LABELS[:1], SCORES, LENGTHS), "ctc needs `y_pred` of shape (batch, time, classes)"),
        (lambda: losses.ctc(LABELS, SCORES, LABELS), "`label_lengths` of ctc must have shape (batch,)"),
        (lambda: losses.ctc(LABELS, SCORES, LENGTHS, LENGTHS[:1]), "`input_lengths` of ctc must have shape (batch,)"),
        (lambda: regularizers.contractive(np.sin, np.asarray(1.0)), "`x` of contractive"),
        (lambda: regularizers.contractive(np.sin, np.ones((2, 3), "int32")), "`x` of contractive"),
    ],
    "optimizers": [
        (lambda: optimizers.SGD(clipnorm=1.0, clipvalue=1.0), "Only one of"),
        (lambda: optimizers.SGD(clipvalue=1.0, global_clipnorm=1.0), "Only one of"),
        (lambda: optimizers.Rprop(min_step=2.0, max_step=1.0), "`min_step`"),
        (lambda: optimizers.SGD().apply([ROW], [ROW]), "a list of variables"),
        (lambda: schedules.CosineDecay(0.1, 2**31), "below 2**31"),
    ],
    "random": [
        (lambda: random.streams.bits(1, np.asarray(0, "int32"), 3), "`shape`"),
        (lambda: random.categorical(ROW, 2), "`logits` must have shape (batch, classes)"),
        (lambda: random.categorical(IMAGES, 2), "`logits` must have shape (batch, classes)"),
        (lambda: random.SeedGenerator(1, nme="a"), "`seed` and `name`"),
    ],
    "training": [
        (lambda: fitting().predict_on_batch(iter([X])), "must be one batch"),
        (lambda: fitting().fit(X, X[:, :1], class_weight="balanced", verbose=0), "np.bincount"),
        (lambda: fitting().fit(X, X[:, :1], class_weight=[1.0], verbose=0), "dict(enumerate(weights))"),
        (lambda: fitting().fit(X, X[:, :1], sample_weight=X[:, 0], class_weight={0: 1.0}, verbose=0), "Only one of"),
        (lambda: fitting().fit(X, X[:, :1], validation_data=(X,), verbose=0), "tuple of 1 entries"),
        (lambda: fitting().fit(X, X[:, :1], validation_data=(X, X, X, X), verbose=0), "tuple of 4 entries"),
        (lambda: fitting().fit(iter([]), verbose=0), "gave no batches"),
        (lambda: fitting().stateless_compute_loss([], [], []), "a list of 2 arrays"),
        (lambda: fitting().predict(X[0], verbose=0), "needs a batch axis first"),
        (lambda: fitting().fit(X + 0j, X[:, :1], verbose=0), "must be real"),
        (
            lambda: fitting().fit(X, X[:, :1], shuffle=lambda sweep, count: [], verbose=0),
            "a non-empty list of",
        ),
        (lambda: fitting().fit(X, X[:, :1], shuffle=lambda sweep, count: [0.5], verbose=0), "a non-empty list of"),
        (lambda: fitting().fit(X, X[:, :1], shuffle=lambda sweep, count: [[0]], verbose=0), "a non-empty list of"),
        (lambda: fitting().fit(X, X[:, :1], shuffle=lambda sweep, count: [4], verbose=0), "numbers from 0 to 3"),
        (lambda: fitting().fit(X, X[:, :1], shuffle=lambda sweep, count: [-1], verbose=0), "numbers from 0 to 3"),
        (lambda: callbacks.RemoteMonitor(path="a"), "begins with /"),
        (lambda: callbacks.TensorBoard(profile_batch=(1, 2, 3)), "the first and the last"),
        (lambda: callbacks.TensorBoard(embeddings_metadata=3), "a file, or a dict of them"),
        (lambda: initializers.lsuv(3, X), "a layer or model"),
        (lambda: initializers.Orthogonal()((3,)), "rank 2 or more"),
        (lambda: initializers.SVD()((3,)), "rank 2 or more"),
        (lambda: initializers.Sparse()((3,)), "rank 2 or more"),
        (lambda: initializers.STFT()((3, 2, 2)), "(frame length, 1, transform length / 2 + 1)"),
        (lambda: initializers.STFT()((3, 2)), "(frame length, 1, transform length / 2 + 1)"),
        (lambda: initializers.STFT()((3, 1, 1)), "(frame length, 1, transform length / 2 + 1)"),
        (lambda: built(optimizer="sgd", loss="mse").fit([], verbose=0), "Received"),
        (lambda: built(optimizer="sgd").train_on_batch(X, X[:, :1]), "loss"),
    ],
    "numpydl": [
        (lambda: npdl.layers.Convolution(1, 2).connect_to(), "`input_shape` of a first Convolution"),
        (lambda: npdl.layers.Flatten(outdim=1), "`outdim` must be at least 2"),
        (lambda: npdl.layers.MeanPooling(2).connect_to(), "cannot be the first layer"),
    ],
    "saving": [
        (lambda: saving.save_model(layers.Dense(2), "a.safetensors"), "save_weights(layer, path)"),
        (lambda: saving.save_weights(3, "a.safetensors"), "a layer or model"),
        (lambda: layers.deserialize(3), "`config`"),
        (lambda: saving.custom_object_scope(3), "a dict of classes and functions"),
        (lambda: saving.load_torch_state_dict(built(), {"a.weight": X}, input_first="("), "a regular expression"),
    ],
    "ops": [
        (lambda: ops.space_to_depth(X, 2), "four axes"),
        (lambda: ops.depthwise_conv(np.ones((1, 4, 2)), np.ones((2, 2))), "(*size, channels, multiplier)"),
        (lambda: ops.arange(0, 3, 0), "`step`"),
        (lambda: ops.categorical_crossentropy(X, X[:1]), "one shape"),
        (lambda: ops.ctc_decode(X, LENGTHS), "(batch, time, classes)"),
        (lambda: ops.cast(X, "float31"), "`dtype`"),
        (lambda: ops.rearrange(X, "a b"), "two sides"),
        (lambda: ops.rearrange(X, "a -> a"), "a name for each of 2 axes"),
        (lambda: ops.rearrange(X, "a b -> a c"), "the same names"),
        (lambda: ops.ldexp(X, X), "must hold integers"),
        (lambda: ops.one_hot([0], 3, sparse=True), "`sparse`"),
        (lambda: ops.image.rgb_to_hsv(IMAGES), "three channels"),
        (lambda: ops.image.crop_images(IMAGES, 1, 1), "takes two of"),
        (lambda: ops.split(ROW, 2), "a divisor of 3"),
        (lambda: ops.diag(IMAGES), "one or two axes"),
        (lambda: ops.cross(IMAGES[..., :1], IMAGES), "two or three elements"),
        (lambda: ops.einsum(3, X), "`subscripts`"),
        (lambda: ops.tensordot(X, X, axes=(1, 0, 1)), "the axes of `x1` and those of `x2`"),
        (lambda: ops.moments(X, 0, synchronized=True), "`synchronized`"),
        (lambda: ops.image.resize(X, (2, 2)), "(height, width, channels)"),
        (
            lambda: ops.image.resize(IMAGES, (2, 2), crop_to_aspect_ratio=True, pad_to_aspect_ratio=True),
            "takes one of",
        ),
        (lambda: ops.image.map_coordinates(X, [ROW, ROW], order=2), "`order`"),
        (lambda: ops.top_k(ROW, 4), "at most 3"),
        (lambda: ops.where(ROW > 0, ROW), "come together"),
        (lambda: ops.searchsorted(X, ROW), "must have one axis"),
        (lambda: ops.extract_sequences(ROW, 4, 1), "at most 3"),
        (lambda: ops.stft(np.ones(9), 4, 2, 4, window=ROW), "shape (4,)"),
        (lambda: ops.unstack(layers.Input((3,)), axis=0), "unknown while a graph is built"),
        (lambda: ops.convert_to_numpy(layers.Input((3,))), "has no values"),
        (
            lambda: ops.cond(
                layers.Input((), batch_size=1)[0] > 0, lambda: layers.Input((3,)), lambda: layers.Input((2,))
            ),
            "of the same shapes",
        ),
    ],
    "schedules": [
        (lambda: schedules.PiecewiseConstantDecay("ab", [0.1, 0.2, 0.3]), "`boundaries`"),
        (lambda: schedules.PiecewiseConstantDecay([1, 2], [0.1, 0.2]), "one entry more"),
        (lambda: schedules.PiecewiseConstantDecay([2, 1], [0.1, 0.2, 0.3]), "increasing"),
        (lambda: schedules.PiecewiseConstantDecay([1, 1], [0.1, 0.2, 0.3]), "increasing"),
    ],
    "plot": [
        (lambda: plot.confusion_matrix([0, 1], [0]), "`predictions`"),
        (lambda: plot.curves({}), "`functions`"),
        (lambda: plot.bands({}), "`lines`"),
        (lambda: plot.history({"loss": "a"}), "a dict of lists"),
        (lambda: plot.model(3), "a model"),
    ],
    "tree": [
        (lambda: tree.pack_sequence_as([1], 3), "a list of leaves"),
        (lambda: tree.map_structure(np.add), "at least one structure"),
    ],
    "utils": [
        (lambda: utils.get_source_inputs(3), "a symbolic array"),
        (lambda: utils.timeseries_dataset_from_array(X, None, 2, sampling_rate=4), "less than the length"),
        (lambda: utils.img_to_array(IMAGES), "an image"),
        (lambda: utils.Config(a=1).b, "no value 'b'"),
        (lambda: utils.Config(_a=1)._values_of, "no value '_values_of'"),
    ],
    "autodiff": [
        (lambda: linalg.toeplitz(ONE), "`c` of linalg.toeplitz must be a vector"),
        (lambda: linalg.toeplitz(ROW, ONE), "`r` of linalg.toeplitz must be a vector"),
        (lambda: linalg.hankel(ONE), "`c` of linalg.hankel must be a vector"),
        (lambda: linalg.hankel(ROW, ONE), "`r` of linalg.hankel must be a vector"),
        (lambda: linalg.circulant(ONE), "`c` of linalg.circulant must be a vector"),
        (lambda: vmap(lambda x: array_namespace(x).einsum)(X), "functions of the array API standard"),
        (lambda: grad(lambda x: x.none)(ROW), "none"),
        (lambda: linalg.solve_toeplitz((ROW, ROW, ROW), ROW), "the first column, or a tuple"),
    ],
}


@pytest.mark.parametrize(("room", "i"), [(room, i) for room, rows in REFUSED.items() for i in range(len(rows))])
def test_the_error_says_what_is_wrong(room: str, i: int) -> None:
    function, text = REFUSED[room][i]
    with pytest.raises((TypeError, ValueError, AttributeError, IndexError), match=re.escape(text)):
        function()


HEADERS = {
    "its header is not a JSON object": b"[]",
    "data_offsets [0], not a start and an end": b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}',
    "data_offsets 'all', not a start and an end": b'{"a":{"dtype":"F32","shape":[1],"data_offsets":"all"}}',
    "'a' is repeated": b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":1}',
}


@pytest.mark.parametrize("text", HEADERS)
def test_damaged_headers(text: str, tmp_path: pathlib.Path) -> None:
    path, header = tmp_path / "a.safetensors", HEADERS[text]
    path.write_bytes(len(header).to_bytes(8, "little") + header + b"\0" * 4)
    with pytest.raises(saving.LoadError, match=re.escape(text)):
        portanet.load_model(path)


@pytest.mark.parametrize("head", [b"\0\0\x08", b"\0\1\x08\1", b"\1\0\x08\1", b"\0\0\x07\1", b"\0\0\x08\0"])
def test_files_that_are_not_idx_files(head: bytes, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(head + b"\0\0\0\1\7" * (len(head) > 3))
    with pytest.raises(ValueError, match="is not an IDX file"):
        datasets.read_idx(path)


@pytest.mark.parametrize(("images", "labels"), [((2, 2), (2,)), ((2, 2, 2), (3,)), ((2, 2, 2), (2, 1))])
def test_images_and_labels_that_do_not_belong_together(
    images: tuple[int, ...], labels: tuple[int, ...], tmp_path: pathlib.Path
) -> None:
    for name, shape in (("train-images-idx3-ubyte", images), ("train-labels-idx1-ubyte", labels)):
        sizes = b"".join(n.to_bytes(4, "big") for n in shape)
        (tmp_path / name).write_bytes(bytes([0, 0, 8, len(shape)]) + sizes + bytes(int(np.prod(shape))))
    with pytest.raises(ValueError, match="do not belong together"):
        datasets.load_mnist(tmp_path)
