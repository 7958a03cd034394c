"""The page of `benchmarks.gpu`: tables of its figures, and those that have targets."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

from benchmarks.pages import Page, Row, machine, targets

TARGETS = {
    "MLP 784-512-512-10, batch 128": 150,
    "CNN of Ketkar 7-7, batch 128": 680,
    "LSTM 64 to 128, 50 steps, batch 64": 600,
    "Transformer block, d 128, 64 steps, batch 32": 450,
}
"""Microseconds on CuPy; larger workloads are to take PyTorch's time, and 1.3 of its memory."""


def tables(results: dict[str, dict[str, Any]], base: str) -> str:
    """A table in Markdown for each figure, with ratios to a column for the times; and what failed."""
    titles = list(dict.fromkeys(title for column in results.values() for title in column))
    parts = []
    for figure, words in (
        ("ms", "ms"), ("launches", "launches in a step"), ("host ms", "ms of the host in a step"), ("memory", "MiB"),
    ):  # fmt: skip
        rows = []
        for title in titles:
            values = {name: column.get(title, {}).get(figure) for name, column in results.items()}
            compared = figure == "ms" and values.get(base)
            cells = [
                "-" if v is None else f"{v:.3g}" + (f" ({v / values[base]:.2f}x)" if compared and name != base else "")
                for name, v in values.items()
            ]
            if any(cell != "-" for cell in cells):
                rows.append(f"| {title} | " + " | ".join(cells) + " |")
        if rows:
            parts.append(
                "\n".join([f"| {words} | " + " | ".join(results) + " |", "|---" * (len(results) + 1) + "|", *rows])
            )
    failed = [
        f"- {name}, {title}: {figures['error']}"
        for name, column in results.items()
        for title, figures in column.items()
        if "error" in figures
    ]
    return "\n\n".join([*parts, *(["\n".join(failed)] if failed else [])]) + "\n"


def beside_targets(backend: str, device: str, results: dict[str, dict[str, Any]]) -> list[Row]:
    """CuPy's figures with their targets, as far as both columns are known."""
    ours, theirs = results.get(f"portanet {backend}", {}), results.get(f"torch {device}", {})
    rows = []
    for title in ours if backend == "cupy" else ():
        mine, base = ours.get(title, {}), theirs.get(title, {})
        if title in TARGETS and mine.get("ms"):
            rows.append(Row(title, 1e3 * mine["ms"], TARGETS[title], {}, "us"))
        for figure, most in () if title in TARGETS else (("ms", 1.0), ("memory", 1.3)):
            if mine.get(figure) and base.get(figure):
                name = {"ms": "time", "memory": "memory"}[figure]
                rows.append(Row(f"{title}: {name} beside PyTorch", mine[figure] / base[figure], most))
    return rows


def page(backend: str, device: str, results: dict[str, dict[str, Any]], how: str) -> str:
    """The page with all that is known."""
    rows = beside_targets(backend, device, results)
    parts = {"Targets": f"{how}\n\n{targets(rows)}"} if rows else {}
    parts[f"portanet on {backend}"] = f"{how}\n\n{tables(results, f'torch {device}').strip()}"
    return f"{Page('# Training steps on a GPU', {gpu(): parts})}\n"


def gpu() -> str:
    """The name of the GPU, where NVIDIA's driver tells it; else that of the machine."""
    if shutil.which("nvidia-smi") is None:
        return machine()
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    return told.stdout.partition("\n")[0].strip() if told.returncode == 0 and told.stdout.strip() else machine()
