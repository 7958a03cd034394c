"""HDF5 files as Keras wrote them before version 3: a group per layer, and attributes with the order of layers and
weights.
"""

from __future__ import annotations

from portanet.layers import Layer
from portanet.saving.keras.hdf5 import WeightFile
from portanet.saving.keras.optimizers import GROUP
from portanet.saving.keras.variables import layers_of
from portanet.saving.safetensors import Tensor
from portanet.variables import Variable

LAYERS, WEIGHTS = "layer_names", "weight_names"
MODEL = "model_weights"
"""The group of the weights in a file of a whole model."""
STATE = "optimizer_weights"
"""The group of the state of its optimizer."""


class LegacyWeights:
    """The weights of a model in a file, a source for `load_weights`.

    Layers with weights are matched in order if there are as many in the file, as in Keras, else by their names.

    Args:
        model: The model, a graph or a stack of layers.
        file: The file.

    Attributes:
        names: The names of the arrays by their paths in the model, and by their own for others.

    Raises:
        LoadError: The file is damaged, or a layer has another number of weights.
    """

    def __init__(self, model: Layer, file: WeightFile) -> None:
        self.error, self.shape, self.read = file.error, file.shape, file.read
        self._file = file
        groups = _arrays(file)
        layers = {layer.name: weights_in_order(layer) for layer in layers_of(model)}
        layers = {name: variables for name, variables in layers.items() if variables}
        if len(groups) == len(layers):
            pairs = list(zip(layers, groups, strict=True))
        else:
            pairs = [(name, name) for name in layers if name in groups]
        paths = {variable: path for path, variable in model.named_variables().items()}
        self.names: dict[str, str] = {}
        self._dtypes: dict[str, str] = {}
        for layer, group in pairs:
            variables, arrays = layers[layer], groups.pop(group)
            if len(variables) != len(arrays):
                raise file.error(
                    f"layer '{layer}' has {len(variables)} weights. Received: {len(arrays)} of layer {group[:100]!r}"
                )
            for variable, array in zip(variables, arrays, strict=True):
                self.names[paths[variable]] = array
                self._dtypes[array] = variable.backend.dtype_name(variable.dtype)
        self.names |= {array: array for arrays in groups.values() for array in arrays}

    def dtype(self, name: str) -> str:
        """The dtype of an array: that of the weight, since counters were stored in several."""
        return self._dtypes.get(name, self._file.dtype(name))


class LegacyState:
    """The state of the optimizer in a file, under the names that Keras 3 gives its arrays; a source for `read_state`.

    Args:
        file: The file.
    """

    def __init__(self, file: WeightFile) -> None:
        self.error, self._file = file.error, file
        names = [f"{STATE}/{name}" for name in file.attribute(STATE, WEIGHTS) or ()]
        present = set(file.names)
        self._names = {f"{GROUP}/vars/{i}": name for i, name in enumerate(names) if name in present}

    @property
    def names(self) -> list[str]:
        """The names of the arrays."""
        return list(self._names)

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of an array."""
        return self._file.shape(self._names[name])

    def read(self, name: str) -> Tensor:
        """Read an array."""
        return self._file.read(self._names[name])


def is_legacy(file: WeightFile) -> bool:
    """Whether Keras wrote a file before version 3, or in the format of that time."""
    return any(file.attribute(group, LAYERS) is not None for group in ("", MODEL))


def _arrays(file: WeightFile) -> dict[str, list[str]]:
    """The names of the arrays of each layer with weights."""
    start = "" if file.attribute("", LAYERS) is not None else f"{MODEL}/"
    groups: dict[str, list[str]] = {}
    for layer in file.attribute(start, LAYERS) or ():
        arrays = [f"{start}{layer}/{name}" for name in file.attribute(f"{start}{layer}", WEIGHTS) or ()]
        if missing := set(arrays).difference(file.names):
            raise file.error(f"it has no array {min(missing)[:100]!r}, which it lists")
        if arrays:
            groups[layer] = arrays
    return groups


def weights_in_order(layer: Layer) -> list[Variable]:
    """The weights of a layer, trainable ones first."""
    variables = [variable for variable in layer.weights if not variable.counter]
    return sorted(variables, key=lambda variable: not variable.can_train)
