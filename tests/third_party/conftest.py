"""SciPy and scikit-learn as installed; SciPy accepts other arrays only if this is set before its import."""

from __future__ import annotations

import importlib.util
import os
import sys

if "scipy" not in sys.modules:
    os.environ["SCIPY_ARRAY_API"] = "1"

NEEDED = {"test_scipy.py": "scipy", "test_sklearn.py": "sklearn"}
REASONS = {
    file: f"{library} is not installed"
    if importlib.util.find_spec(library) is None
    else "scipy was imported before SCIPY_ARRAY_API could be set; set it, or run tests/third_party alone"
    for file, library in NEEDED.items()
    if importlib.util.find_spec(library) is None or os.environ.get("SCIPY_ARRAY_API") != "1"
}
collect_ignore = list(REASONS)


def pytest_report_header() -> list[str]:
    return [f"tests/third_party/{file} left out: {reason}" for file, reason in REASONS.items()]
