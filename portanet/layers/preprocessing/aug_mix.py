"""Mixtures of chains of augmentations."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.preprocessing.rand_augment import SeveralAugmentations


class AugMix(SeveralAugmentations):
    """In training, mix images with results of random chains of augmentations; as `keras.layers.AugMix`.

    The augmentations are those of `RandAugment`, drawn for the batch; a link of a chain may also do nothing. Source: D.
    Hendrycks et al., AugMix, 2019, https://arxiv.org/abs/1912.02781.

    Args:
        value_range: Smallest and largest value of pixels, beyond which results are clipped.
        num_chains: Number of chains.
        chain_depth: Length of the chains.
        factor: Strength: a pair (low, high) within [0, 1], or a number for a range from 0.
        alpha: Parameter of the distributions of weights: Dirichlet for the chains, beta for the images themselves.
        all_ops: False to leave out brightness, color degeneration, contrast and sharpness.
        interpolation: `"bilinear"` or `"nearest"`.
        seed: Seed; by default `portanet.random.get_seed()`.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Input: shape (batch, height, width, 3). Output: the same shape, floating-point.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.AugMix(chain_depth=1, seed=1)(np.ones((2, 4, 4, 3)), training=True).shape
        (2, 4, 4, 3)
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_chains: int = 3,
        chain_depth: int = 3,
        factor: Any = 0.3,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(value_range, factor, interpolation, seed, data_format, **options)
        self.num_chains = checks.positive_int("num_chains", num_chains, self)
        self.chain_depth = checks.integer("chain_depth", chain_depth, self, least=0)
        self.alpha = checks.positive("alpha", alpha, self)
        self.all_ops = checks.boolean("all_ops", all_ops, self)
        if not self.all_ops:
            self.choices = self.choices[:7]

    def transformation(self, x: Array) -> Any:
        weights = self.gamma(x, (1, self.num_chains), self.alpha)[0, ...]
        own = self.beta(x, (), self.alpha)
        choices = self.integers((1, self.num_chains, self.chain_depth), len(self.choices) + 1)[0, ...]
        links = [[self.draw_parts(x) for _ in range(self.chain_depth)] for _ in range(self.num_chains)]
        total = array_namespace(weights).sum(weights)
        return {"chain_mixing_weights": weights / total, "weight_sample": own, "layer_idxes": choices, "chains": links}

    def transformed(self, x: Array, transformation: Any) -> Array:
        return self.clipped(self._mixed(x, transformation, masks=False))

    def masks_transformed(self, x: Array, transformation: Any) -> Array:
        return self._mixed(x, transformation, masks=True)

    def _mixed(self, x: Array, transformation: Any, masks: bool) -> Array:
        weights, own = transformation["chain_mixing_weights"], transformation["weight_sample"]
        xp = array_namespace(x, weights)
        x = x if xp.isdtype(x.dtype, "real floating") else xp.astype(x, weights.dtype)
        weights, own = (xp.astype(w, x.dtype, copy=False) for w in (weights, own))
        result = xp.multiply(own, x)
        for i, chain in enumerate(transformation["chains"]):
            y = x
            for depth, parts in enumerate(chain):
                y = self.changed_by(transformation["layer_idxes"][i, depth, ...], y, parts, masks)
            result = xp.add(result, xp.multiply((1.0 - own) * weights[i, ...], y))
        return result
