"""Contexts and wrappers of Keras that have no other place here: `device`, `name_scope`, `remat`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar, Token
from typing import Any, Self

from portanet import autodiff, checks
from portanet.backends import get_backend, make_backend, use_backend

__all__ = ["device", "name_scope", "remat"]


@contextlib.contextmanager
def device(device_name: str) -> Iterator[None]:
    """Use a device of the current backend inside a `with` block.

    Args:
        device_name: Its name: `"cpu:0"`, `"gpu:0"` or `"gpu"` as in Keras, or as the library has it.

    Example:
        >>> with device("cpu:0"):
        ...     pass
    """
    checks.text("device_name", device_name, "device")
    name = device_name.lower()
    current, kind = get_backend(), name.partition(":")[0]
    for known in (name, name.replace("gpu", "cuda"), kind, f"{kind.upper()}_DEVICE"):  # as libraries call it
        with contextlib.suppress(ValueError):
            make_backend(current.name, known)
            name = known
            break
    with use_backend(make_backend(current.name, name, current.dtype_name(current.dtype))):
        yield


class name_scope:  # noqa: N801 -- as in Keras
    """Variables that are created inside a `with` block, and not by a layer, have a path that begins with the name.

    Those of a layer are named by its place in the model.

    Args:
        name: A name, without `/`.
        caller: An object; the same scope opened again by the same caller counts once.
        deduplicate: Whether it does.
        override_parent: The path to begin with, in place of those of the scopes around; "" for none.

    Example:
        >>> import portanet
        >>> with name_scope("block"):
        ...     portanet.Variable([1.0], name="scale").path
        'block/scale'
    """

    def __init__(
        self, name: str, caller: Any = None, deduplicate: bool = True, override_parent: str | None = None
    ) -> None:
        self.name = checks.text("name", name, "name_scope")
        if "/" in name:
            raise checks.invalid("name", name, "a text without `/`", "name_scope")
        self.caller, self.deduplicate = caller, checks.boolean("deduplicate", deduplicate, "name_scope")
        self.override_parent = override_parent
        if override_parent is not None and override_parent != "":
            checks.text("override_parent", override_parent, "name_scope")
        self._tokens: list[Token[tuple[name_scope, ...]]] = []

    def __enter__(self) -> Self:
        opened = _opened.get()
        last = opened[-1] if opened else None
        again = last is not None and self.caller is not None and last.caller is self.caller and last.name == self.name
        self._tokens.append(_opened.set(opened if again and self.deduplicate else (*opened, self)))
        return self

    def __exit__(self, *error: object) -> None:
        _opened.reset(self._tokens.pop())


_opened: ContextVar[tuple[name_scope, ...]] = ContextVar("portanet_name_scopes", default=())


def scoped(name: str) -> str:
    """A name after those of the scopes around."""
    opened = _opened.get()
    if not opened:
        return name
    parts: list[str] = []
    for scope in opened:
        if scope.override_parent is not None:
            parts = [part for part in scope.override_parent.split("/") if part]
        parts.append(scope.name)
    return "/".join((*parts, name))


def remat(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function with the same values and derivatives that stores only its arguments: `portanet.autodiff.checkpoint`.

    Args:
        f: The function.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import grad
        >>> float(grad(remat(lambda x: x * x * x))(np.asarray(2.0)))
        12.0
    """
    checks.function("f", f, "remat")
    return autodiff.checkpoint(f)
