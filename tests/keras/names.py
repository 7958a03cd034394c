"""Which public names and arguments of Keras exist here, under the same path; and why others do not.

What is absent for good is in `tests/keras/absent.py`, with the reasons. `python -m tests.keras.names`
writes the rest, what is not here yet, to tests/data/keras_pending.txt, and the table docs/keras-names.md.
tests/keras/test_names.py compares both with the installed Keras.
"""

from __future__ import annotations

import fnmatch
import functools
import inspect
import os
import pathlib
from collections.abc import Iterator
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras

import portanet
from tests.keras import instances
from tests.keras.absent import ABSENT, ARGUMENTS, ATTRIBUTES

ROOT = pathlib.Path(__file__).parents[2]
TABLE = ROOT / "docs" / "keras-names.md"
PENDING = ROOT / "tests" / "data" / "keras_pending.txt"
MISSING = object()
BASES = (
    "Model", "Sequential", "callbacks.Callback", "callbacks.CallbackList", "constraints.Constraint",
    "initializers.Initializer", "layers.Layer", "layers.RNN", "losses.Loss", "metrics.Metric", "optimizers.Optimizer",
    "optimizers.schedules.LearningRateSchedule", "random.SeedGenerator", "regularizers.Regularizer",
    "utils.PyDataset", "utils.Progbar",
)  # fmt: skip
"""Classes whose methods and properties are names, too: those that users subclass, or call in loops of their own."""


@functools.cache
def namespaces() -> dict[str, tuple[str, ...]]:
    """The public names of each public module of Keras, by its path in `keras`, "" for itself."""
    found: dict[str, tuple[str, ...]] = {}

    def walk(module: Any, path: str) -> None:
        public = [name for name in dir(module) if not name.startswith("_")]
        modules = [name for name in public if inspect.ismodule(getattr(module, name))]
        found[path] = tuple(name for name in public if name not in modules)
        for name in modules:
            below = f"{path}.{name}" if path else name
            if getattr(module, name).__name__ == f"keras.{below}" and name != "src":
                walk(getattr(module, name), below)

    walk(keras, "")
    found |= {path: members(resolve(keras, path)) for path in BASES}
    return {path: names for path, names in found.items() if names}


def members(cls: type) -> tuple[str, ...]:
    """The public attributes of a class that Keras defines, not those of the libraries that it is made of."""
    defined = {name for base in cls.__mro__ if _is_kerass(base) for name in vars(base)}
    return tuple(sorted(name for name in defined if not name.startswith("_")))


def _is_kerass(cls: type) -> bool:
    return cls.__module__.startswith("keras.") and "backend.torch" not in cls.__module__


def resolve(library: Any, path: str) -> Any:
    """What a dotted path below a library names, `MISSING` if there is nothing."""
    value = library
    for part in path.split("."):
        value = getattr(value, part, MISSING)
    return value


def paths() -> Iterator[str]:
    """All names of Keras, with their paths."""
    for namespace, names in namespaces().items():
        yield from (f"{namespace}.{name}" if namespace else name for name in names)


@functools.cache
def missing() -> tuple[str, ...]:
    """Names of Keras that do not exist here."""
    return tuple(path for path in paths() if not _is_here(path))


def _is_here(path: str) -> bool:
    ours = resolve(portanet, path)
    return ours is not MISSING and not inspect.ismodule(ours)


def reason(path: str, reasons: dict[str, str]) -> str | None:
    """The reason of the first pattern that a path matches."""
    return next((text for pattern, text in reasons.items() if fnmatch.fnmatchcase(path, pattern)), None)


