"""The loop over time shared by recurrent ops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from portanet.backends import Array, overridable

Step: TypeAlias = Callable[..., tuple[tuple[Array, ...], tuple[Array, ...]]]
"""`step(carry, *inputs)` returns the new carry and the outputs to collect, both tuples of arrays."""

Steps: TypeAlias = Any
"""One array per time step: a list of arrays, or one array with time as its first axis."""


@overridable
def scan(step: Step, carry: tuple[Array, ...], inputs: Sequence[Steps], reverse: bool = False) -> Any:
    """Call `step` once per time step, passing on the carry and collecting the outputs.

    Every input and output has the batch as its first axis (after time), and examples are independent: an override may
    divide the batch, write the outputs into one array, or compile the step. The step closes over arrays without a
    batch, such as weights, alone.

    Args:
        step: Function of the carry and of one array from each input. It may change arrays that it creates in place.
        carry: The carry of the first step.
        inputs: Sequences of the same length, at least one.
        reverse: Whether to go from the last time step to the first.

    Returns:
        `(carry, collected)`: the carry after the last step, and the `Steps` of each output, in the order of time
        (not of computation).

    Example:
        >>> import numpy as np
        >>> step = lambda carry, x: ((carry[0] + x,), (carry[0],))
        >>> (total,), (before,) = scan(step, (np.zeros(1),), [np.asarray([[1.0], [2.0], [3.0]])])
        >>> total, joined(np, before).ravel()
        (array([6.]), array([0., 1., 3.]))
    """
    count = length(inputs[0])
    collected: list[Any] = [None] * count
    for t in range(count - 1, -1, -1) if reverse else range(count):
        carry, collected[t] = step(carry, *(at(steps, t) for steps in inputs))
    return carry, tuple(map(list, zip(*collected, strict=True)))


def length(steps: Steps) -> int:
    """The number of time steps."""
    return len(steps) if isinstance(steps, list) else int(steps.shape[0])


def at(steps: Steps, t: int) -> Array:
    """The array of one time step."""
    return steps[t] if isinstance(steps, list) else steps[t, ...]


def joined(xp: Any, steps: Steps) -> Array:
    """One array with time as its first axis."""
    return xp.stack(steps) if isinstance(steps, list) else steps


def sigmoid(xp: Any, x: Array) -> Array:
    """`(1 + tanh(x/2)) / 2`, in place where arrays are mutable: `x` may be overwritten."""
    x *= 0.5
    x = xp.tanh(x)
    x *= 0.5
    x += 0.5
    return x


# Optional inputs


def extras(xp: Any, count: int, mask: Array | None, keep: Array | None) -> list[Steps]:
    """Inputs of a scan that are not None: the mask of each step, and `keep`, the same in every step."""
    repeated = None if keep is None else xp.broadcast_to(xp.expand_dims(keep, axis=0), (count, *keep.shape))
    return given((mask, repeated))


def given(arrays: Sequence[Array | None]) -> list[Array]:
    """The arrays that are not None."""
    return [x for x in arrays if x is not None]


def optional(rest: Sequence[Array], *present: bool) -> list[Array | None]:
    """The inverse of `given`: None where `present` is False."""
    arrays = iter(rest)
    return [next(arrays) if p else None for p in present]


# Products over all time steps at once: one large product is faster than many small ones


def project(xp: Any, x: Array, kernel: Array) -> Array:
    """`x @ kernel` for x of shape (time, batch, features)."""
    time, batch, features = x.shape
    return xp.reshape(xp.matmul(xp.reshape(x, (time * batch, features)), kernel), (time, batch, kernel.shape[-1]))


def product(xp: Any, x: Array, g: Array) -> Array:
    """The sum of `x[t].T @ g[t]` over the time steps: the gradient of a kernel."""
    size = x.shape[0] * x.shape[1]
    return xp.matmul(xp.matrix_transpose(xp.reshape(x, (size, x.shape[-1]))), xp.reshape(g, (size, g.shape[-1])))


def product_before(xp: Any, first: Array, outputs: Array, keep: Array | None, g: Array) -> Array:
    """The gradient of a recurrent kernel: as `product`, with the output before each step: `first`, then `outputs`.

    `keep` is the dropout factor of the outputs.
    """
    if keep is not None:
        first, outputs = first * keep, outputs * keep
    total = xp.matmul(xp.matrix_transpose(first), g[0, ...])
    if g.shape[0] > 1:
        total = total + product(xp, outputs[:-1, ...], g[1:, ...])
    return total


# Backward


def arriving(xp: Any, carry: Array, g: Array | None, mask: Array | None) -> tuple[Array, Array | None]:
    """The cotangent of a step's output (`carry` plus `g`, if given), and the part that skips the step where the mask
    is False (None without mask).
    """
    dh = carry if g is None else carry + g
    return (dh, None) if mask is None else (xp.where(mask, dh, 0.0), xp.where(mask, 0.0, dh))
