"""The devices of this machine: a sum and a product, timed as they should be
=========================================================================

Which libraries and devices there are, how long five million additions and a product of two matrices take on each, and
whether the results are the same.

Source: Ketkar, listings 10-1 to 10-3. The book writes OpenCL kernels; here nothing is written for a device.
"""

import time
from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

import portanet
from portanet.autodiff import array_namespace
from portanet.info import report

# %%
# 10-1: devices and memory
# ------------------------
# The book lists platforms, devices, clocks and memory. `python -m portanet info` prints this table. (Clocks are not in
# it: array libraries do not report them.)
print(report())

# %%
# How to time a device
# --------------------
# A device works on its own: a call returns before the result is there. The book's listing reads the clock too early,
# and its two GPU times, for five million additions and for a product of matrices, are the same to the last digit. So:
# let the device finish before the clock starts and before it stops, and say whether copies count. `timed` does the
# first call without the clock, since it may compile.


def timed(backend: Any, function: Callable[[], Any], repeats: int) -> tuple[float, Any]:
    """The shortest time of some calls in seconds, with what the device does, and the last result."""
    function()
    times = []
    for _ in range(repeats):
        backend.synchronize()
        start = time.perf_counter()
        result = function()
        backend.start(result)  # MLX computes nothing before somebody asks for it
        backend.synchronize()
        times.append(time.perf_counter() - start)
    return min(times), result


def measure(
    name: str, operation: Callable[[Any, Any], Any], first: np.ndarray, second: np.ndarray, repeats: int = 5
) -> tuple[float, float, float]:
    """Seconds for the operation, seconds with copies there and back, and the distance of the result from NumPy's."""
    with portanet.use_backend(name) as backend:
        a, b = portanet.asarray(first), portanet.asarray(second)
        alone, result = timed(backend, lambda: operation(a, b), repeats)
        whole, _ = timed(
            backend, lambda: portanet.to_host(operation(portanet.asarray(first), portanet.asarray(second))), repeats
        )
        distance = np.linalg.norm(portanet.to_host(result).astype("float64") - operation(first, second))
    return alone, whole, float(distance)


def add(a: Any, b: Any) -> Any:
    """The sum by elements."""
    return a + b


def product(a: Any, b: Any) -> Any:
    """The product of matrices."""
    return array_namespace(a, b).matmul(a, b)


def usable() -> list[str]:
    """The libraries that can be used here; without array-api-strict, which checks and is not for speed."""
    return [name for name, reason in portanet.available_backends().items() if reason is None and name != "strict"]


def numbers(*shape: int) -> np.ndarray:
    """Random float32 numbers from 0 to 1."""
    return np.random.default_rng(0).random(shape, dtype="float32")


def compare(vector: int = 5_000_000, matrix: int = 500, repeats: int = 5) -> dict[str, dict[str, Any]]:
    """What `measure` returns, by operation and library."""
    vectors, matrices = (numbers(vector), numbers(vector)), (numbers(matrix, matrix), numbers(matrix, matrix))
    return {
        title: {name: measure(name, operation, *operands, repeats) for name in usable()}
        for title, operation, operands in (("10-2: addition", add, vectors), ("10-3: product", product, matrices))
    }


# %%
# 10-2 and 10-3
# -------------
# Dark: the operation alone. Light: with the copies to the device and back. On a GPU, the copies of the addition take
# far longer than the addition. On a CPU, some libraries use the arrays of NumPy as they are.
results = compare()
figure, axes = plt.subplots(1, 2, figsize=(10, 3.5), layout="constrained")
for ax, (title, rows) in zip(axes, results.items(), strict=True):
    places = np.arange(len(rows))
    ax.bar(places - 0.2, [1000 * row[0] for row in rows.values()], 0.4, label="operation")
    ax.bar(places + 0.2, [1000 * row[1] for row in rows.values()], 0.4, alpha=0.4, color="C0", label="with copies")
    ax.set_xticks(places, list(rows))
    ax.set(title=title, ylabel="milliseconds")
    print(title)
    for name, (alone, whole, distance) in rows.items():
        print(
            f"  {name:6} {1000 * alone:8.2f} ms, with copies {1000 * whole:8.2f} ms, distance from NumPy {distance:.1e}"
        )
axes[0].legend()

# %%
# The distances: 0 for the sum, as in the book, since each element is one rounded addition everywhere. For the product a
# little more than the 0 of the book: sums of 500 terms depend on their order.
plt.show()
