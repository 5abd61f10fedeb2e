"""Put the number of a call in the place of a dim that counts the few coordinates of points.

Rewrite:   input x[N,D]; for i,j: r[i,j] = sum[d]((x[i,d] - x[j,d])**2)
           ->  input x[N,3]; for i,j: r[i,j] = sum[d < 3]((x[i,d] - x[j,d])**2)
Requires:  a call whose dim is at most `FEW`; an index over all of it in terms of a sum that depend
           on fewer other indices than the sum.
Keeps:     every value. Lowering takes few coordinates one by one, whose differences would lie in
           short rows.
"""

from __future__ import annotations

from collections.abc import Iterator

from loopc.ir.magnitude import FEW, Magnitudes
from loopc.ir.nodes import ZERO, Call, Const, Extent, Index, Node, Program, Stmt
from loopc.ir.visit import free_indices, map_children, reads, walk


def settle_few(program: Program, sizes: Magnitudes) -> Program:
    """Return the program with numbers for the dims that count few coordinates of points."""
    names = dict.fromkeys(n for s in program.body for n in _coordinates(s))
    counts = {n: sizes.typical(Extent(n)) for n in names}
    few = {n: Const(c) for n, c in counts.items() if 1 < c <= FEW}

    def visit(node: Node) -> Node:
        return few.get(node.name, node) if isinstance(node, Extent) else map_children(node, visit)

    return map_children(program, visit) if few else program


def _coordinates(stmt: Stmt) -> Iterator[str]:
    """Yield the dims that are the extents of indices of points in a statement."""
    dims = {
        i.name: i.stop.name
        for i in walk(stmt)
        if isinstance(i, Index) and i.start == ZERO and isinstance(i.stop, Extent)
    }
    for node in walk(stmt):
        if not isinstance(node, Call) or node.fn != "add":
            continue
        own = [{*free_indices(a)} for a in node.args if any(True for _ in reads(a))]
        together = set[str]().union(*own)
        shared = together.intersection(*own)
        if len(own) > 1 and all(own_names < together for own_names in own):
            yield from (dims[n] for n in shared if n in dims)
