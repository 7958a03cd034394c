"""A usual call of every function of portanet.ops, by its name."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class Case(NamedTuple):
    """A call: NumPy arrays among the arguments become arrays of the backend."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def call(*args: Any, **kwargs: Any) -> Case:
    return Case(args, kwargs)


RNG = np.random.default_rng(0)
X, Y = RNG.uniform(-2, 2, (2, 3)), RNG.uniform(-2, 2, (2, 3))
P = RNG.uniform(0.5, 2, (2, 3))
U = RNG.uniform(-0.9, 0.9, (2, 3))
V = RNG.uniform(-1, 1, 3)
K, J = np.asarray([[1, -2, 3], [0, 5, 4]], "int32"), np.asarray([[2, 3, 1], [4, 1, 3]], "int32")
B, C = K > 1, J > 2
M = RNG.uniform(-1, 1, (3, 3))
S = M @ M.T + np.eye(3)
T = RNG.uniform(-1, 1, (2, 3, 4))
N = np.where(X > 1, np.nan, X)
Z = (X + 1j * Y).astype("complex128")
W = RNG.uniform(-1, 1, 8)

SEQUENCE, IMAGES = RNG.uniform(-1, 1, (2, 7, 4)), RNG.uniform(-1, 1, (2, 5, 6, 4))
FIRST, SQUARE = np.moveaxis(IMAGES, -1, 1).copy(), RNG.uniform(-1, 1, (2, 4, 4, 3))
SHEAR = [0.75, 0.5, 1.125, -0.25, 1.25, -1.375, 0.0, 0.0]  # a list: Keras changes arrays
CORNERS = np.asarray([[0.0, 0.0], [5.0, 0.0], [0.0, 4.0], [5.0, 4.0]])
QKV = RNG.uniform(-1, 1, (3, 2, 3, 2, 4))

ACTIVATIONS = """
    celu elu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh log_sigmoid relu relu6 selu sigmoid silu
    soft_shrink softplus softsign sparse_plus sparse_sigmoid sparsemax squareplus swish tanh_shrink
"""
FLOATS = "sin cos tan sinh cosh tanh arcsinh arctan exp expm1 exp2 square cbrt sinc deg2rad rad2deg erf erfc i0"
ROUNDED = "floor ceil trunc sign signbit round absolute abs fabs negative isfinite isinf isnan isposinf isneginf isreal"
POSITIVE = "log log10 log2 log1p sqrt rsqrt reciprocal"
PAIRS = "add subtract multiply maximum minimum fmax fmin arctan2 hypot logaddexp logaddexp2"
COMPARED = "equal not_equal less less_equal greater greater_equal"
REDUCED = "sum mean max min amax amin prod std var ptp logsumexp nansum nanmax nanmin nanmean nanprod nanvar nanstd"

