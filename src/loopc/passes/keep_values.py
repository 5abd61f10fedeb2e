"""Keep what a recurrence computes at a cost and another statement needs again.

Rewrite:   for t:                                     ->  for t:
               for j  c[t+1,j] = σ(a[t,j]) c[t,j]             for j  sigmoid1[t,j] = σ(a[t,j])
           …                                                  for j  c[t+1,j] = σ(a[t,j]) c[t,j]
Requires:  a smooth function of one argument, under no condition, in a loop that runs in order; the
           same value in another statement (`reuse_values` then reads it), or none of the arguments
           changes in the loop: then the new statement stands in front of it.
Keeps:     every value.
"""

from __future__ import annotations

from collections.abc import Iterator

from loopc.analysis.dependence import Leaf, is_carried, leaves
from loopc.diagnostics.record import record, replace
from loopc.ir.derive import function_of
from loopc.ir.functions import is_costly, lookup
from loopc.ir.nodes import (
    Call,
    Expr,
    For,
    Index,
    Node,
    Program,
    Reduce,
    Stmt,
    Update,
)
from loopc.ir.visit import canonical, children, free_indices, is_inside_anyway, loop, reads
from loopc.ir.workspace import Names


@record()
class _Place:
    """A call in a statement."""

    call: Call
    leaf: Leaf
    top: int


def keep_values(program: Program) -> Program:
    """Return the program with statements that keep costly values."""
    return _Pass(program).program()


class _Pass:
    def __init__(self, source: Program) -> None:
        self.source = source
        self.names = Names.of(source)

    def program(self) -> Program:
        """Return the changed program."""
        blocks = [leaves((stmt,)) for stmt in self.source.body]
        places: dict[Expr, list[_Place]] = {}
        for number, block in enumerate(blocks):
            for leaf in block:
                for call in _costly(leaf.update.value):
                    key = canonical(function_of(call))
                    places.setdefault(key, []).append(_Place(call, leaf, number))
        serial = [n for n, block in enumerate(blocks) if places and _runs_in_order(block)]
        if not serial:
            return self.source
        before: dict[tuple[int, int], list[Stmt]] = {}
        for found in places.values():
            self._keep(found, blocks, set(serial), before)
        if not before:
            return self.source
        body: list[Stmt] = []
        for number, stmt in enumerate(self.source.body):
            body.extend(before.get((number, -1), ()))
            count = iter(range(len(blocks[number])))
            own = {leaf: made for (top, leaf), made in before.items() if top == number}
            body.extend(_inserted(stmt, count, own) if own else [stmt])
        return replace(self.source, arrays=tuple(self.names.arrays.values()), body=tuple(body))

    def _keep(
        self,
        found: list[_Place],
        blocks: list[tuple[Leaf, ...]],
        serial: set[int],
        before: dict[tuple[int, int], list[Stmt]],
    ) -> None:
        """Add a statement in front of the first one that computes a value."""
        place = found[0]
        leaf = place.leaf
        call = function_of(place.call)
        if place.top not in serial or leaf.guards or leaf.update.value == call:
            return
        used = set(free_indices(call))
        kept = tuple(v.index for v in leaf.levels if v.index.name in used)
        if any(set(free_indices(i)) - used or reads(i) for i in kept):
            return
        if len(kept) < len(leaf.levels) and not is_inside_anyway(call):
            return
        own = _own_loops(self.source.body[place.top], leaf)
        outside = leaf.levels[: len(leaf.levels) - len(own)]
        written = {other.update.target.array for other in blocks[place.top]}
        if len(kept) < len(leaf.levels) and written.isdisjoint(a.array for a in reads(call)):
            at, around = -1, kept
        elif len({(p.top, p.leaf.number) for p in found}) > 1:
            at, around = leaf.number, tuple(i for i in own if i.name in used)
            if any(v.index.name not in used for v in outside):
                return
        else:
            return
        row = lookup(call.fn)
        assert row is not None
        name = self.names.fresh(row.name, numbered=True)
        cell = self.names.countable_cells(name, kept, kept, leaf.update.span)
        if isinstance(cell, Index):
            return
        made = Update(cell, "=", call, span=leaf.update.span)
        before.setdefault((place.top, at), []).extend(loop(around, None, made))


def _runs_in_order(block: tuple[Leaf, ...]) -> bool:
    """Whether a loop of a statement carries a dependence between its updates."""
    several = len(block) > 1 or any(
        ref.access.array == block[0].update.target.array for leaf in block for ref in leaf.refs[1:]
    )
    depth = max(len(leaf.levels) for leaf in block) if several else 0
    return any(is_carried(block, level) for level in range(depth))


def _costly(node: Node) -> Iterator[Call]:
    """Yield the calls of smooth functions that are computed under no condition, outermost first."""
    if isinstance(node, Reduce):
        return
    if isinstance(node, Call):
        row = lookup(node.fn)
        assert row is not None
        if row.params == ("c", "a", "b") or node.fn in ("and", "or"):
            return
        if is_costly(node.fn) and reads(node):
            yield node
            return
    for child in children(node):
        yield from _costly(child)


def _own_loops(stmt: Stmt, leaf: Leaf) -> tuple[Index, ...]:
    """Return the loops of an update that hold nothing else."""
    own: tuple[Index, ...] = ()
    while isinstance(stmt, For):
        own = (*own, *stmt.indices) if len(stmt.body) == 1 else ()
        stmt = next(s for s in stmt.body if _holds(s, leaf.update))
    return own


def _holds(stmt: Stmt, update: Update) -> bool:
    if isinstance(stmt, For):
        return any(_holds(s, update) for s in stmt.body)
    return stmt is update


def _inserted(stmt: Stmt, count: Iterator[int], before: dict[int, list[Stmt]]) -> list[Stmt]:
    """Return a statement with others in front of its updates, outside of the loops of their own."""
    if not isinstance(stmt, For):
        return [*before.get(next(count), ()), stmt]
    if len(stmt.body) == 1:
        *made, inner = _inserted(stmt.body[0], count, before)
        return [*made, stmt if inner is stmt.body[0] else replace(stmt, body=(inner,))]
    body = tuple(s for child in stmt.body for s in _inserted(child, count, before))
    return [replace(stmt, body=body)]
