"""One script on several array libraries: the same losses."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")
pytest.importorskip("array_api_strict")

from tests.gallery.pages import load


def test_losses_differ_by_rounding_alone() -> None:
    runs = load("beyond/five_backends").on_every_backend(["numpy", "strict"], epochs=2, examples=200)
    np.testing.assert_allclose(runs["numpy"]["loss"], runs["strict"]["loss"], rtol=1e-4)
    assert runs["numpy"]["loss"][-1] < runs["numpy"]["loss"][0]
