"""How a layer is being called: in training or not, and on arrays of which library."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from portanet.autodiff import unwrap
from portanet.backends import ForwardBackend, forward_backend_of, raw_namespace
from portanet.tree import tree_leaves
from portanet.variables import bind

if TYPE_CHECKING:
    from portanet.layers.base import Layer

calling: ContextVar[bool | None] = ContextVar("portanet_calling_in_training", default=None)
"""Whether the calling layer is in training; None outside of calls."""


_part: ContextVar[tuple[int, int] | None] = ContextVar("portanet_part_of_a_batch", default=None)


@contextlib.contextmanager
def part_of_batch(examples: slice) -> Iterator[None]:
    """Inside a `with` block, layers are called on these examples of a batch, whose others are computed elsewhere."""
    token = _part.set((examples.start, examples.stop - examples.start))
    try:
        yield
    finally:
        _part.reset(token)


def elements_before(shape: tuple[int, ...]) -> int:
    """Of a draw for the whole batch, how many elements come before those of this shape, which are for a part of it."""
    part = _part.get()
    if part is None or shape[0] == 1:  # one draw for all
        return 0
    first, count = part
    return math.prod(shape) // count * first


@contextlib.contextmanager
def in_call(training: bool) -> Iterator[None]:
    """Layers called inside a `with` block are parts of one that is being called: their inputs were looked at."""
    token = calling.set(training)
    try:
        yield
    finally:
        calling.reset(token)


def require_backend(layer: Layer, x: Any) -> type[ForwardBackend] | None:
    """Refuse an array of another library than the layer's weights, unless they can become constants there.

    Returns:
        The library in question in the latter case, else None.
    """
    variable = layer.first_variable()
    guest = None
    for leaf in tree_leaves(x) or [x]:
        plain = unwrap(leaf)
        if not hasattr(plain, "dtype") or not hasattr(plain, "shape"):
            raise TypeError(
                f"Layer '{layer.name}' computes with arrays; convert lists and numbers with portanet.asarray(x). "
                f"Received: {type(x).__name__}"
            )
        guest = forward_backend_of(plain)
        if variable is None:
            continue
        theirs, ours = raw_namespace(plain), raw_namespace(unwrap(variable.value))
        if theirs is not ours and (guest is None or not guest.takes(plain, ours)):
            raise TypeError(
                f"Layer '{layer.name}' was built on backend '{variable.backend.name}' and was called with an array "
                f"of {theirs.__name__}. Convert the array with portanet.asarray(x) under "
                f"portanet.use_backend('{variable.backend.name}'), use model.predict(x), which converts, or move "
                f"the model with model.to(...). Received: {type(plain).__name__} of shape {tuple(plain.shape)}"
            )
    return guest


@contextlib.contextmanager
def weights_as_constants(layer: Layer, guest: type[ForwardBackend], training: bool | None) -> Iterator[None]:
    """The weights as arrays of a library that computes forward only, inside a `with` block."""
    if training:
        raise ValueError(
            f"Layer '{layer.name}' computes forward only on arrays of {guest.library}; call it with training=False. "
            "Received: training=True"
        )
    with in_call(training=False), bind({v: guest.constant(v.value) for v in layer.variables}):
        yield
