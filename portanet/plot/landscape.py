"""The loss around the weights: along a ray and on a plane (Li et al. 2018)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from portanet import checks
from portanet.autodiff import unwrap
from portanet.backends import HostArray, array_like, asarray, to_host
from portanet.drawing import COLOURS, new_axes
from portanet.models import Model
from portanet.plot.planes import draw_contours, draw_surface
from portanet.plot.values import host
from portanet.tree import tree_leaves, tree_map


class Place:
    """Weights at which a loss is computed, as arrays on the host.

    Args:
        loss: A compiled model, or a function of a tree of arrays.
        at: For a model, the data `(x, y)` or `(x, y, sample_weight)`; for a function, the weights.
        of: The function that draws, for errors.
    """

    def __init__(self, loss: Any, at: Any, of: str) -> None:
        self.loss, self.at, self.of = loss, at, of
        self.is_model = isinstance(loss, Model)
        if self.is_model:
            if not isinstance(at, (list, tuple)) or len(at) not in (2, 3):
                raise checks.invalid("at", at, "the data, (x, y) or (x, y, sample_weight), where `loss` is a model", of)
            loss.require_compiled()
            self._evaluate()  # which builds the model
            self.variables = loss.trainable_weights
            self.weights = [np.asarray(v.numpy()) for v in self.variables]
        else:
            checks.function("loss", loss, of)
            self.at = tree_map(lambda leaf: leaf if hasattr(leaf, "shape") else self._array(leaf), at)
            self.weights = [to_host(unwrap(leaf)) for leaf in tree_leaves(self.at)]
        if not self.weights or any(w.dtype.kind != "f" for w in self.weights):
            where = "loss" if self.is_model else "at"
            expected = "a model with weights to train" if self.is_model else "floating-point weights: arrays, or a tree"
            raise checks.invalid(where, getattr(self, where), expected, of)

    def _array(self, leaf: Any) -> Any:
        return asarray(host("at", leaf, self.of, "floating-point weights: arrays, or a tree of them"))

    def _evaluate(self) -> float:
        x, y, *weight = self.at
        options = {"sample_weight": weight[0]} if weight else {}
        return float(self.loss.evaluate(x, y, batch_size=4096, verbose=0, return_dict=True, **options)["loss"])

    def direction(self, generator: np.random.Generator) -> list[HostArray]:
        """A random direction, filter-normalised: each filter, the weights of one output, has the norm of the weights'.

        As in the paper, biases and the weights of normalisation, which have one axis at most, stay where they are in a
        model; in other functions such an array counts as one filter.
        """
        direction = []
        for w in self.weights:
            d = generator.standard_normal(w.shape)
            if w.ndim <= 1 and self.is_model:
                direction.append(np.zeros_like(d))
                continue
            axes = tuple(range(w.ndim - 1)) if w.ndim > 1 else None
            norm = np.sqrt(np.sum(np.asarray(w, "float64") ** 2, axis=axes, keepdims=True))
            direction.append(d * norm / np.sqrt(np.sum(d**2, axis=axes, keepdims=True)))
        return direction

    def given(self, name: str, direction: Any) -> list[HostArray]:
        """A direction that the caller chose: arrays like the weights."""
        expected = "arrays like the weights"
        leaves = [host(name, leaf, self.of, expected) for leaf in tree_leaves(direction)]
        if [leaf.shape for leaf in leaves] != [w.shape for w in self.weights]:
            shapes = ", ".join(str(w.shape) for w in self.weights)
            raise ValueError(
                f"{checks.argument(name, self.of)} must have arrays like the weights, of shapes {shapes}. "
                f"Received: shapes {', '.join(str(leaf.shape) for leaf in leaves) or 'of no arrays'}"
            )
        return leaves

    def values(self, directions: Sequence[list[HostArray]], coordinates: Sequence[HostArray]) -> HostArray:
        """The loss at the weights plus multiples of the directions: an axis for each of these."""
        with self._moving() as compute:
            found = [
                compute(
                    [
                        w + sum(c * d for c, d in zip(cs, ds, strict=True))
                        for w, *ds in zip(self.weights, *directions, strict=True)
                    ]
                )
                for cs in itertools.product(*(c.tolist() for c in coordinates))
            ]
        return np.asarray(found).reshape([len(c) for c in coordinates])

    @contextmanager
    def _moving(self) -> Iterator[Callable[[list[HostArray]], float]]:
        """The loss as a function of weights on the host; a model has its own again afterwards."""
        if not self.is_model:

            def of_function(values: list[HostArray]) -> float:
                remaining = iter(values)
                tree = tree_map(lambda leaf: array_like(unwrap(leaf), next(remaining)), self.at)
                result = host("loss", self.loss(tree), self.of, "a function that returns one number")
                if result.size != 1:
                    raise ValueError(
                        f"{checks.argument('loss', self.of)} must return one number. "
                        f"Received: an array of shape {result.shape}"
                    )
                return float(result.reshape(()))

            yield of_function
            return

        def of_model(values: list[HostArray]) -> float:
            for variable, value in zip(self.variables, values, strict=True):
                variable.assign(value)
            return self._evaluate()

        try:
            yield of_model
        finally:
            for variable, value in zip(self.variables, self.weights, strict=True):
                variable.assign(value)


def loss_values(loss: Any, at: Any, directions: Sequence[Any], coordinates: Sequence[Any]) -> HostArray:
    """The loss at `weights + a * directions[0] + b * directions[1]` and so on, for all given a and b.

    Args:
        loss: A compiled model, or a function of weights; see `loss_ray`.
        at: The data `(x, y)` of a model, or the weights.
        directions: One or more directions: trees of arrays like the weights that are trained, in order.
        coordinates: For each direction, a list of multiples.

    Returns:
        A NumPy array with one axis per direction.

    Example:
        >>> import numpy as np
        >>> from portanet import plot
        >>> plot.loss_values(lambda w: (w**2).sum(), np.asarray([1.0, 0.0]), [np.asarray([1.0, 1.0])], [[0, 1, 2]])
        array([ 1.,  5., 13.])
    """
    of = "plot.loss_values"
    place = Place(loss, at, of)
    if not isinstance(directions, (list, tuple)) or not directions:
        raise checks.invalid("directions", directions, "a list of one or more directions", of)
    if not isinstance(coordinates, (list, tuple)) or len(coordinates) != len(directions):
        expected = f"a list with {len(directions)} lists of numbers, one for each direction"
        raise checks.invalid("coordinates", coordinates, expected, of)
    places = [host("coordinates", c, of, "a list of numbers for each direction", 1) for c in coordinates]
    return place.values([place.given("directions", d) for d in directions], places)


def loss_ray(
    loss: Any,
    at: Any,
    direction: Any | None = None,
    radius: float = 1.0,
    points: int = 51,
    seed: int = 0,
    ax: Any = None,
) -> Any:
    """Plot the loss along a straight line through the weights.

    Args:
        loss: A compiled model, whose weights stay as they are, or a function of a tree of arrays that returns a number.
        at: For a model, the data `(x, y)` or `(x, y, sample_weight)`; for a function, the weights.
        direction: A direction: arrays like the weights that are trained. By default a random one, in which each filter
            has the norm of the filter of the weights, and biases and the weights of normalisation are 0 (Li et al.,
            Visualizing the loss landscape of neural nets, 2018).
        radius: How far to go to both sides, in multiples of the direction.
        points: Points on the line.
        seed: Seed of the random direction.
        ax: The axes; by default those of a new figure.

    Returns:
        The axes.

    Example:
        >>> import numpy as np
        >>> from portanet import plot
        >>> ax = plot.loss_ray(lambda w: (w**2).sum(), np.asarray([3.0, 4.0]), np.asarray([1.0, 0.0]), points=3)
        >>> ax.lines[0].get_ydata().tolist()
        [20.0, 25.0, 32.0]
    """
    of = "plot.loss_ray"
    place = Place(loss, at, of)
    line = _line(radius, points, of)
    generator = np.random.default_rng(checks.integer("seed", seed, of, least=0))
    chosen = place.direction(generator) if direction is None else place.given("direction", direction)
    values = place.values([chosen], [line])
    ax = new_axes(ax, of)
    ax.plot(line, values, color=COLOURS[0])
    ax.axvline(0, color="#999999", linewidth=0.8, linestyle=":")
    ax.set_xlabel("distance from the weights, in multiples of the direction")
    ax.set_ylabel("loss")
    return ax


def loss_plane(
    loss: Any,
    at: Any,
    directions: Sequence[Any] | None = None,
    radius: float = 1.0,
    points: int = 25,
    kind: str = "contour",
    log: bool = False,
    seed: int = 0,
    ax: Any = None,
) -> Any:
    """Show the loss on a plane through the weights.

    Args:
        loss: A compiled model, whose weights stay as they are, or a function of weights; see `loss_ray`.
        at: The data `(x, y)` of a model, or the weights.
        directions: Two directions that span the plane; by default two random ones, as in `loss_ray`.
        radius: How far to go to all sides, in multiples of the directions.
        points: Points along each direction: the loss is computed points * points times.
        kind: `"contour"`, or `"surface"` in three dimensions.
        log: Whether levels are close where the loss is low; of a surface, whether it is the logarithm (base 10).
        seed: Seed of the random directions.
        ax: The axes; by default those of a new figure.

    Returns:
        The axes.

    Example:
        >>> import numpy as np
        >>> from portanet import plot
        >>> ax = plot.loss_plane(lambda w: (w**2).sum(), np.asarray([3.0, 4.0]), points=5, radius=0.5)
        >>> [float(end) for end in ax.get_xlim()]
        [-0.5, 0.5]
    """
    of = "plot.loss_plane"
    kind = checks.choice("kind", kind, ("contour", "surface"), of)
    log = checks.boolean("log", log, of)
    place = Place(loss, at, of)
    line = _line(radius, points, of)
    generator = np.random.default_rng(checks.integer("seed", seed, of, least=0))
    if directions is None:
        chosen = [place.direction(generator), place.direction(generator)]
    elif isinstance(directions, (list, tuple)) and len(directions) == 2:
        chosen = [place.given("directions", direction) for direction in directions]
    else:
        raise checks.invalid("directions", directions, "a list of two directions", of)
    ax = new_axes(ax, of, (5.5, 4.4), "3d" if kind == "surface" else None)
    values = place.values(chosen, [line, line]).T
    if kind == "surface":
        draw_surface(ax, line, line, values, log, of)
        ax.set_zlabel("log10 of the loss" if log else "loss")
    else:
        draw_contours(ax, line, line, values, 20, log)
        ax.plot(0, 0, marker="x", color=COLOURS[1], markersize=8, markeredgewidth=2)
    ax.set_xlabel("first direction")
    ax.set_ylabel("second direction")
    return ax


def _line(radius: float, points: int, of: str) -> HostArray:
    radius = checks.positive("radius", radius, of)
    return np.linspace(-radius, radius, checks.integer("points", points, of, least=2))
