"""Strips of a triangle as Python: a function of the ends of a strip, called for each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loopc.backends.numpy.release import NAME, assigned_to
from loopc.backends.numpy.texts import PRODUCT
from loopc.backends.numpy.tiles import TileSpeller
from loopc.ir.nodes import Expr
from loopc.ir.visit import free_indices
from loopc.lower.blocks import size
from loopc.lower.plan import Note, Step, Store, Strips, Tile
from loopc.lower.plan_names import mentions
from loopc.lower.plan_visit import touched

if TYPE_CHECKING:
    from loopc.backends.numpy.steps import StepSpeller


@dataclass
class Table:
    """The strips that each block of a tile goes through.

    Attributes:
        head: the line of the loop over them.
        largest: the extents that differ from strip to strip, in the largest one.
    """

    head: str
    largest: Mapping[Expr, str]

    def loop(self, body: Sequence[str]) -> Iterator[str]:
        """Yield the lines of the loop; of what nobody reads there are notes alone."""
        if all(line.lstrip().startswith("#") for line in body):
            yield from body
            return
        yield self.head
        yield from (f"    {line}" for line in body)


def lines(steps: StepSpeller, strips: Strips) -> Iterator[str]:
    """Yield the lines of strips."""
    yield from _arrays(steps, strips)
    spelled = _Spelled(steps, strips)
    yield from spelled.sizes()
    tile = spelled.tile()
    yield from spelled.functions() if tile is None else spelled.inside(tile)


@dataclass
class _Spelled:
    """Spells the strips of a triangle.

    Attributes:
        rows: the variable that holds the rows of a strip.
        ends: the variables of a strip's ends, and what they are.
    """

    steps: StepSpeller
    strips: Strips
    rows: str = ""
    ends: dict[str, str] = field(default_factory=dict)

    def sizes(self) -> Iterator[str]:
        """Yield the lines that say how large strips are."""
        speller, rows = self.steps.speller, self.strips.rows
        start, stop = (speller.name("index", end) for end in (rows.low, rows.high))
        count = speller.size(rows.extent)
        cells = " * ".join(speller.count(n, PRODUCT) for n in self.strips.cells)
        self.rows = speller.names.fresh(f"{rows.low.removesuffix('_start')}_rows")
        yield f"{self.rows} = {speller.helper('_strip')}({count}, {cells})"
        bounded = ""
        if self.strips.products:
            bounded = speller.names.fresh("bounded")
            speller.helper("_vdot")
            products = _products(self.steps, self.strips)
            yield f"{bounded} = {speller.helper('_bounded')}({products})"
        self.ends = {start: f"range(0, {count}, {self.rows})"}
        self.ends[stop] = f"min({start} + {self.rows}, {count})"
        self.ends |= dict(_ends(self.steps, self.strips, bounded))
        speller.hints.counts |= {size(self.strips.rows), size(self.strips.columns)}

    def _loop(self, body: Iterable[str]) -> Iterator[str]:
        """Yield the lines of a loop over strips."""
        (start, every), *ends = self.ends.items()
        yield f"for {start} in {every}:"
        yield from (f"    {name} = {value}" for name, value in ends)
        yield from (f"    {line}" for line in body)

    # Steps that need the whole of a strip

    def functions(self) -> Iterator[str]:
        """Yield the lines of a function of a strip, and of its calls."""
        steps, speller = self.steps, self.steps.speller
        steps.count += 1
        function = speller.names.fresh(f"strip{steps.count}")
        arguments = ", ".join(self.ends)
        yield f"def {function}({arguments}):"
        written = touched(self.strips)[1]
        numbers = sorted(speller.name("array", n) for n in written & speller.scalars)
        if numbers:
            yield f"    nonlocal {', '.join(numbers)}"
        shapes, own = speller.shapes, {a.array: a.shape for a in self.strips.local}
        speller.shapes, steps.in_strip = {**shapes, **own}, True
        yield from steps.inside(self.strips.body)
        speller.shapes, steps.in_strip = shapes, False
        yield from self._loop([f"{function}({arguments})"])

    # A tile that goes through the strips in each block

    def tile(self) -> TileSpeller | None:
        """Return what spells the only step, if that is a tile of other indices."""
        body = [s for s in self.strips.body if not isinstance(s, Note)]
        tile = body[0]
        rows, columns = self.strips.rows, self.strips.columns
        ends = {n for i in (rows, columns) for n in (i.low, i.high) if n}
        if (
            len(body) > 1
            or not isinstance(tile, Tile)
            or any(not ends.isdisjoint(free_indices(i.extent)) for i in tile.indices)
            or any(_adds_to_columns(step, tile, ends) for step in tile.body)
        ):
            return None
        made = TileSpeller(self.steps, tile)
        sizes = {size(rows), size(columns)}
        for operation in made.graph.operations:
            for extent in operation.dims or ():
                if extent not in sizes and not ends.isdisjoint(free_indices(extent)):
                    return None
        return made

    def inside(self, tile: TileSpeller) -> Iterator[str]:
        """Yield the lines of a table of strips and what blocks share, and of the tile."""
        tile.prepare()
        names = self.steps.speller.names
        table = names.fresh("strips")
        words = {w for line in tile.body for w in re.findall(NAME, line)}
        own = [n for line in tile.head for n in assigned_to(line) if n in words]
        found = ", ".join([*self.ends, *own])
        yield f"{table} = []"
        yield from self._loop([*tile.head, f"{table}.append(({found}))"])
        columns = self.steps.speller.count(self.strips.columns.extent)
        largest = {size(self.strips.rows): self.rows, size(self.strips.columns): columns}
        tile.table = Table(f"for {found} in {table}:", largest)
        yield from tile.loop()


def _adds_to_columns(step: Step, tile: Tile, ends: set[str]) -> bool:
    """Whether a step adds a sum over a tile's blocks to a part of an array that strips have."""
    if not isinstance(step, Store):
        return False
    blocks = {n for i in tile.indices for n in (i.low, i.high)}
    parts = step.target.parts
    return any(mentions(p, ends) for p in parts) and not any(mentions(p, blocks) for p in parts)