def arguments(function: Any) -> tuple[list[str], dict[str, Any]]:
    """Arguments that may be passed by position, and the defaults of all, of base classes too."""
    bases = [vars(base).get("__init__") for base in function.__mro__] if inspect.isclass(function) else [function]
    positions: list[str] | None = None
    defaults: dict[str, Any] = {}
    for each in filter(inspect.isroutine, bases):
        try:
            parameters = [p for p in inspect.signature(each).parameters.values() if p.name not in ("self", "cls")]
        except (TypeError, ValueError):  # written in C
            continue
        if positions is None:
            positions = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        named = {p.name: p.default for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
        defaults = named | defaults
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return positions or [], defaults


@functools.cache
def argument_differences() -> dict[str, str]:
    """What does not agree in the arguments of functions, classes and methods that exist in both, by `name(argument)`.

    An argument is absent; or comes by position where Keras has another. Positions may end earlier here: the rest is by
    name, so that no call means something else.
    """
    different = {}
    for path in paths():
        ours, theirs = resolve(portanet, path), resolve(keras, path)
        if not (callable(ours) and callable(theirs)) or ours is MISSING:
            continue
        (positions, defaults), (their_positions, their_defaults) = arguments(ours), arguments(theirs)
        if ours is not theirs:
            different |= {f"{path}({name})": "absent" for name in their_defaults if name not in defaults}
            for own, other in zip(positions, their_positions, strict=False):
                if own != other:
                    different[f"{path}({other})"] = f"{own!r} by position"
                    break
    return different


def pending() -> list[str]:
    """What is neither here nor listed as absent for good: the lines of tests/data/keras_pending.txt."""
    names = [path for path in missing() if reason(path, ABSENT) is None]
    names += [each for each in argument_differences() if reason(each, ARGUMENTS) is None]
    names += [f"object:{each}" for each in instances.missing() if reason(each, ATTRIBUTES | ABSENT) is None]
    return sorted(names)


def stale() -> list[str]:
    """Patterns that match nothing absent."""
    names = [pattern for pattern in ABSENT if not fnmatch.filter(missing(), pattern)]
    names += [pattern for pattern in ATTRIBUTES if not fnmatch.filter(instances.missing(), pattern)]
    return names + [p for p in ARGUMENTS if not any(fnmatch.fnmatchcase(a, p) for a in argument_differences())]


def table() -> str:
    """The page docs/keras-names.md."""
    lines = [
        "# Names of Keras",
        "",
        f"Written by `python -m tests.keras.names` with Keras {keras.__version__}; do not edit. A name counts",
        "if it exists here under the same path: `keras.layers.Dense` as `portanet.layers.Dense`. Arguments have the",
        "names and the order of Keras; `tests/keras/test_names.py` compares them, with the exceptions in the",
        "second table. The third lists what Keras's objects have and ours do not.",
        "",
        "| Namespace | In Keras | Here | Missing |",
        "|---|---|---|---|",
    ]
    for namespace, names in namespaces().items():
        full = {name: f"{namespace}.{name}" if namespace else name for name in names}
        absent = [name for name in names if full[name] in missing()]
        by_reason: dict[str, list[str]] = {}
        for name in absent:
            text = reason(full[name], ABSENT) or "not yet here"
            by_reason.setdefault(text, []).append(f"`{name}`")
        cells = [f"{_listed(group, len(names))}: {text}" for text, group in by_reason.items()]
        title = f"`keras.{namespace}`" if namespace else "`keras`"
        lines.append(f"| {title} | {len(names)} | {len(names) - len(absent)} | {'; '.join(cells)} |")
    lines += ["", "| Argument | Reason |", "|---|---|"]
    lines += [f"| `{pattern}` | {text} |" for pattern, text in ARGUMENTS.items()]
    lines += ["", "| Attribute of objects | Reason |", "|---|---|"]
    lines += [f"| `{pattern}` | {text} |" for pattern, text in ATTRIBUTES.items()]
    return "\n".join(lines) + "\n"


def _listed(names: list[str], count: int) -> str:
    if len(names) == count > 3:
        return "all"
    return ", ".join(names) if len(names) <= 25 else f"{len(names)} names"


if __name__ == "__main__":
    PENDING.write_text("".join(f"{line}\n" for line in pending()))
    TABLE.write_text(table())
