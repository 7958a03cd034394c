"""Merging layers as functions: `add([a, b])` for `Add()([a, b])`; as in Keras."""

from __future__ import annotations

from typing import Any

from portanet.layers.merging.concatenate import Concatenate
from portanet.layers.merging.dot import Dot
from portanet.layers.merging.elementwise import Add, Average, Maximum, Minimum, Multiply, Subtract


def add(inputs: Any, **kwargs: Any) -> Any:
    """The sum of arrays: `Add(**kwargs)(inputs)`.

    Args:
        inputs: A list of arrays, plain or symbolic, that broadcast.
        **kwargs: Arguments of the layer.

    Example:
        >>> import numpy as np
        >>> add([np.ones((1, 2)), np.ones((1, 2))]).tolist()
        [[2.0, 2.0]]
    """
    return Add(**kwargs)(inputs)


def subtract(inputs: Any, **kwargs: Any) -> Any:
    """The difference of two arrays: `Subtract(**kwargs)(inputs)`.

    Args:
        inputs: A list of two arrays, plain or symbolic, that broadcast.
        **kwargs: Arguments of the layer.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.subtract([np.asarray([[1.0, 5.0]]), np.asarray([[3.0, 2.0]])]).tolist()
        [[-2.0, 3.0]]
    """
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Any, **kwargs: Any) -> Any:
    """The product of arrays, element by element: `Multiply(**kwargs)(inputs)`.

    Args:
        inputs: A list of arrays, plain or symbolic, that broadcast.
        **kwargs: Arguments of the layer.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.multiply([np.asarray([[1.0, 5.0]]), np.asarray([[3.0, 2.0]])]).tolist()
        [[3.0, 10.0]]
    """
    return Multiply(**kwargs)(inputs)


def average(inputs: Any, **kwargs: Any) -> Any:
    """The mean of arrays: `Average(**kwargs)(inputs)`.

    Args:
        inputs: A list of arrays, plain or symbolic, that broadcast.
        **kwargs: Arguments of the layer.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.average([np.asarray([[1.0, 2.0]]), np.asarray([[3.0, 6.0]])]).tolist()
        [[2.0, 4.0]]
    """
    return Average(**kwargs)(inputs)


def maximum(inputs: Any, **kwargs: Any) -> Any:
    """The largest of arrays, element by element: `Maximum(**kwargs)(inputs)`.

    Args:
        inputs: A list of arrays, plain or symbolic, that broadcast.
        **kwargs: Arguments of the layer.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.maximum([np.asarray([[1.0, 5.0]]), np.asarray([[3.0, 2.0]])]).tolist()
        [[3.0, 5.0]]
    """
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Any, **kwargs: Any) -> Any:
    """The smallest of arrays, element by element: `Minimum(**kwargs)(inputs)`.

    Args:
        inputs: A list of arrays, plain or symbolic, that broadcast.
        **kwargs: Arguments of the layer.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.minimum([np.asarray([[1.0, 5.0]]), np.asarray([[3.0, 2.0]])]).tolist()
        [[1.0, 2.0]]
    """
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """Arrays joined along an axis: `Concatenate(axis, **kwargs)(inputs)`.

    Args:
        inputs: A list of arrays, plain or symbolic.
        axis: The axis.
        **kwargs: Arguments of the layer.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.concatenate([np.ones((2, 3)), np.ones((2, 4))]).shape
        (2, 7)
    """
    return Concatenate(axis, **kwargs)(inputs)


def dot(inputs: Any, axes: Any = -1, **kwargs: Any) -> Any:
    """Dot products of the examples of two arrays: `Dot(axes, **kwargs)(inputs)`.

    Args:
        inputs: A list of two arrays, plain or symbolic.
        axes: Axis or axes of both that are summed over.
        **kwargs: Arguments of the layer.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.dot([np.asarray([[1.0, 2.0]]), np.asarray([[3.0, 4.0]])], axes=1).tolist()
        [[11.0]]
    """
    return Dot(axes, **kwargs)(inputs)
