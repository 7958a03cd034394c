"""Functions on arrays, as in Keras: `keras.ops`, on arrays of any backend, variables and symbolic arrays."""

# ruff: noqa: I001, RUF022
# fmt: off
from typing import TYPE_CHECKING

from portanet.lookup import no_attribute
from portanet.ops import image, linalg, nn, numpy
from portanet.fused.crossentropy import crossentropy, sigmoid_crossentropy, softmax_crossentropy
from portanet.ops.activation_functions import (
    celu, elu, gelu, glu, hard_shrink, hard_sigmoid, hard_silu, hard_swish, hard_tanh, leaky_relu, log_sigmoid,
    log_softmax, relu, relu6, selu, sigmoid, silu, soft_shrink, softmax, softplus, softsign, sparse_plus,
    sparse_sigmoid, sparsemax, squareplus, swish, tanh_shrink, threshold,
)
from portanet.ops.addressing import (
    address_by_content, read_memory, sharpen_weighting, shift_weighting, write_memory,
)
from portanet.ops.arithmetic import (
    abs, absolute, add, ceil, clip, divide, divide_no_nan, fabs, floor, floor_divide, fmax, fmin, fmod, gcd,
    heaviside, lcm, maximum, minimum, mod, multiply, negative, nextafter, round, sign, signbit, subtract,
    true_divide, trunc,
)
from portanet.ops.attention import dot_product_attention
from portanet.ops.bits import (
    bitwise_and, bitwise_invert, bitwise_left_shift, bitwise_not, bitwise_or, bitwise_right_shift, bitwise_xor,
    left_shift, right_shift,
)
from portanet.ops.blocks import depth_to_space, fold, space_to_depth, unfold
from portanet.ops.casting import (
    array, cast, convert_to_numpy, convert_to_tensor, copy, dtype, is_tensor, saturate_cast, view,
)
from portanet.ops.comparisons import (
    allclose, equal, greater, greater_equal, isclose, isfinite, isin, isinf, isnan, isneginf, isposinf, isreal,
    less, less_equal, logical_and, logical_not, logical_or, logical_xor, nan_to_num, not_equal,
)
from portanet.ops.control import (
    associative_scan, cond, custom_gradient, fori_loop, jvp, map, scan, stop_gradient, switch, vectorize,
    vectorized_map, while_loop,
)
from portanet.ops.convolutions import (
    adaptive_average_pool, adaptive_max_pool, average_pool, conv, conv_transpose, depthwise_conv, max_pool,
    separable_conv,
)
from portanet.ops.creation import (
    arange, bartlett, blackman, empty, empty_like, eye, full, full_like, geomspace, hamming, hanning, identity,
    kaiser, linspace, logspace, ones, ones_like, tri, zeros, zeros_like,
)
from portanet.ops.crossentropies import binary_crossentropy, categorical_crossentropy, sparse_categorical_crossentropy
from portanet.ops.ctc import ctc_decode, ctc_loss
from portanet.ops.einsum import rearrange
from portanet.ops.elementary import (
    cbrt, erf, erfc, erfinv, exp, exp2, expm1, hypot, i0, ldexp, log, log10, log1p, log2, logaddexp, logaddexp2,
    power, reciprocal, rsqrt, sinc, sqrt, square,
)
from portanet.ops.encodings import multi_hot, one_hot
from portanet.ops.indexing import (
    get_item, scatter, scatter_update, segment_max, segment_min, segment_prod, segment_sum, select, slice,
    slice_update, take, take_along_axis,
)
from portanet.ops.joining import (
    append, array_split, concatenate, dsplit, dstack, hsplit, hstack, meshgrid, repeat, split, stack, tile,
    unstack, vsplit, vstack,
)
from portanet.ops.linalg import (
    cholesky, cholesky_inverse, det, eig, eigh, inv, logdet, lstsq, lu_factor, matrix_rank, norm, pinv, qr, slogdet,
    solve, solve_triangular, svd,
)
from portanet.ops.matrices import diag, diagflat, diagonal, diff, pad, trace, trapezoid, tril, triu, vander
from portanet.ops.nan_reductions import (
    nanargmax, nanargmin, nancumprod, nancumsum, nanmax, nanmean, nanmin, nanprod, nanstd, nansum, nanvar,
)
from portanet.ops.normalizations import batch_normalization, layer_normalization, normalize, psnr, rms_normalization
from portanet.ops.products import (
    cdist, corrcoef, correlate, cross, dot, einsum, inner, kron, matmul, outer, tensordot, vdot,
)
from portanet.ops.quantiles import histogram, median, nanmedian, nanpercentile, nanquantile, percentile, quantile
from portanet.ops.reductions import (
    all, amax, amin, any, average, count_nonzero, cumprod, cumsum, logsumexp, max, mean, min, moments, prod, ptp,
    std, sum, var,
)
from portanet.ops.searching import (
    argmax, argmin, argpartition, argsort, bincount, digitize, in_top_k, nonzero, searchsorted, sort, top_k, unique,
    unravel_index, where,
)
from portanet.ops.shapes import (
    broadcast_to, expand_dims, flip, fliplr, flipud, moveaxis, ndim, ravel, reshape, roll, rot90, shape, size,
    squeeze, swapaxes, transpose,
)
from portanet.ops.signal import (
    angle, conj, conjugate, extract_sequences, fft, fft2, ifft2, imag, irfft, istft, polar, real, rfft, stft,
    view_as_complex, view_as_real,
)
from portanet.ops.trigonometry import (
    arccos, arccosh, arcsin, arcsinh, arctan, arctan2, arctanh, cos, cosh, deg2rad, rad2deg, sin, sinh, tan, tanh,
)

