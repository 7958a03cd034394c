"""The base class of losses: one value per example, and their reduction."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from portanet import checks
from portanet.autodiff import array_namespace, is_traced, lift, stop_gradient, storage, unwrap
from portanet.backends import Array, HostArray, array_like, backend_class_of, raw_namespace, to_host
from portanet.configurable import Configurable
from portanet.distribution.share import fraction, of_share, of_whole, over_batch, share
from portanet.lookup import snake_case
from portanet.losses.arguments import require_numbers
from portanet.masks import mask_of, without_masked
from portanet.mixed_precision import DTypePolicy, as_policy, at_least_float32, cast_floats, require_real
from portanet.ops.conversion import ARRAY, beside, kind_of
from portanet.variables import are_bound

Check = TypeVar("Check", bound=Callable[..., None])
DType = DTypePolicy | str | None
REDUCTIONS = ("sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", None)


class Loss(Configurable):
    """Computes the loss between targets and predictions.

    Subclasses implement `call(y_true, y_pred)`, which returns one value per example (all axes but the last, for
    losses that reduce the last).

    Args:
        name: Name shown in logs.
        reduction: `"sum_over_batch_size"` or `"mean"` (the mean over the examples that are not masked),
            `"mean_with_sample_weight"` (divided by the sum of the weights), `"sum"`, or None for one value per example.
        dtype: Name of the dtype, or policy with the compute dtype, to which predictions are cast; by default half
            precision and integers are cast to float32.

    Example:
        >>> class AbsoluteError(Loss):
        ...     def call(self, y_true, y_pred):
        ...         return abs(y_true - y_pred)
        >>> float(AbsoluteError()([0.0, 1.0], [2.0, 1.0]))
        1.0
    """

    integer_targets = False
    """Whether the targets are class numbers."""
    compares_examples = False
    """Whether the loss of an example depends on others of the batch. Processes of a job then compute whole batches'
    losses, as they do where the loss of a batch is one number."""
    dtype: str | None = None
    axis_of_classes = -1
    """The axis that the loss reduces; others than the last are moved there before `call`."""

    def __init__(
        self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: DType = None
    ) -> None:
        reduction = None if isinstance(reduction, str) and reduction == "none" else reduction
        self.reduction = checks.choice("reduction", reduction, REDUCTIONS, type(self))
        self.name = snake_case(type(self).__name__) if name is None else checks.text("name", name, type(self))
        self.dtype = None if dtype is None else as_policy(dtype, "dtype", self).compute_dtype

    @property
    def fn(self) -> Callable[..., Array]:
        """The loss as a function of targets and predictions, which returns one value per example."""
        from portanet.losses.functions import values  # which imports this module

        return functools.partial(values, self)

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """The loss of each example."""
        raise NotImplementedError(f"Loss '{self.name}' does not implement call(y_true, y_pred).")

    def check_shapes(self, y_true: Any, y_pred: Any) -> None:
        """Raise if targets do not fit the predictions; `call` of a user's may compare any shapes, as in Keras."""

    def check_targets(self, y: HostArray, classes: int | None) -> None:
        """Raise if targets are out of range; on the host, once before training, not to synchronize the device."""

    def prepare(self, y_true: Array, y_pred: Array) -> Array:
        """Targets in the dtype of the predictions."""
        if y_true.dtype == y_pred.dtype:
            return y_true
        xp = array_namespace(y_true)
        require_real(xp, y_true.dtype)
        return xp.astype(y_true, y_pred.dtype)

    def _with_classes_last(self, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        axis = checks.axis("axis", self.axis_of_classes, y_pred.ndim, f"loss '{self.name}'") % y_pred.ndim
        if y_true.ndim == y_pred.ndim:
            y_true = array_namespace(y_true).moveaxis(y_true, axis, -1)
        return y_true, array_namespace(y_pred).moveaxis(y_pred, axis, -1)

    def valid(self, y_true: Array) -> Array | None:
        """Boolean array, False for examples that the loss ignores by their targets; None if it ignores none."""
        return None

    def counted(self, values: Array) -> Array | None:
        """Likewise for examples that the loss ignores by their losses."""
        return None

    def per_example(self, y_true: Array, y_pred: Array) -> Array:
        """The loss of each example, in at least float32, with shapes checked."""
        self.check_shapes(y_true, y_pred)
        if self.axis_of_classes != -1:
            y_true, y_pred = self._with_classes_last(y_true, y_pred)
        if y_true.ndim != y_pred.ndim and not self.integer_targets:
            y_true, y_pred = same_rank(y_true, y_pred)
        y_pred = at_least_float32(y_pred, integers=True)
        if self.dtype is not None:
            y_pred = cast_floats(y_pred, self.dtype)
        if is_traced(y_pred):  # not every library leaves `plain * traced` to the right operand
            y_true = lift(y_true)
        elif is_traced(y_true):  # a derivative by the targets
            y_pred = lift(y_pred)
        values = self.call(self.prepare(y_true, y_pred), y_pred)
        shape = getattr(values, "shape", None)
        if shape is None or (len(shape) and shape[0] != y_pred.shape[0]):
            received = type(values).__name__ if shape is None else f"shape {tuple(shape)}"
            raise ValueError(
                f"Loss '{self.name}' must return an array with the loss of each example, of which there are "
                f"{y_pred.shape[0]}, or a single one. Received: {received}"
            )
        values = at_least_float32(values, integers=True)
        return values if self.dtype is None else cast_floats(values, self.dtype)

    def compute(
        self, y_true: Array, y_pred: Array, sample_weight: Array | None = None, mask: Array | None = None
    ) -> Array:
        """The loss of a batch as a pure function: only shapes are checked, so that it can be compiled."""
        given, part = (y_true, y_pred, sample_weight, mask), share()
        if part is not None and self.compares_examples:
            whole: Array = of_whole(part, self.compute, *given)
            return whole
        if mask is not None:
            mask = stop_gradient(mask)
            y_true, y_pred = without_masked(y_true, mask), without_masked(y_pred, mask)
            if tuple(y_pred.shape) == (*y_true.shape, 1) and not self.integer_targets:
                y_true = array_namespace(y_true).expand_dims(y_true, axis=-1)  # so that values have the mask's shape
        values = self.per_example(y_true, y_pred)
        if part is not None and values.ndim == 0:
            whole = of_whole(part, self.compute, *given)
            return whole
        if values.ndim == 0 and mask is not None and mask.ndim > 0:  # no steps are left to leave out
            return self.compute(*given[:3])
        valid = self.valid(y_true)
        for shown in (valid, self.counted(values)):
            if shown is not None and mask is not None:
                own = spread(mask, shown, "mask", f"Loss '{self.name}'")
                mask = array_namespace(shown, own).logical_and(shown, own > 0)
            elif shown is not None:
                mask = shown
        return reduce(values, sample_weight, self.reduction, self.name, mask)

    def __call__(
        self, y_true: Array, y_pred: Array, sample_weight: Array | None = None, mask: Array | None = None
    ) -> Array:
        """The loss of a batch, with shapes and target values checked.

        Args:
            y_true: Targets, an array of the library of `y_pred`, or nested lists.
            y_pred: Predictions.
            sample_weight: Weight of each example, shape (batch,), (batch, 1) or that of the losses; the mean divides
                by the number of examples, as in Keras.
            mask: Boolean array of the same shapes; where it is False, examples are ignored and not counted. By default
                the mask of `y_pred`, if a layer returned it with one. A loss that is one number for a batch, such as
                `Dice`, takes in all, as in Keras.

        Returns:
            An array of shape (), or of the losses' shape for `reduction=None`.
        """
        owner = f"Loss '{self.name}'"
        mask = mask_of(y_pred) if mask is None else mask
        given = as_arrays(owner, y_pred=y_pred, y_true=y_true, sample_weight=sample_weight, mask=mask)
        y_pred, y_true, sample_weight, mask = given
        plain, other = storage(y_true), storage(y_pred)
        if raw_namespace(plain) is not raw_namespace(other):
            raise TypeError(
                f"Loss '{self.name}' compares arrays of one library; convert with portanet.asarray(y). Received: "
                f"y_true {type(plain).__name__}, y_pred {type(other).__name__}"
            )
        self.check_shapes(y_true, y_pred)
        if 0 not in plain.shape and not are_bound():  # in a step, which may be compiled
            axis = checks.axis("axis", self.axis_of_classes, y_pred.ndim, f"loss '{self.name}'") if y_pred.ndim else -1
            self.check_targets(to_host(plain), other.shape[axis] if y_pred.ndim > 1 else None)
        loss, part = self.compute(y_true, y_pred, sample_weight, mask), fraction()
        # `add_loss` takes means, of which those of a part count by its examples.
        return loss if part == 1.0 or self.reduction is None else loss / part


class BuiltInLoss(Loss):
    """A loss with the arguments of `Loss` in the order of Keras's own losses."""

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = None, dtype: DType = None
    ) -> None:
        super().__init__(name, reduction, dtype)

    def check_shapes(self, y_true: Any, y_pred: Any) -> None:
        """Raise if targets do not fit the predictions; nothing is broadcast, but a last axis of size 1 may lack."""
        true, pred = tuple(y_true.shape), tuple(y_pred.shape)
        if true != pred and (*true, 1) != pred and true != (*pred, 1):
            raise ValueError(
                f"Loss '{self.name}' compares targets and predictions of the same shape."
                f"{self._advice(true, pred)} Received: y_true of shape {true}, y_pred of shape {pred}"
            )

    def _advice(self, true: tuple[int, ...], pred: tuple[int, ...]) -> str:
        if true == pred[:-1]:
            return " For integer class numbers use the sparse loss, or one-hot targets."
        return ""


