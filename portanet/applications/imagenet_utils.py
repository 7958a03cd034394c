"""Preprocessing of images and names of predicted classes, for networks trained on ImageNet."""

from __future__ import annotations

import enum
import functools
import json
import os
import pathlib
from typing import Any

import numpy as np

from portanet import checks, ops
from portanet.backends import to_host
from portanet.config import floatx
from portanet.downloads import cache_folder, fetch
from portanet.settings import settings

__all__ = ["decode_predictions", "preprocess_input"]

URL = "https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json"
DIGEST = "c2c37ea517e94d9795004a39431a14cb"
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the channels red, green and blue on ImageNet, scaled to [0, 1]."""
MEAN_BGR = (103.939, 116.779, 123.68)
"""Of the channels blue, green and red on ImageNet."""


class Mode(enum.StrEnum):
    """What preprocessing does, by the library whose networks took images so first."""

    caffe = enum.auto()
    tf = enum.auto()
    torch = enum.auto()


def preprocess_input(x: Any, data_format: str | None = None, mode: str = "caffe") -> Any:
    """Convert images with values from 0 to 255 to what a network takes.

    Args:
        x: Images, of shape (batch, height, width, 3) or without the batch axis; or a symbolic array in a graph.
        data_format: Where channels are: `"channels_last"`, `"channels_first"`, or None for the setting of
            `portanet.config`.
        mode: `"caffe"`: channels in the order blue, green, red, minus their means on ImageNet; `"tf"`: scaled to
            [-1, 1]; `"torch"`: scaled to [0, 1], minus the means and divided by the standard deviations on ImageNet.

    Returns:
        An array of the same library and shape, floating-point; the argument is left as it is.

    Raises:
        ValueError: An argument is wrong.

    Example:
        >>> import numpy as np
        >>> preprocess_input(np.asarray([[[255.0, 0.0, 127.5]]]), mode="tf")
        array([[[ 1., -1.,  0.]]])
    """
    of = "preprocess_input"
    checks.choice("mode", mode, tuple(Mode), of)
    data_format = checks.choice("data_format", data_format, (None, "channels_last", "channels_first"), of)
    axis = -3 if (data_format or settings.image_data_format) == "channels_first" else -1
    shape = getattr(x, "shape", None)
    if shape is None or len(shape) not in (3, 4) or (mode != "tf" and shape[axis] != 3):
        raise checks.invalid("x", x, "an array of images with 3 channels, (batch, height, width, 3)", of)
    library: Any = np if isinstance(x, np.ndarray) else ops
    if "float" not in str(x.dtype):
        x = library.array(x, floatx())

    def by_channel(values: tuple[float, ...]) -> Any:
        return library.reshape(library.array(values, x.dtype), [3 if i == axis else 1 for i in (-3, -2, -1)])

    if mode == Mode.tf:
        return x / 127.5 - 1.0
    if mode == Mode.torch:
        return (x / 255.0 - by_channel(MEAN)) / by_channel(DEVIATION)
    return library.flip(x, axis=axis) - by_channel(MEAN_BGR)


def preprocess_caffe(x: Any, data_format: str | None = None) -> Any:
    """Convert images with values from 0 to 255: channels blue, green, red, minus their means on ImageNet.

    Args:
        x: Images, of shape (batch, height, width, 3), or a symbolic array.
        data_format: See `imagenet_utils.preprocess_input`.

    Example:
        >>> import numpy as np
        >>> from portanet.applications import resnet
        >>> resnet.preprocess_input(np.zeros((1, 1, 1, 3))).round(2).tolist()
        [[[[-103.94, -116.78, -123.68]]]]
    """
    return preprocess_input(x, data_format, Mode.caffe)


def preprocess_tf(x: Any, data_format: str | None = None) -> Any:
    """Convert images with values from 0 to 255 to the range [-1, 1].

    Args:
        x: Images, of shape (batch, height, width, 3), or a symbolic array.
        data_format: See `imagenet_utils.preprocess_input`.

    Example:
        >>> import numpy as np
        >>> from portanet.applications import inception_resnet_v2
        >>> inception_resnet_v2.preprocess_input(np.zeros((1, 1, 1, 3))).tolist()
        [[[[-1.0, -1.0, -1.0]]]]
    """
    return preprocess_input(x, data_format, Mode.tf)


def preprocess_torch(x: Any, data_format: str | None = None) -> Any:
    """Convert images with values from 0 to 255: channels have mean 0 and standard deviation 1 on ImageNet.

    Args:
        x: Images, of shape (batch, height, width, 3), or a symbolic array.
        data_format: See `imagenet_utils.preprocess_input`.

    Example:
        >>> import numpy as np
        >>> from portanet.applications import densenet
        >>> densenet.preprocess_input(np.zeros((1, 1, 1, 3))).round(2).tolist()
        [[[[-2.12, -2.04, -1.8]]]]
    """
    return preprocess_input(x, data_format, Mode.torch)


def preprocess_nothing(x: Any, data_format: str | None = None) -> Any:
    """Return images as they are: the network takes values from 0 to 255.

    Args:
        x: Images.
        data_format: Ignored, as preprocessing for other networks has it.

    Example:
        >>> import numpy as np
        >>> from portanet.applications import convnext
        >>> float(convnext.preprocess_input(np.full((1, 2, 2, 3), 255.0)).max())
        255.0
    """
    return x


def decode_predictions(
    preds: Any, top: int = 5, class_index: str | os.PathLike[str] | None = None
) -> list[list[tuple[str, str, float]]]:
    """Name the most probable classes of ImageNet.

    Args:
        preds: Probabilities, of shape (batch, classes); 1000 classes, unless `class_index` has others.
        top: How many classes to name.
        class_index: A JSON file with `{"0": [id, name], "1": ...}`; None to download that of ImageNet (extra `data`).

    Returns:
        For each image `(id, name, probability)` of its classes, the most probable first.

    Raises:
        ValueError: An argument is wrong.
        ImportError: The file is not stored, and pooch, which downloads, is not installed.
        OSError: The file cannot be downloaded or opened.

    Example:
        >>> import pathlib, tempfile
        >>> import numpy as np
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "classes.json"
        >>> _ = file.write_text('{"0": ["n1", "cat"], "1": ["n2", "dog"]}')
        >>> decode_predictions(np.asarray([[0.25, 0.75]]), top=1, class_index=file)[0][0][:2]
        ('n2', 'dog')
    """
    of = "decode_predictions"
    checks.positive_int("top", top, of)
    if class_index is None:
        path = fetch(URL, "imagenet_class_index.json", cache_folder("models"), DIGEST)
    else:
        path = pathlib.Path(checks.path("class_index", class_index, of))
    classes = _read_classes(path, path.stat().st_mtime_ns)
    values = to_host(preds) if hasattr(preds, "shape") else np.asarray(preds, dtype=object)
    if values.dtype.kind not in "fiu" or values.ndim != 2 or values.shape[1] != len(classes):
        raise checks.invalid("preds", preds, f"probabilities of shape (batch, {len(classes)})", of)
    best = np.argsort(-values, axis=1, kind="stable")[:, :top]
    return [[(*classes[i], row[i]) for i in order] for row, order in zip(values, best, strict=True)]


@functools.lru_cache(maxsize=4)
def _read_classes(path: pathlib.Path, changed: int) -> list[tuple[str, str]]:
    """Id and name of each class in a file that changed at this time."""
    with path.open(encoding="utf-8") as file:
        try:
            index = json.load(file)
            return [(str(index[str(i)][0]), str(index[str(i)][1])) for i in range(len(index))]
        except (ValueError, TypeError, LookupError, RecursionError):
            raise ValueError(f'{path} has no classes as {{"0": [id, name], "1": ...}}.') from None
