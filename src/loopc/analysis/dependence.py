"""Which statement instances must come after which others, and which loop carries that.

Source: Allen and Kennedy, Optimizing Compilers for Modern Architectures, ch. 2 and 3. Two accesses
of one array depend on each other at a loop if they can meet in one cell in different iterations of
it, all loops further out being at the same iteration (`meeting.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from loopc.analysis.components import components
from loopc.analysis.meeting import Side, meet
from loopc.diagnostics.record import record, replace
from loopc.ir.nodes import (
    Access,
    Backward,
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
    if len(stmts) != 1:
        return _leaves(stmts)
    (stmt,) = stmts
    try:
        return stmt.leaves  # type: ignore[no-any-return]
    except AttributeError:
        stmt.leaves = _leaves(stmts)
        return stmt.leaves  # type: ignore[no-any-return]


def only_leaf(stmt: Stmt) -> Leaf | None:
    """Return the update of a statement that has one alone."""
    block = leaves((stmt,))
    return block[0] if len(block) == 1 else None


def _leaves(stmts: Sequence[Stmt]) -> tuple[Leaf, ...]:
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


def node_refs(node: Node) -> tuple[Ref, ...]:
    """Return what a node reads."""
    try:
        return node.refs  # type: ignore[no-any-return]
    except AttributeError:
        node.refs = tuple(_reads(node, ())) if reads(node) else ()
        return node.refs  # type: ignore[no-any-return]


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
    for a, b in related(block):
        for edge in _between(a, b, depth, within=within):
            found[edge] = None
    return list(found)


def is_carried(block: Sequence[Leaf], depth: int) -> bool:
    """Whether the loop at a depth carries a dependence between leaves of a block."""
    return any(
        may_meet(a, x, b, y, depth)
        for a, b in related(block)
        if depth < common_loops(a, b)
        for x, y in conflicts(a, b, within=False)
    )


def related(block: Sequence[Leaf]) -> Iterator[tuple[Leaf, Leaf]]:
    """Yield the leaves of a block that touch an array which one of them writes, in its order."""
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
            yield a, others[number]


def carriers(block: Sequence[Leaf]) -> dict[str, tuple[str, ...]]:
    """Return the arrays that make the iterations of a loop depend on each other, by its index.

    Dependences of one statement on another that does not depend on it are left out: they run in
    loops of their own.
    """
    number = {leaf.number: n for n, leaf in enumerate(block)}
    pairs = [(number[e.source], number[e.sink]) for e in dependences(block, within=True)]
    found: dict[str, dict[str, None]] = {}
    for component in components(len(block), pairs):
        for a in (block[n] for n in component):
            for b in (block[n] for n in component):
                for name, array in _carried(a, b):
                    found.setdefault(name, {})[array] = None
    return {name: tuple(arrays) for name, arrays in found.items()}


def _carried(a: Leaf, b: Leaf) -> Iterator[tuple[str, str]]:
    """Yield each loop that carries a dependence of `b` on `a`, and through which array."""
    for level in range(common_loops(a, b)):
        for x, y in conflicts(a, b, within=True):
            if may_meet(a, x, b, y, level):
                yield a.levels[level].index.name, x.access.array


def _between(a: Leaf, b: Leaf, depth: int, *, within: bool) -> Iterator[Edge]:
    """Yield the dependences of `b` on `a`."""
    common = common_loops(a, b)
    pairs = list(conflicts(a, b, within=within))
    for level in range(depth, common):
        if any(may_meet(a, x, b, y, level) for x, y in pairs):
            yield Edge(a.number, b.number, level)
    if a.number < b.number and any(may_meet(a, x, b, y, None, common) for x, y in pairs):
        yield Edge(a.number, b.number, None)


def conflicts(a: Leaf, b: Leaf, *, within: bool) -> Iterator[tuple[Ref, Ref]]:
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


def may_meet(
    a: Leaf,
    x: Ref,
    b: Leaf,
    y: Ref,
    level: int | None,
    common: int = 0,
    behind: int | None = None,
) -> bool:
    """Whether `x` at some iteration and `y` at a later one of `level` can be the same cell.

    `level` None: at the same iteration of all `common` loops. `behind`: a loop further in, of
    which `y` is in an earlier iteration.
    """
    if level is not None and _told_apart(a.levels, x, y, level):
        return False
    same = common if level is None else level
    mine, other = _side(a), _side(b)
    return meet(mine, other, level, same, (x.access, x.inner), (y.access, y.inner), behind)


def writes_before(other: Leaf, leaf: Leaf, ref: Ref) -> bool:
    """Whether `other`, a writer of its array, may write `ref` of `leaf` before `leaf`."""
    common, write = common_loops(other, leaf), other.refs[0]
    if any(may_meet(other, write, leaf, ref, level) for level in range(common)):
        return True
    return other.number < leaf.number and may_meet(other, write, leaf, ref, None, common)


def writes_after(other: Leaf, leaf: Leaf, ref: Ref) -> bool:
    """Whether `other`, a writer of its array, may write `ref` of `leaf` after `leaf`."""
    common, write = common_loops(leaf, other), other.refs[0]
    if any(may_meet(leaf, ref, other, write, level) for level in range(common)):
        return True
    later = other.number > leaf.number or (other is leaf and not ref.write)
    return later and may_meet(leaf, ref, other, write, None, common)


def keeps_inside(leaf: Leaf, level: int, inner: int) -> bool:
    """Whether a loop at `inner` cannot run round the one at `level`, which runs at once.

    A cell is read, or written, and then written in a later iteration of the outer loop, which is
    an earlier one of the inner loop.
    """
    pairs = ((x, y) for x, y in conflicts(leaf, leaf, within=True) if y.write)
    return any(may_meet(leaf, x, leaf, y, level, behind=inner) for x, y in pairs)


def goes_back(a: Leaf, b: Leaf, level: int) -> bool:
    """Whether `b` must wait for `a` in an earlier iteration of a loop that runs at once.

    They touch one cell, which one of them writes: all of `b` cannot run before all of `a`.
    """
    pairs = conflicts(a, b, within=True)
    return any(may_meet(a, x, b, y, level) for x, y in pairs)


def _side(leaf: Leaf) -> Side:
    """Return the loops and guards of a leaf, and what moves under its ranges."""
    return tuple(level.index for level in leaf.levels), leaf.guards, leaf.moving


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
