"""The functions of `keras.ops.numpy`."""

# ruff: noqa: I001, RUF022
# fmt: off
from portanet.ops.arithmetic import (
    abs, absolute, add, ceil, clip, divide, divide_no_nan, fabs, floor, floor_divide, fmax, fmin, fmod, gcd,
    heaviside, lcm, maximum, minimum, mod, multiply, negative, nextafter, round, sign, signbit, subtract,
    true_divide, trunc,
)
from portanet.ops.bits import (
    bitwise_and, bitwise_invert, bitwise_left_shift, bitwise_not, bitwise_or, bitwise_right_shift, bitwise_xor,
    left_shift, right_shift,
)
from portanet.ops.casting import array, copy, view
from portanet.ops.comparisons import (
    allclose, equal, greater, greater_equal, isclose, isfinite, isin, isinf, isnan, isneginf, isposinf, isreal,
    less, less_equal, logical_and, logical_not, logical_or, logical_xor, nan_to_num, not_equal,
)
from portanet.ops.control import vectorize
from portanet.ops.creation import (
    arange, bartlett, blackman, empty, empty_like, eye, full, full_like, geomspace, hamming, hanning, identity,
    kaiser, linspace, logspace, ones, ones_like, tri, zeros, zeros_like,
)
from portanet.ops.elementary import (
    cbrt, exp, exp2, expm1, hypot, i0, ldexp, log, log10, log1p, log2, logaddexp, logaddexp2, power, reciprocal,
    sinc, sqrt, square,
)
from portanet.ops.indexing import get_item, select, take, take_along_axis
from portanet.ops.joining import (
    append, array_split, concatenate, dsplit, dstack, hsplit, hstack, meshgrid, repeat, split, stack, tile,
    vsplit, vstack,
)
from portanet.ops.linalg import slogdet
from portanet.ops.matrices import diag, diagflat, diagonal, diff, pad, trace, trapezoid, tril, triu, vander
from portanet.ops.nan_reductions import (
    nanargmax, nanargmin, nancumprod, nancumsum, nanmax, nanmean, nanmin, nanprod, nanstd, nansum, nanvar,
)
from portanet.ops.products import corrcoef, correlate, cross, dot, einsum, inner, kron, matmul, outer, tensordot, vdot
from portanet.ops.quantiles import histogram, median, nanmedian, nanpercentile, nanquantile, percentile, quantile
from portanet.ops.reductions import (
    all, amax, amin, any, average, count_nonzero, cumprod, cumsum, max, mean, min, prod, ptp, std, sum, var,
)
from portanet.ops.searching import (
    argmax, argmin, argpartition, argsort, bincount, digitize, nonzero, searchsorted, sort, unique, unravel_index,
    where,
)
from portanet.ops.shapes import (
    broadcast_to, expand_dims, flip, fliplr, flipud, moveaxis, ndim, ravel, reshape, roll, rot90, size, squeeze,
    swapaxes, transpose,
)
from portanet.ops.signal import angle, conj, conjugate, imag, real
from portanet.ops.trigonometry import (
    arccos, arccosh, arcsin, arcsinh, arctan, arctan2, arctanh, cos, cosh, deg2rad, rad2deg, sin, sinh, tan, tanh,
)

__all__ = [
    "abs", "absolute", "add", "all", "allclose", "amax", "amin", "angle", "any", "append", "arange", "arccos",
    "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "argmax", "argmin", "argpartition", "argsort",
    "array", "array_split", "average", "bartlett", "bincount", "bitwise_and", "bitwise_invert",
    "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift", "bitwise_xor", "blackman",
    "broadcast_to", "cbrt", "ceil", "clip", "concatenate", "conj", "conjugate", "copy", "corrcoef", "correlate",
    "cos", "cosh", "count_nonzero", "cross", "cumprod", "cumsum", "deg2rad", "diag", "diagflat", "diagonal", "diff",
    "digitize", "divide", "divide_no_nan", "dot", "dsplit", "dstack", "einsum", "empty", "empty_like", "equal",
    "exp", "exp2", "expand_dims", "expm1", "eye", "fabs", "flip", "fliplr", "flipud", "floor", "floor_divide",
    "fmax", "fmin", "fmod", "full", "full_like", "gcd", "geomspace", "get_item", "greater", "greater_equal",
    "hamming", "hanning", "heaviside", "histogram", "hsplit", "hstack", "hypot", "i0", "identity", "imag", "inner",
    "isclose", "isfinite", "isin", "isinf", "isnan", "isneginf", "isposinf", "isreal", "kaiser", "kron", "lcm",
    "ldexp", "left_shift", "less", "less_equal", "linspace", "log", "log10", "log1p", "log2", "logaddexp",
    "logaddexp2", "logical_and", "logical_not", "logical_or", "logical_xor", "logspace", "matmul", "max", "maximum",
    "mean", "median", "meshgrid", "min", "minimum", "mod", "moveaxis", "multiply", "nan_to_num", "nanargmax",
    "nanargmin", "nancumprod", "nancumsum", "nanmax", "nanmean", "nanmedian", "nanmin", "nanpercentile", "nanprod",
    "nanquantile", "nanstd", "nansum", "nanvar", "ndim", "negative", "nextafter", "nonzero", "not_equal", "ones",
    "ones_like", "outer", "pad", "percentile", "power", "prod", "ptp", "quantile", "rad2deg", "ravel", "real",
    "reciprocal", "repeat", "reshape", "right_shift", "roll", "rot90", "round", "searchsorted", "select", "sign",
    "signbit", "sin", "sinc", "sinh", "size", "slogdet", "sort", "split", "sqrt", "square", "squeeze", "stack",
    "std", "subtract", "sum", "swapaxes", "take", "take_along_axis", "tan", "tanh", "tensordot", "tile", "trace",
    "transpose", "trapezoid", "tri", "tril", "triu", "true_divide", "trunc", "unique", "unravel_index", "vander",
    "var", "vdot", "vectorize", "view", "vsplit", "vstack", "where", "zeros", "zeros_like",
]
