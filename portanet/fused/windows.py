"""Sliding windows over spatial axes, shared by convolution and pooling."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from portanet import checks
from portanet.backends import Array, device_of

Margins: TypeAlias = tuple[tuple[int, int], ...]
"""Padding before and after each spatial axis; negative values crop."""


@dataclass(frozen=True)
class InputClass:
    """Indices a, a + s, a + 2s, ... of an axis of the input (s is the stride): they meet the same window elements.

    The window at position `m + shift - t * spacing` has its element `elements[t]` at the m-th of the `count` indices.
    """

    elements: range
    shift: int
    spacing: int
    count: int

    def margins(self, positions: int) -> tuple[int, int]:
        """Padding of an axis of positions for the convolution with the flipped `elements`."""
        return (len(self.elements) - 1) * self.spacing - self.shift, self.shift + self.count - positions

    def margins_of(self, t: int, positions: int) -> tuple[int, int]:
        """Padding of an axis of positions that aligns the t-th element of `elements` with the indices."""
        before = t * self.spacing - self.shift
        return before, self.count - positions - before

    def flipped(self, size: int) -> slice:
        """The slice of `elements` in the flipped window of a size."""
        elements = self.elements
        return slice(size - 1 - elements[-1], size - elements[0], elements.step) if len(elements) else slice(0, 0)


def input_class(a: int, n: int, k: int, s: int, before: int, d: int) -> InputClass:
    """The class of index `a` of an input of size n, padded by `before`, for a window of size k."""
    common = math.gcd(s, d)
    stride = s // common
    position, remainder = divmod(a + before, s)
    first = next((i for i in range(min(k, stride)) if (i * d - remainder) % s == 0), k)
    shift = position - (first * d - remainder) // s
    return InputClass(range(first, k, stride), shift, d // common, -(-n // s))


@dataclass(frozen=True)
class Window:
    """A window of `size` elements per spatial axis, `dilation` apart, that moves by `strides`.

    `padding` is that of the input, before and after each axis.
    """

    size: tuple[int, ...]
    strides: tuple[int, ...]
    padding: Margins
    dilation: tuple[int, ...]

    @property
    def rank(self) -> int:
        """The number of spatial axes."""
        return len(self.size)

    @property
    def spans(self) -> tuple[int, ...]:
        """The extent from the first element to the last, per axis."""
        return tuple((k - 1) * d + 1 for k, d in zip(self.size, self.dilation, strict=True))

    @property
    def inside(self) -> Window:
        """The same window for an input that is padded already."""
        return replace(self, padding=((0, 0),) * self.rank)

    def positions(self, space: Sequence[int]) -> tuple[int, ...]:
        """The number of positions on each axis of an input of size `space`."""
        return tuple(
            max(0, (n + before + after - span) // s + 1)
            for n, (before, after), span, s in zip(space, self.padding, self.spans, self.strides, strict=True)
        )

    def beyond(self, space: Sequence[int]) -> Window:
        """The window with the padding after each axis that a last, incomplete position needs.

        It must begin within the input or the padding before it, as in PyTorch.
        """
        margins = []
        for n, (before, after), span, s in zip(space, self.padding, self.spans, self.strides, strict=True):
            last = -(-(n + before + after - span) // s)  # the number of the position
            last -= last * s >= n + before
            margins.append((before, after + max(0, last * s + span - n - before - after)))
        return replace(self, padding=tuple(margins))

    def along(self, axis: int) -> Window:
        """The window along one spatial axis alone."""

        def only(values: tuple[Any, ...], neutral: Any) -> tuple[Any, ...]:
            return tuple(v if i == axis else neutral for i, v in enumerate(values))

        return Window(only(self.size, 1), only(self.strides, 1), only(self.padding, (0, 0)), only(self.dilation, 1))

    def classes(self, space: Sequence[int]) -> list[tuple[InputClass, ...]]:
        """The classes of indices of an input of size `space`, as tuples of one class per axis."""
        per_axis = [
            [input_class(a, n, k, s, before, d) for a in range(s)]
            for n, k, s, (before, _), d in zip(space, self.size, self.strides, self.padding, self.dilation, strict=True)
        ]
        return list(itertools.product(*per_axis))

    def key(self, element: Sequence[int], count: Sequence[int]) -> tuple[Any, ...]:
        """The index of one element of the window in a padded input, at each of `count` positions."""
        return (
            slice(None),
            *(
                slice(i * d, i * d + s * (n - 1) + 1, s)
                for i, d, s, n in zip(element, self.dilation, self.strides, count, strict=True)
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
    """The window for arguments in their public form.

    Args:
        space: Size of the input on each axis.
        size: Size of the window on each axis.
        strides: Step of the window, one for all axes or one per axis.
        padding: `"valid"`: none; `"same"`: as many positions as `ceil(space / strides)`, the odd zero after, as in
            Keras; `"full"`: every position that touches the input; `"causal"`: all padding before; an integer, one per
            axis, or a pair (before, after) per axis.
        dilation: Distance between neighbouring elements.

    Raises:
        ValueError: An argument is none of these.

    Example:
        >>> [window((10,), (3,), padding=p).positions((10,)) for p in ("valid", "same", "full", ((2, 0),))]
        [(8,), (10,), (12,), (10,)]
    """
    rank = len(size)
    steps = checks.integers("strides", strides, rank, least=1)
    spacing = checks.integers("dilation", dilation, rank, least=1)
    spans = tuple((k - 1) * d + 1 for k, d in zip(size, spacing, strict=True))
    if len(space) != rank:
        raise ValueError(f"A window of {rank} axes needs an input with as many spatial axes. Received: {tuple(space)}")
    return Window(tuple(size), steps, _padding(padding, space, spans, steps), spacing)


@functools.lru_cache(maxsize=1024)
def window_of(
    space: tuple[int, ...], size: tuple[int, ...], strides: tuple[int, ...], padding: Any, dilation: tuple[int, ...]
) -> Window:
    """The window for arguments that have been checked."""
    return window(space, size, strides, padding, dilation)


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
        raise checks.invalid("padding", padding, "'valid', 'same', 'full', 'causal' or integers")
    return checks.pairs("padding", padding, rank)


# Padding and interleaving, in the standard, for plain and traced arrays alike


def pad(xp: Any, x: Array, margins: Margins, value: float = 0.0) -> Array:
    """Pad the spatial axes (those after the first) with `value`; negative margins crop."""
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
        for count, index in ((before, 0), (after, len(pieces) + 1)):
            if count > 0:
                shape[axis] = count
                pieces.insert(index, xp.full(tuple(shape), value, dtype=x.dtype, device=device_of(x)))
        if len(pieces) > 1:
            x = xp.concat(pieces, axis=axis)
    return x


EXTENSIONS = ("reflect", "replicate", "circular")
"""How an input goes on beyond its ends, beside zeros: PyTorch's names."""


