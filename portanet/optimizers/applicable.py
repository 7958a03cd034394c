"""What users call on optimizers: updates in steps and loops of their own, parameters without weight decay."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from portanet.configurable import Configurable


class Applicable(Configurable):
    """Updates variables with a state that it holds itself."""

    _applied: Any = None
    """The state; see `portanet.optimizers.applied`."""
    _without_decay: tuple[tuple[Any, ...], tuple[str, ...]] = ((), ())
    """Variables and patterns of `exclude_from_weight_decay`."""

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

    def exclude_from_weight_decay(
        self, var_list: Iterable[Any] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Exclude parameters from weight decay, as in Keras.

        Args:
            var_list: Variables of a built model.
            var_names: Regular expressions; a parameter is excluded if one matches part of its name (the last part of
                its path): `["bias"]`.
        """
        variables = tuple(var_list or ())
        if isinstance(var_names, str) or any(not isinstance(path_of(v), str) for v in variables):
            raise TypeError(
                "exclude_from_weight_decay takes a list of variables and a list of names. "
                f"Received: var_list={var_list!r}, var_names={var_names!r}"
            )
        self._without_decay = (variables, tuple(var_names or ()))


def path_of(variable: Any) -> Any:
    """The current path of a variable: a layer's variables get a path when it joins a model."""
    return getattr(variable, "path", variable)
