"""`python -m portanet info`."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import portanet
from portanet.__main__ import main
from portanet.backends import BACKENDS, available_backends, make_backend
from portanet.backends.numpy.backend import NumpyBackend
from portanet.extras import install_command
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
    assert f"torch cannot be used: torch is not installed. Type: {install_command('torch')}" in lines
    assert len([line for line in lines if "cannot be used: " in line]) == len(BACKENDS)


def run(*arguments: str, backend: str = "") -> subprocess.CompletedProcess[str]:
    env = os.environ | {"PORTANET_BACKEND": backend}
    command = [sys.executable, "-m", "portanet", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def test_a_wrong_choice_is_an_error_beside_the_table() -> None:
    done = run("info", backend="nunpy")
    assert done.returncode == 1
    assert done.stdout.startswith("portanet ")
    assert "\nnumpy " in done.stdout
    assert "Did you mean 'numpy'?" in done.stdout
    assert "PORTANET_BACKEND='nunpy'" in done.stdout


def test_a_choice_that_can_be_used_is_none() -> None:
    done = run("info", backend="numpy")
    assert done.returncode == 0
    assert "In use: <portanet backend numpy on cpu, float32>" in done.stdout


def test_without_a_command_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    out = capsys.readouterr().out
    assert "usage: python -m portanet" in out
    assert "list the backends" in out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main(["--version"])
    assert done.value.code == 0
    assert capsys.readouterr().out == f"portanet {portanet.__version__}\n"


def test_unknown_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main(["inform"])
    assert done.value.code == 2
    assert "invalid choice: 'inform'" in capsys.readouterr().err
