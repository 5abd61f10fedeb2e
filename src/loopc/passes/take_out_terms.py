"""Compute what a recurrence does not change in front of it, for all its iterations at once.

Rewrite:   for t: for j: g[t,j] += g[t+1,j] (s[t,j] (1 - s[t,j]))
              ->  for t,j          term1[t,j] = s[t,j] (1 - s[t,j])
                  for t: for j: g[t,j] += g[t+1,j] term1[t,j]
Requires:  a value of floats that the loops do not write, always evaluated (under a guard, of cells
           that are inside anyway); loops that carry a dependence, so few cells in an iteration of
           them that a call costs about as much as its work. What is the same in all iterations is
           taken out for any number of cells.
Keeps:     every value: what is taken out of a sum or a product are its first terms.
Source: loop-invariant code motion and loop distribution, e.g. Wolfe, High Performance Compilers for
Parallel Computing, ch. 9.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import takewhile
from math import prod

from loopc.analysis.dependence import Leaf, leaves
from loopc.analysis.serial import serial_loops
from loopc.diagnostics.record import record, replace
from loopc.ir.bounds import ascending, conjuncts, extent
from loopc.ir.dtypes import DType, infer_dtypes, of_expr
from loopc.ir.magnitude import Magnitudes
from loopc.ir.nodes import (
    Call,
    Expr,
    Index,
    Node,
    Program,
    Read,
    Reduce,
    Stmt,
    Update,
)
from loopc.ir.visit import (
    contains,
    free_indices,
    is_inside_anyway,
    loop,
    map_children,
    reads,
    unguarded,
    updates,
    with_values,
)
from loopc.ir.workspace import Names

STEP = 1 << 13
"""The most cells of an iteration for which a call costs about as much as its work."""

WHOLE = 1 << 22
"""The most cells that are kept for all iterations."""

CONDITIONAL = ("where", "and", "or")


def take_out_terms(program: Program, sizes: Magnitudes) -> Program:
    """Return the program with what recurrences do not change in statements of their own."""
    serial = {n: found for n, stmt in enumerate(program.body) if any(found := _serial(stmt))}
    if not serial:
        return program
    names, types = Names.of(program), infer_dtypes(program, {})
    body: list[Stmt] = []
    for number, stmt in enumerate(program.body):
        if number in serial:
            taker = _Taker(names, types, sizes, _written(stmt), [])
            values = [taker.of(*each) for each in zip(leaves((stmt,)), serial[number], strict=True)]
            body += taker.made
            body.append(with_values(stmt, iter(values)))
        else:
            body.append(stmt)
    if len(body) == len(program.body):
        return program
    return replace(program, body=tuple(body), arrays=tuple(names.arrays.values()))


def _written(stmt: Stmt) -> frozenset[str]:
    return frozenset(u.target.array for _, u in updates((stmt,)))


def _serial(stmt: Stmt) -> list[frozenset[str]]:
    """Return the indices of the loops that each update of a statement must run in order."""
    written = _written(stmt)
    block = leaves((stmt,))
    if not any(a.array in written for leaf in block for a in reads(leaf.update.value)):
        return []
    found: list[set[str]] = [set() for _ in block]
    for number, depth in serial_loops(stmt):
        found[number].add(block[number].levels[depth].index.name)
    return [frozenset(names) for names in found]


@record()
class _Taker:
    """Takes terms out of one recurrence.

    Attributes:
        names: the program's.
        types: of its arrays.
        sizes: the extents of the call at hand.
        written: what the recurrence writes.
        made: the statements in front of it.
    """

    names: Names
    types: Mapping[str, DType]
    sizes: Magnitudes
    written: frozenset[str]
    made: list[Stmt]

    def of(self, leaf: Leaf, serial: frozenset[str]) -> Expr:
        """Return the value of an update with cells in the place of what is taken out."""
        names = {level.index.name for level in leaf.levels}
        if not serial or len(names) < len(leaf.levels):
            return leaf.update.value
        if self._is_fixed(leaf.update.value):
            return leaf.update.value
        return self._value(leaf.update.value, leaf, serial)

    def _value(self, value: Expr, leaf: Leaf, serial: frozenset[str]) -> Expr:
        """Return what is always evaluated of a value with cells in the place of its fixed parts."""
        if not isinstance(value, Call) or value.fn in CONDITIONAL:
            return value
        if self._may_go(value, leaf, serial):
            return self._cell(value, leaf, serial)
        if value.fn in ("add", "mul"):
            own = tuple(takewhile(self._is_fixed, value.args))
            first = Call(value.fn, own, span=value.span)
            if len(own) > 1 and not _spreads(first, leaf) and self._may_go(first, leaf, serial):
                rest = (self._value(a, leaf, serial) for a in value.args[len(own) :])
                return replace(value, args=(self._cell(first, leaf, serial), *rest))

        def visit(child: Node) -> Node:
            return self._value(child, leaf, serial)  # type: ignore[arg-type]

        return map_children(value, visit)

    def _is_fixed(self, value: Expr) -> bool:
        """Whether the recurrence does not change a value."""
        return self.written.isdisjoint(a.array for a in reads(value))

    def _may_go(self, value: Expr, leaf: Leaf, serial: frozenset[str]) -> bool:
        used = set(free_indices(value))
        if not used or not reads(value) or not self._is_fixed(value) or contains(value, Reduce):
            return False
        if isinstance(value, Call) and value.fn == "neg" and isinstance(value.args[0], Read):
            return False  # a subtraction costs no more than an addition
        dtype = of_expr(value, self.types)
        if dtype is None or dtype.kind not in "fc":
            return False
        if (len(used) < len(leaf.levels) or leaf.guards) and not is_inside_anyway(value):
            return False
        whole = any(serial.issuperset(free_indices(c)) for g in leaf.guards for c in conjuncts(g))
        if whole and used.difference(serial, free_indices(leaf.update.target)):
            return False  # terms of sums, of iterations that may be few
        if used.isdisjoint(serial):
            return True
        own = [level.index for level in leaf.levels if level.index.name in used]
        counts = {i.name: self.sizes.typical(extent(i)) for i in own}
        step = prod(n for name, n in counts.items() if name not in serial)
        return step <= STEP and prod(counts.values()) <= WHOLE

    def _cell(self, value: Expr, leaf: Leaf, serial: frozenset[str]) -> Expr:
        """Return the cell that holds a value, which a statement in front of the loops gives it.

        Those of an iteration lie side by side in memory.
        """
        used = free_indices(value)
        loops = tuple(level.index for level in leaf.levels)
        own = tuple(ascending(i) for i in loops if i.name in used)
        if not any(set(free_indices(i)) for i in own):
            own = tuple(sorted(own, key=lambda i: i.name not in serial))
        if any(set(free_indices(i)) - set(used) or reads(i) for i in own):
            return value
        for stmt in self.made:
            indices, made = unguarded(stmt)
            if isinstance(made, Update) and made.value == value and indices == own:
                return Read(made.target, span=value.span)
        name = self.names.fresh("term", numbered=True)
        cell = self.names.countable_cells(name, own, loops, value.span)
        if isinstance(cell, Index):
            self.names.arrays.pop(name, None)
            return value
        update = Update(cell, "=", value, span=leaf.update.span)
        self.made.extend(loop(own, None, update))
        return Read(cell, span=value.span)


def _spreads(product: Call, leaf: Leaf) -> bool:
    """Whether factors that have other indices each are summed: the sum needs no array of them."""
    axes = [{*free_indices(a)} for a in product.args]
    summed = len(free_indices(leaf.update.target)) < len(leaf.levels)
    return summed and product.fn == "mul" and not any(set().union(*axes) == own for own in axes)
