"""What users call on optimizers: updates in steps and loops of their own, parameters without weight decay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, ClassVar, Self

from portanet.autodiff import array_namespace
from portanet.backends import Array, asarray, readable, to_host
from portanet.optimizers.custom import CustomSteps


class Rate(float):
    """A learning rate that is a number, with the methods that it has as a variable of Keras."""

    _optimizer: Any

    def __new__(cls, value: float, optimizer: Any) -> Self:
        rate = super().__new__(cls, value)
        rate._optimizer = optimizer
        return rate

    def __reduce__(self) -> Any:
        return float, (float(self),)

    def assign(self, value: Any) -> None:
        """Set the learning rate of the optimizer."""
        self._optimizer.learning_rate = float(value)

    @property
    def value(self) -> Any:
        """The number as an array of the backend in use."""
        return asarray(float(self))

    def numpy(self) -> Any:
        """The number as a NumPy array."""
        return to_host(float(self)).astype("float32")


class Applicable(CustomSteps):
    """Updates variables with a state that it holds itself."""

    scheduled: ClassVar[tuple[str, ...]] = ()
    """Further hyperparameters that may be schedules; their values are in the `now` of `step`."""
    _applied: Any = None
    """The state; see `portanet.optimizers.applied`."""
    _part_of: tuple[Any, int] | None = None
    """The MultiOptimizer that has this one, and its number there."""
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

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Any]]) -> Any:
        """`apply` for pairs of gradient and variable; returns `iterations`."""
        pairs = list(grads_and_vars)
        self.apply([gradient for gradient, _ in pairs], [variable for _, variable in pairs])
        return self.iterations

    def build(self, variables: Iterable[Any]) -> None:
        """Begin the state of variables, for `variables` and `stateless_apply`; `apply` does so itself.

        Args:
            variables: The variables to be trained.
        """
        from portanet.optimizers.own_variables import build

        build(self, variables)

    @property
    def variables(self) -> list[Any]:
        """The state that `build` or `apply` began, or `fit` of the model that was compiled last, as variables in
        Keras's order: the number of steps, the learning rate if it is a number, averages, sums of gradients, and what
        each parameter has.
        """
        from portanet.optimizers.own_variables import own_variables

        return own_variables(self)

    def current_rate(self: Any) -> Any:
        """The learning rate of the next step, as a number; as an array in a step that is being compiled."""
        if not callable(rate := self.rates):
            return rate
        value = rate(self.iterations)
        known = not hasattr(value, "shape") or readable(value, wait=True)
        return Rate(float(value), self) if known else value

    @property
    def iterations(self: Any) -> Any:
        """The number of updates: of `apply`, or of `fit` of the model that was compiled last; in `update_step`, before
        this one.
        """
        from portanet.optimizers.applied import held_by, numbers_in_model

        if self._calls is not None:
            return self._calls
        outer, number = self._part_of or (self, None)
        state = held_by(outer).state or numbers_in_model(outer)
        calls = state.get("iterations" if number is None else f"{number}/iterations", 0)
        return calls // self.gradient_accumulation_steps if self.gradient_accumulation_steps else calls

    def stateless_apply(
        self, optimizer_variables: Sequence[Any], grads: Sequence[Any], trainable_variables: Sequence[Any]
    ) -> tuple[list[Any], list[Any]]:
        """A step as a pure function, as in Keras.

        Args:
            optimizer_variables: Arrays for `variables`.
            grads: One gradient per variable that was built.
            trainable_variables: Arrays for these variables.

        Returns:
            The new arrays of the variables, and those of `variables`.

        Example:
            >>> import numpy as np
            >>> import portanet
            >>> layer = portanet.layers.Dense(1, use_bias=False)
            >>> layer.build((None, 2))
            >>> sgd = portanet.optimizers.SGD(0.5)
            >>> sgd.build(layer.trainable_weights)
            >>> state = [variable.value for variable in sgd.variables]
            >>> (kernel,), state = sgd.stateless_apply(state, [np.ones((2, 1))], [np.ones((2, 1))])
            >>> kernel.tolist(), int(state[0])
            ([[0.5], [0.5]], 1)
        """
        from portanet.optimizers.own_variables import stateless_apply

        return stateless_apply(self, optimizer_variables, grads, trainable_variables)

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Assign arrays to `variables`.

        Args:
            weights: The arrays, in order.
        """
        from portanet.optimizers.own_variables import set_weights

        set_weights(self, weights)

    def save_own_variables(self, store: Any) -> None:
        """Write the arrays of `variables` into a dict, under the numbers from "0".

        Args:
            store: The dict.
        """
        for number, variable in enumerate(self.variables):
            store[str(number)] = variable.numpy()

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Read what `save_own_variables` wrote.

        Args:
            store: The dict.
        """
        self.set_weights([store[str(number)] for number in range(len(store))])

    def _clip_gradients(self: Any, grads: Sequence[Array]) -> list[Array]:
        """`clip` for a list, as subclasses call it in Keras; None stays."""
        tree = {str(i): g for i, g in enumerate(grads) if g is not None}
        clipped = self.clip(array_namespace(*tree.values()), tree) if tree else {}
        return [clipped.get(str(i)) for i in range(len(grads))]

    def finalize_variable_values(self: Any, var_list: Iterable[Any]) -> None:
        """Assign the averages of `use_ema` to variables that `apply` has updated, after training.

        Args:
            var_list: The variables.
        """
        from portanet.optimizers.applied import held_by, in_model

        held = held_by(self)
        held = held if held.state else in_model(self)
        chosen = {held.names[variable]: variable for variable in var_list if variable in held.names}
        values = self.finalize({name: variable.value for name, variable in chosen.items()}, held.state)
        for name, variable in chosen.items():
            variable.take(values[name])

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

    def get_config(self) -> dict[str, Any]:
        """The constructor arguments, with the current hyperparameters, and the exclusions from weight decay."""
        config = super().get_config()
        settable = {name for name in config if isinstance(getattr(type(self), name, None), property)}
        current = settable.union(self.scheduled) - {"learning_rate"}
        config.update({name: getattr(self, name) for name in current if name in config})
        if "learning_rate" in config:
            rate: Any = self.rates  # type: ignore[attr-defined]  # of Optimizer
            config["learning_rate"] = float(rate) if isinstance(rate, Rate) else rate
        variables, patterns = self._without_decay
        if variables or patterns:
            excluded = {"var_list": [path_of(v) for v in variables], "var_names": list(patterns)}
            config["exclude_from_weight_decay"] = excluded
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Create an optimizer from the result of `get_config()`."""
        config = dict(config)
        excluded = config.pop("exclude_from_weight_decay", None)
        optimizer = cls(**config)
        if excluded:
            optimizer.exclude_from_weight_decay(**excluded)
        return optimizer


names_in_state: ContextVar[Mapping[Any, str]] = ContextVar("portanet_names_in_state", default={})  # noqa: B039
"""While `apply` runs, the names of variables in the optimizer's state: paths, where these are different."""


def path_of(variable: Any) -> Any:
    """The current path of a variable: a layer's variables get a path when it joins a model."""
    return names_in_state.get().get(variable) or getattr(variable, "path", variable)
