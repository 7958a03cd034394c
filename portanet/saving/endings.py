"""What the ending of a file's name says about its format."""

from __future__ import annotations

import os
import warnings

from portanet import checks

KERAS, KERAS_WEIGHTS, OWN = ".keras", ".weights.h5", ".safetensors"
"""Endings of models and weights of Keras, and of portanet's own files."""
LEGACY = (".h5", ".hdf5")
"""Endings of models of Keras before version 3."""
OTHERS = {
    ".h5": "the older HDF5 format of Keras, which is read, and written for whole models",
    ".hdf5": "the older HDF5 format of Keras, which is read, and written for whole models",
    ".npz": "a format of NumPy",
    ".npy": "a format of NumPy",
    ".onnx": "a format for inference, which model.export(path) writes",
    ".pb": "a format of TensorFlow",
    ".tflite": "a format of TensorFlow",
    ".pickle": "a pickle",
    ".pkl": "a pickle",
    ".pt": "a pickle of PyTorch",
    ".pth": "a pickle of PyTorch",
}
"""Endings of formats that `save` and `save_weights` do not write."""


def checked_ending(filepath: str | os.PathLike[str], of: str, overwrite: bool) -> str:
    """The ending of a file to be written: one of Keras (`.h5` for all of `LEGACY`), or portanet's for all others.

    Args:
        filepath: The file.
        of: `"save_model"` or `"save_weights"`.
        overwrite: Whether the file may exist.

    Raises:
        ValueError: The name is one of another format.
        FileExistsError: The file exists, and may not.
    """
    name = os.path.basename(checks.path("filepath", filepath, of)).lower()
    if not checks.boolean("overwrite", overwrite, of) and os.path.exists(filepath):
        raise FileExistsError(
            f"The file exists; choose another name, or pass overwrite=True. Received: filepath={filepath!r}"
        )
    weights = of == "save_weights"
    fitting = KERAS_WEIGHTS if weights else KERAS
    remedy = f"end it in {OWN} for portanet's format, or in {fitting} for Keras's"
    if name.endswith(fitting):
        return fitting
    if name.endswith((KERAS, KERAS_WEIGHTS)):
        method = "save" if weights else "save_weights"
        raise ValueError(
            f"The name of the file is that of what `model.{method}` writes; {remedy}. Received: filepath={filepath!r}"
        )
    if not weights and name.endswith(LEGACY):
        return LEGACY[0]
    other = next((what for ending, what in OTHERS.items() if name.endswith(ending)), None)
    if other is not None:
        raise ValueError(f"The name of the file is that of {other}; {remedy}. Received: filepath={filepath!r}")
    ending = os.path.splitext(name)[1]
    if ending.strip(".").isalpha() and ending != OWN:
        warnings.warn(
            f"The file is written in portanet's format, whatever {ending!r} stands for; {remedy}.", stacklevel=4
        )
    return OWN
