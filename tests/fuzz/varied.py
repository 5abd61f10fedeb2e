"""Small programs on the ways of large ones: what extents decide, another number decides as well.

A random program has few cells. By itself it would never run in blocks, or with its products in the
order that pays for large matrices.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

from loopc.backends.numpy import contractions, helpers, planes, sweeps, tile_loops
from loopc.ir.magnitude import Magnitudes
from loopc.ir.nodes import Expr
from loopc.lower import running, strips, tile_rules, value, windows
from loopc.lower.tile_groups import Group

DEFAULTS = (
    ("_blocks", "limit", ("1", "48", "1 << 19")),
    ("_blocks", "run", ("1", "64")),
    ("_long_rows", "few", ("1", "1024")),
    ("_long_rows", "least", ("4", "256")),
    ("_tile", "least", ("1",)),
    ("_rows", "limit", ("1", "1 << 18")),
    ("_planes", "limit", ("1", "1 << 18")),
    ("_running", "limit", ("1", "256")),
    ("_scatter", "few", ("-1", "1024")),
    ("_scatter", "some", ("3", "1 << 15")),
    ("_scatter", "long", ("0", "1024")),
    ("_scatter", "loop", ("0", "64")),
    ("_scatter", "most", ("0", "2", "8")),
    ("_scatter", "wide", ("1", "32")),
    ("_scatter", "many", ("1", "1 << 18")),
    ("_scatter", "each", ("0", "4096")),
    ("_scatter", "part", ("2", "1 << 17")),
    ("_either", "few", ("0", "1024")),
    ("_selected", "points", ("2", "1 << 16")),
    ("_kept", "few", ("0", "4096")),
    ("_beside", "few", ("1", "4096")),
    ("_scan", "width", ("2", "3", "8")),
    ("_strip", "least", ("1", "64")),
    ("_strip", "each", ("1", "1 << 16")),
    ("_strip", "unit", ("1", "16")),
    ("_vdot", "part", ("2", "4096")),
)
"""Parameters of helpers, and the values that they take instead of their own."""

CONSTANTS: tuple[tuple[ModuleType, str, tuple[int, int]], ...] = (
    (planes, "LEAST", (2, 4)),
    (sweeps, "LEAST", (1, 8)),
    (tile_loops, "SMALL", (0, 1 << 15)),
    (value, "MANY", (2, 500)),
    (value, "WORK", (1, 4)),
    (tile_rules, "OPERATIONS", (1, 6)),
    (running, "STEPS", (2, 48)),
    (running, "CELLS", (1, 1 << 10)),
    (strips, "LEAST", (1, 128)),
    (strips, "CELLS", (1, 1 << 18)),
    (strips, "WORK", (1, 3)),
    (contractions, "ONE_THREAD", (1, 10_000)),
    (windows, "UNROLLED", (0, 16)),
    (import_module("loopc.passes.follow_deltas"), "FEW", (1, 16)),
    (import_module("loopc.passes.pass_on_sums"), "FEW", (1, 64)),
)
"""Thresholds of the compiler, likewise."""

LARGE = 400
"""What the extents of some dims are multiplied with where a way is chosen by them."""


@contextmanager
def varied(seed: int) -> Iterator[None]:
    """Compile and run on the ways, and on as many threads, as a number decides."""
    rng = random.Random(f"ways {seed}")
    texts, threads = dict(helpers.HELPERS), os.environ.get("LOOPC_THREADS")
    changes: list[tuple[Any, str, Any]] = [(o, n, rng.choice(found)) for o, n, found in CONSTANTS]
    if rng.randrange(2):
        changes.append((Magnitudes, "typical", _grown(seed)))
    if rng.randrange(3) == 0:
        changes.append((Group, "pays", lambda group, work: group.work() > 0))
    kept = [(owner, name, getattr(owner, name)) for owner, name, _ in changes]
    try:
        for name, parameter, values in DEFAULTS:
            helpers.HELPERS[name] = helpers.with_default(name, parameter, rng.choice(values))
        for owner, name, new in changes:
            setattr(owner, name, new)
        os.environ["LOOPC_THREADS"] = str(rng.randint(1, 3))
        yield
    finally:
        helpers.HELPERS.update(texts)
        for owner, name, own in kept:
            setattr(owner, name, own)
        if threads is None:
            del os.environ["LOOPC_THREADS"]
        else:
            os.environ["LOOPC_THREADS"] = threads


def _grown(seed: int) -> Any:
    """Return the method that tells extents, with some of them large."""
    typical = Magnitudes.typical

    def grown(self: Magnitudes, expr: Expr, *, decides: bool = True) -> int:
        found = typical(self, expr, decides=decides)
        return found * LARGE if random.Random(f"{seed} {expr!r}").randrange(2) else found

    return grown
