"""Images as files and as arrays; with Pillow (extra `image`)."""

from __future__ import annotations

import io
import os
import pathlib
import warnings
from typing import Any

import numpy as np

from portanet import checks
from portanet.backends import HostArray, to_host
from portanet.extras import install_command

MODES = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}
INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")
FORMATS = ("channels_first", "channels_last")
DTYPES = ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


def pillow(of: str) -> Any:
    """Pillow's module `Image`.

    Raises:
        ImportError: It is not installed; the error names the extra.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(f"{of} needs Pillow. Type: {install_command('image')}") from error
    return Image


def load_img(
    path: Any,
    color_mode: str = "rgb",
    target_size: tuple[int, int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Any:
    """Read an image; as `keras.utils.load_img`.

    Args:
        path: The file: a path, or a `io.BytesIO`.
        color_mode: `"rgb"`, `"rgba"` or `"grayscale"`.
        target_size: Height and width to which it is resized; None to leave them.
        interpolation: `"nearest"`, `"bilinear"`, `"bicubic"`, `"hamming"`, `"box"` or `"lanczos"`.
        keep_aspect_ratio: Whether to cut off what does not fit the target's aspect ratio, rather than distort.

    Returns:
        An image of Pillow.

    Raises:
        ImportError: Pillow is not installed.
        OSError: The file cannot be read.

    Example:
        >>> import numpy as np, os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "black.png")
        >>> save_img(path, np.zeros((4, 5, 3)))
        >>> load_img(path, target_size=(2, 2)).size
        (2, 2)
    """
    of = "load_img"
    image_module = pillow(of)
    mode = MODES[checks.choice("color_mode", color_mode, tuple(MODES), of)]
    interpolation = checks.choice("interpolation", interpolation, INTERPOLATIONS, of)
    data = (
        path if isinstance(path, io.BytesIO) else io.BytesIO(pathlib.Path(checks.path("path", path, of)).read_bytes())
    )
    image = image_module.open(data)
    if not (image.mode == mode or (mode == "L" and image.mode in ("I;16", "I"))):
        image = image.convert(mode)
    if target_size is None:
        return image
    height, width = height_and_width("target_size", target_size, of)
    if image.size == (width, height):
        return image
    box = None
    if checks.boolean("keep_aspect_ratio", keep_aspect_ratio, of):
        w, h = min(image.size[0], image.size[1] * width // height), min(image.size[1], image.size[0] * height // width)
        left, top = (image.size[0] - w) // 2, (image.size[1] - h) // 2
        box = (left, top, left + w, top + h)
    return image.resize((width, height), getattr(image_module.Resampling, interpolation.upper()), box=box)


def img_to_array(img: Any, data_format: str | None = None, dtype: str | None = None) -> HostArray:
    """An image of Pillow as a NumPy array of shape (height, width, channels); as `keras.utils.img_to_array`.

    Args:
        img: The image.
        data_format: `"channels_first"` for (channels, height, width).
        dtype: Its dtype, by default float32.

    Example:
        >>> import numpy as np
        >>> img_to_array(array_to_img(np.zeros((4, 5, 3)))).shape
        (4, 5, 3)
    """
    of = "img_to_array"
    first = checks.choice("data_format", data_format, (*FORMATS, None), of) == FORMATS[0]
    dtype = checks.choice("dtype", dtype, (*DTYPES, None), of) or "float32"
    x = numbers("img", img, of)
    if x.ndim not in (2, 3):
        raise checks.invalid("img", img, "an image", of)
    x = x.astype(dtype)
    x = x if x.ndim == 3 else x[:, :, None]
    return np.transpose(x, (2, 0, 1)) if first else x


def array_to_img(x: Any, data_format: str | None = None, scale: bool = True, dtype: str | None = None) -> Any:
    """An array of shape (height, width, channels) as an image of Pillow; as `keras.utils.array_to_img`.

    Args:
        x: The array, of any library, with 1, 3 or 4 channels.
        data_format: `"channels_first"` for (channels, height, width).
        scale: Whether to map its least and greatest values to 0 and 255.
        dtype: The dtype in which it is scaled, by default float32.

    Raises:
        ImportError: Pillow is not installed.
        ValueError: It is no single image.

    Example:
        >>> import numpy as np
        >>> array_to_img(np.zeros((4, 5, 3))).size
        (5, 4)
    """
    of = "array_to_img"
    image_module = pillow(of)
    first = checks.choice("data_format", data_format, (*FORMATS, None), of) == FORMATS[0]
    dtype = checks.choice("dtype", dtype, (*DTYPES, None), of) or "float32"
    host = numbers("x", x, of).astype(dtype)
    if host.ndim != 3 or host.shape[0 if first else 2] not in (1, 3, 4):
        raise checks.invalid("x", x, "an array of one image, (height, width, channels), with 1, 3 or 4 channels", of)
    host = np.transpose(host, (1, 2, 0)) if first else host
    if checks.boolean("scale", scale, of):
        host = host - host.min()
        host = host / (host.max() or 1) * 255
    if host.shape[2] == 1:
        return image_module.fromarray(host[:, :, 0].astype("int32" if host.max() > 255 else "uint8"))
    return image_module.fromarray(host.astype("uint8"))


def save_img(
    path: Any, x: Any, data_format: str | None = None, file_format: str | None = None, scale: bool = True, **kwargs: Any
) -> None:
    """Write an array as an image; as `keras.utils.save_img`.

    Args:
        path: The file: a path or a file object.
        x: The array, see `array_to_img`.
        data_format: See `array_to_img`.
        file_format: The format, such as `"png"`; by default by the ending of the path.
        scale: See `array_to_img`.
        **kwargs: Passed to Pillow's `Image.save`.

    Example:
        >>> import numpy as np, os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "black.png")
        >>> save_img(path, np.zeros((4, 5, 3)))
        >>> load_img(path).size
        (5, 4)
    """
    if file_format is None and isinstance(path, (str, os.PathLike)):
        file_format = pathlib.Path(path).suffix[1:]
    file_format = None if not file_format else {"jpg": "jpeg"}.get(file_format.lower(), file_format.lower())
    image = array_to_img(x, data_format, scale)
    if image.mode == "RGBA" and file_format == "jpeg":
        warnings.warn("JPEG has no transparency; the image is saved without.", stacklevel=2)
        image = image.convert("RGB")
    image.save(path, format=file_format, **kwargs)


def numbers(name: str, value: Any, of: str) -> HostArray:
    """An image or array on the host.

    Raises:
        ValueError: It holds no real numbers.
    """
    host = np.asarray(to_host(value) if hasattr(value, "__array_namespace__") else value)
    if host.dtype.kind not in "biuf":
        raise checks.invalid(name, value, "an array of real numbers, or an image", of)
    return host


def height_and_width(name: str, value: Any, of: str) -> tuple[int, int]:
    """Two positive integers."""
    if not isinstance(value, (list, tuple)) or len(value) != 2 or not all(type(n) is int and n > 0 for n in value):
        raise checks.invalid(name, value, "a height and a width, such as (180, 240)", of)
    return value[0], value[1]
