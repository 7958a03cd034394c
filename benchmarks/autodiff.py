"""portanet.autodiff compared with HIPS autograd, MyGrad, torch.autograd and torch.func, and JAX (without jit).

    python -m benchmarks.autodiff [--only operations | batches] [--threads 2] [--rounds 15]

Everything runs on the CPU, each library in a process of its own; all take turns. "portanet" is portanet on NumPy; for
the columns of batches see benchmarks/batches.py. A dash marks a peer that is missing or does not support a task.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import itertools
import tracemalloc
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np

from benchmarks import batches
from benchmarks.pages import environment, report
from benchmarks.timing import Median, in_turns, interleaved, seconds, serve, steps_of, table, use_threads
from portanet.autodiff import array_namespace, checkpoint, grad, hvp, jvp, value_and_grad, vjp

PEERS = ("portanet", "autograd", "mygrad", "torch", "jax")
Contestants = dict[str, Callable[[], Any]]

TURN = 0.02
"""Seconds for which a step is repeated in each round."""

loaded: dict[str, Any] = {}


def load(name: str) -> None:
    """Import a peer; JAX with float64."""
    modules = {"autograd": "autograd.numpy", "mygrad": "mygrad", "torch": "torch", "jax": "jax.numpy"}
    if name in modules:
        loaded[name] = importlib.import_module(modules[name])
    if name == "jax":
        config = importlib.import_module("jax").config
        config.update("jax_platforms", "cpu")
        config.update("jax_enable_x64", True)


def ready(x: Any) -> Any:
    """Wait for JAX, which computes asynchronously."""
    return importlib.import_module("jax").block_until_ready(x)


def gradients(f: Callable[[Any, Any], Any], *arrays: np.ndarray[Any, Any]) -> Contestants:
    """The gradient of `f(xp, *arrays)` with respect to all arrays, in each library."""
    argnums = tuple(range(len(arrays)))
    out: Contestants = {}
    gradient = grad(lambda *a: f(array_namespace(*a), *a), argnums)
    out["portanet"] = lambda: gradient(*arrays)
    if "autograd" in loaded:
        import autograd

        anp = loaded["autograd"]
        gradient_autograd = autograd.grad(lambda *a: f(anp, *a), argnums)
        out["autograd"] = lambda: gradient_autograd(*arrays)
    if "mygrad" in loaded:
        mg = loaded["mygrad"]

        def by_mygrad() -> Any:
            tensors = [mg.tensor(a) for a in arrays]
            f(mg, *tensors).backward()
            return [t.grad for t in tensors]

        out["mygrad"] = by_mygrad
    if "torch" in loaded:
        torch = loaded["torch"]
        leaves = [torch.tensor(a, requires_grad=True) for a in arrays]
        out["torch"] = lambda: torch.autograd.grad(f(torch, *leaves), leaves)
    if "jax" in loaded:
        import jax

        jnp = loaded["jax"]
        gradient_jax = jax.grad(lambda *a: f(jnp, *a), argnums)
        device = [jnp.asarray(a) for a in arrays]
        out["jax"] = lambda: ready(gradient_jax(*device))
    return out


def values(f: Callable[[Any, Any], Any], *arrays: np.ndarray[Any, Any]) -> Contestants:
    """The value of `f(xp, *arrays)`, recorded for a gradient, in each library."""
    out: Contestants = {"portanet": lambda: vjp(lambda *a: f(array_namespace(*a), *a), *arrays)[0]}
    if "autograd" in loaded:
        from autograd.core import make_vjp

        anp = loaded["autograd"]
        out["autograd"] = lambda: make_vjp(lambda a: f(anp, a, *arrays[1:]), arrays[0])[1]
    if "mygrad" in loaded:
        mg = loaded["mygrad"]
        out["mygrad"] = lambda: f(mg, *[mg.tensor(a) for a in arrays])
    if "torch" in loaded:
        torch = loaded["torch"]
        leaves = [torch.tensor(a, requires_grad=True) for a in arrays]
        out["torch"] = lambda: f(torch, *leaves)
    if "jax" in loaded:
        import jax

        jnp = loaded["jax"]
        device = [jnp.asarray(a) for a in arrays]
        out["jax"] = lambda: ready(jax.vjp(lambda *a: f(jnp, *a), *device)[0])
    return out


# The tasks


def chain(count: int) -> Callable[[Any, Any], Any]:
    """A chain of multiplications by a scalar, the cheapest operation, to measure overhead."""

    def f(xp: Any, x: Any) -> Any:
        for _ in range(count):
            x = x * 1.0001
        return x

    return f


def mixed(xp: Any, x: Any, y: Any) -> Any:
    """13 operations of several kinds on small arrays."""
    for _ in range(3):
        x = xp.exp(-x * y) + y
    return xp.sum(x)


def perceptron(xp: Any, x: Any, w1: Any, b1: Any, w2: Any, b2: Any, w3: Any, b3: Any) -> Any:
    h = xp.tanh(xp.matmul(x, w1) + b1)
    h = xp.tanh(xp.matmul(h, w2) + b2)
    y = xp.matmul(h, w3) + b3
    return xp.sum(y * y)


def perceptron_weights() -> list[np.ndarray[Any, Any]]:
    rng = np.random.default_rng(0)
    sizes = (784, 512, 512, 10)
    weights: list[np.ndarray[Any, Any]] = [rng.normal(size=(128, 784)).astype(np.float32)]
    for n, m in itertools.pairwise(sizes):
        weights += [(rng.normal(size=(n, m)) / n**0.5).astype(np.float32), np.zeros(m, dtype=np.float32)]
    return weights


def of_weights(f: Callable[..., Any]) -> tuple[Callable[..., Any], list[np.ndarray[Any, Any]]]:
    """The function of the weights alone: no library computes the gradient of the data."""
    data, *weights = perceptron_weights()
    inputs: dict[str, Any] = dict.fromkeys(PEERS, data)
    if "torch" in loaded:
        inputs["torch"] = loaded["torch"].tensor(data)
    if "jax" in loaded:
        inputs["jax"] = loaded["jax"].asarray(data)

    def fixed(xp: Any, *weights: Any) -> Any:
        library = xp.__name__.partition(".")[0]
        return f(xp, inputs.get(library, data), *weights)

    return fixed, weights


def logistic(xp: Any, w: Any, x: Any, t: Any) -> Any:
    z = xp.matmul(x, w)
    return xp.sum(xp.log(1 + xp.exp(z)) - t * z)


def products() -> Contestants:
    """Hessian-vector products of logistic regression, 1000 examples with 200 features."""
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(1000, 200)), (rng.random(1000) > 0.5).astype(float)
    w, v = rng.normal(size=200) * 0.01, rng.normal(size=200)
    out: Contestants = {"portanet": lambda: hvp(lambda w: logistic(array_namespace(w), w, x, t), (w,), (v,))}
    if "autograd" in loaded:
        import autograd

        anp = loaded["autograd"]
        product = autograd.hessian_vector_product(lambda w: logistic(anp, w, x, t))
        out["autograd"] = lambda: product(w, v)
    if "torch" in loaded:
        torch = loaded["torch"]
        xt, tt, vt = (torch.tensor(a) for a in (x, t, v))
        wt = torch.tensor(w, requires_grad=True)

        def by_torch() -> Any:
            (gradient,) = torch.autograd.grad(logistic(torch, wt, xt, tt), wt, create_graph=True)
            return torch.autograd.grad(gradient, wt, vt)[0]

        out["torch"] = by_torch
    if "jax" in loaded:
        import jax

        jnp = loaded["jax"]
        xj, tj, wj, vj = (jnp.asarray(a) for a in (x, t, w, v))
        gradient = jax.grad(lambda w: logistic(jnp, w, xj, tj))
        out["jax"] = lambda: ready(jax.jvp(gradient, (wj,), (vj,))[1])
    return out


def modes() -> dict[str, Median]:
    """The perceptron's value, forward-mode and reverse-mode derivative; only portanet."""
    f, weights = of_weights(perceptron)

    def run(*a: Any) -> Any:
        return f(array_namespace(*a), *a)

    gradient = value_and_grad(run, tuple(range(len(weights))))
    return interleaved(
        {
            "value": lambda: run(*weights),
            "jvp": lambda: jvp(run, weights, weights),
            "vjp": lambda: gradient(*weights),
        }
    )


