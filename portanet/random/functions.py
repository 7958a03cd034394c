"""Random arrays on the backend in use, under the names of `keras.random`.

The argument `seed` of each function is a number, for which a call always draws the same; a `SeedGenerator`, for which
each call draws anew; or None, which goes on with the seed of `portanet.random.set_seed`. The same numbers on every
backend, up to the rounding of functions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, special
from portanet.backends import Array, asarray, constant, device_of, dtype_for, get_backend
from portanet.random import streams
from portanet.random.generator import SeedGenerator, draw_of

Seed = int | SeedGenerator | None


def normal(
    shape: Sequence[int], mean: float = 0.0, stddev: float = 1.0, dtype: str | None = None, seed: Seed = None
) -> Array:
    """Normal numbers.

    Args:
        shape: Shape of the result.
        mean: Their mean.
        stddev: Their standard deviation.
        dtype: Name of a floating-point dtype; by default the backend's.
        seed: See the module.

    Example:
        >>> import portanet
        >>> portanet.random.normal((2, 3), seed=1).shape
        (2, 3)
    """
    key, step = draw_of(seed)
    return streams.of_examples(lambda s: streams.normal(key, step, s, _dtype(step, dtype), mean, stddev), shape)


def truncated_normal(
    shape: Sequence[int], mean: float = 0.0, stddev: float = 1.0, dtype: str | None = None, seed: Seed = None
) -> Array:
    """Normal numbers within two standard deviations of the mean; arguments are those of `normal`.

    Args:
        shape: Shape of the result.
        mean: Mean before numbers are redrawn.
        stddev: Standard deviation before numbers are redrawn.
        dtype: Name of a floating-point dtype; by default the backend's.
        seed: See the module.

    Example:
        >>> bool(abs(truncated_normal((1000,), seed=0)).max() <= 2)
        True
    """
    key, step = draw_of(seed)
    kind = _dtype(step, dtype)
    return streams.of_examples(lambda s: streams.truncated_normal(key, step, s, kind, mean, stddev), shape)


def uniform(
    shape: Sequence[int], minval: float = 0.0, maxval: float = 1.0, dtype: str | None = None, seed: Seed = None
) -> Array:
    """Uniform numbers of [minval, maxval).

    Args:
        shape: Shape of the result.
        minval: The least.
        maxval: The upper bound.
        dtype: Name of a floating-point dtype; by default the backend's.
        seed: See the module.

    Example:
        >>> import portanet
        >>> bool((portanet.random.uniform((5,), 2.0, 3.0) >= 2.0).all())
        True
    """
    key, step = draw_of(seed)
    return streams.of_examples(lambda s: streams.uniform(key, step, s, _dtype(step, dtype), minval, maxval), shape)


def randint(shape: Sequence[int], minval: int, maxval: int, dtype: str = "int32", seed: Seed = None) -> Array:
    """Integers from `minval` to `maxval - 1`.

    Args:
        shape: Shape of the result.
        minval: The least integer.
        maxval: One more than the greatest.
        dtype: Name of an integer dtype.
        seed: See the module.

    Example:
        >>> bool((randint((100,), 0, 6, seed=0) < 6).all())
        True
    """
    key, step = draw_of(seed)
    numbers = streams.of_examples(lambda s: streams.integers(key, step, s, minval, maxval), shape)
    return array_namespace(numbers).astype(numbers, dtype_for(numbers, dtype))


def categorical(logits: Any, num_samples: int, dtype: str = "int32", seed: Seed = None) -> Array:
    """Class numbers drawn with the probabilities of a softmax.

    Args:
        logits: Shape (batch, classes).
        num_samples: Draws for each row.
        dtype: Name of an integer dtype.
        seed: See the module.

    Returns:
        An array of shape (batch, num_samples).

    Example:
        >>> import numpy as np
        >>> categorical(np.asarray([[0.0, 100.0]]), 3, seed=0).tolist()
        [[1, 1, 1]]
    """
    logits = _array(logits)
    if logits.ndim != 2:
        raise ValueError(f"Argument `logits` must have shape (batch, classes). Received: {tuple(logits.shape)}")
    batch, classes = logits.shape
    count = checks.integer("num_samples", num_samples, "categorical", least=0)
    u = uniform((batch, count, classes), seed=seed)
    xp = array_namespace(logits, u)
    gumbel = -xp.log(-xp.log(u + 2.0**-25))  # u is a multiple of 2**-24 below 1
    drawn = xp.argmax(xp.expand_dims(logits, axis=1) + gumbel, axis=-1)
    return xp.astype(drawn, dtype_for(u, dtype))


def dropout(inputs: Any, rate: float, noise_shape: Sequence[int | None] | None = None, seed: Seed = None) -> Array:
    """Elements set to 0 at random, the others scaled so that the sum stays on average.

    Args:
        inputs: A floating-point array.
        rate: Fraction to drop, in [0, 1).
        noise_shape: Shape of the mask: 1 on axes along which it is shared, None for the input's size.
        seed: See the module.

    Example:
        >>> import numpy as np
        >>> round(float(dropout(np.ones(10000), 0.5, seed=0).mean()), 1)
        1.0
    """
    x = _array(inputs)
    rate = checks.rate("rate", rate, "dropout")
    shape = [None] * x.ndim if noise_shape is None else list(noise_shape)
    sizes = tuple(n if m is None else m for n, m in zip(x.shape, shape, strict=True))
    key, step = draw_of(seed)
    keep = streams.bernoulli(key, step, 1 - rate, sizes)
    return array_namespace(x, keep).where(keep, x / (1 - rate), 0.0)


def shuffle(x: Any, axis: int = 0, seed: Seed = None) -> Array:
    """The entries along an axis in random order.

    Args:
        x: An array.
        axis: The axis.
        seed: See the module.

    Example:
        >>> import numpy as np
        >>> sorted(shuffle(np.arange(4), seed=0).tolist())
        [0, 1, 2, 3]
    """
    x = _array(x)
    key, step = draw_of(seed)
    axis = checks.axis("axis", axis, x.ndim, "shuffle")
    return array_namespace(x).take(x, streams.permutation(key, step, x.shape[axis]), axis=axis)


def gamma(shape: Sequence[int], alpha: Any, dtype: str | None = None, seed: Seed = None) -> Array:
    """Numbers of gamma distributions of scale 1, by inversion.

    Args:
        shape: Shape of the result.
        alpha: Shape parameters, which broadcast to `shape`.
        dtype: Name of a floating-point dtype; by default the backend's.
        seed: See the module.

    Example:
        >>> round(float(gamma((10000,), 2.0, seed=0).mean()), 1)
        2.0
    """
    u = _inside(shape, dtype, seed)
    return special.gammaincinv(_full(alpha, u), u)


def beta(shape: Sequence[int], alpha: Any, beta: Any, dtype: str | None = None, seed: Seed = None) -> Array:
    """Numbers of beta distributions, by inversion.

    Args:
        shape: Shape of the result.
        alpha: First parameters, which broadcast to `shape`.
        beta: Second parameters.
        dtype: Name of a floating-point dtype; by default the backend's.
        seed: See the module.

    Example:
        >>> beta((1000,), 2.0, 2.0, seed=0).shape
        (1000,)
    """
    u = _inside(shape, dtype, seed)
    return special.betaincinv(_full(alpha, u), _full(beta, u), u)


def binomial(
    shape: Sequence[int], counts: Any, probabilities: Any, dtype: str | None = None, seed: Seed = None
) -> Array:
    """Numbers of successes in independent trials.

    Args:
        shape: Shape of the result.
        counts: Numbers of trials, which broadcast to `shape`.
        probabilities: Probabilities of success, likewise.
        dtype: Name of a dtype; by default the backend's floating-point one.
        seed: See the module.

    Example:
        >>> binomial((3,), 10, 1.0, seed=0).tolist()
        [10.0, 10.0, 10.0]
    """
    shape = tuple(shape)
    trials, p = asarray(counts), asarray(probabilities)
    xp = array_namespace(trials)
    most = int(xp.max(trials)) if math.prod(trials.shape) else 0
    key, step = draw_of(seed)

    def draw(shape: tuple[int, ...]) -> Array:
        drawn = streams.uniform(key, step, (most, *shape), _dtype(step, None))
        return array_namespace(drawn).moveaxis(drawn, 0, -1)

    u = streams.of_examples(draw, shape)
    u = array_namespace(u).moveaxis(u, -1, 0)
    number = xp.reshape(xp.arange(most, device=device_of(u)), (most, *(1 for _ in shape)))
    hits = xp.sum(xp.astype((u < p) & (number < trials), xp.int32), axis=0)
    return xp.astype(hits, _dtype(u, dtype))


def _dtype(like: Array, name: str | None) -> Any:
    return get_backend().dtype if name is None else dtype_for(like, name)


def _array(x: Any) -> Array:
    return x if hasattr(x, "shape") and hasattr(x, "ndim") else asarray(x)


def _inside(shape: Sequence[int], dtype: str | None, seed: Seed) -> Array:
    """Uniform numbers of (0, 1), without the ends."""
    u = uniform(shape, dtype=dtype, seed=seed)
    return u * (1 - 2.0**-24) + 2.0**-25


def _full(value: Any, u: Array) -> Array:
    xp = array_namespace(u)
    array = value if hasattr(value, "shape") else constant(u, value, u.dtype)
    return xp.broadcast_to(xp.astype(array, u.dtype), u.shape)
