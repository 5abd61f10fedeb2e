"""Which statement instances must come after which others, and which loop carries that.

Source: Allen and Kennedy, Optimizing Compilers for Modern Architectures, ch. 2 and 3. Two accesses
of one array depend on each other at a loop if they can meet in one cell in different iterations of
it, all loops further out being at the same iteration. Subscripts that are affine are told apart by
the sign of their difference, or because no integers solve all equations that subscripts, guards and
ranges in steps make (`diophantine.py`); whatever else is assumed to meet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from loopc.analysis.diophantine import linear, may_hold, of_guard, of_range
from loopc.diagnostics.record import record
from loopc.ir.affine import Affine, affine, at_least, to_expr
from loopc.ir.bounds import bounds, conjuncts, extent, tighten
from loopc.ir.nodes import (
    Access,
    Backward,
    Call,
    Const,
    Expr,
    For,
    Index,
    IndexRef,
    Node,
    Read,
    Reduce,
    Stmt,
    Update,
)
from loopc.ir.visit import children, map_children, reads, substitute

N = TypeVar("N", bound=Node)

DISTANCE = "δ"
"""The name of the unknown distance between two iterations."""


@record()
class Level:
    """One loop round a statement; `key` tells loops of the same index apart."""

    index: Index
    key: tuple[int, ...]


@record()
class Ref:
    """An access with what is bound inside its statement, innermost last."""

    access: Access
    inner: tuple[Index, ...]
    write: bool
    op: str = ""


@record()
class Leaf:
    """An update with the loops and guards round it.

    Attributes:
        number: in the order of the text.
        update: the update.
        levels: the loops, outermost first.
        guards: the conditions.
        refs: the accesses, the write first.
        moving: the arrays that the block writes and that a range of it reads.
    """

    number: int
    update: Update
    levels: tuple[Level, ...]
    guards: tuple[Expr, ...]
    refs: tuple[Ref, ...]
    moving: frozenset[str] = frozenset()


@record()
class Edge:
    """`sink` comes after `source`; `level` is the carrying loop's depth, None: the same point."""

    source: int
    sink: int
    level: int | None


def leaves(stmts: Sequence[Stmt]) -> tuple[Leaf, ...]:
    """Return the updates of a block in the order of the text."""
    found: list[Leaf] = []
    for number, stmt in enumerate(stmts):
        _collect(stmt, (), (), (number,), found)
    written = {leaf.update.target.array for leaf in found}
    ranges = (level.index for leaf in found for level in leaf.levels)
    moving = frozenset(a.array for index in ranges for a in reads(index) if a.array in written)
    return tuple(replace(leaf, moving=moving) if moving else leaf for leaf in found)


def _collect(
    stmt: Stmt,
    levels: tuple[Level, ...],
    guards: tuple[Expr, ...],
    path: tuple[int, ...],
    found: list[Leaf],
) -> None:
    match stmt:
        case Update():
            refs = tuple(_refs(stmt, levels, guards))
            found.append(Leaf(len(found), stmt, levels, guards, refs))
        case For(indices, guard, body):
            inner = levels + tuple(Level(i, (*path, n)) for n, i in enumerate(indices))
            conditions = guards if guard is None else (*guards, guard)
            for number, child in enumerate(body):
                _collect(child, inner, conditions, (*path, number), found)
        case Backward():
            raise AssertionError("backward statements are expanded before analysis")


def _refs(update: Update, levels: tuple[Level, ...], guards: tuple[Expr, ...]) -> Iterator[Ref]:
    yield Ref(update.target, (), write=True, op=update.op)
    parts = (*update.target.subscripts, update.value, *guards, *(v.index for v in levels))
    yield from dict.fromkeys(ref for part in parts for ref in node_refs(part))


def node_refs(node: Node) -> Iterator[Ref]:
    """Yield what a node reads."""
    yield from _reads(node, ())


