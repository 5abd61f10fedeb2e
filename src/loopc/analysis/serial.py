"""Which loops must run in order, by loop distribution over the strongly connected dependences.

Source: Allen and Kennedy, Optimizing Compilers for Modern Architectures, ch. 2.4.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set

from loopc.analysis.components import components
from loopc.analysis.dependence import Edge, Leaf, dependences, leaves
from loopc.diagnostics.record import record
from loopc.ir.nodes import For, Index, Stmt
from loopc.ir.visit import is_box, loop

Serial = frozenset[tuple[int, int]]
"""Pairs of a leaf's number and the depth of a loop round it."""


@record()
class Group:
    """Leaves that depend on each other in a cycle, or one; `edges` are the cycle's."""

    leaves: tuple[Leaf, ...]
    edges: tuple[Edge, ...]

    @property
    def carrying(self) -> list[int]:
        """The depths of the loops that carry the cycle."""
        return [e.level for e in self.edges if e.level is not None]


def groups(block: Sequence[Leaf], edges: Sequence[Edge]) -> list[Group]:
    """Return the strongly connected components of a block, in order."""
    number = {leaf.number: n for n, leaf in enumerate(block)}
    inside = [e for e in edges if e.source in number and e.sink in number]
    pairs = [(number[e.source], number[e.sink]) for e in inside]
    found: list[Group] = []
    for component in components(len(block), pairs):
        group = tuple(block[n] for n in component)
        own = {leaf.number for leaf in group}
        found.append(Group(group, tuple(e for e in inside if e.source in own and e.sink in own)))
    return found


def serial_loops(stmt: Stmt) -> Serial:
    """Return the loops of a statement that some of its updates must run in order."""
    block = leaves((stmt,))
    found: set[tuple[int, int]] = set()
    _block(block, dependences(block), found)
    return frozenset(found)


def _block(block: Sequence[Leaf], edges: Sequence[Edge], found: set[tuple[int, int]]) -> None:
    for group in groups(block, edges):
        if not group.edges:
            continue
        depth = min(group.carrying)
        found |= {(leaf.number, depth) for leaf in group.leaves}
        _block(group.leaves, [e for e in group.edges if e.level != depth], found)


def distributed(stmt: Stmt) -> tuple[Stmt, ...]:
    """Return a statement with the loops that need no order round each of its updates alone.

    One with ranges that are not the same in all iterations stays as it is.
    """
    block = leaves((stmt,))
    levels = [level for leaf in block for level in leaf.levels]
    if not is_box(v.index for v in levels):
        return (stmt,)
    serial = {block[n].levels[depth].key for n, depth in serial_loops(stmt)}
    found = tuple(_distributed(stmt, serial, (0,), ()))
    return (stmt,) if found == (stmt,) else found


def _distributed(
    stmt: Stmt, serial: Set[tuple[int, ...]], path: tuple[int, ...], around: tuple[Index, ...]
) -> Iterator[Stmt]:
    """Yield the statements for one in some loops, which may go inside of those in order."""
    if not isinstance(stmt, For) or stmt.guard is not None:
        yield from loop(around, None, stmt)
        return
    ordered = tuple(i for n, i in enumerate(stmt.indices) if (*path, n) in serial)
    inner = (*around, *(i for i in stmt.indices if i not in ordered))
    body = [
        s
        for n, child in enumerate(stmt.body)
        for s in _distributed(child, serial, (*path, n), inner)
    ]
    if ordered:
        yield For(ordered, None, tuple(body), span=stmt.span)
    else:
        yield from body
