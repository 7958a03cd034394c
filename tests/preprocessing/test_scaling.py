from __future__ import annotations

import numpy as np
import pytest

import portanet
from portanet.backends import Backend
from portanet.preprocessing import MaxAbsScaler, StandardScaler
from tests.support import assert_close, assert_equal, to_numpy

X = np.random.default_rng(0).normal([1.0, -2.0, 30.0], [1.0, 5.0, 0.1], (50, 3)).astype("float32")


@pytest.mark.parametrize("kind", [StandardScaler, MaxAbsScaler])
def test_against_scikit_learn(backend: Backend, kind: type) -> None:
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    theirs = getattr(preprocessing, kind.__name__)().fit(X)
    x = portanet.asarray(X)
    ours = kind()
    result = ours.fit_transform(x)
    assert_close(result, theirs.transform(X), rtol=1e-3, atol=1e-4)
    assert_close(ours.inverse_transform(result), X, rtol=1e-5)
    assert_equal(x, X)  # the data is unchanged
    np.testing.assert_allclose(ours.scale_, theirs.scale_, rtol=1e-4)


def test_learned_here_and_used_there(backend: Backend) -> None:
    scaler = StandardScaler().fit(X)
    assert_close(scaler.transform(portanet.asarray(X)), scaler.transform(X), rtol=1e-5, atol=1e-5)


def test_constant_features_become_zero(backend: Backend) -> None:
    x = portanet.asarray(np.full((100, 1), 0.1))
    assert np.abs(to_numpy(StandardScaler().fit_transform(x))).max() < 1e-5
    assert_equal(MaxAbsScaler().fit_transform(portanet.asarray(np.zeros((3, 1)))), np.zeros((3, 1)))


def test_options_images_and_lists() -> None:
    result = StandardScaler(with_mean=False).fit_transform([[1.0], [3.0]])
    np.testing.assert_array_equal(result, [[1.0], [3.0]])
    result = StandardScaler(with_std=False).fit_transform(np.asarray([[1], [3]]))
    np.testing.assert_array_equal(result, [[-1.0], [1.0]])
    images = np.random.default_rng(0).random((10, 4, 4, 1))
    assert StandardScaler().fit_transform(images).shape == images.shape
    assert StandardScaler(with_std=False).get_config() == {"with_mean": True, "with_std": False}


@pytest.mark.parametrize(
    ("use", "error", "message"),
    [
        (lambda: StandardScaler().transform(X), RuntimeError, r"StandardScaler must be fitted first"),
        (lambda: StandardScaler().fit(X).transform(X[:, :2]), ValueError, r"shape \(3,\). Received: .*\(2,\)"),
        (lambda: MaxAbsScaler().fit(X).inverse_transform(X[:, :2]), ValueError, r"Received: .*\(2,\)"),
        (lambda: MaxAbsScaler().fit(X[:0]), ValueError, r"at least one example.*\(0, 3\)"),
        (lambda: MaxAbsScaler().fit(np.asarray([["a"]])), TypeError, "numeric"),
        (lambda: StandardScaler().mean_, AttributeError, "mean_"),
    ],
)
def test_bad_input(use, error, message) -> None:
    with pytest.raises(error, match=message):
        use()
