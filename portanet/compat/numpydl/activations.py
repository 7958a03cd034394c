"""`npdl.activations`: activation functions as objects that store their last input."""

from __future__ import annotations

import copy
from typing import Any

from portanet import activations
from portanet.autodiff import array_namespace, jacobian, jvp
from portanet.backends import Array
from portanet.compat.numpydl import extending
from portanet.compat.numpydl.utils.random import to_float
from portanet.configurable import Configurable
from portanet.lookup import lookup, names


class Activation(Configurable):
    """An activation function: `forward` computes it, `derivative` differentiates it at the last or a given input.

    Subclasses implement `function(x)` in the array API standard, or `forward(input)` and `derivative()` in NumPy: both
    receive NumPy arrays, and `derivative` uses the last input.

    Example:
        >>> import numpy as np
        >>> class Square(Activation):
        ...     def forward(self, input):
        ...         self.last_forward = input
        ...         return input**2
        ...
        ...     def derivative(self, input=None):
        ...         return 2 * self.last_forward
        >>> from portanet.compat.numpydl.layers import Dense
        >>> layer = Dense(2, n_in=3, init="one", activation=Square())
        >>> layer.connect_to()
        >>> layer.forward(np.ones((1, 3))).tolist()
        [[9.0, 9.0]]
    """

    last_input: Array | None = None

    @property
    def in_numpy(self) -> bool:
        """Whether a subclass implements `forward` and `derivative` in NumPy."""
        return extending.in_numpy(self, ("forward", "derivative"), "function")

    def function(self, x: Array) -> Array:
        """The function."""
        raise extending.missing(self, "function(x), or forward(input) and derivative()")

    def __call__(self, x: Array) -> Array:
        """The function for use by the layers."""
        return extending.activation(self)(x) if self.in_numpy else self.function(x)

    def forward(self, input: Any) -> Array:  # noqa: A002 -- NumPyDL's name
        """Compute the function and store the input."""
        self.last_input = to_float(input)
        return self.function(self.last_input)

    def derivative(self, input: Any = None) -> Array:  # noqa: A002 -- NumPyDL's name
        """The elementwise derivative at `input`, by default the last one of `forward`."""
        if type(self).function is Activation.function:
            raise extending.missing(self, "function(x), or forward(input) and derivative()")
        x = self._input(input)
        derivative: Array = jvp(self.function, (x,), (array_namespace(x).ones_like(x),))[1]
        return derivative

    def _input(self, x: Any) -> Array:
        if x is not None:
            return to_float(x)
        if self.last_input is None:
            raise ValueError(f"{type(self).__name__}.derivative() needs an input, or a forward(input) before it.")
        return self.last_input

    def __str__(self) -> str:
        return type(self).__name__


class Sigmoid(Activation):
    """`1 / (1 + exp(-x))`.

    Example:
        >>> import numpy as np
        >>> float(Sigmoid().forward(np.asarray(0.0)))
        0.5
    """

    def function(self, x: Array) -> Array:
        return activations.sigmoid(x)


class Tanh(Activation):
    """The hyperbolic tangent.

    Example:
        >>> import numpy as np
        >>> float(Tanh().forward(np.asarray(0.0)))
        0.0
    """

    def function(self, x: Array) -> Array:
        return activations.tanh(x)


class ReLU(Activation):
    """`max(x, 0)`.

    Example:
        >>> import numpy as np
        >>> ReLU().forward(np.asarray([-2.0, 3.0])).tolist()
        [0.0, 3.0]
    """

    def function(self, x: Array) -> Array:
        return activations.relu(x)


class Linear(Activation):
    """The identity.

    Example:
        >>> import numpy as np
        >>> float(Linear().forward(np.asarray(-2.0)))
        -2.0
    """

    def function(self, x: Array) -> Array:
        return activations.linear(x)


class Softmax(Activation):
    """`exp(x) / sum(exp(x))` of each row.

    Example:
        >>> import numpy as np
        >>> Softmax().forward(np.asarray([[0.0, 0.0]])).tolist()
        [[0.5, 0.5]]
    """

    def function(self, x: Array) -> Array:
        return activations.softmax(x)

    def derivative(self, input: Any = None) -> Array:  # noqa: A002 -- NumPyDL's name
        """The Jacobian of each row at `input`: each result depends on the whole row.

        Returns:
            Shape (rows, classes, classes).
        """
        x = self._input(input)
        xp = array_namespace(x)
        # The Jacobian of the sum over rows contains those of the rows: (classes, rows, classes).
        jacobians = jacobian(lambda z: z.__array_namespace__().sum(self.function(z), axis=0))(x)
        return xp.permute_dims(jacobians, (1, 0, 2))


class _Steep(Activation):
    def __init__(self, steepness: float = 1) -> None:
        self.steepness = steepness


class Elliot(_Steep):
    """`0.5 s x / (1 + |s x|) + 0.5`, a fast approximation of the sigmoid (Elliott 1993).

    Args:
        steepness: Steepness.

    Example:
        >>> import numpy as np
        >>> float(Elliot().forward(np.asarray(1.0)))
        0.75
    """

    def function(self, x: Array) -> Array:
        return activations.elliot(x, self.steepness)


class SymmetricElliot(_Steep):
    """`s x / (1 + |s x|)`.

    Args:
        steepness: Steepness.

    Example:
        >>> import numpy as np
        >>> float(SymmetricElliot().forward(np.asarray(1.0)))
        0.5
    """

    def function(self, x: Array) -> Array:
        return activations.symmetric_elliot(x, self.steepness)


class SoftPlus(Activation):
    """`log(1 + exp(x))`, finite for every x.

    Example:
        >>> import numpy as np
        >>> round(float(SoftPlus().forward(np.asarray(0.0))), 4)
        0.6931
    """

    def function(self, x: Array) -> Array:
        return activations.softplus(x)


class SoftSign(Activation):
    """`x / (1 + |x|)`.

    Example:
        >>> import numpy as np
        >>> float(SoftSign().forward(np.asarray(1.0)))
        0.5
    """

    def function(self, x: Array) -> Array:
        return activations.softsign(x)


KNOWN: dict[str, Any] = {
    **names(Sigmoid, Tanh, ReLU, Linear, Softmax, Elliot, SymmetricElliot, SoftPlus, SoftSign),
    "tan": Tanh,
    "RELU": ReLU,
}


def get(activation: Any) -> Activation:
    """An activation by name, class or object; an object is copied.

    Args:
        activation: A name, class or object.

    Example:
        >>> float(get("sigmoid").forward(0.0))
        0.5
    """
    if isinstance(activation, Activation):
        return copy.deepcopy(activation)
    result: Activation = lookup("activation", activation, KNOWN)
    return result
