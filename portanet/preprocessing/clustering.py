"""Clustering of examples, and centres for radial basis functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from portanet import checks, random
from portanet.backends import HostArray, to_host


def choose_centers(x: Any, count: int, method: str = "k_means", seed: int | None = None) -> tuple[HostArray, float]:
    """Centres among examples, and the largest distance between two of them.

    Args:
        x: Examples, shape (examples, features): an array of any library.
        count: Number of centres.
        method: `"k_means"` for the centres of clusters, `"sample"` for examples drawn without replacement.
        seed: Seed of the draws; by default `portanet.random.get_seed()`.

    Returns:
        NumPy array of shape (count, features), and the distance.

    Example:
        >>> import numpy as np
        >>> centers, distance = choose_centers(np.asarray([[0.0, 0.0], [3.0, 4.0]]), 2, "sample", seed=0)
        >>> distance
        5.0
    """
    host = _examples(x, "choose_centers")
    if checks.positive_int("count", count, "choose_centers") > host.shape[0]:
        expected = f"at most the number of examples, {host.shape[0]}"
        raise checks.invalid("count", count, expected, "choose_centers")
    checks.choice("method", method, ("k_means", "sample"), "choose_centers")
    if method == "sample":
        centers = host[random.host_generator("sample", seed=seed).choice(host.shape[0], count, replace=False)]
    else:
        centers = k_means(host, count, seed=seed)
    differences = centers[:, None, :] - centers[None, :, :]
    return centers, float(np.sqrt((differences**2).sum(axis=-1).max()))


def k_means(x: HostArray, clusters: int, iterations: int = 100, seed: int | None = None) -> HostArray:
    """Centres of clusters: the means of the examples nearest to them (Lloyd's algorithm, computed on the host).

    It is initialised by greedy k-means++ (Arthur and Vassilvitskii 2007).

    Args:
        x: Examples, shape (examples, features).
        clusters: Number of centres.
        iterations: Maximum number of iterations.
        seed: Seed of the draws; by default `portanet.random.get_seed()`.

    Returns:
        The centres, shape (clusters, features).

    Example:
        >>> import numpy as np
        >>> x = np.asarray([[0.0], [1.0], [10.0], [11.0]])
        >>> sorted(k_means(x, 2, seed=0).ravel().tolist())
        [0.5, 10.5]
    """
    x = _examples(x, "k_means").astype("float64")
    checks.positive_int("iterations", iterations, "k_means")
    if checks.positive_int("clusters", clusters, "k_means") > x.shape[0]:
        raise checks.invalid("clusters", clusters, f"at most the number of examples, {x.shape[0]}", "k_means")
    generator = random.host_generator("k_means", seed=seed)
    centers = x[[generator.integers(x.shape[0])]]
    while len(centers) < clusters:
        nearest = _distances(x, centers).min(axis=1)
        total = nearest.sum()
        candidates = generator.choice(x.shape[0], 2 + int(math.log(clusters)), p=nearest / total if total > 0 else None)
        # The candidate that minimizes the sum of distances to the nearest centre.
        sums = np.minimum(nearest[:, None], _distances(x, x[candidates])).sum(axis=0)
        centers = np.concatenate([centers, x[[candidates[sums.argmin()]]]])
    for _ in range(iterations):
        labels = _distances(x, centers).argmin(axis=1)
        # A centre without examples does not move.
        means = np.stack([x[labels == k].mean(axis=0) if (labels == k).any() else centers[k] for k in range(clusters)])
        if np.array_equal(means, centers):
            break
        centers = means
    return centers


def _examples(x: Any, of: str) -> HostArray:
    host = to_host(x)
    if host.ndim != 2 or host.dtype.kind not in "biuf":
        received = f"an array of shape {host.shape} and dtype {host.dtype}"
        raise ValueError(
            f"Argument `x` of {of} must be an array of numbers of shape (examples, features). Received: {received}"
        )
    return host


def _distances(x: HostArray, centers: HostArray) -> HostArray:
    """Squared distances, shape (examples, centres); one centre at a time to save memory."""
    distances: HostArray = np.stack([((x - center) ** 2).sum(axis=1) for center in centers], axis=1)
    return distances
