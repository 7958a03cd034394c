"""Sorting, searching and sets: positions are integers, the selected elements keep their derivative."""

from __future__ import annotations

from typing import Any

from portanet.autodiff.rules.declare import composite, no_derivative


@composite("sort")
def _sort(xp: Any, x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """The permutation is constant, so a sort is a gather; equal elements keep their order."""
    order = xp.argsort(x, axis=axis, descending=descending, stable=stable)
    return xp.take_along_axis(x, order, axis=axis)


def _first_of_each(xp: Any, x: Any, inverse: Any) -> Any:
    """The first element of `x` in each class of equal ones."""
    order = xp.argsort(xp.reshape(inverse, (-1,)), stable=True)
    classes = xp.take(xp.reshape(inverse, (-1,)), order)
    starts = xp.concat([xp.ones_like(classes[:1], dtype=xp.bool), classes[1:] != classes[:-1]])
    return xp.take(xp.reshape(x, (-1,)), order[starts])


def _set_function(name: str) -> None:
    @composite(name)
    def function(xp: Any, x: Any, /) -> Any:
        plain = xp.stop_gradient(x)
        values = _first_of_each(xp, x, xp.unique_inverse(plain).inverse_indices)
        if name == "unique_values":
            return values
        return xp.find(name)(plain)._replace(values=values)


for _name in ("unique_all", "unique_counts", "unique_inverse", "unique_values"):
    _set_function(_name)

no_derivative("integer result", "argmax", "argmin", "argsort", "count_nonzero", "nonzero", "searchsorted")
no_derivative("boolean result", "all", "any")
