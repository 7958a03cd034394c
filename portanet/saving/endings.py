"""What the ending of a file's name says about its format."""

from __future__ import annotations

import os
import warnings

from portanet import checks

KERAS, KERAS_WEIGHTS, OWN = ".keras", ".weights.h5", ".safetensors"
"""Endings of models and weights of Keras, and of portanet's own files."""
OTHERS = {
    ".h5": "the older HDF5 format of Keras, which Keras replaced",
    ".hdf5": "the older HDF5 format of Keras, which Keras replaced",
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


def checked_ending(path: str | os.PathLike[str], of: str) -> str:
    """The ending of a file to be written: one of Keras, or portanet's for all others.

    Args:
        path: The file.
        of: `"save_model"` or `"save_weights"`.

    Raises:
        ValueError: The name is one of another format.
    """
    name = os.path.basename(checks.path("path", path, of)).lower()
    weights = of == "save_weights"
    fitting = KERAS_WEIGHTS if weights else KERAS
    remedy = f"end it in {OWN} for portanet's format, or in {fitting} for Keras's"
    if name.endswith(fitting):
        return fitting
    if name.endswith((KERAS, KERAS_WEIGHTS)):
        method = "save" if weights else "save_weights"
        raise ValueError(
            f"The name of the file is that of what `model.{method}` writes; {remedy}. Received: path={path!r}"
        )
    other = next((what for ending, what in OTHERS.items() if name.endswith(ending)), None)
    if other is not None:
        raise ValueError(f"The name of the file is that of {other}; {remedy}. Received: path={path!r}")
    ending = os.path.splitext(name)[1]
    if ending.strip(".").isalpha() and ending != OWN:
        warnings.warn(
            f"The file is written in portanet's format, whatever {ending!r} stands for; {remedy}.", stacklevel=4
        )
    return OWN
