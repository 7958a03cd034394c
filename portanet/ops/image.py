"""The functions of `keras.ops.image`."""

# ruff: noqa: I001
# fmt: off
from portanet.ops.images import (
    crop_images, extract_patches, extract_patches_3d, gaussian_blur, hsv_to_rgb, pad_images, rgb_to_grayscale,
    rgb_to_hsv, ssim,
)
from portanet.ops.resizing import map_coordinates, resize, scale_and_translate

__all__ = [
    "crop_images", "extract_patches", "extract_patches_3d", "gaussian_blur", "hsv_to_rgb", "map_coordinates",
    "pad_images", "resize", "rgb_to_grayscale", "rgb_to_hsv", "scale_and_translate", "ssim",
]
