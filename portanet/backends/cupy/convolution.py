"""cuDNN's convolutions, through its front end (extra `cudnn`), as overrides of `portanet.fused.convolution_plain`.

Arrays have the channels last, as they are here; filters come first in the array of weights.
"""

from __future__ import annotations

import functools
import importlib.util
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from portanet.backends import recording
from portanet.backends.base import Array
from portanet.backends.cupy import fusion, products
from portanet.backends.registry import raw_namespace

MOST = 512
"""Plans that a thread keeps; of more, the least recently used is dropped, with what cuDNN has for it."""

_own = threading.local()  # plans and handles are for one thread


def convolve(
    x: Array, weights: Array, bias: Array | None, *, window: Any, groups: int, activation: str | None = None
) -> Any:
    """The convolution; a bias alone is a part of it where cuDNN has a plan for that. NVIDIA's relu makes 0 of NaN."""
    margin, extra = _split_padding(window)
    shape = (x.shape[0], *window.positions(x.shape[1:-1]), weights.shape[-1])
    arrays = (_padded(x, extra), _filters_first(weights))
    rest = (shape, window, margin, groups)
    if bias is not None and activation is None:
        out = _computed("conv_fprop", *arrays, *rest, bias)
        if out is not NotImplemented:
            return out
    out = _computed("conv_fprop", *arrays, *rest)
    if out is NotImplemented or activation is None:
        return out if out is NotImplemented or bias is None else out + bias
    return fusion.map_elements(_rectified, (out,) if bias is None else (out, bias))


def _rectified(x: Array, *bias: Array) -> Array:
    return raw_namespace(x).maximum(sum(bias, x), 0.0)


def convolve_input(g: Array, weights: Array, *, window: Any, groups: int, space: tuple[int, ...]) -> Any:
    """The adjoint with respect to the input."""
    margin, extra = _split_padding(window)
    padded = tuple(n + before + after for n, (before, after) in zip(space, extra, strict=True))
    shape = (g.shape[0], *padded, weights.shape[-2])
    out = _computed("conv_dgrad", g, _filters_first(weights), shape, window, margin, groups)
    if out is NotImplemented:
        return out
    return out[(slice(None), *(slice(before, before + n) for n, (before, _) in zip(space, extra, strict=True)))]


def convolve_kernel(x: Array, g: Array, *, window: Any, groups: int) -> Any:
    """The adjoint with respect to the kernel."""
    margin, extra = _split_padding(window)
    x = _padded(x, extra)
    out = _computed("conv_wgrad", x, g, (g.shape[-1], *window.size, x.shape[-1]), window, margin, groups)
    return out if out is NotImplemented else out.transpose(*range(1, out.ndim), 0)


OVERRIDES: dict[str, Callable[..., Any]] = {}
if importlib.util.find_spec("cudnn") is not None:
    OVERRIDES = {"convolve": convolve, "convolve_input": convolve_input, "convolve_kernel": convolve_kernel}


def _filters_first(weights: Array) -> Array:
    return weights.transpose(weights.ndim - 1, *range(weights.ndim - 1))


def _split_padding(window: Any) -> tuple[tuple[int, ...], list[tuple[int, int]]]:
    """What is equal on both sides, which cuDNN takes, and the rest."""
    margin = tuple(min(pair) for pair in window.padding)
    return margin, [(a - m, b - m) for (a, b), m in zip(window.padding, margin, strict=True)]


def _padded(x: Array, extra: list[tuple[int, int]]) -> Array:
    import cupy

    return cupy.pad(x, [(0, 0), *extra, (0, 0)]) if any(map(any, extra)) else x


