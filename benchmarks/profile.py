"""Which lines of a generated module take the time: `python -m benchmarks.profile NAME [SIZE]`.

The processor time of each line of the value and the gradients, as loopc's own call runs them on
one thread; helper functions count in the line that calls them. Set `OPENBLAS_NUM_THREADS=1` for
figures that do not depend on what else the machine does.
"""

from __future__ import annotations

import importlib
import linecache
import os
import sys
import time
from collections import defaultdict
from types import FrameType
from typing import Any

ROUNDS = 5


class _Clock:
    """A trace function that adds up the processor time between the lines of generated code."""

    def __init__(self) -> None:
        self.spent: dict[tuple[str, int], float] = defaultdict(float)
        self.at: tuple[str, int] | None = None
        self.since = 0.0

    def __call__(self, frame: FrameType, event: str, arg: object) -> Any:
        name = frame.f_code.co_filename
        caller = frame.f_back.f_code.co_filename if frame.f_back is not None else ""
        helps = caller == name and not frame.f_code.co_name.startswith("tile")
        if not name.startswith("<loopc") or helps:
            return None
        now = time.process_time()
        if self.at is not None:
            self.spent[self.at] += now - self.since
        self.at = (name, frame.f_lineno) if event != "return" else None
        self.since = time.process_time()
        return self


def main() -> None:
    """Print the lines, with milliseconds a run."""
    from benchmarks.harness import loopc_runner

    workload = importlib.import_module(f"benchmarks.bench_{sys.argv[1]}").WORKLOAD
    size = sys.argv[2] if len(sys.argv) > 2 else workload.main_size
    os.environ["LOOPC_THREADS"] = "1"
    run = loopc_runner(workload, workload.sizes[size](), 2)
    run()
    clock = _Clock()
    sys.settrace(clock)
    for _ in range(ROUNDS):
        run()
    sys.settrace(None)
    total = sum(clock.spent.values())
    print(f"{workload.name}, {size}: {total / ROUNDS * 1e3:.3g} ms of processor time a run")
    for (name, number), seconds in sorted(clock.spent.items()):
        line = linecache.getline(name, number).rstrip()
        if seconds > 0.003 * total:
            print(f"{seconds / ROUNDS * 1e3:9.3f} ms {seconds / total:4.0%} {line}")


if __name__ == "__main__":
    main()
