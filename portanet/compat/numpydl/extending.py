"""Users' subclasses with methods in NumPy that store what the backward pass needs.

Such methods receive and return NumPy arrays on every backend. This module makes them differentiable; a training step
that calls them is not compiled.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from portanet.autodiff import custom_vjp
from portanet.backends import Array, to_host
from portanet.compat.numpydl.utils.random import to_float


class InputError(ValueError, AssertionError):
    """An invalid argument; NumPyDL raises AssertionError, so scripts that catch it work unchanged."""


def in_numpy(obj: Any, methods: tuple[str, ...], traced: str) -> bool:
    """Whether a subclass overrides methods of NumPyDL.

    Args:
        obj: The object.
        methods: NumPyDL's methods, in NumPy.
        traced: The method in the array API standard that replaces them.
    """
    for cls in type(obj).__mro__:
        if traced in vars(cls):
            return False
        if any(name in vars(cls) for name in methods):
            return True
    return False


def missing(obj: Any, what: str) -> NotImplementedError:
    """The error for a method that a subclass must implement."""
    return NotImplementedError(f"{type(obj).__name__} must implement {what}.")


def activation(obj: Any) -> Callable[[Array], Array]:
    """`forward` and `derivative` of an activation as one function."""

    def value(x: Array) -> Array:
        return to_float(obj.forward(to_host(x)))

    def declared(x: Array) -> tuple[Array, Callable[[Array], tuple[Array]]]:
        out = value(x)
        derivative = to_float(obj.derivative())  # computed now: the next `forward` replaces the stored input
        return out, lambda g: (g * derivative,)

    op: Callable[[Array], Array] = custom_vjp(declared, value)
    return op


def total(obj: Any) -> Callable[[Array, Array], Array]:
    """`forward` and `backward` of an objective as the sum over examples."""

    def value(outputs: Array, targets: Array) -> Array:
        mean = to_float(obj.forward(to_host(outputs), to_host(targets)))
        return mean * int(outputs.shape[0])

    def declared(outputs: Array, targets: Array) -> tuple[Array, Callable[[Array], tuple[Array, None]]]:
        def pullback(g: Array) -> tuple[Array, None]:
            return g * to_float(obj.backward(to_host(outputs), to_host(targets))), None

        return value(outputs, targets), pullback

    op: Callable[[Array, Array], Array] = custom_vjp(declared, value)
    return op


def layer(obj: Any, train: bool) -> Callable[..., Array]:
    """`forward` and `backward` of a layer as a function of the input and the parameters."""
    options = {"train": train} if _takes_train(obj.forward) else {}

    def value(x: Array, *_: Array) -> Array:
        return to_float(obj.forward(to_host(x), **options))

    def declared(x: Array, *params: Array) -> tuple[Array, Callable[[Array], tuple[Array | None, ...]]]:
        def pullback(g: Array) -> tuple[Array | None, ...]:
            input_grad = obj.backward(to_host(g))
            grads = list(obj.grads)
            shapes, expected = [None if d is None else tuple(d.shape) for d in grads], [tuple(p.shape) for p in params]
            if len(grads) != len(params) or any(a not in (None, b) for a, b in zip(shapes, expected, strict=True)):
                raise ValueError(
                    f"`grads` of {type(obj).__name__} must have the shapes of `params`, {expected}. Received: {shapes}"
                )
            return tuple(None if d is None else to_float(d) for d in (input_grad, *grads))

        return value(x, *params), pullback

    op: Callable[..., Array] = custom_vjp(declared, value)
    return op


def _takes_train(forward: Callable[..., Any]) -> bool:
    parameters = inspect.signature(forward).parameters
    return "train" in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())
