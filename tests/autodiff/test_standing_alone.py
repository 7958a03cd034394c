"""portanet.autodiff without the rest of the library: what it imports."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
SCRIPT = """
import json, sys
before = set(sys.modules)
{}
new = set(sys.modules) - before
roots = {{name.partition(".")[0] for name in new}} - set(sys.stdlib_module_names)
print(json.dumps([sorted(roots), sorted(name for name in new if name.startswith("portanet."))]))
"""
BELOW = {"portanet.checks", "portanet.extras", "portanet.settings", "portanet.tree"}
GRADIENT = """
import numpy as np
from portanet.autodiff import grad
assert grad(lambda x: (x * x).__array_namespace__().sum(x * x))(np.ones(3)).tolist() == [2.0, 2.0, 2.0]
"""


def imported(code: str) -> tuple[set[str], set[str]]:
    """Packages of others, and modules of portanet, that a new process imports for some code."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    output = subprocess.check_output([sys.executable, "-c", SCRIPT.format(code)], text=True, env=environment)
    roots, modules = json.loads(output)
    added = {"cython_runtime", "charset_normalizer"}  # by compilers, and by numpy.f2py where it is installed
    return {root for root in roots if not root.startswith("_")} - added, set(modules)


@pytest.mark.parametrize("code", ["from portanet import autodiff", "import portanet.autodiff"])
def test_an_import_needs_numpy_and_array_api_compat_alone(code: str) -> None:
    packages, modules = imported(code)
    assert packages == {"portanet", "numpy", "array_api_compat"}
    rooms = {".".join(name.split(".")[:2]) for name in modules}
    assert rooms == {"portanet.autodiff", "portanet.backends", *BELOW}
    assert len(modules) <= 48, sorted(modules)
    batching = ("portanet.autodiff.batching.rules", "portanet.autodiff.batching.recording")
    few = ("portanet.autodiff.debugging.", "portanet.autodiff.sparse", *batching)
    assert not any(name.startswith(few) for name in modules), sorted(modules)


def test_a_gradient_needs_little_more() -> None:
    packages, modules = imported(GRADIENT)
    assert packages <= {"portanet", "numpy", "array_api_compat", "threadpoolctl"}
    rooms = {".".join(name.split(".")[:2]) for name in modules}
    assert rooms == {"portanet.autodiff", "portanet.backends", *BELOW}
