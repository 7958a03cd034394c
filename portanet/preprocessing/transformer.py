"""The base class of transformations of features."""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np

from portanet.backends import Array, HostArray, backend_class_of, device_of, raw_namespace, to_host
from portanet.configurable import Configurable


class Transformer(Configurable):
    """Fits parameters to data (`fit`) and transforms data with them (`transform`); inputs are never modified.

    Data may be an array of any library on any device; results have the same library, device and float dtype. Integers
    become floating-point; lists and pandas objects become NumPy arrays. Parameters are stored on the host, so they may
    be fitted on one backend and used on another. The first axis is that of examples.

    Example:
        >>> import numpy as np
        >>> from portanet.preprocessing import StandardScaler
        >>> StandardScaler().fit_transform(np.asarray([[0.0], [2.0]])).tolist()
        [[-1.0], [1.0]]
    """

    _fitted: dict[str, HostArray] | None = None

    def fit(self, x: Any) -> Self:
        """Fit the parameters to data; returns the object itself."""
        self._fitted = self._fit(as_floats(x))
        return self

    def transform(self, x: Any) -> Array:
        """Transform data with the fitted parameters."""
        x = as_floats(x)
        return self._transform(x, self._parameters(x))

    def fit_transform(self, x: Any) -> Array:
        """Fit the parameters to data, then transform the same data."""
        return self.fit(x).transform(x)

    def inverse_transform(self, x: Any) -> Array:
        """Transform data back to the original features."""
        x = as_floats(x)
        return self._inverse_transform(x, self._parameters(x))

    # Subclasses implement

    def _fit(self, x: Array) -> dict[str, HostArray]:
        raise NotImplementedError

    def _transform(self, x: Array, parameters: dict[str, Array]) -> Array:
        raise NotImplementedError

    def _inverse_transform(self, x: Array, parameters: dict[str, Array]) -> Array:
        raise NotImplementedError

    def _parameters(self, x: Array) -> dict[str, Array]:
        """The fitted parameters as arrays like `x`."""
        if self._fitted is None:
            raise RuntimeError(f"{type(self).__name__} must be fitted first: call fit(x) or fit_transform(x).")
        return {name: like(x, host) for name, host in self._fitted.items()}

    def __getattr__(self, name: str) -> Any:
        """Fitted parameters by name with an underscore, such as `mean_`, as in scikit-learn."""
        fitted = self.__dict__.get("_fitted") or {}
        if name.endswith("_") and name[:-1] in fitted:
            return fitted[name[:-1]]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r} (it may not be fitted yet).")


def as_floats(x: Any) -> Array:
    """Data as a floating-point array with an axis of examples; arrays keep their library.

    Raises:
        ValueError: The data has no examples.
    """
    array = np.asarray(to_host(x)) if backend_class_of(x) is None else x
    if array.ndim == 0 or 0 in array.shape:
        raise ValueError(f"Data needs at least one example and one feature. Received: shape {tuple(array.shape)}")
    xp = raw_namespace(array)
    if not xp.isdtype(array.dtype, "real floating"):
        if not xp.isdtype(array.dtype, ("bool", "integral")):
            raise TypeError(f"Data must be numeric. Received: dtype {array.dtype}")
        array = xp.astype(array, xp.float32)
    return array


def like(x: Array, host: HostArray) -> Array:
    """A NumPy array in the library, dtype and device of `x`."""
    return raw_namespace(x).asarray(host, dtype=x.dtype, device=device_of(x))


def rows(x: Array) -> Array:
    """Data flattened to shape (examples, features)."""
    return raw_namespace(x).reshape(x, (x.shape[0], math.prod(x.shape[1:])))


def require_features(name: str, x: Array, expected: tuple[int, ...]) -> None:
    """Refuse examples of another shape than those of `fit`."""
    if tuple(x.shape[1:]) != expected:
        raise ValueError(
            f"{name} was fitted to examples of shape {expected}. Received: examples of shape {tuple(x.shape[1:])}"
        )
