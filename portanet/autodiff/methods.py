"""Methods that arrays of the standard have not: those without derivative work, others say what to write."""

from __future__ import annotations

from typing import Any, NoReturn

from portanet.backends import RightOperand

_OTHERS = """
H: xp.conj(x.mT)
absolute: xp.abs(x)
add: x + y
amax: xp.max(x, axis=...)
amin: xp.min(x, axis=...)
at: x[key] = values
bmm: x @ y
chunk: x[start:stop, ...]
clamp: xp.clip(x, low, high)
clone: xp.asarray(x, copy=True)
concatenate: xp.concat([x, y])
conjugate: xp.conj(x)
contiguous: x
copy: xp.asarray(x, copy=True)
cpu: x.to_device(device)
cuda: x.to_device(device)
cumprod: xp.cumulative_prod(x, axis=...)
cumsum: xp.cumulative_sum(x, axis=...)
data: portanet.autodiff.stop_gradient(x)
detach: portanet.autodiff.stop_gradient(x)
diag: xp.linalg.diagonal(x)
dim: x.ndim
div: x / y
dot: x @ y, or xp.vecdot(x, y)
double: xp.astype(x, xp.float64)
eq: x == y
erf: xp.special.erf(x)
expand: xp.broadcast_to(x, shape)
fill: x[...] = value
flat: xp.reshape(x, (-1,))
flatten: xp.reshape(x, (-1,))
float: xp.astype(x, xp.float32)
gather: xp.take_along_axis(x, indices, axis=...)
ge: x >= y
grad: portanet.autodiff.grad(function)(x)
gt: x > y
half: xp.astype(x, xp.float16)
index_select: xp.take(x, indices, axis=...)
inverse: xp.linalg.inv(x)
item: float(x), the value without its derivative
itemsize: x.dtype
le: x <= y
long: xp.astype(x, xp.int64)
lt: x < y
masked_fill: xp.where(mask, value, x)
mm: x @ y
movedim: xp.moveaxis(x, source, destination)
mul: x * y
nbytes: x.size and x.dtype
ne: x != y
neg: -x
norm: xp.linalg.vector_norm(x)
numel: x.size
numpy: portanet.to_host(portanet.autodiff.stop_gradient(x))
permute: xp.permute_dims(x, axes)
ptp: xp.max(x) - xp.min(x)
ravel: xp.reshape(x, (-1,))
requires_grad: portanet.autodiff.grad(function)(x)
resize: xp.reshape(x, shape)
rsqrt: 1 / xp.sqrt(x)
scatter: x[key] = values
split: x[start:stop, ...]
sub: x - y
swapaxes: xp.moveaxis(x, source, destination), or x.mT
t: x.T
to: xp.astype(x, dtype), or x.to_device(device)
tolist: portanet.to_host(portanet.autodiff.stop_gradient(x)).tolist()
transpose: xp.permute_dims(x, axes), or x.mT
type: xp.astype(x, dtype)
unbind: xp.unstack(x)
unique: xp.unique_values(x)
unsqueeze: xp.expand_dims(x, axis=...)
view: xp.reshape(x, shape)
zero: x[...] = 0
"""
OTHERS = dict(line.split(": ", 1) for line in _OTHERS.strip().splitlines())
"""What to write, by the name of the method; others may be functions of the standard with the same name."""
OWN = {"elu", "gelu", "leaky_relu", "log_softmax", "relu", "selu", "sigmoid", "softmax", "softplus"}
"""Functions of `portanet.activations`."""
WITHOUT_DERIVATIVE = {"all", "any", "argmax", "argmin", "argsort", "nonzero"}
REDUCTIONS = {"cumprod", "cumsum", "max", "mean", "min", "prod", "std", "sum", "trace", "var"}


_WRITE = "Write {} with xp = x.__array_namespace__()."


class PythonNumbers(RightOperand):
    """What Python's functions of one number do with an array: where they would cut the derivative, they say so."""

    __slots__ = ()
    shape: Any
    _leave: Any

    def __round__(self, digits: int | None = None) -> Any:
        return round(float(self._leave("round(x)", _WRITE.format("xp.round(x)"))), digits)

    def __trunc__(self) -> int:
        return int(self._leave("math.trunc(x)", _WRITE.format("xp.trunc(x)")))

    def __divmod__(self, other: Any) -> NoReturn:
        raise TypeError(
            "Arrays that are differentiated have the operators of the array API standard alone. "
            f"{_WRITE.format('xp.floor_divide(x, y) and xp.remainder(x, y)')} "
            f"Received: divmod of an array of shape {tuple(self.shape)}"
        )

    __rdivmod__ = __divmod__


def method(x: Any, name: str) -> Any:
    """The method `name` of the library's own arrays, if it cuts no derivative: `(x > 0).any()`, `(x > 0).sum(axis=0)`.

    Args:
        x: A traced array.
        name: Its name.

    Raises:
        AttributeError: With what to write instead.
    """
    if name[0] == "_" or hasattr(type(x), name):  # a property that failed
        raise AttributeError(name if name.startswith("__") or hasattr(type(x), name) else _foreign(x, name))
    value = x._value
    constant = x._trace is None and not hasattr(value, "_trace")
    if not (name in WITHOUT_DERIVATIVE or (constant and name in REDUCTIONS)):
        raise missing_attribute(name, x._xp, x.shape)
    while hasattr(value, "_trace"):
        value = value._value
    if not hasattr(value, name):
        raise missing_attribute(name, x._xp, x.shape)
    return x._xp.constant_function(getattr(value, name))


def _foreign(x: Any, name: str) -> str:
    return (
        "A function of another library takes this traced array for one of its own. Compute with xp = "
        f"x.__array_namespace__(), for example xp.sum. Received: x.{name} of an array of shape {tuple(x.shape)}"
    )


def missing_attribute(name: str, xp: Any, shape: Any) -> AttributeError:
    """The error for an attribute that arrays of the standard do not have, with what to write.

    Args:
        name: Its name.
        xp: The namespace of the array.
        shape: The array's shape.
    """
    plain = name.rstrip("_")
    if plain in OTHERS:
        instead = OTHERS[plain]
    elif callable(getattr(xp, plain, None)):
        instead = f"xp.{plain}(x, ...)"
    elif callable(getattr(getattr(xp, "linalg", None), plain, None)):
        instead = f"xp.linalg.{plain}(x, ...)"
    else:
        instead = f"portanet.activations.{plain}(x)" if plain in OWN else ""
    start = "xp = x.__array_namespace__()"
    remedy = (
        f"write {instead}{f' with {start}' if 'xp.' in instead else ''}" if instead else f"use functions of {start}"
    )
    return AttributeError(
        f"Arrays that are differentiated have the methods of the array API standard alone; {remedy}. "
        f"Received: x.{name} of an array of shape {tuple(shape)}"
    )