__all__ = [
    "abs", "absolute", "adaptive_average_pool", "adaptive_max_pool", "add", "address_by_content", "all", "allclose",
    "amax", "amin", "angle", "any", "append", "arange", "arccos", "arccosh", "arcsin", "arcsinh", "arctan",
    "arctan2", "arctanh", "argmax", "argmin", "argpartition", "argsort", "array", "array_split", "associative_scan",
    "average", "average_pool", "bartlett", "batch_normalization", "binary_crossentropy", "bincount", "bitwise_and",
    "bitwise_invert", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift", "bitwise_xor",
    "blackman", "broadcast_to", "cast", "categorical_crossentropy", "cbrt", "cdist", "ceil", "celu", "cholesky",
    "cholesky_inverse", "clip", "concatenate", "cond", "conj", "conjugate", "conv", "conv_transpose",
    "convert_to_numpy", "convert_to_tensor", "copy", "corrcoef", "correlate", "cos", "cosh", "count_nonzero",
    "cross", "crossentropy", "ctc_decode", "ctc_loss", "cumprod", "cumsum", "custom_gradient", "deg2rad",
    "depth_to_space", "depthwise_conv", "det", "diag", "diagflat", "diagonal", "diff", "digitize", "divide",
    "divide_no_nan", "dot", "dot_product_attention", "dsplit", "dstack", "dtype", "eig", "eigh", "einsum", "elu",
    "empty", "empty_like", "equal", "erf", "erfc", "erfinv", "exp", "exp2", "expand_dims", "expm1",
    "extract_sequences", "eye", "fabs", "fft", "fft2", "flip", "fliplr", "flipud", "floor", "floor_divide", "fmax",
    "fmin", "fmod", "fold", "fori_loop", "full", "full_like", "gcd", "gelu", "geomspace", "get_item", "glu",
    "greater", "greater_equal", "hamming", "hanning", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish",
    "hard_tanh", "heaviside", "histogram", "hsplit", "hstack", "hypot", "i0", "identity", "ifft2", "imag", "image",
    "in_top_k", "inner", "inv", "irfft", "is_tensor", "isclose", "isfinite", "isin", "isinf", "isnan", "isneginf",
    "isposinf", "isreal", "istft", "jvp", "kaiser", "kron", "layer_normalization", "lcm", "ldexp", "leaky_relu",
    "left_shift", "less", "less_equal", "linalg", "linspace", "log", "log10", "log1p", "log2", "log_sigmoid",
    "log_softmax", "logaddexp", "logaddexp2", "logdet", "logical_and", "logical_not", "logical_or", "logical_xor",
    "logspace", "logsumexp", "lstsq", "lu_factor", "map", "matmul", "matrix_rank", "max", "max_pool", "maximum",
    "mean", "median", "meshgrid", "min", "minimum", "mod", "moments", "moveaxis", "multi_hot", "multiply",
    "nan_to_num", "nanargmax", "nanargmin", "nancumprod", "nancumsum", "nanmax", "nanmean", "nanmedian", "nanmin",
    "nanpercentile", "nanprod", "nanquantile", "nanstd", "nansum", "nanvar", "ndim", "negative", "nextafter", "nn",
    "nonzero", "norm", "normalize", "not_equal", "numpy", "one_hot", "ones", "ones_like", "outer", "pad",
    "percentile", "pinv", "polar", "power", "prod", "psnr", "ptp", "qr", "quantile", "rad2deg", "ravel",
    "read_memory", "real", "rearrange", "reciprocal", "relu", "relu6", "repeat", "reshape", "rfft", "right_shift",
    "rms_normalization", "roll", "rot90", "round", "rsqrt", "saturate_cast", "scan", "scatter", "scatter_update",
    "searchsorted", "segment_max", "segment_min", "segment_prod", "segment_sum", "select", "selu", "separable_conv",
    "shape", "sharpen_weighting", "shift_weighting", "sigmoid", "sigmoid_crossentropy", "sign", "signbit", "silu",
    "sin", "sinc", "sinh", "size", "slice", "slice_update", "slogdet", "soft_shrink", "softmax",
    "softmax_crossentropy", "softplus", "softsign", "solve", "solve_triangular", "sort", "space_to_depth",
    "sparse_categorical_crossentropy", "sparse_plus", "sparse_sigmoid", "sparsemax", "split", "sqrt", "square",
    "squareplus", "squeeze", "stack", "std", "stft", "stop_gradient", "subtract", "sum", "svd", "swapaxes", "swish",
    "switch", "take", "take_along_axis", "tan", "tanh", "tanh_shrink", "tensordot", "threshold", "tile", "top_k",
    "trace", "transpose", "trapezoid", "tri", "tril", "triu", "true_divide", "trunc", "unfold", "unique",
    "unravel_index", "unstack", "vander", "var", "vdot", "vectorize", "vectorized_map", "view", "view_as_complex",
    "view_as_real", "vsplit", "vstack", "where", "while_loop", "write_memory", "zeros", "zeros_like",
]


if not TYPE_CHECKING:  # which then knows the names

    def __getattr__(name):
        raise no_attribute(__name__, name, __all__)
