"""Functions of `portanet.utils` for images, as older scripts import them from `keras.preprocessing.image`."""

from importlib import import_module
from typing import Any

__all__ = ["array_to_img", "img_to_array", "load_img", "save_img"]  # noqa: F822 -- found by __getattr__


def __getattr__(name: str) -> Any:
    """Utilities stand above this package, and are imported when first asked for."""
    if name in __all__:
        return getattr(import_module("portanet.utils"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
