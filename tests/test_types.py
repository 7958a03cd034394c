"""What type checkers see of the calls that every script makes; runs where mypy is installed, as in `nox -s types`."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys
from typing import get_args

import pytest

from portanet.backends import BACKENDS, BackendName

ROOT = pathlib.Path(__file__).parent.parent
PREAMBLE = """
import numpy as np
import portanet
from portanet import layers

model = portanet.Sequential([layers.Input((3,)), layers.Dense(2)])
x = np.ones((4, 3))
"""
ARRAY = "portanet.backends.array_object.ArrayObject | Any"
HOST = "numpy.ndarray[Any, numpy.dtype[Any]]"
REVEALED = {
    "portanet.asarray([1.0])": ARRAY,
    "portanet.asarray([1.0]).shape": "tuple[int, ...] | Any",
    "layers.Dense(2)(x)": ARRAY,
    "model(x)": ARRAY,
    "model.predict(x)": f"{HOST} | Any",
    "model.evaluate(x, x, return_dict=True)": "dict[str, float]",
    "model.fit(x, x)": "portanet.training.history.History",
    "portanet.load_model('file')": "portanet.models.model.Model",
    "model.get_weights()": f"list[{HOST}]",
    "portanet.set_backend('numpy')": "portanet.backends.base.Backend",
}
ACCEPTED = """
loss, accuracy = model.evaluate(x, x)
output, h, c = layers.LSTM(2, return_state=True)(x)
for name in portanet.available_backends():
    portanet.set_backend(name)
with portanet.use_backend(model.backend):
    print(portanet.asarray([1.0])[0] * 2 + 1, model.predict(x).round(2))
"""
REFUSED = {
    "portanet.set_backend('pytorch')": "arg-type",
    "layers.Conv2d(2, 3)": "attr-defined",
    "portanet.optimisers": "attr-defined",
    "layers.Dense(unit=3)": "call-arg",
    "model.fit(x, x, epoch=3)": "call-arg",
}


def test_the_literal_has_every_backend() -> None:
    assert set(get_args(BackendName)) == {"auto", *BACKENDS}


def test_what_mypy_sees(tmp_path: pathlib.Path) -> None:
    pytest.importorskip("mypy")
    lines = [*(f"reveal_type({code})" for code in REVEALED), *ACCEPTED.splitlines(), *REFUSED]
    script = tmp_path / "script.py"
    script.write_text("\n".join([*PREAMBLE.splitlines(), *lines]))
    command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), str(script)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    first = len(PREAMBLE.splitlines()) + 1
    said: dict[str, str] = {}
    for number, text in re.findall(r"script\.py:(\d+): (.*)", done.stdout):
        said.setdefault(lines[int(number) - first], text)  # notes may follow
    expected = {f"reveal_type({code})": f'note: Revealed type is "{kind}"' for code, kind in REVEALED.items()}
    assert {code: text for code, text in said.items() if code in expected} == expected
    errors = {code: text for code, text in said.items() if code not in expected}
    assert errors.keys() == REFUSED.keys(), done.stdout + done.stderr
    assert all(f"[{REFUSED[code]}]" in text for code, text in errors.items())
