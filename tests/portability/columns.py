"""The columns of the portability matrix: array libraries, devices and modes, and the results on each of them."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import pathlib
from collections.abc import Iterator
from typing import Any

from portanet.backends import Backend, use_backend
from portanet.backends.registry import backend_class

RESULTS = pathlib.Path(__file__).parent / "results"
KINDS = ("inference", "training")


@dataclasses.dataclass(frozen=True)
class Totals:
    """A run on another machine, of which only the totals are on file.

    Args:
        where: Library versions, machine, and date.
        blocks: How many blocks ran, of how many.
        away: The largest deviation from NumPy.
        curves: That of loss curves.
    """

    where: str
    blocks: str
    away: float
    curves: float


@dataclasses.dataclass(frozen=True)
class Column:
    """An array library in one mode.

    Args:
        name: Name of the file in `results/` with its results.
        title: Its heading in the table.
        backend: Backend to run on; None for a column whose file is written by others.
        device: Device of the backend.
        flags: Flags of array-api-strict.
        missing: Why there may be no results.
        totals: What stands in for them.
    """

    name: str
    title: str
    backend: str | None
    device: str | None = None
    flags: tuple[tuple[str, Any], ...] = ()
    missing: str = ""
    totals: Totals | None = None

    def unavailable(self) -> str | None:
        """Why this column cannot run here, or None."""
        if self.backend is None:
            return "written by another command"
        return backend_class(self.backend).unavailable()

    @contextlib.contextmanager
    def use(self) -> Iterator[Backend]:
        """Its backend and flags, for a `with` block."""
        assert self.backend is not None
        with contextlib.ExitStack() as stack:
            backend = stack.enter_context(use_backend(self.backend, self.device))
            if self.flags:
                import array_api_strict

                stack.enter_context(array_api_strict.ArrayAPIStrictFlags(**dict(self.flags)))
            yield backend


FIXED_SHAPES = (("boolean_indexing", False), ("data_dependent_shapes", False))

ON_H200 = Totals(
    "cupy 14.2.0 on an NVIDIA H200, 2026-11-26, at commit 2a204b2, when there were 197 blocks; what came later (other "
    "blocks, kernels, recorded steps) was not run on a GPU",
    *("197 of 197", 2e-7, 6e-7),
)

COLUMNS = (
    Column("numpy", "NumPy", "numpy"),
    Column("cupy", "CuPy", "cupy", totals=ON_H200),
    Column("torch", "PyTorch", "torch", "cpu"),
    Column("jax", "JAX", "jax", "cpu"),
    Column("mlx", "MLX", "mlx", "cpu", missing="not run here"),
    Column("dpnp", "dpnp", "dpnp", missing="not run here"),
    Column("strict", "strict", "strict"),
    Column("strict-device1", "strict, `device1`", "strict", "device1"),
    Column("strict-float32", "strict, float32 by default", "strict", "device2"),
    Column("strict-fixed-shapes", "strict, no data-dependent shapes", "strict", "device1", FIXED_SHAPES),
)
"""To add a column for another namespace: a line here and a file in `results/`; see `Found`."""


@dataclasses.dataclass
class Found:
    """The results of a column, as stored in its file in `results/`.

    Attributes:
        where: Library versions, and whatever else the results depend on.
        date: Date of the run.
        cells: For each block (`"layers.Dense"`) and kind (`"inference"`, `"training"`) the largest relative deviation
            from NumPy, or the reason why it does not apply.
        curves: For each model the largest relative deviation of its loss curve from NumPy's, if it was trained.
    """

    where: str
    date: str = dataclasses.field(default_factory=lambda: datetime.date.today().isoformat())
    cells: dict[str, dict[str, float | str]] = dataclasses.field(default_factory=dict)
    curves: dict[str, float] = dataclasses.field(default_factory=dict)

    def reasons(self) -> dict[tuple[str, str], str]:
        """Reasons for missing results, by block and kind."""
        return {(b, kind): v for b, cell in self.cells.items() for kind, v in cell.items() if isinstance(v, str)}

    def worst(self, kind: str) -> float:
        """The largest deviation of a kind."""
        return max((float(v) for cell in self.cells.values() if not isinstance(v := cell[kind], str)), default=0.0)

    def write(self, name: str) -> None:
        """Store the results of a column."""
        (RESULTS / f"{name}.json").write_text(json.dumps(dataclasses.asdict(self), indent=1, sort_keys=True) + "\n")


def recorded(name: str) -> Found | None:
    """The stored results of a column."""
    path = RESULTS / f"{name}.json"
    return Found(**json.loads(path.read_text())) if path.exists() else None
