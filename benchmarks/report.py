"""Run the benchmarks: `python -m benchmarks.report [--only NAME] [--json FILE] [--rounds N]`.

Every workload runs in two fresh processes: with malloc as shipped, and tuned so that large blocks
are kept (the frameworks' honest best). No figure is asserted.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

TUNED = {
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "17179869184",
    "MALLOC_TOP_PAD_": "268435456",
}
FRAMEWORKS = ("jax", "torch", "torch compiled")


def workloads() -> list[str]:
    """Return the names of the workloads: one file each."""
    folder = Path(__file__).parent
    return sorted(p.stem.removeprefix("bench_") for p in folder.glob("bench_*.py"))


def run_here(name: str, rounds: int) -> list[dict[str, object]]:
    """Measure one workload in this process."""
    from benchmarks.harness import measure

    workload = importlib.import_module(f"benchmarks.bench_{name}").WORKLOAD
    rows: list[dict[str, object]] = []
    for size in workload.sizes:
        for timing in measure(workload, size, rounds):
            row = asdict(timing) | {"workload": name, "size": size}
            del row["samples"]
            rows.append(row)
    return rows


def run_fresh(name: str, rounds: int, *, tuned: bool) -> list[dict[str, object]]:
    """Measure one workload in a fresh process."""
    environment = {**os.environ, **(TUNED if tuned else {})}
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.report", "--child", name]
    command += ["--rounds", str(rounds)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stderr)
        raise SystemExit(f"{name} failed")
    rows: list[dict[str, object]] = json.loads(done.stdout.splitlines()[-1])
    return [row | {"malloc": "tuned" if tuned else "shipped"} for row in rows]


def table(rows: list[dict[str, object]]) -> str:
    """Return the results as a Markdown table, a line for each workload, size and malloc."""
    contenders = list(dict.fromkeys(str(r["contender"]) for r in rows))
    head = ["workload", "size", "malloc", *contenders, "best framework / loopc"]
    lines = [head, ["---"] * len(head)]
    groups: dict[tuple[str, str, str], dict[str, dict[str, object]]] = {}
    for row in rows:
        key = (str(row["workload"]), str(row["size"]), str(row["malloc"]))
        groups.setdefault(key, {})[str(row["contender"])] = row
    for key, group in groups.items():
        cells = [_time(group.get(c, {}).get("seconds")) for c in contenders]
        lines.append([*key, *cells, _ratio(group)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _time(seconds: object) -> str:
    if not isinstance(seconds, float):
        return "–"
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.3g} µs"


def _ratio(group: dict[str, dict[str, object]]) -> str:
    times = [group.get(f, {}).get("seconds") for f in FRAMEWORKS]
    best = min((t for t in times if isinstance(t, float)), default=None)
    own = group["loopc"]["seconds"]
    return f"{best / own:.2f}" if best is not None and isinstance(own, float) else "–"


def machine() -> str:
    """Return what the figures were measured on."""
    import numpy as np

    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [x for x in cpuinfo.read_text().splitlines() if x.startswith("model name")]
        model = names[0].split(":", 1)[1].strip() if names else model
    versions = [f"Python {platform.python_version()}", f"NumPy {np.__version__}"]
    for package in ("jax", "torch"):
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"no {package}")
    return f"{os.cpu_count()} cores of {model}; {', '.join(versions)}"


def main() -> None:
    """Run what is asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", default="")
    options = parser.parse_args()
    if options.child:
        print(json.dumps(run_here(options.child, options.rounds)))
        return
    names = [n for n in workloads() if not options.only or options.only in n]
    rows = [
        row
        for name in names
        for tuned in (False, True)
        for row in run_fresh(name, options.rounds, tuned=tuned)
    ]
    print(machine())
    print()
    print(table(rows))
    if options.json:
        options.json.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
