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


def fans(
    shape: tuple[int, ...], input_axes: Sequence[int] | None = None, output_axes: Sequence[int] | None = None
) -> tuple[int, int]:
    """Number of inputs and outputs of a unit, from a kernel's shape: (..., inputs, outputs).

    Axes before the last two are a convolution's spatial axes, whose product multiplies both. A recurrent kernel of all
    gates, (units, 4 * units), and an embedding, (words, dimensions), are not special, as in Keras.

    Args:
        shape: Shape of the kernel.
        input_axes: Axes of the inputs, for a kernel of another form; with `output_axes`.
        output_axes: Axes of the outputs.

    Example:
        >>> fans((784, 500)), fans((3, 3, 16, 32)), fans((64, 256)), fans((10,)), fans(())
        ((784, 500), (144, 288), (64, 256), (10, 10), (1, 1))
        >>> fans((16, 8, 4), input_axes=[0], output_axes=[1, 2])
        (16, 32)
    """
    if not isinstance(shape, (list, tuple)):
        raise checks.invalid("shape", shape, "a tuple of integers", "fans")
    shape = checks.integers("shape", shape, of="fans", least=0) if shape else ()
    inputs, outputs = axes_of_units(input_axes, output_axes, "fans")
    if inputs is not None and outputs is not None:
        return math.prod(_size(shape, axis) for axis in inputs), math.prod(_size(shape, axis) for axis in outputs)
    if len(shape) < 2:
        size = math.prod(shape)
        return size, size
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


def _size(shape: tuple[int, ...], axis: int) -> int:
    return shape[checks.axis("input_axes or output_axes", axis, len(shape), "fans")]


def axes_of_units(
    input_axes: Sequence[int] | None, output_axes: Sequence[int] | None, of: str | type
) -> tuple[tuple[int, ...] | None, tuple[int, ...] | None]:
    """The axes of inputs and outputs, checked: both, which may be empty, or None for both."""
    named = {"input_axes": input_axes, "output_axes": output_axes}
    if input_axes is None or output_axes is None:
        for name, axes in named.items():
            if axes is not None:
                raise checks.invalid(name, axes, "given together with the other axes", of)
        return None, None
    inputs, outputs = (
        () if isinstance(axes, (list, tuple)) and not axes else checks.integers(name, axes, of=of)
        for name, axes in named.items()
    )
    return inputs, outputs


class Initializer(Configurable):
    """Draws the initial values of a weight: `initializer(shape, generator)` returns a float64 NumPy array.

    Subclasses implement `draw(shape, generator)`.

    Args:
        seed: None: layers pass a generator per weight, so that every weight gets different values. An integer: every
            call returns the same values. A `random.SeedGenerator`: each call returns others.

    Example:
        >>> import numpy as np
        >>> from portanet.initializers import RandomNormal
        >>> initializer = RandomNormal(stddev=2.0, seed=1)
        >>> bool(np.all(initializer((3,)) == initializer((3,))))
        True
    """

    def __init__(self, seed: int | random.SeedGenerator | None = None) -> None:
        counts = seed is None or isinstance(seed, random.SeedGenerator)
        self.seed: Any = seed if counts else checks.integer("seed", seed, type(self), least=0)

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
        if isinstance(self.seed, random.SeedGenerator):
            generator = random.host_generator("initializer", self.seed.seed, int(to_host(self.seed.next())))
        elif self.seed is not None:
            generator = np.random.default_rng(self.seed)
        elif generator is None:
            generator = random.host_generator("initializer", random.next_unowned())
        return np.asarray(self.draw(tuple(shape), generator), dtype="float64")

    def get_config(self) -> dict[str, Any]:
        """The arguments that create an equal initializer; of a generator, its seed."""
        config = super().get_config()
        return {**config, "seed": self.seed.seed} if isinstance(config.get("seed"), random.SeedGenerator) else config

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
