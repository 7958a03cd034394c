"""Embeddings of sentences from published weights
===============================================

A BERT of a few lines reads the file of weights that others published: `sentence-transformers/all-MiniLM-L6-v2`, trained
in PyTorch. Each sentence becomes a vector, and sentences that mean the same have vectors close together.

Beyond the documents. Download `model.safetensors` and `vocab.txt` of that model, and name their folder in the
environment variable MINILM. Without it, as here, the page makes a small file with the same names and random weights.
"""

import json
import os
import pathlib
import re
import tempfile
import unicodedata
from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np

import portanet
from portanet import layers, ops, plot
from portanet.saving import load_torch_state_dict

SENTENCES = [
    "A cat sits on the mat.",
    "A cat lies on the mat.",
    "The weights are stored in a file.",
    "The weights are read from a file.",
    "It rains in the north.",
    "It snows in the north.",
]
SIZES = {"hidden": 384, "layers": 6, "heads": 12, "inner": 1536, "positions": 512}
SMALL = {"hidden": 32, "layers": 2, "heads": 4, "inner": 64, "positions": 64}

# %%
# The model
# ---------
# Words, positions and a table for pairs of sentences are added up. Blocks of attention follow. The mean over the words
# is the embedding, scaled to length 1. Padding, number 0, is left out by a mask.


def network(words: int, hidden: int, layers_: int, heads: int, inner: int, positions: int) -> portanet.Model:
    """The encoder, from numbers of words, shape (batch, time), to vectors, shape (batch, hidden)."""
    numbers = layers.Input((None,), dtype="int32")
    mask = ops.not_equal(numbers, 0)
    x = layers.Embedding(words, hidden, name="words")(numbers)
    first = layers.Embedding(2, hidden, name="types")(ops.zeros_like(numbers))
    x = layers.Add()([x, layers.PositionEmbedding(positions, name="positions")(x), first])
    x = layers.LayerNormalization(epsilon=1e-12, name="norm")(x)
    for i in range(layers_):
        options = {"activation": "gelu", "layer_norm_epsilon": 1e-12, "name": f"block{i}"}
        x = layers.TransformerEncoder(inner, heads, **options)(x, mask=mask)
    return portanet.Model(numbers, layers.UnitNormalization()(layers.GlobalAveragePooling1D()(x, mask=mask)))


# %%
# Names
# -----
# The file has its own names and PyTorch's layout of matrices. A mapping says which layer is which module; the rest is
# done by `load_torch_state_dict`. It lists what was not used: the pooler, which belongs to another task.

OWN = "encoder.layer.{i}"
MAPPING = {
    "words": "embeddings.word_embeddings",
    "positions": "embeddings.position_embeddings",
    "types": "embeddings.token_type_embeddings",
    "norm": "embeddings.LayerNorm",
    "block{i}/self_attention": [f"{OWN}.attention.self.{part}" for part in ("query", "key", "value")]
    + [f"{OWN}.attention.output.dense"],
    "block{i}/self_attention_layer_norm": f"{OWN}.attention.output.LayerNorm",
    "block{i}/feedforward_intermediate_dense": f"{OWN}.intermediate.dense",
    "block{i}/feedforward_output_dense": f"{OWN}.output.dense",
    "block{i}/feedforward_layer_norm": f"{OWN}.output.LayerNorm",
}


def load(folder: pathlib.Path, sizes: Mapping[str, int]) -> tuple[portanet.Model, list[str], list[str]]:
    """The model with the weights of a folder, its vocabulary, and names in the file that were not used."""
    vocabulary = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
    depth = {name: size for name, size in sizes.items() if name != "layers"}
    model = network(len(vocabulary), layers_=sizes["layers"], **depth)
    result = load_torch_state_dict(model, folder / "model.safetensors", MAPPING)
    return model, vocabulary, result.unexpected


# %%
# A file in the same format
# -------------------------
# A safetensors file is the length of a header, the header in JSON, and the numbers. So a small one is quickly made.


