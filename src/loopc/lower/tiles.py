"""Tiles: steps that share outer indices run for a block of these at a time.

What one step makes and the next one reads stays in the cache, and an array that only they use needs
no more memory than a block. Steps join a group if each of them, at a point of the shared indices,
reads of what the group writes only what it wrote at this point; sums over a shared index add up
block by block. Steps in between that cannot join move before or behind the group where no
dependence forbids it.

Source: loop fusion and array contraction, Allen and Kennedy, Optimizing Compilers for Modern
Architectures, ch. 6.2 and 5.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from loopc.diagnostics.record import record
from loopc.ir.affine import equal
from loopc.ir.dtypes import DType
from loopc.ir.nodes import Const, Expr
from loopc.lower.blocks import (
    block,
    block_view,
    block_window,
    local_view,
    size,
)
from loopc.lower.plan import (
    Alloc,
    Along,
    Apply,
    Assign,
    Contract,
    Fold,
    Loop,
    Overlap,
    Part,
    Selected,
    Step,
    Store,
    Tile,
    TileIndex,
    Value,
    View,
)
from loopc.lower.plan_visit import walk
from loopc.lower.sweeps import swept
from loopc.lower.tile_rules import (
    Alignment,
    Tileable,
    adds_up,
    alignments,
    batches,
    can_be_made_in_blocks,
    large,
    reads_itself,
    target_axes,
    written,
)
from loopc.lower.tile_units import MOVABLE, Touched, Unit, listed, units_of

DEPTH = 2
"""The most indices that run in blocks."""

WINDOW = 400
"""How many steps behind the first of a group may join it."""


SERIAL_WORK = 4
"""The operations that a tile in a serial loop saves temporaries of, to be worth its own calls."""

OPERATIONS = (Fold, Along, Contract, Selected)


def tiled(
    steps: Sequence[Step],
    inputs: Iterable[str],
    outputs: Iterable[str],
    shapes: Mapping[str, tuple[Expr, ...]],
    types: Mapping[str, DType],
    work: int = 2,
) -> tuple[Step, ...]:
    """Return the steps at the top of a plan, those in tiles that do at least some `work`."""
    left = units_of([_with_tiles(s, shapes, types) for s in steps])
    made = set(inputs)
    kept = set(outputs)
    found: list[Step] = []
    while left:
        group = _best(left, made, work)
        if group is None:
            done, left = left[:1], left[1:]
            found += listed(done)
        else:
            found += listed(group.before)
            left = [*group.behind, *group.rest]
            later = {n for u in left for n in u.reads | u.writes}
            found.append(group.tile(kept | later, shapes, types))
            done = [*group.before, *(m.unit for m in group.members)]
        made |= {n for u in done for n in u.writes}
    return tuple(found)


def _with_tiles(
    step: Step, shapes: Mapping[str, tuple[Expr, ...]], types: Mapping[str, DType]
) -> Step:
    """Return a serial loop as a sweep, or with tiles in its body, where all arrays exist."""
    if not isinstance(step, Loop):
        return step
    sweep = swept(step)
    if sweep is not step:
        return sweep
    return replace(step, body=tiled(step.body, shapes, shapes, shapes, types, SERIAL_WORK))


@record()
class Member:
    """A step of a group: the axis that each shared index is in it; whether it sums over them."""

    unit: Unit
    axes: tuple[str, ...]
    sums: bool


def _best(units: Sequence[Unit], made: set[str], work: int) -> Group | None:
    """Return the group that starts with the first step, with as many steps as can be."""
    step = units[0].step
    if not isinstance(step, Assign | Store):
        return None
    best: Group | None = None
    for depth in range(1, DEPTH + 1):
        group = Group(depth, set(made))
        if not group.join(units[0]):
            break
        group.grow(units[1:])
        if best is None or len(group.members) >= len(best.members):
            best = group
    if len(target_axes(step)) > DEPTH:  # blocks of the second index, where that joins more
        group = Group(1, set(made), lead=1)
        if group.join(units[0]):
            group.grow(units[1:])
            if best is None or len(group.members) > len(best.members):
                best = group
    return best if best is not None and best.work() >= work else None


@dataclass
class Group:
    """A group of steps under construction.

    Attributes:
        depth: the number of shared indices.
        made: the arrays that exist before each step.
        lead: the number of the first step's index that is shared first.
        sizes: the extents of the shared indices.
        places: for every array written: how it runs over the shared indices.
        read: for every array read: the same, None where it does not.
        sums: the arrays that are added up.
        before, behind, rest: the other steps.
    """

    depth: int
    made: set[str]
    lead: int = 0
    sizes: tuple[Expr, ...] = ()
    members: list[Member] = field(default_factory=list)
    places: dict[str, Alignment] = field(default_factory=dict)
    read: dict[str, set[Alignment | None]] = field(default_factory=dict)
    sums: set[str] = field(default_factory=set)
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
            if not late and self.join(unit):
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
        sizes = unit.sizes
        axes = self._axes(step, sizes)
        if axes is None:
            return False
        target = target_axes(step)
        inside = [a for a in axes if a in target]
        if inside and len(inside) < len(axes):
            return False
        member = Member(unit, axes, not inside)
        if not self._allows(member):
            return False
        self._take(member, sizes)
        return True

    def _axes(self, step: Tileable, sizes: Mapping[str, Expr]) -> tuple[str, ...] | None:
        """Return the axis of a step that each shared index is."""
        linked = self._linked(step)
        if linked is not None:
            axes: tuple[str, ...] = linked
        else:
            first = batches(step) or target_axes(step)
            ordered = [*first, *(a for a in sizes if a not in first)]
            axes = tuple(ordered[self.lead : self.lead + self.depth])
        if len(axes) < self.depth or len(set(axes)) < len(axes):
            return None
        known = self.sizes or tuple(sizes.get(a, Const(0)) for a in axes)
        if any(a not in sizes or not equal(sizes[a], s) for a, s in zip(axes, known, strict=True)):
            return None
        return axes

    def _linked(self, step: Tileable) -> tuple[str, ...] | None:
        """Return the axes by what a step reads or writes of the group's arrays."""
        views = [v for v in walk(step.value) if isinstance(v, View)]
        if isinstance(step, Store):
            views.insert(0, step.target)
        for view in views:
            known = self.places.get(view.array)
            if known is not None:
                return tuple(view.parts[p].axis for p in known.places)
        return None

    def _allows(self, member: Member) -> bool:
        step = member.unit.step
        assert isinstance(step, Tileable)
        name = next(iter(member.unit.writes))
        axes = frozenset(member.axes)
        if member.sums:
            if name in self.places or name in self.read or not adds_up(step, axes):
                return False
        else:
            if name in self.sums or not can_be_made_in_blocks(step, axes):
                return False
            own = written(step, member.axes)
            known = self.places.get(name, own)
            if isinstance(step, Overlap) and (name in self.places or name not in self.made):
                return False
            if own is None or known is None or own.whole != known.whole or not own.agrees(known):
                return False
            if not _agree(self.read.get(name, set()), own):
                return False
        return all(self._reads_well(a, member) for a in _read_by(member.unit))

    def _reads_well(self, name: str, member: Member) -> bool:
        if name in self.sums:
            return False
        own = name in member.unit.writes and not member.sums
        if name not in self.places and not own:
            return True
        step = member.unit.step
        assert isinstance(step, Tileable)
        expected = self.places.get(name) or written(step, member.axes)
        assert expected is not None
        return _agree(alignments(step, name, member.axes), expected)

    def _take(self, member: Member, sizes: Mapping[str, Expr]) -> None:
        step = member.unit.step
        assert isinstance(step, Tileable)
        name = next(iter(member.unit.writes))
        self.sizes = self.sizes or tuple(sizes[a] for a in member.axes)
        for array in _read_by(member.unit):
            self.read.setdefault(array, set()).update(alignments(step, array, member.axes))
        if member.sums:
            self.sums.add(name)
        else:
            own = written(step, member.axes)
            assert own is not None
            self.places[name] = own
        self.members.append(member)
        self.own.add(member.unit)

    # The tile

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
                    found += 1
        return found

    def tile(
        self, kept: set[str], shapes: Mapping[str, tuple[Expr, ...]], types: Mapping[str, DType]
    ) -> Tile:
        """Return the group as one step; `kept` are the arrays that others use."""
        names = _names(self.members[0].axes)
        indices = tuple(
            TileIndex(f"{n}_from", f"{n}_to", s) for n, s in zip(names, self.sizes, strict=True)
        )
        fresh = [
            next(iter(m.unit.writes))
            for m in self.members
            if isinstance(m.unit.step, Assign) and not m.sums
        ]
        local = tuple(n for n in dict.fromkeys(fresh) if n not in kept)
        made = tuple(Alloc(n, shapes[n], types[n], 0) for n in fresh if n not in local)
        sums = tuple(
            Alloc(n, shapes[n], types[n], 0)
            for m in self.members
            if m.sums and isinstance(m.unit.step, Assign) and not reads_itself(m.unit.step)
            for n in m.unit.writes
        )
        body: list[Step] = []
        for member in self.members:
            if member.unit.note is not None:
                body.append(member.unit.note)
            body.append(self._in_block(member, indices, set(local), shapes))
        return Tile(indices, made, sums, local, tuple(body))

    def _in_block(
        self,
        member: Member,
        indices: tuple[TileIndex, ...],
        local: set[str],
        shapes: Mapping[str, tuple[Expr, ...]],
    ) -> Step:
        blocks = dict(zip(member.axes, indices, strict=True))
        step = member.unit.step
        assert isinstance(step, Tileable)
        value = block(step.value, blocks, local)
        if member.sums:
            return self._sum(member, value)
        if isinstance(step, Overlap):
            window = block_window(step.window, blocks)
            return replace(step, window=window, value=value)
        if isinstance(step, Store):
            if step.target.array in local:
                return replace(step, target=local_view(step.target, blocks), value=value)
            return replace(step, target=block_view(step.target, blocks), value=value)
        if step.array in local:
            shape = list(shapes[step.array])
            for axis, place in zip(member.axes, self.places[step.array].places, strict=True):
                shape[place] = size(blocks[axis])
            return replace(step, value=value, shape=tuple(shape))
        counts = dict(zip(step.order, shapes[step.array], strict=True))
        parts = tuple(Part(Const(0), a, counts[a], 1, whole=True) for a in step.order)
        view = block_view(View(step.array, parts, step.order), blocks)
        return Store(view, "=", value)

    def _sum(self, member: Member, value: Value) -> Step:
        step = member.unit.step
        assert isinstance(step, Assign | Store)
        if isinstance(step, Store) or reads_itself(step):
            return replace(step, value=value)
        if not step.order:
            old = View(step.array, (), ())
            return replace(step, value=Apply("add", (old, value), ()), fresh=True)
        sizes = member.unit.sizes
        parts = tuple(Part(Const(0), a, sizes.get(a, Const(0)), 1, whole=True) for a in step.order)
        return Store(View(step.array, parts, step.order), "+=", value)


def _read_by(unit: Unit) -> frozenset[str]:
    """Return the arrays whose values a step reads; not the one that it adds windows to."""
    return unit.reads - unit.writes if isinstance(unit.step, Overlap) else unit.reads


def _names(axes: Sequence[str]) -> list[str]:
    return [a.replace("°", "") for a in axes]


def _agree(accesses: Iterable[Alignment | None], expected: Alignment) -> bool:
    return all(a is not None and a.agrees(expected) for a in accesses)
