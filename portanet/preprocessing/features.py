"""Polynomial features."""

from __future__ import annotations

import itertools

import numpy as np

from portanet import checks
from portanet.backends import Array, HostArray, raw_namespace
from portanet.preprocessing.transformer import Transformer, require_features


class PolynomialFeatures(Transformer):
    """All products of features up to a degree, in scikit-learn's order: 1, a, b, a^2, ab, b^2, ...

    Args:
        degree: The degree.
        include_bias: Whether to include a first column of ones.

    Data: shape (examples, features). Result: shape (examples, products).

    Example:
        >>> import numpy as np
        >>> PolynomialFeatures(2).fit_transform(np.asarray([[2.0, 3.0]]))
        array([[1., 2., 3., 4., 6., 9.]])
    """

    def __init__(self, degree: int = 2, include_bias: bool = True) -> None:
        self.degree = checks.integer("degree", degree, type(self), least=0)
        self.include_bias = checks.boolean("include_bias", include_bias, type(self))

    def _fit(self, x: Array) -> dict[str, HostArray]:
        if len(x.shape) != 2:
            raise ValueError(
                f"PolynomialFeatures takes data of shape (examples, features). Received: shape {tuple(x.shape)}"
            )
        return {"features": np.asarray(x.shape[1])}

    def _transform(self, x: Array, parameters: dict[str, Array]) -> Array:
        count = int(self.features_)
        require_features("PolynomialFeatures", x, (count,))
        xp = raw_namespace(x)
        products: dict[tuple[int, ...], Array] = {(): xp.ones_like(x[:, 0])}
        for degree in range(1, self.degree + 1):
            for factors in itertools.combinations_with_replacement(range(count), degree):
                products[factors] = products[factors[:-1]] * x[:, factors[-1]]
        if not self.include_bias:
            del products[()]
        return xp.stack(list(products.values()), axis=1)

    def _inverse_transform(self, x: Array, parameters: dict[str, Array]) -> Array:
        if self.degree < 1:
            raise ValueError("Polynomials of degree 0 cannot be inverted. Received: degree=0")
        first = int(self.include_bias)
        return x[:, first : first + int(self.features_)]
