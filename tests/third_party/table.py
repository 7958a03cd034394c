"""Differentiate functions of other libraries and write docs/third-party.md: `python -m tests.third_party.table`.

With arguments, such as `scipy.stats.gmean ndimage`, print the results of functions whose names contain one of them, and
their errors, instead.
"""

from __future__ import annotations

import functools
import importlib
import pathlib
import re
import sys
import traceback
import warnings
from collections import Counter
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import numpy as np
import sklearn

from portanet.autodiff import TraceWarning, grad, numeric_grad
from portanet.backends import make_backend
from tests.third_party.gradients import Function, positive, size

TABLE = pathlib.Path(__file__).parents[2] / "docs" / "third-party.md"
ROOMS = {
    "scipy_stats": "scipy.stats",
    "scipy_signal": "scipy.signal",
    "scipy_special": "scipy.special",
    "scipy_transforms": "scipy",
    "scipy_numerics": "scipy",
    "scipy_spatial": "scipy.spatial",
    "scikit_learn": "sklearn",
    "extra": "array_api_extra",
    "einops": "einops",
    "einx": "einx",
    "xarray": "xarray",
    "claimed": "",
    "further": "",
}
"""Files in cases/, and what their functions' names are prefixed with."""

LIBRARIES = {"NumPy": ("numpy", None), "PyTorch": ("torch", "cpu"), "array-api-strict": ("strict", None)}
STATUSES = {
    "right": "the gradient agrees with finite differences of the function on plain arrays",
    "wrong": "it does not",
    "NaN": "it is not finite: values in between are not, and are discarded, whose derivative is 0 times infinity",
    "cut": "a `TraceWarning` names the line that takes a number out of an array; the gradient does not go through it",
    "refused": "an error, though the function takes plain arrays of any library and device",
    "unsupported": "an error, and the function refuses some plain arrays too, here or on a device: it needs NumPy",
    "constant": "integers, ranks and the like: the derivative is 0 wherever it exists",
}
HEAD = """# Functions of other libraries, differentiated

Written by `python -m tests.third_party.table`; do not edit. {count} functions, called unmodified with an example each
(`tests/third_party/cases/`): their gradients on NumPy, PyTorch and array-api-strict arrays are compared with finite
differences. SciPy accepts arrays of other libraries if `SCIPY_ARRAY_API=1` is set before it is imported, scikit-learn
under `sklearn.config_context(array_api_dispatch=True)`.

With {versions}.
"""


@dataclass(frozen=True)
class Result:
    """What became of one function on one library."""

    status: str
    reason: str = ""


@functools.cache
def cases() -> dict[str, Function]:
    """All functions, by their full names."""
    result: dict[str, Function] = {}
    for file, prefix in ROOMS.items():
        module = importlib.import_module(f"tests.third_party.cases.{file}")
        for name, function in module.CASES.items():
            full = name if name.startswith(prefix) else f"{prefix}.{name}"
            assert full not in result, full
            result[full] = function
    return result


def argument() -> np.ndarray[Any, Any]:
    """What every function is called with."""
    return positive((4, 5))


def leaves(y: Any) -> list[Any]:
    """The arrays and numbers of a result."""
    return [leaf for part in y for leaf in leaves(part)] if isinstance(y, (tuple, list)) else [y]


class PythonNumberError(TypeError):
    """The function returns a number of Python."""


def scalar(f: Function, x: Any) -> Any:
    """One number that depends on every floating-point array of the result."""
    parts = [y for y in leaves(f(x)) if type(y) not in (int, float, bool)]
    if not parts:
        raise PythonNumberError("it returns a Python number, which has no derivative")
    return size([y for y in parts if not re.search("int|bool", str(y.dtype))])


@functools.cache
def expected(name: str, library: str = "NumPy") -> Any:
    """The gradient by finite differences of the plain function; None if there is none."""
    f, backend = functools.partial(scalar, cases()[name]), make_backend(*LIBRARIES[library])
    if isinstance(f(backend.from_host(argument())), int):
        return None
    result = np.asarray(backend.to_host(numeric_grad(f)(backend.from_host(argument()))))
    return result if np.max(np.abs(result)) > 1e-6 else None


def outcome(name: str, library: str, verbose: bool = False) -> Result:
    """Differentiate one function on the arrays of one library."""
    with (
        warnings.catch_warnings(record=True) as caught,
        np.errstate(all="ignore"),
        sklearn.config_context(array_api_dispatch=True),
    ):
        warnings.simplefilter("ignore")  # the libraries' own, about precision and small samples
        warnings.simplefilter("always", TraceWarning)
        try:
            if expected(name) is None:
                return Result("constant")
            got = gradient(name, library)
        except PythonNumberError as error:
            return Result("unsupported", str(error))
        except Exception as error:
            if verbose:
                traceback.print_exc()
            return reason(name, library, error)
        if agree(got, expected(name)):
            return Result("right")
        if not np.all(np.isfinite(got)):
            return Result("NaN")
        if caught:
            return Result("cut", f"{place(caught[0])} takes a number out of an array")
        if library != "NumPy" and agree(got, expected(name, library)):
            return Result("right")
    if verbose:
        print(got, expected(name), sep="\n")
    return Result("wrong")


