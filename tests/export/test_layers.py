"""Every layer on ONNX and Dask arrays."""

from __future__ import annotations

import numpy as np
import pytest

from portanet import layers
from portanet.autodiff import array_namespace
from portanet.backends import Array
from tests.export import facts, table

pytest.importorskip("ndonnx", reason="extra `onnx`")
pytest.importorskip("onnxruntime", reason="it runs what is exported")
pytest.importorskip("dask.array", reason="extra `dask`")


def test_every_layer_can_be_exported_and_called_lazily_or_a_reason_is_stated() -> None:
    unexplained = table.gaps(facts.find_facts())
    assert not unexplained, "\n".join([*unexplained, "Add a standard path, or the upstream reason in REASONS."])
    assert table.TABLE.read_text() == table.table(), "Type: python -m tests.export.table"


class Peeking(layers.Layer):
    """Data-dependent control flow."""

    def call(self, x: Array) -> Array:
        return x if float(array_namespace(x).sum(x)) > 0 else -x


class Wrong(layers.Dense):
    """Other results for lazy and exporting arrays."""

    def call(self, x: Array) -> Array:
        return super().call(x) * (1.0 if type(x) is np.ndarray else 1.01)


@pytest.mark.parametrize("check", [facts.check_onnx, facts.check_dask])
def test_what_does_not_work_is_noticed(check) -> None:
    x = np.ones((2, 3), dtype="float32")
    for layer in (layers.Dense(2), Peeking(), Wrong(2)):
        layer(x)
        if type(layer) is layers.Dense:
            check(layer, x)
        else:
            with pytest.raises((AssertionError, ValueError)):
                check(layer, x)
