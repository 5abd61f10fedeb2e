"""Stencils in time: several steps of a serial loop for a block of rows that stays in the cache.

    for t:  for i in range(1, N-1)  B[i] = A[i-1] + A[i+1]
            for i in range(1, N-1)  A[i] = B[i-1] + B[i+1]
    ->  for each block of rows, for t:
            B[rows - 2t] = …;  A[rows - 2t - 1] = …

The rows of a block move down by `skew` from step to step and by a statement's `shift` within a
step, so that whatever a row reads, or overwrites, has been done before: in an earlier block, or in
this one. An array may have a plane for each step, `A[t+1,i] = A[t,i-1]`: what one step writes is
read so many steps later. A statement may have one row alone, such as that of a boundary,
`A[0,j] = f[t]`: it runs in the block that has this row.

Source: Wolfe, More iteration space tiling, 1989; Song and Li, New tiling techniques to improve
cache temporal locality, 1999.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from loopc.diagnostics.record import record, replace
from loopc.ir.affine import Affine, affine
from loopc.ir.nodes import Const, Expr, Read
from loopc.ir.visit import contains, free_indices
from loopc.lower.blocks import block, block_view, can_run_in_blocks
from loopc.lower.plan import (
    Assign,
    Contract,
    Gather,
    Loop,
    Note,
    Part,
    Range,
    Selected,
    Stage,
    Step,
    Store,
    Strided,
    Sweep,
    Tile,
    TileIndex,
    Value,
    View,
)
from loopc.lower.plan_visit import touched, walk

FURTHEST = 6
"""The most rows that a block moves from one step of the loop to the next."""


@record()
class _Access:
    """A read or write of an array that the loop writes, by rows.

    Attributes:
        array: which.
        row: the first row.
        cells: the place in each dimension of which there is one cell, as far as it is known.
        op: how it is written; "": it is read.
    """

    array: str
    row: int
    cells: tuple[Affine | None, ...]
    op: str = ""


@record()
class _Statement:
    """A step of the loop.

    Attributes:
        step: the step.
        note: the one that it stands under.
        axis: of its rows; "": there is one row.
        count: how many.
        accesses: to the arrays that the loop writes.
    """

    step: Store
    note: Note | None
    axis: str
    count: Expr
    accesses: tuple[_Access, ...]


def swept(loop: Loop) -> Step:
    """Return a serial loop as a sweep over blocks of rows, where it is a stencil in time."""
    statements = _statements(loop)
    if not statements or not any(a.op == "" for s in statements for a in s.accesses):
        return loop
    stencil = _Stencil(loop, statements)
    for skew in range(FURTHEST):
        shifts = stencil.shifts(skew)
        if shifts is not None:
            stages = stencil.stages(shifts)
            return Sweep(loop.index, loop.start, loop.stop, loop.step, skew, stages)
    return loop


# What is in the loop


@record()
class _Loop:
    """The arrays that a loop writes, its index, and which dimensions are rows."""

    written: frozenset[str]
    index: str
    places: Mapping[str, int]


def _statements(loop: Loop) -> list[_Statement] | None:
    """Return the steps of a loop; None: one of them is no operation on rows."""
    steps = [_stored(s) for s in loop.body]
    stores = [s for s in steps if isinstance(s, Store)]
    if len(stores) + sum(isinstance(s, Note) for s in steps) < len(steps):
        return None
    facts = _Loop(frozenset(touched(loop)[1]), loop.index, _places(stores))
    found: list[_Statement] = []
    note: Note | None = None
    for step in steps:
        if isinstance(step, Note):
            note = step
        elif isinstance(step, Store):
            made = _statement(step, note, facts)
            if made is None:
                return None
            found.append(made)
    return found


def _places(stores: Sequence[Store]) -> dict[str, int]:
    """Return the dimension of each array that is rows: the first one of a target, if of several."""
    found: dict[str, int] = {}
    for store in stores:
        if len(store.target.axes) > 1:
            axis = next(p.axis for p in store.target.parts if p.axis)
            for view in (store.target, *walk(store.value)):
                if isinstance(view, View):
                    for n, part in enumerate(view.parts):
                        if part.axis == axis:
                            found.setdefault(view.array, n)
    return found


def _stored(step: Step) -> Step:
    """Return a new value for the whole of an array, which exists before the loop, as a store.

    What is held for a statement (`°`) does not exist before.
    """
    if not isinstance(step, Assign) or not step.order or len(step.order) < len(step.shape):
        return step
    if "°" in step.array:
        return step
    parts = tuple(
        Part(Const(0), a, n, whole=True) for a, n in zip(step.order, step.shape, strict=True)
    )
    return Store(View(step.array, parts, step.order), "=", step.value)


def _statement(step: Store, note: Note | None, loop: _Loop) -> _Statement | None:
    place = loop.places.get(step.target.array)
    if place is None:
        return None
    rows = step.target.parts[place]
    count = rows.count if rows.axis else Const(1)
    values = (step.target, *walk(step.value))
    if count is None or any(loop.index in free_indices(n) for v in values for n in _sizes(v)):
        return None
    if not can_run_in_blocks(step.value, frozenset((rows.axis,) if rows.axis else ())):
        return None
    accesses: list[_Access] = []
    for value in values:
        op = step.op if value is step.target else ""
        if isinstance(value, Contract | Selected):
            return None
        if getattr(value, "array", None) in loop.written:
            access = _access(value, rows.axis, loop, op) if isinstance(value, View) else None
            if access is None:
                return None
            accesses.append(access)
    named = {a.array for a in accesses}
    if (touched(step)[0] & loop.written) - named:
        return None
    return _Statement(step, note, rows.axis, count, tuple(accesses))


def _sizes(value: Value) -> Iterator[Expr]:
    """Yield what the extents of a value's own axes are made of.

    The blocks of a sweep, and its buffers, are cut before its loop runs.
    """
    match value:
        case View(parts=held) | Strided(windows=held) | Gather(indices=held):
            for item in held:
                count = getattr(item, "count", None)
                if count is not None:
                    yield count
        case Range(start=start, stop=stop):
            yield from (start, stop)
        case _:
            pass


def _access(view: View, axis: str, loop: _Loop, op: str) -> _Access | None:
    """Return the rows of an access; None: its rows are no slice of one dimension of the array."""
    place = loop.places.get(view.array)
    own = [n for n, p in enumerate(view.parts) if p.axis and p.axis == axis]
    if place is None or own != ([place] if axis else []) or view.parts[place].axis != axis:
        return None
    part = view.parts[place]
    start = affine(part.start)
    if start is None or not start.is_constant or part.step != 1:
        return None
    cells = tuple(_cell(p, loop.index) for p in view.parts)
    return _Access(view.array, start.constant, cells, op)


def _cell(part: Part, index: str) -> Affine | None:
    """Return the place of a single cell, if it moves by a number of cells from step to step."""
    at = None if part.axis or contains(part.start, Read) else affine(part.start)
    return at if at is not None and at.is_linear_in(index) else None


# Shifts


class _Stencil:
    """The statements of a loop, and what depends on what."""

    def __init__(self, loop: Loop, statements: Sequence[_Statement]) -> None:
        self.loop = loop
        self.statements = statements

    def shifts(self, skew: int) -> list[int] | None:
        """Return how far behind the block each statement's rows are; None: `skew` is too small.

        These are longest paths: `shift[q] >= shift[p] + distance` for all dependences.
        """
        count = len(self.statements)
        bounds = [b for p in range(count) for b in self._bounds(p, skew)]
        shifts = [0] * count
        for _ in range(count + 1):
            new = list(shifts)
            for p, q, distance in bounds:
                new[q] = max(new[q], new[p] + distance)
            if new == shifts:
                return shifts
            shifts = new
        return None

    def _bounds(self, p: int, skew: int) -> Iterator[tuple[int, int, int]]:
        for q, other in enumerate(self.statements):
            for x in self.statements[p].accesses:
                for y in other.accesses:
                    if x.array != y.array or not (x.op or y.op) or (x.op == y.op and x.op != "="):
                        continue
                    # what x does to row r must be done before y comes to it
                    for steps in self._later(x, y):
                        if steps or p < q or (p == q and not x.op and y.op):
                            yield p, q, y.row - x.row - skew * steps

    def _later(self, x: _Access, y: _Access) -> tuple[int, ...]:
        """Return how many steps after `x` it is that `y` comes to the same cells.

        0 and 1 are for any number: 1 asks for more than all that are larger.
        """
        index, found = self.loop.index, set[int]()
        for a, b in zip(x.cells, y.cells, strict=True):
            if a is None or b is None or a.coefficient(index) != b.coefficient(index):
                continue
            gap, speed = a - b, a.coefficient(index) * self.loop.step
            if not gap.is_constant:
                continue
            if gap.constant % speed if speed else gap.constant:
                return ()
            if speed:
                found.add(gap.constant // speed)
        if not found:
            return 0, 1
        return tuple(found) if len(found) == 1 and min(found) >= 0 else ()

    # Stages

    def stages(self, shifts: Sequence[int]) -> tuple[Stage, ...]:
        """Return the statements as stages: those that follow each other and share rows together.

        One of a single row is a stage of its own: a tile takes what it writes from its blocks.
        """
        groups: list[list[int]] = []
        for n, statement in enumerate(self.statements):
            if groups and statement.axis and self.statements[groups[-1][0]].axis:
                first = groups[-1][0]
                same = (
                    shifts[first] == shifts[n] and self.statements[first].count == statement.count
                )
                if same and self._apart([*groups[-1], n]) is not None:
                    groups[-1].append(n)
                    continue
            groups.append([n])
        return tuple(self._stage(g, shifts[g[0]]) for g in groups)

    def _apart(self, numbers: Sequence[int]) -> tuple[str, ...] | None:
        """Return the arrays that a group only adds to, at several places; None: it is no group.

        All accesses to another array that it writes must be to the same cells.
        """
        if len(numbers) == 1:
            return ()
        group = [self.statements[n] for n in numbers]
        found: list[str] = []
        accesses = [a for s in group for a in s.accesses]
        for name in dict.fromkeys(a.array for a in accesses if a.op):
            views = [v for s in group for v in _views(s, name)]
            if all(v == views[0] for v in views):
                continue
            writes = [a for a in accesses if a.op and a.array == name]
            read = [a for a in accesses if not a.op and a.array == name]
            if any(a.op != "+=" for a in writes) or any(
                0 in self._later(a, b) for a in read for b in writes
            ):
                return None
            found.append(name)
        return tuple(found)

    def _stage(self, numbers: Sequence[int], shift: int) -> Stage:
        group = [self.statements[n] for n in numbers]
        first = group[0]
        name = first.axis.replace("°", "") or "row"
        index = TileIndex(f"{name}_from", f"{name}_to", first.count)
        body: list[Step] = []
        for statement in group:
            if statement.note is not None:
                body.append(statement.note)
            blocks = {statement.axis: index} if statement.axis else {}
            step = statement.step
            value = block(step.value, blocks)
            body.append(replace(step, target=block_view(step.target, blocks), value=value))
        apart = self._apart(numbers)
        assert apart is not None
        return Stage(shift, Tile((index,), (), (), (), tuple(body), apart))


def _views(statement: _Statement, name: str) -> Iterator[View]:
    """Yield a statement's accesses of an array, its axes by number."""
    numbers = {a: f"{n}" for n, a in enumerate(statement.step.target.axes)}
    for view in (statement.step.target, *walk(statement.step.value)):
        if isinstance(view, View) and view.array == name:
            parts = tuple(replace(p, axis=numbers.get(p.axis, p.axis)) for p in view.parts)
            yield replace(view, parts=parts, axes=tuple(numbers.get(a, a) for a in view.axes))
