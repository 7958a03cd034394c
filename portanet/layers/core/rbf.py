"""Radial basis functions (Broomhead and Lowe 1988)."""

from __future__ import annotations

from typing import Any

from portanet import activations, checks, initializers
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.initializers import Constant
from portanet.layers.base import Layer
from portanet.preprocessing.clustering import choose_centers


class RBF(Layer):
    """Gaussian units: each computes `exp(-beta |x - centre|^2)`, near 1 where the input is near its centre.

    With `normalize=True` these are divided by their sum, so that some unit responds everywhere. With
    `local_linear=True`, each unit also returns its value times `x - centre`: a linear layer on top then has a plane of
    its own around each centre, where it had a constant. `adapt` chooses centres and widths from data; a linear layer on
    top is then fitted in one step by `portanet.fused.least_squares`, or all layers are trained by gradient descent.

    Args:
        units: Number of units.
        normalize: Whether the outputs of the units sum to 1.
        beta: The initial factor in the exponent, 1 / (2 width^2).
        centers_initializer: Initial centres, shape (units, features).
        local_linear: Whether to return the values of the units times `x - centre` too.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Input: shape (batch, features). Output: shape (batch, units); with `local_linear`, (batch, units * (1 + features)):
    first the units, then the products with all features of the first unit, and so on.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> rbf = layers.RBF(2)
        >>> rbf.build((None, 1))
        >>> rbf.set_weights([[[0.0], [1.0]], [1.0, 1.0]])
        >>> rbf(np.asarray([[0.0]], dtype="float32")).round(4)
        array([[1.    , 0.3679]], dtype=float32)
    """

    supports_masking = True
    casts_integers = True

    def __init__(
        self,
        units: int,
        normalize: bool = False,
        beta: float = 1.0,
        centers_initializer: Any = "glorot_uniform",
        local_linear: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.units = checks.positive_int("units", units, self)
        self.normalize = checks.boolean("normalize", normalize, self)
        self.beta = checks.positive("beta", beta, self)
        self.centers_initializer = initializers.get(centers_initializer, "centers_initializer", self)
        self.local_linear = checks.boolean("local_linear", local_linear, self)

    def build(self, input_shape: Any) -> None:
        if len(input_shape) != 2:
            raise ValueError(
                f"Layer '{self.name}' needs inputs of shape (batch, features). Received: shape {tuple(input_shape)}"
            )
        self.centers = self.add_weight(
            shape=(self.units, input_shape[-1]), initializer=self.centers_initializer, name="centers"
        )
        self.betas = self.add_weight(shape=(self.units,), initializer=Constant(self.beta), name="betas")

    def call(self, x: Array) -> Array:
        centers, betas = self.centers.value, self.betas.value
        self.require_axis(x, -1, centers.shape[1])
        xp = array_namespace(x, centers, betas)
        # |x - c|^2 as a sum over differences: x.x - 2x.c + c.c would lose precision where x is near c.
        difference = xp.expand_dims(x, axis=1) - centers
        exponents = xp.multiply(-betas, xp.sum(difference * difference, axis=-1))
        values = activations.softmax(exponents) if self.normalize else xp.exp(exponents)
        if not self.local_linear:
            return values
        products = xp.multiply(xp.expand_dims(values, axis=-1), difference)
        size = self.units * centers.shape[1]  # no -1: the batch may be empty
        return xp.concat([values, xp.reshape(products, (products.shape[0], size))], axis=1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], self.units * (1 + input_shape[-1] if self.local_linear else 1))

    def adapt(self, x: Any, method: str = "k_means", seed: int | None = None) -> None:
        """Choose centres and widths from examples.

        The width of every unit is the largest distance between centres divided by sqrt(2 units) (Haykin 1994), so
        beta is units / distance^2; if all centres coincide, it is unchanged.

        Args:
            x: Examples, shape (examples, features).
            method: `"k_means"` for the centres of clusters, `"sample"` for examples drawn without replacement.
            seed: Seed of the draws; by default `portanet.random.get_seed()`.
        """
        centers, distance = choose_centers(x, self.units, method, seed)
        if not self._built:
            self.build(centers.shape)
        beta = self.units / distance**2 if distance > 0 else self.beta
        self.set_weights([centers, [beta] * self.units])
