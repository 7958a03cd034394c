"""Fourier transforms of `portanet.ops` in cases that libraries treat differently."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet import ops
from portanet.tree import tree_leaves
from tests.support import asarray


@pytest.mark.parametrize("name", ["fft", "fft2", "ifft2", "rfft", "irfft", "stft"])
def test_empty_batches(xp: Any, name: str) -> None:
    x = asarray(np.zeros((0, 4, 6)))
    options = {"stft": {"sequence_length": 4, "sequence_stride": 2, "fft_length": 4}}.get(name, {})
    whole = asarray(np.zeros((3, 4, 6)))
    pairs = name not in ("rfft", "stft")
    of_none, of_three = (getattr(ops, name)((a, a) if pairs else a, **options) for a in (x, whole))
    for empty, full in zip(tree_leaves(of_none), tree_leaves(of_three), strict=True):
        assert tuple(empty.shape) == (0, *full.shape[1:])
        assert empty.dtype == full.dtype
