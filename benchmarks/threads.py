"""Tiles by number of threads and size of blocks: `python -m benchmarks.threads NAME [SIZE]`.

The fastest of some rounds in ms by the wall, so on an idle machine; in brackets the processor time
of all threads, whose growth is what the threads cost.
"""

from __future__ import annotations

import os
import sys
import time

import loopc
from benchmarks.harness import Arrays, Workload
from benchmarks.report import load
from loopc.backends.numpy import helpers

ROUNDS = 15
LIMITS = (17, 18, 19, 20)
"""Powers of two: the bytes of a block."""


def programs(workload: Workload, arrays: Arrays) -> dict[int, loopc.Program]:
    """Return the program with blocks of each size, built for arrays."""
    text = helpers.HELPERS["_blocks"]
    found = {}
    for limit in LIMITS:
        helpers.HELPERS["_blocks"] = helpers.with_default("_blocks", "limit", f"1 << {limit}")
        found[limit] = loopc.compile(workload.text, wrt=workload.wrt, loss=workload.loss)
        found[limit].value_and_grad(arrays)
    helpers.HELPERS["_blocks"] = text
    return found


def main() -> None:
    workload = load(sys.argv[1])
    size = sys.argv[2] if len(sys.argv) > 2 else workload.main_size
    arrays = workload.sizes[size]()
    counts = sorted({1, 2, os.cpu_count() or 1})
    best: dict[tuple[int, int], tuple[float, float]] = {}
    for limit, program in programs(workload, arrays).items():
        for _ in range(ROUNDS):
            for count in counts:
                os.environ["LOOPC_THREADS"] = str(count)
                begin, used = time.perf_counter(), time.process_time()
                program.value_and_grad(arrays)
                wall, used = time.perf_counter() - begin, time.process_time() - used
                old = best.get((limit, count), (wall, used))
                best[limit, count] = min(old[0], wall), min(old[1], used)
    print(f"{workload.name}, {size}: ms by the wall (processor)")
    print("block    " + "".join(f"{c} threads".rjust(22) for c in counts))
    for limit in LIMITS:
        cells = (best[limit, c] for c in counts)
        row = "".join(f"{w * 1e3:.2f} ({p * 1e3:.2f})".rjust(22) for w, p in cells)
        print(f"{2**limit >> 10:5} kB {row}")


if __name__ == "__main__":
    main()
