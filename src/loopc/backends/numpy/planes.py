"""Planes as Python: tables of places made before the loop, an operation for all points of a plane.

What is computed twice for a plane, nothing that it is made of having been written in between, is
computed once. Several accesses of one array that a sum takes are read by one `take` and added by
one `reduce`; updates of one array by the same value are one `ufunc.at`:

    A1[at] + A2[at] + …       ->  np.add.reduce(A3[rows])
    A1[at] += t; A2[at] += t  ->  np.add.at(A3, rows, t.repeat(2))
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from loopc.backends.numpy.texts import ATOM, SUM, python_tuple
from loopc.diagnostics.record import replace
from loopc.ir import reductions
from loopc.ir.nodes import Const, Expr
from loopc.lower.plan import Apply, Note, Part, Planes, Spot, SpotStore, Value, View
from loopc.lower.plan_visit import arrays_read, map_children, walk
from loopc.lower.value_types import type_of

if TYPE_CHECKING:
    from loopc.backends.numpy.steps import StepSpeller

LEAST = 4
"""From so many accesses on one call for all of them costs less."""

REDUCED = {row.fn: row.ufunc for row in reductions.REDUCTIONS if row.op}


@dataclass
class PlanesSpeller:
    """Spells one nest.

    Attributes:
        steps: spells what stands round it.
        planes: the nest.
        cells: the variable of an array's memory from the first cell of an access on.
        tables: the variable of the places of a plane's points, by their strides.
        rows: for several accesses and the axis they lie along, the variables of memory and of the
            places in it.
        body: the lines for a plane.
        known: the variables of values computed so far.
    """

    steps: StepSpeller
    planes: Planes
    cells: dict[Spot, str] = field(default_factory=dict)
    tables: dict[tuple[Expr, ...], str] = field(default_factory=dict)
    rows: dict[tuple[tuple[Spot, ...], int], tuple[str, str]] = field(default_factory=dict)
    body: list[str] = field(default_factory=list)
    known: dict[Value, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        stores = [s for s in self.planes.body if isinstance(s, SpotStore)]
        values = [
            v for s in stores for v in walk(s.value) if isinstance(v, Apply | Spot) and v.axes
        ]
        self.uses: Counter[Value] = Counter(values)

    def lines(self) -> Iterator[str]:
        """Yield the lines of the nest."""
        for stores in _alike(self.planes.body):
            self._stores(stores)
        speller, planes = self.steps.speller, self.planes
        lows, places = speller.names.fresh("lows"), speller.names.fresh("places")
        strides = [f"({', '.join(map(speller.size, s))})" for s in self.tables]
        given = [speller.sizes(planes.counts), str(planes.weights), python_tuple(strides)]
        number = {s: n for n, s in enumerate(self.tables)}
        several = [
            f"({number[spots[0].strides]}, {python_tuple([speller.size(s.start) for s in spots])},"
            f" {axis})"
            for spots, axis in self.rows
        ]
        given += [python_tuple(several)] if several else []
        yield f"for {lows}, {places} in {speller.helper('_planes')}({', '.join(given)}):"
        for spot, cells in self.cells.items():
            memory = speller.name("row", spot.array)
            start = speller.size(spot.start, SUM)
            yield f"    {cells} = {memory}[{start} + {lows}[{number[spot.strides]}]:]"
        for n, ((spots, _), (cells, _)) in enumerate(self.rows.items(), len(number)):
            yield f"    {cells} = {speller.name('row', spots[0].array)}[{lows}[{n}]:]"
        tables = [*self.tables.values(), *(table for _, table in self.rows.values())]
        yield f"    for {', '.join(tables)}{',' * (len(tables) == 1)} in {places}:"
        yield from (f"        {line}" for line in self.body)

    def _stores(self, stores: Sequence[Note | SpotStore]) -> None:
        updates = [s for s in stores if isinstance(s, SpotStore)]
        if len(updates) < LEAST or not self._fits(updates[0]):
            for each in stores:
                self._store(each)
            return
        self.body += [f"# {s.text}" for s in stores if isinstance(s, Note)]
        first = updates[0]
        row = reductions.by_op(first.op)
        assert row is not None
        text = self.steps.speller.text(self._visited(first.value), ATOM)
        cells, places = self._together(tuple(s.target for s in updates), axis=1)
        self.body.append(f"{row.ufunc}.at({cells}, {places}, {text}.repeat({len(updates)}))")
        self._forget(first.target.array)

    def _fits(self, step: SpotStore) -> bool:
        """Whether an update is by one value for each point, in the type of its array."""
        types = self.steps.speller.types
        dtype = type_of(step.value, types.get)
        return bool(step.value.axes) and dtype is not None and dtype == types.get(step.target.array)

    def _store(self, step: Note | SpotStore) -> None:
        if isinstance(step, Note):
            self.body.append(f"# {step.text}")
            return
        speller = self.steps.speller
        value = self._visited(step.value)
        read = step.op == "=" and self.uses[step.target] > 0 and self._fits(step)
        value = self._held(value) if read or not step.kept else value
        if not step.kept:
            self.known[step.target] = value
            return
        text = speller.text(value)
        cells = self._cells(step.target)
        if step.op in ("=", "+=", "*="):
            self.body.append(f"{cells} {step.op} {text}")
        else:
            row = reductions.by_op(step.op)
            assert row is not None
            self.body.append(f"{cells} = {row.ufunc}({cells}, {text})")
        self._forget(step.target.array)
        if read:
            self.known[step.target] = value

    def _held(self, value: Value) -> Value:
        """Return a variable that has a value."""
        name = self.steps.speller.names.fresh("t")
        self.body.append(f"{name} = {self.steps.speller.text(value)}")
        return self._variable(name, value)

    def _forget(self, array: str) -> None:
        for each in [v for v in self.known if array in arrays_read(v)]:
            del self.known[each]

    def _cells(self, spot: Spot) -> str:
        names = self.steps.speller.names
        cells = self.cells.get(spot)
        if cells is None:
            array = self.steps.speller.name("array", spot.array)
            cells = self.cells[spot] = names.fresh(f"{array}{len(self.cells) + 1}")
        return f"{cells}[{self._table(spot)}]"

    def _table(self, spot: Spot) -> str:
        table = self.tables.get(spot.strides)
        if table is None:
            table = self.tables[spot.strides] = self.steps.speller.names.fresh("at")
        return table

    def _together(self, spots: tuple[Spot, ...], *, axis: int) -> tuple[str, str]:
        """Return the variables of memory and of the places in it, the accesses along an axis."""
        self._table(spots[0])
        if (spots, axis) not in self.rows:
            names = self.steps.speller.names
            array = self.steps.speller.name("array", spots[0].array)
            number = len(self.cells) + len(self.rows) + 1
            self.rows[spots, axis] = names.fresh(f"{array}{number}"), names.fresh("rows")
        return self.rows[spots, axis]

    def _visited(self, value: Value) -> Value:
        """Return a value with variables in the place of views and of what is computed before."""
        if value in self.known:
            return self.known[value]
        short = self._reduced(value) if isinstance(value, Apply) else value
        new = map_children(short, self._visited)
        if isinstance(value, Spot):
            new = self._variable(self._cells(value), value)
        if self.uses[value] < 2:
            return new
        self.known[value] = self._held(new)
        return self.known[value]

    def _reduced(self, value: Apply) -> Value:
        """Return a sum in which accesses of one array are read and added at once."""
        ufunc = REDUCED.get(value.fn)
        if ufunc is None:
            return value
        args: list[Value] = []
        for key, run in groupby(value.args, self._moves):
            spots = list(run)
            if key is None or len(spots) < LEAST:
                args += spots
                continue
            cells, places = self._together(tuple(s for s in spots if isinstance(s, Spot)), axis=0)
            text = f"{ufunc}.reduce({cells}[{places}])"
            args.append(self._variable(text, spots[0]))
        return replace(value, args=tuple(args)) if len(args) > 1 else args[0]

    def _moves(self, value: Value) -> tuple[str, tuple[Expr, ...]] | None:
        """Return the array and the strides of an access to floats that is read once."""
        if not isinstance(value, Spot) or self.uses[value] > 1:
            return None
        dtype = self.steps.speller.types.get(value.array)
        is_float = dtype is not None and dtype.kind in "fc"
        return (value.array, value.strides) if is_float else None

    def _variable(self, text: str, value: Value) -> Value:
        """Return a value that is spelled as `text`."""
        names = self.steps.speller.names
        names.known["array", f"·{text}"] = text
        parts = tuple(Part(Const(0), a, None, 1, whole=True) for a in value.axes)
        return View(f"·{text}", parts, value.axes)


def _alike(body: Sequence[object]) -> Iterator[list[Note | SpotStore]]:
    """Yield the steps, those together that update one array alike by a value made before them."""
    found: list[Note | SpotStore] = []
    stores: list[SpotStore] = []
    for step in body:
        assert isinstance(step, Note | SpotStore)
        if isinstance(step, SpotStore):
            if stores and not _is_alike(stores[0], step):
                last = max(n for n, s in enumerate(found) if isinstance(s, SpotStore)) + 1
                yield found[:last]
                found, stores = found[last:], []
            stores.append(step)
        found.append(step)
    yield found


def _is_alike(a: SpotStore, b: SpotStore) -> bool:
    same = (a.op, a.value, a.target.array, a.target.strides)
    same_ = (b.op, b.value, b.target.array, b.target.strides)
    return a.op != "=" and same == same_ and a.target.array not in arrays_read(a.value)
