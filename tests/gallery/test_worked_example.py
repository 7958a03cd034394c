"""The worked example of backpropagation in NumpyDL's documentation (after M. Mazur): every number it prints.

The errors and outputs that it prints for after the first step do not belong to the printed weights: they come from a
loop that computes the hidden gradients with output weights already updated, which the text says not to do. Here that
loop is repeated in NumPy to show this, and the page is compared with the correct values.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from portanet.backends import Backend, use_backend
from tests.gallery.pages import load

page = load("foundations/worked_example")


@pytest.fixture
def float64(backend: Backend) -> Iterator[None]:
    with use_backend(backend.name, backend.device, "float64"):
        yield


def near(result: Any, expected: Any) -> None:
    """To the 9 decimal places that the document prints."""
    np.testing.assert_allclose(np.ravel(result), np.ravel(expected), atol=6e-10, rtol=0)


def test_forward(float64: None) -> None:
    h, out, error = page.forward()
    near(h, [0.593269992, 0.596884378])
    near(out, [0.75136507, 0.772928465])
    near(error, 0.298371109)


def test_gradients(float64: None) -> None:
    slopes = page.slopes()
    near(slopes["output/kernel"][0, 0], 0.082167041)
    near(slopes["hidden/kernel"][0, 0], 0.000438568)


def test_one_step(float64: None) -> None:
    hidden, output, error = page.one_step()
    np.testing.assert_allclose(output.T, [[0.35891648, 0.408666186], [0.511301270, 0.561370121]], atol=6e-9)
    np.testing.assert_allclose(hidden.T, [[0.149780716, 0.19956143], [0.24975114, 0.29950229]], atol=6e-9)
    near(error, 0.291027774)
    near(by_hand(1)[0], 0.291027774)


def by_hand(steps: int, output_first: bool = False) -> tuple[float, np.ndarray]:
    """The error and the outputs after some steps, in NumPy; `output_first` is the document's mistake."""
    first, second = page.HIDDEN, page.OUTPUT
    for step in range(steps + 1):
        h = 1 / (1 + np.exp(-(page.X @ first + 0.35)))
        out = 1 / (1 + np.exp(-(h @ second + 0.60)))
        if step < steps:
            slope = (out - page.Y) * out * (1 - out)
            updated = second - 0.5 * h.T @ slope
            back = slope @ (updated if output_first else second).T
            first, second = first - 0.5 * page.X.T @ (back * h * (1 - h)), updated
    return 0.5 * float(((out - page.Y) ** 2).sum()), out


def test_what_the_document_prints_comes_of_updating_the_output_weights_first() -> None:
    near(by_hand(1, output_first=True)[0], 0.291027924)
    error, out = by_hand(10_000, output_first=True)
    near(error, 0.000035085)
    near(out, [0.015912196, 0.984065734])


def test_ten_thousand_steps() -> None:
    error, out = by_hand(10_000)
    with use_backend("numpy", dtype="float64"):
        model, losses = page.repeat()
        assert page.error_of(model) == pytest.approx(error, rel=1e-9)
        np.testing.assert_allclose(model.predict(page.X), out, rtol=1e-9)
    assert losses == sorted(losses, reverse=True)
    assert error == pytest.approx(0.0000351019, abs=6e-11)
    np.testing.assert_allclose(out, [[0.015913619, 0.984064272]], atol=6e-9)


def test_the_variant_on_xor() -> None:
    with use_backend("numpy", dtype="float64"):
        model, _ = page.xor(seed=1)
        np.testing.assert_allclose(model.predict(page.CORNERS), page.PARITY, atol=0.15)
