"""What a training step launches on CuPy: `python -m tests.backends.launches` writes the table in docs/backends.md.

Counted with stand-ins for CuPy, cuBLAS and cuDNN, with a batch of 2: our kernels, products and convolutions, and what
CuPy itself computes or copies, each a launch. What is needed for the first step alone is not counted.
"""

from __future__ import annotations

import contextlib
import pathlib
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from unittest import mock

import numpy as np
import pytest

import portanet
from benchmarks import heavy
from benchmarks.gpu import WORKLOADS
from portanet import layers
from portanet.backends import use_backend
from portanet.training import TrainingRun
from tests.backends import cudnn_standin
from tests.backends.cupy_kernels import ElementwiseKernel, plain
from tests.backends.cupy_standin import in_place_of_cupy, ndarray, on_device

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "backends.md"
PLACES = 64
"""Places of a sequence, at most."""
BEGIN, END = "<!-- launches: begin -->\n", "<!-- launches: end -->\n"


def launches(title: str, without: Iterable[str] = (), fused: bool = True) -> Counter[str]:
    """Those of a training step.

    Args:
        title: A workload of `benchmarks.gpu`.
        without: Overrides that are left out.
        fused: Whether functions of elements are one kernel.
    """
    cudnn = cudnn_standin.make()
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as stack:
        patch.setitem(sys.modules, "cudnn", cudnn)
        cupy = stack.enter_context(in_place_of_cupy())
        patch.setattr(ElementwiseKernel, "_run", _zeros)
        patch.setattr(cupy, "RawKernel", UncompiledKernel, raising=False)
        from portanet.backends.cupy.backend import CupyBackend

        overrides = {name: each for name, each in CupyBackend.overrides.items() if name not in set(without)}
        options: dict[str, Any] = {"records": False, "overrides": overrides}
        if not fused:
            options |= {"map_elements": _one_by_one, "map_each": lambda function, calls: [function(*c) for c in calls]}
        with mock.patch.multiple(CupyBackend, **options), use_backend("cupy"):
            step = _step(title)
            step()
            counts: Counter[str] = Counter()
            with _counted(cupy, counts):
                before = ElementwiseKernel.launches, _products(), cudnn.pygraph.executed
                step()
                after = ElementwiseKernel.launches, _products(), cudnn.pygraph.executed
    kernels, products, convolutions = (b - a for a, b in zip(before, after, strict=True))
    counts.update({"kernels": kernels, "products": products, "convolutions": convolutions})
    return counts


def _zeros(kernel: ElementwiseKernel, given: list[Any], *rest: Any) -> None:
    """What kernels compute here: launches do not depend on it."""
    for x in given[kernel.inputs :]:
        x[...] = np.zeros(1, dtype=x.dtype)


class UncompiledKernel:
    """As `RawKernel`, without computing anything."""

    def __init__(self, code: str, name: str) -> None:
        """It needs neither."""

    def __call__(self, *launch: Any) -> None:
        ElementwiseKernel.launches += 1


def _step(title: str) -> Callable[[], Any]:
    shape, make, _, policy = WORKLOADS[title]
    x, y = heavy.data((2, *(min(n, PLACES) for n in shape[1:-1]), shape[-1]))
    portanet.mixed_precision.set_global_policy(policy)
    try:
        model = portanet.Sequential([layers.Input(x.shape[1:]), *make(layers)])
    finally:
        portanet.mixed_precision.set_global_policy(None)
    model.compile("adam", portanet.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False)
    run, inputs, labels = TrainingRun(model), portanet.asarray(x), portanet.asarray(y)
    return lambda: run(inputs, labels)


def _one_by_one(function: Callable[..., Any], args: Any) -> Any:
    return function(*args)


def _products() -> int:
    """Those of cuBLASLt."""
    return len(sys.modules["nvmath.bindings"].cublasLt.calls) + len(sys.modules["nvmath.bindings"].cublas.calls)


@contextlib.contextmanager
def _counted(cupy: Any, counts: Counter[str]) -> Iterator[None]:
    """Inside, what CuPy computes or copies is counted."""

    def ufunc(x: Any, function: Any, method: str, *inputs: Any, out: Any = None, **options: Any) -> Any:
        counts["products" if function is np.matmul else "CuPy's"] += 1
        if out is None:
            return on_device(getattr(function, method)(*map(plain, inputs), **options))
        getattr(function, method)(*map(plain, inputs), out=tuple(map(plain, out)), **options)
        return out[0]

    def function(x: Any, called: Any, kinds: Any, args: Any, options: Any) -> Any:
        def bare(value: Any) -> Any:
            return type(value)(map(bare, value)) if isinstance(value, (list, tuple)) else plain(value)

        result = called(*map(bare, args), **{name: bare(value) for name, value in options.items()})
        if isinstance(result, np.ndarray) and called is not np.empty_like:
            counts["CuPy's"] += not any(np.may_share_memory(result, a) for a in args if isinstance(a, np.ndarray))
        return on_device(result)

    def method(name: str) -> Callable[..., Any]:
        own = getattr(np.ndarray, name)

        def call(x: Any, *args: Any, **options: Any) -> Any:
            result = own(x, *args, **options)
            if name == "__getitem__":
                counts["CuPy's"] += any(
                    isinstance(k, np.ndarray) for k in (args[0] if type(args[0]) is tuple else args)
                )
            else:
                ours = name == "__setitem__" and type(args[1]) is np.ndarray  # results of a kernel of the stand-in
                counts["CuPy's"] += result is not x and not ours
            return on_device(result) if name == "__getitem__" else result

        return call

    def creation(name: str) -> Callable[..., Any]:
        own = getattr(cupy, name)

        def call(*args: Any, **options: Any) -> Any:
            result = own(*args, **options)
            counts["CuPy's"] += not (isinstance(args[0], np.ndarray) and np.may_share_memory(result, args[0]))
            return result

        return call

    names = ("copy", "astype", "__getitem__", "__setitem__")
    made = ("zeros", "ones", "full", "arange", "ascontiguousarray")
    patched = {"__array_ufunc__": ufunc, "__array_function__": function, **{name: method(name) for name in names}}
    with contextlib.ExitStack() as stack:
        for name, each in patched.items():
            stack.enter_context(mock.patch.object(ndarray, name, each, create=True))
        for name, each in {name: creation(name) for name in made}.items():
            stack.enter_context(mock.patch.object(cupy, name, each, create=True))
        yield


def main() -> int:
    from portanet.backends.cupy.backend import CupyBackend

    every, heads = list(CupyBackend.overrides), ["kernels", "products", "convolutions", "CuPy's"]
    lines = [f"| workload | definitions alone | with kernels | {' | '.join(heads)} |", "|---" * (len(heads) + 3) + "|"]
    for title in WORKLOADS:
        alone, ours = launches(title, every, fused=False), launches(title)
        figures = " | ".join(str(ours[head]) for head in heads)
        lines.append(f"| {title} | {sum(alone.values())} | {sum(ours.values())} | {figures} |")
        print(lines[-1], flush=True)
    head, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(head + BEGIN + "\n" + "\n".join(lines) + "\n\n" + END + rest.partition(END)[2])
    return 0


if __name__ == "__main__":
    sys.exit(main())