def place(warning: warnings.WarningMessage) -> str:
    """The file and line of a warning, without the path of this machine."""
    return f"{warning.filename.partition('site-packages/')[2]}:{warning.lineno}"


def gradient(name: str, library: str) -> Any:
    """The gradient by reverse mode, as a NumPy array."""
    backend = make_backend(*LIBRARIES[library])
    return np.asarray(backend.to_host(grad(functools.partial(scalar, cases()[name]))(backend.from_host(argument()))))


def agree(got: Any, want: Any) -> bool:
    """Whether two gradients are equal, as far as finite differences are exact."""
    return bool(np.allclose(got, want, rtol=1e-5, atol=1e-5 * np.max(np.abs(want))))


def reason(name: str, library: str, error: Exception) -> Result:
    """Why a function was not differentiated."""
    backend = make_backend(*LIBRARIES[library])
    try:
        cases()[name](backend.from_host(argument()))
    except Exception as refusal:
        return Result("unsupported", first_line(refusal))
    return Result("refused" if runs_on_a_device(name) else "unsupported", first_line(error))


@functools.cache
def runs_on_a_device(name: str) -> bool:
    """Whether the function takes arrays that NumPy cannot read."""
    try:
        cases()[name](make_backend("strict", "device1").from_host(argument()))
    except Exception:
        return False
    return True


def first_line(error: Exception) -> str:
    """An error in one line, without paths of this machine."""
    text = str(error).strip().split("\n")[0]
    text = re.sub(r"<differentiable namespace over ([\w.]+);.*?>", r"<differentiable \1>", text)
    text = re.sub(r"^\S+\.py:\d+ (?=passes )", "", text)
    text = re.sub(r" of this traced array \(.*| at 0x[0-9a-f]+| from '.*?'|\S*/site-packages/", "", text)
    return f"{type(error).__name__}: {text[:110].rstrip()}"


def versions() -> str:
    """The libraries that the table is true of."""
    names = (
        "scipy",
        "scikit-learn",
        "array-api-extra",
        "einops",
        "einx",
        "xarray",
        "numpy",
        "torch",
        "array-api-strict",
    )
    return ", ".join(f"{name} {metadata.version(name)}" for name in names)


def section(name: str) -> str:
    """The module that a function is listed under."""
    parts = name.split(".")
    return ".".join(parts[: 1 if parts[0] in ("array_api_extra", "einops", "einx", "xarray") else 2])


def text(results: dict[str, dict[str, Result]]) -> str:
    """The contents of docs/third-party.md."""
    columns = " | ".join(LIBRARIES)
    counts = {library: Counter(row[library].status for row in results.values()) for library in LIBRARIES}
    lines = [HEAD.format(count=len(results), versions=versions())]
    lines += [f"| Status | {columns} | Meaning |", "|---" * (len(LIBRARIES) + 2) + "|"]
    for status, meaning in STATUSES.items():
        lines.append(f"| {status} | {' | '.join(str(counts[lib][status]) for lib in LIBRARIES)} | {meaning} |")
    sections: dict[str, dict[tuple[str, ...], list[str]]] = {}
    for name, row in results.items():
        module = section(name)
        why = "; ".join(dict.fromkeys(r.reason.replace("|", "\\|") for r in row.values() if r.reason))
        key = (*(r.status for r in row.values()), why)
        sections.setdefault(module, {}).setdefault(key, []).append(f"`{name.removeprefix(module + '.')}`")
    for module, rows in sections.items():
        lines += ["", f"## {module}", "", f"| Functions | {columns} | Why |", "|---" * (len(LIBRARIES) + 2) + "|"]
        order = sorted(rows.items(), key=lambda item: [list(STATUSES).index(status) for status in item[0][:-1]])
        lines += [f"| {' '.join(names)} | {' | '.join(key)} |" for key, names in order]
    return "\n".join(lines) + "\n"


def recorded() -> dict[str, tuple[str, ...]]:
    """The statuses in docs/third-party.md, by the functions' full names."""
    result = {}
    module = ""
    for line in TABLE.read_text().splitlines():
        if line.startswith("## "):
            module = line.removeprefix("## ")
        elif line.startswith("| `"):
            names, *statuses = line.strip("| ").split(" | ")
            for name in re.findall("`(.*?)`", names):
                result[f"{module}.{name}"] = tuple(statuses[: len(LIBRARIES)])
    return result


def main() -> None:
    """Write the table, or print a part of it."""
    chosen = [name for name in cases() if any(part in name for part in sys.argv[1:])]
    results = {name: {lib: outcome(name, lib, bool(chosen)) for lib in LIBRARIES} for name in chosen or cases()}
    if chosen:
        for name, row in results.items():
            print(name, *(f"{r.status} ({r.reason})" if r.reason else r.status for r in row.values()), sep="  |  ")
    else:
        TABLE.write_text(text(results))


if __name__ == "__main__":
    main()
