"""`npdl.objectives`: loss functions.

`forward` returns the mean over examples; `backward` returns the gradient of the sum over examples with respect to the
outputs, so that learning rates act as in NumPyDL, whose weight gradients are sums over the batch.
"""

from __future__ import annotations

import copy
from typing import Any

from portanet.autodiff import array_namespace, grad, lift
from portanet.backends import Array
from portanet.compat.numpydl import extending
from portanet.compat.numpydl.utils.random import to_array, to_float
from portanet.configurable import Configurable
from portanet.fused import one_hot
from portanet.lookup import lookup, names

_METHODS = "values(outputs, targets), or forward(outputs, targets) and backward(outputs, targets)"


class Objective(Configurable):
    """A loss.

    Subclasses implement `values(outputs, targets)`, the loss of each example, in the array API standard; or in NumPy
    `forward(outputs, targets)`, the mean loss, and `backward(outputs, targets)`, the gradient of the summed loss with
    respect to the outputs. Both receive NumPy arrays, targets in the shape of the outputs.

    Example:
        >>> import numpy as np
        >>> class Absolute(Objective):
        ...     def forward(self, outputs, targets):
        ...         return np.mean(np.sum(np.abs(outputs - targets), axis=1))
        ...
        ...     def backward(self, outputs, targets):
        ...         return np.sign(outputs - targets)
        >>> float(Absolute().total(np.asarray([[1.0], [3.0]]), np.zeros((2, 1))))
        4.0
    """

    @property
    def in_numpy(self) -> bool:
        """Whether a subclass implements `forward` and `backward` in NumPy."""
        return extending.in_numpy(self, ("forward", "backward"), "values")

    def values(self, outputs: Array, targets: Array) -> Array:
        """The loss of each example, shape (n,)."""
        raise extending.missing(self, _METHODS)

    def total(self, outputs: Array, targets: Array) -> Array:
        """The summed loss of a batch, for `Model`."""
        if self.in_numpy:
            return extending.total(self)(outputs, targets)
        values = self.values(outputs, targets)
        return array_namespace(values).sum(values)

    def targets(self, outputs: Array, targets: Any) -> Array:
        """Targets in the shape of the outputs: class indices become one-hot vectors.

        Raises:
            ValueError: The shapes do not match; nothing is broadcast.
        """
        y = to_array(targets)
        xp = array_namespace(outputs)
        if y.ndim == outputs.ndim - 1 and xp.isdtype(y.dtype, "integral"):
            if bool(xp.any(y < 0)) or bool(xp.any(y >= outputs.shape[-1])):
                raise ValueError(
                    f"Class indices must be in [0, {outputs.shape[-1]}). "
                    f"Received: targets from {int(xp.min(y))} to {int(xp.max(y))}"
                )
            return one_hot(y, outputs.shape[-1], outputs.dtype)
        if tuple(y.shape) != tuple(outputs.shape):
            raise ValueError(
                "Targets must have the shape of the outputs, or be integer class indices. "
                f"Received: outputs {tuple(outputs.shape)}, targets {tuple(y.shape)} of dtype {y.dtype}"
            )
        return xp.astype(y, outputs.dtype)

    def forward(self, outputs: Any, targets: Any) -> Array:
        """The mean loss over the examples."""
        outputs = self._outputs(outputs)
        xp = array_namespace(outputs)
        return xp.mean(self.values(outputs, self.targets(outputs, targets)))

    def backward(self, outputs: Any, targets: Any) -> Array:
        """The gradient of the summed loss with respect to the outputs."""
        outputs = self._outputs(outputs)
        y = lift(self.targets(outputs, targets))
        gradient: Array = grad(lambda o: o.__array_namespace__().sum(self.values(o, y)))(outputs)
        return gradient

    def _outputs(self, outputs: Any) -> Array:
        if type(self).values is Objective.values:
            raise extending.missing(self, _METHODS)
        return to_float(outputs)

    def __str__(self) -> str:
        return type(self).__name__


