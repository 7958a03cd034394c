"""Whitening: uncorrelated features of variance 1."""

from __future__ import annotations

import numpy as np

from portanet import checks
from portanet.backends import Array, HostArray, raw_namespace, to_host
from portanet.preprocessing.transformer import Transformer, require_features, rows


class _Whitening(Transformer):
    """Fits the mean and, from the eigenvectors of the covariance, a matrix and its inverse."""

    epsilon: float

    def _fit(self, x: Array) -> dict[str, HostArray]:
        xp = raw_namespace(x)
        flat = rows(x)
        mean = xp.mean(flat, axis=0)
        centred = flat - mean
        covariance = to_host(xp.matmul(xp.matrix_transpose(centred), centred)).astype("float64") / flat.shape[0]
        values, vectors = np.linalg.eigh(covariance)
        values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
        # The sign of an eigenvector is arbitrary; fixing it makes results the same on all backends.
        largest = np.abs(vectors).argmax(axis=0)
        vectors = vectors * np.where(vectors[largest, np.arange(vectors.shape[1])] < 0, -1.0, 1.0)
        whiten, back = self._matrices(values, vectors)
        shape = np.asarray(x.shape[1:], dtype="int64")
        return {"mean": to_host(mean), "variances": values, "whiten": whiten, "back": back, "shape": shape}

    def _matrices(self, values: HostArray, vectors: HostArray) -> tuple[HostArray, HostArray]:
        """The whitening matrix and its inverse."""
        raise NotImplementedError

    def _scales(self, values: HostArray) -> HostArray:
        if self.epsilon == 0 and values.min() <= values.max() * 1e-12:
            raise ValueError(
                f"{type(self).__name__} cannot whiten linearly dependent features with epsilon=0; pass a small epsilon "
                f"or fewer components. Received: variances from {values.min():.3g} to {values.max():.3g}"
            )
        scales: HostArray = np.sqrt(values + self.epsilon)
        return scales

    def _transform(self, x: Array, parameters: dict[str, Array]) -> Array:
        require_features(type(self).__name__, x, self._shape())
        return raw_namespace(x).matmul(rows(x) - parameters["mean"], parameters["whiten"])

    def _inverse_transform(self, x: Array, parameters: dict[str, Array]) -> Array:
        xp = raw_namespace(x)
        require_features(type(self).__name__, rows(x), (parameters["back"].shape[0],))
        original = xp.matmul(rows(x), parameters["back"]) + parameters["mean"]
        return xp.reshape(original, (x.shape[0], *self._shape()))

    def _shape(self) -> tuple[int, ...]:
        """The shape of an example."""
        return tuple(int(n) for n in self.shape_)


class PCAWhitening(_Whitening):
    """Principal components, divided by their standard deviations.

    Args:
        n_components: Number of components to keep, those of the largest variance; None for all.
        epsilon: Added to the variances, so that directions without variance are not amplified.

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
    """Whitened features closest to the original ones: principal components, scaled, and rotated back.

    Args:
        epsilon: Added to the variances, so that directions without variance are not amplified.

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

    def _transform(self, x: Array, parameters: dict[str, Array]) -> Array:
        return raw_namespace(x).reshape(super()._transform(x, parameters), tuple(x.shape))
