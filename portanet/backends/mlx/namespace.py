"""MLX's namespace, completed to that of the standard.

Most functions are MLX's own. Those that it lacks, or has with other arguments, dtypes or results, are here in the files
next to this one; the docstring of each says what is other in MLX.
"""

from __future__ import annotations

from mlx.core import *  # noqa: F403
from mlx.core import __array_namespace_info__ as __array_namespace_info__
from mlx.core import bool_ as bool  # noqa: A004, F401 -- the standard's name

from portanet.backends.mlx import fft as fft
from portanet.backends.mlx import linalg as linalg
from portanet.backends.mlx.arrays import complete, leaving
from portanet.backends.mlx.creation import *  # noqa: F403
from portanet.backends.mlx.elements import *  # noqa: F403
from portanet.backends.mlx.indices import take as take
from portanet.backends.mlx.indices import take_along_axis as take_along_axis
from portanet.backends.mlx.reductions import *  # noqa: F403
from portanet.backends.mlx.shapes import *  # noqa: F403

__array_api_version__ = "2025.12"

_ELEMENTS = """
    abs acos acosh add asin asinh atan atan2 atanh bitwise_and bitwise_invert bitwise_left_shift bitwise_or
    bitwise_right_shift bitwise_xor ceil clip conj copysign cos cosh divide equal exp expm1 floor floor_divide greater
    greater_equal hypot imag isfinite isinf isnan less less_equal log log10 log1p log2 logaddexp logical_and logical_not
    logical_or logical_xor maximum minimum multiply negative nextafter not_equal positive pow real reciprocal remainder
    round sign signbit sin sinh sqrt square subtract tan tanh trunc where
"""
globals().update({name: leaving(globals()[name]) for name in _ELEMENTS.split()})

complete()
