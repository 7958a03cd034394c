"""Random programs that take views of arrays, views of views, and write to them."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from portanet.autodiff import array_namespace

Step = Callable[[Any, list[Any]], None]


def program(seed: int, length: int = 12, several: bool = True) -> Callable[[Any], Any]:
    """A function of a matrix of shape (3, 4) that is written with views and writes, the same for each call.

    Args:
        seed: Decides on the program.
        length: The number of its steps.
        several: Whether names of an earlier array may be bound again and deleted.
    """

    def f(x: Any) -> Any:
        draw = random.Random(seed)
        xp = array_namespace(x)
        arrays = [draw.choice([lambda: x, lambda: x * 1.5, lambda: xp.sin(x).T, lambda: start(xp, x)])()]
        for _ in range(length):
            step(draw, xp, arrays, several)
        total = xp.sum(x * x)
        for i, a in enumerate(arrays):
            weights = xp.reshape(xp.arange(1.0, 1.0 + a.size, dtype=x.dtype), a.shape)
            total = total + xp.sum(xp.sin(weights + i) * a * a)
        return total

    return f


def start(xp: Any, x: Any) -> Any:
    """An array that is filled."""
    out = xp.zeros((4, 3), dtype=x.dtype)
    for i in range(4):
        out[i, :] = x[:, i] * (i + 1.0)
    return out


def step(draw: random.Random, xp: Any, arrays: list[Any], several: bool) -> None:
    """One statement."""
    number = draw.randrange(len(arrays))
    a = arrays[number]
    kind = draw.choice(["view", "view", "view", "write", "in place", "in place", "compute", "loop", "forget"])
    if kind == "view":
        arrays.append(view(draw, xp, a))
    elif kind == "write" and a.ndim > 0 and a.size > 0 and number > 0:
        key = index(draw, a.shape)
        b = a[key]
        try:
            a[key] = draw.choice([lambda: 0.3 * b[::-1] if b.ndim else 0.3 * b, lambda: 0.7, lambda: b * b])()
        except ValueError as error:
            if "read-only" not in str(error):
                raise
    elif kind == "in place":
        in_place(draw, arrays, number)
    elif kind == "compute":
        arrays.append(draw.choice([xp.sin, lambda b: b * 0.5 + 0.1, lambda b: xp.flip(b) * b])(a))
    elif kind == "loop" and a.ndim > 1:
        for i, row in enumerate(a):
            scaled(row, 0.9 + 0.05 * i)
    elif kind == "forget" and several and len(arrays) > 2:
        arrays.pop(draw.randrange(len(arrays)))


def in_place(draw: random.Random, arrays: list[Any], number: int) -> None:
    a = arrays[number]
    operand = draw.choice([0.5, a, a[::-1] if a.ndim else a])
    try:
        if draw.random() < 0.5:
            a += operand
        else:
            a *= operand * 0.5
    except ValueError as error:
        if "read-only" not in str(error):
            raise
    arrays[number] = a


def scaled(row: Any, factor: float) -> None:
    try:
        row *= factor
    except ValueError as error:
        if "read-only" not in str(error):
            raise


def index(draw: random.Random, shape: tuple[int, ...]) -> Any:
    """A basic index of an array with axes."""
    keys: list[Any] = []
    for size in shape:
        choice = draw.randrange(4)
        if choice == 0:
            keys.append(draw.randrange(-size, size))
        elif choice == 1:
            keys.append(slice(None))
        elif choice == 2:
            keys.append(slice(draw.randrange(size), None))
        else:
            keys.append(slice(None, None, draw.choice([-1, 2])))
    return tuple(keys)


def view(draw: random.Random, xp: Any, a: Any) -> Any:
    """A view of `a`, or a copy where NumPy makes one."""
    if a.ndim == 0 or a.size == 0:
        return draw.choice([lambda: a, lambda: xp.reshape(a, (1,) * (a.size and 2) or a.shape)])()
    options = [
        lambda: a[index(draw, a.shape)],
        lambda: a[(*index(draw, a.shape)[:1], ...)],
        lambda: a[None, ...],
        lambda: xp.reshape(a, (-1,)),
        lambda: xp.reshape(a, (a.size, 1)),
        lambda: xp.expand_dims(a, axis=draw.randrange(-1, a.ndim)),
        lambda: xp.permute_dims(a, tuple(reversed(range(a.ndim)))),
        lambda: xp.moveaxis(a, 0, -1),
        lambda: xp.flip(a, axis=0),
        lambda: xp.broadcast_to(a, (2, *a.shape)),
        lambda: xp.unstack(a, axis=draw.randrange(a.ndim))[0],
        lambda: xp.broadcast_arrays(a, a[..., :1])[0],
        lambda: xp.asarray(a, copy=True),
        lambda: xp.astype(a, a.dtype, copy=False),
        lambda: xp.asarray(a),
        lambda: a,
    ]
    if a.ndim > 1:
        options += [lambda: a.mT, lambda: xp.linalg.diagonal(a), lambda: xp.matrix_transpose(a)]
    if 1 in a.shape:
        options.append(lambda: xp.squeeze(a, axis=a.shape.index(1)))
    return draw.choice(options)()
