"""Whether two accesses can be to one cell, in two iterations of the loops round them.

Subscripts that are affine are told apart by the sign of their difference over the ranges of the
indices, or because no integers solve all equations that subscripts, guards and ranges in steps
make. Whatever else is assumed to meet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TypeAlias, TypeVar

from loopc.analysis.diophantine import Form, linear, may_hold, of_guard, of_range
from loopc.diagnostics.record import record, replace
from loopc.ir.affine import Affine, affine, at_least, plus, to_expr
from loopc.ir.bounds import bounds, conjuncts, extent, tighten
from loopc.ir.nodes import Access, Call, Const, Expr, Index, IndexRef, Node, Read
from loopc.ir.visit import free_indices, map_children, reads, substitute

N = TypeVar("N", bound=Node)

DISTANCE = "δ"
"""The name of the unknown distance between two iterations."""

Side: TypeAlias = tuple[tuple[Index, ...], tuple[Expr, ...], frozenset[str]]
Place: TypeAlias = tuple[Access, tuple[Index, ...]]


@record()
class _Frame:
    """Two iterations: the ranges of their indices, the indices' names, and what guards say."""

    ranges: dict[str, Index]
    mine: dict[str, Expr]
    other: dict[str, Expr]
    unequal: tuple[Affine, ...]
    equations: tuple[Form, ...]


@lru_cache(maxsize=1 << 15)
def meet(
    a: Side, b: Side, level: int | None, same: int, x: Place, y: Place, behind: int | None = None
) -> bool:
    """Whether `x` of one side and `y` of the other, later at `level`, can be the same cell.

    Indices of the first `same` loops have the same values on both sides; `y` is in an earlier
    iteration of the loop at `behind`, further in.
    """
    frame = _frame(a, b, level, same, behind)
    ranges, mine, other = dict(frame.ranges), dict(frame.mine), dict(frame.other)
    _add_inner(ranges, x[1], mine, "·a")
    _add_inner(ranges, y[1], other, "·b")
    differences = list(_differences(x[0], y[0], mine, other))
    outer = {i.name for i in a[0][:same]}
    near = {n: i for n, i in ranges.items() if n not in outer}
    if any(
        d in frame.unequal or _never_zero(d, near) or _never_zero(d, ranges) for d in differences
    ):
        return False
    return may_hold([*map(linear, differences), *frame.equations])


@lru_cache(maxsize=1 << 12)
def _frame(a: Side, b: Side, level: int | None, same: int, behind: int | None) -> _Frame:
    ranges: dict[str, Index] = {i.name: i for i in a[0][:same]}
    mine: dict[str, Expr] = {i.name: IndexRef(f"{i.name}·a") for i in a[0][same:]}
    other: dict[str, Expr] = {i.name: IndexRef(f"{i.name}·b") for i in b[0][same:]}
    if level is not None:
        index = a[0][level]
        name = index.name
        assert index.stop is not None
        mine[name] = IndexRef(name)
        ranges[name] = replace(index, stop=plus(index.stop, -index.step))  # another one follows
        trips = extent(replace(index, start=IndexRef(name)))
        ranges[DISTANCE] = Index(DISTANCE, Const(1), trips)
        step = Call("mul", (Const(index.step), IndexRef(DISTANCE)))
        other[name] = Call("add", (IndexRef(name), step))
    _add_ranges(ranges, a, same, mine, skip=level is not None)
    _add_ranges(ranges, b, same, other, skip=level is not None)
    guards = [*_guards(a, mine), *_guards(b, other)]
    if behind is not None and _has_own_names(a):
        inner = a[0][behind]
        guards.append(Call("lt" if inner.step > 0 else "gt", (other[inner.name], mine[inner.name])))
    for guard in guards:
        ranges = tighten(ranges, guard)
    equations = [*map(of_guard, guards), *map(of_range, ranges.values())]
    return _Frame(
        ranges,
        mine,
        other,
        tuple(form for g in guards for form in _unequal(g)),
        tuple(e for e in equations if e is not None),
    )


def _add_ranges(
    ranges: dict[str, Index], side: Side, same: int, names: Mapping[str, Expr], *, skip: bool
) -> None:
    """Add the ranges of one side's loops from the depth `same` on, or from one further in."""
    for index in side[0][same + skip :]:
        new = names[index.name]
        assert isinstance(new, IndexRef)
        renamed = replace(substitute(index, names), name=new.name)
        ranges[new.name] = _at_its_time(renamed, side[2], new.name)


def _guards(side: Side, names: Mapping[str, Expr]) -> list[Expr]:
    """Return the guards of one side that are made of indices and dims alone."""
    if not _has_own_names(side):
        return []
    parts = (c for g in side[1] for c in conjuncts(g) if not any(True for _ in reads(c)))
    return [substitute(c, names) for c in parts]


def _has_own_names(side: Side) -> bool:
    """Whether no two of the loops have an index of one name."""
    return len({index.name for index in side[0]}) == len(side[0])


def _at_its_time(node: N, moving: frozenset[str], mark: str) -> N:
    """Tell reads of what the block changes apart from reads of the same cell at other times."""
    if not moving:
        return node
    if isinstance(node, Read) and node.access.array in moving:
        return IndexRef(f"{node!r} for {mark}")  # type: ignore[return-value]
    return map_children(node, lambda child: _at_its_time(child, moving, mark))


def _add_inner(
    ranges: dict[str, Index], inner: tuple[Index, ...], names: dict[str, Expr], suffix: str
) -> None:
    for index in inner:
        renamed = replace(substitute(index, names), name=index.name + suffix)
        names[index.name] = IndexRef(renamed.name)
        ranges[renamed.name] = renamed


def _differences(
    x: Access, y: Access, mine: Mapping[str, Expr], other: Mapping[str, Expr]
) -> Iterator[Affine]:
    """Yield what is zero where two accesses are to one cell."""
    for p, q in zip(x.subscripts, y.subscripts, strict=True):
        if not p.mode == q.mode == "strict" or any(True for s in (p, q) for _ in reads(s)):
            continue
        left, right = affine(substitute(p.at, mine)), affine(substitute(q.at, other))
        if left is not None and right is not None:
            yield left - right


def _unequal(guard: Expr) -> Iterator[Affine]:
    """Yield what is not zero where a guard `a != b` holds."""
    if isinstance(guard, Call) and guard.fn == "ne":
        a, b = (affine(e) for e in guard.args)
        if a is not None and b is not None:
            yield a - b
            yield b - a


def _never_zero(difference: Affine, ranges: Mapping[str, Index]) -> bool:
    """Whether a sum has one sign over all ranges; other indices are numbers like dims."""
    if difference.is_constant:
        return difference.constant != 0
    if _start_together(difference, ranges):
        return False
    ends = bounds(to_expr(difference), ranges)
    low = None if ends.low is None else affine(ends.low)
    high = None if ends.high is None else affine(ends.high)
    positive = low is not None and at_least(low, Affine(1))
    negative = high is not None and at_least(high.scaled(-1), Affine(1))
    return positive or negative


def _start_together(difference: Affine, ranges: Mapping[str, Index]) -> bool:
    """Whether it is that of two indices apart from each other that begin with the same value."""
    if difference.constant or [c for _, c in difference.terms] not in ([1, -1], [-1, 1]):
        return False
    names = [a.name for a, _ in difference.terms if isinstance(a, IndexRef) and a.name in ranges]
    if len(names) < 2:
        return False
    a, b = (ranges[n] for n in names)
    apart = ranges.keys().isdisjoint((*free_indices(a), *free_indices(b)))
    return apart and a.start == b.start
