"""Weights alone as files, and the comparison of what a file holds with what a model has."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from portanet import checks
from portanet.layers import Layer
from portanet.saving.archive import Archive, open_archive, write_archive
from portanet.saving.safetensors import Tensor
from portanet.variables import Variable

LISTED = 20
"""Names shown of each kind in an error message."""


@dataclass(frozen=True)
class Comparison:
    """What a file holds beside what a model has, by the paths of variables.

    Attributes:
        matching: In both, with the same shape.
        missing: In the model alone.
        unexpected: In the file alone.
        mismatched: In both, with other shapes or kinds of numbers: what is expected and what the file has.
    """

    matching: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    mismatched: dict[str, tuple[str, str]] = field(default_factory=dict)


def save_weights(model: Layer, path: str | os.PathLike[str]) -> None:
    """Save the weights of a layer or model, running statistics included; see `Model.save_weights`."""
    require_built(model)
    tensors = {p: host_tensor(v) for p, v in model.named_variables().items() if not v.counter}
    write_archive(path, {"kind": "weights"}, tensors)


def load_weights(
    model: Layer,
    path: str | os.PathLike[str],
    strict: bool = True,
    pattern: str | Iterable[str] | None = None,
    skip_mismatch: bool = False,
) -> Comparison:
    """Load the weights of a layer or model; see `Model.load_weights`."""
    require_built(model)
    skip_mismatch = checks.boolean("skip_mismatch", skip_mismatch, "load_weights")
    patterns = (
        None if pattern is None else [re.compile(p) for p in ([pattern] if isinstance(pattern, str) else pattern)]
    )

    def chosen(name: str) -> bool:
        return patterns is None or any(p.search(name) for p in patterns)

    with open_archive(path) as archive:
        names = {name: name for name in archive.names}
        whole = archive.document is not None and archive.document.get("kind") == "model"
        if whole:
            names = {name.removeprefix("model/"): name for name in names if name.startswith("model/")}
        variables = {p: v for p, v in model.named_variables().items() if chosen(p) and not v.counter}
        counters = {p for p, v in model.named_variables().items() if v.counter}
        found = checked(variables, {p: n for p, n in names.items() if chosen(p) and p not in counters}, archive)
        require_equal(found, archive, strict, skip_mismatch)
        if patterns is not None and not variables:
            raise archive.error(f"no weight of '{model.name}' has a name that matches {pattern!r}")
        assign(model, {p: archive.read(names[p]) for p in found.matching})
    return found


def require_built(model: Layer) -> None:
    """Refuse a model without weights yet."""
    if not model.built:
        raise ValueError(
            f"Layer '{model.name}' has no weights yet: give the model an Input, call it on data, or fit it first. "
            f"Received: {model!r}"
        )


def host_tensor(variable: Variable) -> Tensor:
    """The value of a variable, to be saved."""
    return Tensor(variable.numpy(), variable.backend.dtype_name(variable.dtype))


def checked(variables: Mapping[str, Variable], names: Mapping[str, str], archive: Archive) -> Comparison:
    """Compare variables with the tensors of a file.

    Args:
        variables: The variables by path.
        names: The tensors' names by the path that each is for.
        archive: The file.
    """
    found = Comparison()
    for path, variable in variables.items():
        name = names.get(path)
        if name is None:
            found.missing.append(path)
            continue
        shape, dtype = archive.shape(name), archive.dtype(name)
        expected = variable.backend.dtype_name(variable.dtype)
        if shape == variable.shape and _kind(dtype) == _kind(expected):
            found.matching.append(path)
        else:
            found.mismatched[path] = (f"{expected} {variable.shape}", f"{dtype} {shape}")
    found.unexpected.extend(sorted(path for path in names if path not in variables))
    return found


def require_equal(found: Comparison, archive: Archive, strict: bool = True, skip_mismatch: bool = False) -> None:
    """Refuse a file that does not fit; the error lists all that is wrong at once.

    Raises:
        LoadError: Something is missing or unexpected (if `strict`), or mismatched (unless `skip_mismatch`).
    """
    parts = []
    if strict and found.missing:
        parts.append(f"{len(found.missing)} missing from the file:\n{listed(list(map(repr, found.missing)))}")
    if strict and found.unexpected:
        parts.append(f"{len(found.unexpected)} in the file alone:\n{listed(list(map(repr, found.unexpected)))}")
    if found.mismatched and not skip_mismatch:
        lines = [f"{p!r}: expected {ours}, the file has {theirs}" for p, (ours, theirs) in found.mismatched.items()]
        parts.append(f"{len(lines)} of other shapes or kinds:\n{listed(lines)}")
    if parts:
        raise archive.error(
            "its weights are not those of the model, of which nothing was changed. To load what fits, use "
            "load_weights with strict=False, skip_mismatch=True or a pattern.\n" + "\n".join(parts)
        )


def assign(model: Layer, tensors: Mapping[str, Tensor]) -> None:
    """Put values of the right shapes into variables; floats take on the variables' dtype."""
    variables = model.named_variables()
    for path, tensor in tensors.items():
        variable = variables[path]
        value = variable.backend.from_host(np.asarray(tensor.values))
        variable.assign(variable.backend.xp.astype(value, variable.dtype))


def _kind(dtype: str) -> str:
    """What may be converted into one another: floats; everything else is itself."""
    return "float" if "float" in dtype else dtype


def listed(lines: list[str]) -> str:
    """Lines of an error message, the first of them if there are many."""
    more = [f"and {len(lines) - LISTED} more"] if len(lines) > LISTED else []
    return "\n".join(f"  {line}" for line in [*lines[:LISTED], *more])
