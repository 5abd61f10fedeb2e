"""Nests whose dependences cross two loops, run along their diagonals.

    for i in range(1, N), j in range(1, M)  A[i,j] = A[i-1,j] + A[i,j-1]
    ->  for wave in range(2, N + M - 1):
            for i in range(max(1, wave - M + 1), min(N, wave)): A[i,wave-i] = …    -- in parallel

All distances between dependent iterations must be numbers; `wave` is a sum of the two indices with
weights such that every distance leads to a later wave. Source: Lamport, The parallel execution of
DO loops (1974); Wolfe, Loops skewing: the wavefront method revisited (1986).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from loopc.analysis.dependence import Leaf, Level, Ref
from loopc.diagnostics.record import record, replace
from loopc.ir.affine import Affine, affine, at_least, simplify, to_expr
from loopc.ir.bounds import ascending, bounds, first, last
from loopc.ir.nodes import Access, Call, Const, Expr, Extent, Index, IndexRef
from loopc.ir.visit import free_indices, reads, substitute
from loopc.lower.context import Context

WEIGHTS = ((1, 1), (2, 1), (3, 1), (1, 2), (1, 3))
"""What the two indices count in the number of a wave; one of them is 1, to be solved for."""


@record()
class Wave:
    """A skewed nest.

    Attributes:
        index: of the waves, which run in order.
        binds: dims that each wave sets: where its points start and how many there are.
        leaves: the updates, parallel within a wave, in order.
        level: of the waves.
    """

    index: Index
    binds: tuple[tuple[str, Expr], ...]
    leaves: tuple[Leaf, ...]
    level: Level


def wavefront(context: Context, group: Sequence[Leaf], depth: int) -> Wave | None:
    """Return the nest at `depth` and the loop inside it as waves, if that is possible."""
    pair = _pair(group, depth)
    if pair is None:
        return None
    found = list(distances(group, depth, pair))
    if any(d is None for d in found):
        return None
    known = [d for d in found if d is not None]
    weights = next((w for w in WEIGHTS if all(is_later(d, w) for d in known)), None)
    return None if weights is None else _skewed(context, group, depth, pair, weights)


def _pair(group: Sequence[Leaf], depth: int) -> tuple[Index, Index] | None:
    """Return the two loops, if all leaves share them."""
    if any(len(leaf.levels) < depth + 2 for leaf in group):
        return None
    for a, b in pairwise(group):
        if [x.key for x in a.levels[: depth + 2]] != [x.key for x in b.levels[: depth + 2]]:
            return None
    outer, inner = (level.index for level in group[0].levels[depth : depth + 2])
    names = [level.index.name for level in group[0].levels[: depth + 2]]
    plain = abs(outer.step) == abs(inner.step) == 1 and len(set(names)) == len(names)
    return (outer, inner) if plain and not reads(outer) and not reads(inner) else None


# Distances


@record()
class _Distance:
    """From an instance to one that must come after it; `same`: waves may be equal."""

    outer: int
    inner: int
    same: bool


def is_later(distance: _Distance, weights: tuple[int, int]) -> bool:
    """Whether a dependence leads to a later wave, or within one if that is enough."""
    waves = weights[0] * distance.outer + weights[1] * distance.inner
    return waves > 0 or (waves == 0 and distance.same)


def distances(
    group: Sequence[Leaf], depth: int, pair: tuple[Index, Index], *, later: str = ""
) -> Iterator[_Distance | None]:
    """Yield the distances of all dependences; None: one is no number.

    Args:
        group: the leaves.
        depth: of the outer one of the two loops.
        pair: the two loops.
        later: the index of a loop round them that has moved on; "": none. A statement's own
            additions to a cell count as well then, so that one wave has each cell once.
    """
    outer = frozenset(level.index.name for level in group[0].levels[:depth])
    for a in group:
        for b in group:
            for x in a.refs:
                for y in b.refs:
                    if x.access.array != y.access.array or not (x.write or y.write):
                        continue
                    adds = x.write and y.write and x.op == y.op and x.op != "="
                    if adds and not (later and a is b):
                        continue
                    if later and _is_told_apart(x.access, y.access, later):
                        continue
                    yield from _distances(a, x, b, y, pair, outer, later=bool(later))


def _is_told_apart(x: Access, y: Access, name: str) -> bool:
    """Whether two accesses never meet while a loop moves on: its index tells their cells apart."""
    return any(
        p.at == q.at == IndexRef(name) and p.mode == q.mode == "strict"
        for p, q in zip(x.subscripts, y.subscripts, strict=True)
    )


def _distances(
    a: Leaf,
    x: Ref,
    b: Leaf,
    y: Ref,
    pair: tuple[Index, Index],
    outer: frozenset[str],
    *,
    later: bool,
) -> Iterator[_Distance | None]:
    solved = _solved(_equations(x.access, y.access, pair, outer))
    if solved is None:
        yield None
        return
    for di, dj in solved:
        u, v = di * pair[0].step, dj * pair[1].step
        if later:
            yield _Distance(u, v, same=False)
            continue
        if (u, v) < (0, 0) or ((u, v) == (0, 0) and a.number >= b.number):
            continue
        reads_first = a is b and y.write and not x.write
        yield _Distance(u, v, same=a.number < b.number or reads_first)


def _equations(
    x: Access, y: Access, pair: tuple[Index, Index], outer: frozenset[str]
) -> list[tuple[int, int, int]]:
    """Return what holds for the distance of two accesses of one cell: `a*di + b*dj == c`."""
    found: list[tuple[int, int, int]] = []
    for p, q in zip(x.subscripts, y.subscripts, strict=True):
        mine, other = affine(p.at), affine(q.at)
        if p.mode != "strict" or q.mode != "strict" or reads(p.at):
            continue
        if mine is None or other is None:
            continue
        names = [index.name for index in pair]
        if not all(f.is_linear_in(n) for f in (mine, other) for n in names):
            continue
        (a, c), (b, d) = ((mine.coefficient(n), other.coefficient(n)) for n in names)
        rest = mine - other
        known = all(n in names or n in outer for n in _names(mine))
        if (a, b) == (c, d) and rest.is_constant and known:
            found.append((a, b, rest.constant))
    return found


def _names(form: Affine) -> list[str]:
    return [n for atom, _ in form.terms for n in free_indices(atom)]


def _solved(equations: Sequence[tuple[int, int, int]]) -> list[tuple[int, int]] | None:
    """Return the one distance that solves the equations, none, or None if there are more."""
    if any(a == b == 0 and c != 0 for a, b, c in equations):
        return []
    rows = [e for e in equations if e[:2] != (0, 0)]
    for number, (a, b, c) in enumerate(rows):
        for d, e, f in rows[number + 1 :]:
            det = a * e - b * d
            if det:
                di, left = divmod(c * e - b * f, det)
                dj, over = divmod(a * f - c * d, det)
                fits = all(p * di + q * dj == r for p, q, r in rows)
                return [(di, dj)] if not left and not over and fits else []
    return None


# Skewing


def _skewed(
    context: Context,
    group: Sequence[Leaf],
    depth: int,
    pair: tuple[Index, Index],
    weights: tuple[int, int],
) -> Wave | None:
    outer, inner = ascending(pair[0]), ascending(pair[1])
    a, b = weights[0] * pair[0].step, weights[1] * pair[1].step
    i, j = IndexRef(outer.name), IndexRef(inner.name)
    number = _sum((a, i), (b, j))
    ends = bounds(number, {outer.name: outer, inner.name: inner})
    if ends.low is None or ends.high is None:
        return None
    context.waves += 1
    name, start, size = (f"{n}°{context.waves}" for n in ("wave", "first", "count"))
    wave = IndexRef(name)
    # the index with weight 1 is solved for, the other one stays
    if weights[1] == 1:
        stays, solved, value = outer, inner, _sum((b, wave), (-a * b, i))
    else:
        stays, solved, value = inner, outer, _sum((a, wave), (-a * b, j))
    span = _points(stays, solved, value)
    if span is None:
        return None
    count = Call("max", (_sum((1, span[1]), (-1, Extent(start))), Const(0)))
    points = Index(stays.name, Extent(start), _sum((1, Extent(start)), (1, Extent(size))))
    index = Index(name, ends.low, simplify(_sum((1, ends.high), (1, Const(1)))))
    level = Level(index, (*group[0].levels[depth].key, -1))
    moved = Level(points, (*group[0].levels[depth + 1].key, -1))
    leaves = tuple(
        _moved(context, leaf, depth, (level, moved), {solved.name: value}) for leaf in group
    )
    return Wave(index, ((start, span[0]), (size, simplify(count))), leaves, level)


def _sum(*terms: tuple[int, Expr]) -> Expr:
    return simplify(Call("add", tuple(Call("mul", (Const(c), e)) for c, e in terms)))


def _points(stays: Index, solved: Index, value: Expr) -> tuple[Expr, Expr] | None:
    """Return the range of the index that stays where the other one is within its own range."""
    low, high = first(stays), _sum((1, last(stays)), (1, Const(1)))
    if solved.name in (*free_indices(low), *free_indices(high)):
        return None
    for bound, sign in ((first(solved), 1), (last(solved), -1)):
        form = affine(_sum((sign, value), (-sign, bound)))  # >= 0
        if form is None or not form.is_linear_in(stays.name):
            return None
        c = form.coefficient(stays.name)
        rest = to_expr(form.without(stays.name))
        if c > 0:
            least = _sum((-1, Call("floordiv", (rest, Const(c)))))
            low = simplify(Call("max", (low, least)))
        elif c < 0:
            most = _sum((1, Call("floordiv", (rest, Const(-c)))), (1, Const(1)))
            high = simplify(Call("min", (high, most)))
        else:
            return None
    start = affine(low)
    return (low, high) if start is not None and at_least(start, Affine(0)) else None


def _moved(
    context: Context,
    leaf: Leaf,
    depth: int,
    levels: tuple[Level, Level],
    values: dict[str, Expr],
) -> Leaf:
    """Return a leaf in the skewed loops; what was inside its array is so still."""
    ranges = {level.index.name: level.index for level in leaf.levels}
    for ref in leaf.refs:
        if ref.inner:
            continue
        for axis, subscript in enumerate(ref.access.subscripts):
            if subscript.mode == "strict" and context.is_inside(ref.access, axis, ranges):
                context.proved.add((substitute(ref.access, values), axis))
    rest = tuple(
        Level(substitute(level.index, values), level.key) for level in leaf.levels[depth + 2 :]
    )
    return replace(
        leaf,
        update=substitute(leaf.update, values),
        levels=(*leaf.levels[:depth], *levels, *rest),
        guards=tuple(substitute(g, values) for g in leaf.guards),
        refs=(),
    )
