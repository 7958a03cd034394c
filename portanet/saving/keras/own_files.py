"""What layers write into a file of Keras, and read from it, by methods of their own."""

from __future__ import annotations

import pathlib
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

from portanet.backends import to_host
from portanet.layers import Layer
from portanet.saving.errors import attempt
from portanet.saving.keras.hdf5 import WeightFile
from portanet.saving.keras.variables import array_name, has_own_arrays, layers_in_file
from portanet.saving.safetensors import Tensor
from portanet.saving.weights import host_tensor
from portanet.variables import Variable


def layers_with_own_arrays(model: Layer) -> dict[str, Layer]:
    """The layers whose methods write and read their arrays, by their paths in a file."""
    return {path: layer for path, layer in layers_in_file(model).items() if has_own_arrays(layer)}


def written_arrays(model: Layer) -> dict[str, dict[str, Tensor]]:
    """What the layers that override `save_own_variables` store, by group.

    Raises:
        TypeError: One of them stores something else than numbers.
    """
    arrays: dict[str, dict[str, Tensor]] = {}
    for path, layer in layers_with_own_arrays(model).items():
        store: dict[str, Any] = {}
        layer.save_own_variables(store)
        arrays[path] = {name: stored_tensor(f"Layer '{layer.name}'", name, value) for name, value in store.items()}
    return arrays


def read_arrays(layers: Mapping[str, Layer], file: WeightFile) -> None:
    """Let layers that override `load_own_variables` read what is theirs in a file.

    Args:
        layers: The layers by their paths in the file.
        file: The weights.

    Raises:
        LoadError: A layer finds other arrays than it needs.
    """
    for path, layer in layers.items():
        start = array_name(path, "")
        store = {name.removeprefix(start): file.read(name).values for name in file.names if name.startswith(start)}
        what = f"layer '{layer.name}' cannot load its arrays, {sorted(store)}"
        attempt(file.error, what, lambda: layer.load_own_variables(store))  # noqa: B023


def written_assets(model: Layer) -> dict[str, bytes]:
    """The files that layers with a method `save_assets(dir_path)` write, by path."""
    assets: dict[str, bytes] = {}
    for path, layer in layers_in_file(model).items():
        if not hasattr(layer, "save_assets"):
            continue
        with tempfile.TemporaryDirectory() as folder:
            layer.save_assets(folder)
            for name, data in _files(pathlib.Path(folder)):
                assets[f"{path}/{name}" if path else name] = data
    return assets


def read_assets(model: Layer, assets: Mapping[str, bytes], file: WeightFile) -> None:
    """Let layers with a method `load_assets(dir_path)` read their files, from a temporary folder.

    Args:
        model: The model.
        assets: The contents of the files, by path.
        file: The weights.

    Raises:
        LoadError: A name leads out of the folder, or a layer finds other files than it needs.
    """
    for path, layer in layers_in_file(model).items():
        if not hasattr(layer, "load_assets"):
            continue
        start = f"{path}/" if path else ""
        with tempfile.TemporaryDirectory() as folder:
            for name, data in assets.items():
                if name.startswith(start):
                    parts = name.removeprefix(start).split("/")
                    if any(part in ("", ".", "..") or set(part) & set("\\:\0") for part in parts):
                        raise file.error(f"it has a file of a forbidden name. Received: {name[:100]!r}")
                    target = pathlib.Path(folder, *parts)
                    what = f"its file {name[:100]!r} cannot be written"
                    attempt(file.error, what, lambda: _write(target, data))  # noqa: B023
            what = f"layer '{layer.name}' cannot load its files"
            attempt(file.error, what, lambda: layer.load_assets(folder))  # noqa: B023


def stored_tensor(what: str, name: Any, value: Any) -> Tensor:
    """What `save_own_variables` of a layer or optimizer has put into its store."""
    if isinstance(value, Variable):
        return host_tensor(value)
    host = to_host(value)
    if host.dtype.kind not in "biufc" and "float" not in str(host.dtype):  # such as bfloat16
        raise TypeError(
            f"{what} must put arrays of numbers into the store of save_own_variables. "
            f"Received: {value!r} under {name!r}"
        )
    return Tensor(host, str(host.dtype))


def _files(folder: pathlib.Path) -> Iterator[tuple[str, bytes]]:
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            yield file.relative_to(folder).as_posix(), file.read_bytes()


def _write(target: pathlib.Path, data: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
