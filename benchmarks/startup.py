"""What it costs to import loopc and to compile the seed network: `python -m benchmarks.startup`.

Each figure is the median of fresh processes. `import loopc` loads names alone; the compiler's
modules are loaded by the first compilation, which is therefore given with and without that.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path

NETWORK = Path(__file__).parent.parent / "tests" / "golden" / "slides" / "mlp.loops"
ROUNDS = 9

CODE = """
import time, sys
start = time.perf_counter()
import numpy
after_numpy = time.perf_counter()
import loopc
after_loopc = time.perf_counter()
text = open(sys.argv[1], encoding="utf-8").read()
loopc.compile(text).source
first = time.perf_counter()
loopc.compile("# again\\n" + text).source
second = time.perf_counter()
print(after_numpy - start, after_loopc - after_numpy, first - after_loopc, second - first)
"""


def main() -> None:
    """Print the table."""
    rows = []
    for _ in range(ROUNDS):
        command = [sys.executable, "-c", CODE, str(NETWORK)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        rows.append([float(x) * 1e3 for x in done.stdout.split()])
    names = (
        "import numpy",
        "import loopc, after numpy",
        "first compilation with gradient, compiler's modules loaded by it",
        "next compilation with gradient",
    )
    for name, column in zip(names, zip(*rows, strict=True), strict=True):
        print(f"{statistics.median(column):8.1f} ms  {name}")


if __name__ == "__main__":
    main()
