"""Optimizers in Keras's manner: subclasses that override `build` and `update_step`, which work on variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

from portanet import checks, initializers, random
from portanet.autodiff import array_namespace, unwrap
from portanet.backends import Array, get_backend
from portanet.configurable import Configurable, overrides
from portanet.initializers.base import drawn
from portanet.variables import Variable, bind

if TYPE_CHECKING:
    from portanet.optimizers.base import Optimizer, State, Tree

RESERVED = ("iterations", "learning_rate", "average", "gradients", "dynamic_scale", "step_counter")
"""Entries of the state that are not variables of a subclass."""


class CustomSteps(Configurable):
    """What subclasses with `update_step` call and override; the state stays a tree of arrays, so that steps compile."""

    built: bool = False
    """Whether `build` has begun the state of the variables."""
    slots: tuple[str, ...] = ()
    _trainable_variables: Sequence[Variable] = ()
    _own: Mapping[str, Any] = {}
    """The variables of the subclass by the names of their entries in the state; of slots, by path."""
    _made: tuple[tuple[str, str | None], ...] = ()
    """These variables in the order in which they were made: entry and, of slots, path."""
    _running: Any = None
    """While `update_step` runs, the state and the scalars of the step."""
    _calls: Array | None = None
    """The number of earlier updates, while `update_step` runs."""

    has_update_step: ClassVar[bool] = False
    """Whether a subclass overrides `update_step`."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.has_update_step = overrides(cls, CustomSteps, "update_step")

    def update_step(self, gradient: Array, variable: Variable, learning_rate: Array) -> None:
        """Update one variable, and the optimizer's own; subclasses may implement it in place of `step`, as in Keras.

        That of a built-in optimizer is called by subclasses of it.

        Args:
            gradient: The gradient.
            variable: The variable, to which new values are assigned.
            learning_rate: An array of shape () in its dtype.

        Example:
            >>> import numpy as np
            >>> from portanet import layers, optimizers
            >>> class Heavy(optimizers.Optimizer):
            ...     def build(self, variables):
            ...         super().build(variables)
            ...         self.velocities = self.add_optimizer_variables(variables, "velocity")
            ...     def update_step(self, gradient, variable, learning_rate):
            ...         velocity = self.velocities[self._get_variable_index(variable)]
            ...         self.assign(velocity, 0.5 * velocity + gradient)
            ...         self.assign_sub(variable, velocity * learning_rate)
            >>> layer = layers.Dense(1, kernel_initializer="ones", use_bias=False)
            >>> layer.build((None, 1))
            >>> heavy = Heavy(learning_rate=0.5)
            >>> for _ in range(2):
            ...     heavy.apply([np.ones((1, 1), dtype="float32")], layer.trainable_variables)
            >>> layer.kernel.numpy()
            array([[-0.25]], dtype=float32)
        """
        ordinary_step(self, gradient, variable, learning_rate)

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = "zeros",
        dtype: str | None = None,
        aggregation: str | None = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> Variable:
        """A variable of the optimizer itself, for `update_step`.

        Args:
            shape: Its shape.
            initializer: Name, object or function of its initial values.
            dtype: Name of its dtype; by default that of the backend.
            aggregation: Has no effect: there is one device.
            layout: Has no effect.
            name: Its name.
        """
        backend = get_backend()
        shape = tuple(checks.integers("shape", shape, of=type(self), least=0)) if shape else ()
        dtype = dtype or backend.dtype_name(backend.dtype)
        name = "variable" if name is None else checks.text("name", name, type(self))
        return self._added(_created(initializer, shape, dtype, name), name, None)

    def add_variable_from_reference(
        self, reference_variable: Any, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """A variable of the optimizer with the shape and dtype of one that it trains.

        Args:
            reference_variable: The variable to be trained.
            name: Its name.
            initializer: Name, object or function of its initial values.
        """
        if not isinstance(reference_variable, Variable):
            raise checks.invalid("reference_variable", reference_variable, "a variable", type(self))
        like = reference_variable
        name = "variable" if name is None else checks.text("name", name, type(self))
        dtype = like.backend.dtype_name(like.dtype)
        return self._added(_created(initializer, like.shape, dtype, name), name, like.path)

    def add_optimizer_variables(self, trainable_variables: Sequence[Any], name: Any, initializer: Any = "zeros") -> Any:
        """`add_variable_from_reference` for each variable; for several names, a tuple of lists.

        Args:
            trainable_variables: The variables to be trained.
            name: Name, or several.
            initializer: Initializer, or one per name.
        """
        if isinstance(name, str):
            return [self.add_variable_from_reference(v, name, initializer) for v in trainable_variables]
        several = list(initializer) if isinstance(initializer, (list, tuple)) else [initializer] * len(name)
        return tuple(
            self.add_optimizer_variables(trainable_variables, n, i) for n, i in zip(name, several, strict=True)
        )

    def _added(self, variable: Variable, name: str, path: str | None) -> Variable:
        """Note a variable under its name, or one like it if that is taken."""
        own, key, number = dict(self._own), name, 1

        def taken() -> bool:
            entry = own.get(key)
            return (
                key in RESERVED
                or (entry is None and key in self.slots)
                or (entry is not None and (path is None or isinstance(entry, Variable) or path in entry))
            )

        while taken():
            key, number = f"{name}_{number}", number + 1
        if path is None:
            own[key] = variable
        else:
            own[key] = {**own.get(key, {}), path: variable}
            self.slots = (*self.slots, *(() if key in self.slots else (key,)))
        self._own, self._made = own, (*self._made, (key, path))
        return variable

    def _get_variable_index(self, variable: Variable) -> int:
        """The position of a variable among those of `build`."""
        return [v.path for v in self._trainable_variables].index(variable.path)

    def assign(self, variable: Variable, value: Any) -> None:
        """`variable.assign(value)`.

        Args:
            variable: The variable.
            value: The value.
        """
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> None:
        """`variable.assign_add(value)`.

        Args:
            variable: The variable.
            value: The value.
        """
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """`variable.assign_sub(value)`.

        Args:
            variable: The variable.
            value: The value.
        """
        variable.assign_sub(value)


class StandIn(Variable):
    """A variable for an array of a training step, which is bound to it while `update_step` runs."""

    autocast = False

    def __init__(self, path: str, array: Array) -> None:
        self.name, self.path = path.rpartition("/")[2], path
        self.backend, self._value = get_backend(), array


def _created(initializer: Any, shape: Sequence[int], dtype: str, name: str) -> Variable:
    initial = initializers.get(initializer, "initializer", "Optimizer")
    values = drawn(initial, tuple(shape), random.host_generator("optimizer", name), dtype)
    return Variable(values, dtype=dtype, trainable=False, autocast=False, name=name)


def prepare(optimizer: Optimizer, params: Mapping[str, Array]) -> None:
    """Let the optimizer build its variables for all parameters."""
    known = {variable.path for variable in optimizer._trainable_variables}
    new = [StandIn(path, p) for path, p in params.items() if path not in known]
    if new or not optimizer.built:
        variables = [*optimizer._trainable_variables, *new]
        optimizer.slots = tuple(slot for slot in optimizer.slots if slot not in optimizer._own)
        optimizer.built, optimizer._own, optimizer._made = False, {}, ()
        optimizer.build(variables)


def initial(optimizer: Optimizer, params: Mapping[str, Array]) -> State:
    """The initial values of the optimizer's variables, for these parameters."""
    return {
        key: entry._value if isinstance(entry, Variable) else {p: v._value for p, v in entry.items() if p in params}
        for key, entry in optimizer._own.items()
    }


class Scalars:
    """The scalars of a step.

    Args:
        before: The state before they were prepared.
        now: They, in the widest dtype of the parameters.
        by_dtype: They, in each dtype.
    """

    def __init__(self, before: State, now: SimpleNamespace, by_dtype: Mapping[Any, SimpleNamespace]) -> None:
        self.before, self.now, self.by_dtype = before, now, by_dtype

    def at(self, optimizer: Any, dtype: Any, learning_rate: Any) -> SimpleNamespace:
        """They in a dtype, for a learning rate that may be another."""
        from portanet.optimizers.base import cast_scalars  # which imports this module

        known = self.by_dtype[dtype]
        if learning_rate is known.learning_rate:
            return known
        other, xp = SimpleNamespace(**{**vars(self.now), "learning_rate": learning_rate}), array_namespace(self.now.t)
        optimizer.prepare(xp, other, dict(self.before))
        return cast_scalars(xp, other, dtype)


def ordinary_step(optimizer: Any, gradient: Array, variable: Variable, learning_rate: Any) -> None:
    """Update a variable as the optimizer does that a subclass with an `update_step` derives from."""
    if optimizer._running is None:
        raise NotImplementedError(
            f"{type(optimizer).__name__} does not implement update_step(...), or this was called outside of `apply`."
        )
    state, scalars = optimizer._running
    path, value = variable.path, variable.value
    now = scalars.at(optimizer, value.dtype, learning_rate)
    slots = {slot: state[slot][path] for slot in optimizer.slots if path in state[slot] and slot not in optimizer._own}
    variable.assign(optimizer.step(value, unwrap(gradient), slots, now))
    for slot, array in slots.items():
        state[slot][path] = array


def advance(
    optimizer: Optimizer,
    params: Tree,
    grads: Tree,
    state: State,
    calls: Array,
    now: Scalars,
) -> None:
    """Run `update_step` for each parameter.

    Args:
        optimizer: The optimizer.
        params: Parameters, which are replaced.
        grads: Gradients.
        state: The state, which is updated.
        calls: The number of earlier updates.
        now: The scalars of this step.
    """
    trained = {variable.path: variable for variable in optimizer._trainable_variables if variable.path in params}
    values = {trained[path]: p for path, p in params.items()}
    places: list[tuple[Variable, Any, str]] = []
    for key, entry in optimizer._own.items():
        if isinstance(entry, Variable):
            places.append((entry, state, key))
        else:
            places += [(v, state[key], path) for path, v in entry.items() if path in params]
    values |= {variable: tree[name] for variable, tree, name in places}
    optimizer._calls, optimizer._running = calls, (state, now)
    with bind(values) as bound:
        try:
            for path, variable in trained.items():
                scalars = now.by_dtype[params[path].dtype]
                keep = optimizer.decay({}, scalars)
                if keep is not None and optimizer._decays(path):
                    variable.assign(bound[variable] * keep)
                optimizer.update_step(grads[path], variable, scalars.learning_rate)
        finally:
            optimizer._calls = optimizer._running = None
        params |= {path: bound[variable] for path, variable in trained.items()}
        for variable, tree, name in places:
            tree[name] = bound[variable]
