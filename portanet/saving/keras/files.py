"""Reading and writing of models and weights as files of Keras 3."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from portanet.backends import get_backend, use_backend
from portanet.layers import Layer
from portanet.saving.atomic import write_atomically
from portanet.saving.errors import LoadError, attempt
from portanet.saving.keras.container import read_container, write_container
from portanet.saving.keras.decode import KerasDecoder
from portanet.saving.keras.encode import KerasEncoder
from portanet.saving.keras.hdf5 import WeightFile, write_weights
from portanet.saving.keras.optimizers import read_state, written_state
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
    more: dict[str, list[Tensor]] = {}
    if settings is not None:
        config = {**config, "compile_config": encoder.compile_config(settings)}
        more = written_state(model, trained(model))
    with write_atomically(path) as file:
        write_container(file, config, _weights(model, more))


def save_keras_weights(model: Layer, path: str | os.PathLike[str]) -> None:
    """Write the weights of a layer or model as Keras does."""
    data = _weights(model, {})
    with write_atomically(path) as file:
        file.write(data)


def load_keras_model(path: str | os.PathLike[str], custom_objects: Mapping[str, Any] | None, compiled: bool) -> Any:
    """Load a model that Keras saved; see `load_model`."""
    container = read_container(path)

    def error(what: str) -> LoadError:
        return LoadError(f"Cannot load {os.fspath(path)}: {what}")

    dtype = _dtype(container.config)
    backend = get_backend()
    backend = attempt(
        error, "the backend in use cannot compute in its dtype", lambda: type(backend)(backend.device, dtype)
    )
    file = WeightFile(io.BytesIO(container.weights), path)
    try:
        with use_backend(backend):
            decoder = KerasDecoder(error, dict(custom_objects or {}), dtype)
            with allocation(file, file.names):
                model = attempt(error, "it cannot be loaded", lambda: _built(decoder, container.config))
            places, wanted = in_file(model, file), names(model)
            comparison = checked({p: v for p, v in model.named_variables().items() if p in wanted}, places, file)
            require_equal(comparison, file)
            tensors = {path: file.read(places[path]) for path in comparison.matching}
            resume = _compiled(model, decoder, container.config, file) if compiled else _nothing
            assign(model, tensors)
            resume()
            return model
    finally:
        file.close()


@contextmanager
def open_keras_weights(
    model: Layer, path: str | os.PathLike[str], zipped: bool
) -> Iterator[tuple[WeightFile, dict[str, str]]]:
    """Open the weights of a `.weights.h5` file, or of a model, for reading.

    Returns:
        The file, and the names of its arrays by path in the model.

    Raises:
        OSError: It cannot be opened.
        LoadError: It is damaged.
    """
    with io.BytesIO(read_container(path).weights) if zipped else open(path, "rb") as data:
        file = WeightFile(data, path)
        try:
            yield file, in_file(model, file)
        finally:
            file.close()


def _weights(model: Layer, more: Mapping[str, list[Tensor]]) -> bytes:
    """The HDF5 file of a model's weights, and of more arrays by group."""
    tensors = {group: [host_tensor(v) for v in variables] for group, variables in groups(model).items()}
    buffer = io.BytesIO()
    write_weights(buffer, {"": [], **tensors, **more})
    return buffer.getvalue()


def _built(decoder: KerasDecoder, config: dict[str, Any]) -> Any:
    model = decoder.decode(config)
    if not isinstance(model, Layer) or not hasattr(model, "compile"):
        raise decoder.error("it is no model, but a single layer or something else")
    if not model.built:
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
    decoded = {"auto_scale_loss": False, **decoded}
    attempt(decoder.error, "it cannot be compiled", lambda: model.compile_from_config(decoded))
    return _nothing if model.optimizer is None else read_state(model, trained(model), file)


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
