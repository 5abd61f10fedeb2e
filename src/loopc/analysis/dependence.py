"""Which statement instances must come after which others, and which loop carries that.

Source: Allen and Kennedy, Optimizing Compilers for Modern Architectures, ch. 2 and 3. Two accesses
of one array depend on each other at a loop if they can meet in one cell in different iterations of
it, all loops further out being at the same iteration. Subscripts that are affine are told apart by
the sign or the divisibility of their difference; whatever else is assumed to meet.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from loopc.diagnostics.record import record
from loopc.ir.affine import Affine, affine, at_least, to_expr
from loopc.ir.bounds import bounds, extent
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
from loopc.ir.visit import children, reads, substitute

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
    """An update with the loops and guards round it."""

    number: int
    update: Update
    levels: tuple[Level, ...]
    guards: tuple[Expr, ...]
    refs: tuple[Ref, ...]


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
    return tuple(found)


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
    for subscript in update.target.subscripts:
        yield from _reads(subscript, ())
    yield from _reads(update.value, ())
    for guard in guards:
        yield from _reads(guard, ())
    for level in levels:
        yield from _reads(level.index, ())


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
    for x in a.refs:
        for y in b.refs:
            if x.access.array != y.access.array or not (x.write or y.write):
                continue
            if x.write and y.write and x.op == y.op and x.op != "=":
                continue
            if a is b and y.write and not within:
                continue
            for level in range(depth, common):
                if may_meet(a, x, b, y, level):
                    yield Edge(a.number, b.number, level)
            if a.number < b.number and may_meet(a, x, b, y, None, common):
                yield Edge(a.number, b.number, None)


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
    _add_ranges(ranges, [i.index for i in a.levels[same:]], mine, level is not None)
    _add_ranges(ranges, [i.index for i in b.levels[same:]], other, level is not None)
    _add_inner(ranges, x.inner, mine, "·a")
    _add_inner(ranges, y.inner, other, "·b")
    return not any(
        _apart(p.at, q.at, mine, other, ranges)
        for p, q in zip(x.access.subscripts, y.access.subscripts, strict=True)
        if p.mode == q.mode == "strict"
    )


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
    ranges: dict[str, Index], indices: list[Index], names: Mapping[str, Expr], skip: bool
) -> None:
    for number, index in enumerate(indices):
        if skip and number == 0:
            continue
        new = names[index.name]
        assert isinstance(new, IndexRef)
        ranges[new.name] = replace(substitute(index, names), name=new.name)


def _add_inner(
    ranges: dict[str, Index], inner: tuple[Index, ...], names: dict[str, Expr], suffix: str
) -> None:
    for index in inner:
        renamed = replace(substitute(index, names), name=index.name + suffix)
        names[index.name] = IndexRef(renamed.name)
        ranges[renamed.name] = renamed


def _apart(
    p: Expr,
    q: Expr,
    mine: Mapping[str, Expr],
    other: Mapping[str, Expr],
    ranges: Mapping[str, Index],
) -> bool:
    """Whether the two subscripts differ for all values of the indices."""
    if any(True for e in (p, q) for _ in reads(e)):
        return False
    left, right = affine(substitute(p, mine)), affine(substitute(q, other))
    if left is None or right is None:
        return False
    difference = left - right
    if difference.is_constant:
        return difference.constant != 0
    divisor = math.gcd(*(c for _, c in difference.terms))
    if divisor > 1 and difference.constant % divisor:
        return True
    ends = bounds(to_expr(difference), ranges)
    low = None if ends.low is None else affine(ends.low)
    high = None if ends.high is None else affine(ends.high)
    positive = low is not None and at_least(low, Affine(1))
    negative = high is not None and at_least(high.scaled(-1), Affine(1))
    return positive or negative


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


def components(count: int, edges: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Return the strongly connected components, sources first, each in ascending order.

    Among components that may go in any order, that of the text is kept. Source: Tarjan, Depth-first
    search and linear graph algorithms (1972).
    """
    following: dict[int, list[int]] = {n: [] for n in range(count)}
    for a, b in edges:
        following[a].append(b)
    groups = sorted(_strongly_connected(following), key=min)
    home = {n: number for number, group in enumerate(groups) for n in group}
    waiting = [0] * len(groups)
    after: list[set[int]] = [set() for _ in groups]
    for a, b in edges:
        x, y = home[a], home[b]
        if x != y and y not in after[x]:
            after[x].add(y)
            waiting[y] += 1
    ready = [number for number, sources in enumerate(waiting) if not sources]
    found: list[list[int]] = []
    while ready:
        number = heapq.heappop(ready)
        found.append(sorted(groups[number]))
        for other in after[number]:
            waiting[other] -= 1
            if not waiting[other]:
                heapq.heappush(ready, other)
    return found


def _popped(stack: list[int], last: int) -> list[int]:
    """Take the nodes down to `last` from a stack."""
    taken = [stack.pop()]
    while taken[-1] != last:
        taken.append(stack.pop())
    return taken


def _strongly_connected(following: Mapping[int, list[int]]) -> list[list[int]]:
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    open_nodes: set[int] = set()
    groups: list[list[int]] = []
    for root in following:
        pending = [] if root in order else [(root, iter(following[root]))]
        while pending:
            node, rest = pending[-1]
            if node not in order:
                order[node] = low[node] = len(order)
                stack.append(node)
                open_nodes.add(node)
            child = next(rest, None)
            if child is None:
                pending.pop()
                if pending:
                    parent = pending[-1][0]
                    low[parent] = min(low[parent], low[node])
                if low[node] == order[node]:
                    groups.append(_popped(stack, node))
                    open_nodes.difference_update(groups[-1])
            elif child not in order:
                pending.append((child, iter(following[child])))
            elif child in open_nodes:
                low[node] = min(low[node], order[child])
    return groups
