"""Scaling of features."""

from __future__ import annotations

from portanet import checks
from portanet.backends import Array, HostArray, raw_namespace, to_host
from portanet.preprocessing.transformer import Transformer, require_features


class StandardScaler(Transformer):
    """Subtract the mean of each feature and divide by its standard deviation; a constant feature becomes 0.

    Args:
        with_mean: Whether to subtract the mean.
        with_std: Whether to divide by the standard deviation.

    Example:
        >>> import numpy as np
        >>> scaler = StandardScaler()
        >>> scaler.fit_transform(np.asarray([[1.0, 10.0], [3.0, 10.0]]))
        array([[-1.,  0.],
               [ 1.,  0.]])
        >>> scaler.mean_
        array([ 2., 10.])
    """

    def __init__(self, with_mean: bool = True, with_std: bool = True) -> None:
        self.with_mean = checks.boolean("with_mean", with_mean, type(self))
        self.with_std = checks.boolean("with_std", with_std, type(self))

    def _fit(self, x: Array) -> dict[str, HostArray]:
        xp = raw_namespace(x)
        mean = to_host(xp.mean(x, axis=0))
        scale = to_host(xp.std(x, axis=0))
        # Rounding errors give a constant feature a deviation of a few ulps of its mean.
        constant = scale <= abs(mean) * 10 * float(xp.finfo(x.dtype).eps)
        return {"mean": mean if self.with_mean else mean * 0, "scale": _or_one(scale, constant | (not self.with_std))}

    def _transform(self, x: Array, parameters: dict[str, Array]) -> Array:
        require_features("StandardScaler", x, tuple(parameters["mean"].shape))
        return (x - parameters["mean"]) / parameters["scale"]

    def _inverse_transform(self, x: Array, parameters: dict[str, Array]) -> Array:
        require_features("StandardScaler", x, tuple(parameters["mean"].shape))
        return x * parameters["scale"] + parameters["mean"]


class MaxAbsScaler(Transformer):
    """Divide each feature by its largest magnitude: results are in [-1, 1], and zeros stay zeros.

    Example:
        >>> import numpy as np
        >>> MaxAbsScaler().fit_transform(np.asarray([[1.0, 0.0], [-4.0, 0.0]]))
        array([[ 0.25,  0.  ],
               [-1.  ,  0.  ]])
    """

    def _fit(self, x: Array) -> dict[str, HostArray]:
        xp = raw_namespace(x)
        scale = to_host(xp.max(xp.abs(x), axis=0))
        return {"scale": _or_one(scale, scale == 0)}

    def _transform(self, x: Array, parameters: dict[str, Array]) -> Array:
        require_features("MaxAbsScaler", x, tuple(parameters["scale"].shape))
        return x / parameters["scale"]

    def _inverse_transform(self, x: Array, parameters: dict[str, Array]) -> Array:
        require_features("MaxAbsScaler", x, tuple(parameters["scale"].shape))
        return x * parameters["scale"]


def _or_one(scale: HostArray, where: HostArray) -> HostArray:
    """The scale with 1 where it must not be used as a divisor."""
    scale = scale.copy()
    scale[where] = 1.0
    return scale
