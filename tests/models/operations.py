"""Functions of symbolic arrays, written so that `ops` may be portanet's or Keras's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

C = np.asarray([0.5, -1.0, 2.0], dtype="float32")
M = np.asarray([[0.5, -1.0], [2.0, 0.25], [1.0, 3.0]], dtype="float32")
EYE = 3 * np.eye(3, dtype="float32")
WEIGHTS = np.random.default_rng(3).normal(size=(4, 3)).astype("float32")

VECTORS, STEPS = (3,), (4, 3)
"""Shapes of one example."""

CASES: dict[str, tuple[list[tuple[int, ...]], Callable[..., Any]]] = {
    "numbers": ([VECTORS], lambda ops, x: (1 - x) / 2 + 3 * x - x * 2 + (2 - x) / 4 + 1 / (x**2 + 2)),
    "two arrays": ([VECTORS, VECTORS], lambda ops, x, y: x + y - x * y + x / (2 + abs(y))),
    "constants": ([VECTORS], lambda ops, x: x * C + C - x / C),
    "constants on the left": ([VECTORS], lambda ops, x: C * x + (C - x) + C / (1 + x**2)),
    "remainders": ([VECTORS], lambda ops, x: x % 2 + x // 0.5 + (7 % (2 + abs(x))) + 7 // (2 + abs(x))),
    "powers": ([VECTORS], lambda ops, x: 2**x + abs(x) ** 0.5 + abs(x) ** abs(x)),
    "one operand": ([VECTORS], lambda ops, x: -x + abs(x) + ops.round(x)),
    "matrices": ([VECTORS, STEPS], lambda ops, x, s: x @ M + (s @ M)[:, 0, :]),
    "a matrix on the left": ([STEPS], lambda ops, s: WEIGHTS.T @ s),
    "conditions": ([VECTORS, VECTORS], lambda ops, x, y: ops.where((x > 0) & (y <= 1) | (x < -1), x, y)),
    "comparisons": (
        [VECTORS, VECTORS],
        lambda ops, x, y: (
            ops.cast((x >= y) ^ (x != 0) ^ ~(y < 0), "float32") + ops.cast(C > x, "float32")  # noqa: SIM300 -- on purpose
        ),
    ),
    "booleans": ([VECTORS], lambda ops, x: x > 0),
    "indices": ([STEPS], lambda ops, s: s[:, 0] + s[..., -1, :] + s[:, 1:3].reshape((-1, 6))[:, :3] * s[:, 2, 0:1]),
    "an index of integers": ([STEPS], lambda ops, s: s[:, np.asarray([0, 2])]),
    "new axes": ([VECTORS], lambda ops, x: x[:, None, :] * x[:, :, None]),
    "reductions": ([STEPS], lambda ops, s: ops.mean(s, axis=1) + ops.sum(s, axis=-2) - ops.max(s, axis=1)),
    "a kept axis": ([STEPS], lambda ops, s: s / ops.sqrt(ops.sum(s**2, axis=-1, keepdims=True))),
    "the mean of all": ([VECTORS], lambda ops, x: x - ops.mean(x)),
    "shapes": ([STEPS], lambda ops, s: ops.reshape(ops.transpose(s, (0, 2, 1)), (-1, 12))),
    "a known part of the shape": ([STEPS], lambda ops, s: ops.reshape(s, (-1, ops.shape(s)[1] * ops.shape(s)[2]))),
    "an unknown part of the shape": ([STEPS], lambda ops, s: ops.reshape(s, (ops.shape(s)[0], 12))),
    "groups": ([STEPS], lambda ops, s: ops.reshape(s, (-1, 3))),
    "lists": ([VECTORS, VECTORS], lambda ops, x, y: ops.concatenate([x, ops.stack([y, x], axis=1)[:, 0]], axis=-1)),
    "several outputs": ([STEPS], lambda ops, s: ops.split(s, 2, axis=1)),
    "one of several outputs": ([STEPS], lambda ops, s: ops.split(s, [1, 3], axis=1)[1] * 2),
    "by keyword": ([VECTORS, VECTORS], lambda ops, x, y: ops.add(x2=x, x1=ops.exp(x=y))),
    "einsum": ([VECTORS, STEPS], lambda ops, x, s: ops.einsum("bi,bsi->bs", x, s)),
    "largest": ([STEPS], lambda ops, s: ops.argmax(s, axis=-1)),
    "dtypes": ([VECTORS], lambda ops, x: ops.cast(ops.cast(x, "int32"), "float32") + ops.ones_like(x)),
    "one hot": ([STEPS], lambda ops, s: ops.one_hot(ops.argmax(s, axis=-1), 3)),
    "of linear algebra": ([(3, 3)], lambda ops, a: ops.inv(ops.matmul(a, ops.swapaxes(a, -1, -2)) + EYE)),
    "composed": ([STEPS], lambda ops, s: ops.softmax(ops.relu(s) - ops.sigmoid(s), axis=-1)),
}
"""Shapes of the inputs, and the function."""


def drawn(shapes: list[tuple[int, ...]], batch: int = 2) -> list[Any]:
    """Data for inputs of these shapes."""
    rng = np.random.default_rng(1)
    return [rng.normal(size=(batch, *shape)).astype("float32") for shape in shapes]
