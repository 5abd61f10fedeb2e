"""The equations between extents of a program, and their solution.

The unknowns are the axes of arrays and the indices without a range. An index that stands alone in a
subscript is equal to that axis; equal unknowns form a class (union-find). A class gets its extent
from the first of these that applies: a declared shape; an axis of an input, whose extent is a dim;
the largest index that writes the axis; the largest range that keeps every affine access inside.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from loopc.diagnostics.record import record, replace
from loopc.ir.affine import Affine, affine, is_nonnegative, plus, simplify, to_expr
from loopc.ir.bounds import bounds, last, tighten
from loopc.ir.comparisons import is_at_least_0, margins
from loopc.ir.nodes import Access, Call, Const, Expr, Extent, Fit, Index, IndexRef, Program, Read
from loopc.ir.sites import Scope, Slot
from loopc.ir.visit import changing, free_indices, is_known_before, walk

Axis = tuple[str, int]
Key = Axis | int
"""An unknown: an axis of an array, or the number of an index's binder."""


@dataclass
class Class:
    """Unknowns that are equal, what is known of them, and what they turn out to be."""

    keys: list[Key] = field(default_factory=list)
    start: Expr | None = None
    stop: Expr | None = None
    names: list[str] = field(default_factory=list)

    @property
    def solved(self) -> bool:
        """Whether the extent is known."""
        return self.stop is not None


@record()
class Use:
    """A subscript that bounds an axis or an index: `at` in `access`, with what is in scope.

    Attributes:
        guards: the conditions that hold wherever it is evaluated.
    """

    access: Access
    axis: int
    at: Expr
    scope: Scope
    guards: tuple[Expr, ...] = ()


