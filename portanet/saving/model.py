"""Models as files: architecture, weights, and all that training goes on from."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from portanet import checks, random
from portanet.backends import Backend, get_backend, use_backend
from portanet.layers import Layer
from portanet.saving.archive import Archive, open_archive, write_archive
from portanet.saving.config import Decoder, Encoder, walk
from portanet.saving.safetensors import Tensor
from portanet.saving.weights import assign, checked, host_tensor, listed, require_equal
from portanet.tree import tree_items
from portanet.variables import allocate_for_loading

PREFIX = "model/"
"""Of the names of a model's variables among the tensors of a file."""
SLACK = 2**20
"""Elements that a model which does not fit its file may have beyond twice the file's, before what differs is listed."""


def save_model(model: Any, path: str | os.PathLike[str]) -> None:
    """Save a model to one file: architecture, weights, and where its training stands; see `Model.save`."""
    encoder = Encoder()
    document = {
        "kind": "model",
        "backend": _described(model.backend),
        "architecture": encoder.encode(model, "architecture"),
        "built": {p: encoder.encode(layer.build_shape, "built") for p, layer in walk(model) if _was_built(layer)},
        "frozen": [p for p, layer in walk(model) if not layer._trainable],
        "streams": _streams(model),
        "compile": encoder.encode(model.get_compile_config(), "compile"),
        **_training(model, encoder),
    }
    tensors = {PREFIX + p: host_tensor(variable) for p, variable in model.named_variables().items()}
    write_archive(path, document, tensors | encoder.tensors)


def load_model(
    path: str | os.PathLike[str],
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,  # noqa: A002
) -> Any:
    """Load a model that was saved with `model.save(path)`, on whichever backend, onto the backend in use.

    Its weights have the dtypes they were saved with. Nothing in the file is executed: classes and functions are looked
    up by name among the library's, those registered with `register_serializable`, and `custom_objects`.

    Args:
        path: The file.
        custom_objects: Classes and functions of your own, by name, that the model is made of and that are not
            registered.
        compile: Whether to compile the model as it was, and restore the optimizer's state and `model.position`.
            `model.fit(..., initial_epoch=model.position)` then goes on from there.

    Raises:
        OSError: The file cannot be read.
        portanet.saving.LoadError: It is damaged, of another format, or names a class that is not known.

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
    with open_archive(path) as archive:
        document = _model_document(archive)
        decoder = Decoder(archive, custom_objects)
        with _backend_for(archive, document):
            sizes = [math.prod(archive.shape(name)) for name in archive.names if name.startswith(PREFIX)]
            with allocate_for_loading(2 * sum(sizes) + SLACK):
                model = _built(archive, decoder, document)
            hosts = _read_variables(model, archive)
            if compile and document.get("compile") is not None:
                settings = decoder.decode(document["compile"])
                _attempt(archive, "it cannot be compiled", lambda: model.compile(**settings))
                resume = _prepared(model, archive, decoder)
            else:
                resume = _nothing
            _set_streams(model, document)
            assign(model, hosts)
            resume()
            return model


def restore(model: Any, path: str | os.PathLike[str]) -> None:
    """Give a model that is built and compiled all that a file of an equal model holds: weights, the optimizer's state
    and learning rate, random counters and streams, position.

    Args:
        model: The model; nothing of it changes if an error is raised.
        path: A file of `save_model`.

    Raises:
        OSError: The file cannot be read.
        portanet.saving.LoadError: It is damaged, or of another model.
    """
    with open_archive(path) as archive, use_backend(model.backend):
        document = _model_document(archive)
        hosts = _read_variables(model, archive)
        resume = _prepared(model, archive, Decoder(archive))
        model._steps = {}  # compiled ones know the streams of before
        _set_streams(model, document)
        assign(model, hosts)
        resume()


def _described(backend: Backend) -> dict[str, str]:
    dtype = backend.dtype_name(backend.dtype)
    return {"name": backend.name, "device": backend.device_name, "dtype": dtype, "version": backend.version()}


def _was_built(layer: Layer) -> bool:
    return layer.built and layer.build_shape is not None


def _streams(model: Layer) -> dict[str, int]:
    """The keys of the random streams of layers that draw: with the counters, they say what is drawn next."""
    keys = ((path, getattr(layer, "key", None)) for path, layer in walk(model))
    return {path: key for path, key in keys if isinstance(key, int)}


def _set_streams(model: Layer, document: dict[str, Any]) -> None:
    streams = document.get("streams")
    for path, layer in walk(model):
        key = streams.get(path) if isinstance(streams, dict) else None
        if isinstance(getattr(layer, "key", None), int) and isinstance(key, int):
            layer.key = key  # type: ignore[attr-defined]


def _training(model: Any, encoder: Encoder) -> dict[str, Any]:
    """Where training stands, as a part of the document."""
    trained, state = model.optimizer_state or (None, None)
    rate = None if model.optimizer is None else model.optimizer.learning_rate
    place = {field.name: getattr(model.position, field.name) for field in dataclasses.fields(model.position)}
    place["seed"] = random.get_seed() if place["seed"] is None else place["seed"]
    place["callbacks"] = [
        [name, encoder.encode(known, f"callbacks/{i}")] for i, (name, known) in enumerate(model.callbacks.get_states())
    ]
    return {
        "trained": trained,
        "optimizer_state": encoder.encode(state, "optimizer"),
        "learning_rate": None if callable(rate) else rate,
        "stopped": bool(model.stop_training),
        "position": encoder.encode({k: v for k, v in place.items() if k != "callbacks"}, "position"),
        "callbacks": place["callbacks"],
    }


def _model_document(archive: Archive) -> dict[str, Any]:
    document = archive.document
    if document is None or document.get("kind") != "model":
        raise archive.error(
            "it holds no model; load_model reads what model.save(path) wrote, model.load_weights(path) weights alone"
        )
    return document


def _backend_for(archive: Archive, document: dict[str, Any]) -> Any:
    """The backend in use, with the default dtype of the one that the model was saved on."""
    backend, saved = get_backend(), document.get("backend")
    dtype = saved.get("dtype") if isinstance(saved, dict) else None
    if not isinstance(dtype, str):
        raise archive.error("it does not say in which dtype the model computes")
    made = _attempt(
        archive,
        f"the backend in use, {backend.name}, cannot compute in its dtype",
        lambda: type(backend)(backend.device, dtype),
    )
    return use_backend(made)


def _built(archive: Archive, decoder: Decoder, document: dict[str, Any]) -> Any:
    """The model of a document, built, its weights not loaded yet."""
    model = decoder.decode(document.get("architecture"))
    shapes, frozen = decoder.decode(document.get("built")), document.get("frozen")
    if not isinstance(model, Layer) or not hasattr(model, "compile"):
        raise archive.error("its architecture is not that of a model")
    if not isinstance(shapes, dict) or not isinstance(frozen, list):
        raise archive.error("it does not say how its layers were built")
    model._place("")
    for path, layer in walk(model):
        if path in shapes and not layer.built:
            shape = shapes[path]
            _attempt(archive, f"layer '{path or layer.name}' cannot be built", lambda: layer.build(shape))  # noqa: B023
    for path, layer in walk(model):
        layer._trainable = path not in frozen
    return model


def _read_variables(model: Layer, archive: Archive) -> dict[str, Tensor]:
    """The values of all variables; strict."""
    names = {name.removeprefix(PREFIX): name for name in archive.names if name.startswith(PREFIX)}
    found = checked(model.named_variables(), names, archive)
    require_equal(found, archive)
    return {path: archive.read(names[path]) for path in found.matching}


def _prepared(model: Any, archive: Archive, decoder: Decoder) -> Callable[[], None]:
    """Read and check where training stands; the function that is returned puts it into the model."""
    document = _model_document(archive)
    backend, trained = model.backend, document.get("trained")
    state = decoder.decode(document.get("optimizer_state"), lambda tensor: device_array(tensor, backend))
    if trained is not None:
        _require_state(model, archive, trained, state)
    position, rate, stopped = document.get("position"), document.get("learning_rate"), document.get("stopped")
    place = decoder.decode(position)
    names = {field.name: field.type for field in dataclasses.fields(model.position)}
    callbacks = decoder.decode(document.get("callbacks"))
    if not isinstance(place, dict) or not _is_position(place, callbacks) or set(place) != set(names) - {"callbacks"}:
        raise archive.error("it does not say where training stands")
    if rate is not None and (not isinstance(rate, (int, float)) or isinstance(rate, bool) or not rate >= 0):
        raise archive.error("its learning rate is no number")

    def resume() -> None:
        model.optimizer_state = None if trained is None else (trained, state)
        if rate is not None:
            model.optimizer.learning_rate = rate
        model.position = type(model.position)(**place, callbacks=callbacks)
        model.stop_training = bool(stopped)

    return resume


def _is_position(place: dict[str, Any], callbacks: Any) -> bool:
    """Whether values have the types of a `Position`'s fields."""
    counts = all(type(place.get(name)) is int and place[name] >= 0 for name in ("epoch", "batch", "seed"))
    tables = all(
        isinstance(place.get(name), dict) and all(isinstance(each, list) for each in place[name].values())
        for name in ("sums", "history")
    )
    pairs = isinstance(callbacks, list) and all(
        isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) and isinstance(pair[1], dict)
        for pair in callbacks
    )
    return counts and tables and pairs and isinstance(place.get("epochs"), list)


