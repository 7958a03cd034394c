"""Products and linear algebra: stacks of matrices, axes, orders of norms and other ranks."""

import numpy as np

from tests.ops.cases.usual import RNG, Case, J, K, M, P, T, V, W, X, Y, call

Q = RNG.uniform(-1, 1, (2, 4, 3))
SQUARE = RNG.uniform(-1, 1, (2, 3, 3)) + 2 * np.eye(3)
STACK = SQUARE @ np.swapaxes(SQUARE, 1, 2)
LOW = np.tril(SQUARE)
FOUR = RNG.uniform(-1, 1, (2, 3, 4, 5))
ORDERS = (None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)

CASES: dict[str, list[Case]] = {
    "matmul": [
        call(V, X.T.copy()),
        call(X, V),
        call(T, Q),
        call(K, J.T.copy()),
        call(K.astype("int8"), J.T.astype("int8")),
        call(T[:, None], Q),
        call(V, V),
        call(K, X.T.copy()),
    ],
    "dot": [call(X, V), call(T, Q[0]), call(2.0, T), call(K, J.T.copy())],
    "inner": [call(T, Q[:, :2].swapaxes(1, 2)[..., :1] @ np.ones((1, 4))), call(X, V), call(2.0, X), call(K, J)],
    "outer": [call(X, V), call(K, J)],
    "tensordot": [
        call(T, Q, axes=[[2, 1], [1, 2]]),
        call(T, Q, axes=[2, 1]),
        call(X, Y, axes=0),
        call(K, J, axes=2),
        call(T, Q, axes=(-1, -2)),
        call(T, Q, [[0], [0]]),
        call(X, M[:2]),
    ],
    "kron": [call(X, V), call(V, X), call(T, X), call(K, J), call(X, T)],
    "cross": [
        call(T, T[::-1] + 1, axis=1),
        call(K, J),
    ],
    "einsum": [
        call("abc,acd->abd", T, Q),
        call("abc->b", T),
        call("abc,cd", T, Q[0]),
        call("b a c, c -> a b", T, Q[0, :, 0]),
        call("aab->b", SQUARE[:, :2, :].swapaxes(0, 1)),
        call("iij,j->i", SQUARE[:, :2], V),
        call("a...,a...->...", T, T + 1),
        call("...ab,...bc", T, Q),
        call("ij,jk,kl->il", X, M, X.T.copy()),
        call("i,i->", V, V),
        call("ab,ab->ab", X, Y),
        call("abc,b,ab->ca", T, V, X),
        call("ij,jk->ik", K, J.T.copy()),
        call("a...b->b...a", FOUR),
        call("abc,abc->b", T, T),
        call("ab,cb->", X, P),
        call("...a,b...->...", T, T[0, 0, 0:2, None, None] * np.ones((2, 2, 3))),
    ],
    "rearrange": [
        call(T, "a b c -> c b a"),
        call(T, "a b (c d) -> (d a) c b", d=2),
        call(T, "(x y) b c -> x b (y c)", x=1, y=2),
    ],
    "cdist": [call(T, T[:, :2] + 1), call(X, X[:1] + 1)],
    "correlate": [
        call(V, W),
        call(V, W, "full"),
        call(W, W[:4].copy(), "same"),
        call(K[0], J[0], "full"),
        call(W, V, "valid"),
    ],
    "corrcoef": [call(RNG.uniform(-1, 1, (3, 5))), call(K)],
    "cholesky": [call(STACK), call(STACK, True)],
    "cholesky_inverse": [call(np.linalg.cholesky(STACK))],
    "det": [call(SQUARE), call(np.asarray([[2, 1], [1, 3]], "int32").astype("float32"))],
    "slogdet": [call(-SQUARE), call(SQUARE)],
    "logdet": [call(STACK)],
    "inv": [call(SQUARE)],
    "pinv": [call(T), call(np.diag([3.0, 1.0, 0.1]), 0.05), call(np.diag([3.0, 1.0, 0.1]), rcond=0.2)],
    "matrix_rank": [
        call(np.diag([3.0, 1.0, 0.0])),
        call(np.diag([3.0, 1.0, 0.1]), tol=0.5),
        call(SQUARE),
        call(SQUARE, 0.1),
        call(np.diag([2.0, 1.0]), 1.0),
    ],
    "qr": [call(RNG.uniform(-1, 1, (2, 4, 3))), call(T)],
    "solve": [call(SQUARE, T), call(SQUARE, X)],
    "solve_triangular": [call(LOW, X, True), call(np.swapaxes(LOW, 1, 2), T), call(LOW, T, lower=True)],
    "lstsq": [call(T[0].T.copy(), Q[0, :, :2].copy())],
    "lu_factor": [call(SQUARE), call(np.asarray([[0.0, 1.0, 2.0], [3.0, 4.0, 1.0], [6.0, 1.0, 1.0]]))],
    "norm": [
        call(V, 1),
        call(V, 3),
        call(V, np.inf),
        call(V, -np.inf),
        call(V, 0),
        call(T),
        call(T, axis=1, keepdims=True),
        call(T, np.inf, 1),
        call(T, 3, -2),
        call(K),
        call(V, keepdims=True),
        call(V, 1, None, True),
        call(T, None, (0, 2)),
        call(T, keepdims=True),
        call(T, 1, (2, 0)),
        *(call(T, order, (1, 2)) for order in ORDERS),
        *(call(T, order, (0, 1), True) for order in (None, "nuc", 1)),
        call(X, 1),
        call(X, "nuc", keepdims=True),
        call(X, ord=np.inf),
    ],
}
