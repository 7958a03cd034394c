"""Indexing, slices, scattering and segments: axes in the middle, negative indices, keys of several kinds."""

import numpy as np

from tests.ops.cases.usual import RNG, Case, K, M, T, V, W, X, Y, call

Q = RNG.uniform(-1, 1, (2, 3, 4, 5))
ROWS = np.asarray([2, 0, -1, 1])
MANY = np.asarray([2, 0, 2, 1, 2, 0, 2])
DATA = RNG.uniform(-1, 1, (7, 2, 3))
PAIRS = np.asarray([[1, 2], [0, -1], [1, 2], [1, 2], [0, 0]])
KEYS = [
    0,
    -1,
    slice(1, None),
    (0, slice(None, None, 2)),
    (..., 1),
    (..., -2, None),
    (None, 1),
    (slice(None), None, slice(0, 2)),
    (..., slice(None, 2), 1, slice(1, None)),
    (slice(None), 1, ..., slice(None, None, 2)),
    ...,
]

CASES: dict[str, list[Case]] = {
    "take": [
        call(T, ROWS, 1),
        call(T, ROWS, -2),
        call(T, np.asarray([[1, 0], [-1, 2]]), axis=2),
        call(T, -2, axis=1),
        call(K, ROWS.astype("int32"), 1),
    ],
    "take_along_axis": [
        call(T, np.asarray([[[1], [0]], [[-1], [2]]]), 1),
        call(T, np.asarray([0, 5, 1])),
        call(T, RNG.integers(0, 2, (1, 3, 4)), 0),
        call(T, RNG.integers(-4, 4, (2, 3, 5)), axis=-1),
        call(T[:1], RNG.integers(0, 3, (2, 2, 4)), axis=1),
        call(T, RNG.integers(0, 3, (1, 2, 4)), axis=-2),
    ],
    "get_item": [
        *(call(Q, key) for key in KEYS),
        call(Q, np.asarray([1, 0])),
        call(Q, (slice(None), ROWS[:2])),
        call(Q, (slice(1, None), slice(None, 2), ROWS)),
        call(Q, (..., ROWS)),
        call(Q, (..., ROWS, slice(1, 4))),
        call(Q, (0, ..., ROWS)),
        call(Q, (0, slice(None), ROWS)),
        call(Q, (slice(None), None, ROWS, slice(0, 3))),
        call(Q, (..., ROWS, slice(None), slice(None))),
        call(Q, (ROWS[1:2], ..., slice(0, 2))),
        call(X, K > 1),
        call(Q, (np.asarray([0, 1, 1]), np.asarray([2, 0, 1]))),
    ],
    "slice": [
        call(T, (1, 0, 1), (1, 3, 2)),
        call(T, np.asarray([1, 2, 1], "int32"), (1, 1, 3)),
        call(T, [0, 1], [2, 2]),
        call(W, (3,), (2,)),
    ],
    "slice_update": [
        call(T, (1, 0, 2), T[:1, :2, :2] + 1),
        call(K, (1, 0), np.asarray([[7, 8]], "int32")),
        call(T, np.asarray([0, 1, 1], "int32"), T[:, :1, :3] + 1),
        call(X, [1, 1], Y[:1, :2]),
    ],
    "scatter": [
        call(np.asarray([[1, 2], [0, -1], [1, 2]]), DATA[:3, 0], (2, 4, 3)),
        call(np.asarray([[0], [-1]]), DATA[:2], (3, 2, 3)),
        call(np.asarray([[0, 1, 2], [1, 2, 3]]), V[:2], (2, 3, 4)),
        call(np.asarray([[1], [0], [1]]), K[0], [3]),
    ],
    "scatter_update": [
        call(T, np.asarray([[1, 2], [0, -1]]), DATA[:2, 0, :1] + np.zeros((2, 4))),
        call(K, np.asarray([[1, 2], [0, 0]]), np.asarray([9, 8], "int32")),
        *(call(K, PAIRS % 2, np.asarray([3, -4, 5, -7, 2], "int32"), mode) for mode in ("add", "max", "min", "mul")),
        *(call(T, PAIRS, RNG.uniform(-1, 1, (5, 4)), reduction=mode) for mode in ("add", "max", "min", "mul")),
    ],
    **{
        f"segment_{name}": [
            call(DATA, MANY),
            call(DATA, MANY, 4),
            call(DATA, MANY, num_segments=2),
            call(DATA, np.sort(MANY), None, True),
            call(DATA, MANY, 3, sorted=False),
            call(M, np.asarray([0, 0, 1]), 2),
        ]
        for name in ("sum", "max", "min")
    },
}
