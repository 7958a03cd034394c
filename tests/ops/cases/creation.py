"""New arrays: dtypes, ends, axes and small sizes."""

from tests.ops.cases.usual import Case, K, V, X, call

CASES: dict[str, list[Case]] = {
    "zeros": [call(()), call([2, 1], "int64"), call(4)],
    "ones": [call((2, 1), "bool"), call(3, dtype="int32")],
    "full": [call((2, 3), 1.5, "int32"), call((2, 3), V), call((), 2.5), call((2,), True)],
    "zeros_like": [call(K), call(K, "float32")],
    "ones_like": [call(K), call(X, "int32")],
    "full_like": [call(K, 2), call(X, V), call(X, 3), call(X, 1.7, "int32"), call(K, 1.5, dtype="float32")],
    "arange": [
        call(2.5),
        call(1, 4),
        call(7, 1, -2),
        call(5, dtype="float32"),
        call(0, 1, 0.25),
        call(2, 9, 3, "int64"),
        call(2, step=1),
        call(1, 6, step=2),
    ],
    "linspace": [
        call(1, 3),
        call(0, 2, 4, False, dtype="float64"),
        call(2.0, 5.0, 1),
        call(2.0, 5.0, 1, endpoint=False),
        call(0, 7, 4, dtype="int32"),
        call(0.5, 3.5, 2),
    ],
    "logspace": [
        call(0, 1),
        call(0, 3, 4, False),
        call(1, 3, 3, base=2),
        call(0, 2, 3, dtype="int32"),
        call(0, 2, 4, endpoint=False, base=3.0),
    ],
    "geomspace": [
        call(1, 8),
        call(1, 8, 3, False),
    ],
    "eye": [call(2, 4), call(3, k=-1), call(3, 2), call(2, 3, 1, "int32"), call(3, dtype="bool")],
    "identity": [call(2, "int32"), call(4)],
    "tri": [call(2, 4), call(3, k=1), call(4, 2, -1, "int32"), call(3, 3, dtype="bool")],
    **{name: [call(4), call(2), call(1)] for name in ("bartlett", "blackman", "hamming", "hanning")},
    "kaiser": [call(4, 0.5), call(6, 5.0), call(1, 2.0)],
}
