"""Reductions inside expressions: sums, folds, and pointwise ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopc.diagnostics.record import replace
from loopc.ir import reductions
from loopc.ir.affine import Affine, affine, at_least, equal
from loopc.ir.bounds import ascending, backwards, bounds, conjuncts
from loopc.ir.nodes import Access, Call, Const, Expr, Index, IndexRef, Node, Read, Reduce
from loopc.ir.visit import (
    free_indices,
    map_children,
    mul,
    opened_reduction,
    reads,
    substitute,
    walk,
)
from loopc.lower.domain import Box, count
from loopc.lower.folds import counts, folded, identity
from loopc.lower.plan import (
    Along,
    Apply,
    Bound,
    Cast,
    Expand,
    Flip,
    Lit,
    Renamed,
    Scalar,
    Take,
    Value,
)
from loopc.lower.sums import total

if TYPE_CHECKING:
    from loopc.lower.value import Lowering


def reduce(lowering: Lowering, expr: Reduce) -> Value:
    """Lower a reduction inside an expression."""
    row = reductions.lookup(expr.op)
    assert row is not None, expr.op
    opened = _opened(lowering, expr)
    if row.form == "pointwise":
        swept = _swept(lowering, opened)
        if swept is not None:
            outer, own = swept
            guards = conjuncts(own.guard)
            inner = replace(outer, masks=(*outer.masks, *guards))
            return _along(outer, inner, own)
        return _pointwise(lowering, opened)
    inner = _inside(lowering, opened)
    over = [i.name for i in opened.indices]
    needed = lowering.masks
    if row.op == "+=":
        return total(inner, opened.body, over, needed)
    if expr.op == "mean" and len(inner.masks) > len(needed):
        dtype = lowering.type_of(expr)
        assert dtype is not None
        terms = total(inner, opened.body, over, needed)
        number = total(inner, Const(1), over, needed)
        if dtype.kind in "fc" and not dtype.weak:
            number = Cast(number, dtype, number.axes)
        return Apply("div", (terms, number), lowering.union(terms, number))
    if expr.op == "mean" and lowering.context.opt:
        size = mul(*(count(inner.box.indices[n], inner.serial) for n in over))
        if not any(isinstance(n, IndexRef | Read) for n in walk(size)):  # else it may be 0
            terms = total(inner, opened.body, over, needed)
            return Apply("div", (terms, Scalar(size)), terms.axes)
    inner = replace(inner, absorbed=False)
    return folded(inner, expr.op, opened.body, over, needed=needed, indices=opened.indices)


def _opened(lowering: Lowering, expr: Reduce) -> Reduce:
    """Return a reduction whose indices have names that stand for one range in the statement."""
    taken = set(lowering.ranges)
    known = lowering.context.reduced
    while True:
        opened = opened_reduction(expr, taken)
        ranges = lowering.box.extended(opened.indices, opened.guard).indices
        names = [i.name for i in opened.indices]
        others = {n for n in names if known.setdefault(n, ranges[n]) != ranges[n]}
        if not others:
            return opened
        taken |= others


def _inside(lowering: Lowering, opened: Reduce) -> Lowering:
    """Return the lowering of a reduction's body, under the masks that its box does not take in."""
    box = _measured(lowering, lowering.box.extended(opened.indices, opened.guard))
    own = tuple(m for m in box.masks if m not in lowering.box.masks)
    left = {*own, *box.scalars}
    guards = tuple(g for g in conjuncts(opened.guard) if g in left)  # each where those before hold
    ranges = tuple(m for m in own if m not in guards)
    return replace(lowering, box=box, masks=(*lowering.masks, *ranges, *guards))


def _measured(lowering: Lowering, found: Box) -> Box:
    """Find out before the statement where ranges begin and end that follow data."""

    def measure(node: Node) -> Node:
        if isinstance(node, Reduce):
            outside = replace(lowering, box=Box({}, gone=lowering.box.gone), masks=())
            return lowering.context.measure(outside.value(node))
        return map_children(node, measure)

    own = {n: i for n, i in found.indices.items() if n not in lowering.box.indices}
    new = {n: map_children(i, measure) for n, i in own.items()}
    return replace(found, indices={**found.indices, **new})


def _swept(lowering: Lowering, expr: Reduce) -> tuple[Lowering, Reduce] | None:
    """Let a pointwise reduction run over the loops round it, where it has a value for each.

    Masks over these indices only say where the values are needed, and are dropped; but gathers
    from data are checked where they are.
    """
    names: dict[str, Expr] = {}
    used = {*free_indices(expr.body), *(free_indices(expr.guard) if expr.guard else ())}
    for position, index in zip(expr.at, expr.indices, strict=True):
        outer = position.name if isinstance(position, IndexRef) else ""
        if outer in used or not _is_same_range(lowering.box.indices.get(outer), index):
            return None
        names[index.name] = IndexRef(outer)
    swept = {e.name for e in names.values() if isinstance(e, IndexRef)}
    if len(swept) < len(names) or any(_is_data(a) for a in reads(expr)):
        return None
    kept = tuple(m for m in lowering.masks if swept.isdisjoint(free_indices(m)))
    guard = None if expr.guard is None else substitute(expr.guard, names)
    new = replace(expr, guard=guard, body=substitute(expr.body, names), at=())
    return replace(lowering, masks=kept), replace(
        new,
        indices=tuple(replace(i, name=names[i.name].name) for i in expr.indices),  # type: ignore[union-attr]
    )


