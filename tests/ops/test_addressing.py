"""Addressing of neural Turing machines; examples from A. Graves et al., Neural Turing Machines (2014)."""

from __future__ import annotations

import numpy as np
import pytest

import portanet
from portanet.autodiff import array_namespace, grad
from portanet.backends import Backend, use_backend
from portanet.ops import address_by_content, read_memory, sharpen_weighting, shift_weighting, write_memory
from tests.support import assert_close, to_numpy


def arrays(*values):
    return [portanet.asarray(np.asarray(value, dtype="float64")) for value in values]


def test_the_shift_of_the_example_blurs_a_point(backend: Backend) -> None:
    assert_close(shift_weighting(*arrays([0, 0, 1, 0, 0], [0.1, 0.8, 0.1])), [0, 0.1, 0.8, 0.1, 0])
    assert_close(shift_weighting(*arrays([1, 0, 0, 0], [0, 0, 1])), [0.0, 1, 0, 0])
    assert_close(shift_weighting(*arrays([1, 0, 0, 0], [1, 0, 0])), [0.0, 0, 0, 1])  # wraps around
    with pytest.raises(ValueError, match=r"odd number.*Received: shifts=\(2,\)"):
        shift_weighting(*arrays([1, 0], [0.5, 0.5]))


def test_sharpening_undoes_the_blur(backend: Backend) -> None:
    blurred = [0, 0.1, 0.8, 0.1, 0]
    assert_close(sharpen_weighting(*arrays(blurred, [1.0])), blurred, atol=1e-6)
    powers = np.asarray(blurred) ** 3
    assert_close(sharpen_weighting(*arrays(blurred, [3.0])), powers / powers.sum(), atol=1e-6)


def test_reading_and_writing(backend: Backend) -> None:
    generator = np.random.default_rng(0)
    memory, w = generator.standard_normal((2, 5, 3)), generator.dirichlet(np.ones(5), 2)
    erase, add = generator.random((2, 3)), generator.standard_normal((2, 3))
    assert_close(read_memory(*arrays(memory, w)), np.einsum("bn,bnm->bm", w, memory), rtol=1e-4)
    expected = memory * (1 - w[:, :, None] * erase[:, None, :]) + w[:, :, None] * add[:, None, :]
    assert_close(write_memory(*arrays(memory, w, erase, add)), expected, rtol=1e-4)
    whole = arrays(memory, np.eye(5)[[2, 4]], np.ones((2, 3)), add)
    assert_close(read_memory(write_memory(*whole), whole[1]), add, rtol=1e-4)  # a replaced location is read back


def test_addressing_by_content(backend: Backend) -> None:
    generator = np.random.default_rng(1)
    memory, key = generator.standard_normal((2, 5, 3)), generator.standard_normal((2, 3))
    cosine = np.einsum("bnm,bm->bn", memory, key)
    cosine /= np.linalg.norm(memory, axis=-1) * np.linalg.norm(key, axis=-1)[:, None]
    e = np.exp(2.5 * cosine)
    result = address_by_content(*arrays(memory, key, [[2.5], [2.5]]))
    assert_close(result, e / e.sum(axis=-1, keepdims=True), rtol=1e-4)
    assert np.isfinite(to_numpy(address_by_content(*arrays(np.zeros((4, 3)), np.zeros(3), [1.0])))).all()


def test_half_precision() -> None:
    """Numbers that keep zeros from a division or a logarithm are no zeros themselves."""
    zero, half = np.zeros((3, 2), dtype="float16"), np.asarray(2.0, dtype="float16")
    assert_close(address_by_content(zero, zero[0], half), np.full(3, 1 / 3), rtol=1e-3, dtype="float16")
    slope = grad(lambda w: array_namespace(w).sum(sharpen_weighting(w, half) * w))(np.asarray([0.0, 1.0], "float16"))
    assert np.isfinite(slope).all()


def test_derivatives_along_the_whole_way(backend: Backend) -> None:
    """Against central differences, at a weighting with zeros."""

    def final(memory, key, strength, shifts, gamma):
        w = address_by_content(memory, key, strength)
        out = read_memory(memory, sharpen_weighting(shift_weighting(w, shifts), gamma))
        return array_namespace(out).sum(out**2)

    with use_backend(backend.name, backend.device, "float64"):
        generator = np.random.default_rng(2)
        host = [generator.standard_normal((4, 3)), generator.standard_normal(3), [3.0], [0.2, 0.8, 0.0], [2.0]]
        slopes = grad(final, tuple(range(5)))(*arrays(*host))
        for i, slope in enumerate(slopes):
            direction = generator.standard_normal(np.shape(host[i]))
            sides = []
            for h in (1e-5, -1e-5):
                moved = [np.asarray(x) + h * direction if i == j else x for j, x in enumerate(host)]
                sides.append(float(to_numpy(final(*arrays(*moved)))))
            along = float(np.sum(to_numpy(slope) * direction))
            assert abs((sides[0] - sides[1]) / 2e-5 - along) < 1e-6
        weighting, gamma = arrays([0.0, 0.5, 0.5], [2.0])
        assert np.isfinite(to_numpy(grad(lambda g: sharpen_weighting(weighting, g)[0])(gamma))).all()