def _reads(node: Node, inner: tuple[Index, ...]) -> Iterator[Ref]:
    if isinstance(node, Reduce):
        names = {i.name: IndexRef(f"{i.name}°{len(inner)}") for i in node.indices}
        bound = list(inner)
        for index in node.indices:
            yield from _reads(index, tuple(bound))
            renamed = substitute(index, names)
            bound.append(replace(renamed, name=names[index.name].name))
        for part in (node.guard, node.body):
            if part is not None:
                yield from _reads(substitute(part, names), tuple(bound))
        for position in node.at:
            yield from _reads(position, inner)
        return
    if isinstance(node, Read):
        yield Ref(node.access, inner, write=False)
    for child in children(node):
        yield from _reads(child, inner)


def dependences(block: Sequence[Leaf], depth: int = 0, *, within: bool = False) -> list[Edge]:
    """Return the dependences between the leaves of a block that loops outside `depth` leave open.

    Within one update, reading a cell before writing it, and writing a cell twice, are edges only if
    `within` asks for them: array operations read everything first and write in the loop's order.
    """
    found: dict[Edge, None] = {}
    touching: dict[str, dict[int, Leaf]] = {}
    writing: dict[str, dict[int, Leaf]] = {}
    for number, leaf in enumerate(block):
        writing.setdefault(leaf.update.target.array, {})[number] = leaf
        for ref in leaf.refs:
            touching.setdefault(ref.access.array, {})[number] = leaf
    for a in block:
        others = dict(touching[a.update.target.array])
        for ref in a.refs:
            others.update(writing.get(ref.access.array, {}))
        for number in sorted(others):
            for edge in _between(a, others[number], depth, within=within):
                found[edge] = None
    return list(found)


def _between(a: Leaf, b: Leaf, depth: int, *, within: bool) -> Iterator[Edge]:
    """Yield the dependences of `b` on `a`."""
    common = common_loops(a, b)
    pairs = list(_conflicts(a, b, within=within))
    for level in range(depth, common):
        if any(may_meet(a, x, b, y, level) for x, y in pairs):
            yield Edge(a.number, b.number, level)
    if a.number < b.number and any(may_meet(a, x, b, y, None, common) for x, y in pairs):
        yield Edge(a.number, b.number, None)


def _conflicts(a: Leaf, b: Leaf, *, within: bool) -> Iterator[tuple[Ref, Ref]]:
    """Yield the pairs of accesses whose order matters if they are to one cell."""
    for x in a.refs:
        for y in b.refs:
            if x.access.array != y.access.array or not (x.write or y.write):
                continue
            if x.write and y.write and x.op == y.op and x.op != "=":
                continue
            if a is b and y.write and not within:
                continue
            yield x, y


def common_loops(a: Leaf, b: Leaf) -> int:
    """Return how many loops stand round both leaves."""
    count = 0
    for x, y in zip(a.levels, b.levels, strict=False):
        if x.key != y.key:
            break
        count += 1
    return count


def may_meet(a: Leaf, x: Ref, b: Leaf, y: Ref, level: int | None, common: int = 0) -> bool:
    """Whether `x` at some iteration and `y` at a later one of `level` can be the same cell.

    `level` None: at the same iteration of all `common` loops.
    """
    if level is not None and _told_apart(a.levels, x, y, level):
        return False
    same = common if level is None else level
    ranges: dict[str, Index] = {}
    for one in a.levels[:same]:
        ranges[one.index.name] = one.index
    mine: dict[str, Expr] = {i.index.name: IndexRef(f"{i.index.name}·a") for i in a.levels[same:]}
    other: dict[str, Expr] = {i.index.name: IndexRef(f"{i.index.name}·b") for i in b.levels[same:]}
    if level is not None:
        index = a.levels[level].index
        name = index.name
        mine[name] = IndexRef(name)
        ranges[name] = index
        trips = extent(replace(index, start=IndexRef(name)))
        ranges[DISTANCE] = Index(DISTANCE, Const(1), trips)
        step = Call("mul", (Const(index.step), IndexRef(DISTANCE)))
        other[name] = Call("add", (IndexRef(name), step))
    _add_ranges(ranges, a, same, mine, skip=level is not None)
    _add_ranges(ranges, b, same, other, skip=level is not None)
    _add_inner(ranges, x.inner, mine, "·a")
    _add_inner(ranges, y.inner, other, "·b")
    guards = [*_guards(a, mine), *_guards(b, other)]
    for guard in guards:
        ranges = tighten(ranges, guard)
    differences = list(_differences(x.access, y.access, mine, other))
    outer = {one.index.name for one in a.levels[:same]}
    near = {n: i for n, i in ranges.items() if n not in outer}
    if any(_never_zero(d, near) or _never_zero(d, ranges) for d in differences):
        return False
    further = [*map(of_guard, guards), *map(of_range, ranges.values())]
    return may_hold([*map(linear, differences), *(e for e in further if e is not None)])


