"""Evaluate a guard or the end of a range once where its block changes what it reads.

Rewrite:   for i: if z[i] < 4: { n[i] += 1;  z[i] = z[i] z[i] + c[i] }
           ->  for i: { h = z[i] < 4;  if h != 0: … }
           for i < n: { x[i] = 1;  n += 1 }   ->   e = n;  for i < e: …
Requires:  nothing. Keeps: every value; after it, every update may evaluate the guards and ranges
           round it for itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from loopc.analysis.dependence import Leaf, leaves, may_meet, node_refs
from loopc.diagnostics.record import replace
from loopc.ir.nodes import (
    Access,
    Array,
    Call,
    Const,
    Expr,
    For,
    Index,
    Program,
    Read,
    Stmt,
    Update,
)
from loopc.ir.visit import loop, reads
from loopc.ir.workspace import Names


def hold_conditions(program: Program) -> Program:
    """Return the program with what its blocks change evaluated in front of them."""
    names = Names.of(program)
    arrays, holder = names.arrays, _Holder(names)
    body = tuple(s for stmt in program.body for s in holder.top(stmt))
    if len(arrays) == len(program.arrays):
        return program
    return replace(program, body=body, arrays=tuple(arrays.values()))


class _Holder:
    def __init__(self, names: Names) -> None:
        self.names = names
        self.left: list[Leaf] = []

    def top(self, stmt: Stmt) -> tuple[Stmt, ...]:
        """Return the statements for one of the program's."""
        written = {leaf.update.target.array for leaf in leaves((stmt,))}
        if not _may_change(stmt, written):
            return (stmt,)
        self.left = list(leaves((stmt,)))
        return tuple(self._statement(stmt, 0))

    def _statement(self, stmt: Stmt, depth: int) -> list[Stmt]:
        """Rewrite a statement `depth` loops inside; its updates are the next of those left."""
        if not isinstance(stmt, For):
            self.left = self.left[1:] if isinstance(stmt, Update) else self.left
            return [stmt]
        count = len(leaves((stmt,)))
        inside = self.left[:count]
        full = depth + len(stmt.indices)
        body = [s for child in stmt.body for s in self._statement(child, full)]
        guard = stmt.guard
        single = len(stmt.body) == 1 and isinstance(stmt.body[0], Update)
        if guard is not None and not single and _changes(guard, inside, full):
            held, guard = self._held(guard)
            guard = Call("ne", (guard, Const(0)))
            body = [*held, *loop((), guard, *body)]
            guard = None
        return self._ranges(stmt, guard, tuple(body), inside, depth)

    def _ranges(
        self,
        stmt: For,
        guard: Expr | None,
        body: tuple[Stmt, ...],
        inside: Sequence[Leaf],
        depth: int,
    ) -> list[Stmt]:
        """Put the loops round the body again, ends of ranges held where they must be."""
        found: list[Stmt] = list(body)
        pending: list[Index] = []
        for number in reversed(range(len(stmt.indices))):
            index = stmt.indices[number]
            before: list[Stmt] = []
            ends: dict[str, Any] = {}
            for name in ("start", "stop"):
                end = getattr(index, name)
                if end is not None and _changes(end, inside, depth + number):
                    more, ends[name] = self._held(end)
                    before += more
            pending.insert(0, replace(index, **ends) if ends else index)
            if before:
                inner = replace(stmt, indices=tuple(pending), guard=guard, body=tuple(found))
                found = [*before, inner]
                pending, guard = [], None
        if pending or guard is not None:
            new = replace(stmt, indices=tuple(pending), guard=guard, body=tuple(found))
            return [stmt if new == stmt else new]
        return found

    def _held(self, value: Expr) -> tuple[list[Stmt], Expr]:
        name = self.names.fresh("held", numbered=True)
        self.names.arrays[name] = Array(name, "temp", (), span=value.span)
        cell = Access(name, span=value.span)
        return [Update(cell, "=", value, span=value.span)], Read(cell, span=value.span)


def _may_change(stmt: Stmt, written: set[str]) -> bool:
    """Whether some guard or range in a statement reads what the statement writes."""
    if not isinstance(stmt, For):
        return False
    parts = (*stmt.indices, *(() if stmt.guard is None else (stmt.guard,)))
    if any(a.array in written for p in parts for a in reads(p)):
        return True
    return any(_may_change(s, written) for s in stmt.body)


def _changes(expr: Expr, inside: Sequence[Leaf], depth: int) -> bool:
    """Whether updates change what an expression reads, in one iteration of the loops round it."""
    for ref in node_refs(expr):
        for leaf in inside:
            around = replace(leaf, levels=leaf.levels[:depth])
            write = leaf.refs[0]
            same = write.access.array == ref.access.array
            if same and may_meet(around, ref, leaf, write, None, depth):
                return True
    return False
