"""Compute sums that a recurrence does not change in front of it, for all its iterations at once.

Rewrite:   for t: for j: h[t+1,j] = tanh(b[j] + sum[i](x[t,i] W[i,j]) + sum[k](h[t,k] U[k,j]))
              ->  for t: for j: { s[t,j] = b[j] + sum[i](x[t,i] W[i,j])
                                  h[t+1,j] = tanh(s[t,j] + sum[k](h[t,k] U[k,j])) }
           whose first statement the loops are distributed over: it becomes one product.
Requires:  a sum of arrays that the loops do not write, always evaluated; loops that carry a
           dependence, whose index is in the sum; indices that the target has as well, so that the
           sums take no more memory than it. Keeps: every value, and the order of the terms.
Source: loop distribution, e.g. Wolfe, High Performance Compilers for Parallel Computing, ch. 9.4.
"""

from __future__ import annotations

from collections.abc import Sequence

from loopc.analysis.dependence import is_carried, leaves
from loopc.diagnostics.record import record, replace
from loopc.ir.nodes import Call, Expr, For, Index, Node, Program, Read, Reduce, Stmt, Update
from loopc.ir.visit import contains, free_indices, map_children, reads, updates
from loopc.ir.workspace import Names


def take_out_sums(program: Program) -> Program:
    """Return the program with sums of what a recurrence leaves alone in statements of their own."""
    names = Names.of(program)
    body = tuple(_top(stmt, names) for stmt in program.body)
    if all(a is b for a, b in zip(body, program.body, strict=True)):
        return program
    return replace(program, body=body, arrays=tuple(names.arrays.values()))


def _top(stmt: Stmt, names: Names) -> Stmt:
    """Return a statement of the program, with sums taken out if it is a recurrence."""
    found = [u for _, u in updates((stmt,))]
    written = frozenset(u.target.array for u in found)
    recurs = any(a.array in written for u in found for a in reads(u.value))
    if not isinstance(stmt, For) or not recurs or not any(contains(u.value, Reduce) for u in found):
        return stmt
    inside = leaves((stmt,))
    depth = max(len(leaf.levels) for leaf in inside)
    carried = [d for d in range(depth) if is_carried(inside, d)]
    serial = {leaf.levels[d].index.name for leaf in inside for d in carried if d < len(leaf.levels)}
    (new,) = _Taker(names, written, frozenset(serial)).statement(stmt, ()) if serial else [stmt]
    return new


@record()
class _Taker:
    """Takes sums out of one recurrence.

    Attributes:
        names: the program's.
        written: what the recurrence writes.
        serial: the indices of loops that carry a dependence.
    """

    names: Names
    written: frozenset[str]
    serial: frozenset[str]

    def statement(self, stmt: Stmt, loops: tuple[Index, ...]) -> list[Stmt]:
        """Return the statements for one."""
        if isinstance(stmt, For):
            inner = (*loops, *stmt.indices)
            heads = stmt.indices if stmt.guard is None else (*stmt.indices, stmt.guard)
            if any(a.array in self.written for head in heads for a in reads(head)):
                return [stmt]
            body = tuple(s for b in stmt.body for s in self.statement(b, inner))
            same = len(body) == len(stmt.body)
            same = same and all(a is b for a, b in zip(body, stmt.body, strict=True))
            return [stmt if same else replace(stmt, body=body)]
        if not isinstance(stmt, Update) or self._is_fixed(stmt.value):
            return [stmt]
        before: list[Stmt] = []
        value = self._value(stmt.value, stmt, loops, before)
        return [*before, replace(stmt, value=value)] if before else [stmt]

    def _value(
        self, value: Expr, update: Update, loops: Sequence[Index], before: list[Stmt]
    ) -> Expr:
        """Return what is always evaluated of a value with cells in the place of sums."""
        if self._may_go(value, update):
            return self._cell(value, update, loops, before)
        if not isinstance(value, Call) or value.fn in ("where", "and", "or"):
            return value
        if value.fn == "add":
            own = tuple(a for a in value.args if self._is_fixed(a))
            total = Call("add", own, span=value.span)
            if len(own) > 1 and self._may_go(total, update):
                cell = self._cell(total, update, loops, before)
                left = (self._value(a, update, loops, before) for a in value.args if a not in own)
                return replace(value, args=(cell, *left))

        def visit(child: Node) -> Node:
            return self._value(child, update, loops, before)  # type: ignore[arg-type]

        return map_children(value, visit)

    def _is_fixed(self, value: Expr) -> bool:
        """Whether the recurrence does not change a value."""
        return self.written.isdisjoint(a.array for a in reads(value))

    def _may_go(self, value: Expr, update: Update) -> bool:
        used = set(free_indices(value))
        has = used <= set(free_indices(update.target)) and not used.isdisjoint(self.serial)
        return has and contains(value, Reduce) and self._is_fixed(value)

    def _cell(
        self, value: Expr, update: Update, loops: Sequence[Index], before: list[Stmt]
    ) -> Expr:
        own = tuple(i for i in loops if i.name in free_indices(value))
        name = self.names.fresh("sum", numbered=True)
        cell = self.names.countable_cells(name, own, loops, value.span)
        if isinstance(cell, Index):
            self.names.arrays.pop(name, None)
            return value
        before.append(Update(cell, "=", value, span=update.span))
        return Read(cell, span=value.span)
