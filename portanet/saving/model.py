"""Saving and loading of models: architecture, weights and training state."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from portanet import checks, random
from portanet.backends import Backend, get_backend, use_backend
from portanet.layers import Layer
from portanet.saving import optimizers
from portanet.saving.archive import Archive, open_archive, write_archive
from portanet.saving.config import Decoder, Encoder, walk
from portanet.saving.endings import KERAS, LEGACY, checked_ending
from portanet.saving.errors import attempt
from portanet.saving.safetensors import Tensor, format_of
from portanet.saving.weights import allocation, assign, checked, host_tensor, require_equal

if TYPE_CHECKING:
    from portanet.models import Model

PREFIX = "model/"
"""Prefix of a model's variables among the tensors of a file."""


def save_model(
    model: Any, filepath: str | os.PathLike[str], overwrite: bool = True, zipped: bool | None = None
) -> None:
    """Save a model to one file: architecture, weights and training state; see `Model.save`.

    Example:
        >>> import os, tempfile
        >>> from portanet import Sequential, layers, load_model
        >>> path = os.path.join(tempfile.mkdtemp(), "model.safetensors")
        >>> save_model(Sequential([layers.Input((2,)), layers.Dense(1)]), path)
        >>> load_model(path).output_shape
        (None, 1)
    """
    _require_model(model)
    ending = checked_ending(filepath, "save_model", overwrite)
    if not (zipped is None or zipped is True):
        raise checks.invalid("zipped", zipped, "None or True: models are saved to one file", "save_model")
    if ending == KERAS:
        from portanet.saving.keras.files import save_keras_model

        save_keras_model(model, filepath)
        return
    if ending in LEGACY:
        from portanet.saving.keras.legacy_models import save_legacy_model

        save_legacy_model(model, filepath)
        return
    encoder = Encoder()
    document = {
        "kind": "model",
        "backend": _described(model.backend),
        "architecture": encoder.encode(model, "architecture"),
        "built": encoder.encode({p: layer.build_shape for p, layer in walk(model) if _was_built(layer)}, "built"),
        "frozen": [p for p, layer in walk(model) if not layer._trainable],
        "streams": stream_keys(model),
        "compile": encoder.encode(model.get_compile_config(), "compile"),
        **_training(model, encoder),
    }
    tensors = {PREFIX + p: host_tensor(variable) for p, variable in model.named_variables().items()}
    write_archive(filepath, document, tensors | encoder.tensors)


def load_model(
    filepath: str | os.PathLike[str],
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,  # noqa: A002
    safe_mode: bool = True,
) -> Model:
    """Load a model saved with `model.save(path)` on any backend, or by Keras 3, onto the backend in use.

    Weights keep their dtypes. Nothing in the file is executed: classes and functions are looked up by name among the
    library's, those registered with `register_serializable`, and `custom_objects`.

    Args:
        filepath: The file: what it holds decides how it is read. Those of Keras need the extra `keras`.
        custom_objects: Custom classes and functions of the model, by name, that are not registered.
        compile: Whether to compile the model as it was, and restore the optimizer's state and `model.position`.
            `model.fit(..., initial_epoch=model.position)` then resumes training.
        safe_mode: Accepted as in Keras; code in a file is not executed with False either.

    Raises:
        OSError: The file cannot be read.
        portanet.saving.LoadError: It is damaged, of another format, or names an unknown class.

    Example:
        >>> import pathlib, tempfile
        >>> import numpy as np, portanet
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "model.safetensors"
        >>> model = portanet.Sequential([portanet.layers.Input((3,)), portanet.layers.Dense(2)])
        >>> model.save(path)
        >>> x = np.ones((1, 3))
        >>> bool((portanet.load_model(path).predict(x) == model.predict(x)).all())
        True
    """
    compile = checks.boolean("compile", compile, "load_model")  # noqa: A001
    checks.boolean("safe_mode", safe_mode, "load_model")
    if custom_objects is not None:
        checks.mapping("custom_objects", custom_objects, "load_model")
    get_backend()  # raises errors that do not concern the file
    kind = format_of(checks.path("filepath", filepath, "load_model"))
    if kind in ("Keras", "HDF5"):
        from portanet.saving.keras.files import load_keras_model, load_legacy_model

        load = load_keras_model if kind == "Keras" else load_legacy_model
        return cast("Model", load(filepath, custom_objects, compile))
    with open_archive(filepath) as archive:
        made = attempt(archive.error, "it cannot be loaded", lambda: _loaded(archive, custom_objects, compile))
    return cast("Model", made)


