"""Constraints: projections of weights after each update, such as a bound on their norm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.configurable import Configurable
from portanet.lookup import created, described, lookup, names
from portanet.settings import EPSILON


class Constraint(Configurable):
    """A projection: `constraint(w)` returns an array like `w`.

    Example:
        >>> class Positive(Constraint):
        ...     def __call__(self, w):
        ...         return abs(w)
        >>> Positive()(-2.0)
        2.0
    """

    def __call__(self, w: Array) -> Array:
        raise NotImplementedError


class MaxNorm(Constraint):
    """Shrink the weights of each unit to a norm of at most `max_value` (Srivastava et al. 2014).

    Args:
        max_value: The largest norm.
        axis: Axis or axes along which the norm is taken: 0 for a dense kernel (inputs, units), (0, 1, 2) for a
            convolution's (height, width, inputs, filters).

    Example:
        >>> import numpy as np
        >>> MaxNorm(1.0)(np.asarray([[3.0, 0.3], [4.0, 0.4]])).round(4)
        array([[0.6, 0.3],
               [0.8, 0.4]])
    """

    def __init__(self, max_value: float = 2.0, axis: int | Sequence[int] = 0) -> None:
        self.max_value = checks.number("max_value", max_value, "[0, inf]", type(self))
        self.axis = checks.one_or_several("axis", axis, type(self))

    def __call__(self, w: Array) -> Array:
        norm = _norm(w, self.axis)
        return w * (array_namespace(w).minimum(norm, self.max_value) / (norm + EPSILON))


class NonNeg(Constraint):
    """Set negative weights to zero.

    Example:
        >>> import numpy as np
        >>> NonNeg()(np.asarray([-1.0, 2.0]))
        array([0., 2.])
    """

    def __call__(self, w: Array) -> Array:
        return array_namespace(w).maximum(w, 0.0)


class UnitNorm(Constraint):
    """Scale the weights of each unit to norm 1.

    Args:
        axis: Axis or axes along which the norm is taken, see `MaxNorm`.

    Example:
        >>> import numpy as np
        >>> UnitNorm()(np.asarray([[3.0], [4.0]])).round(4)
        array([[0.6],
               [0.8]])
    """

    def __init__(self, axis: int | Sequence[int] = 0) -> None:
        self.axis = checks.one_or_several("axis", axis, type(self))

    def __call__(self, w: Array) -> Array:
        return w / (_norm(w, self.axis) + EPSILON)


class MinMaxNorm(Constraint):
    """Scale the weights of each unit to a norm between two bounds.

    Args:
        min_value: The smallest norm.
        max_value: The largest norm.
        rate: Fraction of the change made in one update, in (0, 1]; 1 enforces the bounds strictly.
        axis: Axis or axes along which the norm is taken, see `MaxNorm`.

    Example:
        >>> import numpy as np
        >>> MinMaxNorm(1.0, 2.0)(np.asarray([[0.3, 3.0], [0.4, 4.0]])).round(4)
        array([[0.6, 1.2],
               [0.8, 1.6]])
    """

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: int | Sequence[int] = 0
    ) -> None:
        self.min_value = checks.number("min_value", min_value, "[0, inf]", type(self))
        self.max_value = checks.number("max_value", max_value, "[0, inf]", type(self))
        if min_value > max_value:
            raise ValueError(
                "Argument `min_value` must not be larger than `max_value`. "
                f"Received: min_value={min_value!r}, max_value={max_value!r}"
            )
        self.rate = checks.number("rate", rate, "(0, 1]", type(self))
        self.axis = checks.one_or_several("axis", axis, type(self))

    def __call__(self, w: Array) -> Array:
        xp = array_namespace(w)
        norm = _norm(w, self.axis)
        target = xp.minimum(xp.maximum(norm, self.min_value), self.max_value)
        if self.rate < 1:
            target = target * self.rate + norm * (1 - self.rate)
        return w * (target / (norm + EPSILON))


max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm
"""Keras's other names."""
CONSTRAINTS = names(MaxNorm, NonNeg, UnitNorm, MinMaxNorm)


def get(identifier: Any, name: str = "identifier", of: Any = "") -> Any:
    """A constraint by name, the given object, or None for None.

    Args:
        identifier: Name or object.
        name: Name of the argument that holds it, for errors.
        of: The layer, class or function that takes it.

    Example:
        >>> get("non_neg").__class__.__name__
        'NonNeg'
    """
    return None if identifier is None else lookup("constraint", identifier, CONSTRAINTS, name, of)


def serialize(constraint: Any) -> Any:
    """The description of a constraint that Keras would write, for `deserialize`.

    Args:
        constraint: The constraint.

    Example:
        >>> from portanet import constraints
        >>> constraints.deserialize(constraints.serialize(constraints.MaxNorm(0.5))).max_value
        0.5
    """
    return described(constraint)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The constraint of a description by `serialize` or Keras's own, or of its name.

    Args:
        config: The description.
        custom_objects: Classes and functions by the names in it, beside those that are registered.

    Example:
        >>> deserialize({"class_name": "MaxNorm", "config": {"max_value": 3.0}}).max_value
        3.0
    """
    return created("constraint", config, CONSTRAINTS, custom_objects)


def _norm(w: Array, axis: int | tuple[int, ...]) -> Array:
    xp = array_namespace(w)
    return xp.sqrt(xp.sum(w * w, axis=checks.axes("axis", axis, w.ndim, "the constraint"), keepdims=True))
