"""Images: single ones and batches, formats, margins, interpolation, modes of filling and colours."""

import numpy as np

from tests.ops.cases.usual import CORNERS, FIRST, IMAGES, RNG, SHEAR, SQUARE, Case, T, V, call

COLOURS = np.concatenate(
    [
        RNG.uniform(0, 1, (2, 3, 4, 3)),
        np.asarray([[[[0.5, 0.5, 0.5], [0.0, 0.0, 0.0], [0.2, 0.7, 0.7], [0.7, 0.7, 0.1]]]] * 2),
    ],
    1,
)
COLOURS = COLOURS.astype("float32")  # without derivatives, which are not unique at equal channels
CHANNELS = np.moveaxis(COLOURS, -1, 1).copy()
WIDE = RNG.uniform(-1, 1, (2, 3, 7, 2))
VOLUMES = RNG.uniform(-1, 1, (2, 4, 5, 6, 2))
BLOCKS = RNG.uniform(-1, 1, (2, 3, 2, 8))
OF_NINE = np.sin(np.arange(72.0)).reshape(1, 2, 2, 18)  # a block of 2 * 2 positions has as many as 2 + 2
IN_NINE = np.sin(np.arange(36.0)).reshape(1, 2, 3, 6)
POINTS = RNG.uniform(-3, 7, (3, 2, 5))
FIRST_FORMAT = {"data_format": "channels_first"}
MODES = ("nearest", "wrap", "mirror", "reflect")

CASES: dict[str, list[Case]] = {
    "depth_to_space": [
        call(BLOCKS, 2),
        call(OF_NINE, 3),
        *(call(np.moveaxis(x, -1, 1).copy(), n, "channels_first") for x, n in ((BLOCKS, 2), (OF_NINE, 3))),
    ],
    "space_to_depth": [
        call(RNG.uniform(-1, 1, (2, 4, 6, 3)), 2),
        call(RNG.uniform(-1, 1, (2, 3, 4, 6)), 2, "channels_first"),
        call(RNG.uniform(-1, 1, (1, 6, 3, 2)), 3),
        call(IN_NINE, 3, "channels_first"),
    ],
    "unfold": [
        call(FIRST, (2, 3), (2, 1), (1, 0), (1, 2)),
        call(FIRST, 3, 2, 2, 1),
        call(FIRST, (3, 2), stride=(2, 3)),
        call(FIRST, 2, padding=(0, 1)),
    ],
    "fold": [
        call(RNG.uniform(-1, 1, (2, 12, 10)), (5, 6), (2, 3), (2, 1), (1, 0), (1, 2)),
        call(RNG.uniform(-1, 1, (2, 12, 14)), (5, 6), (3, 2), padding=(0, 1), stride=(2, 1)),
    ],
    "rgb_to_grayscale": [
        call(CHANNELS, "channels_first"),
        call(COLOURS),
        call(CHANNELS[0], "channels_first"),
        call(COLOURS[..., :1]),
    ],
    "rgb_to_hsv": [call(CHANNELS, "channels_first"), call(COLOURS), call(COLOURS[1])],
    "hsv_to_rgb": [call(CHANNELS, "channels_first"), call(COLOURS), call(COLOURS[1])],
    "crop_images": [
        call(IMAGES, 1, 2, 2, 3),
        call(IMAGES[0], None, None, 1, 2, 3, 2),
        call(FIRST, 1, 0, 1, 3, data_format="channels_first"),
        call(IMAGES, bottom_cropping=1, right_cropping=2, top_cropping=0, target_width=4),
        call(IMAGES, bottom_cropping=1, left_cropping=2, target_height=3, target_width=4),
    ],
    "pad_images": [
        call(IMAGES, 1, 2, 2, 3),
        call(IMAGES[0], None, None, 1, 2, 8, 9),
        call(FIRST, 1, 0, 1, 3, data_format="channels_first"),
        call(IMAGES, bottom_padding=1, right_padding=2, top_padding=0, target_width=10),
        call(IMAGES, bottom_padding=1, left_padding=2, target_height=9, target_width=10),
    ],
    "extract_patches": [
        call(IMAGES[0], (2, 3)),
        call(IMAGES, 2, 1, 2),
        call(FIRST, (2, 3), (1, 2), **FIRST_FORMAT),
        call(IMAGES, (3, 2), padding="same"),
    ],
    "extract_patches_3d": [
        call(VOLUMES, (2, 3, 2), (1, 2, 3)),
        call(VOLUMES, 2, padding="same"),
        call(VOLUMES, 2, 1, 2),
        call(np.moveaxis(VOLUMES, -1, 1).copy(), (2, 3, 2), **FIRST_FORMAT),
    ],
    "gaussian_blur": [
        call(IMAGES, data_format="channels_last"),
        call(FIRST, (5, 5), (0.7, 1.5), "channels_first"),
    ],
    "ssim": [
        call(SQUARE, SQUARE * 0.7, 2.0, 3, 1.0, 0.02, 0.05),
        call(SQUARE[0], SQUARE[1], filter_size=3),
        call(FIRST, FIRST * 0.8, filter_size=3, data_format="channels_first"),
        call(RNG.uniform(0, 1, (1, 12, 13, 2)), RNG.uniform(0, 1, (1, 12, 13, 2))),
    ],
    "resize": [
        call(IMAGES[0], (7, 4)),
        call(IMAGES, (5, 9)),
        call(IMAGES, (7, 9), "bicubic", True),
        call(IMAGES, (3, 4), "bicubic", True),
        call(FIRST, (7, 3), "nearest", data_format="channels_first"),
        call(WIDE, (4, 4), crop_to_aspect_ratio=True),
        call(np.swapaxes(WIDE, 1, 2).copy(), (4, 4), crop_to_aspect_ratio=True),
        call(WIDE, (4, 4), pad_to_aspect_ratio=True),
        call(np.swapaxes(WIDE, 1, 2).copy(), (4, 6), pad_to_aspect_ratio=True, fill_value=2.0),
    ],
    "map_coordinates": [
        *(call(T, POINTS, 1, mode) for mode in MODES),
        *(call(T, POINTS + 0.01, 0, mode) for mode in MODES),
        call(T, POINTS, 1, "constant", 0.7),
        call(T, [POINTS[0], POINTS[1], POINTS[2]], 1),
        call(V, np.asarray([[-0.2, 1.3, 2.4]]), 1),
    ],
    "affine_transform": [
        call(FIRST[0], SHEAR, fill_value=0.4, data_format="channels_first"),
        call(IMAGES[1], SHEAR, "bilinear", "wrap"),
    ],
    "perspective_transform": [
        call(IMAGES[0], CORNERS, CORNERS * 0.8 + 0.3),
        call(IMAGES, CORNERS, CORNERS * 0.8 + 0.3, fill_value=0.5),
    ],
    "sobel_edges": [call(WIDE)],
}
