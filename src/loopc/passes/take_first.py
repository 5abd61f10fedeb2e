"""Let the one iteration that takes a cell before it is cleared be told beforehand.

Rewrite:   for n in reversed(range(N)):   ->   for n  taker[p[n]] = n
               for d  y[n,d] += g[p[n],d]      for n,d:
               for d  g[p[n],d] = 0                y[n,d] += where(taker[p[n]] == n, g[p[n],d], 0)
                                               for n,d  g[p[n],d] = 0
           (the adjoint of `z[p[n],d] = x[n,d]`: the last one that wrote a cell gets its cotangent)
Requires:  a loop that counts down; sums that read cells at places that are data of its index, all
           at the same ones, and after them a store of 0 there; the other indices are subscripts by
           themselves, and nothing else of the nest touches that array or writes what it reads.
Keeps:     every value.
"""

from __future__ import annotations

from loopc.analysis.dependence import Leaf, leaves
from loopc.diagnostics.record import replace
from loopc.ir.bounds import ascending
from loopc.ir.nodes import (
    ZERO,
    Access,
    Array,
    Call,
    Expr,
    For,
    Index,
    IndexRef,
    Node,
    Program,
    Read,
    Stmt,
    Update,
)
from loopc.ir.visit import free_indices, is_box, loop, map_children, reads
from loopc.ir.workspace import Names


def take_first(program: Program) -> Program:
    """Return the program with arrays that tell which iteration takes a cell."""
    names = Names.of(program)
    arrays = {a.name: a for a in program.arrays}
    body = tuple(made for s in program.body for made in _statement(s, arrays, names))
    if len(names.arrays) == len(arrays):
        return program
    return replace(program, body=body, arrays=tuple(names.arrays.values()))


def _statement(stmt: Stmt, arrays: dict[str, Array], names: Names) -> tuple[Stmt, ...]:
    """Return a nest that takes and clears as statements of their own."""
    block = leaves((stmt,)) if isinstance(stmt, For) else ()
    if len(block) < 2:
        return (stmt,)
    *takers, last = block
    cleared = last.update.target
    index = _place(last)
    if index is None or not all(_takes(leaf, cleared, index) for leaf in takers):
        return (stmt,)
    written = {leaf.update.target.array for leaf in block}
    others = [a for leaf in block for a in reads(leaf.update.value) if a != cleared]
    if any(a.array in written for a in others) or any(leaf.moving for leaf in block):
        return (stmt,)
    if len({leaf.update.target.array for leaf in takers} | {cleared.array}) != len(block):
        return (stmt,)
    shape = arrays[cleared.array].shape or ()
    data = [n for n, s in enumerate(cleared.subscripts) if not isinstance(s.at, IndexRef)]
    span = last.update.span
    name = names.fresh("taker", numbered=True)
    names.arrays[name] = Array(name, "temp", tuple(shape[n] for n in data), span=span)
    cell = Access(name, tuple(cleared.subscripts[n] for n in data), span=span)
    here = IndexRef(index.name)
    tell = Update(cell, "=", here, span=span)
    mine = Call("where", (Call("eq", (Read(cell), here)), Read(cleared), ZERO))
    made = list(loop((ascending(index),), None, tell))
    for leaf in (*takers, last):
        update = replace(leaf.update, value=_replaced(leaf.update.value, cleared, mine))
        made += loop(tuple(ascending(v.index) for v in leaf.levels), None, update)
    return tuple(made)


def _place(leaf: Leaf) -> Index | None:
    """Return the index that counts down and whose data tell the cells that a statement clears."""
    update, target = leaf.update, leaf.update.target
    if update.op != "=" or update.value != ZERO or leaf.guards:
        return None
    alone = [s.at.name for s in target.subscripts if isinstance(s.at, IndexRef)]
    data = [s for s in target.subscripts if not isinstance(s.at, IndexRef)]
    inside = {n for s in data for n in free_indices(s)}
    if not any(reads(s) for s in data) or len(inside) != 1 or len({*alone}) != len(alone):
        return None
    found = [v.index for v in leaf.levels if v.index.name in inside]
    if len(found) != 1 or found[0].step != -1 or not is_box(v.index for v in leaf.levels):
        return None
    if any(s.mode != "strict" for s in target.subscripts) or inside & {*alone}:
        return None
    return found[0] if {v.index.name for v in leaf.levels} == {*alone} | inside else None


def _takes(leaf: Leaf, cleared: Access, index: Index) -> bool:
    """Whether a statement sums up what it reads of the cells that are cleared."""
    own = [a for a in reads(leaf.update) if a.array == cleared.array]
    around = [v.index for v in leaf.levels]
    if leaf.update.op not in ("+=", "-=") or leaf.guards or index not in around:
        return False
    names = {*free_indices(cleared)}
    whole = names <= {i.name for i in around} and is_box(around)
    return whole and bool(own) and all(a == cleared for a in own)


def _replaced(node: Node, old: Access, new: Expr) -> Expr:
    """Return a value with an expression in the place of the reads of a cell."""
    if isinstance(node, Read) and node.access == old:
        return new
    return map_children(node, lambda child: _replaced(child, old, new))  # type: ignore[return-value]
