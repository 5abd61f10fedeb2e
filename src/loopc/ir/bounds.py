"""The smallest and the largest value of an index expression over its domain, in extents."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from loopc.diagnostics.record import record, replace
from loopc.ir.affine import Affine, affine, at_least, equal, is_nonnegative, plus, to_expr
from loopc.ir.functions import lookup, order
from loopc.ir.nodes import ZERO, Call, Const, Expr, Index, IndexRef
from loopc.ir.polynomials import extreme, is_at_an_end, is_curved
from loopc.ir.visit import free_indices, reads, substitute


@record()
class Bounds:
    """Both ends inclusive, as expressions without indices; None where nothing is known."""

    low: Expr | None
    high: Expr | None


def first(index: Index) -> Expr:
    """Return the smallest value of a resolved index (of its range, if that is not empty)."""
    assert index.start is not None
    assert index.stop is not None
    if index.step > 0:
        return index.start
    return _last_of(index)


def last(index: Index) -> Expr:
    """Return the largest value of a resolved index (of its range, if that is not empty)."""
    assert index.start is not None
    assert index.stop is not None
    return _last_of(index) if index.step > 0 else index.start


def _last_of(index: Index) -> Expr:
    """Return the last value in the order of the loop."""
    try:
        return index.ends  # type: ignore[no-any-return]
    except AttributeError:
        index.ends = _last_value(index)
        return index.ends  # type: ignore[no-any-return]


def _last_value(index: Index) -> Expr:
    assert index.start is not None
    assert index.stop is not None
    start, stop, step = affine(index.start), affine(index.stop), index.step
    if start is None or stop is None:
        return index.stop
    if abs(step) == 1:
        return to_expr(stop - Affine(step))
    trips = Call("floordiv", (to_expr(stop - start - Affine(1 if step > 0 else -1)), Const(step)))
    form = affine(trips)
    assert form is not None
    return to_expr(start + form.scaled(step))


def runs_over(at: Expr, ranges: Mapping[str, Index], size: Expr) -> bool:
    """Whether a subscript is an index that runs over a whole axis: it cannot be outside."""
    if not isinstance(at, IndexRef):
        return False
    index = ranges.get(at.name)
    return index is not None and index.step == 1 and index.start == ZERO and index.stop == size


def is_whole(index: Index, size: Expr) -> bool:
    """Whether an index runs over a whole axis, upwards and in single steps."""
    upwards = index.step == 1 and index.start == ZERO
    return upwards and index.stop is not None and equal(index.stop, size)


def is_loose(index: Index) -> bool:
    """Whether only bounds of the last value are known: steps from a start that itself moves."""
    assert index.start is not None
    return abs(index.step) > 1 and bool(free_indices(index.start))


def extent(index: Index) -> Expr:
    """Return the number of values of a resolved index; it may be negative for an empty range."""
    try:
        return index.trips  # type: ignore[no-any-return]
    except AttributeError:
        index.trips = _extent(index)
        return index.trips  # type: ignore[no-any-return]


def _extent(index: Index) -> Expr:
    assert index.start is not None
    assert index.stop is not None
    start, stop = affine(index.start), affine(index.stop)
    if start is None or stop is None:
        return Call("add", (index.stop, Call("neg", (index.start,))))
    if index.step in (1, -1):
        return to_expr((stop - start).scaled(index.step))
    size = abs(index.step)
    span = stop - start if index.step > 0 else start - stop
    form = affine(Call("floordiv", (to_expr(span + Affine(size - 1)), Const(size))))
    assert form is not None
    return to_expr(form)


def bounds(expr: Expr, ranges: Mapping[str, Index]) -> Bounds:
    """Bound `expr` over the domain of `ranges`: resolved indices by name, outermost first.

    An index whose range uses earlier indices is eliminated before these; what is left contains no
    index of `ranges`. Indices that are not in `ranges` stay as they are.
    """
    if not free_indices(expr):
        return Bounds(expr, expr)
    return _bounds(expr, tuple(ranges.items()))


@lru_cache(maxsize=1 << 14)
def _bounds(expr: Expr, items: tuple[tuple[str, Index], ...]) -> Bounds:
    ranges = dict(items)
    low, high = expr, expr
    known_low, known_high = True, True
    for name in reversed(list(ranges)):
        if known_low:
            found = _eliminate(low, name, ranges, -1)
            known_low, low = found is not None, found or low
        if known_high:
            found = _eliminate(high, name, ranges, +1)
            known_high, high = found is not None, found or high
    return Bounds(low if known_low else None, high if known_high else None)


def _eliminate(expr: Expr, name: str, ranges: Mapping[str, Index], side: int) -> Expr | None:
    """Bound `expr` from above (side 1) or below (-1) by an expression without the index."""
    if name not in free_indices(expr):
        return expr
    if isinstance(expr, IndexRef):
        return _end(ranges[name], side)
    form = affine(expr)
    if form is None:
        return None
    spread = _spread(form, name)
    if spread is not None:
        parts = [_eliminate(e, name, ranges, side) for e in spread.args]
        known = tuple(p for p in parts if p is not None)
        return Call(spread.fn, known) if len(known) == len(parts) else None
    total = _sum(form, name, ranges, side)
    ends = first(ranges[name]), last(ranges[name])
    if total is not None and is_at_an_end(form, name, ends, total):
        return to_expr(total)
    found = extreme(form, name, ends, side, lambda f: _sign(f, ranges, ranges))
    if found is not None or total is None or is_curved(form, name):
        return found
    return to_expr(total)


def _sum(form: Affine, name: str, ranges: Mapping[str, Index], side: int) -> Affine | None:
    """Add up the bounds of the terms."""
    slope, rest = form.collected(IndexRef(name))
    total = _linear(slope, ranges[name], ranges, side)
    for atom, c in rest.terms:
        best = _extreme_of(atom, name, ranges, side if c > 0 else -side)
        part = None if best is None else affine(best)
        if part is None:
            return None
        total = total + part.scaled(c)
    return total + Affine(rest.constant)


def _spread(form: Affine, name: str) -> Call | None:
    """Return `i - max(a, b)` as `min(i-a, i-b)`, where the index is in both parts."""
    inside = [(a, c) for a, c in form.terms if name in free_indices(a)]
    for atom, c in inside:
        if len(inside) > 1 and isinstance(atom, Call) and atom.fn in ("max", "min"):
            rest = Affine(form.constant, tuple(t for t in form.terms if t[0] != atom))
            fn = atom.fn if c > 0 else {"max": "min", "min": "max"}[atom.fn]
            parts = [affine(a) for a in atom.args]
            if all(p is not None for p in parts):
                return Call(fn, tuple(to_expr(rest + p.scaled(c)) for p in parts if p is not None))
    return None


def _linear(slope: Affine, index: Index, ranges: Mapping[str, Index], side: int) -> Affine:
    """Return the extreme of `slope * index`: at the end that the sign of the slope tells."""
    if slope.is_constant:
        end = affine(_end(index, side if slope.constant >= 0 else -side))
        assert end is not None
        return end.scaled(slope.constant)
    ends = [_times(slope, _end(index, s)) for s in (side, -side)]
    sign = _sign(slope, {n: r for n, r in ranges.items() if n != index.name}, ranges)
    if sign:
        return ends[0] if sign > 0 else ends[1]
    form = affine(Call("max" if side > 0 else "min", tuple(to_expr(e) for e in ends)))
    assert form is not None
    return form


def _times(slope: Affine, end: Expr) -> Affine:
    form = affine(Call("mul", (to_expr(slope), end)))
    assert form is not None
    return form


def _end(index: Index, side: int) -> Expr:
    """Return the largest (side 1) or smallest value of an index, or a bound of it."""
    if is_loose(index) and (side > 0) == (index.step > 0) and index.stop is not None:
        return plus(index.stop, -side)
    return last(index) if side > 0 else first(index)


def _sign(slope: Affine, over: Mapping[str, Index], ranges: Mapping[str, Index]) -> int:
    """Return 1 if a form of indices is never negative, -1 if never positive; 0: unknown.

    The domain of `ranges` has points: no range is empty, and `W-2` is at least 1 where an index has
    that extent.
    """
    if slope.is_constant:
        return 1 if slope.constant >= 0 else -1
    ends = bounds(to_expr(slope), over)
    low = None if ends.low is None else affine(ends.low)
    high = None if ends.high is None else affine(ends.high)
    sizes = [affine(extent(r)) for r in ranges.values() if not free_indices(r)]
    if _is_product(slope, [s for s in sizes if s is not None]):
        return 1
    least = [Affine(0), *(s - Affine(1) for s in sizes if s is not None)]
    if low is not None and any(at_least(low, size) for size in least):
        return 1
    return -1 if high is not None and any(at_least(high.scaled(-1), s) for s in least) else 0


def _is_product(form: Affine, sizes: list[Affine]) -> bool:
    """Whether a form is a product of sizes of ranges: of scalars that a call gives, not of dims."""
    if form.constant or len(form.terms) != 1 or form.terms[0][1] < 0:
        return False
    atom = form.terms[0][0]
    factors = atom.args if isinstance(atom, Call) and atom.fn == "mul" else (atom,)
    return all(affine(f) in sizes or is_nonnegative(f) for f in factors)


def _extreme_of(atom: Expr, name: str, ranges: Mapping[str, Index], side: int) -> Expr | None:
    """Bound an atom in which the index is no factor of a product."""
    if name not in free_indices(atom):
        return atom
    match atom:
        case Call("floordiv", (a, c)) if name not in free_indices(c) and is_nonnegative(c):
            inner = _eliminate(a, name, ranges, side)
            return None if inner is None else Call("floordiv", (inner, c))
        case Call("mod", (_, c)) if name not in free_indices(c) and is_nonnegative(c):
            return plus(c, -1) if side > 0 else Const(0)
        case Call("max" | "min", args):
            parts = [_eliminate(a, name, ranges, side) for a in args]
            known = tuple(p for p in parts if p is not None)
            return Call(atom.fn, known) if len(known) == len(args) else None
        case Call("mul", args):
            return _extreme_of_product(args, name, ranges, side)
        case _:
            return None


def _extreme_of_product(
    args: tuple[Expr, ...], name: str, ranges: Mapping[str, Index], side: int
) -> Expr | None:
    """A product in which the index is part of one factor and the others are at least 0."""
    others = [a for a in args if name not in free_indices(a)]
    if len(others) != len(args) - 1:
        return None
    if not all(map(is_nonnegative, others)):
        return None
    inner = next(a for a in args if name in free_indices(a))
    best = _extreme_of(inner, name, ranges, side)
    return None if best is None else Call("mul", (*others, best))


def tighten(ranges: Mapping[str, Index], guard: Expr | None) -> dict[str, Index]:
    """Narrow ranges of step 1 by the affine comparisons that `guard` is a conjunction of.

    Each comparison bounds the innermost index in it that has a coefficient of 1 or -1. The result
    covers every point where the guard holds; it may hold others as well.
    """
    result = dict(ranges)
    for part in conjuncts(guard):
        match part:
            case Call("lt" | "le" | "gt" | "ge" | "eq" as fn, (a, b)):
                x, y = affine(a), affine(b)
                if x is not None and y is not None:
                    _narrow(result, fn, x - y)
            case _:
                pass
    return result


def conjuncts(guard: Expr | None) -> tuple[Expr, ...]:
    """Return the terms of an `and`, a single condition, or nothing; `abs(i - j) < b` is two."""
    match guard:
        case None:
            return ()
        case Call("and", args):
            return tuple(c for a in args for c in conjuncts(a))
        case Call("lt" | "le" as fn, (Call(of, (a,)), b)) if _is_size(of) and not reads(a):
            return Call(fn, (a, b)), Call(fn, (Call("neg", (a,)), b))
        case Call("gt" | "ge" as fn, (a, Call(of, (b,)))) if _is_size(of) and not reads(b):
            return Call(fn, (a, b)), Call(fn, (a, Call("neg", (b,))))
        case _:
            return (guard,)


def _is_size(fn: str) -> bool:
    row = lookup(fn)
    return row is not None and row.magnitude and not order(fn)


def _narrow(ranges: dict[str, Index], fn: str, left: Affine) -> None:
    """Use `left fn 0`."""
    for name in reversed(list(ranges)):
        index, c = ascending(ranges[name]), left.coefficient(name)
        if abs(c) != 1 or not left.is_linear_in(name) or index.step != 1:
            continue
        rest = left.without(name).scaled(-c)  # c*i + r fn 0  <=>  i fn' -c*r
        upper = {"lt": 0, "le": 1, "eq": 1} if c > 0 else {"gt": 0, "ge": 1, "eq": 1}
        lower = {"gt": 1, "ge": 0, "eq": 0} if c > 0 else {"lt": 1, "le": 0, "eq": 0}
        later = list(ranges)[list(ranges).index(name) :]
        if any(n in free_indices(to_expr(rest)) for n in later):
            continue
        start, stop = index.start, index.stop
        assert start is not None
        assert stop is not None
        if fn in upper:
            stop = _closer("min", stop, to_expr(rest + Affine(upper[fn])), ranges)
        if fn in lower:
            start = _closer("max", start, to_expr(rest + Affine(lower[fn])), ranges)
        if (start, stop) != (index.start, index.stop):  # it is not all of an axis any more
            ranges[name] = replace(index, start=start, stop=stop, written=True)
        else:
            ranges[name] = index
        return


def ascending(index: Index) -> Index:
    """Return an index with the same values in ascending order."""
    return index if index.step > 0 else _turned(index, first(index), 1)


def is_same_range(a: Index, b: Index) -> bool:
    """Whether two indices have the same values, in the same order or backwards."""
    if a.start is None or b.start is None:
        return False
    x, y = ascending(a), ascending(b)
    return (x.start, x.stop, x.step) == (y.start, y.stop, y.step)


def backwards(index: Index) -> Index:
    """Return the index that takes the same values, last first."""
    return _turned(index, last(index), -1) if index.step > 0 else _turned(index, first(index), 1)


def _turned(index: Index, start: Expr, sign: int) -> Index:
    assert index.start is not None
    return replace(index, start=start, stop=plus(index.start, sign), step=-index.step)


def reached(ranges: Mapping[str, Index]) -> dict[str, Index]:
    """Narrow ranges to the values at which the ranges that depend on them are not empty."""
    result = dict(ranges)
    for index in ranges.values():
        if index.start is None or index.stop is None or not free_indices(index):
            continue
        ends = (index.start, index.stop) if index.step > 0 else (index.stop, index.start)
        result = tighten(result, Call("lt", ends))
    return result


def _closer(fn: str, a: Expr, b: Expr, ranges: Mapping[str, Index]) -> Expr:
    """Return the larger or the smaller of two ends, one alone if the ranges tell which it is."""
    difference = affine(Call("add", (b, Call("neg", (a,)))))
    if difference is not None:
        low = bounds(to_expr(difference.scaled(1 if fn == "max" else -1)), ranges).low
        form = None if low is None else affine(low)
        if form is not None and at_least(form, Affine(0)):
            return b
    return _simple(fn, a, b)


def _simple(fn: str, a: Expr, b: Expr) -> Expr:
    form = affine(Call(fn, (a, b)))
    return Call(fn, (a, b)) if form is None else to_expr(form)


def at_point(expr: Expr, values: Mapping[str, Expr]) -> Expr:
    """Return `expr` with indices replaced, in normal form where it is an integer expression."""
    new = substitute(expr, values)
    form = affine(new)
    return new if form is None else to_expr(form)
