"""Saving and loading of weights, and the comparison of files with models."""

from __future__ import annotations

import contextlib
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from portanet import checks
from portanet.layers import Layer
from portanet.saving.archive import open_archive, write_archive
from portanet.saving.endings import KERAS_WEIGHTS, checked_ending
from portanet.saving.errors import LoadError
from portanet.saving.safetensors import Tensor, format_of
from portanet.variables import Variable, allocate_for_loading

LISTED = 20
"""Maximum number of lines of each kind in an error message."""
SLACK = 2**20
"""Elements that a mismatched model may allocate beyond twice the file's, before the differences are listed."""


class Source(Protocol):
    """A file with named tensors, open for reading."""

    def error(self, what: str) -> LoadError:
        """An error that names the file."""

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor."""

    def dtype(self, name: str) -> str:
        """The dtype of a tensor."""

    def read(self, name: str) -> Tensor:
        """Read a tensor."""


@dataclass(frozen=True)
class Comparison:
    """The variables of a file compared with those of a model, by path.

    Attributes:
        matching: In both, with the same shape.
        missing: Only in the model.
        unexpected: Only in the file.
        mismatched: In both, with different shapes or kinds of dtypes: the model's and the file's.

    Example:
        >>> Comparison(matching=["dense/kernel"]).matching
        ['dense/kernel']
    """

    matching: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    mismatched: dict[str, tuple[str, str]] = field(default_factory=dict)


def save_weights(model: Layer, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
    """Save the weights of a layer or model, including running statistics; see `Model.save_weights`.

    Example:
        >>> import os, tempfile
        >>> from portanet import Sequential, layers
        >>> model = Sequential([layers.Input((2,)), layers.Dense(1)])
        >>> path = os.path.join(tempfile.mkdtemp(), "model.weights.h5")
        >>> save_weights(model, path)
        >>> load_weights(model, path).missing
        []
    """
    require_built(model)
    if checked_ending(filepath, "save_weights", overwrite) == KERAS_WEIGHTS:
        from portanet.saving.keras.files import save_keras_weights

        save_keras_weights(model, filepath)
        return
    tensors = {p: host_tensor(v) for p, v in model.named_variables().items() if not v.counter}
    write_archive(filepath, {"kind": "weights"}, tensors)


def load_weights(
    model: Layer,
    filepath: str | os.PathLike[str],
    skip_mismatch: bool = False,
    strict: bool = True,
    pattern: str | Iterable[str] | None = None,
) -> Comparison:
    """Load the weights of a layer or model; see `Model.load_weights`.

    Example:
        >>> import os, tempfile
        >>> from portanet import Sequential, layers
        >>> model = Sequential([layers.Input((2,)), layers.Dense(1)])
        >>> path = os.path.join(tempfile.mkdtemp(), "model.weights.h5")
        >>> save_weights(model, path)
        >>> load_weights(model, path).matching
        ['dense/kernel', 'dense/bias']
    """
    require_built(model)
    skip_mismatch = checks.boolean("skip_mismatch", skip_mismatch, "load_weights")
    strict = checks.boolean("strict", strict, "load_weights")
    patterns = None if pattern is None else _compiled(pattern)

    def selected(name: str) -> bool:
        return patterns is None or any(p.search(name) for p in patterns)

    with _opened(model, filepath) as (archive, names, own):
        taken = {v for layer in own.values() for v in layer.saved_variables()}
        wanted = {p: v for p, v in model.named_variables().items() if selected(p) and not v.counter}
        variables = {p: v for p, v in wanted.items() if v not in taken}
        counters = {p for p, v in model.named_variables().items() if v.counter}
        names = {p: n for p, n in names.items() if selected(p) and p not in counters}
        comparison = checked(variables, names, archive)
        require_equal(comparison, archive, strict, skip_mismatch)
        if patterns is not None and not wanted:
            raise archive.error(f"no weight of '{model.name}' has a name that matches. Received: pattern={pattern!r}")
        assign(model, {p: archive.read(names[p]) for p in comparison.matching})
        if patterns is not None:
            chosen = set(wanted.values())
            own = {place: layer for place, layer in own.items() if chosen.intersection(layer.saved_variables())}
        if own:
            from portanet.saving.keras.own_files import read_arrays

            read_arrays(own, archive)
    return comparison


@contextlib.contextmanager
def _opened(model: Layer, path: str | os.PathLike[str]) -> Iterator[tuple[Any, dict[str, str], dict[str, Layer]]]:
    """A file open for reading, the names of its tensors by path in the model, and layers that read it themselves."""
    kind = format_of(checks.path("filepath", path, "load_weights"))
    if kind in ("Keras", "HDF5"):
        from portanet.saving.keras.files import open_keras_weights

        with open_keras_weights(model, path, zipped=kind == "Keras") as opened:
            yield opened
        return
    with open_archive(path) as archive:
        names = {name: name for name in archive.names}
        if archive.document is not None and archive.document.get("kind") == "model":
            names = {name.removeprefix("model/"): name for name in names if name.startswith("model/")}
        yield archive, names, {}


def _compiled(pattern: str | Iterable[str]) -> list[re.Pattern[str]]:
    several = [pattern] if isinstance(pattern, str) else checks.texts("pattern", pattern, "load_weights")
    try:
        return [re.compile(each) for each in several]
    except re.error as error:
        raise checks.invalid(
            "pattern", pattern, f"a regular expression, or several ({error})", "load_weights"
        ) from None


def require_built(model: Layer) -> None:
    """Refuse a model that is not built."""
    if not isinstance(model, Layer):
        raise checks.invalid("model", model, "a layer or model")
    if not model._built:
        raise ValueError(
            f"Layer '{model.name}' has no weights yet: give the model an Input, call it on data, or fit it first. "
            f"Received: {model!r}"
        )


def host_tensor(variable: Variable) -> Tensor:
    """The value of a variable on the host."""
    return Tensor(variable.numpy(), variable.backend.dtype_name(variable.dtype))


def checked(variables: Mapping[str, Variable], names: Mapping[str, str], archive: Source) -> Comparison:
    """Compare variables with the tensors of a file.

    Args:
        variables: The variables by path.
        names: Names of the tensors by path.
        archive: The file.
    """
    comparison = Comparison()
    for path, variable in variables.items():
        name = names.get(path)
        if name is None:
            comparison.missing.append(path)
            continue
        shape, dtype = archive.shape(name), archive.dtype(name)
        expected = variable.backend.dtype_name(variable.dtype)
        if shape == variable.shape and _kind(dtype) == _kind(expected):
            comparison.matching.append(path)
        else:
            comparison.mismatched[path] = (f"{expected} {variable.shape}", f"{dtype} {shape}")
    comparison.unexpected.extend(sorted(path for path in names if path not in variables))
    return comparison


def require_equal(comparison: Comparison, archive: Source, strict: bool = True, skip_mismatch: bool = False) -> None:
    """Refuse a file that does not match; the error lists all differences.

    Raises:
        LoadError: Something is missing or unexpected (if `strict`), or mismatched (unless `skip_mismatch`).
    """
    parts = []
    missing, unexpected = comparison.missing, comparison.unexpected
    if strict and missing:
        parts.append(f"{len(missing)} missing from the file:\n{listed(list(map(repr, missing)))}")
    if strict and unexpected:
        parts.append(f"{len(unexpected)} only in the file:\n{listed(list(map(repr, unexpected)))}")
    if comparison.mismatched and not skip_mismatch:
        lines = [f"{p!r}: expected {model}, the file has {file}" for p, (model, file) in comparison.mismatched.items()]
        parts.append(f"{len(lines)} of different shapes or kinds:\n{listed(lines)}")
    if parts:
        raise archive.error(
            "its weights are not those of the model; nothing was changed. To load what matches, use load_weights with "
            "strict=False, skip_mismatch=True or a pattern.\n" + "\n".join(parts)
        )


def allocation(archive: Source, names: Iterable[str]) -> contextlib.AbstractContextManager[None]:
    """Inside a `with` block of this context, a model is built whose weights will be these tensors of a file."""
    return allocate_for_loading(2 * sum(math.prod(archive.shape(name)) for name in names) + SLACK)


def assign(model: Layer, tensors: Mapping[str, Tensor]) -> None:
    """Assign values of matching shapes to variables; floats are cast to the dtype of the variable."""
    variables = model.named_variables()
    for path, tensor in tensors.items():
        variable = variables[path]
        value = variable.backend.from_host(np.asarray(tensor.values))
        variable.assign(variable.backend.xp.astype(value, variable.dtype))


def _kind(dtype: str) -> str:
    """The kind of a dtype: floats are convertible, and signed integers; all others are distinct."""
    return "float" if "float" in dtype else "int" if dtype.startswith("int") else dtype


def listed(lines: list[str]) -> str:
    """Lines of an error message, truncated if there are many."""
    more = [f"and {len(lines) - LISTED} more"] if len(lines) > LISTED else []
    return "\n".join(f"  {line}" for line in [*lines[:LISTED], *more])
