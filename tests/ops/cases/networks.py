"""Functions for neural networks: strides, padding, dilation, formats, axes and masks."""

import numpy as np

from tests.ops.cases.usual import FIRST, IMAGES, RNG, SEQUENCE, Case, J, K, P, T, V, X, call

VOLUME = RNG.uniform(-1, 1, (1, 4, 5, 4, 2))
KERNEL = RNG.uniform(-1, 1, (2, 3, 4, 3))
LONG = np.moveaxis(SEQUENCE, -1, 1).copy()
KEYS = RNG.uniform(-1, 1, (2, 2, 5, 2, 4))
QUERY = RNG.uniform(-1, 1, (2, 3, 4, 4))
COVER = RNG.uniform(0, 1, (2, 1, 3, 5)) < 0.7
COVER[..., 0] = True
PATHS = RNG.uniform(-1, 1, (3, 7, 5))
FIRST_FORMAT = {"data_format": "channels_first"}
PROBABLE = RNG.uniform(0.1, 1, (2, 3, 4))

CASES: dict[str, list[Case]] = {
    "gelu": [call(X, False)],
    "leaky_relu": [call(X)],
    "celu": [call(X, 0.5)],
    "elu": [call(X, 0.5)],
    "hard_shrink": [call(X, 1.0)],
    "soft_shrink": [call(X, 1.0)],
    "squareplus": [call(X, 2)],
    "glu": [call(T, 2), call(IMAGES, axis=-1), call(FIRST, axis=1)],
    "threshold": [call(X, -0.5, 3.0)],
    "softmax": [call(T, 1), call(T, -2), call(T, axis=(0, 2)), call(T, axis=None)],
    "log_softmax": [call(T, 1), call(T, -2), call(T, axis=(0, 2)), call(T, axis=None)],
    "conv": [
        call(IMAGES, KERNEL),
        call(IMAGES, KERNEL, (2, 1), "same"),
        call(FIRST, KERNEL, **FIRST_FORMAT, dilation_rate=(1, 2)),
        call(IMAGES, KERNEL[:, :, :2, :2].copy(), padding="same"),
        call(VOLUME, RNG.uniform(-1, 1, (2, 3, 2, 2, 3)), 2, "same"),
        call(SEQUENCE, RNG.uniform(-1, 1, (3, 4, 2)), dilation_rate=2),
        call(LONG, RNG.uniform(-1, 1, (2, 4, 2)), 3, **FIRST_FORMAT),
    ],
    "depthwise_conv": [
        call(IMAGES, KERNEL),
        call(FIRST, KERNEL, (2, 2), **FIRST_FORMAT),
        call(IMAGES, KERNEL, dilation_rate=(2, 1)),
        call(SEQUENCE, RNG.uniform(-1, 1, (3, 4, 2)), 2),
    ],
    "separable_conv": [
        call(FIRST, KERNEL[..., :2].copy(), RNG.uniform(-1, 1, (1, 1, 8, 3)), (2, 2), "same", "channels_first"),
        call(IMAGES, KERNEL[..., :1].copy(), RNG.uniform(-1, 1, (1, 1, 4, 3)), 1, "valid", None, (2, 1)),
    ],
    "conv_transpose": [
        call(SEQUENCE, RNG.uniform(-1, 1, (3, 2, 4))),
        call(LONG, RNG.uniform(-1, 1, (2, 3, 4)), 3, **FIRST_FORMAT),
        call(IMAGES, RNG.uniform(-1, 1, (3, 2, 2, 4)), (2, 3), "same"),
        call(SEQUENCE, RNG.uniform(-1, 1, (3, 2, 4)), 2, "valid", 1),
        call(SEQUENCE, RNG.uniform(-1, 1, (3, 2, 4)), dilation_rate=2),
        call(IMAGES, RNG.uniform(-1, 1, (3, 2, 2, 4)), (2, 3), "valid", (1, 0)),
    ],
    "max_pool": [
        call(FIRST, (2, 3), **FIRST_FORMAT),
        call(IMAGES, 3, 1, "same"),
        call(IMAGES, (2, 3), (1, 2)),
        call(VOLUME, (2, 3, 2)),
        call(SEQUENCE, 3, 2),
    ],
    "average_pool": [
        call(FIRST, (2, 3), **FIRST_FORMAT),
        call(IMAGES, (2, 3), (1, 2)),
        call(VOLUME, (2, 3, 2)),
        call(SEQUENCE, 3, 2),
    ],
    "adaptive_average_pool": [call(FIRST, (2, 3), "channels_first"), call(VOLUME, (2, 3, 3)), call(IMAGES, 2)],
    "adaptive_max_pool": [call(FIRST, (2, 3), "channels_first"), call(IMAGES, (2, 3))],
    "batch_normalization": [
        call(T, V, np.abs(V), 1),
        call(T, V, np.abs(V), -2, V + 1, None, 0.1),
        call(T, V, np.abs(V), 1, scale=V + 2, epsilon=0.2),
    ],
    "layer_normalization": [
        call(T, axis=(0, 2)),
        call(T, epsilon=0.5),
        call(T, T[0], T[1], (1, 2)),
        call(T, T[0], axis=(2, 1)),
    ],
    "rms_normalization": [call(T, T[0], (1, 2)), call(T, None, -1, 0.5)],
    "normalize": [
        call(T, 1),
        call(T, 2, 1),
        call(X * 0.1, -1, 2, 5.0),
        call(X * 0.1, order=3, epsilon=5.0),
        call(K),
        call(T, -2, 4),
        call(X, order=1),
    ],
    "psnr": [call(T, T * 0.9, 1.5)],
    "binary_crossentropy": [
        call(PROBABLE[0], PROBABLE[1]),
        call(np.asarray([[0.0, 1.0, 1.0], [1.0, 0.0, 0.0]]), np.asarray([[0.0, 1.0, 0.4], [1.0, 0.2, 0.7]])),
        call(J - 1.0, X, True),
    ],
    "categorical_crossentropy": [
        call(PROBABLE, PROBABLE[::-1] + 0.1, False, 1),
        call(PROBABLE, T, True, 1),
        call(PROBABLE, T, True),
        call(P, X, True, -2),
    ],
    "sparse_categorical_crossentropy": [
        call(np.asarray([[2, 0, 1], [3, 1, 0]]), PROBABLE),
        call(np.asarray([[2, 0, 1, 1], [1, 1, 2, 0]]), PROBABLE, axis=1),
        call(np.asarray([[2, 0, 1, 1], [1, 1, 2, 0]]), T, True, 1),
        call(np.asarray([[[2, 0, 1, 1]], [[1, 1, 2, 0]]]), T, True, 1),
        call(np.asarray([[2, 0, 1, 1], [1, 1, 2, 0]]), T, True, -2),
    ],
    "one_hot": [call(K % 4, 4, 1), call(J - 1, 4, axis=0), call(np.asarray(2), 3), call(J[0], 5)],
    "multi_hot": [call(J[0], 6), call(J, 6, dtype="int32"), call(J, 6, -1), call(J[0], 5, -1, "int32")],
    "dot_product_attention": [
        call(QUERY[:, :, :2], KEYS[0], KEYS[1], None, COVER),
        call(QUERY, KEYS[0], KEYS[1]),
        call(QUERY[:, :, :2], KEYS[0], KEYS[1], scale=0.7),
        call(QUERY[:, :, :2], KEYS[0, :, :3], KEYS[1, :, :3], is_causal=True),
        call(QUERY[:, :, :2], KEYS[0], KEYS[1], RNG.uniform(-1, 1, (2, 5))[:1]),
        call(QUERY[:, :, :2], KEYS[0, :, :3], KEYS[1, :, :3], bias=RNG.uniform(-1, 1, (1, 2, 3, 3)), is_causal=True),
        call(QUERY[:, :, :2], KEYS[0], KEYS[1], None, COVER, 0.4),
    ],
    "ctc_loss": [
        call(np.asarray([[1, 2, 2], [3, 3, 0], [4, 0, 0]]), PATHS, np.asarray([3, 2, 1]), np.asarray([7, 6, 4])),
        call(np.asarray([[1, 2, 2], [3, 3, 0], [0, 1, 1]]), PATHS, np.asarray([3, 2, 1]), np.asarray([7, 5, 4]), 4),
    ],
    "ctc_decode": [
        call(PATHS * 3, np.asarray([7, 4, 2])),
        call(PATHS * 3, np.asarray([7, 4, 2]), merge_repeated=False),
        call(PATHS * 3, np.asarray([7, 4, 2]), mask_index=2),
        call(PATHS, np.asarray([7, 4, 2]), "greedy", mask_index=4),
    ],
}
