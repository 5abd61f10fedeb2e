"""Which loops run in order: loop distribution over the strongly connected dependences.

Source: Allen and Kennedy, Optimizing Compilers for Modern Architectures, ch. 2.4 and 5. A block is
split into its strongly connected components; one without a cycle is an array operation over all of
its loops. A cycle needs the outermost loop that carries it to run in order; loops that carry
nothing move inside, where they stay parallel.
"""

from __future__ import annotations

from collections.abc import Sequence

from loopc.analysis.dependence import (
    Edge,
    Leaf,
    Level,
    dependences,
    keeps_inside,
    leaves,
    overwrites_itself,
)
from loopc.analysis.serial import Group, groups
from loopc.diagnostics.record import replace
from loopc.ir.bounds import conjuncts, reached, tighten
from loopc.ir.nodes import Call, Expr, For, Index, Stmt
from loopc.ir.visit import free_indices, reads
from loopc.lower.context import Context, Rows
from loopc.lower.domain import NeedSerial
from loopc.lower.notes import source_line
from loopc.lower.plan import Let, Loop, Note, Step, Unfold
from loopc.lower.planes import planes
from loopc.lower.running import Recurrence, running
from loopc.lower.splitting import split
from loopc.lower.statement import Job, lower_update
from loopc.lower.wavefront import Wave, wavefront

Serial = tuple[Level, ...]


