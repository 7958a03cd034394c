"""The benchmark on a GPU, and the script with all that is worth doing there, tried out on processors."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import pathlib
import shutil
import subprocess
import sys
import types
from typing import Any

import pytest

import portanet
from benchmarks import gpu, gpu_page, heavy_large, pages
from benchmarks.pages import Page
from portanet import layers
from tests.portability import run as portability

ROOT = pathlib.Path(__file__).parents[1]
MLP = "MLP 784-512-512-10, batch 128"
GPT, RESNET = "GPT, 2 blocks of d 768, T 256, batch 16, float32", "ResNet-18, 32x32, batch 256, mixed_float16"


def test_columns_are_measured_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    results = {}
    for name, column in gpu.columns("numpy", "cpu").items():
        if "numpy" in name or name == "torch cpu":
            gpu.serve(*column, [MLP], True)
            results[name] = dict(map(json.loads, capsys.readouterr().out.splitlines()))
    assert [*results] == ["portanet numpy", "torch cpu", "portanet numpy, not recorded"]
    for column in results.values():
        assert column[MLP]["ms"] > 0
        assert column[MLP]["host ms"] > 0
        assert all(column[name]["ms"] > 0 for name in gpu.OPERATIONS)
    shown = gpu_page.tables(results | {"none": {MLP: {"error": "out of memory"}}}, "torch cpu")
    assert "| ms | portanet numpy | torch cpu | portanet numpy, not recorded | none |" in shown
    assert f"| {MLP} | " in shown
    assert shown.count("x)") == 2 * len(results["torch cpu"])
    assert f"- none, {MLP}: out of memory" in shown


def test_what_fails_does_not_keep_the_rest_from_being_measured(capsys: pytest.CaptureFixture[str]) -> None:
    gpu.serve("portanet", "no such backend", "auto", "cuda", [MLP], True)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [title for title, _ in lines] == [MLP, *gpu.OPERATIONS]
    assert all("no such backend" in figures["error"] for _, figures in lines)


def test_a_gpu_has_all_columns_that_are_compared() -> None:
    assert [*gpu.columns("cupy", "cuda")] == [
        "portanet cupy",
        "torch cuda",
        "torch cuda, graph, fused Adam",
        "portanet cupy, not recorded",
        "portanet jax",
        "portanet torch",
    ]


def figures(ms: float, memory: float) -> dict[str, float]:
    return {"ms": ms, "host ms": 0.03, "launches": 1, "memory": memory}


def test_the_page_is_one_that_the_documents_take_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_page, "gpu", lambda: "NVIDIA H200")
    monkeypatch.setitem(sys.modules, "cupy", types.SimpleNamespace(__version__="14.2.0"))
    how = pages.environment("numpy", "cupy")  # whose package is called cupy-cuda13x
    assert how.endswith("cupy 14.2.0")
    results = {
        "portanet cupy": {MLP: figures(0.139, 90.0), GPT: figures(9.0, 1200.0), RESNET: figures(20.0, 7000.0)},
        "torch cuda": {MLP: figures(1.2, 80.0), GPT: figures(10.0, 1000.0), RESNET: {"error": "out of memory"}},
    }
    text = gpu_page.page("cupy", "cuda", results, how)
    assert f"{Page.parsed(text)}\n" == text
    shown = pages.overview({"gpu": Page.parsed(text)})
    assert "## NVIDIA H200" in shown
    assert f"| Targets: {MLP} | 139.0 us | 150 us: met |" in shown
    assert f"| Targets: {GPT}: time beside PyTorch | 0.90 | 1: met |" in shown
    assert f"| Targets: {GPT}: memory beside PyTorch | 1.20 | 1.3: met |" in shown
    assert "3 of 3 targets are met." in shown
    for words in ("launches in a step", "ms of the host in a step", "MiB"):
        assert f"| {words} | portanet cupy | torch cuda |" in text
    assert set(gpu_page.TARGETS) < set(gpu.WORKLOADS)


def test_every_column_has_its_time_and_is_written_at_once(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, given, written = tmp_path / "gpu.md", [], []

    def collected(command: list[str], seconds: float) -> dict[str, Any]:
        written.append(path.read_text() if path.exists() else "")
        given.append(seconds)
        return {MLP: figures(1.0, 2.0)}

    monkeypatch.setattr(gpu, "collected", collected)
    argv = ["gpu", "--backend", "numpy", "--markdown", str(path), "--seconds", "100"]
    monkeypatch.setattr(sys, "argv", argv)
    gpu.main()
    assert len(set(written)) == len(written), "the page grows with each column"
    assert len(given) == len(gpu.columns("numpy", "cpu"))
    assert all(seconds > gpu.LEAST - 1 for seconds in given)
    assert given[0] > 100 - gpu.LEAST * len(given)


def test_what_a_process_prints_beside_its_figures_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = b'[W] a warning\n["a", {"ms": 1.0}]\n[1, 2]\nwords\n["b", {"ms": 2.0'

    class Process:
        def __init__(self, *args: Any, **options: Any) -> None:
            self.calls = 0

        def communicate(self, timeout: float | None = None) -> tuple[bytes, None]:
            if timeout is not None:
                raise subprocess.TimeoutExpired("", timeout)
            return printed, None

        def kill(self) -> None:
            pass

    monkeypatch.setattr(subprocess, "Popen", Process)
    assert gpu.collected([], 1.0) == {"a": {"ms": 1.0}}


PYTHON = """#!/bin/sh
# In place of Python: notes its arguments, and fails where a test says so.
[ "$1" = -c ] && { echo "-n 8"; exit 0; }
echo "$@" >>"$LOG"
case "$*" in *"$FAILS"*) exit 3 ;; esac
echo done
"""


@pytest.mark.skipif(shutil.which("timeout") is None, reason="the script needs `timeout`")
def test_the_check_runs_everything_with_arguments_that_exist(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").write_text(PYTHON)
    (tmp_path / "bin" / "python").chmod(0o755)
    log, out = tmp_path / "log", tmp_path / "out"
    env = {**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "LOG": str(log), "FAILS": "--write cupy"}
    for _ in range(2):
        log.unlink(missing_ok=True)
        subprocess.run(["sh", "benchmarks/gpu_check.sh", str(out)], cwd=ROOT, env=env, check=True, capture_output=True)
    statuses = {"recorded": 0, "step": 0, "portability": 3, "tests": 0, "torch": 0}
    assert (out / "summary.txt").read_text().split("\n")[:-1] == [f"{k}: status {v}" for k, v in statuses.items()]
    assert (out / "tests.txt").read_text() == "done\n"

    commands = [line.split() for line in log.read_text().splitlines()]
    for dash, module, *arguments in commands:
        assert dash == "-m"
        assert importlib.util.find_spec(module) is not None
        if module == "pytest":
            assert all((ROOT / path).exists() for path in arguments if path.startswith("tests/"))
    # Where there is no GPU, the commands say so, once their arguments are understood.
    monkeypatch.setattr(portanet, "available_backends", lambda: {"cupy": "no GPU answers", "torch": "no GPU answers"})
    monkeypatch.setattr(portability, "COLUMNS", ())
    monkeypatch.setattr(portability.table, "write", lambda: None)
    monkeypatch.setattr(portability.table, "holes", lambda: [])
    for _, module, *arguments in commands:
        monkeypatch.setattr(sys, "argv", [module, *arguments])
        if module == "benchmarks.gpu":
            gpu.main()
            assert "no GPU answers" in capsys.readouterr().out
        elif module == "tests.portability.run":
            assert portability.main() == 0
    assert [command[1] for command in commands].count("benchmarks.gpu") == 2


@pytest.mark.parametrize("name", ["resnet", "gpt"])
def test_both_libraries_have_the_same_model(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
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