def memory() -> dict[str, float]:
    """Peak MB above the input for the gradient of a chain of 400 `sin` of 100,000 elements."""
    x = np.full(100_000, 0.5)

    def steps(x: Any) -> Any:
        for _ in range(20):
            x = array_namespace(x).sin(x)
        return x

    def peak(block: Callable[[Any], Any]) -> float:
        def f(x: Any) -> Any:
            for _ in range(20):
                x = block(x)
            return array_namespace(x).sum(x)

        tracemalloc.start()
        grad(f)(x)
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size / 1e6

    return {"stored": peak(steps), "checkpoint": peak(checkpoint(steps))}


def of_perceptron() -> Contestants:
    deep, weights = of_weights(perceptron)
    return gradients(deep, *weights)


SMALL = np.linspace(0.1, 1.0, 10)
OPERATIONS: dict[str, Callable[[], Contestants]] = {
    "1,000 scalar ops: forward, recording": lambda: values(chain(1000), np.asarray(1.0)),
    "1,000 scalar ops: forward and backward": lambda: gradients(chain(1000), np.asarray(1.0)),
    "13 mixed ops on 10 elements": lambda: gradients(mixed, SMALL, SMALL[::-1].copy()),
    "MLP 784-512-512-10, batch 128, float32": of_perceptron,
    "hvp, logistic regression 1000 x 200": products,
}


