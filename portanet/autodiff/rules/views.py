"""Functions whose result may be a view: how to write a new value of the result into the operand."""

from __future__ import annotations

from typing import Any

from portanet.autodiff.rules.declare import RULES, view
from portanet.autodiff.rules.products import diagonal_positions, flat_matrices


def _by_transpose(name: str) -> None:
    """The result has all elements of the operand: the transpose of the function is its inverse."""

    @view(name)
    def put(xp: Any, x: Any, part: Any, *args: Any, **kwargs: Any) -> Any:
        return RULES[name].pulls[0](xp, part, x, *args, **kwargs)(part)


for _name in (
    "reshape", "expand_dims", "squeeze", "permute_dims", "matrix_transpose", "moveaxis", "flip", "to_device",
    "broadcast_to", "positive", "conj",
):  # fmt: skip
    _by_transpose(_name)


@view("getitem")
def _put_item(xp: Any, x: Any, part: Any, key: Any) -> Any:
    keys = key if isinstance(key, tuple) else (key,)
    if any(k is None for k in keys):  # not every library can write to x[None]
        key = (*(k for k in keys if k is not None), *(() if any(k is Ellipsis for k in keys) else (...,)))
        part = xp.reshape(part, xp.getitem(x, key).shape)
    return xp.assign(x, part, key)


@view("real")
def _put_real(xp: Any, x: Any, part: Any) -> Any:
    return part + 1j * xp.imag(x) if xp.isdtype(x.dtype, "complex floating") else part


@view("imag")
def _put_imag(xp: Any, x: Any, part: Any) -> Any:
    return xp.real(x) + 1j * part


@view("linalg.diagonal")
def _put_diagonal(xp: Any, x: Any, part: Any, /, *, offset: int = 0) -> Any:
    flat = xp.assign(flat_matrices(xp, x), part, (..., diagonal_positions(x.shape, offset)))
    return xp.reshape(flat, x.shape)
