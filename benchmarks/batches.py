"""`vmap`, dense Jacobians and Hessians compared with torch.func and JAX (without jit): `python -m benchmarks.batches`.

Everything runs on the CPU, each library in a process of its own. "portanet" is portanet on NumPy; "loop" is portanet
without `vmap`, one example or direction after the other.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np

from benchmarks.timing import in_turns, machine, serve, steps_of, table
from portanet.autodiff import array_namespace, grad, hessian, hvp, jacobian, vjp, vmap

generator = np.random.default_rng(0)
POINT = generator.normal(size=100)
MATRIX = generator.normal(size=(100, 100)) / 10
SIZES = [(20, 64), (64,), (64, 64), (64,), (64, 10), (10,)]
WEIGHTS = [generator.normal(size=shape).astype("float32") / 8 for shape in SIZES]
DATA, TARGETS = (generator.normal(size=(128, n)).astype("float32") for n in (20, 10))
MODELS = [generator.normal(size=(16, *shape)).astype("float32") / 8 for shape in SIZES]
Tools = tuple[Any, Any, Callable[[Any], Any]]
"""A library: the module with vmap, grad and so on, the one with array functions, and what makes an array."""


def rosenbrock(xp: Any, x: Any) -> Any:
    return xp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def network(xp: Any, weights: Any, x: Any) -> Any:
    w1, b1, w2, b2, w3, b3 = weights
    return xp.matmul(xp.tanh(xp.matmul(xp.tanh(xp.matmul(x, w1) + b1), w2) + b2), w3) + b3


def loss(xp: Any, weights: Any, x: Any, y: Any) -> Any:
    return xp.sum((network(xp, weights, x) - y) ** 2)


def tools(library: str) -> Tools:
    """The functions of a peer; JAX with float64."""
    if library == "torch":
        torch = importlib.import_module("torch")
        return importlib.import_module("torch.func"), torch, torch.asarray
    jax = importlib.import_module("jax")
    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)
    return jax, jax.numpy, jax.numpy.asarray


def step_of(name: str, library: str) -> Callable[[], Any]:
    """A step of a task in a library; it waits for its result."""
    if library == "loop":
        return LOOPS[name]
    if library == "portanet":
        return own(name)
    func, xp, make = tools(library)
    matrix = make(MATRIX)
    functions: dict[str, tuple[Callable[..., Any], list[Any]]] = {
        "hessian": (func.hessian(lambda x: rosenbrock(xp, x)), [make(POINT)]),
        "jacobian": (func.jacrev(lambda x: xp.tanh(matrix @ x)), [make(POINT)]),
        "examples": (
            func.vmap(func.grad(lambda w, x, y: loss(xp, w, x, y)), (None, 0, 0)),
            [[*map(make, WEIGHTS)], make(DATA), make(TARGETS)],
        ),
        "ensemble": (func.vmap(lambda w, x: network(xp, w, x), (0, None)), [[*map(make, MODELS)], make(DATA)]),
    }
    f, arguments = functions[name]
    return (lambda: func.block_until_ready(f(*arguments))) if library == "jax" else lambda: f(*arguments)


def own(name: str) -> Callable[[], Any]:
    """A step of a task in portanet."""
    functions: dict[str, tuple[Callable[..., Any], list[Any]]] = {
        "hessian": (hessian(of_arrays(rosenbrock)), [POINT]),
        "jacobian": (jacobian(dense), [POINT]),
        "examples": (vmap(GRADIENT, (None, 0, 0)), [WEIGHTS, DATA, TARGETS]),
        "ensemble": (vmap(of_arrays(network), (0, None)), [MODELS, DATA]),
    }
    f, arguments = functions[name]
    return lambda: f(*arguments)


def of_arrays(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function of a namespace and arrays, for arrays alone."""
    return lambda *args: f(array_namespace(*(a[0] if isinstance(a, list) else a for a in args)), *args)


def dense(x: Any) -> Any:
    xp = array_namespace(x)
    return xp.tanh(xp.matmul(MATRIX, x))


def jacobian_by_loop() -> Any:
    _, pullback = vjp(dense, POINT)
    return np.stack([pullback(row, retain=True)[0] for row in np.eye(100)])


GRADIENT = grad(of_arrays(loss))
LOOPS: dict[str, Callable[[], Any]] = {
    "hessian": lambda: np.stack([hvp(of_arrays(rosenbrock), (POINT,), (row,)) for row in np.eye(100)]),
    "jacobian": jacobian_by_loop,
    "examples": lambda: [GRADIENT(WEIGHTS, x, y) for x, y in zip(DATA, TARGETS, strict=True)],
    "ensemble": lambda: [of_arrays(network)([w[i] for w in MODELS], DATA) for i in range(16)],
}
TASKS = {
    "Hessian of Rosenbrock, 100 dimensions": "hessian",
    "dense Jacobian, 100 x 100": "jacobian",
    "per-example gradients, MLP 20-64-64-10, batch 128, float32": "examples",
    "16 MLPs on one batch of 128, float32": "ensemble",
}
LIBRARIES = ("portanet", "loop", "torch", "jax")


def main() -> None:
    if sys.argv[1:2] == ["--serve"]:
        return serve(step_of(*sys.argv[2:]), 2)
    results = {}
    for title, name in TASKS.items():
        with ExitStack() as stack:
            served = {
                library: stack.enter_context(steps_of("benchmarks.batches", "--serve", name, library))
                for library in LIBRARIES
            }
            results[title] = in_turns({}, served, rounds=9)
    print(machine("numpy", "torch", "jax"))
    print()
    print(table("Task", results, LIBRARIES, "portanet"))


if __name__ == "__main__":
    main()
