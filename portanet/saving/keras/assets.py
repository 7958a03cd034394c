"""Vocabularies in files of Keras, where layers that were adapted have theirs in a text file next to the weights."""

from __future__ import annotations

from collections.abc import Mapping

from portanet.backends import to_host
from portanet.layers import Layer, TextVectorization
from portanet.layers.preprocessing.index_lookup import IndexLookup
from portanet.saving.errors import attempt
from portanet.saving.keras.hdf5 import WeightFile
from portanet.saving.keras.variables import array_name, layers_in_file
from portanet.saving.safetensors import Tensor


def read_vocabularies(model: Layer, assets: Mapping[str, bytes], file: WeightFile) -> None:
    """Set the vocabularies of the lookups in a model.

    Args:
        model: The model.
        assets: The contents of the files of layers, by path.
        file: The weights.

    Raises:
        LoadError: They are not vocabularies of these layers.
    """
    for path, layer in layers_in_file(model).items():
        text = assets.get(f"{path}/vocabulary.txt")
        if isinstance(layer, IndexLookup) and text is not None and not layer.has_vocabulary:
            weights = array_name(path, "idf_weights")
            idf = file.read(weights).values if weights in file.names else None
            what = f"the vocabulary of layer '{layer.name}' is not valid"
            attempt(file.error, what, lambda: layer.set_vocabulary(_lines(text), idf))  # noqa: B023


def written_vocabularies(model: Layer) -> tuple[dict[str, bytes], dict[str, dict[str, Tensor]]]:
    """The vocabularies of the lookups in a model: text files by path, and arrays of weights by group."""
    texts: dict[str, bytes] = {}
    weights: dict[str, dict[str, Tensor]] = {}
    for path, layer in layers_in_file(model).items():
        if not isinstance(layer, IndexLookup) or not layer.has_vocabulary:
            continue
        text = "\n".join(map(str, layer.get_vocabulary())).encode()
        # Keras's TextVectorization has a lookup in it, whose state is that of the layer.
        for place in (path, f"{path}/_lookup_layer") if isinstance(layer, TextVectorization) else (path,):
            texts[f"{place}/vocabulary.txt"] = text
            if layer.idf_weights is not None:
                weights[place] = {"idf_weights": Tensor(to_host(layer.idf_weights).astype("float32"), "float32")}
    return texts, weights


def _lines(text: bytes) -> list[str]:
    lines = text.decode().splitlines()
    while lines and not lines[-1]:
        lines.pop()
    return lines