class MeanSquaredError(Objective):
    """Half the squared distance of each example: the derivative is `outputs - targets`.

    Example:
        >>> import numpy as np
        >>> float(MeanSquaredError().forward(np.asarray([1.0, 3.0]), np.asarray([1.0, 1.0])))
        2.0
    """

    def values(self, outputs: Array, targets: Array) -> Array:
        xp = array_namespace(outputs, targets)
        return 0.5 * xp.sum(xp.square(outputs - targets), axis=-1)


class HellingerDistance(Objective):
    """`sum((sqrt(p) - sqrt(t))^2) / sqrt(2)`; p is clipped at `epsilon`, so that gradients are finite.

    Args:
        epsilon: What probabilities are at least.

    Example:
        >>> import numpy as np
        >>> round(float(HellingerDistance().forward(np.asarray([[0.5, 0.5]]), np.asarray([[0.5, 0.5]]))), 4)
        0.0
    """

    def __init__(self, epsilon: float = 1e-7) -> None:
        self.epsilon = epsilon

    def values(self, outputs: Array, targets: Array) -> Array:
        xp = array_namespace(outputs, targets)
        difference = xp.sqrt(xp.maximum(outputs, self.epsilon)) - xp.sqrt(targets)
        return xp.sum(xp.square(difference), axis=-1) / 2**0.5


class BinaryCrossEntropy(Objective):
    """`-t log(p) - (1 - t) log(1 - p)`, averaged over the outputs; p is clipped to [epsilon, 1 - epsilon].

    Args:
        epsilon: Probabilities are kept this far from 0 and 1.

    Example:
        >>> import numpy as np
        >>> round(float(BinaryCrossEntropy().forward(np.asarray([0.5]), np.asarray([1.0]))), 4)
        0.6931
    """

    def __init__(self, epsilon: float = 1e-7) -> None:
        self.epsilon = epsilon

    def values(self, outputs: Array, targets: Array) -> Array:
        xp = array_namespace(outputs, targets)
        p = xp.minimum(xp.maximum(outputs, self.epsilon), 1 - self.epsilon)
        return xp.mean(-(targets * xp.log(p) + (1 - targets) * xp.log(1 - p)), axis=-1)


class SoftmaxCategoricalCrossEntropy(Objective):
    """`-sum(t log(p))`, for one-hot vectors or integer class indices; p is clipped at `epsilon`.

    After a softmax the derivative with respect to its input is `p - t`; `Model.fit` computes it in that form.

    Args:
        epsilon: Probabilities are kept this far from 0 and 1.

    Example:
        >>> import numpy as np
        >>> loss = SoftmaxCategoricalCrossEntropy()
        >>> round(float(loss.forward(np.asarray([[0.5, 0.5]]), np.asarray([[0.0, 1.0]]))), 4)
        0.6931
    """

    def __init__(self, epsilon: float = 1e-11) -> None:
        self.epsilon = epsilon

    def values(self, outputs: Array, targets: Array) -> Array:
        xp = array_namespace(outputs, targets)
        return -xp.sum(targets * xp.log(xp.maximum(outputs, self.epsilon)), axis=-1)


MSE = MeanSquaredError
HeD = HellingerDistance
BCE = BinaryCrossEntropy
SCCE = SoftmaxCategoricalCrossEntropy

KNOWN: dict[str, Any] = {
    **names(MeanSquaredError, HellingerDistance, BinaryCrossEntropy, SoftmaxCategoricalCrossEntropy),
    **{"mse": MSE, "MSE": MSE, "hed": HeD, "HeD": HeD, "bce": BCE, "BCE": BCE, "scce": SCCE, "SCCE": SCCE},
}


def get(objective: Any) -> Objective:
    """An objective by name, class or object; an object is copied.

    Args:
        objective: A name, class or object.

    Example:
        >>> type(get("mse")).__name__
        'MeanSquaredError'
    """
    if isinstance(objective, Objective):
        return copy.deepcopy(objective)
    result: Objective = lookup("objective", objective, KNOWN)
    return result
