"""`python -m tests.fuzz --n 20000 --seed 1`: random programs, judged; failures shrunk and printed."""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections import Counter
from pathlib import Path

from . import triangles
from .directions import judge_directions
from .gradients import judge_gradient
from .judge import Verdict, judge, stages
from .programs import Case, case
from .shrink import shrink
from .varied import varied


def main() -> int:
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0, help="number of the first program")
    parser.add_argument(
        "--mode",
        choices=("mixed", "exact", "smooth", "grad", "places", "triangles"),
        default="mixed",
    )
    parser.add_argument("--seconds", type=float, default=1e9, help="stop after that long")
    parser.add_argument("--shrink", type=float, default=20, help="seconds to spend on a failure")
    parser.add_argument("--keep", type=Path, help="a folder for the failing programs")
    parser.add_argument("--stop", type=int, default=20, help="stop after so many kinds of failure")
    parser.add_argument(
        "--mix", action="store_true", help="print how often each production was drawn"
    )
    args = parser.parse_args()
    os.environ["LOOPC_CACHE"] = "off"
    counts: Counter[str] = Counter()
    notes: Counter[str] = Counter()
    failing: list[int] = []
    rejected: Counter[str] = Counter()
    used: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    start = time.monotonic()
    for seed in range(args.seed, args.seed + args.n):
        made = made_case(seed, args.mode)
        verdict = decide(made, args.mode, seed)
        counts[verdict.kind] += 1
        used.update(made.used)
        if verdict.kind == "rejected":
            rejected[verdict.reason] += 1
        if verdict.kind == "ok" and verdict.reason:
            notes[verdict.reason] += 1
        if verdict.kind == "failed":
            failing.append(seed)
            seen[verdict.reason] += 1
            if seen[verdict.reason] <= 2:
                report(made, verdict, seed, args)
            if len(seen) >= args.stop:
                break
        if time.monotonic() - start > args.seconds:
            break
    total = sum(counts.values())
    took = time.monotonic() - start
    print(f"{total} programs, {counts['failed']} mismatches, {counts['rejected'] / max(total, 1):.1%} rejected,"
          f" {total / took:.0f} programs/s, last seed {seed}")  # fmt: skip
    print("rejected:", dict(rejected.most_common()))
    print("noted:", dict(notes.most_common()))
    print("failing:", *failing)
    print("failures:", dict(seen.most_common()))
    if args.mix:
        print(" ".join(f"{n}={c}" for n, c in sorted(used.items())))
    return 1 if counts["failed"] else 0


def made_case(seed: int, mode: str) -> Case:
    """Return the case of a number: in mixed mode one of four is smooth, of gradients one of two.

    `places` are gradients of bare reductions, `triangles` those of sums over triangles.
    """
    if mode == "triangles":
        return triangles.case(random.Random(seed))
    smooth = mode == "smooth" or (mode == "mixed" and seed % 4 == 3)
    gradient = mode in ("grad", "places")
    smooth = smooth or (gradient and seed % 2 == 1)
    return case(random.Random(seed), smooth=smooth, gradient=gradient, placed=mode == "places")


def decide(made: Case, mode: str, seed: int) -> Verdict:
    """Judge a case; most run on ways of larger calls."""
    with varied(seed):
        if mode == "triangles":
            return triangles.judge_triangle(made, seed)
        if mode in ("grad", "places"):
            return judge_directions(made, seed) if made.smooth else judge_gradient(made, seed)
        return judge(made, stages(seed))


def report(made: Case, verdict: Verdict, seed: int, args: argparse.Namespace) -> None:
    """Print a failure, as small as it becomes."""

    def fails(other: Case) -> bool:
        return decide(other, args.mode, seed).reason == verdict.reason

    small = shrink(made, fails, args.shrink) if args.shrink else made
    last = decide(small, args.mode, seed)
    text = f"--- seed {seed}: {verdict.reason}\n{small!r}\n{last.detail[-1800:]}\n"
    print(text)
    sys.stdout.flush()
    if args.keep:
        args.keep.mkdir(parents=True, exist_ok=True)
        (args.keep / f"{seed}.txt").write_text(f"{text}\n{made!r}\n{verdict.detail}")


if __name__ == "__main__":
    sys.exit(main())
