"""Time and memory of each layer."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, grad
from portanet.backends import Array, Backend, asarray, use_backend
from portanet.callbacks.base import Callback, Logs
from portanet.callbacks.table import table
from portanet.callbacks.watch import batch, named_layers, watched
from portanet.tree import tree_leaves, tree_map
from portanet.variables import bind


class Profiler(Callback):
    """Measures the forward time, backward time and memory of each layer on given data when training ends.

    One inference records the inputs of each layer; each layer is then run alone on its inputs, compiled where the
    backend compiles, and synchronized after every run. Times are those of single layers: a step compiled as one program
    may be faster than their sum. The training step is not touched. `Profiler(x).profile(model)` needs no training. For
    the time of epochs and steps, see `Timing`.

    Args:
        x: Inputs, as for `predict`: a batch of a realistic size.
        repeats: Timed runs of each layer, after one warm-up; the median is reported.
        verbose: 1 to print the table when training ends.

    Attributes:
        rows: One dict per layer: `layer`, its path; `type`; `forward` and `backward` in seconds (backward computes the
            gradients of its weights and inputs; None without any); `weights` and `results` in bytes.

    Example:
        >>> import numpy as np
        >>> import portanet
        >>> from portanet import layers
        >>> model = portanet.Sequential([layers.Input((100,)), layers.Dense(50), layers.Dense(10)])
        >>> [(row["layer"], row["weights"], row["results"]) for row in Profiler(np.ones((32, 100))).profile(model)]
        [('dense', 20200, 6400), ('dense_1', 2040, 1280)]
    """

    def __init__(self, x: Any, repeats: int = 5, verbose: int = 1) -> None:
        self.x = batch("x", x, type(self))
        self.repeats = checks.positive_int("repeats", repeats, type(self))
        self.verbose = checks.verbose(verbose, type(self))
        self.rows: list[dict[str, Any]] = []

    def on_train_end(self, logs: Logs | None = None) -> None:
        self.profile(self.model)
        if self.verbose:
            print(self.table())

    def profile(self, model: Any) -> list[dict[str, Any]]:
        """Measure a model; returns `rows`."""
        layers = named_layers(model)
        calls: dict[str, tuple[Any, ...]] = {}

        def record(path: str, args: Any, kwargs: Any, result: Any) -> None:
            calls[path] = (args, kwargs, result)

        with use_backend(model.backend) as backend:
            with watched(layers, record):
                model(tree_map(asarray, self.x), training=False)
            self.rows = [self._measure(backend, path, layers[path], *calls[path]) for path in layers if path in calls]
        return self.rows

    def _measure(self, backend: Backend, path: str, layer: Any, args: Any, kwargs: Any, result: Any) -> dict[str, Any]:
        variables = layer.named_variables()
        values = {name: variable.value for name, variable in variables.items()}
        inputs = [leaf for leaf in tree_leaves(args) if _floating(backend, leaf)]
        trainable = {name: value for name, value in values.items() if _floating(backend, value)}

        def forward(values: dict[str, Array], args: Any) -> Any:
            with bind({variables[name]: value for name, value in values.items()}):
                return layer.call(*args, **kwargs)

        def total(trainable: dict[str, Array], inputs: list[Array], args: Any) -> Array:
            leaves = iter(inputs)
            args = tree_map(lambda leaf: next(leaves) if _floating(backend, leaf) else leaf, args)
            results = tree_leaves(forward({**values, **trainable}, args))
            return sum(array_namespace(leaf).sum(leaf) for leaf in results)

        forward_time = self._seconds(backend, backend.compile(forward), values, args)
        total_time = None
        if (inputs or trainable) and all(_floating(backend, leaf) for leaf in tree_leaves(result)):
            gradients = backend.compile(grad(total, argnums=(0, 1)))
            total_time = self._seconds(backend, gradients, trainable, inputs, args)
        return {
            "layer": path,
            "type": type(layer).__name__,
            "forward": forward_time,
            "backward": None if total_time is None else max(0.0, total_time - forward_time),
            "weights": sum(variable.nbytes for variable in variables.values()),
            "results": sum(_bytes(backend, leaf) for leaf in tree_leaves(result)),
        }

    def _seconds(self, backend: Backend, function: Callable[..., Any], *args: Any) -> float:
        """The median time of a function after one warm-up; fetching its smallest result waits for the device."""
        times = []
        for _ in range(self.repeats + 1):
            backend.synchronize()
            start = time.perf_counter()
            leaves = tree_leaves(function(*args))
            backend.to_host(min(leaves, key=lambda leaf: math.prod(leaf.shape)))
            times.append(time.perf_counter() - start)
        return statistics.median(times[1:])

    def table(self) -> str:
        """The measurements as a table, with their sums."""
        rows = [
            [
                f"{row['layer']} ({row['type']})",
                f"{row['forward'] * 1e3:.3f}",
                "" if row["backward"] is None else f"{row['backward'] * 1e3:.3f}",
                f"{row['weights'] / 1024:,.1f}",
                f"{row['results'] / 1024:,.1f}",
            ]
            for row in self.rows
        ]
        sums = {
            name: sum(row[name] or 0 for row in self.rows) for name in ("forward", "backward", "weights", "results")
        }
        rows.append(
            [
                "all",
                *(f"{sums[name] * 1e3:.3f}" for name in ("forward", "backward")),
                *(f"{sums[name] / 1024:,.1f}" for name in ("weights", "results")),
            ]
        )
        return table(["layer", "forward ms", "backward ms", "weights KiB", "results KiB"], rows)


def _floating(backend: Backend, leaf: Any) -> bool:
    return hasattr(leaf, "dtype") and bool(backend.xp.isdtype(leaf.dtype, "real floating"))


def _bytes(backend: Backend, leaf: Array) -> int:
    """Size of an array in bytes."""
    name = backend.dtype_name(leaf.dtype)
    bits = 8 if name == "bool" else int("".join(filter(str.isdigit, name)))
    return int(math.prod(leaf.shape)) * bits // 8
