"""The functions of `keras.ops.image`."""

# ruff: noqa: I001
# fmt: off
from portanet.ops.filters import gaussian_blur, sobel_edges, ssim
from portanet.ops.images import (
    crop_images, extract_patches, extract_patches_3d, hsv_to_rgb, pad_images, rgb_to_grayscale, rgb_to_hsv,
)
from portanet.ops.resizing import resize, scale_and_translate
from portanet.ops.sampling import affine_transform, elastic_transform, map_coordinates, perspective_transform

__all__ = [
    "affine_transform", "crop_images", "elastic_transform", "extract_patches", "extract_patches_3d", "gaussian_blur",
    "hsv_to_rgb", "map_coordinates", "pad_images", "perspective_transform", "resize", "rgb_to_grayscale",
    "rgb_to_hsv", "scale_and_translate", "sobel_edges", "ssim",
]
