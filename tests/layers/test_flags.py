"""What the classes of layers declare about them."""

from __future__ import annotations

import inspect
import re
from typing import Any

import numpy as np
import pytest

from portanet import layers
from portanet.backends import Array
from portanet.layers import Layer
from tests.support import asarray, to_numpy

LAYERS = {
    name: value
    for name, value in sorted(vars(layers).items())
    if inspect.isclass(value) and issubclass(value, Layer) and value is not Layer
}
MOVING = {f"{name}{rank}D" for name in ("Cropping", "ZeroPadding") for rank in (1, 2, 3)}
SPATIAL = {f"SpatialDropout{rank}D" for rank in (1, 2, 3)}
CELLS = {"GRUCell", "JordanCell", "LSTMCell", "RecurrentCell", "SimpleRNNCell"}
IN_FLOAT32 = {
    "BatchNormalization", "GroupNormalization", "InstanceNormalization", "LayerNormalization", "RMSNormalization",
    "UnitNormalization",
}  # fmt: skip
POINTWISE = {"Activation", "ELU", "LeakyReLU", "ReLU", "Softmax", "Identity", "InputLayer", "Dropout"}

FLAGS: dict[str, set[str]] = {
    "takes_integers": {"Embedding"},
    "keeps_values": MOVING | {"ActivityRegularization", "Flatten", "Identity", "InputLayer", "Permute", "Reshape"}
    | {"RepeatVector"},
    "supports_masking": IN_FLOAT32 - {"RMSNormalization"} | SPATIAL | POINTWISE
    | {"ActivityRegularization", "AlphaDropout", "ContractiveRegularization", "Dense", "Elliot", "GaussianDropout"}
    | {"GaussianNoise", "Highway", "LayerScale", "Maxout", "PReLU", "Perceptron", "PositionEmbedding", "RBF", "RBM"}
    | {"RotaryEmbedding", "SinePositionEncoding", "TiedDense", "TimeDistributed", "TransformerDecoder"}
    | {"TransformerEncoder"},
    "keeps_shape": IN_FLOAT32 | SPATIAL | POINTWISE | CELLS
    | {"ActivityRegularization", "AdditiveAttention", "AlphaDropout", "Attention", "Elliot", "GaussianDropout"}
    | {"GaussianNoise", "GroupQueryAttention", "Highway", "LayerScale", "Masking", "MultiHeadAttention", "PReLU"}
    | {"PositionEmbedding", "RandomCrop", "RandomFlip", "RandomLayer", "RandomRotation", "RandomTranslation"}
    | {"RotaryEmbedding", "SinePositionEncoding"},
    "independent_examples": POINTWISE
    | {"Add", "AdditiveAttention", "Attention", "Average", "Concatenate", "Dense", "Embedding", "Flatten"}
    | {"GlobalAveragePooling1D", "GlobalMaxPooling1D", "GroupQueryAttention", "LayerNormalization", "LayerScale"}
    | {"Masking", "Maximum", "Minimum", "MultiHeadAttention", "Multiply", "Permute", "PositionEmbedding"}
    | {"RMSNormalization", "RepeatVector", "Reshape", "RotaryEmbedding", "SinePositionEncoding", "SpatialDropout1D"}
    | {"Subtract", "TimeDistributed", "TransformerDecoder", "TransformerEncoder"},
}  # fmt: skip
WITHOUT: dict[str, set[str]] = {
    "autocast": IN_FLOAT32 | {"Embedding", "InputLayer"},
    "casts_integers": IN_FLOAT32 | MOVING | {f"MaxUnpooling{rank}D" for rank in (1, 2, 3)}
    | {"ActivityRegularization", "Bidirectional", "Concatenate", "Embedding", "Flatten", "Identity", "InputLayer"}
    | {"Lambda", "Permute", "RepeatVector", "Reshape", "SpectralNormalization", "StackedRNNCells"}
    | {"TimeDistributed", "WeightNormalization"},
}  # fmt: skip


@pytest.mark.parametrize("flag", [*FLAGS, *WITHOUT])
def test_flags(flag: str) -> None:
    for names, expected in ((FLAGS.get(flag, set()), True), (WITHOUT.get(flag, set()), False)):
        assert {name: getattr(LAYERS[name], flag) for name in names} == dict.fromkeys(names, expected)
    assert getattr(Layer, flag) is (flag == "autocast")


def test_ranks_are_those_of_the_names() -> None:
    ranks = {name: int(re.findall(r"([123])D", name)[0]) for name in LAYERS if re.search(r"[123]D", name)}
    known = {name: LAYERS[name].rank for name in ranks if hasattr(LAYERS[name], "rank")}
    assert known.items() <= ranks.items()
    assert len(known) > 40


