"""Tasks of `benchmarks.autodiff` with a batch: `vmap`, dense Jacobians and Hessians.

"loop" is portanet without `vmap`, one example or direction after the other, "by hand" NumPy without derivatives.
autograd has no vmap: its examples and members are computed in a loop, too.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from portanet.autodiff import array_namespace, grad, hessian, hvp, jacobian, vjp, vmap

generator = np.random.default_rng(0)
POINT = generator.normal(size=100)
MATRIX = generator.normal(size=(100, 100)) / 10
SIZES = [(20, 64), (64,), (64, 64), (64,), (64, 10), (10,)]
WEIGHTS = [generator.normal(size=shape).astype("float32") / 8 for shape in SIZES]
DATA, TARGETS = (generator.normal(size=(128, n)).astype("float32") for n in (20, 10))
MODELS = [generator.normal(size=(16, *shape)).astype("float32") / 8 for shape in SIZES]
EXAMPLES = {
    "examples, float32": (WEIGHTS, DATA, TARGETS),
    "examples, float64": ([w.astype("float64") for w in WEIGHTS], DATA.astype("float64"), TARGETS.astype("float64")),
}
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
    """The functions of a peer."""
    if library == "torch":
        torch = importlib.import_module("torch")
        return importlib.import_module("torch.func"), torch, torch.asarray
    jax = importlib.import_module("jax")
    return jax, jax.numpy, jax.numpy.asarray


def step_of(name: str, library: str) -> Callable[[], Any]:
    """A step of a task in a library; it waits for its result."""
    if library == "loop":
        return LOOPS[name]
    if library == "by hand":
        return BY_HAND[name]
    if library == "portanet":
        return own(name)
    if library == "autograd":
        return by_autograd(name)
    func, xp, make = tools(library)
    matrix = make(MATRIX)
    functions: dict[str, tuple[Callable[..., Any], list[Any]]] = {
        "hessian": (func.hessian(lambda x: rosenbrock(xp, x)), [make(POINT)]),
        "jacobian": (func.jacrev(lambda x: xp.tanh(matrix @ x)), [make(POINT)]),
        **{
            task: (
                func.vmap(func.grad(lambda w, x, y: loss(xp, w, x, y)), (None, 0, 0)),
                [[*map(make, weights)], make(data), make(targets)],
            )
            for task, (weights, data, targets) in EXAMPLES.items()
        },
        "ensemble": (func.vmap(lambda w, x: network(xp, w, x), (0, None)), [[*map(make, MODELS)], make(DATA)]),
    }
    f, arguments = functions[name]
    return (lambda: func.block_until_ready(f(*arguments))) if library == "jax" else lambda: f(*arguments)


def own(name: str) -> Callable[[], Any]:
    """A step of a task in portanet."""
    functions: dict[str, tuple[Callable[..., Any], list[Any]]] = {
        "hessian": (hessian(of_arrays(rosenbrock)), [POINT]),
        "jacobian": (jacobian(dense), [POINT]),
        **{task: (vmap(GRADIENT, (None, 0, 0)), [*arrays]) for task, arrays in EXAMPLES.items()},
        "ensemble": (vmap(of_arrays(network), (0, None)), [MODELS, DATA]),
    }
    f, arguments = functions[name]
    return lambda: f(*arguments)


def by_autograd(name: str) -> Callable[[], Any]:
    """A step of a task in autograd."""
    import autograd
    import autograd.numpy as xp

    gradient = autograd.grad(lambda w, x, y: loss(xp, w, x, y))
    steps: dict[str, Callable[[], Any]] = {
        "hessian": lambda: autograd.hessian(lambda x: rosenbrock(xp, x))(POINT),
        "jacobian": lambda: autograd.jacobian(lambda x: xp.tanh(xp.matmul(MATRIX, x)))(POINT),
        **{task: functools.partial(one_by_one, gradient, *arrays) for task, arrays in EXAMPLES.items()},
        "ensemble": lambda: [network(xp, [w[i] for w in MODELS], DATA) for i in range(16)],
    }
    return steps[name]


def one_by_one(gradient: Callable[..., Any], weights: Any, data: Any, targets: Any) -> list[Any]:
    return [gradient(weights, x, y) for x, y in zip(data, targets, strict=True)]


def gradients_by_hand(weights: Any, x: Any, y: Any) -> list[Any]:
    """The gradient per example, written for the batch."""
    w1, b1, w2, b2, w3, b3 = weights
    first = np.tanh(x @ w1 + b1)
    second = np.tanh(first @ w2 + b2)
    g3 = 2 * (second @ w3 + b3 - y)
    g2 = (g3 @ w3.T) * (1 - second * second)
    g1 = (g2 @ w2.T) * (1 - first * first)
    pairs = ((x, g1), (first, g2), (second, g3))
    return [array for h, g in pairs for array in (np.einsum("bi,bj->bij", h, g), g)]


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
    **{task: functools.partial(one_by_one, GRADIENT, *arrays) for task, arrays in EXAMPLES.items()},
    "ensemble": lambda: [of_arrays(network)([w[i] for w in MODELS], DATA) for i in range(16)],
}
BY_HAND = {task: functools.partial(gradients_by_hand, *arrays) for task, arrays in EXAMPLES.items()}
TASKS = {
    "Hessian of Rosenbrock, 100 dimensions": "hessian",
    "dense Jacobian, 100 x 100": "jacobian",
    "per-example gradients, MLP 20-64-64-10, batch 128, float32": "examples, float32",
    "per-example gradients, MLP 20-64-64-10, batch 128, float64": "examples, float64",
    "16 MLPs on one batch of 128, float32": "ensemble",
}
LIBRARIES = ("portanet", "loop", "by hand", "autograd", "torch", "jax")
