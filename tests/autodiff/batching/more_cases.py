"""Cases of functions without a derivative, for the batching rules."""

from __future__ import annotations

from typing import Any

from tests.autodiff.cases import Case, case, inside, positive, real, regular, spread, words

WITHOUT_DERIVATIVE: list[Case] = []


def also(name: str, *draws: Any, **options: Any) -> None:
    case(name, *draws, to=WITHOUT_DERIVATIVE, **options)


def integers(xp: Any, x: Any) -> Any:
    return xp.astype(xp.round(x * 3), xp.int64)


for name in words("ceil floor round trunc signbit isfinite isinf isnan"):
    also(name, real(2, 3))
for name in words("floor_divide equal not_equal greater greater_equal less less_equal"):
    also(name, positive(2, 3), positive(3))
for name in words("logical_and logical_or logical_xor"):
    also(name, real(2, 3), real(3), call=lambda xp, x, y, name=name: getattr(xp, name)(x > 0, y > 0))
also("logical_not", real(2, 3), call=lambda xp, x: xp.logical_not(x > 0))
for name in words("bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift"):
    also(
        name,
        positive(2, 3),
        positive(3),
        call=lambda xp, x, y, name=name: getattr(xp, name)(integers(xp, x), integers(xp, y)),
    )
also("bitwise_invert", real(3), call=lambda xp, x: xp.bitwise_invert(integers(xp, x)))
also("isin", real(2, 3), real(4), call=lambda xp, x, y: xp.isin(integers(xp, x), integers(xp, y)), lacking=("strict",))
also(
    "isin",
    real(2),
    real(2, 2),
    call=lambda xp, x, y: xp.isin(integers(xp, x), integers(xp, y), invert=True),
    label="invert",
    lacking=("strict",),
)
for name in words("argmax argmin"):
    also(name, spread(2, 3))
    also(name, spread(2, 3), axis=-1, keepdims=True)
    also(name, spread(2, 3), call=lambda xp, x, name=name: getattr(xp, name)(x, keepdims=True), label="keepdims")
also("argsort", spread(2, 4))
also("argsort", spread(2, 4), axis=0, descending=True)
also("count_nonzero", real(2, 3), call=lambda xp, x: xp.count_nonzero(x > 0, axis=1))
for name in words("all any"):
    also(name, real(2, 3), call=lambda xp, x, name=name: getattr(xp, name)(x > 0, axis=0))
    also(name, real(2, 3), call=lambda xp, x, name=name: getattr(xp, name)(x > -1), label="whole")
for side in ("left", "right"):
    also(
        "searchsorted",
        spread(5),
        real(2, 2),
        call=lambda xp, x, y, side=side: xp.searchsorted(xp.sort(x), y, side=side),
        label=side,
    )
also(
    "searchsorted",
    spread(5),
    real(2),
    call=lambda xp, x, y: xp.searchsorted(x, y, sorter=xp.argsort(x)),
    label="sorter",
)
also("linalg.matrix_rank", regular(2, 3, 3))
for name in words("zeros_like ones_like"):
    also(name, real(2, 3))
also("empty_like", real(2, 0))
also("full_like", real(2, 3), call=lambda xp, x: xp.full_like(x, 2.5))
also("zeros", real(2), call=lambda xp, x: x + xp.zeros(x.shape, dtype=x.dtype, device=x.device))
also("ones", real(2), call=lambda xp, x: x + xp.ones(x.shape, dtype=x.dtype, device=x.device))
also("empty", real(2), call=lambda xp, x: x + xp.empty((0, *x.shape), dtype=x.dtype, device=x.device).shape[0])
also("eye", real(2, 2), call=lambda xp, x: x @ xp.eye(2, dtype=x.dtype, device=x.device))
also("full", real(), call=lambda xp, x: x * xp.full((2,), 0.5, device=x.device, dtype=x.dtype))
also("linspace", real(), call=lambda xp, x: x * xp.linspace(0.0, 1.0, 3, dtype=x.dtype, device=x.device))
also("fft.fftfreq", real(4), call=lambda xp, x: x * xp.astype(xp.fft.fftfreq(4, device=x.device), x.dtype))
also("fft.rfftfreq", real(3), call=lambda xp, x: x * xp.astype(xp.fft.rfftfreq(4, device=x.device), x.dtype))
also("can_cast", real(2), call=lambda xp, x: x * int(xp.can_cast(x, xp.float64)))
also("result_type", real(2), call=lambda xp, x: x + xp.zeros(2, dtype=xp.result_type(x, x), device=x.device))
also("isdtype", real(2), call=lambda xp, x: x * int(xp.isdtype(x.dtype, "real floating")))
also("finfo", real(2), call=lambda xp, x: x * float(xp.finfo(x.dtype).eps))
also("iinfo", real(2), call=lambda xp, x: x * int(xp.iinfo(xp.int8).max))
also("broadcast_shapes", real(2), call=lambda xp, x: xp.broadcast_to(x, xp.broadcast_shapes(x.shape, (3, 1))))
also("nonzero", inside(3), call=lambda xp, x: xp.sum(x) * xp.nonzero(xp.ones(3))[0].shape[0])
