"""Muon: steps of matrices are made orthogonal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.optimizers.base import Optimizer, State, Tree
from portanet.optimizers.rules import one_minus_power, running_mean, running_square
from portanet.schedules import Hyperparameter


class Muon(Optimizer):
    """Muon (Jordan et al. 2024): the momentum of a matrix, made orthogonal by Newton and Schulz's iteration; as in
    Keras.

    Other parameters than matrices, and excluded ones, take steps of `AdamW`. The last layer should be excluded.

    Sources: K. Jordan et al., Muon: an optimizer for hidden layers in neural networks, 2024; J. Liu et al., Muon is
    scalable for LLM training, 2025 (`rms_rate`).

    Args:
        learning_rate: Step size, or a schedule.
        adam_beta_1: Adam's decay of the mean of gradients.
        adam_beta_2: Adam's decay of the mean of squares.
        adam_weight_decay: Weight decay of the parameters that take steps of Adam; None for none.
        epsilon: Keeps Adam's division finite.
        weight_decay: Weight decay of the other parameters; None for none.
        clipnorm: See `Optimizer`.
        clipvalue: See `Optimizer`.
        global_clipnorm: See `Optimizer`.
        use_ema: See `Optimizer`.
        ema_momentum: See `Optimizer`.
        ema_overwrite_frequency: See `Optimizer`.
        loss_scale_factor: See `Optimizer`.
        gradient_accumulation_steps: See `Optimizer`.
        name: Name shown in logs.
        exclude_layers: Regular expressions; parameters whose path one matches in part take steps of Adam.
        exclude_embeddings: Whether parameters with "embedding" in their path do.
        muon_a: Coefficient of x in the iteration.
        muon_b: Coefficient of x^3.
        muon_c: Coefficient of x^5.
        adam_lr_ratio: Adam's learning rate as a multiple of `learning_rate`.
        momentum: Decay of the sum of gradients.
        ns_steps: Number of iterations.
        nesterov: Whether to use Nesterov's momentum.
        rms_rate: Steps are multiplied by `rms_rate * sqrt(larger side)`, which makes them as large as Adam's; None for
            not.
        **options: Further options of every `Optimizer`.

    Example:
        >>> import numpy as np
        >>> muon = Muon(0.1, weight_decay=None, rms_rate=None)
        >>> params = {"kernel": np.zeros((2, 2))}
        >>> params, state = muon.update(params, {"kernel": np.asarray([[5.0, 0.0], [0.0, 3.0]])}, muon.init(params))
        >>> np.abs(params["kernel"] + 0.1 * np.eye(2)).max() < 0.04
        np.True_
    """

    slots = ("momentum", "velocity")

    def __init__(
        self,
        learning_rate: Hyperparameter = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        weight_decay: Hyperparameter | None = 0.004,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        exclude_layers: Iterable[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.7750,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        **options: Any,
    ) -> None:
        super().__init__(
            learning_rate,
            weight_decay,
            clipnorm,
            clipvalue,
            global_clipnorm,
            use_ema,
            ema_momentum,
            ema_overwrite_frequency,
            loss_scale_factor,
            gradient_accumulation_steps,
            name=name,
            **options,
        )
        of = type(self)
        self.adam_beta_1 = checks.number("adam_beta_1", adam_beta_1, "[0, 1)", of)
        self.adam_beta_2 = checks.number("adam_beta_2", adam_beta_2, "[0, 1)", of)
        self.adam_weight_decay = (
            None if adam_weight_decay is None else checks.non_negative("adam_weight_decay", adam_weight_decay, of)
        )
        self.epsilon = checks.positive("epsilon", epsilon, of)
        self.exclude_layers = () if exclude_layers is None else checks.texts("exclude_layers", exclude_layers, of)
        self.exclude_embeddings = checks.boolean("exclude_embeddings", exclude_embeddings, of)
        self.muon_a = checks.number("muon_a", muon_a, of=of)
        self.muon_b = checks.number("muon_b", muon_b, of=of)
        self.muon_c = checks.number("muon_c", muon_c, of=of)
        self.adam_lr_ratio = checks.positive("adam_lr_ratio", adam_lr_ratio, of)
        self.momentum = checks.number("momentum", momentum, "[0, 1)", of)
        self.ns_steps = checks.integer("ns_steps", ns_steps, of, least=0)
        self.nesterov = checks.boolean("nesterov", nesterov, of)
        self.rms_rate = None if rms_rate is None else checks.positive("rms_rate", rms_rate, of)

    def init(self, params: Mapping[str, Array]) -> State:
        """The initial state; only parameters that take steps of Adam have a `velocity`."""
        state = super().init(params)
        if state:
            state["velocity"] = {path: v for path, v in state["velocity"].items() if self._by_adam(path, v)}
        return state

    def _by_adam(self, path: str, p: Array) -> bool:
        embedding = self.exclude_embeddings and "embedding" in path.lower()
        return p.ndim != 2 or embedding or any(re.search(pattern, path) for pattern in self.exclude_layers)

    def prepare(self, xp: Any, now: SimpleNamespace, state: State) -> None:
        decay = self.adam_weight_decay
        now.keep_by_adam = None if decay is None else 1 - now.learning_rate * decay
        correction = xp.sqrt(one_minus_power(xp, self.adam_beta_2, now.t))
        correction /= one_minus_power(xp, self.adam_beta_1, now.t)
        now.adam_rate = now.learning_rate * self.adam_lr_ratio * correction

    def decay(self, slots: Tree, now: SimpleNamespace) -> Any:
        return now.keep_by_adam if "velocity" in slots else super().decay(slots, now)

    def step(self, p: Array, g: Array, slots: Tree, now: SimpleNamespace) -> Array:
        if "velocity" in slots:
            slots["momentum"] = m = running_mean(slots["momentum"], g, self.adam_beta_1)
            slots["velocity"] = v = running_square(slots["velocity"], g, self.adam_beta_2)
            p -= m / (array_namespace(p).sqrt(v) + self.epsilon) * now.adam_rate
            return p
        m = slots["momentum"]
        m *= self.momentum
        m += g
        slots["momentum"] = m
        scale = 1.0 if self.rms_rate is None else max(p.shape) ** 0.5 * self.rms_rate
        p -= self._orthogonal(g + self.momentum * m if self.nesterov else m) * (now.learning_rate * scale)
        return p

    def _orthogonal(self, x: Array) -> Array:
        """A matrix with singular values near 1 in place of those of `x`, which are not 0."""
        xp = array_namespace(x)
        tall = x.shape[0] > x.shape[1]
        x = x.T if tall else x
        x = x / (xp.sqrt(xp.sum(x * x)) + 1e-7)
        for _ in range(self.ns_steps):
            gram = x @ x.T
            x = self.muon_a * x + (self.muon_b * gram + self.muon_c * (gram @ gram)) @ x
        return x.T if tall else x
