"""Merging element by element."""

from __future__ import annotations

import functools
from typing import Any

from portanet.backends import Array
from portanet.layers.merging.base_merge import ElementwiseMerge
from portanet.layers.several_inputs import Several


class Add(ElementwiseMerge):
    """The sum of the inputs.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Add()([np.asarray([[1.0, 2.0]]), np.asarray([[10.0, 20.0]])])
        array([[11., 22.]])
    """

    independent_examples = True

    def merge(self, xp: Any, arrays: list[Array]) -> Array:
        return functools.reduce(xp.add, arrays)


class Subtract(ElementwiseMerge):
    """The first of two inputs minus the second."""

    independent_examples = True
    several_inputs: Several = Several("first", "second")

    def merge(self, xp: Any, arrays: list[Array]) -> Array:
        return xp.subtract(*arrays)


class Multiply(ElementwiseMerge):
    """The product of the inputs, element by element."""

    independent_examples = True

    def merge(self, xp: Any, arrays: list[Array]) -> Array:
        return functools.reduce(xp.multiply, arrays)


class Average(ElementwiseMerge):
    """The mean of the inputs, element by element."""

    independent_examples = True

    def merge(self, xp: Any, arrays: list[Array]) -> Array:
        return functools.reduce(xp.add, arrays) * (1 / len(arrays))


class Maximum(ElementwiseMerge):
    """The largest of the inputs, element by element."""

    independent_examples = True

    def merge(self, xp: Any, arrays: list[Array]) -> Array:
        return functools.reduce(xp.maximum, arrays)


class Minimum(ElementwiseMerge):
    """The smallest of the inputs, element by element."""

    independent_examples = True

    def merge(self, xp: Any, arrays: list[Array]) -> Array:
        return functools.reduce(xp.minimum, arrays)
