"""Data in a dict, by the names of the inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers


def model(**structure: Any) -> portanet.Model:
    a, b = layers.Input((2,), name="a"), layers.Input((3,), name="b")
    outputs = layers.Dense(1)(layers.Concatenate()([a, b]))
    built = portanet.Model({"a": a, "b": b} if structure.get("by_name") else [a, b], outputs)
    built.compile("sgd", "mse")
    return built


@pytest.mark.parametrize("by_name", [False, True])
def test_a_table_may_have_more_columns_than_inputs(by_name: bool, backend: Any) -> None:
    """They are left out, as in Keras."""
    made = model(by_name=by_name)
    rng = np.random.default_rng(0)
    a, b, y = rng.normal(size=(6, 2)), rng.normal(size=(6, 3)), np.zeros((6, 1))
    table = {"row": np.arange(6), "b": b, "a": a}
    expected = made.predict({"a": a, "b": b})
    np.testing.assert_array_equal(made.predict(table), expected)
    loss = made.evaluate({"a": a, "b": b}, y, verbose=0)
    assert loss == pytest.approx(float(np.mean(expected**2)), rel=1e-5)
    assert made.evaluate(table, y, verbose=0) == made.evaluate(iter([(table, y)]), verbose=0) == loss
    with pytest.raises(ValueError, match="Received: the keys 'row', 'b'"):
        made.predict({"row": table["row"], "b": b})
