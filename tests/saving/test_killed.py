"""Processes killed with SIGKILL while saving: no file is ever incomplete, and training resumes bit for bit.

200 kills take about a minute; `PORTANET_KILLS=40` reduces their number.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import portanet
from tests.saving.killed import NEVER, train

KILLS = int(os.environ.get("PORTANET_KILLS", "200"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no SIGKILL")
def test_files_are_whole_and_training_goes_on(tmp_path):
    expected, history = train(tmp_path / "whole", 4 * KILLS, NEVER)
    folder = tmp_path / "killed"
    folder.mkdir()
    root = pathlib.Path(portanet.__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": str(root), "OPENBLAS_NUM_THREADS": "1", "PORTANET_BACKEND": "numpy"}
    command = [sys.executable, "-m", "tests.saving.killed", str(folder), str(KILLS)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=root, check=False)
    assert (done.stderr, done.returncode) == ("", 0)
    kills, last = json.loads(done.stdout)
    killed, torn, places = zip(*kills, strict=True)
    assert all(killed)
    assert last == 0
    assert list(places) == sorted(places)
    assert len({tuple(place) for place in places}) > KILLS // 8, "they were killed before they saved anything"
    assert sum(torn) > 0, "none was killed while it wrote"
    assert json.loads((folder / "history").read_text()) == history
    values = expected.get_weights()
    expected.load_weights(folder / "weights")
    for ours, theirs in zip(expected.get_weights(), values, strict=True):
        np.testing.assert_array_equal(ours, theirs)
