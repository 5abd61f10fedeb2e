"""Keep a running sum in the place of a sum that starts anew for every index.

Rewrite:   for i, j if j <= i: y[i] += x[j]      ->  for i  y[i] += cumsum[j](x[j])  (at i)
           for i  y[i] = max[j if j < i](x[j])   ->  for i  y[i] = cummax[j](x[j])   (at i - 1)
Requires:  two indices with the same range, one of which bounds the other on one side, in a guard
           or in its range; terms that do not depend on the bounding one, but for factors that can
           be taken out of the sum. For `j >= i` the sum runs backwards. A maximum's terms have the
           kind of its array: no terms give its least value.
Keeps:     every value; a sum up to the rounding of one that is added up from the start: an error of
           up to n ε Σ |x|, n the number of terms. `opt=1` leaves it out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from loopc.analysis.products import Parts, parts
from loopc.diagnostics.record import record, replace
from loopc.ir import reductions
from loopc.ir.affine import Affine, affine, equal, simplify
from loopc.ir.bounds import backwards, conjuncts
from loopc.ir.dtypes import infer_dtypes, of_expr
from loopc.ir.nodes import (
    Call,
    Const,
    Expr,
    For,
    Index,
    IndexRef,
    Node,
    Program,
    Reduce,
    Stmt,
    Update,
)
from loopc.ir.visit import (
    conjunction,
    contains,
    free_indices,
    loop,
    map_children,
    mul,
    neg,
    reads,
    with_update,
)

_SIDES = {"le": (1, 0), "lt": (1, -1), "ge": (-1, 0), "gt": (-1, 1)}
"""For `j op i`: in which direction the sum runs, and where its last term is, from i."""
_FLIPPED = {"le": "ge", "lt": "gt", "ge": "le", "gt": "lt"}


def running_sums(program: Program) -> Program:
    """Return the program with running sums."""
    body = tuple(_statement(s, program) for s in program.body)
    same = all(a is b for a, b in zip(body, program.body, strict=True))
    return program if same else replace(program, body=body)


@record()
class _Bound:
    """How an index bounds another one.

    Attributes:
        index: the bounded index, over its whole range.
        by: the bounding one.
        side: a row of `_SIDES`.
    """

    index: Index
    by: str
    side: tuple[int, int]


def _statement(stmt: Stmt, program: Program) -> Stmt:
    """Rewrite a nest of loops round one update."""
    ranges: dict[str, Index] = {}
    guards: list[Expr] = []
    inner = stmt
    while isinstance(inner, For) and len(inner.body) == 1:
        if any(i.name in ranges for i in inner.indices):
            return stmt
        ranges.update({i.name: i for i in inner.indices})
        guards += conjuncts(inner.guard)
        inner = inner.body[0]
    if not isinstance(inner, Update) or inner.target.array in {a.array for a in reads(inner)}:
        return stmt
    value = _value(inner.value, ranges)
    update = inner if value is inner.value else replace(inner, value=value)
    found = _bounded(update, ranges, guards) if _starts_alike(update, program) else None
    if found is not None:
        return found
    return stmt if update is inner else with_update(stmt, update)


def _starts_alike(update: Update, program: Program) -> bool:
    """Whether a maximum of no terms is the same in the type of the terms and in the target's."""
    if update.op not in ("max=", "min="):
        return True
    types = infer_dtypes(program, {})
    own, target = of_expr(update.value, types), types[update.target.array]
    return own is not None and own.kind == target.kind


def _bounded(update: Update, ranges: Mapping[str, Index], guards: Sequence[Expr]) -> Stmt | None:
    """Return a loop that adds up as one that adds a running sum."""
    kept = free_indices(update.target)
    row = reductions.by_op(update.op)
    if update.op == "=" or row is None or row.name is None:
        return None
    for name, index in ranges.items():
        if name in kept:
            continue
        for bound, rest in _bounds(index, ranges, guards):
            others = {n: i for n, i in ranges.items() if n != name}
            own = any(name in free_indices(i) for i in others.values())
            if bound.by not in kept or own:
                continue
            value = _running(row.name, bound, update.value, rest, others)
            if value is not None:
                inside = tuple(g for g in rest if name not in free_indices(g))
                guard = conjunction(*inside) if inside else None
                changed = replace(update, value=value)
                return loop(tuple(others.values()), guard, changed)[0]
    return None


def _value(expr: Expr, ranges: Mapping[str, Index]) -> Expr:
    """Rewrite the reductions in an expression."""

    def visit(node: Node) -> Node:
        if isinstance(node, Reduce):
            return _reduction(node, ranges)
        return map_children(node, visit) if contains(node, Reduce) else node

    return visit(expr)  # type: ignore[return-value]


