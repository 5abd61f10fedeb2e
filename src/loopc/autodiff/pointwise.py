"""Pointwise reductions as statements of their own: a cell for each number of a range."""

from __future__ import annotations

from collections.abc import Sequence

from loopc.diagnostics.record import replace
from loopc.ir.affine import Affine, affine, at_least, plus, to_expr
from loopc.ir.bounds import ascending, bounds, extent
from loopc.ir.nodes import (
    Access,
    Call,
    Const,
    Expr,
    For,
    Index,
    IndexRef,
    Read,
    Reduce,
    Stmt,
    Update,
)
from loopc.ir.reductions import Reduction, lookup
from loopc.ir.visit import free_indices, loop, substitute
from loopc.ir.workspace import Names


def by_number(value: Reduce, loops: Sequence[Index], names: Names) -> tuple[Reduce, Expr | None]:
    """Return a pointwise reduction over the numbers of its points, and where it has a value.

    One whose positions are all in its range, which goes up by 1, stays as it is: None, everywhere.
    """
    ranges = {i.name: i for i in loops}
    pairs = list(zip(value.indices, value.at, strict=True))
    if all(_is_inside(position, index, ranges) for index, position in pairs):
        return value, None
    row = lookup(value.op)
    assert row is not None
    indices: list[Index] = []
    places: list[Expr] = []
    points: dict[str, Expr] = {}
    conditions: list[Expr] = []
    around: dict[str, Expr] = {}
    for index, position in pairs:
        new, points[index.name] = _counted(substitute(index, points), names)
        place, defined = _number(substitute(index, around), position, row)
        around[index.name] = position
        indices.append(new)
        places.append(place)
        conditions += defined
    counted = replace(
        value,
        indices=tuple(indices),
        guard=None if value.guard is None else substitute(value.guard, points),
        body=substitute(value.body, points),
        at=tuple(places),
    )
    return counted, Call("and", tuple(conditions))


def _counted(index: Index, names: Names) -> tuple[Index, Expr]:
    """Return an index of the numbers of a range's values, and the value that one stands for."""
    assert index.start is not None
    new = Index(names.fresh(index.name, numbered=True), Const(0), _count(index), written=True)
    step = Call("mul", (Const(index.step), IndexRef(new.name)))
    return new, _simple(Call("add", (index.start, step)))


def _number(index: Index, position: Expr, row: Reduction) -> tuple[Expr, list[Expr]]:
    """Return the number of a position in a range, and the conditions for it to have one."""
    assert index.start is not None
    count = _count(index)
    distance = _simple(Call("add", (position, Call("neg", (index.start,)))))
    number = distance
    if index.step != 1:
        number = _simple(Call("floordiv", (distance, Const(index.step))))
    conditions: list[Expr] = [Call("ge", (number, Const(0))), Call("gt", (count, Const(0)))]
    if row.evaluate is not None:
        conditions.append(Call("lt", (number, count)))
        conditions.append(Call("eq", (Call("mod", (distance, Const(index.step))), Const(0))))
    last = Call("add", (count, Const(-1)))
    return Call("min", (number, last)), conditions


def _count(index: Index) -> Expr:
    return _simple(Call("max", (extent(index), Const(0))))


def where_defined(read: Read, row: Reduction, defined: Expr) -> Expr:
    """Return what a pointwise reduction is at any point; before its range nothing has run yet."""
    other = row.identity if row.evaluate is None else row.outside
    assert other is not None
    return Call("where", (defined, read, Const(other)))


def _is_inside(position: Expr, index: Index, ranges: dict[str, Index]) -> bool:
    if index.step != 1:
        return False
    if isinstance(position, IndexRef) and position.name in ranges:
        outer = ascending(ranges[position.name])
        if (outer.start, outer.stop) == (index.start, index.stop):
            return True
    ends = bounds(position, ranges)
    low, high, start, stop = (
        None if e is None else affine(e) for e in (ends.low, ends.high, index.start, index.stop)
    )
    if low is None or high is None or start is None or stop is None:
        return False
    return at_least(low, start) and at_least(stop, high + Affine(1))


def _simple(expr: Expr) -> Expr:
    form = affine(expr)
    return expr if form is None else to_expr(form)


def _range(index: Index) -> tuple[Expr | None, Expr | None, int]:
    return index.start, index.stop, index.step


def recurrence(cell: Access, value: Reduce) -> tuple[Stmt, ...]:
    """Return the recurrence of a running sum or product."""
    row = lookup(value.op)
    assert row is not None
    assert row.fn
    (index,) = value.indices
    assert index.start is not None
    here = IndexRef(index.name)
    before = substitute(cell, {index.name: plus(here, -1)})
    term = value.body
    if value.guard is not None:
        term = Call("where", (value.guard, term, Const(row.identity)))
    first = Update(cell, "=", term, span=value.span)
    step = Call(row.fn, (Read(before), term))
    later = Update(cell, "=", step, span=value.span)
    body = (
        *loop((), Call("eq", (here, index.start)), first),
        *loop((), Call("gt", (here, index.start)), later),
    )
    return (For((index,), None, body, span=value.span),)


def apart_from(value: Reduce, loops: Sequence[Index], names: Names) -> Reduce:
    """Return a pointwise reduction whose indices have other names than the loops round it."""
    clash = {i.name for i in loops} & {i.name for i in value.indices}
    return _renamed(value, names) if clash else value


def _renamed(value: Reduce, names: Names) -> Reduce:
    """Give the indices of a pointwise reduction names that no loop has."""
    fresh: dict[str, Expr] = {}
    indices = []
    for index in value.indices:
        name = names.fresh(index.name, numbered=True)
        indices.append(replace(substitute(index, fresh), name=name))
        fresh[index.name] = IndexRef(name)
    guard = None if value.guard is None else substitute(value.guard, fresh)
    return replace(value, indices=tuple(indices), guard=guard, body=substitute(value.body, fresh))


def covers(value: Reduce, loops: tuple[Index, ...], guards: tuple[Expr, ...]) -> bool:
    """Whether the loops give a pointwise reduction a value at each of its points.

    Their guards leave none out if they do not depend on the point, or are the reduction's own.
    """
    point = {name for position in value.at for name in free_indices(position)}
    if any(point & set(free_indices(g)) and g != value.guard for g in guards):
        return False
    if len(set(value.at)) < len(value.at):
        return False
    for index, position in zip(value.indices, value.at, strict=True):
        match = next((i for i in loops if position == IndexRef(i.name)), None)
        if match is None or _range(match) != _range(index):
            return False
    return True
