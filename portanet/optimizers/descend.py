"""The path of an optimizer on a function of a few numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from portanet import checks
from portanet.autodiff import array_namespace, hvp, value_and_grad
from portanet.backends import Array, asarray
from portanet.optimizers.base import Optimizer, Tree


def descend(f: Callable[..., Array], x0: Sequence[float], optimizer: Optimizer, steps: int = 100) -> Array:
    """The points that an optimizer visits on a function of a few numbers, such as the two coordinates of a plane.

    `portanet.plot.trajectories` draws them. The optimizer itself does not change.

    Args:
        f: A function of as many scalars as there are in `x0`, written against the array API standard.
        x0: The numbers to begin with.
        optimizer: The optimizer.
        steps: Number of steps.

    Returns:
        An array of shape (steps + 1, numbers) with the start and the point after each step; its dtype is the default
        float dtype.

    Example:
        >>> from portanet import optimizers
        >>> optimizers.descend(lambda x, y: x**2 + y**2, (1.0, -2.0), optimizers.SGD(0.25), steps=2).tolist()
        [[1.0, -2.0], [0.5, -1.0], [0.25, -0.5]]
    """
    checks.function("f", f, "descend")
    start = checks.numbers("x0", x0, of="descend")
    if not start:
        raise checks.invalid("x0", x0, "a list of at least one number", "descend")
    if not isinstance(optimizer, Optimizer):
        raise checks.invalid("optimizer", optimizer, "an optimizer, such as optimizers.SGD(0.1)", "descend")
    steps = checks.integer("steps", steps, "descend", least=0)

    def loss(params: Tree) -> Array:
        x = params["x"]
        return f(*(x[i] for i in range(len(start))))

    params: Tree = {"x": asarray(start)}
    xp = array_namespace(params["x"])
    state = optimizer.init(params)
    points = [xp.asarray(params["x"], copy=True)]
    step = value_and_grad(loss)
    for _ in range(steps):
        at = dict(params)
        state = optimizer.observe(lambda v, at=at: hvp(loss, (at,), (v,)), params, state)  # type: ignore[misc]
        _, gradients = step(params)
        params, state = optimizer.update(params, gradients, state)
        points.append(xp.asarray(params["x"], copy=True))
    return xp.stack(points)
