"""Code of other libraries, written against the standard; SciPy must be told before its import to take other arrays."""

import os
import sys

if "scipy" not in sys.modules:
    os.environ["SCIPY_ARRAY_API"] = "1"
