"""What the standard leaves open, asked of every library: `python -m tests.backends.differences` writes the table.

The questions are asked of the namespaces that portanet computes with, on the CPU. An answer is a short text, or the
name of an error. The table is in docs/backends.md.
"""

from __future__ import annotations

import os
import pathlib
import sys
import warnings
from collections.abc import Callable
from typing import Any

os.environ.setdefault("JAX_ENABLE_X64", "0")  # JAX's default mode

import numpy as np

from portanet.backends import BACKENDS, Backend, available_backends, get_backend, to_host, use_backend

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "backends.md"
BEGIN, END = "<!-- differences: begin -->\n", "<!-- differences: end -->\n"
DEVICE = {"torch": "cpu", "jax": "cpu", "mlx": "cpu"}
NAN, INF = float("nan"), float("inf")

Question = Callable[[Any], Any]
"""A function of the namespace."""


def array(values: Any, dtype: str = "float32") -> Any:
    """An array of the current backend."""
    return get_backend().from_host(np.asarray(values, dtype))


def written(make: Callable[[Any], Any]) -> str:
    """Whether writing to a part of an array, which `make` returns, changes the array."""
    x = array([0.0, 1.0, 2.0, 3.0])
    part = make(x)
    try:
        part[(0,) * part.ndim] = 9.0
    except (TypeError, ValueError):
        return "not writable"
    return "view" if to_host(x)[0] == 9.0 or to_host(x)[1] == 9.0 else "copy"


def two_of_eight() -> Any:
    """1 and 2, before 3 to 8 in the same memory: a library that reads beyond the end returns one of those."""
    return array(range(1, 9))[:2]


def compiled(step: Callable[[Any], Any], values: list[float]) -> Any:
    """What a compiled step returns, or that it runs as ordinary Python."""
    get_backend().warned.clear()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = get_backend().compile(step)(array(values))
    return "not compiled" if any("cannot be compiled" in str(warning.message) for warning in caught) else result


def order(xp: Any, **options: Any) -> str:
    """Whether sorting leaves equal elements in their order."""
    keys = np.random.default_rng(0).integers(0, 4, 5000)
    places = to_host(xp.argsort(array(keys, "int32"), **options))
    return "stable" if np.array_equal(places, np.argsort(keys, kind="stable")) else "not stable"