def _require_state(model: Any, archive: Archive, trained: Any, state: Any) -> None:
    """Refuse an optimizer's state of another optimizer, or of other weights."""
    variables = model.named_variables()
    if not isinstance(trained, list) or not all(isinstance(p, str) and p in variables for p in trained):
        raise archive.error("the weights that it says were trained are not the model's")
    expected = model.optimizer.init({path: variables[path].value for path in trained})
    ours, theirs = ({path: _kind(x) for path, x in tree_items(tree)} for tree in (expected, state))
    wrong = sorted(path for path in ours.keys() | theirs.keys() if ours.get(path) != theirs.get(path))
    if wrong:
        lines = [f"{path}: expected {ours.get(path, 'none')}, has {theirs.get(path, 'none')}" for path in wrong]
        raise archive.error(f"its optimizer's state is not that of {type(model.optimizer).__name__}:\n{listed(lines)}")


def _kind(x: Any) -> str:
    shape = getattr(x, "shape", None)
    return type(x).__name__ if shape is None else f"{str(x.dtype).rpartition('.')[2]} {tuple(shape)}"


def device_array(tensor: Tensor, backend: Backend) -> Any:
    """A tensor of a file as an array of a backend, dtype kept."""
    array = backend.from_host(np.asarray(tensor.values))
    return backend.xp.astype(array, backend.find_dtype(tensor.dtype)) if tensor.dtype == "bfloat16" else array


def _attempt(archive: Archive, what: str, function: Callable[[], Any]) -> Any:
    """The result of a function; whatever it raises is an error of the file."""
    try:
        return function()
    except Exception as error:
        raise archive.error(f"{what}: {str(error)[:300]}") from error


def _nothing() -> None:
    """For a model that is not compiled."""
