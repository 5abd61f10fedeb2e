"""Run the benchmarks: `python -m benchmarks.report [--only NAME] [--growth] [--json F] [--png F]`.

Every workload runs in two fresh processes: with malloc as shipped, and tuned so that large blocks
are kept (the frameworks' honest best); peak memory is measured in one more for each contender.
No figure is asserted.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import json
import math
import os
import platform
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.harness import Workload, measure, peak_bytes

TUNED = {
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "17179869184",
    "MALLOC_TOP_PAD_": "268435456",
}
ONE_THREAD = {
    "BENCH_CPU": "1",
    "LOOPC_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}
FRAMEWORKS = ("jax", "torch", "torch compiled")


STATISTIC = ["seconds"]
"""The median; `least` on a machine that does other work."""
CONTENDERS = ("loopc", "numpy", *FRAMEWORKS, "autograd")

Row = dict[str, Any]


def workloads() -> list[str]:
    """Return the names of the workloads: one file each."""
    folder = Path(__file__).parent
    return sorted(p.stem.removeprefix("bench_") for p in folder.glob("bench_*.py"))


def load(name: str) -> Workload:
    """Return a workload by name."""
    found: Workload = importlib.import_module(f"benchmarks.bench_{name}").WORKLOAD
    return found


def run_here(name: str, rounds: int, *, growth: bool) -> list[Row]:
    """Measure one workload in this process."""
    workload = load(name)
    rows: list[Row] = []
    for size in workload.sizes if growth else [workload.main_size]:
        for timing in measure(workload, size, rounds):
            row = asdict(timing) | {"workload": name, "size": size}
            del row["samples"]
            rows.append(row)
    return rows


def child(arguments: list[str], *, tuned: bool = False) -> Any:
    """Run this module in a fresh process; return what it prints last, read as JSON."""
    environment = {**os.environ, **(TUNED if tuned else {})}
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.report", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stderr)
        raise SystemExit(f"{' '.join(arguments)} failed")
    return json.loads(done.stdout.splitlines()[-1])


def run_fresh(name: str, options: argparse.Namespace) -> list[Row]:
    """Measure one workload in fresh processes: time for both mallocs, and peak memory."""
    rows: list[Row] = []
    for tuned in (False, True):
        arguments = ["--child", name, "--rounds", str(options.rounds)]
        arguments += ["--growth"] if options.growth and not tuned else []
        malloc = {"malloc": "tuned" if tuned else "shipped"}
        rows += [row | malloc for row in child(arguments, tuned=tuned)]
    if options.memory:
        for row in rows:
            if row["malloc"] == "shipped" and row["contender"] in CONTENDERS and row["seconds"]:
                arguments = ["--child", name, "--peak", str(row["contender"])]
                row["peak"] = child([*arguments, "--size", str(row["size"])])
    return rows


def table(rows: list[Row]) -> str:
    """Return the results as a Markdown table, a line for each workload, size and malloc."""
    head = ["workload", "size", "malloc", *CONTENDERS, "best framework / loopc", "numpy / loopc"]
    lines = [head, ["---"] * len(head)]
    for key, group in grouped(rows).items():
        cells = [_time(group.get(c, {}).get(STATISTIC[0])) for c in CONTENDERS]
        lines.append([*key, *cells, _text(ratio(group)), _text(ratio(group, ("numpy",)))])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def memory_table(rows: list[Row]) -> str:
    """Return the peaks as a Markdown table, in MB."""
    measured = [r for r in rows if "peak" in r]
    lines = [["workload", "size", *CONTENDERS], ["---"] * (2 + len(CONTENDERS))]
    for key, group in grouped(measured).items():
        peaks = [group.get(c, {}).get("peak") for c in CONTENDERS]
        lines.append([*key[:2], *("–" if p is None else f"{p / 1e6:.3g}" for p in peaks)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def grouped(rows: list[Row]) -> dict[tuple[str, str, str], dict[str, Row]]:
    """Return rows by workload, size and malloc, then by contender."""
    groups: dict[tuple[str, str, str], dict[str, Row]] = {}
    for row in rows:
        key = (row["workload"], row["size"], row["malloc"])
        groups.setdefault(key, {})[row["contender"]] = row
    return groups


def ratio(group: dict[str, Row], peers: tuple[str, ...] = FRAMEWORKS) -> float | None:
    """Return the time of the best of some peers over loopc's."""
    times = [group.get(f, {}).get(STATISTIC[0]) for f in peers]
    best = min((t for t in times if t), default=None)
    own = group["loopc"][STATISTIC[0]]
    return best / own if best and own else None


