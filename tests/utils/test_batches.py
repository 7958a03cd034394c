"""Batches as tuples."""

from __future__ import annotations

from typing import Any

import pytest

from portanet.utils import unpack_x_y_sample_weight


@pytest.mark.parametrize("kind", [tuple, list])
def test_lists_are_taken_as_tuples(kind: Any) -> None:
    assert unpack_x_y_sample_weight(kind([1])) == (1, None, None)
    assert unpack_x_y_sample_weight(kind([1, 2])) == (1, 2, None)
    assert unpack_x_y_sample_weight(kind([1, 2, 3])) == (1, 2, 3)
    with pytest.raises(ValueError, match=r"must be \(x,\), \(x, y\) or .* Received: 4 entries"):
        unpack_x_y_sample_weight(kind([1, 2, 3, 4]))
