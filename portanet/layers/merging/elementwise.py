"""Merging element by element."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from portanet.backends import Array
from portanet.layers.merging.base_merge import ElementwiseMerge
from portanet.layers.merging.masks import any_mask
from portanet.layers.several_inputs import Several


class Add(ElementwiseMerge):
    """The sum of the inputs.

    Args:
        **options: Those of `Layer`.

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
    """The first of two inputs minus the second.

    Args:
        **options: Those of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Subtract()([np.asarray([[1.0, 5.0]]), np.asarray([[3.0, 2.0]])]).tolist()
        [[-2.0, 3.0]]
    """

    independent_examples = True
    several_inputs: Several = Several("first", "second")

    def merge(self, xp: Any, arrays: list[Array]) -> Array:
        return xp.subtract(*arrays)


class Multiply(ElementwiseMerge):
    """The product of the inputs, element by element; a masked element leaves the others as they are.

    Args:
        **options: Those of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Multiply()([np.asarray([[1.0, 5.0]]), np.asarray([[3.0, 2.0]])]).tolist()
        [[3.0, 10.0]]
    """

    independent_examples = True

    def merge(self, xp: Any, arrays: list[Array]) -> Array:
        return functools.reduce(xp.multiply, arrays)

    def merge_masked(self, xp: Any, arrays: list[Array], masks: list[Any]) -> Array:
        arrays = [x if m is None else xp.where(m, x, 1.0) for x, m in zip(arrays, masks, strict=True)]
        shown = any_mask(masks)
        product = self.merge(xp, arrays)
        return product if shown is None else xp.where(shown, product, 0.0)


class Average(ElementwiseMerge):
    """The mean of the inputs, element by element.

    Args:
        **options: Those of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Average()([np.asarray([[1.0, 2.0]]), np.asarray([[3.0, 6.0]])]).tolist()
        [[2.0, 4.0]]
    """

    independent_examples = True

    def merge(self, xp: Any, arrays: list[Array]) -> Array:
        return functools.reduce(xp.add, arrays) * (1 / len(arrays))


class Maximum(ElementwiseMerge):
    """The largest of the inputs, element by element; a masked element does not count, unless all are masked.

    Args:
        **options: Those of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Maximum()([np.asarray([[1.0, 5.0]]), np.asarray([[3.0, 2.0]])]).tolist()
        [[3.0, 5.0]]
    """

    independent_examples = True

    def merge(self, xp: Any, arrays: list[Array]) -> Array:
        return functools.reduce(xp.maximum, arrays)

    def merge_masked(self, xp: Any, arrays: list[Array], masks: list[Any]) -> Array:
        return _of_shown(xp.maximum, xp, arrays, masks)


class Minimum(ElementwiseMerge):
    """The smallest of the inputs, element by element; a masked element does not count, unless all are masked.

    Args:
        **options: Those of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Minimum()([np.asarray([[1.0, 5.0]]), np.asarray([[3.0, 2.0]])]).tolist()
        [[1.0, 2.0]]
    """

    independent_examples = True

    def merge(self, xp: Any, arrays: list[Array]) -> Array:
        return functools.reduce(xp.minimum, arrays)

    def merge_masked(self, xp: Any, arrays: list[Array], masks: list[Any]) -> Array:
        return _of_shown(xp.minimum, xp, arrays, masks)


def _of_shown(function: Callable[..., Array], xp: Any, arrays: list[Array], masks: list[Any]) -> Array:
    """The largest or smallest of the elements that are not masked."""
    out, shown = arrays[0], masks[0]
    for x, mask in zip(arrays[1:], masks[1:], strict=True):
        x = x if mask is None else xp.where(mask, x, out)
        out = function(out if shown is None else xp.where(shown, out, x), x)
        shown = any_mask([shown, mask])
    return out
