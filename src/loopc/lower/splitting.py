"""Loops that carry a dependence at one point alone, split there into loops that carry none.

    for i, j  D[i,j] = min(D[i,j], D[i,k] + D[k,j])
    ->  for i <= k …;  for i in range(k+1, N) …      and each by j alike

What runs at the point itself joins the part below it, or above it, where it can.

Source: loop splitting for weak-zero dependences, Allen and Kennedy, Optimizing Compilers for Modern
Architectures, ch. 3.3 and 5.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from loopc.analysis.dependence import Edge, Leaf, Level, dependences, goes_back, is_carried
from loopc.diagnostics.record import replace
from loopc.ir.affine import Affine, affine, at_least, simplify, to_expr
from loopc.ir.bounds import ascending, backwards, bounds
from loopc.ir.nodes import Access, Call, Expr, Index
from loopc.ir.visit import free_indices, reads

Piece = tuple[tuple[Leaf, ...], list[Edge]]


def split(group: Sequence[Leaf], depth: int, outer: Sequence[int]) -> list[Piece] | None:
    """Return a group cut at a point of the loop at `depth`, with the pieces' dependences.

    None: no cut leaves pieces that can take that loop in any order, and the loops at `outer`, which
    run inside each piece.
    """
    if any(len(leaf.levels) <= depth for leaf in group):
        return None
    if len({leaf.levels[depth].key for leaf in group}) > 1:
        return None
    for point in _points(group, depth):
        behind = to_expr(_form(point) + Affine(1))
        for ends in ((behind,), (point,), (point, behind)):
            cut = [_pieces(leaf, depth, ends) for leaf in group]
            if not all(cut):
                return None
            pieces = list(zip(*cut, strict=True))
            several = (
                pieces if len(pieces) == 2 else pieces[::2]
            )  # the middle has one value, or none
            if any(is_carried(piece, depth) for piece in several):
                continue
            if not any(_is_late(pieces, level) for level in outer):
                return [
                    (piece, [e for e in dependences(piece, depth) if e.level != depth])
                    for piece in pieces
                ]
    return None


def _is_late(pieces: Sequence[Sequence[Leaf]], level: int) -> bool:
    """Whether a piece must wait for one behind it, in an earlier iteration of an outer loop."""
    return any(
        goes_back(a, b, level)
        for number, piece in enumerate(pieces)
        for b in piece
        for later in pieces[number + 1 :]
        for a in later
    )


def _points(group: Sequence[Leaf], depth: int) -> Iterator[Expr]:
    """Yield the values of the index at which other accesses may meet a write."""
    index = group[0].levels[depth].index
    if abs(index.step) != 1:
        return
    inner = {level.index.name for leaf in group for level in leaf.levels[depth:]}
    found: dict[Expr, None] = {}
    refs = [ref.access for leaf in group for ref in leaf.refs]
    for leaf in group:
        for access in refs:
            if access.array == leaf.update.target.array:
                _meetings(leaf.update.target, access, index.name, inner, found)
    yield from found


def _meetings(x: Access, y: Access, name: str, inner: set[str], found: dict[Expr, None]) -> None:
    """Add the values of an index at which a subscript of one access may be that of the other."""
    for p, q in zip(x.subscripts, y.subscripts, strict=True):
        left, right = affine(p.at), affine(q.at)
        if left is None or right is None or reads(p.at) or reads(q.at):
            continue
        for moving, fixed in ((left, right), (right, left)):
            rest = fixed - moving.without(name)
            others = set(free_indices(to_expr(rest)))
            outside = others.isdisjoint(inner) and not any("°" in n for n in others)
            if moving.coefficient(name) == 1 and outside:
                found[to_expr(rest)] = None


def _pieces(leaf: Leaf, depth: int, ends: Sequence[Expr]) -> list[Leaf]:
    """Return a leaf for each part of a loop that is cut at some values, in the loop's order."""
    level = leaf.levels[depth]
    index = ascending(level.index)
    assert index.start is not None
    assert index.stop is not None
    start, stop = index.start, index.stop
    if affine(start) is None or affine(stop) is None:
        return []
    around = {other.index.name: other.index for other in leaf.levels[:depth]}
    starts = [start, *(_best("max", start, e, around) for e in ends)]
    stops = [*(_best("min", stop, e, around) for e in ends), stop]
    cut = [replace(index, start=a, stop=b) for a, b in zip(starts, stops, strict=True)]
    if level.index.step < 0:
        cut = [backwards(i) for i in reversed(cut)]
    return [_with_range(leaf, depth, i) for i in cut]


def _with_range(leaf: Leaf, depth: int, index: Index) -> Leaf:
    level = Level(index, leaf.levels[depth].key)
    return replace(leaf, levels=(*leaf.levels[:depth], level, *leaf.levels[depth + 1 :]))


def _best(fn: str, a: Expr, b: Expr, around: Mapping[str, Index]) -> Expr:
    """Return the larger or the smaller of two numbers, by the ranges of the loops around."""
    larger, smaller = (a, b) if fn == "max" else (b, a)
    for x, y, best in ((larger, smaller, a), (smaller, larger, b)):
        low = bounds(to_expr(_form(x) - _form(y)), around).low
        form = None if low is None else affine(low)
        if form is not None and at_least(form, Affine(0)):
            return best
    return simplify(Call(fn, (a, b)))


def _form(expr: Expr) -> Affine:
    form = affine(expr)
    assert form is not None
    return form
