"""Deterministic initial values."""

from __future__ import annotations

from typing import Any

import numpy as np

from portanet import checks
from portanet.backends import HostArray
from portanet.initializers.base import Initializer


class Zeros(Initializer):
    """All zeros.

    Example:
        >>> Zeros()((2,))
        array([0., 0.])
    """

    def __init__(self) -> None:
        super().__init__()

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> HostArray:
        return np.zeros(shape)


class Ones(Initializer):
    """All ones.

    Example:
        >>> Ones()((2,))
        array([1., 1.])
    """

    def __init__(self) -> None:
        super().__init__()

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> HostArray:
        return np.ones(shape)


class Constant(Initializer):
    """One value everywhere, or given values.

    Args:
        value: A number, or an array (nested lists) that broadcasts to the weight's shape.

    Example:
        >>> Constant(0.01)((2,))
        array([0.01, 0.01])
    """

    def __init__(self, value: Any = 0.0) -> None:
        super().__init__()
        host = np.asarray(value)
        if host.dtype.kind not in "biuf" or not np.isfinite(host).all():
            raise ValueError(f"Argument `value` of Constant must hold finite numbers. Received: value={value!r}")
        self.value = host.astype("float64")

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> HostArray:
        try:
            return np.broadcast_to(self.value, shape).copy()
        except ValueError:
            raise ValueError(
                f"Argument `value` of Constant must broadcast to the weight's shape {shape}. "
                f"Received: a value of shape {self.value.shape}"
            ) from None


class Identity(Initializer):
    """The identity matrix, for weights of rank 2; zeros off the main diagonal.

    Args:
        gain: The value on the diagonal.

    Example:
        >>> Identity()((2, 3))
        array([[1., 0., 0.],
               [0., 1., 0.]])
    """

    def __init__(self, gain: float = 1.0) -> None:
        super().__init__()
        self.gain = checks.number("gain", gain, of=type(self))

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> HostArray:
        if len(shape) != 2:
            raise ValueError(f"Identity initializes weights of rank 2. Received: shape={shape}")
        return self.gain * np.eye(*shape)
