import subprocess
import sys

import pytest

import portanet
from portanet import plot


def test_the_package_is_imported_without_matplotlib():
    code = "import sys, portanet.plot; assert not any(name.partition('.')[0] == 'matplotlib' for name in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert portanet.plot is plot


def test_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"Drawing needs matplotlib. Type: pip install .*\[plot\]"):
        plot.history({"loss": [1.0]})