class Scheduler:
    """Lowers the statements of a program in order."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.made: set[str] = set()
        self.pristine: set[str] = set()

    def groups(self, stmt: Stmt) -> list[Group]:
        """Return what a statement at the top of the program is split into, in order."""
        block = leaves((stmt,))
        edges = dependences(block) if isinstance(stmt, For) else []
        return groups(block, edges)

    def lowered(self, group: Group) -> tuple[Step, ...]:
        """Return the steps of a group, those before it being lowered."""
        return self._component(group, ())

    def _block(
        self, block: Sequence[Leaf], edges: Sequence[Edge], serial: Serial
    ) -> tuple[Step, ...]:
        return tuple(
            step for group in groups(block, edges) for step in self._component(group, serial)
        )

    def _component(self, component: Group, serial: Serial) -> tuple[Step, ...]:
        group, cycle = component.leaves, component.edges
        carrying = component.carrying
        if len(group) == 1 and not cycle:
            return self._parallel(group[0], serial)
        assert carrying, "a cycle of dependences is carried by some loop"
        depth = _independent_of_parallel(group[0].levels, min(carrying), serial)
        if self.context.opt and len(group) == 1 and set(carrying) == {depth}:
            recurrence = running(self.context, group[0], depth, _indices(serial))
            if recurrence is not None:
                return self._running(group[0], recurrence, serial)
        found = None
        if self.context.opt and _kept_inside(group, depth, serial) is None:
            found = self._reordered(component, depth, serial)
        return self._serial(group, cycle, depth, serial) if found is None else found

    def _reordered(self, component: Group, depth: int, serial: Serial) -> tuple[Step, ...] | None:
        """Return the steps of a cycle whose loops take another form than one after the other."""
        group = component.leaves
        carrying = component.carrying
        if self.context.opt > 1 and not serial and depth == 0 and max(carrying) == 2:
            found = planes(self.context, group)
            if found is not None:
                self.made |= {leaf.update.target.array for leaf in group}
                self.pristine -= self.made
                return found
        if depth + 1 in carrying and max(carrying) == depth + 1:
            wave = wavefront(self.context, group, depth)
            if wave is not None:
                return self._waves(group, wave, serial)
        outer = _parallel_round(group[0].levels, depth, serial)
        pieces = split(group, depth, outer) if depth == min(carrying) else None
        if pieces is None:
            return None
        return tuple(s for p, own in pieces for s in self._block(p, own, serial))

    def _waves(self, group: Sequence[Leaf], wave: Wave, serial: Serial) -> tuple[Step, ...]:
        """Return the steps of a skewed nest: in a wave, one update after the other."""
        context = self.context
        outside, context.rows = context.rows, Rows(context.waves)
        inside = (*serial, wave.level)
        body = [
            s
            for leaf, old in zip(wave.leaves, group, strict=True)
            for s in self._parallel(leaf, inside, source_line(old))
        ]
        rows, context.rows = context.rows, outside
        before = [Unfold(name, written) for name, written in rows.arrays.items()]
        fixed = [Let(dim, value) for value, dim in rows.fixed.items()]
        lets = [Let(dim, value) for dim, value in wave.binds]
        lets += [Let(dim, value) for value, dim in rows.moving.items()]
        assert wave.index.start is not None
        assert wave.index.stop is not None
        whole = Loop(wave.index.name, wave.index.start, wave.index.stop, 1, (*lets, *body))
        return (*before, *fixed, whole)

    def _running(self, leaf: Leaf, recurrence: Recurrence, serial: Serial) -> tuple[Step, ...]:
        """Return the steps of a running reduction."""
        before: tuple[Step, ...] = (Note(source_line(leaf), leaf.update.span),)
        if recurrence.start is not None:
            before = self._parallel(replace(leaf, update=recurrence.start, refs=()), serial)
        self.made.add(leaf.update.target.array)
        self.pristine.discard(leaf.update.target.array)
        return (*before, recurrence.step)

    def _serial(
        self,
        group: Sequence[Leaf],
        edges: Sequence[Edge],
        depth: int,
        serial: Serial,
    ) -> tuple[Step, ...]:
        """Run a loop in order, or one further out if the order of that one is not kept else."""
        outer = _kept_inside(group, depth, serial)
        if outer is not None:
            depth = _independent_of_parallel(group[0].levels, outer, serial)
        level = group[0].levels[depth]
        left = [e for e in edges if e.level != depth]
        index = level.index
        body = self._block(group, left, (*serial, level))
        assert index.start is not None
        assert index.stop is not None
        return (Loop(index.name, index.start, index.stop, index.step, body),)

    def _parallel(self, leaf: Leaf, serial: Serial, line: str = "") -> tuple[Step, ...]:
        keys = {level.key for level in serial}
        parallel = [level for level in leaf.levels if level.key not in keys]
        around = reached({level.index.name: level.index for level in leaf.levels})
        ranges = {level.index.name: around[level.index.name] for level in serial}
        for guard in (c for g in leaf.guards for c in conjuncts(g)):
            if all(n in ranges for n in free_indices(guard)) and self._is_whole(guard):
                ranges = tighten(ranges, guard)
        job = Job(
            leaf.update,
            tuple(level.index for level in parallel),
            ranges,
            {level.index.name: level.index for level in serial},
            tuple(c for g in leaf.guards for c in conjuncts(g)),
            fresh=not serial and leaf.update.target.array not in self.made,
            first=self._is_first(leaf),
            pristine=not serial and leaf.update.target.array in self.pristine,
        )
        try:
            steps = lower_update(self.context, job)
        except NeedSerial as need:
            level = next((lv for lv in parallel if lv.index.name == need.index), parallel[0])
            depth = _independent_of_parallel(leaf.levels, leaf.levels.index(level), serial)
            return self._serial([leaf], [], depth, serial)
        self.made.add(leaf.update.target.array)
        self.pristine.discard(leaf.update.target.array)
        return (Note(line or source_line(leaf), leaf.update.span), *steps)

    def _is_first(self, leaf: Leaf) -> bool:
        """Whether an update is the only one of its cells, each iteration of a cell of its own."""
        target = leaf.update.target
        if target.array not in self.context.once or leaf.update.op != "+=":
            return False
        strict = all(s.mode == "strict" and not any(reads(s)) for s in target.subscripts)
        return strict and not overwrites_itself(leaf.levels, leaf.update)

    def _is_whole(self, guard: Expr) -> bool:
        """Whether a condition compares integers: `i < x` of a float says less of `i`."""
        sides = guard.args if isinstance(guard, Call) else ()
        types = [self.context.type_of(side) for side in sides]
        return all(t is not None and t.kind in "bi" for t in types)


def _indices(serial: Serial) -> dict[str, Index]:
    return {level.index.name: level.index for level in serial}


def _parallel_round(levels: Sequence[Level], depth: int, serial: Serial) -> list[int]:
    """Return the loops round the one at `depth` that do not run in order."""
    keys = {level.key for level in serial}
    return [number for number, level in enumerate(levels[:depth]) if level.key not in keys]


def _independent_of_parallel(levels: Sequence[Level], depth: int, serial: Serial) -> int:
    """Return the loop to run in order: one further out if the range of `depth` depends on it."""
    wanted = set(_range_names(levels[depth].index))
    for number in _parallel_round(levels, depth, serial):
        if levels[number].index.name in wanted:
            return _independent_of_parallel(levels, number, serial)
    return depth


def _kept_inside(group: Sequence[Leaf], depth: int, serial: Serial) -> int | None:
    """Return the outermost loop that has to run in order because the one at `depth` does."""
    for number in _parallel_round(group[0].levels, depth, serial):
        if any(keeps_inside(leaf, number, depth) for leaf in group):
            return number
    return None


def _range_names(index: Index) -> list[str]:
    names = list(free_indices(index))
    for access in reads(index):
        names.extend(free_indices(access))
    return names
