"""Shapes, joins, splits and padding: axes of arrays of three and one, and options of each."""

import numpy as np

from tests.ops.cases.usual import RNG, B, Case, J, K, M, T, V, X, Y, call

Q = RNG.uniform(-1, 1, (2, 3, 4, 5))
F = RNG.uniform(-1, 1, 4)
SIX = RNG.uniform(-1, 1, (2, 6, 3))

CASES: dict[str, list[Case]] = {
    "shape": [call(V)],
    "ndim": [call(V)],
    "size": [call(V)],
    "reshape": [call(T, 24), call(T, [3, -1, 2]), call(T[:1, 0, 0].copy(), ())],
    "transpose": [call(T, (2, 0, 1)), call(T, (-1, 0, -2)), call(V)],
    "swapaxes": [call(T, -2, 0), call(T, 1, 2), call(T, 1, -1)],
    "moveaxis": [call(T, -1, 0), call(T, 1, 2), call(T, [0, 2], [2, 0]), call(Q, (0, 1), (-1, -2))],
    "expand_dims": [call(T, -1), call(T, 0), call(X, (1, -1)), call(X, (3, 0))],
    "squeeze": [call(T[:1, :, :1].copy()), call(T[:1, :, :1].copy(), axis=2), call(T[:1, :, :1].copy(), -1)],
    "broadcast_to": [call(X[:, None], (2, 4, 3)), call(X[:, :1].copy(), (5, 2, 3)), call(V, (3,))],
    "flip": [call(T, 1), call(T, (0, 2)), call(T, axis=-1), call(T)],
    "fliplr": [call(T)],
    "flipud": [call(T)],
    "roll": [call(T, 2), call(T, -1, 1), call(T, (1, 2), (0, 2)), call(T, [1, 3], [2, 1]), call(T, 1, -1)],
    "rot90": [call(X, k=2), call(X, k=-1), call(X, 5), call(T, 1, (1, 2)), call(T, axes=(2, 0)), call(X, k=0)],
    "concatenate": [
        call([T, T[:, :2]], 1),
        call([K, X]),
        call([K, K > 1], 1),
        call([X], 0),
    ],
    "append": [call(T, T[:, :2].copy(), axis=1), call(K, X), call(V, X), call(X, Y, -1)],
    "stack": [call([X, Y, X], 1), call([K, X]), call([X, Y], axis=-2), call([X, Y])],
    "hstack": [call([T, T[:, :1]]), call([np.asarray(1.5), np.asarray(2.0)]), call([K, X])],
    "vstack": [call([T, T[:1]]), call([X, V]), call([np.asarray(1.5), np.asarray(2.0)]), call([K, X])],
    "dstack": [call([T, T[:, :, :1]]), call([np.asarray(1.5), np.asarray(2.0)]), call([K, X])],
    "split": [
        call(T, 2),
        call(T, 3, 1),
        call(T, 2, -1),
        call(SIX, [1, 4, 4], 1),
        call(SIX, (2, 3), axis=-2),
        call(SIX, np.asarray([1, 4]), axis=1),
        call(T, 1),
    ],
    "array_split": [call(SIX, 4, 1), call(SIX, 3, axis=1), call(V, 4)],
    "hsplit": [call(T, 3), call(T, [1]), call(V, 3)],
    "vsplit": [call(T, 2), call(M, [1])],
    "dsplit": [call(T, [1, 2]), call(T, 4)],
    "unstack": [call(T, 3, 1), call(T, axis=-1), call(T)],
    "repeat": [
        call(T, 2),
        call(T, 3, -2),
        call(T, np.asarray([2, 1]), axis=0),
        call(V, np.asarray([0, 2, 1])),
    ],
    "tile": [call(V, (2, 3)), call(T, (1, 2, 3)), call(T, (2, 1))],
    "meshgrid": [call(V, F), call(V, F, X[0], indexing="xy"), call(V, F, X[0, :2], indexing="ij"), call(V)],
    "pad": [
        call(X, [[0, 1], [2, 0]]),
        call(T, ((0, 0), (2, 0), (0, 1))),
        call(X, ((0, 0), (2, 2)), mode="reflect"),
        call(K, ((1, 0), (0, 1)), constant_values=7),
        call(T, ((1, 0), (0, 2), (3, 0)), "constant", 2),
    ],
    "tril": [call(T, 1), call(T, k=-1), call(T)],
    "triu": [call(T, 1), call(T, k=-1), call(T)],
    "diag": [call(T[0]), call(T[0], -1), call(V), call(V, k=2), call(T[0], k=2)],
    "diagflat": [call(X, -1), call(X), call(V, 2), call(K, 1)],
    "diagonal": [call(T, 1), call(T, -1, 1, 2), call(T, axis1=2, axis2=0), call(Q, 1, 3, 1), call(T, axis2=2)],
    "trace": [call(T), call(T, 1), call(T, -1, 1, 2), call(K.astype("int8")), call(B), call(Q, 1, 3, 1)],
    "diff": [call(T, 2, 1), call(T, axis=-2), call(B), call(K, 1, 0), call(T, n=3)],
    "vander": [call(V, 4), call(K[0], 3), call(V, increasing=True), call(V, 1)],
    "trapezoid": [
        call(T, axis=1),
        call(T, V, axis=1),
        call(T, T + np.arange(4.0)),
        call(K),
        call(T, None, 0.5, 0),
        call(K, J),
        call(T, T * 2 + np.arange(3.0)[:, None], axis=1),
    ],
}