CASES: dict[str, list[Case]] = {
    **{name: [call(X)] for name in FLOATS.split()},
    **{name: [call(X), call(K)] for name in ROUNDED.split()},
    **{name: [call(P)] for name in POSITIVE.split()},
    **{name: [call(U)] for name in ("arcsin", "arccos", "arctanh", "erfinv")},
    "arccosh": [call(P + 1)],
    **{name: [call(X, Y), call(X, Y[0])] for name in PAIRS.split()},
    **{name: [call(K, J), call(X, 1)] for name in COMPARED.split()},
    **{name: [call(X), call(X, axis=0), call(X, axis=(0, 1), keepdims=True)] for name in REDUCED.split()},
    "divide": [call(X, P), call(K, J)],
    "true_divide": [call(X, P)],
    "divide_no_nan": [call(X, np.where(X > 1, 0.0, P))],
    "floor_divide": [call(X, P), call(K, J)],
    "mod": [call(X, P), call(K, J)],
    "fmod": [call(X, P), call(K, J)],
    "power": [call(P, X), call(P, 2)],
    "ldexp": [call(X, J)],
    "clip": [call(X, -1, 1), call(K, 0, 3)],
    "heaviside": [call(np.asarray([-1.0, 0.0, 2.0]), np.asarray([0.5, 0.5, 0.5]))],
    "nextafter": [call(X, Y)],
    "gcd": [call(np.abs(K), J)],
    "lcm": [call(np.abs(K), J)],
    **{f"bitwise_{name}": [call(np.abs(K), J)] for name in ("and", "or", "xor", "left_shift", "right_shift")},
    **{f"{name}_shift": [call(np.abs(K), J)] for name in ("left", "right")},
    "bitwise_not": [call(K)],
    "bitwise_invert": [call(K)],
    **{f"logical_{name}": [call(B, C)] for name in ("and", "or", "xor")},
    "logical_not": [call(B)],
    "isclose": [call(X, X + 1e-9), call(X, Y)],
    "allclose": [call(X, X + 1e-9), call(X, Y)],
    "isin": [call(K, np.asarray([1, 5], "int32")), call(K, np.asarray([1], "int32"), invert=True)],
    "nan_to_num": [call(N), call(np.asarray([np.inf, -np.inf]), posinf=1.0, neginf=2.0)],
    "where": [call(B, X, Y), call(B, X, 0.0)],
    "select": [call([B, C], [X, Y], 0.0)],
    # Reductions
    **{name: [call(B), call(B, axis=0, keepdims=True)] for name in ("all", "any")},
    "count_nonzero": [call(K), call(K, axis=0)],
    "average": [call(X, axis=0), call(X, axis=1, weights=P)],
    "cumsum": [call(X), call(X, axis=1), call(K, axis=0)],
    "cumprod": [call(X), call(X, axis=1)],
    "moments": [call(X, axes=(0,)), call(X, axes=(1,), keepdims=True)],
    "nancumsum": [call(N, axis=1)],
    "nancumprod": [call(N, axis=1)],
    "nanargmax": [call(N, axis=1)],
    "nanargmin": [call(N, axis=1)],
    "median": [call(X), call(X, axis=1), call(X, axis=0, keepdims=True)],
    "nanmedian": [call(N), call(N, axis=0)],
    "quantile": [
        call(X, np.asarray(0.3)),
        call(X, np.asarray([0.2, 0.9]), axis=1),
        call(X, 0.4, axis=1, method="lower"),
    ],
    "nanquantile": [call(N, np.asarray([0.2, 0.9]))],
    "percentile": [call(X, np.asarray([20.0, 90.0]), axis=1)],
    "nanpercentile": [call(N, np.asarray([20.0, 90.0]))],
    "histogram": [call(W, bins=4), call(W, bins=3, range=(-0.5, 0.5))],
    # Searching
    **{name: [call(X), call(X, axis=1), call(X, axis=0)] for name in ("argmax", "argmin")},
    "argsort": [call(X), call(X, axis=0)],
    "sort": [call(X), call(X, axis=0), call(K)],
    "top_k": [call(X, 2)],
    "in_top_k": [call(np.asarray([2, 0], "int32"), X, 2)],
    "searchsorted": [call(np.sort(V), X[0]), call(np.asarray([1.0, 2, 2, 3]), np.asarray([2.0]), side="right")],
    "digitize": [call(X, np.sort(V))],
    "bincount": [call(J[0], minlength=6), call(J[0], weights=V)],
    "unique": [call(J[0]), call(np.asarray([3, 1, 3, 2], "int32"), return_inverse=True, return_counts=True)],
    "unravel_index": [call(J, (3, 4))],
    # Shapes
    "shape": [call(T)],
    "ndim": [call(T)],
    "size": [call(T)],
    "reshape": [call(T, (4, -1)), call(T, -1)],
    "ravel": [call(T)],
    "transpose": [call(T), call(T, (1, 0, 2))],
    "swapaxes": [call(T, 0, -1)],
    "moveaxis": [call(T, 0, -1), call(T, (0, 1), (1, 2))],
    "expand_dims": [call(T, 1), call(T, (0, -1))],
    "squeeze": [call(T[:1]), call(T[:1], axis=0)],
    "broadcast_to": [call(V, (2, 3))],
    "flip": [call(X), call(X, axis=1)],
    "fliplr": [call(X)],
    "flipud": [call(X)],
    "roll": [call(X, 1), call(X, 2, axis=1)],
    "rot90": [call(X), call(X, k=3)],
    "concatenate": [call([X, Y]), call([X, Y], axis=-1)],
    "append": [call(X, Y), call(X, Y, axis=1)],
    "stack": [call([X, Y]), call([X, Y], axis=-1)],
    "hstack": [call([X, Y]), call([V, V])],
    "vstack": [call([X, Y]), call([V, V])],
    "dstack": [call([X, Y]), call([V, V])],
    "split": [call(T, 2, axis=2), call(T, [1, 3], axis=2)],
    "array_split": [call(V, 2)],
    "hsplit": [call(X, 3)],
    "vsplit": [call(X, 2)],
    "dsplit": [call(T, 2)],
    "unstack": [call(X), call(X, axis=1)],
    "repeat": [call(X, 2), call(X, 2, axis=1), call(X, np.asarray([1, 0, 2]), axis=1)],
    "tile": [call(X, 2), call(X, (2, 1))],
    "meshgrid": [call(V, X[0]), call(V, X[0], indexing="ij")],
    "pad": [
        call(X, ((1, 0), (0, 2))),
        call(X, ((0, 0), (2, 1)), constant_values=1.5),
        call(X, ((0, 0), (2, 1)), mode="reflect"),
    ],
    "tril": [call(M), call(M, k=-1)],
    "triu": [call(M), call(M, k=1)],
    "diag": [call(V), call(M, k=1), call(V, k=-1)],
    "diagflat": [call(V, k=1)],
    "diagonal": [call(T), call(T, offset=1, axis1=1, axis2=2)],
    "trace": [call(M), call(T, axis1=1, axis2=2)],
    "diff": [call(X), call(X, n=2), call(X, axis=0)],
    "vander": [call(V), call(V, 2, increasing=True)],
    "trapezoid": [call(X), call(X, V), call(X, dx=0.5, axis=0)],
    # Creation
    "zeros": [call((2, 3)), call(3, dtype="int32")],
    "ones": [call((2, 3))],
    "full": [call((2, 3), 1.5), call((2,), 3)],
    "zeros_like": [call(X), call(X, dtype="int32")],
    "ones_like": [call(X)],
    "full_like": [call(X, 2.0)],
    "arange": [call(3), call(1, 7, 2), call(0.5, 2.0, 0.5)],
    "linspace": [call(0, 1, 5), call(0, 1, 5, endpoint=False), call(V, V + 1, 3)],
    "logspace": [call(0, 2, 3)],
    "geomspace": [call(1, 8, 4)],
    "eye": [call(3), call(2, 3, k=1)],
    "identity": [call(3)],
    "tri": [call(3), call(2, 3, k=-1)],
    **{name: [call(5)] for name in ("bartlett", "blackman", "hamming", "hanning")},
    "kaiser": [call(5, 2.0)],
    # Conversions
    "cast": [call(X, "int32"), call(K, "float32")],
    "saturate_cast": [call(K * 100, "uint8")],
    "convert_to_tensor": [call(X), call([1.5, 2.0]), call(2)],
    "array": [call(X), call([1, 2])],
    "copy": [call(X)],
    "view": [call(X, "uint8")],
    # Indexing
    "take": [call(X, J - 1), call(X, np.asarray([0, -1]), axis=1), call(X, 1, axis=0)],
    "take_along_axis": [call(X, np.asarray([[0], [-1]]), axis=1)],
    "get_item": [call(X, 1), call(X, (slice(None), 2))],
    "slice": [call(T, (0, 1, 2), (2, 2, 1)), call(X, np.asarray([1, 0]), (1, 2))],
    "slice_update": [call(X, (0, 1), Y[:, :2])],
    "scatter": [
        call(np.asarray([[1], [3], [1]]), V, (4,)),
        call(np.asarray([[0, 1], [1, 1]]), X, (2, 2, 3)),
        call(np.asarray([[[1], [3]], [[1], [0]], [[2], [2]]]), np.ones((3, 2, 2), "float32"), (4, 2)),
    ],
    "scatter_update": [
        call(W, np.asarray([[1], [4]]), V[:2]),
        call(M, np.asarray([[1, 2], [0, 0], [1, 2]]), V, reduction="add"),
        call(M, np.asarray([[1, 2], [0, 0], [1, 2]]), V, reduction="max"),
        call(M, np.asarray([[1, 2], [0, 0], [1, 2]]), V, reduction="min"),
        call(M, np.asarray([[1, 2], [0, 0], [1, 2]]), V, reduction="mul"),
    ],
    **{
        f"segment_{name}": [call(T[0], np.asarray([1, 0, 1])), call(V, np.asarray([0, 2, 2]), num_segments=3)]
        for name in ("sum", "max", "min", "prod")
    },
    # Products and linear algebra
    "matmul": [call(X, M), call(T, RNG.uniform(-1, 1, (4, 2)))],
    "dot": [call(X, M), call(V, V), call(X, 2.0)],
    "vdot": [call(V, X[0])],
    "inner": [call(X, M), call(V, V)],
    "outer": [call(V, X[0])],
    "tensordot": [call(T, X, axes=[[0, 1], [0, 1]]), call(X, M, axes=1)],
    "kron": [call(X, M)],
    "cross": [call(X, Y), call(X, Y, axis=-1)],
    "einsum": [
        call("ij,jk->ik", X, M),
        call("bij,bi->bj", T, X),
        call("ij->ji", X),
        call("ii", M),
        call("...ij,kj->...ik", T, RNG.uniform(-1, 1, (2, 4))),
        call("i,j", V, V),
        call("bi,bj,bk->b", X, Y, P),
    ],
    "rearrange": [call(T, "a b c -> (c a) b"), call(T, "a b (c d) -> a d b c", c=2)],
    "cdist": [call(X, M)],
    "correlate": [call(W, V), call(W, V, mode="same"), call(W, V, mode="full")],
    "corrcoef": [call(X)],
    "cholesky": [call(S), call(S, upper=True)],
    "cholesky_inverse": [call(np.linalg.cholesky(S)), call(np.linalg.cholesky(S).T, upper=True)],
    "det": [call(S)],
    "slogdet": [call(S)],
    "logdet": [call(S)],
    "inv": [call(S)],
    "pinv": [call(X)],
    "matrix_rank": [call(S)],
    "qr": [call(M)],
    "eigh": [call(S)],
    "svd": [call(X, compute_uv=False)],
    "solve": [call(S, M), call(S, V)],
    "solve_triangular": [call(S, V), call(S, M, lower=True)],
    "lstsq": [call(X.T, V)],
    "lu_factor": [call(M)],
    "norm": [call(X), call(X, axis=1), call(X, ord=1, axis=1), call(M, ord="nuc"), call(M, ord=2), call(M, ord=np.inf)],
    # Signals and complex numbers
    "fft": [call((X, Y))],
    "fft2": [call((X, Y))],
    "ifft2": [call((X, Y))],
    "rfft": [call(W), call(W, fft_length=5)],
    "irfft": [call((X, Y))],
    "extract_sequences": [call(W, 3, 2)],
    "stft": [call(RNG.uniform(-1, 1, 20), 8, 4, 8), call(RNG.uniform(-1, 1, 20), 6, 3, 8, center=False)],
    "istft": [call((RNG.uniform(-1, 1, (5, 5)), RNG.uniform(-1, 1, (5, 5))), 8, 4, 8)],
    "real": [call(Z)],
    "imag": [call(Z)],
    "conj": [call(Z)],
    "conjugate": [call(Z)],
    "angle": [call(Z), call(X)],
    "polar": [call(P, X)],
    "view_as_complex": [call(T[..., :2])],
    "view_as_real": [call(Z)],
    # Neural networks
    **{name: [call(3 * X)] for name in ACTIVATIONS.split()},
    "gelu": [call(X), call(X, approximate=False)],
    "leaky_relu": [call(X, negative_slope=0.3)],
    "threshold": [call(X, 0.5, -1.0)],
    "glu": [call(T)],
    "softmax": [call(X), call(X, axis=0)],
    "log_softmax": [call(X), call(X, axis=0)],
    "conv": [
        call(SEQUENCE, RNG.uniform(-1, 1, (3, 4, 2)), padding="same", strides=2),
        call(IMAGES, RNG.uniform(-1, 1, (3, 2, 2, 4)), dilation_rate=2),
        call(FIRST, RNG.uniform(-1, 1, (2, 2, 4, 3)), data_format="channels_first"),
    ],
    "depthwise_conv": [call(IMAGES, RNG.uniform(-1, 1, (2, 3, 4, 2)), padding="same")],
    "separable_conv": [call(IMAGES, RNG.uniform(-1, 1, (2, 2, 4, 1)), RNG.uniform(-1, 1, (1, 1, 4, 3)))],
    "conv_transpose": [
        call(SEQUENCE, RNG.uniform(-1, 1, (3, 2, 4)), strides=2, padding="same"),
        call(IMAGES, RNG.uniform(-1, 1, (3, 3, 2, 4)), strides=2),
    ],
    "max_pool": [call(SEQUENCE, 2), call(IMAGES, (2, 3), strides=2, padding="same")],
    "average_pool": [call(SEQUENCE, 2), call(FIRST, 2, data_format="channels_first")],
    "adaptive_average_pool": [call(SEQUENCE, 3), call(IMAGES, (2, 3))],
    "adaptive_max_pool": [call(SEQUENCE, 3)],
    "batch_normalization": [call(X, V, np.abs(V), -1), call(X, V, np.abs(V), 1, offset=V + 1, scale=V - 1)],
    "layer_normalization": [call(X), call(T, T[0, 0], T[0, 1], epsilon=0.01)],
    "rms_normalization": [call(X), call(X, V, epsilon=0.01)],
    "normalize": [call(X), call(X, axis=0, order=3)],
    "psnr": [call(X, Y, 2.0)],
    "binary_crossentropy": [call(U**2, np.abs(U)), call(U**2, X, from_logits=True)],
    "categorical_crossentropy": [call(P, P), call(P, X, from_logits=True), call(P, P, axis=0)],
    "sparse_categorical_crossentropy": [
        call(np.asarray([2, 0]), P),
        call(np.asarray([[2], [0]]), X, from_logits=True),
    ],
    "one_hot": [call(J - 1, 4), call(J - 1, 4, axis=0, dtype="int32")],
    "multi_hot": [call(J - 1, 4)],
    "dot_product_attention": [
        call(*QKV),
        call(*QKV, is_causal=True),
        call(*QKV, mask=RNG.uniform(0, 1, (2, 1, 3, 3)) < 0.8),
        call(*QKV, bias=RNG.uniform(-1, 1, (2, 2, 3, 3)), scale=0.3),
    ],
    "ctc_loss": [
        call(np.asarray([[1, 2], [3, 3]]), RNG.uniform(-1, 1, (2, 6, 4)), np.asarray([2, 1]), np.asarray([6, 5]))
    ],
    "ctc_decode": [call(RNG.uniform(-1, 1, (2, 6, 4)), np.asarray([6, 5]))],
    "depth_to_space": [call(IMAGES, 2), call(FIRST, 2, data_format="channels_first")],
    "space_to_depth": [call(SQUARE, 2), call(np.moveaxis(SQUARE, -1, 1).copy(), 2, data_format="channels_first")],
    "unfold": [call(FIRST, 2), call(FIRST, (2, 3), padding=1, stride=2)],
    "rgb_to_grayscale": [call(SQUARE), call(SQUARE[0])],
    "rgb_to_hsv": [call(np.abs(SQUARE))],
    "hsv_to_rgb": [call(np.abs(SQUARE))],
    "crop_images": [call(IMAGES, 1, 2, target_height=2, target_width=3)],
    "pad_images": [call(IMAGES, 1, 2, target_height=9, target_width=9)],
    "extract_patches": [call(IMAGES, 2), call(IMAGES, (2, 3), strides=1, padding="same")],
    "extract_patches_3d": [call(RNG.uniform(-1, 1, (1, 4, 4, 4, 2)), 2)],
    "gaussian_blur": [call(IMAGES, (3, 3), (1.0, 2.0), data_format="channels_last")],
    "ssim": [call(IMAGES, IMAGES + 0.1, filter_size=3)],
    "resize": [
        call(IMAGES, (7, 4)),
        call(IMAGES, (3, 9), interpolation="nearest"),
        call(IMAGES, (3, 4), antialias=True),
        call(FIRST, (3, 4), data_format="channels_first", crop_to_aspect_ratio=True),
    ],
    "scale_and_translate": [
        call(IMAGES[0], (7, 4, 4), np.asarray([1.4, 0.7]), np.asarray([0.3, 0.1]), (0, 1), "cubic")
    ],
    "map_coordinates": [
        call(M, np.asarray([[0.5, 1.2, 3.0], [0.1, 1.9, -0.5]]), 1),
        call(M, np.asarray([[0.6, 1.2, 3.0], [0.1, 1.9, -0.6]]), 0, fill_mode="nearest"),
    ],
    "affine_transform": [
        call(IMAGES, [SHEAR, [1.0, 0.0, 0.25, -0.5, 1.5, 1.25, 0.0, 0.0]]),
        *(call(IMAGES[0], SHEAR, "bilinear", mode, 0.3) for mode in ("nearest", "wrap", "mirror", "reflect")),
        call(FIRST, [SHEAR, [*SHEAR[::-1][2:], 0.0, 0.0]], "nearest", data_format="channels_first"),
    ],
    "perspective_transform": [
        call(IMAGES, CORNERS + np.zeros((2, 1, 1)), CORNERS + RNG.uniform(-0.8, 0.8, (2, 4, 2))),
        call(FIRST[1], CORNERS, CORNERS * 0.63 + 0.11, "nearest", 0.7, "channels_first"),
    ],
    "sobel_edges": [call(IMAGES), call(FIRST, data_format="channels_first")],
    "fold": [call(RNG.uniform(-1, 1, (2, 8, 9)), 4, 2), call(RNG.uniform(-1, 1, (1, 4, 9)), 4, 2, padding=1, stride=2)],
}

