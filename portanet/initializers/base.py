"""What an initializer is, and how many inputs and outputs a unit has."""

from __future__ import annotations

import math

import numpy as np

from portanet import checks, random
from portanet.backends import HostArray
from portanet.configurable import Configurable


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Number of inputs and outputs of a unit, from a kernel's shape: (..., inputs, outputs).

    Axes before the last two are those of a convolution's window, which multiplies both. A recurrent kernel with its
    gates side by side, (units, 4 * units), and an embedding, (words, dimensions), count as they stand, as in Keras.

    Example:
        >>> fans((784, 500)), fans((3, 3, 16, 32)), fans((64, 256)), fans((10,)), fans(())
        ((784, 500), (144, 288), (64, 256), (10, 10), (1, 1))
    """
    if len(shape) < 2:
        size = math.prod(shape)
        return size, size
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


class Initializer(Configurable):
    """Draws the initial values of a weight: `initializer(shape, generator)` gives a float64 NumPy array.

    Subclasses implement `draw(shape, generator)`.

    Args:
        seed: None: layers give a generator of their own, so that every weight gets other numbers. An integer: every
            call gives the same numbers.

    Example:
        >>> import numpy as np
        >>> from portanet.initializers import RandomNormal
        >>> initializer = RandomNormal(stddev=2.0, seed=1)
        >>> bool(np.all(initializer((3,)) == initializer((3,))))
        True
    """

    def __init__(self, seed: int | None = None) -> None:
        self.seed = None if seed is None else checks.integer("seed", seed, type(self), least=0)

    def __call__(self, shape: tuple[int, ...], generator: np.random.Generator | None = None) -> HostArray:
        """Draw values.

        Args:
            shape: Shape of the weight.
            generator: Where the numbers come from, unless the initializer has a seed of its own.
        """
        if self.seed is not None:
            generator = np.random.default_rng(self.seed)
        elif generator is None:
            generator = random.host_generator("initializer", random.next_unowned())
        return np.asarray(self.draw(tuple(shape), generator), dtype="float64")

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> HostArray:
        """The values."""
        raise NotImplementedError(f"{type(self).__name__} does not implement draw(shape, generator).")
