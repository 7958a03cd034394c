"""The cases of the portability matrix: those of the tests of layers, losses, metrics and optimizers."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np
import pytest

from portanet.autodiff import value_and_grad
from portanet.backends import HostArray, asarray, get_backend, to_host, use_backend
from portanet.training.step import predict_step
from portanet.tree import tree_items
from tests.layers import matrix
from tests.oracles import coverage

ROOMS = ("layers", "losses", "metrics", "optimizers")
Run = Callable[[], list[HostArray]]


@dataclasses.dataclass(frozen=True)
class Block:
    """A layer, loss, metric or optimizer.

    Args:
        name: Such as `"layers.Dense"`.
        inference: Computes it on the current backend, compiled if it compiles; or why there is nothing to compute.
        training: The same for its work in a training step.
    """

    name: str
    inference: Run | str
    training: Run | str


def blocks() -> list[Block]:
    """Every block, in the order of the documentation."""
    actual = {**layers(), **losses(), **metrics(), **optimizers()}
    names = [f"{room.name}.{name}" for room in coverage.ROOMS if room.name in ROOMS for name in coverage.blocks(room)]
    return [actual[name] for name in names if name in actual]


def host(tree: Any) -> list[HostArray]:
    """The arrays of a tree as NumPy arrays, in the order of their paths: compiled functions sort their results."""
    return [to_host(leaf) for _, leaf in sorted(tree_items(tree), key=lambda item: item[0])]


# Layers: the first case that a test passes to `check_layer` for a layer, or for one that contains it


def layers() -> dict[str, Block]:
    cases: dict[str, matrix.Case] = {}
    inner: dict[str, matrix.Case] = {}
    with use_backend("numpy"):
        for case in gather():
            outer, *others = case.built().flatten_layers()
            cases.setdefault(f"layers.{type(outer).__name__}", case)
            for layer in others:
                inner.setdefault(f"layers.{type(layer).__name__}", case)
    return {name: layer_block(name, case) for name, case in (inner | cases).items()}


def gather() -> list[matrix.Case]:
    """The cases of all calls of `check_layer` in the tests: pytest runs those tests, and the calls only record them."""
    actual: list[matrix.Case] = []
    matrix.instead = actual.append
    before = os.environ.get("PORTANET_TEST_BACKENDS")
    os.environ["PORTANET_TEST_BACKENDS"] = "numpy"
    try:
        with contextlib.redirect_stdout(io.StringIO()) as output:
            arguments = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", str(coverage.TESTS / "layers")]
            status = pytest.main(arguments, plugins=[OnlyCheckLayer()])
    finally:
        matrix.instead = None
        if before is None:
            del os.environ["PORTANET_TEST_BACKENDS"]
        else:
            os.environ["PORTANET_TEST_BACKENDS"] = before
    if status:
        raise RuntimeError(f"the tests of the layers could not be read:\n{output.getvalue()}")
    return actual


class OnlyCheckLayer:
    """Deselects the tests that do not call `check_layer`, and those of the layer test itself."""

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        items[:] = [item for item in items if item.path.name != "test_matrix.py" and calls_check_layer(item.function)]


def calls_check_layer(function: Any) -> bool:
    """Whether a function calls `check_layer`, directly or through functions of its module."""
    names = function.__code__.co_names
    helpers = [h for h in map(function.__globals__.get, names) if isinstance(h, FunctionType) and h is not function]
    return "check_layer" in names or any(calls_check_layer(h) for h in helpers if h.__module__ == function.__module__)


def layer_block(name: str, case: matrix.Case) -> Block:
    def inference() -> list[HostArray]:
        layer = case.built()
        values = {path: variable.value for path, variable in layer.named_variables().items()}
        return host(get_backend().compile(predict_step(layer))(values, case.inputs())[0])

    def training() -> list[HostArray]:
        probe = matrix.Probe(case, True, matrix.mean_square)
        places = tuple(place for place in (0, 1) if probe.points[place])
        return host(get_backend().compile(probe.value_and_slopes(places))(*probe.points))

    return Block(name, inference, training if case.gradient else "it has no derivative")


# The others: the cases of their tests


def first_of_each(cases: dict[str, tuple[Any, Any, Any]], room: str) -> dict[str, tuple[Any, Any, Any]]:
    actual: dict[str, tuple[Any, Any, Any]] = {}
    for case in cases.values():
        actual.setdefault(f"{room}.{type(case[0]).__name__}", case)
    return actual


def losses() -> dict[str, Block]:
    from tests.losses.test_losses import CASES

    return {name: loss_block(name, *case) for name, case in first_of_each(CASES, "losses").items()}


def loss_block(name: str, loss: Any, y: Any, p: Any) -> Block:
    def run(function: Callable[..., Any]) -> list[HostArray]:
        return host(get_backend().compile(function)(asarray(y), asarray(p)))

    def slope(y: Any, p: Any) -> Any:
        return value_and_grad(lambda p: loss.compute(y, p))(p)

    return Block(name, lambda: run(loss.per_example), lambda: run(slope))


def metrics() -> dict[str, Block]:
    from tests.metrics.test_metrics import CASES

    return {name: metric_block(name, *case) for name, case in first_of_each(CASES, "metrics").items()}


def metric_block(name: str, metric: Any, y: Any, p: Any) -> Block:
    def compiled() -> list[HostArray]:
        return host(get_backend().compile(metric.statistics)(asarray(y), asarray(p)))

    def result() -> list[HostArray]:
        return [np.asarray(metric.from_statistics(*(sums.astype("float64") for sums in compiled())))]

    return Block(name, result, compiled)


def optimizers() -> dict[str, Block]:
    from tests.optimizers.test_optimizers import MAKERS, run

    actual: dict[str, Block] = {}
    for make in MAKERS.values():
        name = f"optimizers.{type(make()).__name__}"
        if name not in actual:
            actual[name] = Block(name, "an optimizer only trains", lambda make=make: host(run(make(), 5)[0]))
    return actual
