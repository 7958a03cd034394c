"""What a training step launches on CuPy, counted with stand-ins; the table is in docs/backends.md."""

from __future__ import annotations

from tests.backends.launches import WORKLOADS, launches


def test_a_step_of_dense_layers() -> None:
    """Three products forward, five back. Kernels: loss, its slope, relu twice each way, Adam and its correction."""
    mlp, *_ = WORKLOADS
    counts = launches(mlp)
    assert (counts["products"], counts["kernels"], counts["convolutions"]) == (8, 8, 0)
    assert counts["CuPy's"] <= 12, "scalars, one-hot labels and statistics"


def test_convolutions_and_pooling() -> None:
    """Two convolutions, pooled: three and one launches for the first of each, which has no cotangent of the images."""
    _, cnn, *_ = WORKLOADS
    counts = launches(cnn)
    assert counts["convolutions"] == 5
    assert counts["kernels"] <= 16
