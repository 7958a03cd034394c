"""A model saved on any backend predicts the same in a new process on any other, and continues training alike."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
from typing import Any

import numpy as np

import portanet
from portanet.backends import Backend, available_backends, use_backend
from tests.saving.models import X, save

NAMES = [name for name, reason in available_backends().items() if reason is None]


def test_saved_everywhere_and_loaded_here(backend: Backend, tmp_path: pathlib.Path) -> None:
    expected: dict[str, Any] = {}
    for name in NAMES:
        folder = tmp_path / name
        folder.mkdir()
        with use_backend(name, "device1" if name == "strict" else None):
            expected |= {f"{name}/{kind}": values for kind, values in save(folder).items()}
    root = pathlib.Path(portanet.__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": str(root), "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.saving.models", str(tmp_path), backend.name, backend.device_name]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=root, check=False)
    assert done.returncode == 0, done.stderr
    result = np.load(tmp_path / f"{backend.name}.npz")
    assert {name for name in result if "trained" not in name} == set(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(result[name], values, rtol=1e-4, atol=1e-5, err_msg=name)
        after = result[f"{name}/trained"]
        assert after.shape == (len(X), 3)
        assert not np.allclose(after, values, atol=1e-4)
        first = result[f"{NAMES[0]}/{name.partition('/')[2]}/trained"]
        np.testing.assert_allclose(after, first, rtol=1e-2, atol=1e-3, err_msg=name)