QUESTIONS: dict[str, dict[str, Question]] = {
    "Dtypes": {
        "default float, integer, index": lambda xp: [xp.asarray(1.0), xp.asarray(1), xp.argmax(array([1.0, 2.0]))],
        "`asarray(2**40)`": lambda xp: xp.asarray(2**40),
        "int32 array + 1.5": lambda xp: array([1], "int32") + 1.5,
        "bool array + 1": lambda xp: array([True], "bool") + 1,
        "int32 array + float32 array": lambda xp: array([1], "int32") + array([1.5]),
        "int64 array + uint64 array": lambda xp: array([1], "int64") + array([1], "uint64"),
        "float32 array * float64 array without axes": lambda xp: array([1.0]) * array(1.0, "float64"),
        "sum of bool": lambda xp: xp.sum(array([True, True], "bool")),
        "sum of int8": lambda xp: xp.sum(array([100, 100], "int8")),
        "sum of uint8": lambda xp: xp.sum(array([200, 200], "uint8")),
        "mean of int32": lambda xp: xp.mean(array([1, 2], "int32")),
        "bool - bool": lambda xp: array([True], "bool") - array([True], "bool"),
        "product of int32 matrices": lambda xp: xp.matmul(array([[2]], "int32"), array([[3]], "int32")),
        "`x[0]`": lambda xp: type(array([1.0])[0]).__name__,
    },
    "Numbers out of range": {
        "uint8 array + 300": lambda xp: array([1], "uint8") + 300,
        "uint8 array + -1": lambda xp: array([1], "uint8") + -1,
        "`asarray(300, dtype=uint8)`": lambda xp: xp.asarray(300, dtype=xp.uint8),
        "float32 array + 1e300": lambda xp: array([1.0]) + 1e300,
        "int32: largest + 1": lambda xp: array([2**31 - 1], "int32") + 1,
        "float32 NaN to int32": lambda xp: xp.astype(array([NAN]), xp.int32),
        "float32 inf, -inf to int32": lambda xp: xp.astype(array([INF, -INF]), xp.int32),
        "float32 1e10 to int32": lambda xp: xp.astype(array([1e10]), xp.int32),
        "float32 -1.0, 300.0 to uint8": lambda xp: xp.astype(array([-1.0, 300.0]), xp.uint8),
        "int32 300 to int8": lambda xp: xp.astype(array([300], "int32"), xp.int8),
        "int32 1 // 0, 1 % 0": lambda xp: [array([1], "int32") // array([0], "int32"), array([1], "int32") % 0],
        "int32 -7 // 2, -7 % 2": lambda xp: [array([-7], "int32") // 2, array([-7], "int32") % 2],
        "int32 2 ** -1": lambda xp: array([2], "int32") ** array([-1], "int32"),
        "int32 1 << 32": lambda xp: array([1], "int32") << array([32], "int32"),
        "float32 1.0 // 0.0, 1.0 % 0.0": lambda xp: [array([1.0]) // array([0.0]), array([1.0]) % array([0.0])],
    },
    "NaN and negative zero": {
        "max, min of 1, NaN": lambda xp: [xp.max(array([1.0, NAN])), xp.min(array([1.0, NAN]))],
        "argmax, argmin of 1, NaN, 2": lambda xp: [
            xp.argmax(array([1.0, NAN, 2.0])),
            xp.argmin(array([1.0, NAN, 2.0])),
        ],
        "maximum(NaN, 1), maximum(1, NaN)": lambda xp: xp.maximum(array([NAN, 1.0]), array([1.0, NAN])),
        "clip(NaN, 0, 1)": lambda xp: xp.clip(array([NAN]), 0.0, 1.0),
        "clip(1, 3, 2)": lambda xp: xp.clip(array([1.0]), 3.0, 2.0),
        "sign(NaN)": lambda xp: xp.sign(array([NAN])),
        "sort of NaN, 1, -inf": lambda xp: xp.sort(array([NAN, 1.0, -INF])),
        "sort, descending": lambda xp: xp.sort(array([NAN, 1.0, -INF]), descending=True),
        "unique values of NaN, NaN": lambda xp: xp.unique_values(array([NAN, NAN])),
        "unique values of 0.0, -0.0": lambda xp: xp.unique_values(array([0.0, -0.0])),
        "maximum(-0.0, 0.0), maximum(0.0, -0.0)": lambda xp: xp.maximum(array([-0.0, 0.0]), array([0.0, -0.0])),
        "sort of 0.0, -0.0": lambda xp: xp.sort(array([0.0, -0.0])),
        "sign(-0.0)": lambda xp: xp.sign(array([-0.0])),
        "round(-0.4)": lambda xp: xp.round(array([-0.4])),
        "-0.0 // 1.0, -0.0 % 1.0": lambda xp: [array([-0.0]) // array([1.0]), array([-0.0]) % array([1.0])],
    },
    "Order": {
        "argsort": lambda xp: order(xp),
        "argsort(stable=False)": lambda xp: order(xp, stable=False),
        "argmax of equal elements": lambda xp: xp.argmax(array([1.0, 1.0])),
        "round(0.5), round(1.5), round(2.5)": lambda xp: xp.round(array([0.5, 1.5, 2.5])),
    },
    "Empty arrays": {
        "sum, prod": lambda xp: [xp.sum(array([])), xp.prod(array([]))],
        "max": lambda xp: xp.max(array([])),
        "argmax": lambda xp: xp.argmax(array([])),
        "mean": lambda xp: xp.mean(array([])),
    },
    "Memory and indices": {
        "`x[1:]`": lambda xp: written(lambda x: x[1:]),
        "`reshape(x, (2, 2))`": lambda xp: written(lambda x: xp.reshape(x, (2, 2))),
        "`reshape(x, (2, 2)).T`": lambda xp: written(lambda x: xp.reshape(x, (2, 2)).T),
        "`asarray(x)`": lambda xp: written(lambda x: xp.asarray(x)),
        "`flip(x)[2:]`": lambda xp: written(lambda x: xp.flip(x)[2:]),
        "`broadcast_to(x, (2, 4))`": lambda xp: written(lambda x: xp.broadcast_to(x, (2, 4))),
        "`x[5]` of 2 elements": lambda xp: array([1.0, 2.0])[5],
        "`x[[5]]`, an array of indices": lambda xp: two_of_eight()[array([5], "int32")],
        "take(x, [5])": lambda xp: xp.take(two_of_eight(), array([5], "int32"), axis=0),
        "take(x, [-1])": lambda xp: xp.take(array([1.0, 2.0]), array([-1], "int32"), axis=0),
        "`x[mask]`, compiled": lambda xp: compiled(lambda x: x[x > 1], [1.0, 2.0]),
        "nonzero, compiled": lambda xp: compiled(lambda x: xp.nonzero(x)[0], [0.0, 2.0]),
        "unique_values, compiled": lambda xp: compiled(xp.unique_values, [1.0, 1.0]),
    },
}


def answer(backend: Backend, question: Question) -> str:
    """What a library answers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = question(backend.xp)
            return result if isinstance(result, str) else shown(result)
        except Exception as error:
            return type(error).__name__


def shown(result: Any) -> str:
    """Arrays as text: values, with one dtype if all have the same."""
    hosts = [to_host(x) for x in (result if isinstance(result, list) else [result])]
    texts = [
        ", ".join(f"{value:g}" if isinstance(value, float) else str(value) for value in np.ravel(h).tolist())
        for h in hosts
    ]
    kinds = [str(host.dtype) for host in hosts]
    if len(set(kinds)) == 1:
        return f"{kinds[0]} {', '.join(texts)}".strip()
    return ", ".join(f"{kind} {text}" for kind, text in zip(kinds, texts, strict=True))


def answers(backend: Backend) -> list[str]:
    """What a library answers to every question."""
    return [answer(backend, question) for group in QUESTIONS.values() for question in group.values()]


def version(backend: Backend) -> str:
    """The library as it stands in the table."""
    return f"{type(backend).library} {type(backend).version()}"


def table() -> str:
    """The table for the libraries that can be used here."""
    columns: dict[str, list[str]] = {}
    for name in BACKENDS:
        if available_backends()[name] is None:
            with use_backend(name, DEVICE.get(name)) as backend:
                columns[version(backend)] = answers(backend)
    lines, place = [], 0
    for title, group in QUESTIONS.items():
        lines += ["", f"| {title} | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
        for question in group:
            lines.append(f"| {question} | {' | '.join(column[place] for column in columns.values())} |")
            place += 1
    return "\n".join(lines) + "\n\n"


def main() -> int:
    text = PAGE.read_text()
    head, _, rest = text.partition(BEGIN)
    PAGE.write_text(head + BEGIN + table() + END + rest.partition(END)[2])
    return 0


if __name__ == "__main__":
    sys.exit(main())