def restore(model: Any, path: str | os.PathLike[str]) -> None:
    """Restore a built and compiled model from a file of an equal model: weights, optimizer state, learning rate, random
    counters and streams, position.

    Args:
        model: The model; unchanged if an error is raised.
        path: A file of `save_model`.

    Raises:
        OSError: The file cannot be read.
        portanet.saving.LoadError: It is damaged, or belongs to another model.

    Example:
        >>> restore(model, "checkpoint.safetensors")  # doctest: +SKIP
    """
    _require_model(model)
    with open_archive(path) as archive, use_backend(model.backend):
        document = _model_document(archive)
        hosts = _read_variables(model, archive)
        resume = _prepared(model, archive, Decoder(archive))
        model._steps = {}  # compiled steps hold the previous streams
        set_stream_keys(model, document.get("streams"))
        assign(model, hosts)
        resume()


def _require_model(model: Any) -> None:
    if not isinstance(model, Layer) or not hasattr(model, "fit"):
        raise checks.invalid("model", model, "a model; for a single layer, save its weights: save_weights(layer, path)")


def _loaded(archive: Archive, custom_objects: Mapping[str, Any] | None, compiled: bool) -> Any:
    document = _model_document(archive)
    decoder = Decoder(archive, custom_objects)
    with _backend_for(archive, document):
        with allocation(archive, [name for name in archive.names if name.startswith(PREFIX)]):
            model = _built(archive, decoder, document)
        hosts = _read_variables(model, archive)
        if compiled and document.get("compile") is not None:
            settings = decoder.decode(document["compile"])
            attempt(archive.error, "it cannot be compiled", lambda: model.compile_from_config(settings))
            resume = _nothing if model.optimizer is None else _prepared(model, archive, decoder)
        else:
            resume = _nothing
        set_stream_keys(model, document.get("streams"))
        assign(model, hosts)
        resume()
        return model


def _described(backend: Backend) -> dict[str, str]:
    dtype = backend.dtype_name(backend.dtype)
    return {"name": backend.name, "device": backend.device_name, "dtype": dtype, "version": backend.version()}


def _was_built(layer: Layer) -> bool:
    return layer._built and layer.build_shape is not None


def stream_keys(model: Layer) -> dict[str, int]:
    """The keys of the random streams of layers; with the counters, they determine the next draws."""
    keys = ((path, getattr(layer, "key", None)) for path, layer in walk(model))
    return {path: key for path, key in keys if isinstance(key, int)}


def set_stream_keys(model: Layer, keys: Any) -> None:
    """Let random layers draw as those of another model, by the result of `stream_keys`."""
    for path, layer in walk(model):
        key = keys.get(path) if isinstance(keys, dict) else None
        if isinstance(getattr(layer, "key", None), int) and isinstance(key, int):
            layer.key = key  # type: ignore[attr-defined]


def _training(model: Any, encoder: Encoder) -> dict[str, Any]:
    """The training state for the document."""
    trained, state = model.optimizer_state or (None, None)
    position = {field.name: getattr(model.position, field.name) for field in dataclasses.fields(model.position)}
    position["seed"] = random.get_seed() if position["seed"] is None else position["seed"]
    del position["callbacks"]
    states = model.callbacks.get_states()
    return {
        "trained": trained,
        "optimizer_state": encoder.encode(state, "optimizer"),
        "optimizers": optimizers.described(model, encoder),
        "learning_rate": optimizers.rate_of(model.optimizer),
        "stopped": bool(model.stop_training),
        "position": encoder.encode(position, "position"),
        "callbacks": [[name, encoder.encode(state, f"callbacks/{i}")] for i, (name, state) in enumerate(states)],
    }


def _model_document(archive: Archive) -> dict[str, Any]:
    document = archive.document
    if document is None or document.get("kind") != "model":
        raise archive.error(
            "it holds no model; load_model reads files of model.save(path), model.load_weights(path) only weights"
        )
    return document


def _backend_for(archive: Archive, document: dict[str, Any]) -> Any:
    """The backend in use, with the default dtype of the one on which the model was saved."""
    current, saved = get_backend(), document.get("backend")
    dtype = saved.get("dtype") if isinstance(saved, dict) else None
    if not isinstance(dtype, str):
        raise archive.error("it does not specify the dtype in which the model computes")
    backend = attempt(
        archive.error,
        f"the backend in use, {current.name}, cannot compute in its dtype",
        lambda: type(current)(current.device, dtype),
    )
    return use_backend(backend)


