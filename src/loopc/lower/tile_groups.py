"""A group of steps that share outer indices, under construction: which ones join it, and why.

What each member reads of what the others write is what they wrote at the same point of the shared
indices; steps in between that cannot join go before the group, or behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeAlias

from loopc.ir.affine import equal
from loopc.ir.dtypes import DType
from loopc.ir.nodes import Expr, IndexRef, Read
from loopc.ir.visit import walk
from loopc.lower.bands import has_passes
from loopc.lower.plan import (
    Along,
    Apply,
    Assign,
    Contract,
    Fold,
    Overlap,
    Selected,
    Store,
)
from loopc.lower.tile_rules import (
    Alignment,
    Tileable,
    adds_up,
    alignments,
    batches,
    can_be_made_in_blocks,
    divides_sums,
    functions,
    large,
    looks_through_windows,
    repeats,
    target_axes,
    views,
    written,
)
from loopc.lower.tile_steps import Arrays, tile
from loopc.lower.tile_units import MOVABLE, Member, Touched, Unit

WINDOW = 400
"""How many steps behind the first of a group may join it."""

Shapes: TypeAlias = Mapping[str, tuple[Expr, ...]]

PASSES = 4
"""The operations that a softmax and its like count for."""

OPERATIONS = (Fold, Along, Contract, Selected)


@dataclass
class Group:
    """A group of steps under construction.

    Attributes:
        depth: the number of shared indices.
        made: the arrays that exist before each step.
        lead: the number of the first step's index that is shared first.
        sizes: the extents of the shared indices.
        touched: the arrays that each member writes, or reads at a point of the shared indices.
        places: for every array written: how it runs over the shared indices.
        read: for every array read: the same, None where it does not.
        sums: the arrays that are added up.
        again: how many members find functions computed at the same points by others.
        apart: steps that may not join, by identity: they have nothing to do with the first one.
        rows: the axes of the steps that may, by identity, if blocks are rows of products, too.
        before, behind, rest: the other steps.
    """

    depth: int
    made: set[str]
    lead: int = 0
    apart: frozenset[int] = frozenset()
    rows: Mapping[int, tuple[str, ...]] | None = None
    sizes: tuple[Expr, ...] = ()
    members: list[Member] = field(default_factory=list)
    touched: list[set[str]] = field(default_factory=list)
    places: dict[str, Alignment] = field(default_factory=dict)
    read: dict[str, set[Alignment | None]] = field(default_factory=dict)
    sums: set[str] = field(default_factory=set)
    again: int = 0
    before: list[Unit] = field(default_factory=list)
    behind: list[Unit] = field(default_factory=list)
    own: Touched = field(default_factory=Touched)
    late: Touched = field(default_factory=Touched)
    rest: list[Unit] = field(default_factory=list)

    def grow(self, units: Sequence[Unit]) -> None:
        """Take in as many of the following steps as can be."""
        for number, unit in enumerate(units):
            if not isinstance(unit.step, MOVABLE) or number > WINDOW:
                self.rest = list(units[number:])
                return
            late = self.late.conflicts(unit)
            if not late and id(unit) not in self.apart and self.join(unit):
                continue
            if not late and not self.own.conflicts(unit):
                self.before.append(unit)
                self.made |= unit.writes
            else:
                self.behind.append(unit)
                self.late.add(unit)

    # Joining

    def join(self, unit: Unit) -> bool:
        """Take in a step if it can run block by block with the others."""
        step = unit.step
        if not isinstance(step, Tileable):
            return False
        if isinstance(step, Assign) and unit.writes & (self.made | set(self.places)) and step.order:
            return False
        computed = self._computed(unit)
        return self._joins(unit, computed, again=True) or self._joins(unit, self._axes(unit))

    def _joins(self, unit: Unit, axes: tuple[str, ...] | None, *, again: bool = False) -> bool:
        """Take in a step whose axes are the shared indices; `again`: of which there are values."""
        if axes is None:
            return False
        target = unit.ask(target_axes)
        inside = [a for a in axes if a in target]
        if inside and len(inside) < len(axes):
            return False
        member = Member(unit, axes, not inside)
        if not self._allows(member):
            return False
        self._take(member, unit.sizes)
        self.again += again
        return True

    def _computed(self, unit: Unit) -> tuple[str, ...] | None:
        """Return the axes with which a member computes functions that a step computes, too."""
        own = unit.ask(functions)
        if self.rows is not None or not own:
            return None
        found = (m.axes for m in self.members if not own.isdisjoint(m.unit.ask(functions)))
        axes = next(found, None)
        return axes if axes is not None and self._runs_over(axes, unit.sizes) else None

    def _axes(self, unit: Unit) -> tuple[str, ...] | None:
        """Return the axis of a step that each shared index is."""
        sizes = unit.sizes
        if self.rows is not None:
            return self.rows.get(id(unit))
        axes = self._linked(unit)
        if axes is None:
            first = unit.ask(batches) or unit.ask(target_axes)
            ordered = [*first, *(a for a in sizes if a not in first)]
            axes = tuple(ordered[self.lead : self.lead + self.depth])
            if self.sizes and not self._runs_over(axes, sizes):
                axes = self._of_sizes(ordered, sizes)
        return axes if self._runs_over(axes, sizes) else None

    def _runs_over(self, axes: Sequence[str], sizes: Mapping[str, Expr]) -> bool:
        """Whether axes of a step have the extents of the shared indices, in their order."""
        if len(axes) < self.depth or len(set(axes)) < len(axes) or not set(axes) <= set(sizes):
            return False
        known = self.sizes or tuple(sizes[a] for a in axes)
        return all(equal(sizes[a], s) for a, s in zip(axes, known, strict=True))

    def _of_sizes(self, axes: Sequence[str], sizes: Mapping[str, Expr]) -> tuple[str, ...]:
        """Return for each shared index the first axis that has its extent."""
        found: list[str] = []
        for size in self.sizes:
            same = (a for a in axes if a in sizes and a not in found and equal(sizes[a], size))
            found.extend(islice(same, 1))
        return tuple(found)

    def _linked(self, unit: Unit) -> tuple[str, ...] | None:
        """Return the axes by what a step reads or writes of the group's arrays."""
        for view in unit.ask(views):
            known = self.places.get(view.array)
            if known is not None:
                return tuple(view.parts[p].axis for p in known.places)
        return None

    def _allows(self, member: Member) -> bool:
        unit = member.unit
        name = next(iter(unit.writes))
        axes = frozenset(member.axes)
        products = self.rows is not None
        if unit.ask(repeats, axes):
            return False
        if member.sums:
            if name in self.places or name in self.read:
                return False
            if not unit.ask(adds_up, axes, products):
                return False
            if _may_be_empty(unit.sizes[a] for a in axes) and unit.ask(divides_sums):
                return False
        else:
            if name in self.sums or not unit.ask(can_be_made_in_blocks, axes, products):
                return False
            own = unit.ask(written, member.axes)
            known = self.places.get(name)
            if isinstance(unit.step, Overlap) and name not in self.made:
                return False
            if own is None or (known is not None and not own.agrees(known)):
                return False
            if not _agree(self.read.get(name, set()), own):
                return False
        return all(self._reads_well(a, member) for a in _read_by(member))

    def _reads_well(self, name: str, member: Member) -> bool:
        if name in self.sums:
            return False
        own = name in member.unit.writes and not member.sums
        if name not in self.places and not own:
            return True
        expected = self.places.get(name) or member.unit.ask(written, member.axes)
        assert expected is not None
        return _agree(member.unit.ask(alignments, name, member.axes), expected)

    def _take(self, member: Member, sizes: Mapping[str, Expr]) -> None:
        name = next(iter(member.unit.writes))
        self.sizes = self.sizes or tuple(sizes[a] for a in member.axes)
        touched = {name}
        for array in _read_by(member):
            found = member.unit.ask(alignments, array, member.axes)
            self.read.setdefault(array, set()).update(found)
            if found != {None} or member.unit.ask(looks_through_windows, array):
                touched.add(array)
        self.touched.append(touched)
        if member.sums:
            self.sums.add(name)
        else:
            own = member.unit.ask(written, member.axes)
            assert own is not None
            self.places[name] = own
        self.members.append(member)
        self.own.add(member.unit)

    # The tile

    def needed(self) -> tuple[list[Unit], list[Unit]]:
        """Return the steps before the group that must be, and those that may follow it, too."""
        found: tuple[list[Unit], list[Unit]] = ([], [])
        touched = Touched(set(self.own.reads), set(self.own.writes))
        for unit in reversed(self.before):
            needed = touched.conflicts(unit)
            found[0 if needed else 1].insert(0, unit)
            if needed:
                touched.add(unit)
        return found

    def around(self) -> tuple[list[Unit], list[Unit]]:
        """Return the steps in front of the group and behind it."""
        before, free = self.needed()
        return before, [*free, *self.behind, *self.rest]

    def unit(self, kept: set[str], shapes: Shapes, types: Mapping[str, DType]) -> Unit:
        """Return the group as one step; `kept` are the arrays that others use."""
        arrays = Arrays(shapes, types, frozenset(kept))
        step = tile(self.members, self.sizes, arrays)
        own = self.own
        return Unit(None, step, frozenset(own.reads), frozenset(own.writes), {})

    def pays(self, work: tuple[int, int]) -> bool:
        """Whether it does as much work as is asked where extents are steady, or change."""
        changing = _may_be_empty(s for m in self.members for s in m.unit.sizes.values())
        return self.work() >= work[changing]

    def work(self) -> int:
        """Return the number of operations; one alone leaves no temporary to keep in the cache."""
        found = 0
        for member in self.members:
            step = member.unit.step
            assert isinstance(step, Tileable)
            found += 1 if isinstance(step, Store) and step.op != "=" else 0
            for value in large(step):
                if isinstance(value, Apply):
                    found += max(1, len(value.args) - 1)
                elif isinstance(value, OPERATIONS):
                    passes = isinstance(value, Fold | Along) and has_passes(value.op)
                    found += PASSES if passes else 1
        return found


def _read_by(member: Member) -> frozenset[str]:
    """Return the arrays whose values a step reads; not the one that it adds a sum or windows to."""
    unit = member.unit
    adds = isinstance(unit.step, Overlap) or (member.sums and not unit.ask(target_axes))
    return unit.reads - unit.writes if adds else unit.reads


def _may_be_empty(sizes: Iterable[Expr]) -> bool:
    """Whether an extent changes while the program runs; calls without cells are another matter."""
    return any(isinstance(n, IndexRef | Read) for s in sizes for n in walk(s))


def _agree(accesses: Iterable[Alignment | None], expected: Alignment) -> bool:
    return all(a is not None and a.agrees(expected) for a in accesses)