def _told_apart(levels: tuple[Level, ...], x: Ref, y: Ref, level: int) -> bool:
    """Whether the index of `level` stands alone in one subscript of both accesses."""
    name = levels[level].index.name
    if any(other.index.name == name for other in levels[level + 1 :]):
        return False
    return any(
        p.at == q.at and isinstance(p.at, IndexRef) and p.at.name == name
        for p, q in zip(x.access.subscripts, y.access.subscripts, strict=True)
        if p.mode == q.mode == "strict"
    )


def _add_ranges(
    ranges: dict[str, Index], leaf: Leaf, same: int, names: Mapping[str, Expr], *, skip: bool
) -> None:
    """Add the ranges of a leaf's loops from the depth `same` on, or from one further in."""
    for level in leaf.levels[same + skip :]:
        new = names[level.index.name]
        assert isinstance(new, IndexRef)
        index = replace(substitute(level.index, names), name=new.name)
        ranges[new.name] = _at_its_time(index, leaf.moving, new.name)


def _guards(leaf: Leaf, names: Mapping[str, Expr]) -> list[Expr]:
    """Return the guards round a leaf that are made of indices and dims alone."""
    if len({level.index.name for level in leaf.levels}) < len(leaf.levels):
        return []
    parts = (c for g in leaf.guards for c in conjuncts(g) if not any(True for _ in reads(c)))
    return [substitute(c, names) for c in parts]


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
    """Whether it is that of two indices whose ranges begin with the same value."""
    if difference.constant or [c for _, c in difference.terms] not in ([1, -1], [-1, 1]):
        return False
    names = [a.name for a, _ in difference.terms if isinstance(a, IndexRef) and a.name in ranges]
    return len(names) == 2 and ranges[names[0]].start == ranges[names[1]].start


def overwrites_itself(loop: tuple[Level, ...], update: Update) -> bool:
    """Whether an update can write one cell twice: some loop's index does not tell cells apart."""
    leaf = Leaf(0, update, loop, (), ())
    ref = Ref(update.target, (), write=True, op=update.op)
    return any(may_meet(leaf, ref, leaf, ref, level) for level in range(len(loop)))


def meets_write(leaf: Leaf, nodes: Sequence[Node], *, later: bool) -> bool:
    """Whether a statement writes what `nodes` read at some point of its loops.

    Args:
        leaf: the statement.
        nodes: what is read, in the statement's loops.
        later: whether the writes at that point and after it count, or those before it.
    """
    write = leaf.refs[0]
    depth = len(leaf.levels)
    for node in nodes:
        for ref in _reads(node, ()):
            if ref.access.array != write.access.array:
                continue
            if not later and any(may_meet(leaf, write, leaf, ref, n) for n in range(depth)):
                return True
            if later and any(may_meet(leaf, ref, leaf, write, n) for n in range(depth)):
                return True
            if later and may_meet(leaf, ref, leaf, write, None, depth):
                return True
    return False