CALLS: dict[str, tuple[Any, Any]] = {
    "Dense": (lambda: layers.Dense(3), [(4, 5)]),
    "Softmax": (lambda: layers.Softmax(), [(4, 5)]),
    "Embedding": (lambda: layers.Embedding(3, 2), [(4, 5)]),
    "LayerNormalization": (lambda: layers.LayerNormalization(), [(4, 5)]),
    "RMSNormalization": (lambda: layers.RMSNormalization(), [(4, 5)]),
    "Attention": (lambda: layers.Attention(), [(4, 5, 2), (4, 3, 2)]),
    "AdditiveAttention": (lambda: layers.AdditiveAttention(), [(4, 5, 2), (4, 3, 2)]),
    "MultiHeadAttention": (lambda: layers.MultiHeadAttention(2, 2), [(4, 5, 2), (4, 3, 2)]),
    "GroupQueryAttention": (lambda: layers.GroupQueryAttention(2, 4, 2), [(4, 5, 2), (4, 3, 2)]),
    "TransformerEncoder": (lambda: layers.TransformerEncoder(4, 2), [(4, 5, 2)]),
    "TransformerDecoder": (lambda: layers.TransformerDecoder(4, 2), [(4, 5, 2), (4, 3, 2)]),
    "RotaryEmbedding": (lambda: layers.RotaryEmbedding(), [(4, 5, 2)]),
    "SinePositionEncoding": (lambda: layers.SinePositionEncoding(), [(4, 5, 2)]),
    "PositionEmbedding": (lambda: layers.PositionEmbedding(5), [(4, 5, 2)]),
    "TimeDistributed": (lambda: layers.TimeDistributed(layers.Dense(3)), [(4, 5, 2)]),
    "GlobalAveragePooling1D": (lambda: layers.GlobalAveragePooling1D(), [(4, 5, 2)]),
    "Concatenate": (lambda: layers.Concatenate(), [(4, 5, 2), (4, 5, 1)]),
}


@pytest.mark.parametrize("name", CALLS)
def test_independent_examples_are(name: str) -> None:
    """The results of a batch are those of its halves."""
    make, shapes = CALLS[name]
    generator = np.random.default_rng(0)
    hosts = [
        generator.integers(0, 3, shape) if name == "Embedding" else generator.normal(size=shape) for shape in shapes
    ]
    layer = make()
    assert layer.independent_examples

    def call(part: slice) -> Any:
        inputs = [asarray(host[part]) for host in hosts]
        return to_numpy(layer(inputs[0] if len(inputs) == 1 else inputs))

    whole = call(slice(None))
    np.testing.assert_allclose(np.concatenate([call(slice(2)), call(slice(2, None))]), whole, rtol=1e-4, atol=1e-5)


IMAGES: dict[str, tuple[Any, tuple[int, ...]]] = {
    "Resizing": (lambda: layers.Resizing(2, 2), (4, 4, 3)),
    "CenterCrop": (lambda: layers.CenterCrop(2, 2), (4, 4, 3)),
}


@pytest.mark.parametrize("name", IMAGES)
def test_examples_are_independent_in_a_batch_of_images(name: str) -> None:
    make, shape = IMAGES[name]
    for full, expected in ((shape, False), ((2, *shape), True)):
        layer = make()
        layer(asarray(np.ones(full)))
        assert layer.independent_examples is expected


def test_weights_without_a_name_are_numbered() -> None:
    layer = Layer()
    for _ in range(4):
        layer.add_weight((2,))
    assert layer.add_weight(2, name="one axis").shape == (2,)
    assert layer.add_weight(name="a number").shape == ()
    assert list(layer.named_variables())[:4] == ["weight", "weight_1", "weight_2", "weight_3"]


class OfAnything(Layer):
    supports_masking = True

    def call(self, x: Any, other: Array | None = None, training: Any = None, mask: Any = None) -> Any:
        self.seen = training, mask
        return x


class OfOneArray(OfAnything):
    independent_examples = True

    def call(self, x: Array, training: bool = True) -> Any:  # type: ignore[override]
        self.seen = training, None
        return x


class Masked(OfOneArray):
    def call(self, x: Array, training: str = "yes", mask: Any = None) -> Any:  # type: ignore[override]
        self.seen = training, mask
        return x

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None


def test_what_a_call_takes_is_seen_in_its_signature() -> None:
    """Arguments that `call` has not are not passed; its default says whether it trains; a list is no array."""
    x, mask = np.ones((2, 3), "float32"), np.asarray([[True, True, False], [True, False, False]])
    for layer, training, own_mask in ((OfAnything(), None, False), (OfOneArray(), True, False), (Masked(), None, True)):
        assert layer._own_mask is own_mask
        assert not layer.gives_mask
        layer(x + 0)
        assert layer.seen == (training, None)
        layer(x + 0, training=False, mask=mask)
        assert layer.seen[0] is False
        assert (layer.seen[1] is mask) == (not isinstance(layer, OfOneArray) or isinstance(layer, Masked))
    assert OfAnything()([x, x])[1] is x
    with pytest.raises(TypeError, match="takes one array"):
        OfOneArray()([x, x])
    assert OfOneArray.independent_examples
    assert not Masked.independent_examples  # another `call` may compute with all
    kinds = [kind for kind in LAYERS.values() if "return_mask" in inspect.signature(kind.call).parameters]
    assert [kind for kind in LAYERS.values() if kind.gives_mask] == kinds != []
