"""One case for each way of calling each differentiable function of the standard.

A case is the function's full name, a call and its arguments. The tests of the rules use all of them:
forward and reverse mode, first and second order, float32, against finite differences and against other libraries.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from portanet.backends import Backend

Draw = Callable[[np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Case:
    """`call(xp, *arrays)` calls `function`; `draws` make its float64 or complex128 arguments."""

    function: str
    label: str
    call: Callable[..., Any]
    draws: tuple[Draw, ...]
    lacking: tuple[str, ...] = ()
    """Backends whose library does not support this."""

    def __str__(self) -> str:
        return f"{self.function}{'-' if self.label else ''}{self.label}"

    def arguments(self) -> list[np.ndarray]:
        """The same arguments in every run."""
        rng = np.random.default_rng(zlib.crc32(str(self).encode()))
        return [draw(rng) for draw in self.draws]

    def unsupported(self, backend: Backend, single: bool = False) -> str | None:
        """Why a backend cannot compute the case, in single precision or in double; or None."""
        if backend.name in self.lacking:
            return f"{backend.library} cannot do this on plain arrays"
        if not (single or hasattr(backend.xp, "complex128")) and any(map(np.iscomplexobj, self.arguments())):
            return f"{backend.library} has no complex128"
        return None


CASES: list[Case] = []


def case(
    name: str,
    *draws: Draw,
    call: Callable[..., Any] | None = None,
    label: str = "",
    lacking: tuple[str, ...] = (),
    to: list[Case] = CASES,
    **kwargs: Any,
) -> None:
    """Add a case to a list; by default the function is called with the arrays and the keyword arguments."""

    def plain(xp: Any, *arrays: Any) -> Any:
        function = xp
        for part in name.split("."):
            function = getattr(function, part)
        return function(*arrays, **kwargs)

    label = label or ",".join(f"{k}={v}" for k, v in kwargs.items())
    to.append(Case(name, label, call or plain, draws, lacking))


def words(text: str) -> list[str]:
    return text.split()


def _device(x: Any) -> Any:
    return getattr(x, "device", None)  # JAX's tracers have none


# What to draw


def real(*shape: int) -> Draw:
    return lambda rng: np.asarray(rng.normal(size=shape))


def positive(*shape: int) -> Draw:
    return lambda rng: np.asarray(rng.uniform(0.3, 2.0, size=shape))


def inside(*shape: int) -> Draw:
    return lambda rng: np.asarray(rng.uniform(-0.8, 0.8, size=shape))


def cplx(*shape: int) -> Draw:
    return lambda rng: np.asarray(rng.normal(size=shape) + 1j * rng.normal(size=shape))


def spread(*shape: int) -> Draw:
    """No two elements closer than .2, so that finite differences meet no ties."""
    return lambda rng: rng.permutation(np.arange(math.prod(shape)) * 0.3 - 1.0).reshape(shape)


def regular(*shape: int, dtype: str = "real") -> Draw:
    """Well-conditioned square matrices with distinct eigenvalues."""

    def draw(rng: np.random.Generator) -> np.ndarray:
        x = (cplx if dtype == "complex" else real)(*shape)(rng) * 0.5
        return x + np.diag(np.arange(1.0, shape[-1] + 1) * 1.5)

    return draw


# Elementwise

for name in words("positive negative square exp expm1 sin cos tan atan sinh cosh tanh asinh abs sign"):
    case(name, real(2, 3))
for name in words("reciprocal sqrt log log1p log2 log10"):
    case(name, positive(2, 3))
for name in words("asin acos atanh"):
    case(name, inside(2, 3))
case("acosh", positive(2, 3), call=lambda xp, x: xp.acosh(x + 1))
for name in words(
    "positive negative square exp expm1 sin cos tan sinh cosh tanh abs sign reciprocal sqrt log log1p log2 "
    "log10 asin acos atan asinh acosh atanh real imag conj"
):
    case(name, cplx(2, 2), label="complex")
case("real", real(3))
case("conj", real(3))

for name in words("add subtract multiply divide maximum minimum atan2 hypot logaddexp copysign"):
    case(name, real(2, 3), real(2, 3))
    case(name, real(2, 3), real(3), label="broadcast right")
    case(name, real(1, 3), real(4, 2, 1), label="broadcast both")
for name in words("add subtract multiply divide pow"):
    case(name, cplx(3), cplx(3), label="complex")
    case(name, positive(3), cplx(2, 3), label="real and complex")
    case(name, positive(2), call=lambda xp, x, name=name: getattr(xp, name)(x, 1.5), label="scalar right")
    case(name, positive(2), call=lambda xp, x, name=name: getattr(xp, name)(1.5, x), label="scalar left")
case("multiply", real(3), call=lambda xp, x: x * x, label="by itself")
case("pow", positive(2, 3), real(3))
case("pow", real(3), call=lambda xp, x: x**2, label="squared")
case("pow", real(3), call=lambda xp, x: x**3, label="cubed")
case("pow", real(3), call=lambda xp, x: x**0, label="zeroth")
case("pow", cplx(3), call=lambda xp, x: (-2.0) ** x, label="negative base, complex exponent")
case("remainder", positive(2, 3), positive(3), call=lambda xp, x, y: xp.remainder(4.03 * x, y))
case("nextafter", real(3), real(3))
case("clip", spread(2, 3), call=lambda xp, x: xp.clip(x, -0.63, 0.13))
case("clip", spread(2, 3), call=lambda xp, x: xp.clip(x, min=0.13), label="min")
case("clip", spread(2, 3), inside(3), call=lambda xp, x, low: xp.clip(x, low, 0.93), label="array bound")
case("where", real(2, 3), real(3), call=lambda xp, x, y: xp.where(x > 0.05, x, y))
case("where", real(2, 3), call=lambda xp, x: xp.where(x > 0.05, x, 0.5), label="scalar")
case("where", cplx(2), real(2), call=lambda xp, x, y: xp.where(xp.real(x) > 0.05, x, y), label="complex")

# Creation

case("linspace", real(), real(), call=lambda xp, a, b: xp.linspace(a, b, 5))
case("linspace", real(), call=lambda xp, a: xp.linspace(a, 2.0, 4, endpoint=False), label="open")
case("arange", positive(), call=lambda xp, a: xp.arange(a, 5.0, 0.75))
case("full", real(), call=lambda xp, a: xp.full((2, 3), a))
case("full_like", real(), real(2, 3), call=lambda xp, a, x: xp.full_like(x, a) * x)
case("from_dlpack", real(3))

# Manipulation

case("reshape", real(2, 3), shape=(3, 2))
case("reshape", real(2, 3), shape=(-1,))
case("expand_dims", real(2, 3), axis=-2)
case("squeeze", real(2, 1, 3), axis=1)
case("broadcast_to", real(2, 1), shape=(4, 2, 3))
case("broadcast_to", real(), shape=(3,))
case("astype", real(2, 3), call=lambda xp, x: xp.astype(x * x, xp.float64))
case("astype", real(3), call=lambda xp, x: xp.astype(x, xp.complex128), label="complex")
case("permute_dims", real(2, 3, 4), axes=(2, 0, 1))
case("permute_dims", real(2, 3, 4), axes=(-1, 0, 1), lacking=("jax",))
case("matrix_transpose", real(2, 3, 4))
case("moveaxis", real(2, 3, 4), call=lambda xp, x: xp.moveaxis(x, 0, -1))
case("moveaxis", real(2, 3, 4), call=lambda xp, x: xp.moveaxis(x, (0, 1), (2, 0)), label="several")
case("flip", real(2, 3))
case("flip", real(2, 3), axis=-1)
case("roll", real(2, 3), shift=2)
case("roll", real(2, 3), shift=-1, axis=1)
case("roll", real(2, 3), shift=(1, 2), axis=(0, 1))
case("tril", real(3, 4), k=1)
case("triu", real(2, 3, 3), k=-1)
case("to_device", real(3), call=lambda xp, x: x.to_device(x.device))
case("concat", real(2, 3), real(1, 3), call=lambda xp, x, y: xp.concat([x, y, x]))
case("concat", real(2, 3), real(2, 1), call=lambda xp, x, y: xp.concat((x, y), axis=-1), label="last axis")
case("concat", real(2, 2), real(3), call=lambda xp, x, y: xp.concat([x, y], axis=None), label="flattened")
case("stack", real(2, 3), real(2, 3), call=lambda xp, x, y: xp.stack([x, y], axis=1))
case("stack", real(2), real(2), call=lambda xp, x, y: xp.stack([y, x], axis=-1), label="last axis")
case("unstack", real(2, 3), call=lambda xp, x: xp.unstack(x, axis=-1))
case("broadcast_arrays", real(2, 1), real(3), call=lambda xp, x, y: xp.broadcast_arrays(x, y))
case("meshgrid", real(2), real(3), call=lambda xp, x, y: xp.meshgrid(x, y))
case("meshgrid", real(2), real(3), call=lambda xp, x, y: xp.meshgrid(x, y, indexing="ij"), label="ij")
case("tile", real(2, 3), call=lambda xp, x: xp.tile(x, (2, 1, 2)))
case("repeat", real(2, 3), call=lambda xp, x: xp.repeat(x, 2, axis=1))
case("repeat", real(2, 2), call=lambda xp, x: xp.repeat(x, 3), label="flattened")
case("diff", real(2, 5), n=2)
case("diff", real(3, 2), real(1, 2), call=lambda xp, x, y: xp.diff(x, axis=0, prepend=y, append=y), label="ends")

# Indexing

case("getitem", real(3, 4), call=lambda xp, x: x[1, ...], label="integer")
case("getitem", real(3, 4), call=lambda xp, x: x[-1, 1:3], label="slice")
case("getitem", real(3, 4), call=lambda xp, x: x[:, ::2], label="steps")
case("getitem", real(3, 4), call=lambda xp, x: x[::-1, 3:0:-2], label="negative steps", lacking=("torch",))
case("getitem", real(3, 4), call=lambda xp, x: x[:, None, 0], label="newaxis")
case("getitem", spread(3, 4), call=lambda xp, x: x[x > 0.05], label="mask")
case("take", real(3, 4), call=lambda xp, x: xp.take(x, _ints(xp, x, [2, 0, 2, -1]), axis=1))
case("take", real(4), call=lambda xp, x: xp.take(x, _ints(xp, x, [3, 3])), label="1-d")
case(
    "take_along_axis",
    real(2, 3),
    call=lambda xp, x: xp.take_along_axis(x, _ints(xp, x, [[2, 0, 2, 1], [0, 0, 1, -1]])),
)


def _ints(xp: Any, x: Any, values: Any) -> Any:
    return xp.asarray(values, dtype=xp.int64, device=_device(x))


# Statistics

for name in words("sum mean max min prod var std"):
    case(name, spread(2, 3))
    case(name, spread(2, 3), axis=-1)
    case(name, spread(2, 3, 2), axis=(0, 2), keepdims=True)
case("var", real(4), correction=1.0)
case("std", real(2, 4), axis=1, correction=1.0)
case("prod", spread(4), call=lambda xp, x: xp.prod(x * xp.astype(x > x[2], x.dtype)), label="zeros")
for name in words("cumulative_sum cumulative_prod"):
    case(name, real(5))
    case(name, real(2, 3), axis=0, include_initial=True)
for name in words("sum prod"):
    case(name, cplx(2, 3), label="complex")
for name in words("mean var std"):
    case(name, cplx(2, 3), label="complex", lacking=("strict", "torch"))

# Sorting and sets

case("sort", spread(2, 4))
case("sort", spread(2, 4), axis=0, descending=True)
case("unique_values", spread(2, 3))
for name in words("unique_all unique_counts unique_inverse"):
    case(name, spread(2, 3), call=lambda xp, x, name=name: getattr(xp, name)(x).values)

# Products

case("matmul", real(2, 3), real(3, 4))
case("matmul", real(3), real(3), label="vectors")
case("matmul", real(3), real(3, 2), label="vector matrix")
case("matmul", real(2, 3), real(3), label="matrix vector")
case("matmul", real(2, 2, 3), real(3, 4), label="shared matrix")
case("matmul", real(2, 1, 2, 3), real(3, 3, 4), label="batches")
case("matmul", real(3), real(2, 3, 4), label="vector batch")
case("matmul", real(2, 4, 3), real(3), label="batch vector")
case("matmul", cplx(2, 3), real(3, 2), label="complex")
case("tensordot", real(2, 3, 4), real(4, 3, 2), axes=1)
case("tensordot", real(2, 3), real(2, 3), axes=((1, 0), (1, 0)))
case("tensordot", real(2), real(3), axes=0)
case("vecdot", real(2, 3), real(3))
case("vecdot", cplx(3, 2), cplx(3, 2), axis=-2)
for name in words("matmul vecdot tensordot"):
    case(f"linalg.{name}", real(2, 2), real(2, 2))
case("linalg.matrix_transpose", real(2, 3))
case("linalg.outer", real(2), cplx(3))
case("linalg.cross", real(2, 3), real(3))
case("linalg.cross", real(3, 2), real(3, 2), axis=-2)
case("linalg.diagonal", real(3, 4), offset=1)
case("linalg.diagonal", real(2, 4, 3), offset=-2)
case("linalg.trace", real(2, 3, 4))
case("linalg.trace", real(3, 3), offset=1)
case("linalg.matrix_power", regular(2, 2, 2), call=lambda xp, x: xp.linalg.matrix_power(x, 5))
case("linalg.matrix_power", regular(2, 2), call=lambda xp, x: xp.linalg.matrix_power(x, -2), label="negative")

# Norms

for order in (2, 1, 3, 0.5, -1, -2, math.inf, -math.inf):
    case("linalg.vector_norm", spread(2, 3), ord=order)
case("linalg.vector_norm", spread(2, 3, 2), axis=(0, 2), keepdims=True)
case("linalg.vector_norm", cplx(2, 3), axis=1)
for order in ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf):
    case("linalg.matrix_norm", real(2, 3, 2), ord=order)
case("linalg.matrix_norm", cplx(3, 2), ord="nuc", keepdims=True)

# Inverses, determinants, factorisations

case("linalg.inv", regular(2, 3, 3))
case("linalg.inv", regular(2, 2, dtype="complex"), label="complex")
case("linalg.solve", regular(3, 3), real(3))
case("linalg.solve", regular(3, 3), real(3, 2), label="matrix")
case("linalg.solve", regular(2, 1, 2, 2), real(3, 2, 2), label="batches")
case("linalg.solve", regular(3, 2, 2), real(2), label="batch of matrices")
case("linalg.solve", regular(2, 2, dtype="complex"), real(2), label="complex")
case("linalg.pinv", real(3, 2))
case("linalg.pinv", real(2, 2, 3), label="wide")
case("linalg.pinv", cplx(3, 2), label="complex")
case("linalg.det", regular(2, 3, 3))
case("linalg.det", cplx(2, 2), label="complex")
case("linalg.det", real(2, 3), call=lambda xp, x: xp.linalg.det(xp.concat([x, x[:1, :] * 2.0])), label="singular")
case("linalg.slogdet", regular(2, 3, 3))
case("linalg.slogdet", cplx(2, 2), label="complex")


def _definite(x: Any, xp: Any) -> Any:
    return x @ xp.matrix_transpose(xp.conj(x)) + 2.0 * xp.eye(x.shape[-1], dtype=x.dtype, device=_device(x))


def _aligned(xp: Any, vectors: Any) -> Any:
    """A function of the vectors that does not depend on their sign or phase."""
    return vectors * xp.conj(vectors[..., :1, :])


for kind, draw in (("", real), ("complex", cplx)):
    more = f", {kind}" if kind else ""
    case("linalg.cholesky", draw(2, 3, 3), call=lambda xp, x: xp.linalg.cholesky(_definite(x, xp)), label=kind)
    case(
        "linalg.cholesky",
        draw(3, 3),
        call=lambda xp, x: xp.linalg.cholesky(_definite(x, xp), upper=True),
        label=f"upper{more}",
    )
    case("linalg.eigvalsh", draw(2, 3, 3), call=lambda xp, x: xp.linalg.eigvalsh(_definite(x, xp)), label=kind)

    def _eigh(xp: Any, x: Any) -> Any:
        values, vectors = xp.linalg.eigh(_definite(x, xp))
        return values, _aligned(xp, vectors)

    case("linalg.eigh", draw(2, 3, 3), call=_eigh, label=kind)

    def _svd(xp: Any, x: Any, full: bool = False) -> Any:
        u, s, vh = xp.linalg.svd(x, full_matrices=full)
        k = s.shape[-1]
        return u[..., :, :k] @ vh[..., :k, :], s, _aligned(xp, u)

    case("linalg.svd", draw(3, 3), call=lambda xp, x, f=_svd: f(xp, x, True), label=f"square{more}")
    case("linalg.svd", draw(2, 4, 3), call=_svd, label=f"tall{more}")
    case("linalg.svd", draw(2, 3), call=_svd, label=f"wide{more}")
    case("linalg.svdvals", draw(2, 3), label=kind)
    case("linalg.qr", draw(3, 3), label=f"square{more}")
    case("linalg.qr", draw(2, 4, 3), label=f"tall{more}")
    case("linalg.qr", draw(2, 3), call=lambda xp, x: xp.linalg.qr(x, mode="complete"), label=f"wide{more}")
    case("linalg.eigvals", regular(2, 3, 3, dtype=kind), label=kind)

    def _eig(xp: Any, x: Any) -> Any:
        values, vectors = xp.linalg.eig(x)
        return values, _aligned(xp, vectors)

    case("linalg.eig", regular(3, 3, dtype=kind), call=_eig, label=kind)

# Fourier transforms

for name in words("fft ifft"):
    case(f"fft.{name}", cplx(2, 4))
    case(f"fft.{name}", cplx(5), n=4, norm="ortho")
    case(f"fft.{name}", cplx(3, 2), n=5, axis=0, norm="forward")
    case(f"fft.{name}n", cplx(2, 3))
    case(f"fft.{name}n", cplx(2, 3, 4), s=(4, 2), axes=(0, 2), norm="ortho")
for name, draw in (("rfft", real), ("irfft", cplx), ("hfft", cplx), ("ihfft", real)):
    case(f"fft.{name}", draw(2, 4))
    case(f"fft.{name}", draw(5), n=5, norm="ortho")
    case(f"fft.{name}", draw(3, 2), n=7, axis=0, norm="forward")
    case(f"fft.{name}", draw(6), n=4)
for name, draw in (("rfftn", real), ("irfftn", cplx)):
    case(f"fft.{name}", draw(2, 4))
    case(f"fft.{name}", draw(2, 3, 4), s=(3, 5), axes=(0, 2), norm="ortho")
    case(f"fft.{name}", draw(4), axes=(0,))
case("fft.fftshift", cplx(2, 5))
case("fft.ifftshift", cplx(2, 5), axes=(1,))
