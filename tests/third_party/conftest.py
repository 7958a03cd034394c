"""Tests are left out if the libraries are not installed."""

from __future__ import annotations

import importlib.util
import os

NEEDED = {
    "test_scipy.py": ("scipy",),
    "test_sklearn.py": ("sklearn",),
    "test_table.py": ("scipy", "sklearn", "einops", "einx", "xarray", "torch", "array_api_strict"),
}


def reason(libraries: tuple[str, ...]) -> str | None:
    """Why tests of these libraries are left out, or None."""
    missing = [library for library in libraries if importlib.util.find_spec(library) is None]
    if missing:
        return f"not installed: {', '.join(missing)}"
    if os.environ.get("SCIPY_ARRAY_API") != "1":
        return "scipy was imported before SCIPY_ARRAY_API could be set; set it, or run tests/third_party alone"
    return None


REASONS = {file: why for file, libraries in NEEDED.items() if (why := reason(libraries))}
collect_ignore = list(REASONS)


def pytest_report_header() -> list[str]:
    return [f"tests/third_party/{file} left out: {reason}" for file, reason in REASONS.items()]
