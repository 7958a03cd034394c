"""Names of dtypes, for all that names them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet.backend import result_type, standardize_dtype

NAMES = ["bool", "int8", "uint8", "int32", "int64", "float16", "float32", "float64"]


@pytest.mark.parametrize("name", NAMES)
def test_dtypes_of_libraries(xp: Any, name: str) -> None:
    assert standardize_dtype(name) == name
    if not hasattr(xp, name):
        pytest.skip(f"the library has no {name}")
    assert standardize_dtype(getattr(xp, name)) == name


def test_dtypes_that_are_equal_to_types_of_python() -> None:
    """As NumPy's int64 and float64 are."""
    assert result_type(np.dtype("int64"), "int8") == "int64"
    assert result_type(np.dtype("float64"), "float32") == "float64"
    assert result_type(np.dtype("int64"), "float16") == "float16"
    assert (result_type(int, "int8"), result_type(float, "int8")) == ("int8", "float32")
