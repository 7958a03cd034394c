"""The benchmark on a GPU, tried out on processors."""

from __future__ import annotations

import json
import math

import pytest

import portanet
from benchmarks import gpu, heavy_large
from portanet import layers

torch = pytest.importorskip("torch")
MLP = "MLP 784-512-512-10, batch 128"


def test_columns_are_measured_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    results = {}
    for name, column in gpu.columns("numpy", "cpu").items():
        if "numpy" in name or name == "torch cpu":
            gpu.serve(*column, [MLP], True)
            results[name] = dict(map(json.loads, capsys.readouterr().out.splitlines()))
    assert [*results] == ["portanet numpy", "torch cpu", "portanet numpy, not recorded"]
    assert all(column[MLP]["ms"] > 0 and column[MLP]["host ms"] > 0 for column in results.values())
    shown = gpu.tables(results | {"none": {MLP: {"error": "out of memory"}}}, "torch cpu")
    assert "| ms | portanet numpy | torch cpu | portanet numpy, not recorded | none |" in shown
    assert f"| {MLP} | " in shown
    assert shown.count("x)") == 2 * len(results["torch cpu"])
    assert f"- none, {MLP}: out of memory" in shown


def test_a_gpu_has_all_columns_that_are_compared() -> None:
    assert [*gpu.columns("cupy", "cuda")] == [
        "portanet cupy",
        "torch cuda",
        "torch cuda, graph, fused Adam",
        "portanet cupy, not recorded",
        "portanet jax",
        "portanet torch",
    ]


@pytest.mark.parametrize("name", ["resnet", "gpt"])
def test_both_libraries_have_the_same_model(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heavy_large, "GPT", (2, 3, 24))
    if name == "resnet":
        shape, parts = heavy_large.RESNET, heavy_large.resnet_layers(layers, (4, 8))
        theirs = heavy_large.resnet_torch(torch.nn, (4, 8))
    else:
        shape, parts = heavy_large.GPT, heavy_large.gpt_layers(layers)
        theirs = heavy_large.gpt_torch(torch.nn)
    with portanet.use_backend("numpy"):
        ours = portanet.Sequential([layers.Input(shape[1:]), *parts])
        weights = sum(math.prod(v.shape) for v in ours.trainable_weights)
    assert weights == sum(p.numel() for p in theirs.parameters())
    x = torch.zeros((2, *shape[1:]))
    assert tuple(theirs(x.movedim(-1, 1) if name == "resnet" else x).shape) == (2, 10)
    assert ours.predict(x.numpy()).shape == (2, 10)
