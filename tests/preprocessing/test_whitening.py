from __future__ import annotations

import numpy as np
import pytest

import portanet
from portanet.backends import Backend
from portanet.preprocessing import PCAWhitening, ZCAWhitening
from tests.support import assert_close, assert_equal, to_numpy

GENERATOR = np.random.default_rng(0)
X = (GENERATOR.normal(size=(300, 4)) @ GENERATOR.normal(size=(4, 4)) + 3).astype("float32")


@pytest.mark.parametrize("kind", [PCAWhitening, ZCAWhitening])
def test_what_whitening_is(backend: Backend, kind: type) -> None:
    x = portanet.asarray(X)
    whitening = kind()
    white = whitening.fit_transform(x)
    host = to_numpy(white)
    np.testing.assert_allclose(host.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(host.T @ host / 300, np.eye(4), atol=2e-3)
    assert_close(whitening.inverse_transform(white), X, rtol=1e-3, atol=1e-3)
    assert_equal(x, X)


def test_pca_against_scikit_learn(backend: Backend) -> None:
    decomposition = pytest.importorskip("sklearn.decomposition")
    theirs = decomposition.PCA(2, whiten=True).fit_transform(X.astype("float64"))
    ours = to_numpy(PCAWhitening(2, epsilon=0.0).fit_transform(portanet.asarray(X)))
    # scikit-learn divides by n - 1, and signs of components are free.
    theirs *= np.sqrt(300 / 299) * np.sign((theirs * ours).sum(axis=0))
    np.testing.assert_allclose(ours, theirs, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("count", [1, 2, 3, 4, None])
def test_each_number_of_components(backend: Backend, count: int | None) -> None:
    """The first ones; back again, the examples are projected on them."""
    kept = 4 if count is None else count
    centred = X.astype("float64") - X.mean(axis=0, dtype="float64")
    values, vectors = np.linalg.eigh(centred.T @ centred / 300)
    first = vectors[:, ::-1][:, :kept]
    whitening = PCAWhitening(count)
    white = whitening.fit_transform(portanet.asarray(X))
    host = to_numpy(white)
    assert host.shape == (300, kept)
    expected = centred @ first / np.sqrt(values[::-1][:kept])
    np.testing.assert_allclose(np.abs(host), np.abs(expected), rtol=2e-2, atol=5e-3)
    back = to_numpy(whitening.inverse_transform(white))
    np.testing.assert_allclose(back, centred @ first @ first.T + X.mean(axis=0), rtol=1e-2, atol=5e-3)


def test_zca_is_the_symmetric_root(backend: Backend) -> None:
    centred = X.astype("float64") - X.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred / 300)
    expected = centred @ (vectors / np.sqrt(values)) @ vectors.T
    assert_close(ZCAWhitening(0.0).fit_transform(portanet.asarray(X)), expected, rtol=1e-2, atol=1e-2)


def test_images_keep_their_shape(backend: Backend) -> None:
    images = portanet.asarray(np.random.default_rng(0).random((40, 2, 3, 1)))
    zca, pca = ZCAWhitening(1e-3).fit(images), PCAWhitening(2).fit(images)
    assert tuple(zca.transform(images).shape) == (40, 2, 3, 1)
    assert tuple(pca.transform(images).shape) == (40, 2)
    assert tuple(pca.inverse_transform(pca.transform(images)).shape) == (40, 2, 3, 1)


def test_epsilon_holds_directions_without_variance_down() -> None:
    x = np.stack([X[:, 0], X[:, 0]], axis=1).astype("float64")
    assert np.isfinite(PCAWhitening().fit_transform(x)).all()
    with pytest.raises(ValueError, match=r"epsilon=0; pass a small epsilon"):
        PCAWhitening(epsilon=0.0).fit(x)


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: PCAWhitening(0).fit(X), "`n_components`.*Received: n_components=0"),
        (lambda: PCAWhitening(5).fit(X), "features, 4"),
        (lambda: PCAWhitening(0.5), "`n_components` of PCAWhitening must be a positive integer. Received: n_compo"),
        (lambda: ZCAWhitening(-1.0), "`epsilon`.*Received: epsilon=-1.0"),
        (lambda: ZCAWhitening().fit(X).transform(X[:, :2]), r"fitted to examples of shape \(4,\)"),
    ],
)
def test_bad_input(use, message) -> None:
    with pytest.raises(ValueError, match=message):
        use()
