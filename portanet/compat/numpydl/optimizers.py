"""`npdl.optimizers`: NumPyDL's arguments and defaults for portanet's update rules."""

from __future__ import annotations

import math
from typing import Any

from portanet import optimizers
from portanet.backends import Array
from portanet.configurable import Configurable
from portanet.lookup import lookup, names


class Optimizer(Configurable):
    """What the optimizers share.

    Args:
        lr: Learning rate.
        clip: If positive, the largest size of each element of a gradient.
        decay: The learning rate falls as `lr / (1 + decay * iterations)`.
        lr_min: Where it stops falling.
        lr_max: What it is held below.
    """

    def __init__(
        self, lr: float = 0.001, clip: float = -1, decay: float = 0.0, lr_min: float = 0.0, lr_max: float = math.inf
    ) -> None:
        self.lr = lr
        self.clip = clip
        self.decay = decay
        self.lr_min = lr_min
        self.lr_max = lr_max
        self.iterations = 0
        self._first_lr = lr
        self._rule: optimizers.Optimizer | None = None
        self._state: dict[str, Any] = {}

    def rule(self, **shared: Any) -> optimizers.Optimizer:
        """The update rule of portanet."""
        raise NotImplementedError(f"{type(self).__name__} does not implement rule().")

    def update(self, params: list[Array], grads: list[Array]) -> list[Array]:
        """One step.

        Args:
            params: Parameters; changed in place where the library's arrays can be.
            grads: Their gradients.

        Returns:
            The new parameters.
        """
        named = {str(i): p for i, p in enumerate(params)}
        if self._rule is None:
            self._rule = self.rule(learning_rate=self._rate, clipvalue=self.clip if self.clip > 0 else None)
            self._state = self._rule.init(named)
        slopes = {str(i): g for i, g in enumerate(grads)}
        named, self._state = self._rule.update(named, slopes, self._state)
        self.iterations += 1
        self.lr = self._first_lr / (1 + self.decay * self.iterations)
        self.lr = min(max(self.lr, self.lr_min), self.lr_max)
        return [named[str(i)] for i in range(len(params))]

    def _rate(self, _: Array) -> float:
        return self.lr

    def __str__(self) -> str:
        return type(self).__name__


class SGD(Optimizer):
    """`p -= lr * g`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)

    def rule(self, **shared: Any) -> optimizers.Optimizer:
        return optimizers.SGD(**shared)


class Momentum(Optimizer):
    """`v = momentum * v - lr * g; p += v`."""

    def __init__(self, momentum: float = 0.9, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.momentum = momentum

    def rule(self, **shared: Any) -> optimizers.Optimizer:
        return optimizers.SGD(momentum=self.momentum, **shared)


class NesterovMomentum(Momentum):
    """`v = momentum * v - lr * g; p += momentum * v - lr * g`."""

    def rule(self, **shared: Any) -> optimizers.Optimizer:
        return optimizers.SGD(momentum=self.momentum, nesterov=True, **shared)


class Adagrad(Optimizer):
    """Steps divided by the root of the sum of squared gradients (Duchi et al. 2011)."""

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
    """Steps divided by the root of a running mean of squared gradients (Hinton 2012)."""

    def rule(self, **shared: Any) -> optimizers.Optimizer:
        return optimizers.RMSprop(rho=self.rho, epsilon=self.epsilon, **shared)


class Adadelta(_Running):
    """RMSprop with steps in the parameters' own units (Zeiler 2012)."""

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
    """Adam (Kingma and Ba 2015)."""

    def rule(self, **shared: Any) -> optimizers.Optimizer:
        return optimizers.Adam(beta_1=self.beta1, beta_2=self.beta2, epsilon=self.epsilon, **shared)


class Adamax(_Moments):
    """Adam with the largest gradient instead of the mean square (Kingma and Ba 2015)."""

    def rule(self, **shared: Any) -> optimizers.Optimizer:
        return optimizers.Adamax(beta_1=self.beta1, beta_2=self.beta2, epsilon=self.epsilon, **shared)


KNOWN: dict[str, Any] = names(SGD, Momentum, NesterovMomentum, Adagrad, RMSprop, Adadelta, Adam, Adamax)


def get(optimizer: Any) -> Optimizer:
    """An optimizer by name, class or object."""
    if isinstance(optimizer, Optimizer):
        return optimizer
    found: Optimizer = lookup("optimizer", optimizer, KNOWN)
    return found
