"""Ketkar, listings 10-1 to 10-3."""

from __future__ import annotations

import pytest

import portanet
from portanet.backends import Backend
from tests.gallery.pages import load

page = load("beyond/devices")


def test_results_are_those_of_numpy(backend: Backend) -> None:
    """The sum to the last bit, the product to the rounding of sums of 50 numbers."""
    for operation, shape, bound in ((page.add, (1000,), 0), (page.product, (50, 50), 1e-3)):
        operands = page.numbers(*shape), page.numbers(*shape)
        alone, whole, distance = page.measure(backend.name, operation, *operands, repeats=1)
        assert min(alone, whole) > 0
        assert distance <= bound


def test_the_clock_stops_when_the_device_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    with portanet.use_backend("numpy") as backend:
        monkeypatch.setattr(backend, "synchronize", lambda: calls.append("wait"))
        monkeypatch.setattr(backend, "start", lambda result: calls.append(f"start {result}"))
        page.timed(backend, lambda: calls.append("call") or 7, repeats=2)
    assert calls == ["call", *["wait", "call", "start 7", "wait"] * 2]
    assert "numpy" in page.usable()
