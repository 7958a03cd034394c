"""Regularizers: penalties on weights or activations that are added to the loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, vjp
from portanet.backends import Array, device_of, held
from portanet.configurable import Configurable
from portanet.lookup import created, described, lookup, names


class Regularizer(Configurable):
    """A penalty: `regularizer(x)` returns an array of shape () in the dtype of `x`.

    Example:
        >>> class Squares(Regularizer):
        ...     def __call__(self, w):
        ...         return 0.1 * w**2
        >>> round(Squares()(2.0), 1)
        0.4
    """

    def __call__(self, x: Array) -> Array:
        raise NotImplementedError


class L1L2(Regularizer):
    """`l1 * sum(|x|) + l2 * sum(x^2)`.

    Args:
        l1: Factor of the sum of absolute values.
        l2: Factor of the sum of squares.

    Example:
        >>> import numpy as np
        >>> float(L1L2(l1=1.0, l2=1.0)(np.asarray([0.0, 1.0, 3.0])))
        14.0
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = checks.non_negative("l1", l1, type(self))
        self.l2 = checks.non_negative("l2", l2, type(self))

    def __call__(self, x: Array) -> Array:
        x = held(x)
        xp = array_namespace(x)
        terms = []
        if self.l1:
            terms.append(xp.sum(xp.abs(x)) * self.l1)
        if self.l2:
            terms.append(xp.sum(x * x) * self.l2)
        return sum(terms[1:], terms[0]) if terms else xp.zeros((), dtype=x.dtype, device=device_of(x))


class L1(L1L2):
    """`l1 * sum(|x|)`: drives weights to exactly zero.

    Args:
        l1: The factor.

    Example:
        >>> import numpy as np
        >>> float(L1(1.0)(np.asarray([0.0, 1.0, 3.0])))
        4.0
    """

    def __init__(self, l1: float = 0.01) -> None:
        super().__init__(l1=l1)


class L2(L1L2):
    """`l2 * sum(x^2)`: keeps weights small.

    Args:
        l2: The factor.

    Example:
        >>> import numpy as np
        >>> float(L2(1.0)(np.asarray([0.0, 1.0, 3.0])))
        10.0
    """

    def __init__(self, l2: float = 0.01) -> None:
        super().__init__(l2=l2)


class OrthogonalRegularizer(Regularizer):
    """`factor` times the mean |cosine| between different rows (or columns) of a matrix.

    Args:
        factor: The factor.
        mode: `"rows"` or `"columns"`.

    Raises:
        ValueError: The array does not have two axes.

    Example:
        >>> import numpy as np
        >>> float(OrthogonalRegularizer(1.0)(np.asarray([[2.0, 0.0], [3.0, 0.0]])))
        1.0
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = checks.non_negative("factor", factor, type(self))
        self.mode = checks.choice("mode", mode, ("rows", "columns"), type(self))

    def __call__(self, x: Array) -> Array:
        x = held(x)
        xp = array_namespace(x)
        if x.ndim != 2:
            raise ValueError(f"OrthogonalRegularizer expects an array with 2 axes. Received: shape {tuple(x.shape)}")
        rows = x if self.mode == "rows" else xp.matrix_transpose(x)
        square = xp.sum(rows * rows, axis=1, keepdims=True)
        rows = rows / xp.sqrt(xp.maximum(square, 1e-12))
        size = rows.shape[0]
        off_diagonal = 1.0 - xp.eye(size, dtype=x.dtype, device=device_of(x))
        cosines = xp.sum(xp.abs(xp.matmul(rows, xp.matrix_transpose(rows)) * off_diagonal))
        return cosines * (self.factor / max(1, size * (size - 1)))


def contractive(encoder: Callable[[Array], Array], x: Array) -> tuple[Array, Array]:
    """A code and its contractive penalty: the Jacobian's squared Frobenius norm, averaged over the batch.

    Source: S. Rifai et al., Contractive auto-encoders: explicit invariance during feature extraction, ICML 2011.

    Args:
        encoder: Maps (batch, features) to (batch, units), each example independently.
        x: Inputs, shape (batch, ...).

    Returns:
        The encoder's result, and the scalar `mean_i ||d encoder(x_i) / d x_i||_F^2`; it takes one pullback per
        unit.

    Example:
        >>> import numpy as np
        >>> code, penalty = contractive(lambda x: 2.0 * x, np.ones((4, 3)))
        >>> float(penalty)  # the Jacobian is 2 I
        12.0
    """
    checks.function("encoder", encoder, "contractive")
    if not array_namespace(x).isdtype(x.dtype, "real floating") or not x.ndim:
        received = f"an array of shape {tuple(x.shape)} and dtype {x.dtype}"
        raise ValueError(
            f"Argument `x` of contractive must be a floating-point array of shape (batch, ...). Received: {received}"
        )
    code, pullback = vjp(encoder, x)
    if code.ndim != 2:
        raise ValueError(
            f"Argument `encoder` must return an array of shape (batch, units). "
            f"Received: an output of shape {tuple(code.shape)}"
        )
    xp = array_namespace(code, x)
    batch, units = code.shape
    total = 0.0
    for unit in range(units):
        selected = xp.arange(units, device=device_of(code)) == unit
        cotangent = xp.broadcast_to(xp.astype(selected, code.dtype), (batch, units))
        (slope,) = pullback(cotangent, retain=unit < units - 1)
        total = total + array_namespace(slope).sum(slope * slope)
    return code, total / batch


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer
"""Keras's other names."""
REGULARIZERS = names(L1, L2, L1L2, OrthogonalRegularizer) | {"l1_l2": L1L2, "orthogonal": OrthogonalRegularizer}


def get(identifier: Any, name: str = "identifier", of: Any = "") -> Any:
    """A regularizer by name, the given object, or None for None.

    Args:
        identifier: Name or object.
        name: Name of the argument that holds it, for errors.
        of: The layer, class or function that takes it.

    Example:
        >>> get("l2").__class__.__name__
        'L2'
    """
    return None if identifier is None else lookup("regularizer", identifier, REGULARIZERS, name, of)


def serialize(regularizer: Any) -> Any:
    """The description of a regularizer that Keras would write, for `deserialize`.

    Args:
        regularizer: The regularizer.

    Example:
        >>> from portanet import regularizers
        >>> regularizers.deserialize(regularizers.serialize(regularizers.L2(0.5))).l2
        0.5
    """
    return described(regularizer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The regularizer of a description by `serialize` or Keras's own, or of its name.

    Args:
        config: The description.
        custom_objects: Classes and functions by the names in it, beside those that are registered.

    Example:
        >>> deserialize({"class_name": "L2", "config": {"l2": 0.1}}).l2
        0.1
    """
    return created("regularizer", config, REGULARIZERS, custom_objects)
