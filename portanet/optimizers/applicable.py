"""What optimizers do in steps and loops of a user's own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from portanet.configurable import Configurable


class Applicable(Configurable):
    """Updates variables with a state that it holds itself."""

    _applied: Any = None
    """The state; see `portanet.optimizers.applied`."""

    def apply(self, grads: Iterable[Any], trainable_variables: Iterable[Any] | None = None) -> None:
        """Update variables by their gradients, in a `train_step` or a loop of one's own; as in Keras.

        Args:
            grads: One gradient per variable, such as those of `Model.value_and_gradients`; None for no update.
            trainable_variables: The variables; by default those of earlier calls.

        Example:
            >>> import numpy as np
            >>> import portanet
            >>> layer = portanet.layers.Dense(1, kernel_initializer="ones", use_bias=False)
            >>> layer.build((None, 2))
            >>> portanet.optimizers.SGD(0.5).apply([np.ones((2, 1), dtype="float32")], layer.trainable_weights)
            >>> layer.kernel.numpy().tolist()
            [[0.5], [0.5]]
        """
        from portanet.optimizers.applied import update

        update(self, grads, trainable_variables)

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Any]]) -> None:
        """`apply` for pairs of gradient and variable."""
        pairs = list(grads_and_vars)
        self.apply([gradient for gradient, _ in pairs], [variable for _, variable in pairs])
