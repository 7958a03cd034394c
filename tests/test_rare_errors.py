"""Errors that only unusual calls meet: each has its own text, and says what was received."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, losses, optimizers, random, regularizers, saving, schedules
from portanet.autodiff import array_namespace, grad, linalg, vmap
from portanet.compat import numpydl as npdl
from portanet.fused.convolution import conv_nd

X, ROW = np.ones((4, 3), "float32"), np.ones(3)
ONE = np.asarray(1.0)
IMAGES = np.ones((2, 4, 4, 2), "float32")
LABELS, LENGTHS, SCORES = np.ones((2, 2), "int32"), np.ones(2, "int32"), np.ones((2, 3, 4))


def built(**compiled: Any) -> portanet.Sequential:
    model = portanet.Sequential([layers.Input((3,)), layers.Dense(1)])
    if compiled:
        model.compile(**compiled)
    return model


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
        (lambda: random.categorical(ROW, 2), "`logits` must have shape (batch, classes)"),
        (lambda: random.categorical(IMAGES, 2), "`logits` must have shape (batch, classes)"),
        (lambda: random.SeedGenerator(1, nme="a"), "`seed` and `name`"),
    ],
    "training": [
        (lambda: built(optimizer="sgd", loss="mse").fit([], verbose=0), "Received"),
        (lambda: built(optimizer="sgd").train_on_batch(X, X[:, :1]), "loss"),
    ],
    "numpydl": [
        (lambda: npdl.layers.Convolution(1, 2).connect_to(), "`input_shape` of a first Convolution"),
        (lambda: npdl.layers.Flatten(outdim=1), "`outdim` must be at least 2"),
        (lambda: npdl.layers.MeanPooling(2).connect_to(), "cannot be the first layer"),
    ],
    "saving": [
        (lambda: saving.load_torch_state_dict(built(), {"a.weight": X}, input_first="("), "a regular expression"),
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
    with pytest.raises((TypeError, ValueError, AttributeError), match=re.escape(text)):
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
