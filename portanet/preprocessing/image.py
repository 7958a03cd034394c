"""Functions for images, as older scripts import them from `keras.preprocessing.image`."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from portanet import ops
from portanet.backends import Array, to_host
from portanet.lookup import no_attribute

__all__ = ["array_to_img", "img_to_array", "load_img", "save_img", "smart_resize"]  # noqa: F822 -- by __getattr__


def smart_resize(
    x: Array, size: Sequence[int], interpolation: str = "bilinear", data_format: str = "channels_last"
) -> Array:
    """Images in another size, cropped in the middle to its aspect ratio; as `keras.preprocessing.image.smart_resize`.

    Args:
        x: Shape (height, width, channels), or a batch of them; channels first if `data_format` says so.
        size: The height and the width.
        interpolation: See `portanet.ops.image.resize`.
        data_format: `"channels_last"` or `"channels_first"`.

    Returns:
        An array of the library in use; of NumPy for one of NumPy.

    Example:
        >>> import numpy as np
        >>> smart_resize(np.asarray([[[1.0], [3.0], [5.0], [7.0]], [[1.0], [3.0], [5.0], [7.0]]]), (1, 1))[0, 0]
        array([4.])
    """
    resized = ops.image.resize(x, size, interpolation, crop_to_aspect_ratio=True, data_format=data_format)
    return to_host(resized) if isinstance(x, np.ndarray) else resized


def __getattr__(name: str) -> Any:
    """Utilities stand above this package, and are imported when first asked for."""
    if name in __all__:
        return getattr(import_module("portanet.utils"), name)
    raise no_attribute(__name__, name, __all__)


def __dir__() -> list[str]:
    return sorted(__all__)
