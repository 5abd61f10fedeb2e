"""Sweeps as Python: blocks of rows, in each the steps of the serial loop, in each its stages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from loopc.backends.numpy.flat_rows import FlatSpeller, named
from loopc.backends.numpy.texts import SUM
from loopc.backends.numpy.tiles import TileSpeller
from loopc.lower.plan import Stage, Sweep

if TYPE_CHECKING:
    from loopc.backends.numpy.steps import StepSpeller

LEAST = 8
"""How many times the rows of a block are those that it leaves behind from step to step."""


def lines(steps: StepSpeller, sweep: Sweep) -> Iterator[str]:
    """Yield the lines of a sweep."""
    speller = steps.speller
    base = speller.name("index", sweep.index)
    flat: dict[tuple[str, int], str] = {}
    tiles = [_speller(steps, stage, flat) for stage in sweep.body]
    if not steps.around:
        steps.set_steady(sweep)
    steps.around.append(base)
    for tile in tiles:
        tile.prepare()
    steps.around.pop()
    names = speller.names
    times, rows, total = (names.fresh(f"{base}_{n}") for n in ("values", "rows", "total"))
    first, number = names.fresh(f"{base}_row"), names.fresh(f"{base}_number")
    extents = [s.tile.indices[0].extent for s in sweep.body]
    counts = {speller.count(e): speller.count(e, SUM + 1) for e in extents}
    count = _largest(counts)
    less = counts.get(count, count)
    last = max(s.shift for s in sweep.body)
    start, stop = speller.size(sweep.start), speller.size(sweep.stop)
    cell = _largest(t.cell() for t in tiles)
    by = f", {sweep.step}" if sweep.step != 1 else ""
    bounds = stop if start == "0" and not by else f"{start}, {stop}{by}"
    yield f"{times} = range({bounds})"
    even = not sweep.skew and not last and len(counts) == 1
    more = "" if even else f" + {last} + {sweep.skew} * max(len({times}) - 1, 0)"
    yield f"{total} = {count}{more}"
    yield f"{rows} = {speller.helper('_rows')}({count}, {total}, {cell}, {LEAST * sweep.skew})"
    for tile in tiles:
        yield from tile.allocations([f"min({rows}, {count})"])
    ends = [_ends(steps, sweep, stage, (first, number, rows)) for stage in sweep.body]
    body = [
        line
        for own, tile in zip(ends, tiles, strict=True)
        for line in _stage(tile, [] if even else own)
    ]
    if not steps.around:
        yield from steps.copies(body)
    yield from named(speller, flat, body)
    if not even and any(re.search(rf"\b{base}\b", line.partition("#")[0]) for line in body):
        body.insert(0, f"{base} = {times}[{number}]")
    reached = _reached(sweep, first, rows, less, times, last)
    inner = [
        f"for {base} in {times}:" if even else f"for {number} in {reached}:",
        *(f"    {line}" for line in body),
    ]
    steps.around.append(first)
    inner = list(steps.without_invariants(inner))
    steps.around.pop()
    if even:  # every step has the rows of the block
        inner[:0] = [line for own in ends for line in own]
    whole = [f"for {first} in range(0, {total}, {rows}):", *(f"    {line}" for line in inner)]
    yield from steps.without_invariants(whole)


def _speller(steps: StepSpeller, stage: Stage, names: dict[tuple[str, int], str]) -> TileSpeller:
    """Return what spells a stage: where its rows are runs of memory, these."""
    flat = FlatSpeller(steps, stage.tile, in_sweep=True, flat=names)
    return flat if flat.behind else TileSpeller(steps, stage.tile, in_sweep=True)


def _largest(texts: Iterable[str]) -> str:
    """Return the text of the largest of some numbers."""
    found = list(dict.fromkeys(texts))
    return found[0] if len(found) == 1 else f"max({', '.join(found)})"


def _reached(sweep: Sweep, first: str, rows: str, count: str, times: str, last: int) -> str:
    """Return the range of the steps in which a block has rows."""
    if not sweep.skew:
        return f"range(len({times}))"
    behind = f" - {last}" if last else ""
    least, most = f"{first} - {count}{behind}", f"{first} + {rows}"
    if sweep.skew > 1:
        least, most = f"({least}) // {sweep.skew}", f"({most} - 1) // {sweep.skew} + 1"
    return f"range(max({least}, 0), min({most}, len({times})))"


def _ends(steps: StepSpeller, sweep: Sweep, stage: Stage, names: tuple[str, str, str]) -> list[str]:
    """Return the lines that find the first row of a stage and the one behind its last."""
    first, number, rows = names
    speller = steps.speller
    index = stage.tile.indices[0]
    low, high = speller.name("index", index.low), speller.name("index", index.high)
    by = f"{sweep.skew} * " if sweep.skew > 1 else ""
    behind = f" - {by}{number}" if sweep.skew else ""
    behind += f" - {stage.shift}" if stage.shift else ""
    start = f"max({first}{behind}, 0)" if behind else first
    return [
        f"{low} = {start}",
        f"{high} = min({first} + {rows}{behind}, {speller.size(index.extent)})",
    ]


def _stage(tile: TileSpeller, ends: list[str]) -> Iterator[str]:
    """Yield the lines of a stage, if it has rows and columns."""
    columns = tile.columns if isinstance(tile, FlatSpeller) else []
    some = [" < ".join(line.partition(" = ")[0] for line in ends)] if ends else []
    conditions = [*some, *(f"{c} > 0" for c in columns)]
    lines = [*tile.head, *tile.block()]
    if not conditions:
        yield from lines
        return
    yield from ends
    yield f"if {' and '.join(conditions)}:"
    for line in lines:
        yield f"    {line}"
