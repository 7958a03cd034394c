"""Measures of structure, without timings. docs/architecture.md describes the structure."""

from __future__ import annotations

import ast
import functools
import gc
import pathlib
import tokenize
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import autodiff, layers
from portanet.backends.registry import BACKENDS, FORWARD
from tests.profiles import profile

ROOT = pathlib.Path(__file__).parent.parent
SOURCE = ROOT / "portanet"
NUMPY_TUNING = {"by_example", "gains_by_parts", "map_chunks", "sum_last", "works_in_pieces"}
DIVISION = {
    "map_parts": {"training/step.py"},
    "part_of_batch": {"training/step.py", "random/streams.py", "distribution/share.py"},
}
"""Of whole batches: which files above the backends may have to do with it."""


def calls(function: Callable[[], Any]) -> list[tuple[str, str]]:
    """File and name of each Python function that `function` calls, including in threads that it starts."""
    seen: list[tuple[str, str]] = []

    def note(frame: Any, event: str, argument: Any) -> None:
        if event == "call" and frame.f_code.co_name != "<module>":  # imports do not count
            seen.append((frame.f_code.co_filename, frame.f_code.co_name))

    profile(function, note)
    return seen[1:]  # without `function` itself


def test_a_batch_in_fit_enters_few_files() -> None:
    x, y = np.ones((32, 4), dtype="float32"), np.arange(32) % 3
    with portanet.use_backend("numpy"):
        model = portanet.Sequential(
            [layers.Input((4,)), layers.Dense(8, "relu"), layers.Dropout(0.5), layers.Dense(3, "softmax")]
        )
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(x, y, verbose=0)  # what happens once
        seen = calls(lambda: model.fit(x, y, batch_size=32, verbose=0))
    files = sorted({file for file, _ in seen if pathlib.Path(file).is_relative_to(SOURCE)})
    assert "trainer.py" in {pathlib.Path(file).name for file in files}
    assert len(files) <= 56, "\n".join(files)


@pytest.mark.parametrize(
    ("make", "shape", "most"),
    [
        (lambda: layers.Dense(8), (32, 4), 24),
        (lambda: layers.ReLU(), (32, 4), 28),
        (lambda: layers.Conv1D(8, 3, padding="same", activation="relu"), (1, 10, 4), 54),
        (lambda: layers.LSTM(64), (1, 1, 4), 173),
        (lambda: portanet.Sequential([layers.Dense(4, "relu") for _ in range(3)]), (1, 4), 120),
    ],
    ids=["Dense", "ReLU", "Conv1D", "LSTM", "Sequential"],
)
def test_calls_on_plain_arrays_make_few_calls(make: Callable[[], Any], shape: tuple[int, ...], most: int) -> None:
    x = np.ones(shape, dtype="float32")
    with portanet.use_backend("numpy"):
        layer = make()
        gc.collect()
        for _ in range(2):  # tables of types fill, and losses and masks of layers that are gone are forgotten
            layer(x)
        seen = calls(lambda: layers.Layer.__call__(layer, x))
    assert "call" in {name for _, name in seen}
    assert len(seen) <= most, f"{len(seen)}\n" + "\n".join(map(str, seen))


def test_planned_calls_make_few_calls() -> None:
    with portanet.use_backend("numpy"):
        model = portanet.Sequential([layers.Dense(4, "relu") for _ in range(3)])
        x = np.ones((1, 4), dtype="float32")
        for _ in range(4):
            model(x)
        assert len(calls(lambda: model(x))) <= 22


@pytest.mark.parametrize(
    ("operation", "most"),
    [
        (lambda xp, x: xp.sum(x), 7),
        (lambda xp, x: xp.reshape(x, (4, 3)), 10),
        (lambda xp, x: xp.tanh(x), 5),
        (lambda xp, x: x + x, 7),
    ],
    ids=["sum", "reshape", "tanh", "add"],
)
def test_a_traced_operation_makes_few_calls(operation: Callable[[Any, Any], Any], most: int) -> None:
    counts: list[int] = []

    def f(x: Any) -> Any:
        xp = autodiff.array_namespace(x)
        operation(xp, x)
        counts.append(len(calls(functools.partial(operation, xp, x))))
        return xp.sum(x)

    autodiff.grad(f)(np.ones((3, 4)))
    assert 0 < counts[0] <= most


def names(path: pathlib.Path) -> Iterator[tuple[str, int]]:
    """Identifiers of a file with their lines; no words of strings and comments."""
    with tokenize.open(path) as file:
        for token in tokenize.generate_tokens(file.readline):
            if token.type == tokenize.NAME:
                yield token.string, token.start[0]


def above_backends() -> dict[str, pathlib.Path]:
    files = {path.relative_to(SOURCE).as_posix(): path for path in SOURCE.rglob("*.py")}
    return {name: path for name, path in files.items() if not name.startswith("backends/")}


def test_tuning_of_numpy_stays_in_its_backend() -> None:
    wrong = []
    for file, path in above_backends().items():
        there = {name for name, allowed in DIVISION.items() if file in allowed}
        wrong += [f"{file}:{line} {name}" for name, line in names(path) if name in {*NUMPY_TUNING, *DIVISION} - there]
    assert wrong == []


def test_nothing_above_backends_asks_which_library_it_is() -> None:
    libraries = {*BACKENDS, *FORWARD, "array_api_strict", "dask.array"}
    wrong = []
    for file, path in above_backends().items():
        nodes = list(ast.walk(ast.parse(path.read_text())))
        calls_of_checks = [n for n in nodes if isinstance(n, ast.Call) and ast.unparse(n.func).startswith("checks.")]
        allowed = {id(call.args[0]) for call in calls_of_checks}  # `strict` of load_weights
        lists = [n.value for n in nodes if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "__all__"]
        allowed |= {id(name) for names in lists for name in ast.walk(names)}  # `ops.numpy`
        texts = [node for node in nodes if isinstance(node, ast.Constant) and id(node) not in allowed]
        wrong += [f"{file}:{text.lineno} {text.value!r}" for text in texts if text.value in libraries]
    assert wrong == []


def introduced(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Names of functions, classes, attributes and module variables; no arguments or local variables."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.Attribute):
            yield node.attr, node.lineno
        elif isinstance(node, ast.alias):
            yield node.asname or node.name, node.lineno
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id, node.lineno
    for scope in [tree, *(node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))]:
        for statement in scope.body:
            targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
            yield from ((target.id, statement.lineno) for target in targets if isinstance(target, ast.Name))


@pytest.mark.parametrize("room", ["backends", "fused"])
def test_a_kernel_is_an_array_of_weights(room: str) -> None:
    """In fused functions and overrides, `kernel` is an argument or a local variable, and `kernels` is not used."""
    wrong = []
    for path in (SOURCE / room).rglob("*.py"):
        seen = list(introduced(ast.parse(path.read_text())))
        wrong += [f"{path}:{line} {name}" for name, line in seen if name.lower() == "kernel"]
        wrong += [f"{path}:{line} {name}" for name, line in names(path) if name.lower() == "kernels"]
    assert wrong == []


@pytest.mark.parametrize("folder", ["portanet", "tests"])
def test_files_stay_short(folder: str) -> None:
    lengths = {str(path): len(path.read_text().splitlines()) for path in (ROOT / folder).rglob("*.py")}
    assert lengths
    assert {path: lines for path, lines in lengths.items() if lines > 400} == {}
