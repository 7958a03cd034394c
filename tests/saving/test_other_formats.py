"""Files of other programs: the error says what they are and how to convert them."""

from __future__ import annotations

import pathlib
import pickle
import zipfile
from collections.abc import Callable

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.saving import LoadError, load_keras_weights, load_torch_state_dict

PYTORCH = r"a file of PyTorch, pickled, .*safetensors\.torch\.save_file\(torch\.load\(path, weights_only=True\), "


def pytorch(path: pathlib.Path) -> None:
    torch = pytest.importorskip("torch")
    torch.save(torch.nn.Linear(4, 1).state_dict(), path)


def whole_module(path: pathlib.Path) -> None:
    torch = pytest.importorskip("torch")
    torch.save(torch.nn.Linear(4, 1), path)


def old_pytorch(path: pathlib.Path) -> None:
    torch = pytest.importorskip("torch")
    torch.save(torch.nn.Linear(4, 1).state_dict(), path, _use_new_zipfile_serialization=False)


def keras(path: pathlib.Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("metadata.json", "{}")


def hdf5(path: pathlib.Path) -> None:
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))


def archive(path: pathlib.Path) -> None:
    with path.open("wb") as file:
        np.savez(file, a=np.ones(3))


def array(path: pathlib.Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.ones(3))


FILES: dict[str, tuple[Callable[[pathlib.Path], None], str]] = {
    "pytorch": (pytorch, PYTORCH),
    "whole module": (whole_module, PYTORCH),
    "old pytorch": (old_pytorch, PYTORCH),
    "keras": (
        keras,
        r"(a model of Keras. Load it with portanet\.load_model|no model of Keras 3: it has no config.json)",
    ),
    "hdf5": (hdf5, r"(an HDF5 file. portanet\.load_model\(path\) loads|damaged, or no HDF5 file)"),
    "archive": (archive, r"a file of NumPy. Load it with np\.load; then model\.set_weights"),
    "array": (array, r"a file of NumPy. Load it with np\.load; then model\.set_weights"),
    **{
        f"pickle {protocol}": (
            lambda path, protocol=protocol: path.write_bytes(pickle.dumps({"a": 1}, protocol=protocol)),  # type: ignore[misc]
            r"a pickled object, which may hold code\. Unpickle it if you trust it; then model\.save\(path\)",
        )
        for protocol in (2, 3, 4, 5)
    },
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_of_another_program(kind: str, tmp_path: pathlib.Path) -> None:
    write, message = FILES[kind]
    path = tmp_path / "model.pt"
    write(path)
    model = portanet.Sequential([layers.Input((4,)), layers.Dense(1)])
    for load in (
        portanet.load_model,
        model.load_weights,
        lambda path: load_torch_state_dict(model, path),
        lambda path: load_keras_weights(model, path),
    ):
        with pytest.raises(LoadError, match=rf"Cannot load .*model\.pt: it is {message}"):
            load(path)


@pytest.mark.parametrize("length", [0x0280, 0x0380])
def test_a_header_whose_length_looks_like_a_pickle(length: int, tmp_path: pathlib.Path) -> None:
    """The first bytes of the file are those of a pickle, and yet it is read."""
    path = tmp_path / "weights.safetensors"
    header = b'{"dense/bias":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    path.write_bytes(length.to_bytes(8, "little") + header.ljust(length) + np.ones(1, dtype="<f4").tobytes())
    model = portanet.Sequential([layers.Input((4,)), layers.Dense(1)])
    assert model.load_weights(path, strict=False).matching == ["dense/bias"]
    np.testing.assert_array_equal(model.get_weights()[1], [1.0])
