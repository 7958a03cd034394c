"""`python -m portanet info`."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from portanet.__main__ import main
from portanet.backends import BACKENDS, available_backends, make_backend
from portanet.backends.numpy.backend import NumpyBackend
from portanet.info import report


def test_every_backend_has_a_row_and_a_remedy_where_it_is_missing() -> None:
    lines = report().splitlines()
    rows = {line.split()[0]: line for line in lines if line}
    for name, reason in available_backends().items():
        if reason is None:
            backend = make_backend(name)
            assert rows[name].split()[1] == backend.version()
            assert ", ".join(backend.devices()) in rows[name]
            assert bool(backend.memory()) == ("GiB" in rows[name])
        else:
            assert f"{name} cannot be used: {reason}" in lines


def test_a_missing_library_and_a_broken_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> str:
        raise OSError("libfoo.so is missing")

    monkeypatch.setattr("importlib.util.find_spec", lambda name: object() if name == "numpy" else None)
    monkeypatch.setattr(NumpyBackend, "version", broken)
    lines = report().splitlines()
    assert "numpy cannot be used: numpy fails to start: libfoo.so is missing" in lines
    assert "torch cannot be used: torch is not installed. Type: pip install 'portanet[torch]'" in lines
    assert len([line for line in lines if "cannot be used: " in line]) == len(BACKENDS)


def test_command_line() -> None:
    env = os.environ | {"PORTANET_BACKEND": "nunpy"}
    done = subprocess.run(
        [sys.executable, "-m", "portanet", "info"], env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("portanet ")
    assert "\nnumpy " in done.stdout
    assert "Did you mean 'numpy'?" in done.stdout
    assert "PORTANET_BACKEND='nunpy'" in done.stdout


def test_unknown_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["inform"])
    assert "invalid choice: 'inform'" in capsys.readouterr().err