def _built(archive: Archive, decoder: Decoder, document: dict[str, Any]) -> Any:
    """The model of a document, built, without its weights."""
    model = decoder.decode(document.get("architecture"))
    shapes, frozen = decoder.decode(document.get("built")), document.get("frozen")
    if not isinstance(model, Layer) or not hasattr(model, "compile"):
        raise archive.error("its architecture is not that of a model")
    if not isinstance(shapes, dict) or not isinstance(frozen, list):
        raise archive.error("it does not specify how its layers were built")
    model._place("")
    for path, layer in walk(model):
        if path in shapes and not layer._built:
            shape = shapes[path]
            if hasattr(layer, "compile"):
                cast(Any, layer)._builds_layers = False  # which have shapes of their own
            attempt(archive.error, f"layer '{path or layer.name}' cannot be built", lambda: layer.build(shape))  # noqa: B023
    for path, layer in walk(model):
        layer._trainable = path not in frozen
        if not layer._trainable:
            layer.show_trainable()
    return model


def _read_variables(model: Layer, archive: Archive) -> dict[str, Tensor]:
    """The values of all variables; all must match."""
    names = {name.removeprefix(PREFIX): name for name in archive.names if name.startswith(PREFIX)}
    comparison = checked(model.named_variables(), names, archive)
    require_equal(comparison, archive)
    return {path: archive.read(names[path]) for path in comparison.matching}


def _prepared(model: Any, archive: Archive, decoder: Decoder) -> Callable[[], None]:
    """Read and check the training state; the returned function restores it to the model."""
    document = _model_document(archive)
    backend, trained = model.backend, document.get("trained")
    state = decoder.decode(document.get("optimizer_state"), lambda tensor: optimizers.device_array(tensor, backend))
    if trained is not None:
        _require_state(model, archive, trained, state)
    rate, stopped = document.get("learning_rate"), document.get("stopped")
    position = decoder.decode(document.get("position"))
    if isinstance(position, dict):
        position.setdefault("weights", {})  # files of earlier versions have none
    names = {field.name for field in dataclasses.fields(model.position)} - {"callbacks"}
    callbacks = decoder.decode(document.get("callbacks"))
    if not isinstance(position, dict) or not _is_position(position, callbacks) or set(position) != names:
        raise archive.error("it does not specify the position of training")
    _require_weights(model, archive, position["weights"])
    optimizers.require_rate(rate, archive)
    resume_others = optimizers.prepared(model, archive, decoder, document)

    def resume() -> None:
        resume_others()
        model.optimizer_state = None if trained is None else (trained, state)
        model._follow(model.named_variables())
        if rate is not None:
            model.optimizer.learning_rate = rate
        model.position = type(model.position)(**position, callbacks=callbacks)
        model.stop_training = bool(stopped)

    return resume


def _is_position(position: dict[str, Any], callbacks: Any) -> bool:
    """Whether values have the types of a `Position`'s fields."""
    counts = all(type(position.get(name)) is int and position[name] >= 0 for name in ("epoch", "batch", "seed"))
    tables = all(
        isinstance(position.get(name), dict) and all(isinstance(column, list) for column in position[name].values())
        for name in ("sums", "history")
    )
    pairs = isinstance(callbacks, list) and all(
        isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) and isinstance(pair[1], dict)
        for pair in callbacks
    )
    return counts and tables and pairs and isinstance(position.get("epochs"), list)


def _require_weights(model: Any, archive: Archive, weights: Any) -> None:
    """Refuse the weights of a position that are not those of the model."""
    variables = model.named_variables()
    if not isinstance(weights, dict) or any(
        path not in variables or np.shape(value) != variables[path].shape for path, value in weights.items()
    ):
        raise archive.error("the weights that it says were averaged are not the model's")


def _require_state(model: Any, archive: Archive, trained: Any, state: Any) -> None:
    """Refuse the state of another optimizer, or of other weights."""
    variables = model.named_variables()
    if not isinstance(trained, list) or not all(isinstance(p, str) and p in variables for p in trained):
        raise archive.error("its trained weights are not those of the model")
    optimizers.require_state(model.optimizer, {path: variables[path].value for path in trained}, state, archive)


def _nothing() -> None:
    """Do nothing, for a model that is not compiled."""