def tensors(words: int, sizes: Mapping[str, int], seed: int = 0) -> dict[str, np.ndarray]:
    """Random weights under the names of the published file."""
    generator, hidden, inner = np.random.default_rng(seed), sizes["hidden"], sizes["inner"]
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (words, hidden),
        "embeddings.position_embeddings.weight": (sizes["positions"], hidden),
        "embeddings.token_type_embeddings.weight": (2, hidden),
        "pooler.dense.weight": (hidden, hidden),
        "pooler.dense.bias": (hidden,),
    }
    for i in range(sizes["layers"]):
        own = f"encoder.layer.{i}"
        parts = {f"{own}.attention.self.{part}": (hidden, hidden) for part in ("query", "key", "value")}
        parts |= {f"{own}.attention.output.dense": (hidden, hidden), f"{own}.intermediate.dense": (inner, hidden)}
        for name, shape in {**parts, f"{own}.output.dense": (hidden, inner)}.items():
            shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    values = {name: generator.normal(0, 0.1, shape) for name, shape in shapes.items()}
    for name in [
        "embeddings",
        *(f"encoder.layer.{i}.{p}output" for i in range(sizes["layers"]) for p in ("attention.", "")),
    ]:
        values |= {f"{name}.LayerNorm.weight": np.ones(hidden), f"{name}.LayerNorm.bias": np.zeros(hidden)}
    return {name: value.astype("<f4") for name, value in values.items()}


def write(path: pathlib.Path, values: Mapping[str, np.ndarray]) -> None:
    """A safetensors file."""
    header, end = {}, 0
    for name, value in values.items():
        start, end = end, end + value.nbytes
        header[name] = {"dtype": "F32", "shape": value.shape, "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(value.tobytes() for value in values.values()))


def stand_in(folder: pathlib.Path, sentences: list[str]) -> pathlib.Path:
    """A folder as that of the published model, with the words of some sentences and random weights."""
    found = sorted({word for sentence in sentences for word in split(sentence)})
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *found]
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    write(folder / "model.safetensors", tensors(len(vocabulary), SMALL))
    return folder


# %%
# Words as numbers
# ----------------
# BERT's vocabulary has pieces of words: "embeddings" may be "em", "##bed", "##ding", "##s". The longest piece that fits
# comes first.


def split(text: str) -> list[str]:
    """Words and signs, in small letters without accents."""
    plain = unicodedata.normalize("NFD", text.lower())
    return re.findall(r"\w+|[^\w\s]", "".join(c for c in plain if unicodedata.category(c) != "Mn"))


def pieces(word: str, vocabulary: Mapping[str, int]) -> list[int]:
    """The numbers of the pieces of a word, the longest first; of "[UNK]" if some part is no piece."""
    found, start = [], 0
    while start < len(word):
        ends = range(len(word), start, -1)
        known = (end for end in ends if ("##" if start else "") + word[start:end] in vocabulary)
        end = next(known, None)
        if end is None:
            return [vocabulary["[UNK]"]]
        found.append(vocabulary[("##" if start else "") + word[start:end]])
        start = end
    return found


def encode(sentences: list[str], vocabulary: list[str]) -> np.ndarray:
    """Numbers of pieces between "[CLS]" and "[SEP]", padded with 0, shape (sentences, time)."""
    numbers = {word: i for i, word in enumerate(vocabulary)}
    rows = [[n for word in split(s) for n in pieces(word, numbers)] for s in sentences]
    rows = [[numbers["[CLS]"], *row, numbers["[SEP]"]] for row in rows]
    return np.asarray([row + [0] * (max(map(len, rows)) - len(row)) for row in rows], "int32")


# %%
# Which sentences are alike
# -------------------------
# The product of two vectors of length 1 is the cosine between them. With the published weights, pairs that mean the
# same stand out. Random weights see the words that two sentences share.


def similarities(folder: pathlib.Path, sizes: Mapping[str, int], sentences: list[str]) -> tuple[np.ndarray, list[str]]:
    """The cosines between sentences, and the names in the file that were not used."""
    model, vocabulary, unused = load(folder, sizes)
    vectors = model.predict(encode(sentences, vocabulary), verbose=0)
    return vectors @ vectors.T, unused


published = os.environ.get("MINILM")
if published:
    cosines, unused = similarities(pathlib.Path(published), SIZES, SENTENCES)
else:
    with tempfile.TemporaryDirectory() as folder:
        cosines, unused = similarities(stand_in(pathlib.Path(folder), SENTENCES), SMALL, SENTENCES)
plot.attention(cosines, SENTENCES, SENTENCES).set(title="cosine of two sentences", xlabel="", ylabel="")
plt.xticks(rotation=30, ha="right")
print("the published weights" if published else "random weights", "- not used:", ", ".join(unused))
print(cosines.round(2))
plt.show()
