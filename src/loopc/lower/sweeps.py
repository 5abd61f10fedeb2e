"""Stencils in time: several steps of a serial loop for a block of rows that stays in the cache.

    for t:  for i in range(1, N-1)  B[i] = A[i-1] + A[i+1]
            for i in range(1, N-1)  A[i] = B[i-1] + B[i+1]
    ->  for each block of rows, for t:
            B[rows - 2t] = …;  A[rows - 2t - 1] = …

The rows of a block move down by `skew` from step to step and by a statement's `shift` within a
step, so that whatever a row reads, or overwrites, has been done before: in an earlier block, or in
this one. Source: Wolfe, More iteration space tiling, 1989; Song and Li, New tiling techniques to
improve cache temporal locality, 1999.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from loopc.diagnostics.record import record, replace
from loopc.ir.affine import affine
from loopc.ir.nodes import Const, Expr
from loopc.ir.visit import free_indices
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
        op: how it is written; "": it is read.
    """

    array: str
    row: int
    op: str = ""


@record()
class _Statement:
    """A step of the loop.

    Attributes:
        step: the step.
        note: the one that it stands under.
        axis: of its rows.
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
    for skew in range(FURTHEST):
        shifts = _shifts(statements, skew)
        if shifts is not None:
            return Sweep(
                loop.index, loop.start, loop.stop, loop.step, skew, _staged(statements, shifts)
            )
    return loop


# What is in the loop


@record()
class _Loop:
    """The arrays that a loop writes and reads, its index, and which dimensions are rows."""

    written: frozenset[str]
    read: frozenset[str]
    index: str
    places: dict[str, int]


def _statements(loop: Loop) -> list[_Statement] | None:
    """Return the steps of a loop; None: one of them is no operation on rows."""
    steps = [_stored(s) for s in loop.body]
    stores = [s for s in steps if isinstance(s, Store)]
    if len(stores) + sum(isinstance(s, Note) for s in steps) < len(steps):
        return None
    read = frozenset(a for s in stores for a in touched(s)[0])
    facts = _Loop(frozenset(touched(loop)[1]), read, loop.index, {})
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
    rows = next((p for p in step.target.parts if p.axis), None)
    if rows is None or rows.count is None or len(step.target.axes) < 2:
        return None
    values = (step.target, *walk(step.value))
    if any(loop.index in free_indices(n) for v in values for n in _sizes(v)):
        return None
    if not can_run_in_blocks(step.value, frozenset((rows.axis,))):
        return None
    accesses: list[_Access] = []
    target = _access(step.target, rows.axis, loop, step.op)
    if target is None:
        return None
    accesses.append(target)
    for value in walk(step.value):
        if isinstance(value, Contract | Selected):
            return None
        if getattr(value, "array", None) in loop.written:
            read = _access(value, rows.axis, loop) if isinstance(value, View) else None
            if read is None:
                return None
            accesses.append(read)
    named = {a.array for a in accesses}
    if (touched(step)[0] & loop.written) - named:
        return None
    return _Statement(step, note, rows.axis, rows.count, tuple(accesses))


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


def _access(view: View, axis: str, loop: _Loop, op: str = "") -> _Access | None:
    """Return the rows of an access; None: its rows are no slice of one dimension of the array."""
    own = [n for n, p in enumerate(view.parts) if p.axis == axis]
    if len(own) != 1 or loop.places.setdefault(view.array, own[0]) != own[0]:
        return None
    part = view.parts[own[0]]
    start = affine(part.start)
    if start is None or not start.is_constant or part.step != 1:
        return None
    if view.array in loop.read and any(loop.index in free_indices(p.start) for p in view.parts):
        return None
    return _Access(view.array, start.constant, op)


# Shifts


def _shifts(statements: Sequence[_Statement], skew: int) -> list[int] | None:
    """Return how far behind the block each statement's rows are; None: `skew` is too small.

    These are longest paths: `shift[q] >= shift[p] + distance` for all dependences.
    """
    bounds = [b for p in range(len(statements)) for b in _bounds(statements, p, skew)]
    shifts = [0] * len(statements)
    for _ in range(len(statements) + 1):
        new = list(shifts)
        for p, q, distance in bounds:
            new[q] = max(new[q], new[p] + distance)
        if new == shifts:
            return shifts
        shifts = new
    return None


def _bounds(statements: Sequence[_Statement], p: int, skew: int) -> Iterator[tuple[int, int, int]]:
    for q, other in enumerate(statements):
        for x in statements[p].accesses:
            for y in other.accesses:
                if x.array != y.array or not (x.op or y.op) or (x.op == y.op and x.op != "="):
                    continue
                # what x does to row r must be done before y comes to it
                if p < q or (p == q and not x.op and y.op):
                    yield p, q, y.row - x.row
                yield p, q, y.row - x.row - skew


# Stages


def _staged(statements: Sequence[_Statement], shifts: Sequence[int]) -> tuple[Stage, ...]:
    """Return the statements as stages: those that follow each other and share rows together."""
    groups: list[list[int]] = []
    for n, statement in enumerate(statements):
        if groups:
            first = groups[-1][0]
            same = shifts[first] == shifts[n] and statements[first].count == statement.count
            if same and _apart([statements[k] for k in (*groups[-1], n)]) is not None:
                groups[-1].append(n)
                continue
        groups.append([n])
    return tuple(_stage([statements[n] for n in g], shifts[g[0]]) for g in groups)


def _apart(group: Sequence[_Statement]) -> tuple[str, ...] | None:
    """Return the arrays that a group only adds to, at several places; None: it is no group.

    All accesses to another array that it writes must be to the same cells.
    """
    if len(group) == 1:
        return ()
    found: list[str] = []
    for name in dict.fromkeys(a.array for s in group for a in s.accesses if a.op):
        views = [v for s in group for v in _views(s, name)]
        if all(v == views[0] for v in views):
            continue
        adds = all(s.step.op == "+=" for s in group if s.step.target.array == name)
        if not adds or any(name in _read(s) for s in group):
            return None
        found.append(name)
    return tuple(found)


def _read(statement: _Statement) -> set[str]:
    """Return the arrays whose cells a statement's value is made of."""
    return {getattr(v, "array", "") for v in walk(statement.step.value)}


def _views(statement: _Statement, name: str) -> Iterator[View]:
    """Yield a statement's accesses of an array, its axes by number."""
    numbers = {a: f"{n}" for n, a in enumerate(statement.step.target.axes)}
    for view in (statement.step.target, *walk(statement.step.value)):
        if isinstance(view, View) and view.array == name:
            parts = tuple(replace(p, axis=numbers.get(p.axis, p.axis)) for p in view.parts)
            yield replace(view, parts=parts, axes=tuple(numbers.get(a, a) for a in view.axes))


def _stage(group: Sequence[_Statement], shift: int) -> Stage:
    first = group[0]
    name = first.axis.replace("°", "")
    index = TileIndex(f"{name}_from", f"{name}_to", first.count)
    body: list[Step] = []
    for statement in group:
        if statement.note is not None:
            body.append(statement.note)
        blocks = {statement.axis: index}
        step = statement.step
        value = block(step.value, blocks)
        body.append(replace(step, target=block_view(step.target, blocks), value=value))
    apart = _apart(group)
    assert apart is not None
    return Stage(shift, Tile((index,), (), (), (), tuple(body), apart))
