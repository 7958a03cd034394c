"""The base class of schedules: functions from the step to a hyperparameter."""

from __future__ import annotations

import inspect
import numbers
from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any, TypeAlias

import numpy as np

from portanet import checks
from portanet.autodiff import array_namespace, storage
from portanet.backends import Array, constant, get_backend, held, raw_namespace
from portanet.configurable import Configurable

Hyperparameter: TypeAlias = float | Callable[[Any], Any]
"""A number, or a schedule: a function from the step (from 0), or without arguments, to a number."""


class LearningRateSchedule(Configurable):
    """A hyperparameter that changes with the step: a learning rate, a momentum, a weight decay.

    Called with a Python number, it returns a float; called with an array (of any shape), an array, so that a
    training step is compiled only once. Steps are compared and divided as integers, so that float32 loses no digits.
    Subclasses implement `value(xp, step, dtype)`, or `__call__(step)` as in Keras.

    Example:
        >>> import numpy as np
        >>> from portanet.schedules import ExponentialDecay
        >>> halve = ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)
        >>> halve(20)
        0.025
        >>> halve(np.asarray([0, 10, 20], dtype="int32"))
        array([0.1  , 0.05 , 0.025], dtype=float32)
    """

    def value(self, xp: Any, step: Array, dtype: Any) -> Array:
        """The values at `step`.

        Args:
            xp: The namespace to compute in.
            step: Steps from 0, an array, of integers in training.
            dtype: Floating-point dtype of the result.
        """
        if type(self).__call__ is LearningRateSchedule.__call__:
            raise NotImplementedError(f"{type(self).__name__} does not implement value(xp, step, dtype).")
        value = self(step)
        return (
            xp.astype(value, dtype, copy=False) if hasattr(value, "dtype") else xp.full_like(step, value, dtype=dtype)
        )

    def __call__(self, step: Any, dtype: Any = None) -> Any:
        """The value at a step.

        Args:
            step: The step from 0: a number, or an array or variable; between two steps, what lies between, too.
            dtype: Dtype of the result for an array; by default that of the backend in use.

        Raises:
            TypeError: `step` is not a number or array of numbers.
        """
        step = held(step)
        if isinstance(step, (int, float, np.integer, np.floating)) and not isinstance(step, bool) and isfinite(step):
            host = np.asarray(int(step) if step == int(step) else float(step))
            return float(self.value(raw_namespace(host), host, np.dtype("float64")))
        xp = array_namespace(step) if hasattr(step, "dtype") else None
        if xp is None or not xp.isdtype(step.dtype, ("integral", "real floating")):
            raise TypeError(
                "Argument `step` of a schedule must be a number, or an array of numbers. "
                f"Received: {step!r} (of type {type(step).__name__})"
            )
        if dtype is None:
            backend = get_backend()
            dtype = getattr(xp, backend.dtype_name(backend.dtype))
        return self.value(xp, step, dtype)


def value_of(schedule: Callable[[Any], Any], xp: Any, step: Array, dtype: Any) -> Any:
    """The value of a schedule at a step; a user's function may return a number."""
    if isinstance(schedule, LearningRateSchedule):
        return schedule.value(xp, step, dtype)
    value = schedule(step)
    return xp.astype(value, dtype, copy=False) if hasattr(value, "dtype") else value


def share(xp: Any, done: Array, total: float, dtype: Any) -> Array:
    """`done / total` for an integer array."""
    return xp.astype(done, dtype) / float(total)


def entry(xp: Any, table: Sequence[float], index: Array, dtype: Any) -> Array:
    """`table[index]` for an integer array of any shape."""
    values = constant(storage(index), list(table), dtype)
    return xp.reshape(xp.take(values, xp.reshape(index, (-1,)), axis=0), tuple(index.shape))


def passed(xp: Any, boundaries: Sequence[int], step: Array) -> Array:
    """How many of the (increasing) boundaries are less than each step."""
    limits = constant(storage(step), list(boundaries), step.dtype)
    return xp.sum(xp.astype(xp.expand_dims(step, axis=-1) > limits, xp.int32), axis=-1, dtype=xp.int32)


def steps(name: str, value: Any, of: type, least: int = 1) -> int:
    """Check an argument that is a number of steps: a positive int32, or an integral float such as 1e4."""
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    if checks.integer(name, whole, of, least) >= 2**31:
        raise checks.invalid(name, value, "a positive integer below 2**31", of)
    return int(whole)


def hyperparameter(name: str, value: Any, of: type | str, within: str = "(-inf, inf)") -> Hyperparameter:
    """Check an argument that is a schedule, a function without arguments, or a number in an interval."""
    if callable(value):
        return _schedule_of(checks.function(name, value, of))
    if not isinstance(value, numbers.Real):
        raise checks.invalid(name, value, "a number or a schedule", of)
    return checks.number(name, value, within, of)


def _schedule_of(function: Callable[..., Any]) -> Callable[[Any], Any]:
    """The function, of the step also if it takes no arguments."""
    try:
        takes_step = bool(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # some built-in functions have no signature
        takes_step = True
    return function if takes_step else lambda step: function()


def hyperparameters(name: str, value: Any, of: type) -> list[Hyperparameter]:
    """Check an argument that is a list of numbers and schedules, at least one."""
    if not isinstance(value, (list, tuple)) or not value:
        raise checks.invalid(name, value, "a list of numbers and schedules, at least one", of)
    return [hyperparameter(name, entry, of) for entry in value]


def require_rates(schedule: Callable[[Any], Any], step: Array, count: int = 1) -> None:
    """Raise if a learning rate is negative or not finite in the `count` steps from `step` on.

    The values of a `LearningRateSchedule` are computed on the host; of a user's function, only the first.
    """
    first = int(step)
    if isinstance(schedule, LearningRateSchedule) and type(schedule).__call__ is LearningRateSchedule.__call__:
        host = np.arange(first, first + count)
        rates = np.asarray(schedule.value(raw_namespace(host), host, np.dtype("float64")))
    else:
        rates = np.asarray(float(schedule(step)))
    wrong = np.flatnonzero(~(np.isfinite(rates) & (rates > -1e-9)))  # 0 but for rounding is 0
    if wrong.size:
        raise ValueError(
            "A schedule must give a non-negative learning rate. "
            f"Received: {float(rates.flat[wrong[0]])} at step {first + int(wrong[0])} from {schedule!r}"
        )
