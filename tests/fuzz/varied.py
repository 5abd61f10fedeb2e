"""Small programs on the ways of large ones: what extents decide, another number decides as well.

A random program has few cells. By itself it would never run in blocks, or with its products in the
order that pays for large matrices.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager

from loopc.backends.numpy import helpers, planes, sweeps
from loopc.ir.magnitude import Magnitudes
from loopc.ir.nodes import Expr

DEFAULTS = (
    ("_blocks", "limit", ("1", "48", "1 << 19")),
    ("_tile", "least", ("1",)),
    ("_rows", "limit", ("1", "1 << 18")),
    ("_planes", "limit", ("1", "1 << 18")),
    ("_running", "limit", ("1", "256")),
    ("_scatter", "few", ("-1", "1024")),
    ("_scatter", "some", ("3", "1 << 15")),
    ("_either", "few", ("0", "1024")),
    ("_selected", "points", ("2", "1 << 16")),
)
"""Parameters of helpers, and the values that they take instead of their own."""

LARGE = 400
"""What the extents of some dims are multiplied with where a way is chosen by them."""


@contextmanager
def varied(seed: int) -> Iterator[None]:
    """Compile and run on the ways, and on as many threads, as a number decides."""
    rng = random.Random(f"ways {seed}")
    texts, threads, typical = (
        dict(helpers.HELPERS),
        os.environ.get("LOOPC_THREADS"),
        Magnitudes.typical,
    )
    least = planes.LEAST, sweeps.LEAST
    large = rng.randrange(2)

    def grown(self: Magnitudes, expr: Expr, *, decides: bool = True) -> int:
        found = typical(self, expr, decides=decides)
        return found * LARGE if large and random.Random(f"{seed} {expr!r}").randrange(2) else found

    try:
        for name, parameter, values in DEFAULTS:
            helpers.HELPERS[name] = helpers.with_default(name, parameter, rng.choice(values))
        planes.LEAST, sweeps.LEAST = rng.choice((least, (1, 1)))
        Magnitudes.typical = grown  # type: ignore[method-assign]
        os.environ["LOOPC_THREADS"] = str(rng.randint(1, 3))
        yield
    finally:
        helpers.HELPERS.update(texts)
        planes.LEAST, sweeps.LEAST = least
        Magnitudes.typical = typical  # type: ignore[method-assign]
        if threads is None:
            del os.environ["LOOPC_THREADS"]
        else:
            os.environ["LOOPC_THREADS"] = threads
