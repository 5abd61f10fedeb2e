"""Strips of a triangle: steps run for some rows at a time, with the columns alone that these have.

Where conditions such as `j <= i` leave out most columns of a row (a causal attention, pairs of
points, a triangular matrix), steps over rows and columns run in a loop over strips of rows. What
they make of a strip is as long as its last row; what they add up over rows goes into the columns
of each strip. Tiles are found in a strip afterwards.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import TypeGuard

from loopc.ir.affine import Affine, equal, simplify, to_expr
from loopc.ir.dtypes import DType
from loopc.ir.functions import lookup
from loopc.ir.magnitude import Magnitudes
from loopc.ir.nodes import Call, Const, Expr
from loopc.lower.bands import EMPTY, Norms, Outside, Values, has_passes
from loopc.lower.blocks import begin, end
from loopc.lower.plan import (
    Alloc,
    Along,
    Apply,
    Assign,
    Contract,
    Fold,
    Selected,
    Step,
    Store,
    Strips,
    TileIndex,
    Value,
)
from loopc.lower.plan_visit import children, walk
from loopc.lower.strip_axes import Axes, Seed, accesses, dims_of, roles, seeds_of
from loopc.lower.tile_groups import PASSES, Group, Shapes
from loopc.lower.tile_rules import reads_itself, target_axes
from loopc.lower.tile_steps import of_block, written_in_parts
from loopc.lower.tile_units import Member, Unit, listed, units_of

LEAST = 128
"""The rows and columns that are worth strips."""

CELLS = 1 << 18
"""The cells of a value over both that are."""

WORK = 3
"""The operations on such values that are."""

MATRICES = 100
"""What a product of matrices counts for."""


def stripped(
    steps: Sequence[Step],
    made: set[str],
    outputs: set[str],
    shapes: Shapes,
    types: Mapping[str, DType],
    sizes: Magnitudes,
) -> Sequence[Step]:
    """Return steps, those over triangles in strips.

    Args:
        steps: the steps.
        made: the arrays that exist before them.
        outputs: those that are read after them.
        shapes: of the arrays.
        types: of the arrays.
        sizes: of the call at hand.
    """
    units = left = units_of(steps)
    for seed in [s for unit in units for s in seeds_of(unit)]:
        if any(u is seed.unit for u in left) and _is_large(seed, sizes):
            axes = roles(seed, left)
            left = _Triangle(seed, made, outputs, shapes, types).units(left, axes) or left
    return steps if left is units else listed(left)


def _largest(seed: Seed) -> tuple[Expr, ...]:
    """Return the extents of a value of a step that has rows and columns, and most other axes."""
    step = seed.unit.step
    assert isinstance(step, Assign | Store)
    spans = [target_axes(step), *(v.axes for v in walk(step.value))]
    both = [s for s in spans if seed.row in s and seed.column in s]
    return tuple(seed.unit.sizes[a] for a in max(both, key=len))


def _is_large(seed: Seed, sizes: Magnitudes) -> bool:
    """Whether strips are worth their calls; they are made where extents are not known."""
    ends = [sizes.known(seed.unit.sizes[a]) for a in (seed.row, seed.column)]
    cells = [sizes.known(n) for n in _largest(seed)]
    if any(n is not None and n < LEAST for n in ends):
        return False
    return None in cells or prod(n for n in cells if n is not None) >= CELLS


def _step(member: Member) -> Assign | Store:
    step = member.unit.step
    assert isinstance(step, Assign | Store)
    return step


# Strips


@dataclass
class _Triangle:
    """Finds the steps that can run in the strips of a condition."""

    seed: Seed
    made: set[str]
    outputs: set[str]
    shapes: Shapes
    types: Mapping[str, DType]
    arrays: dict[str, Outside | None] = field(default_factory=dict)
    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    products: Norms = EMPTY

    def units(self, units: Sequence[Unit], axes: Mapping[int, Axes]) -> list[Unit] | None:
        """Return steps with those of the condition in strips; None: that cannot be, or pays not."""
        left = dict(axes)
        while id(self.seed.unit) in left:
            group, ahead = self._grown(units, left)
            own = {id(m.unit) for m in group.members}
            before, later = group.around()
            kept = self.outputs | {n for u in later for n in u.reads | u.writes}
            wrong = self._wrong(group.members, left, kept)
            if not wrong and len(own) == len(left):
                if not self._pays(group, left, units):
                    return None
                return [*ahead, *before, self._unit(group, left, kept), *later]
            left = {n: each for n, each in left.items() if n in own and n not in wrong}
        return None

    def _grown(
        self, units: Sequence[Unit], axes: Mapping[int, Axes]
    ) -> tuple[Group, Sequence[Unit]]:
        """Return the group of the steps, and what comes before its first one."""
        first = next(n for n, u in enumerate(units) if id(u) in axes)
        made = self.made.union(*(u.writes for u in units[:first]))
        group = Group(1, made, rows={n: (row,) for n, (row, _) in axes.items()})
        group.grow(units[first:])
        return group, units[:first]

    def _pays(self, group: Group, axes: Mapping[int, Axes], units: Sequence[Unit]) -> bool:
        """Whether steps do more on rows and columns than strips cost.

        What one step alone computes, others that have a condition may compute as well: in a tile
        of all of them it is computed once.
        """
        work = []
        for member in group.members:
            row, column = axes[id(member.unit)]
            values = walk(_step(member).value)
            work.append(sum(_work(v) for v in values if {row, column} <= _axes(v)))
        own = {id(m.unit) for m in group.members}
        shares = len(own) == 1 and any(any(seeds_of(u)) for u in units if id(u) not in own)
        return sum(work) >= (MATRICES if shares else WORK)

    # Which of them give the same where columns are left out

    def _wrong(
        self, members: Sequence[Member], axes: Mapping[int, Axes], kept: set[str]
    ) -> set[int]:
        """Return members, by identity, that need all columns, or have nothing to do with them."""
        self.arrays, self.places, self.products = {}, {}, EMPTY
        written = {n for m in members for n in m.unit.writes}
        wrong: set[int] = set()
        for member in members:
            unit, step = member.unit, _step(member)
            row, column = axes[id(unit)]
            if not self._reads_well(unit, (row, column)):
                wrong.add(id(unit))
                continue
            if not column:
                others = [m.unit for m in members if m is not member]
                before = any(u.writes & unit.reads for u in others)
                if not before or not any(u.reads & unit.writes for u in others):
                    wrong.add(id(unit))
                continue
            values = Values(self.seed.band, row, column, self.arrays, written, self.types)
            needs = values.needs(step.value)
            if needs is None or not self._writes_well(member, values, kept):
                wrong.add(id(unit))
            else:
                self.products |= needs
        return wrong

    def _reads_well(self, unit: Unit, axes: Axes) -> bool:
        """Whether rows and columns of a strip are read as what they are."""
        return all(
            name not in self.places
            or (dims_of(parts, axes) == self.places[name] and parts[self.places[name][1]].whole)
            for name, parts in unit.ask(accesses)
        )

    def _writes_well(self, member: Member, values: Values, kept: set[str]) -> bool:
        """Whether what a step writes is known outside, as far as others read it there."""
        step = _step(member)
        name, target = member.unit.ask(accesses)[0]
        dims = dims_of(target, (values.row, values.column))
        if member.sums or dims[1] < 0:
            return True
        found = values.of(step.value)
        new = isinstance(step, Assign)
        if isinstance(step, Store) and name in self.arrays:
            found = values.of(Apply("add", (step.target, step.value), step.target.axes))
            found = found if step.op == "+=" else None
        elif isinstance(step, Store) and step.op != "+=":
            return False
        if not new and not target[dims[1]].whole:
            return False
        known = new or name in self.arrays
        self.places[name] = dims
        self.arrays[name] = found if known else None
        if known and name not in kept:
            return True
        if found is None or not found.is_zero:
            return False
        self.products |= found.needs
        return True

    # The step

    def _unit(self, group: Group, axes: Mapping[int, Axes], kept: set[str]) -> Unit:
        """Return a group as one step."""
        seed, band = self.seed, self.seed.band
        sizes = seed.unit.sizes
        names = [a.replace("°", "") for a in (seed.row, seed.column)]
        rows = TileIndex(f"{names[0]}_start", f"{names[0]}_stop", sizes[seed.row])
        low = f"{names[1]}_start" if band.low is not None else ""
        high = f"{names[1]}_stop" if band.high is not None else ""
        columns = TileIndex(low, high, sizes[seed.column])
        steps = [_step(m) for m in group.members]
        fresh = [s.array for s in steps if isinstance(s, Assign) and not reads_itself(s)]
        shared = kept | group.sums | written_in_parts(group.members)
        local = tuple(n for n in fresh if n not in shared)
        made = [
            Alloc(n, self.shapes[n], self.types[n], 0)
            for n in dict.fromkeys(fresh)
            if n not in local
        ]
        zeros = group.sums | self.places.keys()
        body: list[Step] = []
        for member in group.members:
            if member.unit.note is not None:
                body.append(member.unit.note)
            row, column = axes[id(member.unit)]
            blocks = {row: rows, column: columns} if column else {row: rows}
            body.append(of_block(member, blocks, local, self.shapes))
        step = Strips(
            rows,
            columns,
            _first(band.low, rows, columns),
            _stop(band.high, rows, columns),
            _largest(seed),
            _least(self.products),
            tuple(a for a in made if a.array not in zeros),
            tuple(a for a in made if a.array in zeros),
            tuple(Alloc(s.array, s.shape, s.dtype, 0) for s in body if _is_of(s, local)),
            tuple(body),
        )
        return Unit(None, step, frozenset(group.own.reads), frozenset(group.own.writes), {})


def _axes(value: Value) -> set[str]:
    """Return the axes that an operation goes over."""
    return {x for each in (value, *children(value)) for x in each.axes}


def _work(value: Value) -> int:
    """Return what an operation counts for: choices and signs for nothing."""
    match value:
        case Contract(args) | Selected(args):
            return MATRICES if len({x for a in args for x in a.axes}) > 2 else 1
        case Fold(op) | Along(op):
            return PASSES if has_passes(op) else 1
        case Apply(fn, args) if fn not in ("where", "neg"):
            row = lookup(fn)
            return 0 if row is None or row.result == "bool" else max(1, len(args) - 1)
        case _:
            return 0


def _is_of(step: Step, local: Collection[str]) -> TypeGuard[Assign]:
    """Whether a step makes an array of a strip."""
    return isinstance(step, Assign) and step.array in local


def _first(low: Affine | None, rows: TileIndex, columns: TileIndex) -> Expr | None:
    """Return the first column of a strip: at least one is in it."""
    if low is None:
        return None
    place = simplify(Call("add", (begin(rows), to_expr(low))))
    last = simplify(Call("add", (columns.extent, Const(-1))))
    place = Call("max", (Const(0), place)) if low.constant < 0 or low.terms else place
    return Call("min", (place, last))


def _stop(high: Affine | None, rows: TileIndex, columns: TileIndex) -> Expr | None:
    """Return the column behind the last one of a strip."""
    if high is None:
        return None
    place = simplify(Call("add", (end(rows), to_expr(high))))
    place = Call("max", (Const(1), place)) if high.constant < 0 or high.terms else place
    inside = high.constant <= 0 and not high.terms and equal(rows.extent, columns.extent)
    return place if inside else Call("min", (place, columns.extent))


def _least(products: Norms) -> tuple[tuple[str, ...], ...]:
    """Return products without those that are finite if another one, which has their factors, is."""
    return tuple(
        own for own in sorted(products) if not any(set(own) < set(other) for other in products)
    )