def means(rows: list[Row]) -> str:
    """Return the geometric means over the main sizes."""
    main = {n: load(n).main_size for n in {r["workload"] for r in rows}}
    lines = []
    for malloc in ("shipped", "tuned"):
        groups = [g for k, g in grouped(rows).items() if k[1:] == (main[k[0]], malloc)]
        for title, peers in (("the best framework", FRAMEWORKS), ("expert NumPy", ("numpy",))):
            ratios = [r for r in (ratio(g, peers) for g in groups) if r]
            if ratios:
                mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
                lines.append(
                    f"malloc {malloc}, {title} / loopc: geometric mean {mean:.2f}, "
                    f"least {min(ratios):.2f}, of {len(ratios)} workloads"
                )
    return "\n".join(lines)


def chart(rows: list[Row], path: Path) -> None:
    """Draw the ratio to the best framework and to expert NumPy, a bar for each workload."""
    from matplotlib.figure import Figure

    main = {n: load(n).main_size for n in {r["workload"] for r in rows}}
    groups = {k[0]: g for k, g in grouped(rows).items() if k[1] == main[k[0]] and k[2] == "shipped"}
    names = list(groups)
    figure = Figure(figsize=(8, 0.45 * len(names) + 1.2), layout="constrained")
    axes = figure.subplots()
    for shift, title, peers in ((0.2, "best framework", FRAMEWORKS), (-0.2, "NumPy", ("numpy",))):
        values = [ratio(groups[n], peers) or math.nan for n in names]
        places = [y + shift for y in range(len(names))]
        bars = axes.barh(places, values, height=0.38, label=title)
        axes.bar_label(bars, fmt="%.2f", padding=3, fontsize=8)
    axes.set_yticks(range(len(names)), names)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_xlabel("time of the peer / time of loopc (right of 1: loopc is faster)")
    axes.legend(loc="best")
    figure.savefig(path, dpi=120)


def _time(seconds: object) -> str:
    if not isinstance(seconds, float):
        return "–"
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.3g} µs"


def _text(number: float | None) -> str:
    return "–" if number is None else f"{number:.2f}"


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
    """Run what is asked for and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="parts of workloads' names, with commas")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--growth", action="store_true", help="all sizes, not the main ones alone")
    parser.add_argument("--no-memory", dest="memory", action="store_false")
    parser.add_argument(
        "--cpu", action="store_true", help="processor time, one thread: for a busy machine"
    )
    parser.add_argument("--least", action="store_true", help="fastest rounds, not medians")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--png", type=Path)
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    parser.add_argument("--peak", default="", help=argparse.SUPPRESS)
    parser.add_argument("--size", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        print(json.dumps(peak_bytes(load(options.child), options.size, options.peak)))
        return
    if options.child:
        print(json.dumps(run_here(options.child, options.rounds, growth=options.growth)))
        return
    if options.cpu:
        os.environ.update(ONE_THREAD)
    if options.least:
        STATISTIC[0] = "least"
    names = [n for n in workloads() if any(part in n for part in options.only.split(","))]
    if not names:
        raise SystemExit(f"no workload is called {options.only}: {', '.join(workloads())}")
    rows: list[Row] = []
    for name in names:
        rows += run_fresh(name, options)
        if options.json:
            options.json.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=1))
    parts = [machine(), table(rows), memory_table(rows) if options.memory else "", means(rows)]
    print("\n\n".join(p for p in parts if p))
    if options.png:
        chart(rows, options.png)


if __name__ == "__main__":
    main()