def step_of(library: str, task: str) -> Callable[[], Any]:
    """The step of a task in a library."""
    own = batches.TASKS.get(task)
    return OPERATIONS[task]()[library] if own is None else batches.step_of(own, library)


def has(library: str, task: str) -> bool:
    """Whether a library supports a task."""
    if library == "by hand":
        return batches.TASKS.get(task) in batches.BY_HAND
    return library != "mygrad" or not task.startswith("hvp")


def compared(tasks: list[str], libraries: tuple[str, ...], threads: int, rounds: int) -> str:
    """A table of all tasks and libraries."""
    results = {}
    with ExitStack() as stack:
        command = ("benchmarks.autodiff", "--threads", str(threads), "--serve")
        served = {library: stack.enter_context(steps_of(*command, library)) for library in libraries}
        for task in tasks:
            steps = {name: functools.partial(step, task) for name, step in served.items() if has(name, task)}
            results[task] = in_turns(steps, rounds)
    return table("Task", results, libraries, "portanet")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", choices=["operations", "batches"], help="one of the two tables")
    parser.add_argument("--threads", type=int, default=2, help="threads of BLAS, OpenMP and torch")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--write", action="store_true", help="write the results into the pages")
    parser.add_argument("--serve", metavar="LIBRARY", help="run steps of one library, for another process")
    options = parser.parse_args()
    if options.serve:
        load(options.serve)
        return serve(functools.partial(step_of, options.serve), options.threads, TURN)
    use_threads(options.threads)
    how = (
        f"{environment('numpy', 'autograd', 'mygrad', 'torch', 'jax')}; {options.rounds} rounds, {options.threads} "
        "threads. `python -m benchmarks.autodiff`"
    )
    parts = {}
    if options.only != "batches":
        times, peak = modes(), memory()
        parts["Operations"] = (
            f"{compared([*OPERATIONS], PEERS, options.threads, options.rounds)}\n\n"
            f"MLP on portanet: value {seconds(times['value'])}, with a forward-mode derivative "
            f"{seconds(times['jvp'])} ({times['jvp'] / times['value']:.2f}x), with the gradient "
            f"{seconds(times['vjp'])} ({times['vjp'] / times['value']:.2f}x).\n\n"
            f"Peak memory of a chain of 400 operations on 0.8 MB: {peak['stored']:.0f} MB stored, "
            f"{peak['checkpoint']:.0f} MB with `checkpoint` around each 20."
        )
    if options.only != "operations":
        parts["Batches, dense Jacobians and Hessians"] = compared(
            [*batches.TASKS], batches.LIBRARIES, options.threads, options.rounds
        )
    report("autodiff", parts, how, options.write)
    return None


if __name__ == "__main__":
    main()
