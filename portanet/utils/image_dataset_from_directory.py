"""Data sets of images in folders."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from portanet import checks
from portanet.backends import HostArray
from portanet.utils.folders import Selection
from portanet.utils.images import FORMATS, height_and_width, img_to_array, load_img

ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")


def image_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: Any = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    format: str = "tf",  # noqa: A002 -- as Keras
    verbose: bool = True,
) -> Any:
    """A data set of the images in a folder, with a folder in it for each class (extra `image`).

    As `keras.utils.image_dataset_from_directory`, but a `PyDataset`: files are read when a batch is needed.

    Args:
        directory: The folder.
        labels: `"inferred"` from the folders in it; None for none; or a list of numbers, in the order of the paths.
        label_mode: `"int"`, `"categorical"` (one-hot), `"binary"` (0 or 1, of shape (batch, 1)), or None for no labels.
        class_names: The folders, if not all of them in alphabetic order.
        color_mode: `"rgb"`, `"rgba"` or `"grayscale"`.
        batch_size: Number of images in a batch; None for single images.
        image_size: Height and width to which images are resized.
        shuffle: Whether to shuffle the files, again after each epoch; otherwise they are in alphabetic order.
        seed: The seed of that; by default that of `portanet.random`.
        validation_split: The share of files for validation, the last ones in the shuffled order.
        subset: With it: `"training"`, `"validation"`, or `"both"` for the pair.
        interpolation: `"bilinear"` or `"nearest"`.
        follow_links: Whether to visit folders that are links.
        crop_to_aspect_ratio: Whether to cut off what does not fit the aspect ratio.
        pad_to_aspect_ratio: Whether to fill up with zeros what does not.
        data_format: `"channels_first"` for images of shape (channels, height, width).
        format: For Keras's scripts, `"tf"` or `"grain"`; it is a `PyDataset` whatever is chosen.
        verbose: Whether to print how many files there are.

    Returns:
        The data set, with attributes `class_names` and `file_paths`; batches are `(images, labels)`, float32 from 0 to
        255, or images.

    Raises:
        ImportError: Pillow is not installed.
        ValueError: There are no images, or arguments contradict each other.

    Example:
        >>> images = image_dataset_from_directory("animals", image_size=(64, 64))  # doctest: +SKIP
    """
    of = "image_dataset_from_directory"
    checks.choice("format", format, ("tf", "grain"), of)
    checks.choice("color_mode", color_mode, ("rgb", "rgba", "grayscale"), of)
    size = (image_size, image_size) if isinstance(image_size, int) else image_size
    height, width = height_and_width("image_size", size, of)
    checks.choice("interpolation", interpolation, ("bilinear", "nearest"), of)
    if checks.boolean("crop_to_aspect_ratio", crop_to_aspect_ratio, of) and pad_to_aspect_ratio:
        raise checks.invalid("pad_to_aspect_ratio", True, "False with crop_to_aspect_ratio=True", of)
    fit = "crop" if crop_to_aspect_ratio else "pad" if pad_to_aspect_ratio else None
    checks.choice("data_format", data_format, (*FORMATS, None), of)

    from portanet.ops.resizing import resized  # few need portanet.ops to load data

    def image(path: str) -> HostArray:
        x = img_to_array(load_img(path, color_mode))
        x = resized(x[None], height, width, interpolation, fit=fit)[0]
        return np.transpose(x, (2, 0, 1)) if data_format == "channels_first" else x

    selection = Selection(
        directory, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split, subset, follow_links,
        verbose, of,
    )  # fmt: skip
    return selection.datasets(ENDINGS, functools.partial(_stacked, image))


def _stacked(image: Any, paths: list[str]) -> HostArray:
    return np.stack([image(path) for path in paths])
