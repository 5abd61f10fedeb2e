"""What `explain` predicts of memory, and what is measured: `python -m benchmarks.memory [NAME]`.

The peak of a call with all gradients, by tracemalloc, to which NumPy reports; of the second call,
since the first one compiles.
"""

from __future__ import annotations

import gc
import sys
import tracemalloc

import loopc
from benchmarks.harness import Arrays, Workload
from benchmarks.report import load, workloads


def measured(program: loopc.Program, arrays: Arrays) -> int:
    """Return the bytes that a call with gradients takes at its peak."""
    program.value_and_grad(arrays)
    gc.collect()
    tracemalloc.start()
    program.value_and_grad(arrays)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def compared(workload: Workload, size: str, threads: int | None = None) -> tuple[int, int]:
    """Return the predicted and the measured peak of a workload.

    With several threads the prediction is for all of them at once, as they are on an idle machine.
    """
    arrays = workload.sizes[size]()
    program = loopc.compile(workload.text, wrt=workload.wrt, loss=workload.loss, threads=threads)
    predicted = program.explain(arrays).gradient_peak_bytes
    assert predicted is not None
    return predicted, measured(program, arrays)


def main() -> None:
    """Print a line for each workload."""
    for name in workloads():
        if len(sys.argv) < 2 or sys.argv[1] in name:
            workload = load(name)
            predicted, found = compared(workload, workload.main_size)
            sizes = f"{predicted / 1e6:9.3f} MB predicted {found / 1e6:9.3f} MB measured"
            print(f"{name:16} {sizes} {found / predicted - 1:+7.1%}", flush=True)


if __name__ == "__main__":
    main()
