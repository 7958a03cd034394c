"""Clusters of examples."""

from __future__ import annotations

import numpy as np

from portanet import random
from portanet.backends import HostArray


def k_means(x: HostArray, clusters: int, iterations: int = 100, seed: int | None = None) -> HostArray:
    """Centres of clusters: the means of the examples nearest to them (Lloyd's algorithm, computed on the host).

    It starts from examples drawn far from each other (k-means++, Arthur and Vassilvitskii 2007).

    Args:
        x: Examples, shape (examples, features).
        clusters: Number of centres.
        iterations: How often to improve them at most.
        seed: Seed of the draws; by default `portanet.random.get_seed()`.

    Returns:
        The centres, shape (clusters, features).

    Example:
        >>> import numpy as np
        >>> x = np.asarray([[0.0], [1.0], [10.0], [11.0]])
        >>> sorted(k_means(x, 2, seed=0).ravel().tolist())
        [0.5, 10.5]
    """
    x = np.asarray(x, dtype="float64")
    if not 1 <= clusters <= x.shape[0]:
        raise ValueError(
            "Argument `clusters` must be between 1 and the number of examples. "
            f"Received: clusters={clusters} for {x.shape[0]} examples"
        )
    generator = random.host_generator("k_means", seed=seed)
    centers = x[[generator.integers(x.shape[0])]]
    while len(centers) < clusters:
        nearest = _distances(x, centers).min(axis=1)
        total = nearest.sum()
        drawn = generator.choice(x.shape[0], p=nearest / total if total > 0 else None)
        centers = np.concatenate([centers, x[[drawn]]])
    for _ in range(iterations):
        labels = _distances(x, centers).argmin(axis=1)
        # A centre without examples stays.
        moved = np.stack([x[labels == k].mean(axis=0) if (labels == k).any() else centers[k] for k in range(clusters)])
        if np.array_equal(moved, centers):
            break
        centers = moved
    return centers


def _distances(x: HostArray, centers: HostArray) -> HostArray:
    """Squared distances, shape (examples, centres); one centre at a time, which needs little memory."""
    found: HostArray = np.stack([((x - center) ** 2).sum(axis=1) for center in centers], axis=1)
    return found
