"""Reading and writing of models and weights as files of Keras 3."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

from portanet.backends import get_backend, use_backend
from portanet.configurable import is_of_user
from portanet.layers import Layer
from portanet.saving.atomic import write_atomically
from portanet.saving.errors import attempt
from portanet.saving.keras.assets import read_vocabularies, written_vocabularies
from portanet.saving.keras.container import read_container, write_container
from portanet.saving.keras.decode import KerasDecoder
from portanet.saving.keras.encode import KerasEncoder
from portanet.saving.keras.hdf5 import WeightFile, write_weights
from portanet.saving.keras.legacy import LegacyState, LegacyWeights, is_legacy
from portanet.saving.keras.legacy_models import described
from portanet.saving.keras.optimizers import own_arrays, read_state, written_state
from portanet.saving.keras.own_files import (
    layers_with_own_arrays,
    read_arrays,
    read_assets,
    written_arrays,
    written_assets,
)
from portanet.saving.keras.variables import groups, in_file, names, trained
from portanet.saving.safetensors import Tensor
from portanet.saving.weights import allocation, assign, checked, host_tensor, require_equal

PLAIN = ("float32", "float64", "float16", "bfloat16")


def save_keras_model(model: Any, path: str | os.PathLike[str]) -> None:
    """Write a model that Keras loads: architecture, weights, settings of `compile` and the optimizer's state.

    Raises:
        ValueError: Keras does not have a class or an option of the model.
    """
    backend = model.backend
    encoder = KerasEncoder(backend.dtype_name(backend.dtype))
    config = encoder.encode(model, "the model")
    settings = model.get_compile_config()
    state: Mapping[str, list[Tensor] | dict[str, Tensor]] = {}
    if settings is not None:
        config = {**config, "compile_config": encoder.compile_config(settings)}
        own = own_arrays(model.optimizer)
        state = dict(written_state(model, trained(model))) if own is None else dict(own)
    texts, weights = written_vocabularies(model)
    with write_atomically(path) as file:
        write_container(file, config, _weights(model, {**weights, **state}), {**texts, **written_assets(model)})


def save_keras_weights(model: Layer, path: str | os.PathLike[str]) -> None:
    """Write the weights of a layer or model as Keras does."""
    data = _weights(model, written_vocabularies(model)[1])
    with write_atomically(path) as file:
        file.write(data)


def load_keras_model(path: str | os.PathLike[str], custom_objects: Mapping[str, Any] | None, compiled: bool) -> Any:
    """Load a model that Keras saved; see `load_model`."""
    container = read_container(path)
    with closing(WeightFile(io.BytesIO(container.weights), path)) as file:
        return _loaded(file, container.config, container.assets, custom_objects, compiled)


def load_legacy_model(path: str | os.PathLike[str], custom_objects: Mapping[str, Any] | None, compiled: bool) -> Any:
    """Load a model of an HDF5 file; see `load_model`."""
    with open(path, "rb") as data, closing(WeightFile(data, path)) as file:
        config = attempt(file.error, "its description cannot be read", lambda: described(file))  # nested too deeply
        return _loaded(file, config, {}, custom_objects, compiled)


def _loaded(
    file: WeightFile,
    config: Any,
    assets: Mapping[str, bytes],
    custom_objects: Mapping[str, Any] | None,
    compiled: bool,
) -> Any:
    dtype = _dtype(config)
    backend = get_backend()
    backend = attempt(
        file.error, "the backend in use cannot compute in its dtype", lambda: type(backend)(backend.device, dtype)
    )
    with use_backend(backend):
        decoder = KerasDecoder(file.error, dict(custom_objects or {}), dtype)
        with allocation(file, file.names):
            model = attempt(file.error, "it cannot be loaded", lambda: _built(decoder, config, file))
        read_vocabularies(model, assets, file)
        source, places = _source(model, file)
        wanted = names(model)
        comparison = checked({p: v for p, v in model.named_variables().items() if p in wanted}, places, source)
        require_equal(comparison, source)
        tensors = {path: source.read(places[path]) for path in comparison.matching}
        resume = _compiled(model, decoder, config, file) if compiled else _nothing
        assign(model, tensors)
        if source is file:
            read_arrays(layers_with_own_arrays(model), file)
            read_assets(model, assets, file)
        resume()
        return model


@contextmanager
def open_keras_weights(
    model: Layer, path: str | os.PathLike[str], zipped: bool
) -> Iterator[tuple[WeightFile | LegacyWeights, dict[str, str], dict[str, Layer]]]:
    """Open the weights of a `.weights.h5` file, of an older `.h5` file, or of a model, for reading.

    Returns:
        The file, the names of its arrays by path in the model, and the layers that read theirs, by path in the file.

    Raises:
        OSError: It cannot be opened.
        LoadError: It is damaged.
    """
    opened = io.BytesIO(read_container(path).weights) if zipped else open(path, "rb")  # noqa: SIM115 -- closed below
    with opened as data, closing(WeightFile(data, path)) as file:
        source, places = _source(model, file)
        yield source, places, layers_with_own_arrays(model) if source is file else {}


def _source(model: Layer, file: WeightFile) -> tuple[WeightFile | LegacyWeights, dict[str, str]]:
    """What weights are read from, and the names of its arrays by path in the model."""
    if is_legacy(file):
        legacy = LegacyWeights(model, file)
        return legacy, legacy.names
    return file, in_file(model, file)


def _weights(model: Layer, more: Mapping[str, list[Tensor] | dict[str, Tensor]]) -> bytes:
    """The HDF5 file of a model's weights, and of more arrays by group."""
    tensors = {group: [host_tensor(v) for v in variables] for group, variables in groups(model).items()}
    buffer = io.BytesIO()
    write_weights(buffer, {"": [], **tensors, **written_arrays(model), **more})
    return buffer.getvalue()


