from __future__ import annotations

import numpy as np
import pytest

import portanet
from portanet.backends import Backend
from portanet.preprocessing import choose_centers, k_means


def test_clusters_that_are_apart_are_found() -> None:
    generator = np.random.default_rng(0)
    truth = np.asarray([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    x = np.concatenate([center + generator.normal(size=(40, 2)) for center in truth])
    for seed in range(5):
        result = k_means(x, 3, seed=seed)
        nearest = ((result[:, None] - truth[None]) ** 2).sum(axis=-1).argmin(axis=1)
        assert sorted(nearest) == [0, 1, 2]
        np.testing.assert_allclose(result, truth[nearest], atol=0.6)


def test_against_scikit_learn() -> None:
    cluster = pytest.importorskip("sklearn.cluster")
    x = np.random.default_rng(1).normal(size=(200, 3))
    ours = k_means(x, 4, seed=0)
    again = cluster.KMeans(4, init=ours, n_init=1).fit(x).cluster_centers_
    np.testing.assert_allclose(ours, again, atol=1e-6)  # a fixed point of scikit-learn's, too


def test_same_seed_same_centres_and_points_that_coincide() -> None:
    x = np.random.default_rng(1).normal(size=(50, 3))
    np.testing.assert_array_equal(k_means(x, 4, seed=3), k_means(x, 4, seed=3))
    np.testing.assert_array_equal(k_means(np.ones((5, 2)), 3, seed=0), np.ones((3, 2)))


def test_centres_from_arrays_of_any_library(backend: Backend) -> None:
    x = np.asarray([[0.0, 0.0], [3.0, 4.0], [3.0, 0.0]], dtype="float32")
    centers, distance = choose_centers(portanet.asarray(x), 3, "sample", seed=0)
    assert sorted(centers.tolist()) == sorted(x.tolist())
    assert distance == pytest.approx(5.0)


def test_bad_input() -> None:
    with pytest.raises(ValueError, match=r"`clusters` of k_means must be at most the number of examples, 2. Received:"):
        k_means(np.ones((2, 1)), 3)
    with pytest.raises(ValueError, match=r"Received: method='grid'"):
        choose_centers(np.ones((2, 1)), 1, "grid")
    with pytest.raises(
        ValueError, match=r"`count` of choose_centers must be at most the number of examples, 2. Received: count=3"
    ):
        choose_centers(np.ones((2, 1)), 3)
