"""`python -m tests.portability.run` runs the portability matrix, prints it, and compares it with the stored results.

Every layer, loss, metric and optimizer runs on every available column, and so do four models that train for 50 steps;
everything is compared with NumPy. Every block is also recorded as a step, as on a GPU. The exit status is 1 if anything
deviates, fails without a reason, or differs from the stored results. `--write` stores the results, and updates
docs/portability.md and README.md.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from typing import Any

os.environ.setdefault("JAX_ENABLE_X64", "0")  # JAX's default mode
os.environ.setdefault("XLA_FLAGS", "")  # which tests/conftest.py would disable

import numpy as np

from portanet.backends import HostArray
from tests.portability import moving, table
from tests.portability.blocks import Block, Run, blocks
from tests.portability.columns import COLUMNS, KINDS, Column, Found, recorded
from tests.portability.curves import MODELS, curve, deviation
from tests.recorded.blocks import record

TOLERANCE = 1e-4

REASONS: dict[tuple[str, str, str], str] = {}
"""Why a block does not run on a column, by column, block and kind."""


def apart(result: list[HostArray], expected: list[HostArray]) -> float:
    """The largest deviation between arrays, relative to the largest element of all of them: a gradient that is 0 in
    theory holds only rounding errors.
    """
    worst, scale = 0.0, max((float(np.max(np.abs(x), initial=0.0)) for x in expected), default=0.0) or 1.0
    for ours, theirs in zip(result, expected, strict=True):
        if ours.shape != theirs.shape:
            raise AssertionError(f"shape {ours.shape}, on NumPy {theirs.shape}")
        if theirs.dtype.kind in "fc":
            worst = max(worst, float(np.max(np.abs(ours - theirs), initial=0.0)) / scale)
        elif not np.array_equal(ours, theirs):
            return float("inf")
    return worst


def run_column(column: Column, cases: list[Block], expected: dict[tuple[str, str], Any], faults: list[str]) -> Found:
    """Run everything on a column; `expected` holds NumPy's results, and is filled by the first column."""
    with column.use() as backend, warnings.catch_warnings():
        warnings.simplefilter("error")
        result = Found(where=f"{type(backend).library} {type(backend).version()}")
        for block in cases:
            cell: dict[str, float | str] = {}
            for kind in KINDS:
                cell[kind] = run_cell(column, block, kind, expected, faults)
            result.cells[block.name] = cell
        for name in MODELS:
            losses = curve(name)
            away = result.curves[name] = deviation(losses, expected.setdefault(("curve", name), losses))
            if not away <= TOLERANCE:
                faults.append(f"{column.title}: loss curve of the {name} is {away:.1e} from NumPy's")
    return result


def run_cell(column: Column, block: Block, kind: str, expected: dict[tuple[str, str], Any], faults: list[str]) -> Any:
    """The deviation from NumPy, or the reason why there is none."""
    run: Run | str = getattr(block, kind)
    reason = run if isinstance(run, str) else REASONS.get((column.name, block.name, kind))
    if isinstance(run, str):
        return run
    try:
        result = run()
        away = apart(result, expected.setdefault((block.name, kind), result))
    except Exception as error:
        if reason is None:
            faults.append(f"{column.title}: {block.name}, {kind}: {type(error).__name__}: {str(error)[:200]}")
        return reason or ""
    if reason is not None:
        faults.append(f"{column.title}: {block.name}, {kind} works; drop its reason")
    if not away <= TOLERANCE:
        faults.append(f"{column.title}: {block.name}, {kind} is {away:.1e} from NumPy")
    return away


def move(faults: list[str]) -> None:
    """Train three epochs on each available library, in one run, and the whole run on NumPy."""
    columns = [c for c in COLUMNS if c.backend != "strict" and c.unavailable() is None]
    result = moving.losses([(str(c.backend), c.device) for c in columns])
    away = deviation(np.asarray(result), moving.stayed(len(result)))
    route = f"A run that goes from {' to '.join(c.title for c in columns)}"
    print(f"{route}, three epochs each, is {away:.0e} from one that stays on NumPy", flush=True)
    if not away <= TOLERANCE:
        faults.append(f"{route} is {away:.1e} from one that stays on NumPy")


def changes(column: Column, result: Found) -> list[str]:
    """Differences of a run from the stored results: blocks and kinds."""
    on_file = recorded(column.name)
    if on_file is None:
        return [f"{column.title}: no results on file; type: python -m tests.portability.run --write"]
    differ = {b for b in {*result.cells, *on_file.cells} if b not in on_file.cells or b not in result.cells}
    differ |= {b for b, _ in result.reasons().items() ^ on_file.reasons().items() for b in [b[0]]}
    return [f"{column.title}: {name} is not as on file" for name in sorted(differ)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the results on file and in the documents")
    parser.add_argument("columns", nargs="*", help="by default all that can be used here")
    given = parser.parse_args()
    cases, expected, faults = blocks(), {}, []
    for column in COLUMNS:
        if column.name != "numpy" and given.columns and column.name not in given.columns:
            continue
        reason = column.unavailable()
        if reason is not None:
            print(f"{column.title:<34} not run: {reason}")
            continue
        start = time.perf_counter()
        result = run_column(column, cases, expected, faults)
        apart = {kind: result.worst(kind) for kind in KINDS}
        print(
            f"{column.title:<34} {len(result.cells)} blocks in {time.perf_counter() - start:.0f} s; from NumPy: "
            f"inference {apart['inference']:.0e}, training {apart['training']:.0e}, curves of "
            + ", ".join(f"{name} {away:.0e}" for name, away in result.curves.items()),
            flush=True,
        )
        if given.write:
            result.write(column.name)
        else:
            faults += changes(column, result)
    if not given.columns:
        move(faults)
        record(cases, faults)
    if given.write:
        table.write()
        faults += table.holes()
    elif not given.columns:
        print(table.summary(), table.table(), sep="\n")
    print("\n".join(faults) or f"Everything agrees with NumPy to {TOLERANCE:.0e}, and is as on file.")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