def _is_data(access: Access) -> bool:
    return any(True for s in access.subscripts for _ in reads(s))


def _is_same_range(outer: Index | None, own: Index) -> bool:
    if outer is None or outer.step != own.step:
        return False
    return _same(outer.start, own.start) and _same(outer.stop, own.stop)


def _pointwise(lowering: Lowering, expr: Reduce) -> Value:
    """Lower a reduction that has a value at each point: at those of the loops round it."""
    inner = _inside(lowering, expr)
    result = _along(lowering, inner, expr)
    for index, position in zip(expr.indices, expr.at, strict=True):
        row = reductions.lookup(expr.op)
        assert row is not None
        start = identity(row, inner.type_of(expr.body)) if row.evaluate is None else Lit(0)
        own = inner.box.indices[index.name]
        result = _at(lowering, inner, row, result, own, position, start)
    return result


def _along(lowering: Lowering, inner: Lowering, expr: Reduce) -> Value:
    """Lower a pointwise reduction at each of its own points."""
    row = reductions.lookup(expr.op)
    assert row is not None
    over = [i.name for i in expr.indices]
    value = inner.value(expr.body)
    own = tuple(m for m in inner.masks if m not in lowering.masks)
    mask = inner.condition(own, lowering.masks)
    if mask is not None:
        least = Lit(float("-inf"))
        fill = least if row.evaluate is not None else identity(row, inner.type_of(expr.body))
        value = Apply("where", (mask, value, fill), inner.union(mask, value))
    missing = [n for n in over if n not in value.axes]
    if missing:
        axes = tuple(n for n in inner.order if n in value.axes or n in missing)
        value = Expand(value, counts(inner, axes), axes)
    result: Value = Along(expr.op, value, tuple(over), value.axes)
    if mask is not None and row.outside is not None:
        axes = inner.union(mask, result)
        result = Apply("where", (mask, result, Lit(row.outside)), axes)
    return result


def _at(
    lowering: Lowering,
    inner: Lowering,
    row: reductions.Reduction,
    value: Value,
    own: Index,
    position: Expr,
    start: Lit | Bound,
) -> Value:
    """Take a pointwise reduction's values where the loops round it stand."""
    assert own.start is not None
    outer = lowering.box.indices.get(position.name) if isinstance(position, IndexRef) else None
    if outer is not None and outer.name not in value.axes:
        axes = _replaced(value.axes, own.name, outer.name)
        if _is_same_range(outer, own):
            return Renamed(value, own.name, outer.name, axes)
        if _is_same_range(backwards(outer), own):
            return Flip(Renamed(value, own.name, outer.name, axes), outer.name, axes)
    offset: Expr = position
    if own.start != Const(0):
        offset = Call("add", (position, Call("neg", (own.start,))))
    if own.step != 1:
        offset = Call("floordiv", (offset, Const(own.step)))
    at = lowering.value(offset)
    inside = _is_inside(lowering, own, position)
    shared = any(a in value.axes for a in at.axes)
    if not shared and len(at.axes) <= 1:
        new = at.axes[0] if at.axes else ""
        taken = Take(value, own.name, at, _replaced(value.axes, own.name, new), inside)
    else:
        axes = inner.union(at, replace(value, axes=_replaced(value.axes, own.name, "")))
        sizes = (*counts(inner, axes), count(own, lowering.serial))
        spread = Expand(value, sizes, (*axes, own.name))
        taken = Take(spread, own.name, Expand(at, sizes[:-1], axes), axes, inside)
    if inside:
        return taken
    mask, other = _where_defined(lowering, row, own, position, offset, start)
    return Apply("where", (mask, taken, other), inner.union(mask, taken))


def _is_inside(lowering: Lowering, own: Index, position: Expr) -> bool:
    """Whether a position is in a range of step 1 or -1 for all sizes."""
    if abs(own.step) != 1:
        return False
    ends = bounds(position, lowering.ranges)
    rising = ascending(own)
    assert rising.start is not None
    assert rising.stop is not None
    low, high, start, stop = (
        None if e is None else affine(e) for e in (ends.low, ends.high, rising.start, rising.stop)
    )
    if low is None or high is None or start is None or stop is None:
        return False
    return at_least(low, start) and at_least(stop, high + Affine(1))


def _where_defined(
    lowering: Lowering,
    row: reductions.Reduction,
    own: Index,
    position: Expr,
    offset: Expr,
    start: Lit | Bound,
) -> tuple[Value, Value]:
    """Return which positions are in the range, and the value elsewhere: of nothing, before it."""
    conditions = [Call("ge", (offset, Const(0)))]
    other: Value
    number = count(own, lowering.serial)
    if row.evaluate is None:
        other = start
        least = affine(number)
        if least is None or not at_least(least, Affine(1)):
            conditions.append(Call("gt", (number, Const(0))))
    else:
        assert own.start is not None
        assert row.outside is not None
        other = Lit(row.outside)
        conditions.append(Call("lt", (offset, number)))
        if own.step not in (1, -1):
            distance = Call("add", (position, Call("neg", (own.start,))))
            conditions.append(Call("eq", (Call("mod", (distance, Const(own.step))), Const(0))))
    mask = lowering.held(tuple(conditions))
    assert mask is not None
    return mask, other


def _replaced(axes: tuple[str, ...], old: str, new: str) -> tuple[str, ...]:
    return tuple(new if a == old else a for a in axes if a != old or new)


def _same(a: Expr | None, b: Expr | None) -> bool:
    return a is not None and b is not None and equal(a, b)