def _computed(
    kind: str,
    first: Array,
    second: Array,
    shape: tuple[int, ...],
    window: Any,
    margin: tuple[int, ...],
    groups: int,
    bias: Array | None = None,
) -> Any:
    """The result of cuDNN, in this shape; NotImplemented for what it does not take."""
    import cupy

    dtype = first.dtype.name
    if groups != 1 or dtype not in ("float16", "float32") or second.dtype != dtype or not _installed():
        return NotImplemented
    if 0 in (*first.shape, *second.shape, *shape):
        return NotImplemented
    import cudnn

    slides = (margin, window.strides, window.dilation)
    if window.rank == 1:  # cuDNN has none of one axis: it is the second
        slides = ((0, *margin), (1, *window.strides), (1, *window.dilation))
    key = (kind, dtype, *(_with_two_axes(x) for x in (first.shape, second.shape, shape)), *slides)
    with first.device:
        plan = _plan(*key, precise=not products.rounds_to_tf32(), biased=bias is not None)
        if plan is None:
            return NotImplemented
        recording.keep(plan)  # whose kernels replays launch, also when others have taken its place
        graph, tensors, size = plan
        arrays = [cupy.ascontiguousarray(x) for x in (first, second, *(() if bias is None else (bias,)))]
        out = cupy.empty(shape, dtype=dtype)
        workspace = cupy.empty(max(size, 1), dtype="uint8")
        handle = _handle()
        cudnn.set_stream(handle=handle, stream=cupy.cuda.get_current_stream().ptr)
        # Addresses: for an array, the default stream would have to wait, which it cannot while a graph is recorded.
        addresses = [int(x.data.ptr) for x in (*arrays, out)]
        graph.execute(dict(zip(tensors, addresses, strict=True)), int(workspace.data.ptr), handle=handle)
    return out


def _with_two_axes(shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape if len(shape) > 3 else (shape[0], 1, *shape[1:])


@functools.cache
def _installed() -> bool:
    """Whether cuDNN itself is there; its front end may be without."""
    try:
        import cudnn

        return bool(cudnn.backend_version())
    except Exception:  # of several kinds, by version
        return False


def _handle() -> Any:
    """This thread's handle for the current device."""
    import cudnn
    import cupy

    handles = _own.__dict__.setdefault("handles", {})
    device = cupy.cuda.runtime.getDevice()
    if device not in handles:
        handles[device] = cudnn.create_handle()
    return handles[device]


def _plan(*key: Any, **options: Any) -> Any:
    """The graph of a convolution, its tensors and the bytes of its workspace; None if cuDNN has none for it.

    It takes a tenth of a second or more to find.
    """
    import cudnn

    handle = _handle()
    plans = _own.__dict__.setdefault("plans", OrderedDict())
    known = (handle, *key, *options.values())
    if known not in plans:
        try:
            plans[known] = _built(cudnn, handle, *key, **options)
        except cudnn.cudnnGraphNotSupportedError:
            plans[known] = None
        while len(plans) > MOST:
            plans.popitem(last=False)
    plans.move_to_end(known)
    return plans[known]


def _built(
    cudnn: Any,
    handle: Any,
    kind: str,
    dtype: str,
    first: tuple[int, ...],
    second: tuple[int, ...],
    result: tuple[int, ...],
    *slides: Sequence[int],
    precise: bool,
    biased: bool,
) -> Any:
    single = cudnn.data_type.FLOAT
    stored = single if dtype == "float32" else cudnn.data_type.HALF
    graph = cudnn.pygraph(io_data_type=stored, intermediate_data_type=single, compute_data_type=single, handle=handle)
    tensors = [
        graph.tensor(name=name, dim=_dim(shape), stride=_stride(shape), data_type=stored)
        for name, shape in (("first", first), ("second", second))
    ]
    names = {"conv_fprop": ("image", "weight"), "conv_dgrad": ("loss", "filter"), "conv_wgrad": ("image", "loss")}[kind]
    options = {name: list(values) for name, values in zip(("padding", "stride", "dilation"), slides, strict=True)}
    out = getattr(graph, kind)(**dict(zip(names, tensors, strict=True)), **options)
    if biased:
        shape = (*(1,) * (len(result) - 1), result[-1])
        tensors.append(graph.tensor(name="bias", dim=_dim(shape), stride=_stride(shape), data_type=stored))
        out = graph.bias(name="sum", input=out, bias=tensors[-1])
    out.set_output(True).set_dim(_dim(result)).set_stride(_stride(result))
    graph.validate()
    graph.build_operation_graph()
    graph.create_execution_plans([cudnn.heur_mode.A, cudnn.heur_mode.FALLBACK])
    if precise and dtype == "float32":
        graph.deselect_numeric_notes([cudnn.numerical_note.TENSOR_CORE])
    graph.check_support()
    graph.build_plans()
    return graph, (*tensors, out), graph.get_workspace_size()


def _dim(shape: tuple[int, ...]) -> list[int]:
    """A shape as cuDNN names the axes: the channels second."""
    return [shape[0], shape[-1], *shape[1:-1]]


def _stride(shape: tuple[int, ...]) -> list[int]:
    """The distances of elements along these axes in a contiguous array."""
    strides = [1]
    for n in reversed(shape[1:]):
        strides.append(strides[-1] * n)
    strides.reverse()
    return [strides[0], strides[-1], *strides[1:-1]]
