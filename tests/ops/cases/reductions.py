"""Reductions, quantiles, searching and sorting: axes of three, dtypes, ties, empty arrays and NaN."""

import numpy as np

from tests.ops.cases.usual import REDUCED, RNG, B, Case, J, K, T, V, W, X, call

BYTES = np.asarray([[100, 100, 7], [60, 1, 5]], "uint8")
TIED = np.asarray([[2.0, 1.0, 2.0, 1.0], [0.0, 3.0, 3.0, -1.0], [5.0, 5.0, 5.0, 5.0]])
GAPS = np.where(T > 0.4, np.nan, T)
NONE = np.asarray([[np.nan, np.nan, np.nan], [1.0, np.nan, -2.0]])
ENDS = np.asarray([[np.inf, 1.0], [-np.inf, -np.inf], [1000.0, 1001.0]])
NAN = [name for name in REDUCED.split() if name.startswith("nan")]
METHODS = ("lower", "higher", "midpoint", "nearest")
FRACTIONS = np.asarray([0.1, 0.35, 1.0])
LONG = RNG.uniform(-1, 1, (2, 8, 3))

CASES: dict[str, list[Case]] = {
    **{name: [call(T, axis=1), call(T, (-1, 0)), call(T, 1, True), call(K)] for name in REDUCED.split()},
}
for name in ("sum", "prod"):
    CASES[name] += [call(BYTES, axis=1), call(B), call(BYTES.astype("int16"), axis=0)]
for name in ("max", "min"):
    CASES[name] += [
        call(B, axis=1),
        call(B, axis=0, keepdims=True),
        call(K, axis=1, initial=2),
        call(X, axis=0, initial=0.5),
        call(T, 2, True, -0.2),
    ]
for name in NAN:
    CASES[name] += [call(GAPS, axis=2), call(GAPS, (0, 2), True), call(GAPS)]
for name in ("nanmax", "nanmin", "nansum", "nanprod"):
    CASES[name] += [call(NONE, axis=1), call(NONE, axis=1, keepdims=True)]
CASES |= {
    "prod": [*CASES["prod"], call(BYTES, axis=1, dtype="int32"), call(J, dtype="float32"), call(T, 1, True, "float32")],
    "logsumexp": [*CASES["logsumexp"], call(ENDS, axis=1), call(ENDS[2:] + 1e3, axis=0, keepdims=True), call(-900 + X)],
    **{
        name: [call(K), call(T - T, axis=1), call(np.asarray([[1, 0], [2, 3]], "int32"), axis=1)]
        for name in ("all", "any")
    },
    "count_nonzero": [call(T * (T > 0), axis=(0, 2)), call(B, 1), call(X)],
    "average": [
        call(K, axis=1),
        call(X),
        call(V, weights=np.abs(X[0])),
    ],
    "cumsum": [
        call(T, 1),
        call(B, axis=1),
        call(BYTES, axis=0),
        call(X, 0, "float32"),
        call(K, 1, "float32"),
        call(T, -1),
    ],
    "cumprod": [call(T, 1), call(K, axis=0), call(BYTES, axis=0), call(K, 1, "float32"), call(T, -1)],
    "moments": [call(T, (0, 2)), call(T, 1, True)],
    "nancumsum": [call(GAPS), call(GAPS, 1), call(K, 0, "float32"), call(K)],
    "nancumprod": [call(GAPS), call(GAPS, 1), call(K, 0, "float32"), call(K)],
    **{f"nanarg{name}": [call(GAPS), call(GAPS, 1, True), call(K, 0), call(NONE[1:], 1)] for name in ("max", "min")},
    "median": [call(T, axis=(0, 2)), call(LONG, 1, True), call(K), call(T, -2)],
    "nanmedian": [call(GAPS, axis=(0, 2)), call(GAPS, 1, True), call(K, axis=1)],
    "quantile": [
        *(call(LONG, FRACTIONS, axis=1, method=method) for method in METHODS),
        call(T, FRACTIONS, (0, 2)),
        call(T, 0.3, 1, "higher", True),
        call(K, 0.3, axis=0),
        call(T, FRACTIONS, axis=(0, 1), keepdims=True),
        call(T, FRACTIONS),
    ],
    "nanquantile": [
        call(GAPS, 0.3, 1, "higher", True),
        call(GAPS, FRACTIONS, (0, 2)),
        call(GAPS, FRACTIONS, 1, method="lower"),
    ],
    "percentile": [
        call(T, 30, 1, "higher", True),
        call(LONG, 100 * FRACTIONS, (0, 2), method="midpoint"),
        call(T, 25.0),
    ],
    "nanpercentile": [call(GAPS, 30, 1, "higher", True), call(GAPS, 100 * FRACTIONS, (0, 2)), call(GAPS, 25.0)],
    "histogram": [
        call(np.asarray([1.0, 1.0]), bins=3),
        call(np.asarray([0.0, 1.0, 2.0, 3.0]), 3),
        call(W, 4, (0, 0.5)),
    ],
    # Searching
    **{
        name: [call(T), call(T, 1), call(TIED, 1), call(T, 1, True), call(B, axis=1), call(T, -1)]
        for name in ("argmax", "argmin")
    },
    "argsort": [call(T, 1), call(T, axis=None), call(B, axis=None)],
    "sort": [call(T, 1), call(T, axis=None), call(B, axis=1), call(B, axis=None)],
    "top_k": [call(T, 1), call(T, 4), call(K, 3), call(T, 2, sorted=True)],
    "in_top_k": [
        call(np.asarray([0, 3, 1], "int32"), TIED, 1),
        call(np.asarray([1, 0, 2], "int32"), TIED, 2),
        call(np.asarray([1, 2, 0], "int32"), TIED, 3),
    ],
    "searchsorted": [
        call(np.asarray([1.0, 2, 2, 3]), np.asarray([[2.0, 0.0], [3.0, 9.0]])),
        call(np.sort(V), K.astype("float64"), "right"),
    ],
    "digitize": [
        call(np.asarray([[0.0, 1.0], [3.0, 9.0]]), np.asarray([1.0, 3.0])),
        call(K, np.asarray([0, 3], "int32")),
    ],
    "bincount": [
        call(J[0]),
        call(J, minlength=7),
        call(J, weights=X, minlength=7),
        call(J[0], V, 2),
        call(J[0], minlength=2),
    ],
    "unique": [
        call(np.asarray([3, 1, 3, 2, 1], "int32"), return_inverse=True),
        call(np.asarray([1.0, 0.5, 1.0]), return_counts=True),
        call(np.asarray([3, 1, 3, 2], "int32"), axis=0),
        call(np.asarray([3, 1, 3, 2], "int32"), size=2),
        call(np.asarray([3, 1, 3, 2], "int32"), size=3),
        call(np.asarray([3, 1, 3, 2], "int32"), size=5, fill_value=9),
    ],
    "unravel_index": [call(np.asarray([0, 23, 7], "int32"), (2, 3, 4)), call(np.asarray([[5, 6]], "int32"), (7,))],
}
