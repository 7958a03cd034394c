"""Contexts and wrappers of Keras that have no other place here: `device`, `name_scope`, `remat`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

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
    with use_backend(current.name, name, current.dtype_name(current.dtype)):
        yield


@contextlib.contextmanager
def name_scope(name: str, caller: Any = None, deduplicate: bool = True, override_parent: Any = None) -> Iterator[None]:
    """Accepted: variables are named by the layer that owns them and its place in the model.

    Args:
        name: A name.
        caller: Has no effect.
        deduplicate: Has no effect.
        override_parent: Has no effect.

    Example:
        >>> with name_scope("block"):
        ...     pass
    """
    checks.text("name", name, "name_scope")
    yield


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
