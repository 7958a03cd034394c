"""The base class of initializers, and the fans of a unit."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from portanet import checks, random
from portanet.backends import HostArray, asarray, to_host
from portanet.configurable import Configurable


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Number of inputs and outputs of a unit, from a kernel's shape: (..., inputs, outputs).

    Axes before the last two are a convolution's spatial axes, whose product multiplies both. A recurrent kernel of all
    gates, (units, 4 * units), and an embedding, (words, dimensions), are not special, as in Keras.

    Example:
        >>> fans((784, 500)), fans((3, 3, 16, 32)), fans((64, 256)), fans((10,)), fans(())
        ((784, 500), (144, 288), (64, 256), (10, 10), (1, 1))
    """
    if not isinstance(shape, (list, tuple)):
        raise checks.invalid("shape", shape, "a tuple of integers", "fans")
    shape = checks.integers("shape", shape, of="fans", least=0) if shape else ()
    if len(shape) < 2:
        size = math.prod(shape)
        return size, size
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


class Initializer(Configurable):
    """Draws the initial values of a weight: `initializer(shape, generator)` returns a float64 NumPy array.

    Subclasses implement `draw(shape, generator)`.

    Args:
        seed: None: layers pass a generator per weight, so that every weight gets different values. An integer: every
            call returns the same values.

    Example:
        >>> import numpy as np
        >>> from portanet.initializers import RandomNormal
        >>> initializer = RandomNormal(stddev=2.0, seed=1)
        >>> bool(np.all(initializer((3,)) == initializer((3,))))
        True
    """

    def __init__(self, seed: int | None = None) -> None:
        self.seed = None if seed is None else checks.integer("seed", seed, type(self), least=0)

    def __call__(
        self, shape: Sequence[int], generator: np.random.Generator | str | None = None, dtype: str | None = None
    ) -> Any:
        """Draw values.

        Args:
            shape: Shape of the weight.
            generator: Source of the random values, unless the initializer has a seed. A dtype in its place, as in
                Keras, is taken for `dtype`.
            dtype: If given, the result is an array of the backend in use of this dtype.
        """
        if isinstance(generator, str):
            generator, dtype = None, generator
        if dtype is not None:
            return asarray(self(shape, generator), dtype)
        if self.seed is not None:
            generator = np.random.default_rng(self.seed)
        elif generator is None:
            generator = random.host_generator("initializer", random.next_unowned())
        return np.asarray(self.draw(tuple(shape), generator), dtype="float64")

    def clone(self) -> Initializer:
        """An initializer with the same arguments."""
        return type(self).from_config(self.get_config())

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> HostArray:
        """The values."""
        raise NotImplementedError(f"{type(self).__name__} does not implement draw(shape, generator).")


def drawn(initializer: Callable[..., Any], shape: tuple[int, ...], generator: np.random.Generator, dtype: str) -> Any:
    """The values of an initializer, or of a function that takes a generator or, as in Keras, a dtype."""
    if type(initializer).__call__ is Initializer.__call__:
        return initializer(shape, generator)
    try:
        parameters = inspect.signature(initializer).parameters
    except (TypeError, ValueError):  # written in C
        parameters = {}  # type: ignore[assignment]
    if "generator" not in parameters and "dtype" in parameters:
        return to_host(initializer(shape, dtype=dtype))
    return initializer(shape, generator)
