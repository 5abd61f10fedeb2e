"""Give a reduction whose range follows data, or follows other indices in steps, a loop of its own.

Rewrite:   for i  y[i] = sum[e in range(p[i], p[i+1])](v[e]) / n[i]
           ->  for i: { for e in range(p[i], p[i+1])  s[i] += v[e];  y[i] = s[i] / n[i] }
Requires:  the reduction is one of `sum prod max min`, always evaluated, and the ranges of the loops
           round it do not depend on data. Keeps: every value, and the order of the terms.
"""

from __future__ import annotations

from loopc.diagnostics.record import replace
from loopc.ir.functions import lookup as function
from loopc.ir.nodes import (
    Backward,
    Call,
    Expr,
    For,
    Index,
    Node,
    Program,
    Read,
    Reduce,
    Stmt,
    Update,
)
from loopc.ir.reductions import lookup
from loopc.ir.visit import free_indices, map_children, reads
from loopc.ir.workspace import Names


def split_ragged(program: Program) -> Program:
    """Return the program with ragged reductions in loops of their own."""
    names = Names.of(program)
    arrays, splitter = names.arrays, _Splitter(names)
    body = tuple(s for stmt in program.body for s in splitter.statement(stmt, ()))
    if len(arrays) == len(program.arrays):
        return program
    return replace(program, body=body, arrays=tuple(arrays.values()))


class _Splitter:
    def __init__(self, names: Names) -> None:
        self.names = names

    def statement(self, stmt: Stmt, loops: tuple[Index, ...]) -> list[Stmt]:
        """Return the statements for one."""
        match stmt:
            case Update():
                before: list[Stmt] = []
                value = self._value(stmt.value, loops, before)
                return [*before, replace(stmt, value=value)] if before else [stmt]
            case For(indices, _, body):
                inner = (*loops, *indices)
                new = tuple(s for b in body for s in self.statement(b, inner))
                same = len(new) == len(body) and all(a is b for a, b in zip(new, body, strict=True))
                return [stmt if same else replace(stmt, body=new)]
            case Backward():
                return [stmt]

    def _value(self, value: Expr, loops: tuple[Index, ...], before: list[Stmt]) -> Expr:
        if isinstance(value, Reduce):
            return self._split(value, loops, before) if _is_ragged(value, loops) else value

        def inside(child: Node) -> Node:
            return self._value(child, loops, before)  # type: ignore[arg-type]

        if isinstance(value, Call) and not _is_lazy(value):
            return map_children(value, inside)
        return value

    def _split(self, value: Reduce, loops: tuple[Index, ...], before: list[Stmt]) -> Expr:
        row = lookup(value.op)
        if row is None or not row.op or row.form != "fold":
            return value
        name = self.names.fresh(value.op, numbered=True)
        cell = self.names.countable_cells(name, loops, loops, value.span)
        if isinstance(cell, Index):
            self.names.arrays.pop(name, None)
            return value
        update = Update(cell, row.op, value.body, span=value.span)
        before.append(For(value.indices, value.guard, (update,), span=value.span))
        return Read(cell, span=value.span)


def _is_lazy(call: Call) -> bool:
    """Whether some argument may not be evaluated."""
    row = function(call.fn)
    return call.fn in ("and", "or") or (row is not None and row.params == ("c", "a", "b"))


def _is_ragged(value: Reduce, loops: tuple[Index, ...]) -> bool:
    """Whether a range is no box: it reads data at a loop's index, or moves in steps with one."""
    around = {i.name for i in loops}
    for index in value.indices:
        used = around & set(free_indices(index))
        stepped = index.step not in (1, -1) and used
        if stepped or any(around & set(free_indices(a)) for a in reads(index)):
            return True
    return False
