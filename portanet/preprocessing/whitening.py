"""Features made uncorrelated, each of variance 1."""

from __future__ import annotations

import numpy as np

from portanet import checks
from portanet.backends import Array, HostArray, raw_namespace, to_host
from portanet.preprocessing.transformer import Transformer, require_features, rows


class _Whitening(Transformer):
    """Learns the mean and, from the eigenvectors of the covariance, a matrix and its inverse."""

    epsilon: float

    def _learn(self, x: Array) -> dict[str, HostArray]:
        xp = raw_namespace(x)
        flat = rows(x)
        mean = xp.mean(flat, axis=0)
        centred = flat - mean
        covariance = to_host(xp.matmul(xp.matrix_transpose(centred), centred)).astype("float64") / flat.shape[0]
        values, vectors = np.linalg.eigh(covariance)
        values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
        # An eigenvector's sign is free; fixed here, so that every backend and machine finds the same one.
        strongest = np.abs(vectors).argmax(axis=0)
        vectors = vectors * np.where(vectors[strongest, np.arange(vectors.shape[1])] < 0, -1.0, 1.0)
        whiten, back = self._matrices(values, vectors)
        shape = np.asarray(x.shape[1:], dtype="int64")
        return {"mean": to_host(mean), "variances": values, "whiten": whiten, "back": back, "shape": shape}

    def _matrices(self, values: HostArray, vectors: HostArray) -> tuple[HostArray, HostArray]:
        """What rows are multiplied by, and what undoes it."""
        raise NotImplementedError

    def _scales(self, values: HostArray) -> HostArray:
        if self.epsilon == 0 and values.min() <= values.max() * 1e-12:
            raise ValueError(
                f"{type(self).__name__} cannot whiten features that depend on each other with epsilon=0; give a small "
                f"epsilon or fewer components. Received: variances from {values.min():.3g} to {values.max():.3g}"
            )
        scales: HostArray = np.sqrt(values + self.epsilon)
        return scales

    def _apply(self, x: Array, numbers: dict[str, Array]) -> Array:
        require_features(type(self).__name__, x, self._shape())
        return raw_namespace(x).matmul(rows(x) - numbers["mean"], numbers["whiten"])

    def _undo(self, x: Array, numbers: dict[str, Array]) -> Array:
        xp = raw_namespace(x)
        require_features(type(self).__name__, rows(x), (numbers["back"].shape[0],))
        found = xp.matmul(rows(x), numbers["back"]) + numbers["mean"]
        return xp.reshape(found, (x.shape[0], *self._shape()))

    def _shape(self) -> tuple[int, ...]:
        """The shape of an example."""
        return tuple(int(n) for n in self.shape_)


class PCAWhitening(_Whitening):
    """Principal components, divided by their standard deviations.

    Args:
        n_components: How many to keep, those of the largest variance; None for all.
        epsilon: Added to the variances, so that directions without variance are not blown up.

    Data: shape (examples, ...). Result: shape (examples, components).

    Example:
        >>> import numpy as np
        >>> x = np.random.default_rng(0).normal(size=(500, 3)) @ np.asarray([[2.0, 1, 0], [0, 1, 1], [0, 0, 0.1]])
        >>> white = PCAWhitening().fit_transform(x)
        >>> bool(np.allclose(white.T @ white / 500, np.eye(3), atol=1e-3))
        True
    """

    def __init__(self, n_components: int | None = None, epsilon: float = 1e-8) -> None:
        self.n_components = (
            None if n_components is None else checks.positive_int("n_components", n_components, type(self))
        )
        self.epsilon = checks.non_negative("epsilon", epsilon, type(self))

    def _matrices(self, values: HostArray, vectors: HostArray) -> tuple[HostArray, HostArray]:
        count = len(values) if self.n_components is None else self.n_components
        if count > len(values):
            expected = f"at most the number of features, {len(values)}"
            raise checks.invalid("n_components", count, expected, type(self))
        scales = self._scales(values[:count])
        return vectors[:, :count] / scales, (vectors[:, :count] * scales).T


class ZCAWhitening(_Whitening):
    """Whitened features as like the original ones as can be: principal components, scaled, and turned back.

    Args:
        epsilon: Added to the variances, so that directions without variance are not blown up.

    Data: shape (examples, ...). Result: the same shape.

    Source: A. Bell and T. Sejnowski, Edges are the independent components of natural scenes (1996).

    Example:
        >>> import numpy as np
        >>> x = np.random.default_rng(0).normal(size=(500, 2)) @ np.asarray([[2.0, 1.0], [0.0, 1.0]]) + 3
        >>> white = ZCAWhitening().fit_transform(x)
        >>> bool(np.allclose(white.T @ white / 500, np.eye(2), atol=1e-3))
        True
    """

    def __init__(self, epsilon: float = 1e-8) -> None:
        self.epsilon = checks.non_negative("epsilon", epsilon, type(self))

    def _matrices(self, values: HostArray, vectors: HostArray) -> tuple[HostArray, HostArray]:
        scales = self._scales(values)
        return (vectors / scales) @ vectors.T, (vectors * scales) @ vectors.T

    def _apply(self, x: Array, numbers: dict[str, Array]) -> Array:
        return raw_namespace(x).reshape(super()._apply(x, numbers), tuple(x.shape))
