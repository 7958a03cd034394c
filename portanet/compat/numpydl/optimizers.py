"""`npdl.optimizers`: NumPyDL's arguments and defaults for portanet's update rules."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np

from portanet import optimizers
from portanet.autodiff import array_namespace
from portanet.backends import Array, to_host
from portanet.compat.numpydl import extending
from portanet.compat.numpydl.utils.random import to_float
from portanet.configurable import Configurable
from portanet.lookup import lookup, names


class Optimizer(Configurable):
    """Base class of optimizers.

    Subclasses implement `rule()`, or in NumPy `update(params, grads)`, which updates the parameters in place and then
    calls `super().update(params, grads)`.

    Args:
        lr: Learning rate.
        clip: If positive, the largest magnitude of gradient elements.
        decay: The learning rate decays as `lr / (1 + decay * iterations)`.
        lr_min: Lower bound of the learning rate.
        lr_max: Upper bound of the learning rate.

    Example:
        >>> from portanet.compat.numpydl.optimizers import SGD
        >>> SGD(lr=0.1, decay=1.0).lr
        0.1
    """

    def __init__(
        self, lr: float = 0.001, clip: float = -1, decay: float = 0.0, lr_min: float = 0.0, lr_max: float = math.inf
    ) -> None:
        self.clip = clip
        self.decay = decay
        self.lr_min = lr_min
        self.lr_max = lr_max
        self.iterations = 0
        self.lr = lr
        self._rule: optimizers.Optimizer | None = None
        self._state: dict[str, Any] = {}

    @property
    def lr(self) -> float:
        """The learning rate of the next step."""
        return min(max(self._initial_lr / (1 + self.decay * self.iterations), self.lr_min), self.lr_max)

    @lr.setter
    def lr(self, value: float) -> None:
        self._initial_lr = value * (1 + self.decay * self.iterations)

    @property
    def in_numpy(self) -> bool:
        """Whether a subclass implements `update` in NumPy."""
        return extending.in_numpy(self, ("update",), "rule")

    def rule(self, **shared: Any) -> optimizers.Optimizer:
        """The update rule of portanet."""
        raise extending.missing(self, "rule(), or update(params, grads)")

    def update(self, params: list[Array], grads: list[Array]) -> list[Array]:
        """One step.

        Args:
            params: Parameters; updated in place if the library's arrays are mutable.
            grads: Their gradients.

        Returns:
            The new parameters.
        """
        if type(self).rule is not Optimizer.rule:
            params = self._step(params, grads)
        self.iterations += 1
        return params

    def apply(self, params: list[Array], grads: list[Array]) -> list[Array]:
        """One step, for `Model`."""
        if not self.in_numpy:
            return self.update(params, grads)
        copies = [np.array(to_host(p)) for p in params]
        result = self.update(copies, [to_host(g) for g in grads])
        return [to_float(p) for p in (copies if result is None else result)]

    def _step(self, params: list[Array], grads: list[Array]) -> list[Array]:
        named = {str(i): p for i, p in enumerate(params)}
        if self._rule is None:
            self._rule = self.rule(learning_rate=self._rate, clipvalue=self.clip if self.clip > 0 else None)
            self._state = self._rule.init(named)
        named, self._state = self._rule.update(named, {str(i): g for i, g in enumerate(grads)}, self._state)
        return [named[str(i)] for i in range(len(params))]

    def _rate(self, _: Array) -> float:
        return self.lr

    def __str__(self) -> str:
        return type(self).__name__


class SGD(Optimizer):
    """`p -= lr * g`.

    Args:
        *args: See `Optimizer`.
        **kwargs: Likewise.

    Example:
        >>> import numpy as np
        >>> SGD(lr=0.1).update([np.asarray([1.0])], [np.asarray([1.0])])[0].round(3).tolist()
        [0.9]
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)

    def rule(self, **shared: Any) -> optimizers.Optimizer:
        return optimizers.SGD(**shared)