def _reduction(expr: Reduce, ranges: Mapping[str, Index]) -> Expr:
    if len(expr.indices) != 1 or expr.at or expr.indices[0].name in ranges:
        return expr
    (index,) = expr.indices
    for bound, rest in _bounds(index, ranges, conjuncts(expr.guard)):
        value = _running(expr.op, bound, expr.body, rest, ranges)
        if value is not None and all(index.name in free_indices(g) for g in rest):
            return value
    return expr


def _bounds(
    index: Index, ranges: Mapping[str, Index], guards: Sequence[Expr]
) -> list[tuple[_Bound, tuple[Expr, ...]]]:
    """Return how other indices bound one, each with the guards that are left."""
    found: list[tuple[_Bound, tuple[Expr, ...]]] = []
    for number, guard in enumerate(guards):
        rest = (*guards[:number], *guards[number + 1 :])
        match guard:
            case Call(fn, (IndexRef(a), IndexRef(b))) if fn in _SIDES and index.name in (a, b):
                by, op = (b, fn) if a == index.name else (a, _FLIPPED[fn])
                whole = ranges.get(by)
                if whole is not None and _is_box(index) and _same_range(index, whole):
                    found.append((_Bound(index, by, _SIDES[op]), rest))
    for by, whole in ranges.items():
        side = _range_side(index, whole) if by != index.name and _is_box(whole) else None
        if side is not None:
            own = replace(index, start=whole.start, stop=whole.stop)
            found.append((_Bound(own, by, side), tuple(guards)))
    return found


def _range_side(index: Index, by: Index) -> tuple[int, int] | None:
    """Return how an end of a range that is another index bounds it."""
    if index.step != 1 or index.start is None or index.stop is None:
        return None
    if by.name not in free_indices(index):
        return None
    assert by.start is not None
    assert by.stop is not None
    here = Affine(0, ((IndexRef(by.name), 1),))
    start, stop = affine(index.start), affine(index.stop)
    if start is None or stop is None:
        return None
    if equal(index.start, by.start) and stop.without(by.name) in (Affine(0), Affine(1)):
        last = stop - here
        return _SIDES["le"] if last == Affine(1) else _SIDES["lt"] if last == Affine(0) else None
    if equal(index.stop, by.stop) and start.without(by.name) in (Affine(0), Affine(1)):
        first = start - here
        return _SIDES["ge"] if first == Affine(0) else _SIDES["gt"] if first == Affine(1) else None
    return None


def _is_box(index: Index) -> bool:
    return index.step == 1 and not free_indices(index) and not reads(index)


def _same_range(a: Index, b: Index) -> bool:
    if a.start is None or b.start is None or a.stop is None or b.stop is None:
        return False
    return a.step == b.step and equal(a.start, b.start) and equal(a.stop, b.stop)


def _running(
    op: str, bound: _Bound, body: Expr, guards: Sequence[Expr], ranges: Mapping[str, Index]
) -> Expr | None:
    """Return the running reduction of terms at the bounding index, factors of it in front."""
    name = f"cum{op}"
    own = bound.index.name
    if reductions.lookup(name) is None or own not in free_indices(body):
        return None
    mine = [g for g in guards if own in free_indices(g)]
    if any(bound.by in free_indices(g) for g in mine):
        return None
    outside = Parts(())
    if op == "sum" and not mine and bound.by in free_indices(body):
        outside, body = _taken_out(body, own)
    if bound.by in free_indices(body):
        return None
    direction, offset = bound.side
    index = bound.index if direction > 0 else backwards(bound.index)
    at = simplify(Call("add", (IndexRef(bound.by), Const(offset))))
    guard = conjunction(*mine) if mine else None
    running = _times(outside, Reduce(name, (index,), guard, body, (at,)))
    if outside == Parts(()) or offset == 0:
        return running
    assert bound.index.start is not None
    assert bound.index.stop is not None
    ends = ("ge", bound.index.start) if direction > 0 else ("lt", bound.index.stop)
    some = Call(ends[0], (at, ends[1]))  # of no terms, a factor inf would make NaN
    return Call("where", (some, running, Const(0)))


def _times(outside: Parts, value: Expr) -> Expr:
    """Return the whole term, of which `value` is what was left."""
    result = mul(*outside.factors, value) if outside.factors else value
    for divisor in outside.divisors:
        result = Call("div", (result, divisor))
    return neg(result) if outside.negative else result


def _taken_out(body: Expr, own: str) -> tuple[Parts, Expr]:
    """Return what a term has that does not depend on an index, and the rest."""
    whole = parts(body, {own})
    out: list[Expr] = []
    rest: list[Expr] = []
    divisors = list(whole.divisors)
    negative = whole.negative
    for factor in whole.factors:
        if own not in free_indices(factor):
            out.append(factor)
        elif isinstance(factor, Call) and factor.fn == "div":
            inner, above = _taken_out(factor.args[0], own)
            out += inner.factors
            divisors += inner.divisors
            negative ^= inner.negative
            rest.append(Call("div", (above, factor.args[1])))
        else:
            rest.append(factor)
    return Parts(tuple(out), tuple(divisors), negative), mul(*rest)
