"""Planes as Python: tables of places made before the loop, an operation for all points of a plane.

What is computed twice for a plane, nothing that it is made of having been written in between, is
computed once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loopc.backends.numpy.texts import SUM
from loopc.ir import reductions
from loopc.ir.nodes import Const, Expr
from loopc.lower.plan import Apply, Note, Part, Planes, Spot, SpotStore, Value, View
from loopc.lower.plan_visit import arrays_read, map_children, walk

if TYPE_CHECKING:
    from loopc.backends.numpy.steps import StepSpeller


@dataclass
class PlanesSpeller:
    """Spells one nest.

    Attributes:
        steps: spells what stands round it.
        planes: the nest.
        cells: the variable of an array's memory from the first cell of an access on.
        tables: the variable of the places of a plane's points, by their strides.
        body: the lines for a plane.
        known: the variables of values computed so far.
    """

    steps: StepSpeller
    planes: Planes
    cells: dict[Spot, str] = field(default_factory=dict)
    tables: dict[tuple[Expr, ...], str] = field(default_factory=dict)
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
        for step in self.planes.body:
            if isinstance(step, Note):
                self.body.append(f"# {step.text}")
            else:
                assert isinstance(step, SpotStore)
                self._store(step)
        speller, planes = self.steps.speller, self.planes
        lows, places = speller.names.fresh("lows"), speller.names.fresh("places")
        strides = ", ".join(f"({', '.join(map(speller.size, s))})" for s in self.tables)
        comma = "," if len(self.tables) == 1 else ""
        helper, counts = speller.helper("_planes"), speller.sizes(planes.counts)
        yield f"for {lows}, {places} in {helper}({counts}, {planes.weights}, ({strides}{comma})):"
        for spot, cells in self.cells.items():
            memory = speller.name("row", spot.array)
            number = list(self.tables).index(spot.strides)
            start = speller.size(spot.start, SUM)
            yield f"    {cells} = {memory}[{start} + {lows}[{number}]:]"
        yield f"    for {', '.join(self.tables.values())}{comma} in {places}:"
        yield from (f"        {line}" for line in self.body)

    def _store(self, step: SpotStore) -> None:
        speller = self.steps.speller
        text = speller.text(self._visited(step.value))
        cells = self._cells(step.target)
        if step.op in ("=", "+=", "*="):
            self.body.append(f"{cells} {step.op} {text}")
        else:
            row = reductions.by_op(step.op)
            assert row is not None
            self.body.append(f"{cells} = {row.ufunc}({cells}, {text})")
        gone = [v for v in self.known if step.target.array in arrays_read(v)]
        for each in gone:
            del self.known[each]

    def _cells(self, spot: Spot) -> str:
        names = self.steps.speller.names
        cells = self.cells.get(spot)
        if cells is None:
            array = self.steps.speller.name("array", spot.array)
            cells = self.cells[spot] = names.fresh(f"{array}{len(self.cells) + 1}")
        table = self.tables.get(spot.strides)
        if table is None:
            table = self.tables[spot.strides] = names.fresh("at")
        return f"{cells}[{table}]"

    def _visited(self, value: Value) -> Value:
        """Return a value with variables in the place of views and of what is computed before."""
        if value in self.known:
            return self.known[value]
        new = map_children(value, self._visited)
        if isinstance(value, Spot):
            new = self._variable(self._cells(value), value)
        if self.uses[value] < 2:
            return new
        speller = self.steps.speller
        name = speller.names.fresh("t")
        self.body.append(f"{name} = {speller.text(new)}")
        self.known[value] = self._variable(name, value)
        return self.known[value]

    def _variable(self, text: str, value: Value) -> Value:
        """Return a value that is spelled as `text`."""
        names = self.steps.speller.names
        names.known["array", f"·{text}"] = text
        parts = tuple(Part(Const(0), a, None, 1, whole=True) for a in value.axes)
        return View(f"·{text}", parts, value.axes)
