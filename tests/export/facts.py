"""Which layers work on ONNX and Dask arrays, determined by running the cases of tests/layers on them.

`find_facts` runs tests/layers with this module as a pytest plugin, so that `check_layer` calls `record` instead of
its own checks. There is no second list of layers to maintain.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np

from portanet.export import export_onnx
from portanet.layers import Layer
from portanet.tree import tree_leaves, tree_map
from tests.layers import matrix

FACTS = "PORTANET_LAYER_FACTS"
"""The environment variable that names the file to write to."""
TESTS = pathlib.Path(__file__).parents[1]
BATCHES = (1, 2, 6)
TOLERANCE = {"rtol": 1e-4, "atol": 1e-5}


def pytest_configure() -> None:
    """The hook that pytest calls if this module is a plugin."""
    matrix.instead = record


def record(case: matrix.Case) -> None:
    """Append to the file the error of a layer on each of the two libraries; None is success."""
    layer, host = case.built(), case.inputs()
    facts = {"layer": type(layer).__name__}
    for name, check in (("onnx", check_onnx), ("dask", check_dask)):
        facts[name] = _error(check, layer, host)
    with open(os.environ[FACTS], "a") as file:
        file.write(json.dumps(facts) + "\n")


def _error(check: Callable[[Layer, Any], None], layer: Layer, host: Any) -> str | None:
    try:
        check(layer, host)
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:400]}"
    return None


def check_onnx(layer: Layer, host: Any) -> None:
    """Check that onnxruntime returns the layer's results, for several batch sizes."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "layer.onnx"
        export_onnx(layer, path, host)
        run = Session(path)
        for size in BATCHES:
            x = with_batch(host, size)
            assert_same(run(*tree_leaves(x)), layer(x, training=False))


def check_dask(layer: Layer, host: Any) -> None:
    """Check that the layer returns its results as Dask arrays, lazily."""
    import dask
    import dask.array

    def refuse(*args: Any, **options: Any) -> Any:
        raise AssertionError("values were asked for while the graph was made")

    x = with_batch(host, 5)
    with dask.config.set(scheduler=refuse):
        lazy = tree_map(lambda leaf: dask.array.from_array(leaf, chunks=(2, *leaf.shape[1:])), x)
        result = tree_leaves(layer(lazy, training=False))
    assert all(isinstance(leaf, dask.array.Array) for leaf in result), "the results are no Dask arrays"
    assert_same(dask.compute(*result, scheduler="synchronous"), layer(x, training=False))


class Session:
    """onnxruntime with a graph."""

    def __init__(self, path: pathlib.Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self.own = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.inputs = [(entry.name, entry.shape, entry.type) for entry in self.own.get_inputs()]
        self.outputs = [(entry.name, entry.shape, entry.type) for entry in self.own.get_outputs()]

    def __call__(self, *inputs: Any) -> list[Any]:
        feed = {name: x for (name, _, _), x in zip(self.inputs, inputs, strict=True)}
        result: list[Any] = self.own.run(None, feed)
        return result


def with_batch(tree: Any, size: int) -> Any:
    """The arrays of a tree with another number of examples."""
    return tree_map(lambda x: np.take(x, np.arange(size) % len(x), axis=0), tree)


def assert_same(result: Any, expected: Any) -> None:
    for ours, theirs in zip(result, tree_leaves(expected), strict=True):
        np.testing.assert_allclose(ours, theirs, **TOLERANCE)
        assert ours.dtype == theirs.dtype, f"dtype {ours.dtype} instead of {theirs.dtype}"


def find_facts() -> dict[str, list[dict[str, str | None]]]:
    """The recorded errors of every layer that has cases in tests/layers."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "facts.jsonl"
        own = f"--ignore={TESTS}/layers/test_matrix.py"  # the test of `check_layer` itself
        options = ("-q", "-p", __name__, "-p", "no:cacheprovider", "-W", "ignore", "-n", "2")
        command = [sys.executable, "-m", "pytest", f"{TESTS}/layers", own, *options]
        env = {**os.environ, FACTS: str(path), "PORTANET_TEST_BACKENDS": "numpy"}
        done = subprocess.run(command, env=env, cwd=TESTS.parent, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        lines = [json.loads(line) for line in path.read_text().splitlines()]
    result: dict[str, list[dict[str, str | None]]] = {}
    for facts in lines:
        result.setdefault(facts["layer"], []).append(facts)
    return result
