"""portanet.autodiff side by side with HIPS autograd, MyGrad, torch.autograd and jax.grad (without jit), in one run.

    python -m benchmarks.autodiff [--threads 2] [--markdown benchmarks/results/autodiff.md]

Everything runs on NumPy-like arrays on the CPU. "portanet" is portanet on NumPy; a peer that is
missing, or cannot do a task, is shown as a dash, with the reason below the table.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import os
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.timing import interleaved, machine, seconds, table, use_threads
from portanet.autodiff import array_namespace, checkpoint, grad, hvp, jvp, value_and_grad, vjp

PEERS = ("portanet", "autograd", "mygrad", "torch", "jax")
Contestants = dict[str, Callable[[], Any]]

missing: dict[str, str] = {}
loaded: dict[str, Any] = {}


def load() -> None:
    """Import the peers that are here."""
    for name, module in {
        "autograd": "autograd.numpy", "mygrad": "mygrad", "torch": "torch", "jax": "jax.numpy",
    }.items():  # fmt: skip
        try:
            loaded[name] = importlib.import_module(module)
        except ImportError as error:
            missing[name] = f"{name} is missing: {error}"
    if "jax" in loaded:
        importlib.import_module("jax").config.update("jax_platforms", "cpu")


def ready(x: Any) -> Any:
    """Wait for JAX, which computes asynchronously."""
    return importlib.import_module("jax").block_until_ready(x)


def gradients(f: Callable[[Any, Any], Any], *arrays: np.ndarray[Any, Any]) -> Contestants:
    """The gradient of `f(xp, *arrays)` with respect to all arrays, by everyone."""
    places = tuple(range(len(arrays)))
    out: Contestants = {}
    slope = grad(lambda *a: f(array_namespace(*a), *a), places)
    out["portanet"] = lambda: slope(*arrays)
    if "autograd" in loaded:
        import autograd

        anp = loaded["autograd"]
        slope_autograd = autograd.grad(lambda *a: f(anp, *a), places)
        out["autograd"] = lambda: slope_autograd(*arrays)
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
        slope_jax = jax.grad(lambda *a: f(jnp, *a), places)
        device = [jnp.asarray(a) for a in arrays]
        out["jax"] = lambda: ready(slope_jax(*device))
    return out


def values(f: Callable[[Any, Any], Any], *arrays: np.ndarray[Any, Any]) -> Contestants:
    """The value of `f(xp, *arrays)` while it is being recorded for a gradient, by everyone."""
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
    """A chain of multiplications by a number, the cheapest operation: what remains is overhead."""

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
    """The same with the data held fixed, so that nobody computes its gradient."""
    data, *weights = perceptron_weights()
    held: dict[str, Any] = dict.fromkeys(PEERS, data)
    if "torch" in loaded:
        held["torch"] = loaded["torch"].tensor(data)
    if "jax" in loaded:
        held["jax"] = loaded["jax"].asarray(data)

    def fixed(xp: Any, *weights: Any) -> Any:
        owner = xp.__name__.partition(".")[0]
        return f(xp, held.get(owner, data), *weights)

    return fixed, weights


def logistic(xp: Any, w: Any, x: Any, t: Any) -> Any:
    z = xp.matmul(x, w)
    return xp.sum(xp.log(1 + xp.exp(z)) - t * z)


def products() -> Contestants:
    """Hessian times vector for logistic regression, 1000 examples of 200 features."""
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
            (slope,) = torch.autograd.grad(logistic(torch, wt, xt, tt), wt, create_graph=True)
            return torch.autograd.grad(slope, wt, vt)[0]

        out["torch"] = by_torch
    if "jax" in loaded:
        import jax

        jnp = loaded["jax"]
        xj, tj, wj, vj = (jnp.asarray(a) for a in (x, t, w, v))
        slope = jax.grad(lambda w: logistic(jnp, w, xj, tj))
        out["jax"] = lambda: ready(jax.jvp(slope, (wj,), (vj,))[1])
    return out


def modes() -> dict[str, float]:
    """One derivative of the perceptron in forward and in reverse mode, against its plain value: portanet alone."""
    f, weights = of_weights(perceptron)

    def run(*a: Any) -> Any:
        return f(array_namespace(*a), *a)

    both = value_and_grad(run, tuple(range(len(weights))))
    return interleaved(
        {
            "value": lambda: run(*weights),
            "jvp": lambda: jvp(run, weights, weights),
            "vjp": lambda: both(*weights),
        }
    )


def memory() -> dict[str, float]:
    """Peak MB above the input while a chain of 400 `sin` of 100,000 numbers is differentiated."""
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
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found / 1e6

    return {"stored": peak(steps), "checkpoint": peak(checkpoint(steps))}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--markdown", help="write the report there")
    parser.add_argument("--date", default="", help="for the report's heading")
    parser.add_argument("--threads", type=int, default=2, help="of BLAS, OpenMP and torch")
    options = parser.parse_args()
    load()
    use_threads(options.threads)
    small = np.linspace(0.1, 1.0, 10)
    deep, weights = of_weights(perceptron)
    tasks: dict[str, Contestants] = {
        "1,000 scalar ops: forward, recording": values(chain(1000), np.asarray(1.0)),
        "1,000 scalar ops: forward and backward": gradients(chain(1000), np.asarray(1.0)),
        "13 mixed ops on 10 numbers": gradients(mixed, small, small[::-1].copy()),
        "MLP 784-512-512-10, batch 128, float32": gradients(deep, *weights),
        "hvp, logistic regression 1000 x 200": products(),
    }
    results = {task: interleaved(contestants) for task, contestants in tasks.items()}
    report = [
        f"# Automatic differentiation\n\n{machine('numpy', *(p for p in PEERS if p in loaded))}. {options.date}",
        f"Medians of 15 interleaved turns; threads: {options.threads}; load of the machine: {os.getloadavg()[0]:.1f}. "
        "In brackets the ratio to portanet on NumPy (above 1: slower).",
        table("Task", results, PEERS, "portanet"),
        "\n".join(f"- {reason}" for reason in missing.values())
        or "MyGrad has no second derivatives: no figure for hvp.",
    ]
    one = results["1,000 scalar ops: forward and backward"]
    report.append(
        "Per operation, forward and backward: "
        + ", ".join(f"{name} {seconds(one[name] / 1000)}" for name in PEERS if name in one)
        + "."
    )
    times = modes()
    report.append(
        f"MLP on portanet: value {seconds(times['value'])}, with a forward derivative {seconds(times['jvp'])} "
        f"({times['jvp'] / times['value']:.2f}x), with the gradient {seconds(times['vjp'])} "
        f"({times['vjp'] / times['value']:.2f}x)."
    )
    peak = memory()
    report.append(
        f"Peak memory of a chain of 400 operations on 0.8 MB: {peak['stored']:.0f} MB stored, "
        f"{peak['checkpoint']:.0f} MB with `checkpoint` around every 20."
    )
    text = "\n\n".join(part for part in report if part) + "\n"
    print(text)
    if options.markdown:
        with open(options.markdown, "w") as file:
            file.write(text)


if __name__ == "__main__":
    main()
