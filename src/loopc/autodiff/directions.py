"""Many directions at once: a program that is linear in its seeds, with an axis more for each.

Rewrite:   for j,i  y.dot[j] += W[j,i] x.dot[i]
           ->  for v < V, j, i: y.dot[v,j] += W[j,i] x.dot[v,i]
Every array that follows from a seed gets a leading axis, each direction is a cell of it. So a whole
Jacobian is one run. What the seeds do not reach is computed once.
"""

from __future__ import annotations

from collections.abc import Collection

from loopc.diagnostics.record import replace
from loopc.ir.nodes import (
    Access,
    Const,
    Extent,
    For,
    Index,
    IndexRef,
    Node,
    Program,
    Stmt,
    Subscript,
    Update,
)
from loopc.ir.visit import fresh_name, map_children, reads, updates, walk


def with_directions(program: Program, seeds: Collection[str]) -> Program:
    """Return the program that runs for as many directions as its seeds' first axis has cells."""
    reached = _reached(program, seeds)
    taken = {a.name for a in program.arrays} | {d.name for d in program.dims}
    nodes = [n for s in program.body for n in walk(s)]
    taken |= {n.name for n in nodes if isinstance(n, Index | Extent)}
    taken |= {n.name for a in program.arrays for n in walk(a) if isinstance(n, Extent)}
    index = fresh_name("v", taken)
    extent = Extent(fresh_name("V", taken))
    over = Index(index, Const(0), extent, written=True)

    def access(node: Node) -> Node:
        node = map_children(node, access)
        if isinstance(node, Access) and node.array in reached:
            return replace(node, subscripts=(Subscript(IndexRef(index)), *node.subscripts))
        return node

    def step(stmt: Stmt) -> Stmt:
        match stmt:
            case For(_, _, (Update() as update,)) if update.target.array in reached:
                inner: For = access(stmt)  # type: ignore[assignment]
                return replace(inner, indices=(over, *inner.indices))
            case For():
                return replace(stmt, body=tuple(step(s) for s in stmt.body))
            case Update() if stmt.target.array in reached:
                return For((over,), None, (access(stmt),), span=stmt.span)  # type: ignore[arg-type]
        return stmt

    arrays = tuple(
        replace(a, shape=(extent, *(a.shape or ()))) if a.name in reached else a
        for a in program.arrays
    )
    return replace(program, arrays=arrays, body=tuple(step(s) for s in program.body))


def _reached(program: Program, seeds: Collection[str]) -> set[str]:
    """Return the arrays whose values follow from the seeds."""
    reached = set(seeds)
    flows = [(u.target.array, {a.array for a in reads(u)}) for _, u in updates(program.body)]
    size = 0
    while size != len(reached):
        size = len(reached)
        reached |= {target for target, sources in flows if sources & reached}
    return reached
