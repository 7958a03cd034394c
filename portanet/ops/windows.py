"""Windows that slide over axes of space: what convolution and pooling share."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from portanet import checks
from portanet.backends import Array, device_of

Margins: TypeAlias = tuple[tuple[int, int], ...]
"""What to add before and after, for each axis of space; negative to cut off."""


@dataclass(frozen=True)
class InputClass:
    """Places a, a + s, a + 2s, ... of an axis of the input (s is the stride): they meet the same places of the window.

    The m-th of the `count` places is seen from position `m + shift - t * apart`, through the t-th of `places`.
    """

    places: range
    shift: int
    apart: int
    count: int

    def margins(self, positions: int) -> tuple[int, int]:
        """What to add around an axis of positions, so that a window over `places` turned round finds those it needs."""
        return (len(self.places) - 1) * self.apart - self.shift, self.shift + self.count - positions

    def margins_of(self, t: int, positions: int) -> tuple[int, int]:
        """What to add around an axis of positions, to have the one that sees each place through the t-th."""
        before = t * self.apart - self.shift
        return before, self.count - positions - before

    def turned(self, size: int) -> slice:
        """Where `places` are in a window of a size that is turned round."""
        places = self.places
        return slice(size - 1 - places[-1], size - places[0], places.step) if len(places) else slice(0, 0)


def input_class(a: int, n: int, k: int, s: int, before: int, d: int) -> InputClass:
    """The class of place `a` of an input of size n, with `before` zeros before it, for a window of size k."""
    common = math.gcd(s, d)
    stride = s // common
    position, remainder = divmod(a + before, s)
    first = next((i for i in range(min(k, stride)) if (i * d - remainder) % s == 0), k)
    shift = position - (first * d - remainder) // s
    return InputClass(range(first, k, stride), shift, d // common, -(-n // s))


@dataclass(frozen=True)
class Window:
    """A window of `size` places for each axis of space, `dilation` apart, that moves by `strides`.

    `padding` is what the input gets before and after on each axis.
    """

    size: tuple[int, ...]
    strides: tuple[int, ...]
    padding: Margins
    dilation: tuple[int, ...]

    @property
    def rank(self) -> int:
        """The number of axes of space."""
        return len(self.size)

    @property
    def spans(self) -> tuple[int, ...]:
        """From the first place to the last, on each axis."""
        return tuple((k - 1) * d + 1 for k, d in zip(self.size, self.dilation, strict=True))

    @property
    def inside(self) -> Window:
        """The same window for an input that has its padding already."""
        return replace(self, padding=((0, 0),) * self.rank)

    def places(self, space: Sequence[int]) -> tuple[int, ...]:
        """How many positions the window takes on each axis of an input of a size."""
        return tuple(
            max(0, (n + before + after - span) // s + 1)
            for n, (before, after), span, s in zip(space, self.padding, self.spans, self.strides, strict=True)
        )

    def along(self, axis: int) -> Window:
        """The part of the window that moves along one axis of space."""

        def only(values: tuple[Any, ...], neutral: Any) -> tuple[Any, ...]:
            return tuple(v if i == axis else neutral for i, v in enumerate(values))

        return Window(only(self.size, 1), only(self.strides, 1), only(self.padding, (0, 0)), only(self.dilation, 1))

    def classes(self, space: Sequence[int]) -> list[tuple[InputClass, ...]]:
        """The classes into which the places of an input of a size fall, as rows of one class for each axis."""
        each = [
            [input_class(a, n, k, s, before, d) for a in range(s)]
            for n, k, s, (before, _), d in zip(space, self.size, self.strides, self.padding, self.dilation, strict=True)
        ]
        return list(itertools.product(*each))

    def key(self, place: Sequence[int], count: Sequence[int]) -> tuple[Any, ...]:
        """The index that takes one place of the window, at each of `count` positions, from a padded input."""
        return (
            slice(None),
            *(
                slice(i * d, i * d + s * (n - 1) + 1, s)
                for i, d, s, n in zip(place, self.dilation, self.strides, count, strict=True)
            ),
            ...,
        )


def window(
    space: Sequence[int],
    size: Sequence[int],
    strides: int | Sequence[int] = 1,
    padding: Any = "valid",
    dilation: int | Sequence[int] = 1,
) -> Window:
    """The window for arguments as users give them.

    Args:
        space: Size of the input on each axis.
        size: Places of the window.
        strides: Step of the window, one for all axes or one for each.
        padding: `"valid"`: none; `"same"`: as many positions as `ceil(space / strides)`, the odd zero after, as Keras
            and TensorFlow; `"full"`: every position that touches the input; `"causal"`: all of it before; an integer,
            one for each axis, or a pair (before, after) for each.
        dilation: Distance of neighbouring places.

    Raises:
        ValueError: An argument is none of these.

    Example:
        >>> [window((10,), (3,), padding=p).places((10,)) for p in ("valid", "same", "full", ((2, 0),))]
        [(8,), (10,), (12,), (10,)]
    """
    rank = len(size)
    steps = checks.integers("strides", strides, rank, least=1)
    apart = checks.integers("dilation", dilation, rank, least=1)
    spans = tuple((k - 1) * d + 1 for k, d in zip(size, apart, strict=True))
    if len(space) != rank:
        raise ValueError(f"A window of {rank} axes needs an input with as many axes of space. Received: {tuple(space)}")
    return Window(tuple(size), steps, _padding(padding, space, spans, steps), apart)


def _padding(padding: Any, space: Sequence[int], spans: tuple[int, ...], strides: tuple[int, ...]) -> Margins:
    rank = len(spans)
    if padding == "valid":
        return ((0, 0),) * rank
    if padding == "full":
        return tuple((k - 1, k - 1) for k in spans)
    if padding == "causal":
        return tuple((k - 1, 0) for k in spans)
    if padding == "same":
        totals = [max((-(-n // s) - 1) * s + k - n, 0) for n, k, s in zip(space, spans, strides, strict=True)]
        return tuple((t // 2, t - t // 2) for t in totals)
    if isinstance(padding, str):
        raise checks.invalid("padding", padding, "'valid', 'same', 'full', 'causal' or numbers of places")
    return checks.pairs("padding", padding, rank)


# What is done with windows; all of it in the standard, for plain and traced arrays alike


def pad(xp: Any, x: Array, margins: Margins, value: float = 0.0) -> Array:
    """Add `value` around the axes of space (those after the first); where a margin is negative, cut off."""
    for axis, (before, after) in reversed(list(enumerate(margins, 1))):
        shape = list(x.shape)
        start, stop = max(0, -before), shape[axis] - max(0, -after)
        if start >= stop:  # nothing of x is left
            shape[axis] += before + after
            x = xp.full(tuple(shape), value, dtype=x.dtype, device=device_of(x))
            continue
        if before < 0 or after < 0:
            x = x[(*(slice(None),) * axis, slice(start, stop), ...)]
        pieces = [x]
        for count, place in ((before, 0), (after, len(pieces) + 1)):
            if count > 0:
                shape[axis] = count
                pieces.insert(place, xp.full(tuple(shape), value, dtype=x.dtype, device=device_of(x)))
        if len(pieces) > 1:
            x = xp.concat(pieces, axis=axis)
    return x


def interleave(xp: Any, parts: Sequence[Array], counts: Sequence[int], space: Sequence[int]) -> Array:
    """Weave arrays together: element `q * counts + i` of the result is element q of part i, on every axis of space.

    Args:
        xp: The namespace.
        parts: As many arrays as the product of `counts`, in row-major order, each of shape (batch, *places, channels).
        counts: How many parts lie side by side on each axis.
        space: What to cut the result down to.
    """
    if len(parts) > 1:
        first = parts[0]
        batch, places, channels = first.shape[0], tuple(first.shape[1:-1]), first.shape[-1]
        woven = list(parts)
        # The last axis first: after it, parts that are neighbours on it have become one.
        for axis in range(len(counts), 0, -1):
            n = counts[axis - 1]
            if n > 1:
                done = tuple(p * c for p, c in zip(places[axis:], counts[axis:], strict=True))
                shape = (batch, *places[: axis - 1], places[axis - 1] * n, *done, channels)
                woven = [xp.reshape(xp.stack(woven[i : i + n], axis=axis + 1), shape) for i in range(0, len(woven), n)]
        x = woven[0]
    else:
        x = parts[0]
    if tuple(x.shape[1:-1]) != tuple(space):
        x = x[(slice(None), *(slice(0, n) for n in space), slice(None))]
    return x