def extend(xp: Any, x: Array, margins: Margins, mode: str) -> Array:
    """Pad the spatial axes with elements of the input: see `EXTENSIONS`.

    Raises:
        ValueError: An axis has too few elements.

    Example:
        >>> import numpy as np
        >>> [extend(np, np.asarray([[1, 2, 3]]), ((2, 1),), mode).tolist() for mode in EXTENSIONS]
        [[[3, 2, 1, 2, 3, 2]], [[1, 1, 1, 2, 3, 3]], [[2, 3, 1, 2, 3, 1]]]
    """
    for axis, (before, after) in enumerate(margins, 1):
        size, most = x.shape[axis], max(before, after)
        if not most:
            continue
        if size < {"reflect": most + 1, "circular": most}.get(mode, 1):
            raise ValueError(
                f"An axis of {size} elements is too short for {most} more by {mode!r}. Received: {margins}"
            )

        def part(start: int, stop: int, x: Array = x, axis: int = axis) -> Array:
            return x[(*(slice(None),) * axis, slice(start, stop), ...)]

        if mode == "replicate":
            pieces = [part(0, 1)] * before + [x] + [part(size - 1, size)] * after
        elif mode == "circular":
            pieces = [part(size - before, size), x, part(0, after)]
        else:
            pieces = [xp.flip(part(1, before + 1), axis=axis), x, xp.flip(part(size - 1 - after, size - 1), axis=axis)]
        x = xp.concat(pieces, axis=axis)
    return x


def interleave(xp: Any, parts: Sequence[Array], counts: Sequence[int], space: Sequence[int]) -> Array:
    """Interleave arrays: element `q * counts + i` of the result is element q of part i, on every spatial axis.

    Args:
        xp: The namespace.
        parts: As many arrays as the product of `counts`, in row-major order, each of shape (batch, *sizes, channels).
        counts: Number of parts to interleave on each axis.
        space: Size to crop the result to.
    """
    if len(parts) > 1:
        first = parts[0]
        batch, sizes, channels = first.shape[0], tuple(first.shape[1:-1]), first.shape[-1]
        arrays = list(parts)
        # The last axis first, so that the parts to join next are adjacent.
        for axis in range(len(counts), 0, -1):
            n = counts[axis - 1]
            if n > 1:
                done = tuple(p * c for p, c in zip(sizes[axis:], counts[axis:], strict=True))
                shape = (batch, *sizes[: axis - 1], sizes[axis - 1] * n, *done, channels)
                groups = (arrays[i : i + n] for i in range(0, len(arrays), n))
                arrays = [xp.reshape(xp.stack(group, axis=axis + 1), shape) for group in groups]
        x = arrays[0]
    else:
        x = parts[0]
    if tuple(x.shape[1:-1]) != tuple(space):
        x = x[(slice(None), *(slice(0, n) for n in space), slice(None))]
    return x
