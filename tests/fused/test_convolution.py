"""Convolution: sizes, values by hand, the three linear functions, and derivatives of the second order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import threadpoolctl
from hypothesis import given, settings
from hypothesis import strategies as st

import portanet
from portanet.autodiff import array_namespace, check_grads, grad, vjp
from portanet.backends import Backend, raw_namespace, use_backend
from portanet.backends.numpy import convolution as numpy_convolution
from portanet.backends.numpy import maxima as numpy_maxima
from portanet.backends.numpy import planes as numpy_planes
from portanet.backends.numpy import threads
from portanet.backends.numpy.threads import run_pieces
from portanet.fused import convolution_plain as plain
from portanet.fused.convolution import conv_nd, conv_transpose_nd
from portanet.fused.pooling import max_pool
from portanet.fused.windows import window
from tests.support import assert_close, to_numpy


def by_definition(x: Any, k: Any, strides: Any, padding: Any, dilation: Any, groups: int) -> Any:
    """The sum, position by position."""
    slid = window(x.shape[1:-1], k.shape[:-2], strides, padding, dilation)
    x = np.pad(x, ((0, 0), *slid.padding, (0, 0)))
    count = slid.positions([n - a - b for n, (a, b) in zip(x.shape[1:-1], slid.padding, strict=True)])
    out = np.zeros((x.shape[0], *count, k.shape[-1]))
    inputs, filters = k.shape[-2], k.shape[-1] // groups
    for q in np.ndindex(*count):
        for i in np.ndindex(*slid.size):
            place = tuple(a * s + b * d for a, s, b, d in zip(q, slid.strides, i, slid.dilation, strict=True))
            for c in range(groups):
                mine = slice(c * filters, (c + 1) * filters)
                seen = x[(slice(None), *place, slice(c * inputs, (c + 1) * inputs))]
                out[(slice(None), *q, mine)] += seen @ k[(*i, slice(None), mine)]
    return out


@st.composite
def cases(draw: st.DrawFn) -> tuple[Any, ...]:
    rank = draw(st.integers(1, 3))
    size = draw(st.tuples(*[st.integers(1, 3)] * rank))
    strides, dilation = draw(st.tuples(*[st.integers(1, 3)] * rank)), draw(st.tuples(*[st.integers(1, 2)] * rank))
    padding = draw(
        st.sampled_from(["valid", "same", "full"])
        | st.tuples(*[st.tuples(st.integers(0, 3), st.integers(0, 3))] * rank)
    )
    space = [(k - 1) * d + draw(st.integers(1, 4)) for k, d in zip(size, dilation, strict=True)]
    groups, inputs, filters = draw(st.integers(1, 3)), draw(st.integers(1, 2)), draw(st.integers(1, 2))
    generator = np.random.default_rng(draw(st.integers(0, 99)))
    x = generator.standard_normal((draw(st.integers(1, 3)), *space, groups * inputs))
    k = generator.standard_normal((*size, inputs, groups * filters))
    return x, k, strides, padding, dilation, groups


@settings(max_examples=15)
@given(case=cases())
def test_values_are_the_definition_and_adjoints_are_adjoint(backend: Backend, case: tuple[Any, ...]) -> None:
    host_x, host_k, *options = case
    with use_backend(backend.name, backend.device, "float64"):
        x, k = portanet.asarray(host_x), portanet.asarray(host_k)
        y, pull = vjp(lambda x, k: conv_nd(x, k, None, *options), x, k)
        assert_close(y, by_definition(host_x, host_k, *options), rtol=1e-9, atol=1e-9)
        g = np.random.default_rng(5).standard_normal(tuple(y.shape))
        gx, gk = pull(portanet.asarray(g))
        # <g, conv(x, k)> = <gx, x> = <gk, k>, and both are linear: so gx and gk are the adjoints, if they do not
        # depend on x and k; the oracle tests check them separately.
        inner = float(np.sum(g * to_numpy(y)))
        assert float(np.sum(to_numpy(gx) * host_x)) == pytest.approx(inner, abs=1e-8)
        assert float(np.sum(to_numpy(gk) * host_k)) == pytest.approx(inner, abs=1e-8)


SMALL = [
    ((1, 5, 2), (3, 2, 2), {}),
    ((2, 5, 4, 2), (2, 2, 2, 3), {"strides": (2, 1), "padding": "same"}),
    ((1, 5, 5, 2), (2, 2, 1, 2), {"groups": 2, "dilation": 2}),
    ((1, 4, 4, 4), (3, 2, 2, 4), {"groups": 2, "strides": 2, "padding": "full"}),
    ((1, 3, 3, 3, 1), (2, 2, 2, 1, 2), {"strides": (1, 2, 1)}),
]


@pytest.mark.parametrize(("shape", "size", "options"), SMALL)
def test_derivatives_of_the_second_order(
    backend: Backend, shape: tuple[int, ...], size: tuple[int, ...], options: dict[str, Any]
) -> None:
    generator = np.random.default_rng(0)
    with use_backend(backend.name, backend.device, "float64"):
        x, k, b = (portanet.asarray(generator.standard_normal(s)) for s in (shape, size, size[-1:]))

        def smooth(x: Any, k: Any, b: Any) -> Any:
            y = conv_nd(x, k, b, **options)
            xp = array_namespace(y)
            return xp.sum(xp.tanh(y) * y)

        check_grads(smooth, (x, k, b), order=2, modes=("forward", "reverse"))


def test_the_gradient_is_the_full_convolution_with_the_kernel_turned_round(backend: Backend) -> None:
    generator = np.random.default_rng(0)
    x, k = (portanet.asarray(generator.standard_normal(s)) for s in ((2, 6, 5, 1), (3, 2, 1, 1)))
    g = portanet.asarray(generator.standard_normal((2, 4, 4, 1)))
    gx = vjp(lambda x: conv_nd(x, k), x)[1](g)[0]
    turned = backend.xp.flip(k, axis=(0, 1))
    assert_close(gx, conv_nd(g, turned, padding="full"), rtol=1e-4, atol=1e-5)
    gk = vjp(lambda k: conv_nd(x, k), k)[1](g)[0]
    # and that of the kernel is the valid convolution of the input with the gradient, batch and channels exchanged
    exchanged = conv_nd(backend.xp.permute_dims(x, (3, 1, 2, 0)), backend.xp.permute_dims(g, (1, 2, 0, 3)))
    assert_close(gk, backend.xp.permute_dims(exchanged, (1, 2, 0, 3)), rtol=1e-4, atol=1e-5)


def test_transposed_convolution_is_the_adjoint(backend: Backend) -> None:
    generator = np.random.default_rng(0)
    x, k = (portanet.asarray(generator.standard_normal(s)) for s in ((2, 7, 6, 2), (3, 2, 2, 3)))
    padding = ((1, 0), (0, 1))
    y, pull = vjp(lambda x: conv_nd(x, k, None, (2, 1), padding), x)
    g = portanet.asarray(generator.standard_normal(tuple(y.shape)))
    result = conv_transpose_nd(g, k, None, (2, 1), padding, space=(7, 6))
    assert_close(result, pull(g)[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("groups", [1, 2])  # NumPy's override, and the definition
def test_results_do_not_depend_on_threads_and_pieces_are_used(groups: int) -> None:
    generator = np.random.default_rng(0)
    x = generator.standard_normal((250, 20, 20, 16)).astype("float32")
    k = generator.standard_normal((3, 3, 16 // groups, 8)).astype("float32")
    bias = generator.standard_normal(8).astype("float32")
    pieces: list[int] = []

    def run() -> list[Any]:
        y, pull = vjp(pooled, x, k, bias)
        return [y, *pull(np.ones_like(y))]

    def pooled(x: Any, k: Any, bias: Any) -> Any:
        y = conv_nd(x, k, bias, groups=groups, activation="relu")
        return max_pool(y, window=window((18, 18), (2, 2), 2))

    def counting(run: Any, count: int) -> None:
        pieces.append(count)
        run_pieces(run, count)

    with pytest.MonkeyPatch.context() as patch:
        for module in (threads, numpy_convolution, numpy_maxima):
            patch.setattr(module, "run_pieces", counting)
        expected = run()
    assert len(pieces) >= 5  # the two functions, and the derivatives by pooling, input and kernel
    assert min(pieces) > 1
    for count in (1, 4):
        with threadpoolctl.threadpool_limits(count):
            for a, b in zip(run(), expected, strict=True):
                np.testing.assert_array_equal(a, b)


@settings(max_examples=100)
@given(case=cases(), bias=st.booleans(), small=st.booleans())
def test_numpy_in_small_pieces_is_the_definition(case: tuple[Any, ...], bias: bool, small: bool) -> None:
    x, k, *options, groups = case
    slid = window(x.shape[1:-1], k.shape[:-2], *options)
    b = np.arange(float(k.shape[-1])) if bias else None
    expected = plain.convolve.definition(x, k, b, window=slid, groups=groups)
    g = np.cos(np.arange(expected.size)).reshape(expected.shape)
    expected_kernel = plain.convolve_kernel.definition(x, g, window=slid, groups=groups)
    with pytest.MonkeyPatch.context() as patch:
        if small:  # one example and a column or two in each piece
            patch.setattr(numpy_planes, "PIECE", 64)
            patch.setattr(numpy_planes, "NARROW", 2)
        y = plain.convolve(x, k, b, window=slid, groups=groups)
        by_kernel = plain.convolve_kernel(x, g, window=slid, groups=groups)
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(by_kernel, expected_kernel, rtol=1e-12, atol=1e-12)


def test_float32_stays_and_inputs_are_not_changed(backend: Backend) -> None:
    host = np.ones((2, 5, 5, 2), dtype="float32")
    x, k, b = portanet.asarray(host), portanet.asarray(np.ones((3, 3, 2, 2))), portanet.asarray(np.ones(2))
    out = grad(lambda x: array_namespace(x).sum(conv_nd(x, k, b, padding="same")))(x)
    assert backend.dtype_name(out.dtype) == "float32"
    np.testing.assert_array_equal(backend.to_host(x), host)
    assert raw_namespace(out) is backend.xp


@pytest.mark.parametrize(
    ("shape", "size", "options", "message"),
    [
        ((2, 5, 3), (3, 2, 4), {}, r"`x` must have shape \(batch, ..., 2\).*Received: x.shape=\(2, 5, 3\)"),
        ((2, 5, 5, 2), (3, 2, 4), {}, r"shape \(batch, ..., 2\).*Received"),
        ((2, 5, 4), (3, 2, 3), {"groups": 2}, r"`groups` must divide the 3 filters.*Received: groups=2"),
        ((2, 5, 2), (3, 2, 3), {"activation": "elu"}, r"Argument `activation` must be one of 'relu'.*activation='elu'"),
        ((2, 5, 2), (3, 2, 3), {"padding": "sane"}, r"Argument `padding` must be .*Received: padding='sane'"),
    ],
)
def test_wrong_arguments(shape: Any, size: Any, options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        conv_nd(np.ones(shape), np.ones(size), **options)


def test_an_empty_batch(backend: Backend) -> None:
    x, k = portanet.asarray(np.ones((0, 5, 5, 2))), portanet.asarray(np.ones((3, 3, 2, 4)))
    y, pull = vjp(lambda x, k: conv_nd(x, k), x, k)
    assert tuple(y.shape) == (0, 3, 3, 4)
    gx, gk = pull(y)
    assert tuple(gx.shape) == (0, 5, 5, 2)
    assert_close(gk, np.zeros((3, 3, 2, 4)))


def test_products_saved_cost_no_digits() -> None:
    generator = np.random.default_rng(0)
    x = generator.standard_normal((4, 40, 40, 32)).astype("float32")
    k = generator.standard_normal((3, 3, 32, 32)).astype("float32")
    slid = window(x.shape[1:-1], k.shape[:-2])
    g = generator.standard_normal((4, 38, 38, 32)).astype("float32")

    def errors(convolve: Any, convolve_kernel: Any) -> list[float]:
        wide = [each.astype("float64") for each in (x, k, g)]
        pairs = [
            (convolve(x, k, None, window=slid, groups=1), plain.convolve(*wide[:2], None, window=slid, groups=1)),
            (
                convolve_kernel(x, g, window=slid, groups=1),
                plain.convolve_kernel(wide[0], wide[2], window=slid, groups=1),
            ),
        ]
        return [float(np.sqrt(np.mean((result - exact) ** 2))) for result, exact in pairs]

    ours = errors(plain.convolve, plain.convolve_kernel)
    ordinary = errors(plain.convolve.definition, plain.convolve_kernel.definition)
    for result, usual in zip(ours, ordinary, strict=True):
        assert result < 1.5 * usual


@pytest.mark.parametrize("dtypes", [("float32", "float64"), ("float64", "float32"), ("float32", "float16")])
def test_mixed_dtypes_have_the_wider_precision(dtypes: tuple[str, str]) -> None:
    generator = np.random.default_rng(0)
    x = generator.standard_normal((2, 9, 9, 8)).astype(dtypes[0])
    k = generator.standard_normal((3, 3, 8, 4)).astype(dtypes[1])
    wide = np.result_type(x, k)
    y, pull = vjp(lambda x, k: conv_nd(x, k), x, k)
    expected, pull_wide = vjp(lambda x, k: conv_nd(x, k), x.astype("float64"), k.astype("float64"))
    tolerance = 1e-5 if wide == np.float32 else 1e-12
    assert y.dtype == wide
    np.testing.assert_allclose(y, expected, rtol=tolerance, atol=tolerance)
    for result, exact in zip(pull(np.ones_like(y)), pull_wide(np.ones_like(expected)), strict=True):
        np.testing.assert_allclose(result, exact, rtol=2e-2 if result.dtype == np.float16 else 1e-4, atol=1e-3)
