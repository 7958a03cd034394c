"""Run the official compliance suite on the differentiable namespace and compare with the underlying library.

    python tests/compliance/run.py PATH/TO/array-api-tests [--library MODULE] [--kind reverse] [--examples 20]

The suite is github.com/data-apis/array-api-tests with its submodule; it is not part of this repository. Each
failure is of one of four kinds: the library fails, too; traced or batched arrays refuse on purpose (`REFUSED`); the
library fails in one of several runs with ten times as many examples (some of its failures are rare); or the namespace
is wrong. The exit status is 1 if there are any of the last kind.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from portanet.backends import available_backends

ROOT = Path(__file__).parents[2]
LIBRARIES = ("array_api_compat.numpy", "array_api_strict")
KINDS = ("constant", "reverse", "forward", "batched")
RETRIES = 5
REFUSED = {
    "reverse": {"array_api_tests/test_dlpack.py::test_dunder_dlpack"},
    "forward": {
        "array_api_tests/test_dlpack.py::test_dunder_dlpack",
        "array_api_tests/test_linalg.py::test_qr",
        "array_api_tests/test_linalg.py::test_slogdet",
    },
    "batched": {
        "array_api_tests/test_array_object.py::test_getitem_masking",
        *(f"array_api_tests/test_dlpack.py::test_{name}" for name in ("dlpack_device", "dunder_dlpack", "from_dlpack")),
        "array_api_tests/test_manipulation_functions.py::test_repeat",
        "array_api_tests/test_searching_functions.py::test_nonzero",
        *(
            f"array_api_tests/test_set_functions.py::test_unique_{name}"
            for name in ("all", "counts", "inverse", "values")
        ),
    },
}
"""Tests that traced arrays fail on purpose: they have no export, which would lose the derivative, and in forward mode
a singular matrix raises an error at once (for constants these tests must pass). Batched arrays also refuse results
whose shape would differ between examples."""


def failures(suite: Path, module: str, examples: int, tests: list[str], subject: str = "", seed: int = 0) -> set[str]:
    """The tests of the suite that fail for a module."""
    environment = {
        **os.environ,
        "ARRAY_API_TESTS_MODULE": module,
        "ARRAY_API_TESTS_VERSION": "2025.12",
        "PORTANET_COMPLIANCE": subject,
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
    }
    # On a busy machine, examples exceed the suite's deadline.
    options = ["-q", "-rfE", "--tb=no", "-p", "no:cacheprovider", "-W", "ignore", "--disable-deadline"]
    options += ["-p", "tests.compliance.unshrunk"]
    options += [f"--hypothesis-seed={seed}", f"--max-examples={examples}"]
    command = [sys.executable, "-m", "pytest", *options, *tests]
    done = subprocess.run(command, cwd=suite, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"The suite did not run:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    lines = [line for line in done.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    print(f"{subject or module}: {done.stdout.splitlines()[-1]}", flush=True)
    return {line.split(" ", 1)[1].split(" - ")[0] for line in lines}


def compare(suite: Path, library: str, kind: str, examples: int, theirs: set[str]) -> list[str]:
    """The tests that fail for the namespace over a library and not for the library."""
    subject = "exec('from tests.compliance.subject import xp')"
    failed = failures(suite, subject, examples, ["array_api_tests"], f"{library}:{kind}")
    refused = failed & REFUSED.get(kind, set())
    ours = failed - theirs - refused
    rare: set[str] = set()
    for seed in range(1, RETRIES + 1):
        if ours:
            left = ours - failures(suite, library, 10 * examples, sorted(ours), seed=seed)
            rare, ours = rare | (ours - left), left
    print(
        f"{library}, {kind} arrays: {len(failed)} failures, of which {len(failed & theirs)} are the library's, "
        f"{len(refused - theirs)} refused on purpose, {len(rare)} rare ones of the library, {len(ours)} others",
        *sorted(rare | ours),
        sep="\n  ",
    )
    return sorted(ours)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", type=Path, help="a checkout of data-apis/array-api-tests with its submodule")
    modules = ", ".join(LIBRARIES)
    parser.add_argument("--library", action="append", help=f"module of a namespace; default: {modules}")
    parser.add_argument("--kind", choices=KINDS, action="append", help="default: all")
    parser.add_argument("--examples", type=int, default=20, help="examples for each test")
    options = parser.parse_args()
    available_backends()  # dpnp's names the runtime of the CPU in the environment
    worse = 0
    for library in options.library or LIBRARIES:
        theirs = failures(options.suite, library, options.examples, ["array_api_tests"])
        for kind in options.kind or KINDS:
            worse += len(compare(options.suite, library, kind, options.examples, theirs))
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
