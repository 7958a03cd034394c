"""Arithmetic, comparisons and conversions: dtypes, special values and tolerances."""

import numpy as np

from tests.ops.cases.usual import FLOATS, PAIRS, POSITIVE, B, Case, J, K, N, T, X, Y, call

HALVES = np.asarray([-2.5, -1.5, -0.5, 0.5, 1.5, 2.55, -0.0])
ENDS = np.asarray([np.inf, -np.inf, np.nan, 1.0])
SMALL = np.asarray([-3, 100], "int8")
WHOLE = ("subtract", "maximum", "minimum")
LIMITED = ("arcsin", "arccos", "arctanh", "erfinv")

CASES: dict[str, list[Case]] = {
    **{name: [call(np.asarray([0, 1], "int32"))] for name in (*FLOATS.split(), "arcsin", "arccos", "erfinv")},
    **{name: [call(J)] for name in (*POSITIVE.split(), "arccosh")},
    **{name: [call(J, K + 3)] for name in PAIRS.split() if name not in ("add", "multiply", *WHOLE, "fmax", "fmin")},
    **{name: [call(K, J), call(K, 2), call(1.5, X)] for name in WHOLE},
    "add": [call(B, ~B), call(K, J), call(2, X)],
    "multiply": [call(B, ~B), call(K, J), call(2, X)],
    "divide": [call(B, J), call(1, X)],
    "true_divide": [call(K, J), call(B, 2)],
    "divide_no_nan": [call(K, J - 1), call(X, 0.0)],
    "floor_divide": [call(K, -2)],
    "mod": [call(K, -3), call(B, J), call(K, B | True)],
    "fmod": [call(-K, J), call(X, -0.7), call(B, J), call(K, B | True)],
    "absolute": [call(B), call(SMALL)],
    "abs": [call(B)],
    "fabs": [call(B)],
    "trunc": [call(B), call(HALVES)],
    "round": [call(HALVES), call(X, 2), call(100 * X, -1), call(K, 1)],
    "signbit": [call(HALVES), call(np.asarray([0, -1, 2], "int32"))],
    "square": [call(B), call(SMALL)],
    "power": [call(J, 2), call(B, J), call(J, B)],
    "fmax": [call(N, 0.5), call(Y, N), call(X[0], Y)],
    "fmin": [call(N, 0.5), call(Y, N), call(X[0], Y)],
    "clip": [call(X, Y - 1, Y + 1), call(K, 1, 4), call(X, 0.5, 0.25)],
    "heaviside": [call(np.asarray([-1, 0, 2], "int32"), 3), call(np.asarray([0.0, -0.5, 0.5]), 2.5)],
    "nextafter": [call(X, -9.0)],
    "gcd": [call(np.asarray([0, -12, 12, 7], "int32"), np.asarray([0, 18, -8, 0], "int32")), call(J, 4)],
    "lcm": [call(np.asarray([0, -12, 12, 7], "int32"), np.asarray([0, 18, -8, 0], "int32")), call(J, 6)],
    "ldexp": [call(J, np.asarray([1, -1, 3], "int32"))],
    "logaddexp": [call(np.asarray([1000.0, -1000.0]), np.asarray([1000.0, -999.0]))],
    "sinc": [call(np.asarray([0.0, 0.5]))],
    # Comparisons
    **{name: [call(X, X), call(2, K)] for name in ("equal", "not_equal", "less", "less_equal", "greater")},
    "greater_equal": [call(X, X), call(2, K)],
    **{f"logical_{name}": [call(K - 1, J - 1), call(X, B)] for name in ("and", "or", "xor")},
    "logical_not": [call(K), call(np.asarray([0.0, 0.5]))],
    **{f"is{name}": [call(ENDS)] for name in ("finite", "inf", "nan", "posinf", "neginf", "real")},
    "isclose": [
        call(np.asarray([1.0, 1.1, 2.0, 0.0]), np.asarray([1.15, 1.0, 2.0, 0.001]), 0.1, 0.0),
        call(np.asarray([1.0, 1.1, 2.0, 0.0]), np.asarray([1.15, 1.0, 2.0, 0.001]), atol=0.12),
        call(np.asarray([1.0, 1.0, 0.0, 0.0]), np.asarray([1 + 1.5e-5, 1 + 0.9e-5, 1.5e-8, 0.9e-8])),
        call(ENDS, ENDS),
        call(ENDS, ENDS, equal_nan=True),
        call(ENDS, ENDS[::-1].copy(), equal_nan=True),
        call(np.asarray([np.nan, 1.0]), np.asarray([1.0, np.nan]), equal_nan=True),
    ],
    "allclose": [
        call(np.asarray([1.0, 2.0]), np.asarray([1.05, 2.0]), 0.1),
        call(np.asarray([1.0, 2.0]), np.asarray([1.05, 2.0]), 0.0, 0.1),
        call(np.asarray([1.0, 2.0]), np.asarray([1.0, 2.1])),
        call(ENDS, ENDS),
        call(ENDS, ENDS, equal_nan=True),
    ],
    "isin": [
        call(T, T[0, 1:, :2].copy()),
        call(K, 5),
        call(K, np.asarray([1, 5], "int32"), assume_unique=True),
        call(K, np.asarray([[1, 9], [4, 2]], "int32"), True, True),
    ],
    "nan_to_num": [call(ENDS), call(ENDS, 7.0, 2.0, -3.0), call(K), call(ENDS, posinf=5.0), call(ENDS, neginf=5.0)],
    "where": [call(K - 1, X, Y), call(B, K, 0.5), call(B[:, :1].copy(), X, 3)],
    "select": [
        call([B, ~B], [X, Y]),
        call([B, K > 100, X > 0], [X, Y, X + Y], -1.5),
        call([K > 100], [K], 7),
    ],
    # Conversions
    "cast": [call(X, "float64"), call(np.asarray([0.0, 0.5, -2.0]), "bool"), call(K, "bool"), call(X, "float16")],
    "saturate_cast": [
        call(np.asarray([-1e9, 3.7, 1e9]), "int16"),
        call(K * 100, "int8"),
        call(SMALL, "uint8"),
        call(SMALL, "int32"),
        call(B, "float32"),
        call(np.abs(K), "bool"),
        call(np.asarray([1e30, -1e30, 2.0]), "float16"),
    ],
    "convert_to_tensor": [call(X, "float32"), call([1, 0], "bool"), call(K, "float64"), call([[1.5], [2.5]], "int32")],
    "array": [call(X, "float32"), call([1.5, 2.0], dtype="int32")],
}
