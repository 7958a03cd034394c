"""What symbolic arrays cannot do: the error says to call layers."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from portanet import layers

CALLS: dict[str, Callable[[Any], Any]] = {
    "sum": lambda x: x.sum(),
    "reshape": lambda x: x.reshape(-1),
    "T": lambda x: x.T,
    "divide": lambda x: x / 2,
    "divided": lambda x: 2 / x,
    "power": lambda x: x**2,
    "matmul": lambda x: x @ x,
    "negative": lambda x: -x,
    "add": lambda x: x + 1,
    "added": lambda x: 1 + x,
    "index": lambda x: x[:, 0],
    "len": len,
    "list": list,
    "float": float,
    "bool": lambda x: 1 if x else 2,
    "compare": lambda x: x > 0,
    "numpy": lambda x: np.asarray(x),
    "exp": lambda x: np.exp(x),
    "namespace": lambda x: x.__array_namespace__(),
}


@pytest.mark.parametrize("case", CALLS)
def test_a_symbolic_array_has_no_values(case: str) -> None:
    with pytest.raises((TypeError, AttributeError), match=r"layers\.Lambda\(function\)\(x\).*Received: "):
        CALLS[case](layers.Input((3,)))


def test_missing_attributes_do_not_recurse() -> None:
    x = layers.Input((3,))
    assert not hasattr(x, "iloc")
    assert not hasattr(object.__new__(type(x)), "node")
    assert copy.copy(x).shape == (None, 3)