class Equations:
    """Collects the equations of a program, then solves them."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.arrays = {a.name: a for a in program.arrays}
        self.computed = changing(program)
        self.slots: dict[int, Slot] = {}
        self.writes: dict[Axis, list[Use]] = {}
        self.reads: list[Use] = []
        self._parent: dict[Key, Key] = {}
        self.classes: dict[Key, Class] = {}
        self.alone: dict[Axis, list[str]] = {}
        extents = (node.name for node in walk(program) if isinstance(node, Extent))
        self.taken: set[str] = {*self.arrays, *(d.name for d in program.dims), *extents}
        self.suggested: dict[Axis, Expr] = {}
        self.aliases = {d.name: d.of for d in program.dims if d.of is not None}
        self.soft: list[tuple[Axis, Key]] = []
        self.points: list[tuple[Key, str, Scope]] = []
        self.asked: dict[Axis, Expr] = {}

    def ask(self, fits: Iterable[Fit]) -> None:
        """Let inputs that are declared nowhere have the sizes that calls of `def`s ask of them."""
        for fit in fits:
            assert isinstance(fit.given, Extent)
            axis = self.aliases[fit.given.name]
            if not self._is_open(axis):
                continue
            match fit.expected:
                case Const():
                    self.asked[axis] = fit.expected
                case Extent(name) if name in self.aliases and self._is_open(self.aliases[name]):
                    self.union(axis, self.aliases[name])

    def _is_open(self, axis: Axis) -> bool:
        array = self.arrays[axis[0]]
        return array.kind != "temp" and array.shape is None

    # Union-find.

    def find(self, key: Key) -> Key:
        """Return the representative of `key`'s class."""
        self._parent.setdefault(key, key)
        while self._parent[key] != key:
            self._parent[key] = self._parent[self._parent[key]]
            key = self._parent[key]
        return key

    def union(self, a: Key, b: Key) -> None:
        """Make two unknowns equal; the older one represents both."""
        x, y = self.find(a), self.find(b)
        if x != y:
            self._parent[y] = x

    def class_of(self, key: Key) -> Class:
        """Return the class of an unknown, after `group`."""
        return self.classes[self.find(key)]

    def group(self) -> None:
        """Form the classes."""
        for key in list(self._parent):
            root = self.find(key)
            self.classes.setdefault(root, Class()).keys.append(key)
        for axis, names in self.alone.items():
            self.class_of(axis).names.extend(names)

    # Solving.

    def solve(self) -> None:
        """Give every class its extent, as far as they can be found."""
        self.group()
        self.taken |= {slot.index.name for slot in self.slots.values()}
        pending = list(self.classes.values())
        while pending:
            left = [c for c in pending if not self._solve_directly(c)]
            if len(left) == len(pending):
                left = self._solve_by_accesses(pending)
            if len(left) == len(pending):
                left = self._solve_by_points(pending)
            if len(left) == len(pending):
                left = self._solve_by_soft_writes(pending)
            if len(left) == len(pending):
                return
            pending = left

    def _solve_directly(self, group: Class) -> bool:
        stop = self._declared(group) or self._dim(group) or self._written(group)
        if stop is None:
            return False
        group.start, group.stop = Const(0), stop
        return True

    def declared(self, group: Class) -> list[tuple[Axis, Expr]]:
        """Return the declared extents of the class's axes."""
        found: list[tuple[Axis, Expr]] = []
        for key in group.keys:
            if isinstance(key, tuple):
                if key in self.asked:
                    found.append((key, self.asked[key]))
                shape = self.arrays[key[0]].shape
                if shape is not None and key[1] < len(shape):
                    found.append((key, shape[key[1]]))
        return found

    def _declared(self, group: Class) -> Expr | None:
        return next((extent for _, extent in self.declared(group)), None)

    def suggest(self, axis: Axis, slot: Slot | None) -> None:
        """Let `x` in `for i < N: … x[i]` have the extent `N` if nothing else says what it has."""
        if slot is None or slot.index.stop is None or slot.index.step not in (1, -1):
            return
        extent = plus(last(slot.index), 1)
        if isinstance(extent, Extent) and extent.name not in self.aliases:
            self.suggested.setdefault(axis, extent)

    def _dim(self, group: Class) -> Expr | None:
        """Return the dim of a class with an axis of an input."""
        given = [k for k in group.keys if isinstance(k, tuple) and self.arrays[k[0]].kind != "temp"]
        if not given:
            return None
        suggested = next((self.suggested[k] for k in given if k in self.suggested), None)
        return suggested or Extent(self._dim_name(group))

    def _dim_name(self, group: Class) -> str:
        """Name a dim that no declaration names: after an index that runs over it, else N, M …."""
        wanted = [name.upper() for name in group.names] or ["N", "M", "P", "Q", "R", "S"]
        for name in wanted:
            if name not in self.taken:
                self.taken.add(name)
                return name
        number = 1
        while f"{wanted[0]}{number}" in self.taken:
            number += 1
        self.taken.add(f"{wanted[0]}{number}")
        return f"{wanted[0]}{number}"

    def _written(self, group: Class, *, skip: bool = False) -> Expr | None:
        """Return the largest index that writes an axis, plus one, if all that write are solved.

        With `skip`, writes that are not solved do not count.
        """
        highs: list[Expr] = []
        for key in group.keys:
            for use in self.writes.get(key, ()) if isinstance(key, tuple) else ():
                ranges = self.ranges(use.at, use.scope)
                if ranges is None and (skip or self._is_whole(use, group)):
                    continue
                if ranges is None:
                    return None
                high = bounds(use.at, _not_below_zero(use.at, ranges)).high
                known = high is not None and is_known_before(high, self.computed)
                if high is not None and known and not free_indices(high):
                    stop = plus(high, 1)
                    if not self._is_alias_of(stop, group):
                        highs.append(stop)
        if not highs:
            return None
        form = affine(highs[0] if len(highs) == 1 else Call("max", tuple(highs)))
        return None if form is None else to_expr(form)

    def _is_alias_of(self, stop: Expr, group: Class) -> bool:
        """Whether an extent is that of this class, by the name that an expanded def has for it."""
        of = self.aliases.get(stop.name) if isinstance(stop, Extent) else None
        return of is not None and self.class_of(of) is group

    def _is_whole(self, use: Use, group: Class) -> bool:
        """Whether an index that runs over the axis itself stands alone there."""
        number = self.equal_to(use.access, use.axis, use.scope)
        return number is not None and self.class_of(number) is group

    def ranges(self, expr: Expr, scope: Scope) -> dict[str, Index] | None:
        """Return the resolved ranges of the indices that `expr` depends on; None: not yet known."""
        wanted = set(free_indices(expr))
        found: list[Index] = []
        for name in reversed(list(scope)):
            if name in wanted:
                index = self.resolved(scope[name])
                if index is None:
                    return None
                found.append(index)
                wanted |= set(free_indices(index))
        return {index.name: index for index in reversed(found)}

    def resolved(self, slot: Slot) -> Index | None:
        """Return the index bound at `slot` with its range, or None while that is unknown."""
        if slot.index.stop is not None:
            return slot.index
        group = self.class_of(slot.number)
        if group.stop is None:
            return None
        return Index(slot.index.name, group.start, group.stop, 1, span=slot.index.span)

    def _solve_by_points(self, pending: list[Class]) -> list[Class]:
        """Let `j` in `for j  p[j] = softmax[j < M](…)` run over all that the bracket's `j` does."""
        for number, name, scope in self.points:
            group = self.class_of(number)
            ranges = self.ranges(IndexRef(name), scope)
            if group.solved or ranges is None:
                continue
            ends = bounds(IndexRef(name), ranges)
            parts = [e for e in (ends.low, ends.high) if e is not None]
            if len(parts) == 2 and all(self._is_known(e) for e in parts):
                group.start, group.stop = parts[0], plus(parts[1], 1)
                return [c for c in pending if c is not group]
        return pending

    def _is_known(self, expr: Expr) -> bool:
        return is_known_before(expr, self.computed) and not free_indices(expr)

    def _solve_by_soft_writes(self, pending: list[Class]) -> list[Class]:
        """Let an index that only stands in a write, beside longer ones, run over the whole axis."""
        for axis, number in self.soft:
            index, target = self.class_of(number), self.class_of(axis)
            if index.solved or target is index:
                continue
            stop = target.stop or self._written(target, skip=True)
            if stop is not None:
                index.start, index.stop = Const(0), stop
                return [c for c in pending if c is not index]
        return pending

    def _solve_by_accesses(self, pending: list[Class]) -> list[Class]:
        """Solve the first class that affine accesses bound; return the rest."""
        for number, group in enumerate(pending):
            if self._bounded(group):
                return pending[:number] + pending[number + 1 :]
        return pending

    def _bounded(self, group: Class) -> bool:
        """Give a class of indices the largest range with which affine accesses are inside.

        Where guards see to it that all are, the range ends behind the last value with any access.
        """
        starts: list[Expr] = [Const(0)]
        stops: dict[bool, list[Expr]] = {False: [], True: []}
        numbers = {key for key in group.keys if isinstance(key, int)}
        for use in self.reads:
            for name in free_indices(use.at):
                slot = use.scope.get(name)
                if slot is None or slot.number not in numbers:
                    continue
                ends = self._ends(use, name)
                if ends is None:
                    return False
                (start, free), (stop, open_end) = ends
                starts.extend(() if free else (start,))
                stops[open_end].append(stop)
        nearest = stops[False] or stops[True]
        if not nearest:
            return False
        group.start = _combine("max", starts)
        group.stop = _combine("min", nearest)
        return True

    def _ends(self, use: Use, name: str) -> tuple[tuple[Expr, bool], tuple[Expr, bool]] | None:
        """Solve 0 <= at < extent for the index `name`: its range, for all values of the others.

        Returns:
            The first value and the one behind the last, each with whether guards see to it that the
            subscript is inside on that side, for any value of the others then; None if the range is
            not known yet, or never.
        """
        extent = self.class_of((use.access.array, use.axis)).stop
        form = affine(use.at)
        size = None if extent is None else affine(extent)
        if form is None or size is None or not form.is_linear_in(name):
            return None
        c = form.coefficient(name)
        rest = to_expr(form.without(name))
        ranges = self.ranges(rest, use.scope)
        if ranges is None or c == 0 or not is_known_before(rest, self.computed):
            return None
        for guard in use.guards:
            if name not in free_indices(guard):
                ranges = tighten(ranges, guard)
        ends = bounds(rest, ranges)
        low = None if ends.low is None else affine(ends.low)
        high = None if ends.high is None else affine(ends.high)
        if low is None or high is None:
            return None
        sides = (form, size - Affine(1) - form)[:: 1 if c > 0 else -1]
        at_start, at_stop = (self._is_guarded(use, side) for side in sides)
        if c > 0:  # low(rest) + c*i >= 0 and high(rest) + c*i <= size - 1
            start = _floordiv(low.scaled(-1) + Affine(c - 1), c)
            stop = _floordiv(size - Affine(1) - (low if at_stop else high), c) + Affine(1)
        else:  # high(rest) - d*i <= size - 1 and low(rest) - d*i >= 0
            start = _floordiv(high - size + Affine(1) + Affine(-c - 1), -c)
            stop = _floordiv(high if at_stop else low, -c) + Affine(1)
        return (to_expr(start), at_start), (to_expr(stop), at_stop)

    def _is_guarded(self, use: Use, form: Affine) -> bool:
        """Whether the guards of a use see to it that a form is at least 0."""
        known = ((m, self.ranges(m, use.scope)) for m in margins(form, use.guards))
        return any(ranges is not None and is_at_least_0(m, ranges) for m, ranges in known)

    def equal_to(self, access: Access, axis: int, scope: Scope) -> Key | None:
        """Return the unknown of an index without a range that stands alone there, if one does."""
        at = access.subscripts[axis].at
        if not isinstance(at, IndexRef) or at.name not in scope:
            return None
        slot = scope[at.name]
        return slot.number if slot.index.stop is None else None


def _not_below_zero(at: Expr, ranges: dict[str, Index]) -> dict[str, Index]:
    """Let the ranges of indices that sizes are multiplied by be empty, not of fewer than no values.

    In `y[i*(W-2)+j]` the product of two negative extents would be a positive one.
    """
    form = affine(at)
    result = dict(ranges)
    for name, index in ranges.items():
        slope = None if form is None else form.collected(IndexRef(name))[0]
        stop = index.stop
        if slope is None or slope.is_constant or index.step != 1 or stop is None:
            continue
        plain = isinstance(stop, Read) or is_nonnegative(stop) or bool(free_indices(stop))
        if index.start == Const(0) and not plain and is_known_before(stop, frozenset()):
            result[name] = replace(index, stop=simplify(Call("max", (stop, Const(0)))))
    return result


def _floordiv(a: Affine, c: int) -> Affine:
    form = affine(Call("floordiv", (to_expr(a), Const(c))))
    assert form is not None
    return form


def _combine(fn: str, parts: list[Expr]) -> Expr:
    form = affine(parts[0] if len(parts) == 1 else Call(fn, tuple(parts)))
    assert form is not None
    return to_expr(form)
