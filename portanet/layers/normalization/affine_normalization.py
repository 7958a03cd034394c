"""The base class of normalisation layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portanet import checks, constraints, initializers, regularizers
from portanet.autodiff import array_namespace, unwrap
from portanet.backends import Array, dtype_for
from portanet.fused.normalization import normalize
from portanet.layers.base import Layer
from portanet.mixed_precision import require_real


class AffineNormalization(Layer):
    """A layer that normalises, then multiplies by `gamma` and adds `beta`.

    Args:
        epsilon: Added to the variance.
        center: Whether to add `beta`.
        scale: Whether to multiply by `gamma`.
        beta_initializer: Initial values of `beta`.
        gamma_initializer: Initial values of `gamma`.
        beta_regularizer: Name or function: penalty on `beta`, added to the loss.
        gamma_regularizer: Likewise on `gamma`.
        beta_constraint: Name or function applied to `beta` after each update.
        gamma_constraint: Likewise to `gamma`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.
    """

    keeps_shape = True
    autocast = False  # `widened` casts: half precision ends at 65504
    gamma: Any = None
    beta: Any = None

    def __init__(
        self,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.epsilon = checks.non_negative("epsilon", epsilon, self)
        self.center = checks.boolean("center", center, self)
        self.scale = checks.boolean("scale", scale, self)
        self.beta_initializer = initializers.get(beta_initializer, "beta_initializer", self)
        self.gamma_initializer = initializers.get(gamma_initializer, "gamma_initializer", self)
        self.beta_regularizer = regularizers.get(beta_regularizer, "beta_regularizer", self)
        self.gamma_regularizer = regularizers.get(gamma_regularizer, "gamma_regularizer", self)
        self.beta_constraint = constraints.get(beta_constraint, "beta_constraint", self)
        self.gamma_constraint = constraints.get(gamma_constraint, "gamma_constraint", self)

    def add_affine(self, shape: tuple[int, ...]) -> None:
        """Allocate `gamma` and `beta`, if used."""
        if self.scale:
            self.gamma = self.add_weight(
                shape=shape,
                initializer=self.gamma_initializer,
                name="gamma",
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
                autocast=False,
            )
        if self.center:
            self.beta = self.add_weight(
                shape=shape,
                initializer=self.beta_initializer,
                name="beta",
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
                autocast=False,
            )

    def affine(self, shape: tuple[int, ...]) -> list[Array]:
        """`gamma` and `beta`, if used, in a shape that broadcasts to the input's."""
        used = [self.gamma] if self.scale else []
        used += [self.beta] if self.center else []
        return [array_namespace(v.value).reshape(v.value, shape) for v in used]

    def normalized(self, x: Array, axes: tuple[int, ...], shape: tuple[int, ...]) -> tuple[Array, Array, Array]:
        """`x` normalised over axes, with `gamma` and `beta` of a shape applied; and the mean and variance."""
        result: tuple[Array, Array, Array] = normalize(
            x, *self.affine(shape), axes=axes, epsilon=self.epsilon, scale=self.scale, offset=self.center
        )
        return result


def positive_axes(layer: Layer, axes: int | tuple[int, ...], shape: Any) -> tuple[int, ...]:
    """Non-negative axes in ascending order; each must be an axis of the input other than the batch axis."""
    axes = (axes,) if isinstance(axes, int) else axes
    positive = tuple(sorted({a % len(shape) for a in axes if 0 < abs(a) < len(shape)}))
    if len(positive) != len(axes):
        raise ValueError(
            f"Argument `axis` of layer '{layer.name}' must name axes of the input, each once and not the batch axis. "
            f"Received: axis={list(axes)} for an input of shape {tuple(shape)}"
        )
    return positive


def require_same_rank(layer: Layer, x: Array) -> None:
    """Reject inputs of another number of axes than the first; as in Keras."""
    if x.ndim != len(layer.build_shape):
        raise ValueError(
            f"Layer '{layer.name}' needs inputs of {len(layer.build_shape)} axes, like the first. "
            f"Received: shape {tuple(x.shape)}"
        )


def widened(layer: Layer, x: Array) -> tuple[Array, Callable[[Array], Array]]:
    """`x` in at least float32, for statistics, and a function that casts a result to the layer's compute dtype."""
    xp, variable = array_namespace(x), next(iter(layer._variables.values()), None)
    if layer._policy is not None or (variable is None and not xp.isdtype(x.dtype, "real floating")):
        dtype = dtype_for(unwrap(x), layer.compute_dtype)
    else:
        dtype = x.dtype if variable is None else variable.value.dtype
    wide = dtype if xp.finfo(dtype).bits >= 32 else xp.float32
    if x.dtype != wide:
        require_real(xp, x.dtype, layer)
        x = xp.astype(x, wide)
    return x, lambda out: out if out.dtype == dtype else array_namespace(out).astype(out, dtype)
