"""Drop the axis of a temporary along which a loop that runs in order uses one cell at a time.

Rewrite:   for t: { c[t,i] = g[i];  g[i] = c[t,i] a[i] }   ->   for t: { c[i] = g[i];  … }
           (where the loop over t must run in order)
Requires:  the temporary is no output; no value of it enters or leaves an iteration of the loop; all
           updates that touch it run in the loop's order anyway. Keeps: every value.
Source: array contraction, Allen and Kennedy, Optimizing Compilers for Modern Architectures, ch. 5.
"""

from __future__ import annotations

from loopc.analysis.dependence import Leaf, leaves
from loopc.analysis.private import alone, regions
from loopc.analysis.serial import Serial, serial_loops
from loopc.ir.nodes import Access, Array, For, Program, Reduce
from loopc.ir.visit import uses, walk
from loopc.ir.workspace import without_axes


def contract_workspaces(program: Program) -> Program:
    """Return the program with smaller temporaries."""
    places: dict[str, set[int]] = {}
    for number, stmt in enumerate(program.body):
        for node in walk(stmt):
            if isinstance(node, Access):
                places.setdefault(node.array, set()).add(number)
    dropped: dict[str, frozenset[int]] = {}
    known: dict[int, tuple[tuple[Leaf, ...], Serial]] = {}
    for array in program.arrays:
        where = places.get(array.name, set())
        if array.kind != "temp" or array.name in program.outputs or len(where) != 1:
            continue
        (number,) = where
        stmt = program.body[number]
        if array.shape and isinstance(stmt, For) and alone(stmt, array.name):
            if number not in known:
                known[number] = leaves((stmt,)), serial_loops(stmt)
            axes = _axes(stmt, array, *known[number])
            if axes:
                dropped[array.name] = axes
    return without_axes(program, dropped) if dropped else program


def _axes(stmt: For, array: Array, block: tuple[Leaf, ...], serial: Serial) -> frozenset[int]:
    touching = [leaf for leaf in block if any(r.access.array == array.name for r in leaf.refs)]
    depths = {level.index.name: depth for depth, level in enumerate(touching[0].levels)}
    known = {
        axis: depths[name]
        for axis, name in alone(stmt, array.name).items()
        if name in depths and all((leaf.number, depths[name]) in serial for leaf in touching)
    }
    if not known:
        return frozenset()
    found = regions((stmt,), array.name)
    if len(found) != 1 or uses(found[0].loop)[array.name] != uses(stmt)[array.name]:
        return frozenset()
    (region,) = found
    around = [i.name for f in (*region.around, region.loop) for i in f.indices]
    inside = (n for s in region.loop.body for n in walk(s) if isinstance(n, For | Reduce))
    rebound = {i.name for n in inside for i in n.indices}
    return frozenset(
        axis
        for axis, depth in known.items()
        if depth < len(around) and around.count(around[depth]) == 1 and around[depth] not in rebound
    )
