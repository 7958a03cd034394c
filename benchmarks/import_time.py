"""How long `import portanet` takes over what NumPy takes alone."""

from __future__ import annotations

import statistics
import subprocess
import sys

CODE = """
import time
start = time.perf_counter()
import numpy
middle = time.perf_counter()
import portanet
print(middle - start, time.perf_counter() - middle)
"""


def main(rounds: int = 15) -> None:
    times = []
    for _ in range(rounds):
        done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
        times.append([float(word) for word in done.stdout.split()])
    numpy, portanet = (statistics.median(column) for column in zip(*times, strict=True))
    print(f"import numpy {numpy * 1e3:.0f} ms; import portanet {portanet * 1e3:.0f} ms more (median of {rounds})")


if __name__ == "__main__":
    main()