class LossAlongAxis(BuiltInLoss):
    """A built-in loss that reduces an axis that can be chosen."""

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        super().__init__(reduction, name, dtype)
        self.axis = self.axis_of_classes = checks.integer("axis", axis, type(self))


class FunctionLoss(Loss):
    """A loss made of a function.

    Args:
        function: `(y_true, y_pred) -> loss of each example`, written in the standard.
        reduction: See `Loss`.
        name: Name shown in logs; by default the function's name.
        dtype: See `Loss`.

    Example:
        >>> float(FunctionLoss(lambda y_true, y_pred: abs(y_true - y_pred))([0.0, 1.0], [2.0, 1.0]))
        1.0
    """

    def __init__(
        self,
        function: Callable[[Array, Array], Array],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        checks.function("function", function, type(self))
        super().__init__(getattr(function, "__name__", "loss") if name is None else name, reduction, dtype)
        self.function = function

    @property
    def fn(self) -> Callable[[Array, Array], Array]:
        return self.function

    def call(self, y_true: Array, y_pred: Array) -> Array:
        return self.function(y_true, y_pred)


def as_arrays(owner: str, **given: Any) -> list[Any]:
    """Arguments as arrays of real numbers: lists, numbers and NumPy's arrays become ones of the library of the others.

    Args:
        owner: What takes the arguments, such as "Loss 'huber'".
        **given: The arguments by name; weights and masks may be None.
    """
    arrays = [unwrap(value) for value in given.values() if hasattr(value, "shape")]
    like, several = arrays[0] if arrays else None, len({type(array) for array in arrays}) > 1
    if several:
        like = next((array for array in arrays if kind_of(array) == ARRAY), like)
    for name, value in given.items():
        if isinstance(value, (list, tuple, int, float)):
            given[name] = array_like(like, value, f"Argument `{name}` of {owner}")
            require_numbers(name, given[name], owner)
        elif value is not None or name in ("y_true", "y_pred", "values"):
            require_numbers(name, value, owner)
            given[name] = beside(value, like) if several else value
    return list(given.values())


def same_rank(y_true: Array, y_pred: Array) -> tuple[Array, Array]:
    """Targets and predictions without a last axis of size 1 that only one of them has; columns stay, as in Keras.

    Example:
        >>> import numpy as np
        >>> [y.shape for y in same_rank(np.zeros(3), np.zeros((3, 1)))]
        [(3, 1), (3, 1)]
        >>> [y.shape for y in same_rank(np.zeros((3, 4)), np.zeros((3, 4, 1)))]
        [(3, 4), (3, 4)]
    """
    longer, shorter = (y_true, y_pred) if y_true.ndim > y_pred.ndim else (y_pred, y_true)
    if tuple(longer.shape) != (*shorter.shape, 1):
        return y_true, y_pred
    if shorter.ndim == 1:
        shorter = array_namespace(shorter).expand_dims(shorter, axis=-1)
    else:
        longer = array_namespace(longer).squeeze(longer, axis=-1)
    return (longer, shorter) if y_true.ndim > y_pred.ndim else (shorter, longer)


def reduce(
    values: Array, sample_weight: Array | None, reduction: str | None, name: str, mask: Array | None = None
) -> Array:
    """Weight and reduce the losses of examples; masked ones are ignored, even NaN.

    A single loss, of shape (), counts as that of each example. Where several processes compute a batch, the results of
    all add up to that of the whole batch.
    """
    if values.ndim == 0:
        each = next((tuple(array.shape) for array in (sample_weight, mask) if array is not None), ())
        values = array_namespace(values).broadcast_to(values, each)
    weight = None if sample_weight is None else spread(sample_weight, values, "sample_weight", f"Loss '{name}'")
    valid = None if mask is None else spread(mask, values, "mask", f"Loss '{name}'")
    xp = array_namespace(values, *(a for a in (weight, valid) if a is not None))
    if valid is not None:
        values = xp.where(valid > 0, values, 0.0)
        weight = valid if weight is None else xp.multiply(weight, valid)
    if weight is not None and sample_weight is not None:
        values = xp.multiply(values, weight)
    if reduction is None:
        return values
    if reduction == "sum":
        return xp.sum(values)
    if reduction == "mean_with_sample_weight" and weight is not None:
        return xp.sum(values) / _at_least_tiny(over_batch(xp.sum(weight)))
    if valid is not None:
        return xp.sum(values) / _at_least_tiny(over_batch(xp.sum(valid)))
    return of_share(xp.mean(values))


def spread(weight: Array, values: Array, argument: str, owner: str) -> Array:
    """Weights of examples, broadcast to the shape of the values, and in their dtype unless they are integers.

    Last axes of size 1 need not be those of the values: columns, (batch, 1), are weights of examples. With as many
    axes, those of size 1 are repeated: (1, steps) are weights of steps.
    """
    xp = array_namespace(values, weight)
    backend_class_of(weight)  # which rejects masked arrays, np.matrix and sparse matrices
    weight = xp.asarray(weight)
    require_real(xp, weight.dtype)
    floating = xp.isdtype(values.dtype, "real floating")
    weight = xp.astype(weight, values.dtype) if floating else at_least_float32(weight, integers=True)
    shape, full = tuple(weight.shape), tuple(values.shape)
    if len(shape) == len(full) > 1 and all(n in (1, size) for n, size in zip(shape, full, strict=True)):
        return xp.broadcast_to(weight, full)
    while len(shape) > 1 and shape[-1] == 1 and shape != full[: len(shape)]:
        shape = shape[:-1]
    if shape != full[: len(shape)]:
        raise ValueError(
            f"{owner} needs one weight per example, shape {full} or its first axes. "
            f"Received: {argument} of shape {tuple(weight.shape)}"
        )
    weight = xp.reshape(weight, shape + (1,) * (len(full) - len(shape)))
    return xp.broadcast_to(weight, full)


def _at_least_tiny(x: Array) -> Array:
    return array_namespace(x).maximum(x, 1e-30)


def mean_last(values: Array) -> Array:
    """The mean over the last axis; values with one axis, the batch, are returned as they are."""
    return array_namespace(values).mean(values, axis=-1) if values.ndim > 1 else values


def by_value(*kinds: str) -> Callable[[Check], Check]:
    """Declares that a `check_targets` looks at each value alone, so that a few can tell as much as all.

    Args:
        *kinds: Kinds of dtypes of targets for which it does; by default all real ones.
    """

    def mark(check: Check) -> Check:
        check.by_value = kinds or ("bool", "integral", "real floating")  # type: ignore[attr-defined]
        return check

    return mark


def require_range(owner: str, y: HostArray, low: float, high: float | None, what: str) -> None:
    """Raise if targets are outside an interval."""
    if y.size and (y.min() < low or (high is not None and y.max() > high)):
        where = f"of at least {low:g}" if high is None else f"from {low:g} to {high:g}"
        raise ValueError(f"{owner} needs {what} {where} as targets. Received: y from {y.min()} to {y.max()}")


def require_classes(owner: str, y: HostArray, classes: int | None, ignore_class: int | None = None) -> None:
    """Raise if targets are not class numbers below `classes`, or the one that is ignored."""
    y = y if ignore_class is None else y[y != ignore_class]
    if not y.size:
        return
    if y.dtype.kind == "f" and not (y == y // 1).all():
        raise ValueError(
            f"{owner} needs integer class numbers as targets. Received: y of dtype {y.dtype} with fractions"
        )
    if y.min() < 0 or (classes is not None and y.max() >= classes):
        limit = "" if classes is None else f" to {classes - 1}, the model's number of outputs less one"
        raise ValueError(f"{owner} needs class numbers from 0{limit}. Received: y from {y.min()} to {y.max()}")
