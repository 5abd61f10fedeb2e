"""Which steps have the rows and columns of a triangle, by the arrays that they share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from loopc.diagnostics.record import record
from loopc.ir.affine import equal
from loopc.ir.nodes import Const
from loopc.lower.bands import Band, band_of
from loopc.lower.plan import Apply, Assign, Part, Store, View
from loopc.lower.plan_visit import walk
from loopc.lower.tile_units import Unit

Axes = tuple[str, str]
"""The axes of a step that are rows and columns; "": it has no columns."""


@record()
class Seed:
    """A condition in a step: its axes, and the band that it holds in."""

    unit: Unit
    row: str
    column: str
    band: Band


def seeds_of(unit: Unit) -> Iterator[Seed]:
    """Yield the conditions of a step that leave out columns of rows."""
    if not isinstance(unit.step, Assign | Store):
        return
    found: set[Axes] = set()
    for value in walk(unit.step.value):
        if not isinstance(value, Apply) or len(value.axes) != 2:
            continue
        for row, column in (value.axes, value.axes[::-1]):
            band = band_of(value, row, column)
            if (band.low is not None or band.high is not None) and (row, column) not in found:
                found.add((row, column))
                yield Seed(unit, row, column, band)


def accesses(step: Assign | Store) -> tuple[tuple[str, tuple[Part, ...]], ...]:
    """Return the arrays that a step writes and reads as slices, with what each dimension is."""
    if isinstance(step, Store):
        target = step.target.array, step.target.parts
    else:
        parts = tuple(Part(Const(0), a, None, 1, whole=True) for a in step.order)
        target = step.array, parts
    read = [(v.array, v.parts) for v in walk(step.value) if isinstance(v, View)]
    return (target, *read)


def roles(seed: Seed, units: Sequence[Unit]) -> dict[int, Axes]:
    """Return the axes that are rows and columns of the steps that a condition has to do with.

    An array with both hands them on to who writes or reads it, one with rows to who reads it.
    """
    written = {name for unit in units for name in unit.writes}
    places: dict[str, tuple[int, int]] = {}
    found = {id(seed.unit): (seed.row, seed.column)}
    changed = True
    while changed:
        changed = False
        for unit in units:
            if not isinstance(unit.step, Assign | Store):
                continue
            known = found.get(id(unit), ("", ""))
            axes = None if all(known) else _taken(unit, places)
            if axes is not None and _has_extents(unit, axes, seed):
                known = found[id(unit)] = axes
            if not known[0]:
                continue
            for number, (name, parts) in enumerate(unit.ask(accesses)):
                dims = dims_of(parts, known)
                more = name not in places or places[name][1] < dims[1]
                if dims[0] >= 0 and name in written and more and (dims[1] >= 0 or number == 0):
                    places[name] = dims
                    changed = True
    return found


def dims_of(parts: Sequence[Part], axes: Axes) -> tuple[int, int]:
    """Return the dimensions that are rows and columns; -1: none is."""
    own = [p.axis for p in parts]
    row, column = (own.index(a) if a and a in own else -1 for a in axes)
    return row, column


def _taken(unit: Unit, places: Mapping[str, tuple[int, int]]) -> Axes | None:
    """Return a step's axes by those of its arrays; None: it has no rows, or several."""
    if places.keys().isdisjoint(unit.reads) and places.keys().isdisjoint(unit.writes):
        return None
    rows: set[str] = set()
    columns: set[str] = set()
    for name, parts in unit.ask(accesses):
        row, column = places.get(name, (-1, -1))
        if row >= 0:
            rows.add(parts[row].axis)
        if column >= 0:
            columns.add(parts[column].axis)
    if len(rows) != 1 or "" in rows or len(columns) > 1 or "" in columns or rows & columns:
        return None
    return rows.pop(), columns.pop() if columns else ""


def _has_extents(unit: Unit, axes: Axes, seed: Seed) -> bool:
    pairs = zip(axes, (seed.row, seed.column), strict=True)
    return all(
        not own or (own in unit.sizes and equal(unit.sizes[own], seed.unit.sizes[of]))
        for own, of in pairs
    )
