"""Variables: the named arrays of a layer, and how layers with variables become pure functions."""

from __future__ import annotations

import contextlib
import itertools
import math
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from importlib import import_module
from typing import Any

from portanet import checks
from portanet.autodiff import TraceError, array_namespace, storage, unwrap
from portanet.backends import (
    Array,
    ArrayHolder,
    Backend,
    HostArray,
    backend_class_of,
    converted,
    get_backend,
    held,
    raw_namespace,
    use_backend,
)
from portanet.backends.conversion import named_dtype
from portanet.mixed_precision import cast_floats
from portanet.scopes import scoped
from portanet.tree import tree_leaves

Bound = dict["Variable", Array]
_bound: ContextVar[Bound | None] = ContextVar("portanet_bound_variables", default=None)
computing_in: ContextVar[str | None] = ContextVar("portanet_compute_dtype", default=None)
"""Name of the dtype to which floating-point variables are cast when read; None for no cast."""
_losses: ContextVar[list[Array] | None] = ContextVar("portanet_added_losses", default=None)
_remaining: ContextVar[list[int] | None] = ContextVar("portanet_remaining_elements", default=None)


def in_compiled_step() -> bool:
    """Whether this code runs once, to be compiled into a step that runs many times."""
    value = unwrap(next(iter((_bound.get() or {}).values()), None))
    library = backend_class_of(value)
    return library is not None and library.cost_of_reading(value) == "never"


_changes = itertools.count(1)
_latest = [0]


def count_trainable_change() -> None:
    """Note that a layer or variable was frozen or thawed, so that training looks again."""
    _latest[0] = next(_changes)


def trainable_changes() -> int:
    """The number of times that any layer or variable was frozen or thawed."""
    return _latest[0]