_CONSTANT = """
    all allclose any arange argmax argmin argsort bartlett bincount bitwise_and bitwise_invert
    bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor blackman cast cholesky_inverse
    count_nonzero ctc_decode digitize equal eye floor_divide full_like gcd greater greater_equal hamming hanning
    heaviside histogram identity in_top_k isclose isfinite isin isinf isnan isneginf isposinf isreal kaiser lcm
    left_shift less less_equal logical_and logical_not logical_or logical_xor matrix_rank nanargmax nanargmin
    ndim not_equal ones ones_like right_shift saturate_cast searchsorted shape signbit size tri unique
    unravel_index vander view zeros zeros_like
"""
CONSTANT = set(_CONSTANT.split())
"""Functions that have no derivative in Keras; `cholesky_inverse` has one of the whole matrix."""

OTHER: dict[str, list[Case]] = {
    "address_by_content": [call(T, T[:, 0], 2.0)],
    "argpartition": [call(X, 1)],
    "convert_to_numpy": [call(X)],
    "dtype": [call(X)],
    "eig": [call(M)],
    "elastic_transform": [call(IMAGES, 2.0, 1.0, seed=1)],
    "empty": [call((2, 3))],
    "empty_like": [call(X)],
    "is_tensor": [call(X)],
    "nonzero": [call(K)],
    "read_memory": [call(T, P)],
    "sharpen_weighting": [call(P, 2.0)],
    "shift_weighting": [call(P, [0.2, 0.7, 0.1])],
    "stop_gradient": [call(X)],
    "write_memory": [call(T, P, W[:4], W[4:])],
}
"""Functions that Keras lacks, or whose results are not unique or are no arrays; they have tests in tests/ops/."""
FUNCTIONS = """
    associative_scan cond custom_gradient fori_loop jvp map scan switch vectorize vectorized_map while_loop
"""
"""Functions of functions, likewise."""
