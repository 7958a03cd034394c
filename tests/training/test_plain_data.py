"""Data that is no plain real array is refused with the remedy, wherever it comes in."""

import numpy as np
import pytest

import portanet
from portanet import layers

X, Y = np.ones((4, 2), dtype="float32"), np.ones((4, 1), dtype="float32")
KINDS = {
    "masked": (lambda a: np.ma.masked_array(a, mask=a > 0), r"x\.filled\(0\)"),
    "matrix": (np.matrix, r"np\.asarray\(x\)"),
    "complex": (lambda a: a + 1j, "real and imaginary parts"),
    "sparse": (lambda a: pytest.importorskip("scipy.sparse").csr_matrix(a), r"x\.toarray\(\)"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_it_is_refused(backend, kind):
    make, remedy = KINDS[kind]
    model = portanet.Sequential([layers.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    calls = [
        lambda: model.fit(make(X), Y, verbose=0),
        lambda: model.fit(X, make(Y), verbose=0),
        lambda: model.evaluate(make(X), Y, verbose=0),
        lambda: model.predict(make(X)),
    ]
    calls += [] if kind == "complex" else [lambda: portanet.asarray(make(X)), lambda: layers.Dense(1)(make(X))]
    for call in calls:
        with pytest.raises(TypeError, match=remedy):
            call()