def _built(decoder: KerasDecoder, config: dict[str, Any], file: WeightFile) -> Any:
    model = decoder.decode(config)
    if not isinstance(model, Layer) or not hasattr(model, "compile"):
        raise decoder.error("it is no model, but a single layer or something else")
    if not model._built and file.names:
        raise decoder.error(f"its model '{model.name}' has no input shape, so that its weights are not known")
    model._place("")
    return model


def _compiled(model: Any, decoder: KerasDecoder, config: dict[str, Any], file: WeightFile) -> Callable[[], None]:
    """Compile a model as it was; the returned function restores the optimizer's state."""
    settings = config.get("compile_config")
    if not isinstance(settings, dict) or not settings:
        return _nothing
    decoded = attempt(decoder.error, "it cannot be compiled", lambda: decoder.decode(settings))
    if "jit_compile" in decoded:  # the choice of the backend that saved it
        decoded["jit_compile"] = "auto"
    if not any(is_of_user(type(model), method) for method in ("get_compile_config", "compile_from_config")):
        decoded = {"auto_scale_loss": False, **decoded}
    attempt(decoder.error, "it cannot be compiled", lambda: model.compile_from_config(decoded))
    if model.optimizer is None or not model._built:
        return _nothing
    return read_state(model, trained(model), LegacyState(file) if is_legacy(file) else file)


def _dtype(config: Any) -> str:
    """The dtype of a file if there is but one, else float32."""
    policies: set[Any] = set()
    pending = [config]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            inner = node.get("config")
            if node.get("class_name") == "DTypePolicy" and isinstance(inner, dict):
                policies.add(str(inner.get("name")))
            pending += node.values()
        elif isinstance(node, list):
            pending += node
    only = next(iter(policies)) if len(policies) == 1 else None
    return only if only in PLAIN else "float32"


def _nothing() -> None:
    """Do nothing, for a model that is not compiled."""