class Momentum(Optimizer):
    """`v = momentum * v - lr * g; p += v`.

    Args:
        momentum: The momentum.
        *args: See `Optimizer`.
        **kwargs: Likewise.

    Example:
        >>> import numpy as np
        >>> Momentum(lr=0.1).update([np.asarray([1.0])], [np.asarray([1.0])])[0].round(3).tolist()
        [0.9]
    """

    def __init__(self, momentum: float = 0.9, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.momentum = momentum

    def rule(self, **shared: Any) -> optimizers.Optimizer:
        return optimizers.SGD(momentum=self.momentum, **shared)


class NesterovMomentum(Momentum):
    """`v = momentum * v - lr * g; p += momentum * v - lr * g`.

    Args:
        momentum: The momentum.
        *args: See `Optimizer`.
        **kwargs: Likewise.

    Example:
        >>> import numpy as np
        >>> NesterovMomentum(lr=0.1).update([np.asarray([1.0])], [np.asarray([1.0])])[0].round(3).tolist()
        [0.81]
    """

    def rule(self, **shared: Any) -> optimizers.Optimizer:
        return optimizers.SGD(momentum=self.momentum, nesterov=True, **shared)


class Adagrad(Optimizer):
    """Steps divided by the root of the sum of squared gradients (Duchi et al. 2011).

    Args:
        epsilon: What keeps quotients finite.
        *args: See `Optimizer`.
        **kwargs: Likewise.

    Example:
        >>> import numpy as np
        >>> Adagrad(lr=0.1).update([np.asarray([1.0])], [np.asarray([1.0])])[0].round(3).tolist()
        [0.9]
    """

    def __init__(self, epsilon: float = 1e-6, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.epsilon = epsilon

    def rule(self, **shared: Any) -> optimizers.Optimizer:
        return optimizers.Adagrad(initial_accumulator_value=0.0, epsilon=self.epsilon, **shared)


class _Running(Optimizer):
    def __init__(self, rho: float = 0.9, epsilon: float = 1e-6, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rho = rho
        self.epsilon = epsilon


class RMSprop(_Running):
    """Steps divided by the root of a running mean of squared gradients (Hinton 2012).

    Args:
        rho: Decay of the average.
        epsilon: What keeps quotients finite.
        *args: See `Optimizer`.
        **kwargs: Likewise.

    Example:
        >>> import numpy as np
        >>> RMSprop(lr=0.1).update([np.asarray([1.0])], [np.asarray([1.0])])[0].round(3).tolist()
        [0.684]
    """

    def rule(self, **shared: Any) -> optimizers.Optimizer:
        return optimizers.RMSprop(rho=self.rho, epsilon=self.epsilon, **shared)


class Adadelta(_Running):
    """RMSprop with steps in the parameters' own units (Zeiler 2012).

    Args:
        rho: Decay of the averages.
        epsilon: What keeps quotients finite.
        *args: See `Optimizer`.
        **kwargs: Likewise.

    Example:
        >>> import numpy as np
        >>> Adadelta(lr=0.1).update([np.asarray([1.0])], [np.asarray([1.0])])[0].round(3).tolist()
        [1.0]
    """

    def rule(self, **shared: Any) -> optimizers.Optimizer:
        return optimizers.Adadelta(rho=self.rho, epsilon=self.epsilon, **shared)


class _Moments(Optimizer):
    def __init__(
        self, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8, *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon


class Adam(_Moments):
    """Adam (Kingma and Ba 2015).

    Args:
        beta1: Decay of the mean of gradients.
        beta2: Decay of the mean of their squares.
        epsilon: What keeps quotients finite.
        *args: See `Optimizer`.
        **kwargs: Likewise.

    Example:
        >>> import numpy as np
        >>> Adam(lr=0.1).update([np.asarray([1.0])], [np.asarray([1.0])])[0].round(3).tolist()
        [0.9]
    """

    def rule(self, **shared: Any) -> optimizers.Optimizer:
        return optimizers.Adam(beta_1=self.beta1, beta_2=self.beta2, epsilon=self.epsilon, **shared)


class Adamax(_Moments):
    """Adam with the largest gradient instead of the mean square (Kingma and Ba 2015).

    Args:
        beta1: Decay of the mean of gradients.
        beta2: Decay of their largest absolute value.
        epsilon: What keeps quotients finite.
        *args: See `Optimizer`.
        **kwargs: Likewise.

    Example:
        >>> import numpy as np
        >>> Adamax(lr=0.1).update([np.asarray([1.0])], [np.asarray([1.0])])[0].round(3).tolist()
        [0.9]
    """

    def rule(self, **shared: Any) -> optimizers.Optimizer:
        return optimizers.Adamax(beta_1=self.beta1, beta_2=self.beta2, epsilon=self.epsilon, **shared)


Adadelat = Adadelta  # as NumPyDL's documentation spells it


def npdl_clip(grad: Any, boundary: float) -> Array:
    """A gradient with each element within [-boundary, boundary]; unchanged unless `boundary` is positive.

    Args:
        grad: A gradient.
        boundary: The largest absolute value.

    Example:
        >>> npdl_clip([3.0, -0.5], 1.0).tolist()
        [1.0, -0.5]
    """
    x = to_float(grad)
    return array_namespace(x).clip(x, -boundary, boundary) if boundary > 0 else x


KNOWN: dict[str, Any] = names(SGD, Momentum, NesterovMomentum, Adagrad, RMSprop, Adadelta, Adam, Adamax) | {
    "Adadelat": Adadelta
}


def get(optimizer: Any) -> Optimizer:
    """An optimizer by name, class or object; an object is copied, so that models do not share its state.

    Args:
        optimizer: A name, class or object.

    Example:
        >>> type(get("adam")).__name__
        'Adam'
    """
    if isinstance(optimizer, Optimizer):
        return copy.deepcopy(optimizer)
    result: Optimizer = lookup("optimizer", optimizer, KNOWN)
    return result
