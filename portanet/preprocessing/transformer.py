"""What every transformation of features is: fitted to data once, then applied to any data."""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np

from portanet.backends import Array, HostArray, backend_class_of, device_of, raw_namespace, to_host
from portanet.configurable import Configurable


class Transformer(Configurable):
    """Learns numbers from data (`fit`) and computes new arrays with them (`transform`); given arrays never change.

    Data may be an array of any library on any device, and results are of the same library, device and float dtype;
    lists, pandas objects and integers become floating-point (NumPy arrays for lists and pandas). What is learned is
    kept on the host, so it may be learned on one backend and used on another. The first axis counts the examples.
    """

    _fitted: dict[str, HostArray] | None = None

    def fit(self, x: Any) -> Self:
        """Learn from data; returns the object itself."""
        self._fitted = self._learn(as_floats(x))
        return self

    def transform(self, x: Any) -> Array:
        """Apply to data what was learned."""
        x = as_floats(x)
        return self._apply(x, self._numbers(x))

    def fit_transform(self, x: Any) -> Array:
        """`fit`, then `transform` of the same data."""
        return self.fit(x).transform(x)

    def inverse_transform(self, x: Any) -> Array:
        """From transformed data back to the original."""
        x = as_floats(x)
        return self._undo(x, self._numbers(x))

    # What subclasses implement

    def _learn(self, x: Array) -> dict[str, HostArray]:
        raise NotImplementedError

    def _apply(self, x: Array, numbers: dict[str, Array]) -> Array:
        raise NotImplementedError

    def _undo(self, x: Array, numbers: dict[str, Array]) -> Array:
        raise NotImplementedError

    def _numbers(self, x: Array) -> dict[str, Array]:
        """What was learned, as arrays like `x`."""
        if self._fitted is None:
            raise RuntimeError(f"{type(self).__name__} must be fitted first: call fit(x) or fit_transform(x).")
        return {name: like(x, host) for name, host in self._fitted.items()}

    def __getattr__(self, name: str) -> Any:
        """What was learned, under its name with an underscore, such as `mean_`, as in scikit-learn."""
        fitted = self.__dict__.get("_fitted") or {}
        if name.endswith("_") and name[:-1] in fitted:
            return fitted[name[:-1]]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r} (it may not be fitted yet).")


def as_floats(x: Any) -> Array:
    """Data as a floating-point array with an axis of examples; of its own library, where it is an array.

    Raises:
        ValueError: There are no examples.
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
    """The features of each example in a row, shape (examples, features)."""
    return raw_namespace(x).reshape(x, (x.shape[0], math.prod(x.shape[1:])))


def require_features(name: str, x: Array, expected: tuple[int, ...]) -> None:
    """Refuse examples of another shape than those that were learned from."""
    if tuple(x.shape[1:]) != expected:
        raise ValueError(
            f"{name} was fitted to examples of shape {expected}. Received: examples of shape {tuple(x.shape[1:])}"
        )