def _arrays(steps: StepSpeller, strips: Strips) -> Iterator[str]:
    """Yield the lines that make arrays; a result may be made in the caller's."""
    for alloc in (*strips.made, *strips.sums):
        name, zeros = steps.speller.name("array", alloc.array), alloc in strips.sums
        own = steps.prepared is not None and alloc.array in steps.results
        if not alloc.shape or (zeros and not own):
            yield f"{name} = {steps.allocated(alloc)}"
            continue
        shape, dtype = steps.speller.sizes(alloc.shape), steps.speller.dtype(alloc.dtype)
        yield from steps.empty(name, alloc.array, f"np.empty({shape}, {dtype})", small=False)
        if zeros:
            yield f"{name}[...] = 0"


def _ends(steps: StepSpeller, strips: Strips, bounded: str) -> Iterator[tuple[str, str]]:
    """Yield the variables of a strip's columns, and where these start and stop."""
    speller, columns = steps.speller, strips.columns
    whole = ("0", speller.size(columns.extent))
    places = (strips.first, strips.stop)
    for end, place, otherwise in zip((columns.low, columns.high), places, whole, strict=True):
        if place is not None:
            text = speller.size(place)
            text = f"{text} if {bounded} else {otherwise}" if bounded else text
            yield speller.name("index", end), text


def _products(steps: StepSpeller, strips: Strips) -> str:
    """Spell the products of arrays' norms as tuples of arrays."""
    names = [[steps.speller.name("array", n) for n in arrays] for arrays in strips.products]
    return ", ".join(f"({', '.join(own)}{',' if len(own) == 1 else ''})" for own in names)