class Variable(ArrayHolder):
    """A named array that a layer owns: a weight, or state such as a running mean or a random counter.

    In expressions and functions of arrays it stands for its `value`: `x @ v`, `v[0]`, `2 * v`, `ops.exp(v)`. Inside
    `bind`, that is the bound value (a traced array in training), and `assign` changes only it: a model becomes a pure
    function of the values of its variables. A layer trains and saves the variables in its attributes, as those of
    `add_weight`.

    Args:
        initializer: The value: an array, which is copied, numbers or lists; or what computes it, if there is a `shape`:
            the name of an initializer, or a function `(shape, dtype=...)`.
        shape: Shape, for an initializer.
        dtype: Name of the dtype; by default that of an array, int32 for Python integers, else the default dtype.
        trainable: Whether training changes it, if it is floating-point.
        autocast: Whether a layer that computes in another dtype gets the value in that dtype.
        aggregation: Has no effect: there is one device.
        synchronization: Has no effect.
        name: Name.
        regularizer: Function: penalty on the value, added to the loss.
        constraint: Function applied to the value after each update.
        counter: Whether it is state that is not among the weights.

    Example:
        >>> from portanet import layers
        >>> layer = layers.Dense(2)
        >>> layer.build((None, 3))
        >>> layer.bias.assign_add([1.0, 2.0])
        >>> 2 * layer.bias
        array([2., 4.], dtype=float32)
    """

    _trainable: bool = True
    can_train: bool = True
    """Whether it was made to be trained, which freezing a layer does not change."""
    autocast: bool = True
    """Whether a layer that computes in another dtype gets the value in that dtype."""
    aggregation = "none"
    """How devices combine their values: there is one device."""
    synchronization = "auto"
    """When they do."""
    counter: bool = False
    """Whether this is a random counter or the state of a recurrent layer: saved with a model, but not a weight."""
    regularizer: Callable[[Array], Array] | None = None
    constraint: Callable[[Array], Array] | None = None

    def __init__(
        self,
        initializer: Any,
        shape: Sequence[int] | None = None,
        dtype: str | None = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str | None = "none",
        synchronization: str | None = "auto",
        name: str | None = None,
        *,
        regularizer: Callable[[Array], Array] | None = None,
        constraint: Callable[[Array], Array] | None = None,
        counter: bool = False,
    ) -> None:
        self.name = "variable" if name is None else checks.text("name", name, "Variable")
        self.path = scoped(self.name)
        self.backend = get_backend()
        self._value = _initial(initializer, shape, dtype, self.backend)
        self.can_train = trainable and not self.backend.xp.isdtype(self._value.dtype, ("integral", "bool"))
        self._trainable = self.can_train
        self.regularizer = regularizer
        self.constraint = constraint
        self.counter = counter
        self.autocast = autocast

    @property
    def value(self) -> Array:
        """The array; inside a layer that computes in another floating-point dtype, cast to it."""
        bound, compute_dtype = _bound.get(), computing_in.get()
        value = self._value if bound is None else bound.get(self, self._value)
        return value if compute_dtype is None or not self.autocast else cast_floats(value, compute_dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array."""
        return tuple(self._value.shape)

    @property
    def dtype(self) -> Any:
        """Dtype of the array."""
        return self._value.dtype

    @property
    def trainable(self) -> bool:
        """Whether training changes the value, in layers that are not frozen."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        count_trainable_change()

    def assign(self, value: Array) -> None:
        """Replace the array with a copy of one of the same shape, cast to the variable's dtype; inside `bind`, only
        there, and without a copy.

        Args:
            value: An array of the variable's library; or other data, such as a NumPy array or lists, to be converted.
        """
        if type(value) is Variable:
            value = value.value
        bound = _bound.get()
        if (bound is None or self not in bound) and unwrap(value) is value and type(value) is type(self._value):
            # Training overwrites the array, which may be that of another variable, or the caller's.
            value = array_namespace(value).asarray(value, copy=True)
        self.take(value)

    def take(self, value: Any) -> None:
        """As `assign`, without a copy of an array, which is the variable's from now on."""
        if type(value) is Variable:
            value = value.value
        if type(value) is not type(self._value):
            value = self._converted(value)
        if tuple(value.shape) != self.shape:
            raise ValueError(
                f"Variable '{self.path}' has shape {self.shape}; assign an array of that shape. "
                f"Received: {tuple(value.shape)}"
            )
        bound, current = _bound.get(), self._current()
        if value.dtype != current.dtype:
            value = array_namespace(value).astype(value, current.dtype)
        if bound is not None and self in bound:
            bound[self] = value
        else:
            self._value = value

    def assign_add(self, value: Array) -> None:
        """Add an array, a number or other data to the array; see `assign`."""
        self.assign(self._current() + self._increment(value))

    def assign_sub(self, value: Array) -> None:
        """Subtract an array, a number or other data from the array; see `assign`."""
        self.assign(self._current() - self._increment(value))

    def _current(self) -> Any:
        """The value, in the dtype of the variable."""
        bound = _bound.get()
        return self._value if bound is None else bound.get(self, self._value)

    def _increment(self, value: Any) -> Any:
        value = held(value)
        return value if isinstance(value, (bool, int, float)) else self._converted(value)

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        return array_namespace(self)

    def _converted(self, value: Any) -> Array:
        plain, bound = storage(value), _bound.get()
        if unwrap(value) is not plain and (bound is None or self not in bound):
            raise TraceError(
                f"Variable '{self.path}' holds one value, and would get one per example of vmap. Bind it inside the "
                "function with portanet.variables.bind, and return the values that it is bound to."
            )
        current = storage(self._current())
        if backend_class_of(plain) is not None and raw_namespace(plain) is raw_namespace(current):
            return value
        with use_backend(self.backend):
            return converted(value, self.backend.dtype_name(self.dtype), f"The value of variable '{self.path}'")

    def _from_host(self, x: HostArray) -> Any:
        with use_backend(self.backend):
            return converted(x, None if x.dtype.kind == "f" else x.dtype.name, f"An operand of variable '{self.path}'")

    def numpy(self) -> Any:
        """A copy as a NumPy array."""
        return self.backend.to_host(self._value)

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Size of the array in bytes."""
        xp = self.backend.xp
        info = xp.finfo if xp.isdtype(self.dtype, "real floating") else xp.iinfo
        return self.size * int(info(self.dtype).bits) // 8

    def move(self, backend: Backend) -> None:
        """Move the array to another backend or device; the default dtype becomes that backend's default dtype."""
        self._value = moved(self._value, self.backend, backend)
        self.backend = backend

    def __repr__(self) -> str:
        return f"<Variable {self.path}, shape={self.shape}, dtype={self.dtype}, backend={self.backend.name}>"


def _initial(initializer: Any, shape: Sequence[int] | None, dtype: str | None, backend: Backend) -> Array:
    """The value of a new variable."""
    dtype = named_dtype(dtype)
    if isinstance(initializer, str):
        initializer = import_module("portanet.initializers").get(initializer, "initializer", "Variable")
    if callable(initializer):
        if shape is None:
            raise checks.invalid("shape", shape, "a shape, since `initializer` is a function", "Variable")
        dtype = dtype or backend.dtype_name(backend.dtype)
        return converted(initializer(tuple(shape), dtype=dtype), dtype, "The value of a variable")
    value = held(initializer)
    if dtype is None and all(type(leaf) is int for leaf in tree_leaves(value)):
        dtype = "int32"
    if dtype is None and hasattr(value, "dtype"):
        dtype = str(value.dtype).rpartition(".")[2]
    array = converted(value, dtype, "Argument `initializer` of Variable")
    return backend.xp.asarray(array, copy=True) if array is value else array


def moved(value: Array, source: Backend, target: Backend) -> Array:
    """An array on another backend or device; the default dtype becomes the default dtype there."""
    name = target.dtype_name(target.dtype) if value.dtype == source.dtype else source.dtype_name(value.dtype)
    array: Array = target.xp.astype(target.from_host(source.to_host(value)), target.find_dtype(name))
    return array


def values_of(variables: dict[str, Variable], paths: Iterable[str]) -> dict[str, Array]:
    """The values of some variables by path."""
    if _bound.get() is None and computing_in.get() is None:
        return {path: variables[path]._value for path in paths}
    return {path: variables[path].value for path in paths}


def hold(variables: Iterable[Variable], values: Iterable[Array]) -> bool:
    """Whether variables, which are not bound, hold these very arrays."""
    return _bound.get() is None and all(map(operator.is_, [v._value for v in variables], values))


def are_bound() -> bool:
    """Whether any variables are bound to other values, such as traced arrays."""
    return _bound.get() is not None


class Discarded(dict[Variable, Any]):
    """Values to `bind`, of a call of which nothing is kept: variables of layers that it builds are bound, too.

    Args:
        variables: Those that there are.
    """

    def __init__(self, variables: Iterable[Variable]) -> None:
        super().__init__({v: v.value for v in variables})


def hold_built(variables: Iterable[Variable]) -> None:
    """Bind the variables of a layer that was just built, in a call of which nothing is kept."""
    bound = _bound.get()
    if isinstance(bound, Discarded):
        for v in variables:
            bound.setdefault(v, v._value)


@contextlib.contextmanager
def bind(values: Bound) -> Iterator[Bound]:
    """Bind variables to other values inside a `with` block; assignments change only these."""
    outer = _bound.get()
    bound = values if outer is None else {**outer, **values}
    token = _bound.set(bound)
    try:
        yield bound
    finally:
        _bound.reset(token)


@contextlib.contextmanager
def collect_losses() -> Iterator[list[Array]]:
    """Collect the losses that layers add (`Layer.add_loss`) inside a `with` block, in order.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> with collect_losses() as losses:
        ...     _ = layers.ActivityRegularization(l1=1.0)(np.ones((2, 3)))
        >>> [float(loss) for loss in losses]
        [3.0]
    """
    losses: list[Array] = []
    token = _losses.set(losses)
    try:
        yield losses
    finally:
        _losses.reset(token)


def collects_losses() -> bool:
    """Whether losses are being collected; if not, a layer can skip computing them."""
    return _losses.get() is not None


def collected_losses() -> list[Array]:
    """The losses that were collected so far."""
    return list(_losses.get() or ())


def add_loss(value: Array) -> bool:
    """Add a scalar array to the collected losses, if losses are being collected.

    Returns:
        Whether this is all to do: losses are collected, or variables are bound, so that the call is a pure function.
    """
    losses = _losses.get()
    if losses is not None:
        losses.append(value)
    return losses is not None or _bound.get() is not None


@contextlib.contextmanager
def allocate_for_loading(elements: int) -> Iterator[None]:
    """Let layers built inside a `with` block allocate zeros, since their weights will be loaded.

    Args:
        elements: Maximum total size of the weights: a small file cannot cause a large allocation.
    """
    token = _remaining.set([elements])
    try:
        yield
    finally:
        _remaining.reset(token)


def will_be_loaded(shape: tuple[int, ...]) -> bool:
    """Whether a weight about to be allocated will be loaded, so that its initial values do not matter.

    Raises:
        ValueError: It exceeds the size allowed by `allocate_for_loading`.
    """
    remaining = _remaining.get()
    if remaining is None:
        return False
    remaining[0] -= math.prod(shape)
    if remaining[0] < 0:
        raise ValueError(f"a weight of shape {shape} is requested, but has no values in the file")
    return True
