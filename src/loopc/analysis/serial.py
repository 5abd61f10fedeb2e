"""Which loops must run in order, by loop distribution over the strongly connected dependences.

Source: Allen and Kennedy, Optimizing Compilers for Modern Architectures, ch. 2.4.
"""

from __future__ import annotations

from collections.abc import Sequence

from loopc.analysis.components import components
from loopc.analysis.dependence import Edge, Leaf, dependences, leaves
from loopc.ir.nodes import Stmt

Serial = frozenset[tuple[int, int]]
"""Pairs of a leaf's number and the depth of a loop round it."""


def serial_loops(stmt: Stmt) -> Serial:
    """Return the loops of a statement that some of its updates must run in order."""
    block = leaves((stmt,))
    found: set[tuple[int, int]] = set()
    _block(block, dependences(block), found)
    return frozenset(found)


def _block(block: Sequence[Leaf], edges: Sequence[Edge], found: set[tuple[int, int]]) -> None:
    number = {leaf.number: n for n, leaf in enumerate(block)}
    inside = [e for e in edges if e.source in number and e.sink in number]
    pairs = [(number[e.source], number[e.sink]) for e in inside]
    for component in components(len(block), pairs):
        group = [block[n] for n in component]
        own = {leaf.number for leaf in group}
        cycle = [e for e in inside if e.source in own and e.sink in own]
        carrying = [e.level for e in cycle if e.level is not None]
        if len(group) == 1 and not cycle:
            continue
        depth = min(carrying)
        found |= {(leaf.number, depth) for leaf in group}
        _block(group, [e for e in cycle if e.level != depth], found)
