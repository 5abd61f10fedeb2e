"""Write to the one cell that a comparison picks, not to all cells with most terms left out.

Rewrite:   for n, b if k[n] == b: t[b] += x[n]
              ->  for n if k[n] >= 0 and k[n] < B: t[k[n]] += x[n]
           for n,b  t[b] += x[n] (k[n] == b)
              ->  for n  largest max= x[n] x[n]
                  if largest < inf: for n if k[n] >= 0 and k[n] < B: t[k[n]] += x[n]
                  if not largest < inf: for n,b  t[b] += x[n] (k[n] == b)
           for n,b  g[n] += u[b] (k[n] == b)
              ->  the same with g[n] += u[k[n]]
Requires:  integers on both sides: an index alone on one of them, on the other a cell or an affine
           expression that does not depend on it; enough cells that a gather costs less than all of
           them. A product with what is not finite is NaN for every index: that is looked for first.
Keeps:     every value.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

from loopc.analysis.products import parts
from loopc.diagnostics.record import record, replace
from loopc.ir.affine import affine
from loopc.ir.bounds import conjuncts, extent, is_whole
from loopc.ir.dtypes import DType, infer_dtypes, of_expr
from loopc.ir.magnitude import Magnitudes
from loopc.ir.nodes import (
    Access,
    Array,
    Call,
    Const,
    Expr,
    For,
    Index,
    IndexRef,
    Program,
    Read,
    Stmt,
    Update,
)
from loopc.ir.visit import free_indices, loop, mul, reads, substitute, walk
from loopc.ir.workspace import Names

FEW = 16
"""Cells of which all are looked at as quickly as one is found."""


def follow_deltas(program: Program, sizes: Magnitudes) -> Program:
    """Return the program with comparisons with an index of the target as subscripts."""
    if not any(_has_equality(s) for s in program.body):
        return program
    found = _Pass(program, sizes)
    body = tuple(s for stmt in program.body for s in found.statement(stmt))
    if all(a is b for a, b in zip(body, program.body, strict=False)):
        return program
    return replace(program, body=body, arrays=tuple(found.names.arrays.values()))


@record()
class _Delta:
    """An index that a comparison sets.

    Attributes:
        index: the index.
        value: what it is equal to.
    """

    index: Index
    value: Expr


@record()
class _Nest:
    """Loops round one update."""

    ranges: Mapping[str, Index]
    guards: tuple[Expr, ...]
    update: Update


class _Pass:
    def __init__(self, program: Program, sizes: Magnitudes) -> None:
        self.sizes = sizes
        self.types: Mapping[str, DType] = infer_dtypes(program, sizes.kinds)
        self.names = Names.of(program)

    def statement(self, stmt: Stmt) -> tuple[Stmt, ...]:
        """Return what takes the place of a statement."""
        nest = _nest(stmt)
        if nest is None:
            return (stmt,)
        for guard in nest.guards:
            delta = self._delta(guard, nest)
            if delta is not None:
                rest = tuple(g for g in nest.guards if g is not guard)
                return self.statement(_placed(replace(nest, guards=rest), delta)[0])
        return self._factor(stmt, nest)

    def _delta(self, guard: Expr, nest: _Nest) -> _Delta | None:
        """Return the index that a condition sets."""
        match guard:
            case Call("eq", (a, b)):
                pairs = ((a, b), (b, a))
            case _:
                return None
        for own, value in pairs:
            index = nest.ranges.get(own.name) if isinstance(own, IndexRef) else None
            if index is None or index.step != 1 or index.name in free_indices(value):
                continue
            moved = any(index.name in free_indices(i) for i in nest.ranges.values())
            if not moved and self._is_number(value, nest) and self._pays(index):
                return _Delta(index, value)
        return None

    def _is_number(self, value: Expr, nest: _Nest) -> bool:
        """Whether a value is an integer cell, or affine in the indices of the loops."""
        dtype = of_expr(value, self.types)
        used = free_indices(value)
        whole = dtype is not None and dtype.kind == "i" and bool(used)
        if isinstance(value, Read):
            return whole
        return (
            whole
            and not reads(value)
            and affine(value) is not None
            and set(used) <= set(nest.ranges)
        )

    def _pays(self, index: Index) -> bool:
        return self.sizes.typical(extent(index)) > FEW

    def _factor(self, stmt: Stmt, nest: _Nest) -> tuple[Stmt, ...]:
        """Take a factor that is a comparison as a condition, if the others are finite."""
        found = parts(nest.update.value)
        if nest.update.op != "+=" or not all(_is_positive(d, nest) for d in found.divisors):
            return (stmt,)
        for number, factor in enumerate(found.factors):
            condition, chosen = _condition(factor)
            delta = self._delta(condition, nest)
            others = (*found.factors[:number], *found.factors[number + 1 :])
            if delta is None:
                continue
            update = replace(nest.update, value=found.times(*others, *chosen))
            made = _placed(replace(nest, update=update), delta)
            doubtful = tuple(f for f in others if not self._is_exact(f))
            return self._if_finite(stmt, nest, doubtful, made) if doubtful else made
        return (stmt,)

    def _is_exact(self, factor: Expr) -> bool:
        """Whether a factor times 0 is 0: an integer, or a literal."""
        dtype = of_expr(factor, self.types)
        finite = isinstance(factor, Const) and abs(factor.value) < float("inf")
        return finite or (dtype is not None and dtype.kind in "bi")

    def _if_finite(
        self, stmt: Stmt, nest: _Nest, factors: tuple[Expr, ...], made: tuple[Stmt, ...]
    ) -> tuple[Stmt, ...]:
        """Return a statement where products with 0 are not 0, and another one where they are."""
        found: list[Stmt] = []
        largest: list[Expr] = []
        for factor in factors:
            indices = tuple(i for n, i in nest.ranges.items() if n in free_indices(factor))
            name = self.names.fresh("largest", numbered=True)
            self.names.arrays[name] = Array(name, "temp", (), span=nest.update.span)
            size = Call("mul", (factor, factor))
            update = replace(nest.update, target=Access(name), op="max=", value=size)
            found += loop(indices, None, update)
            largest.append(Read(Access(name)))
        is_finite = Call("lt", (mul(*largest), Const(float("inf"))))
        found.append(For((), is_finite, made, span=stmt.span))
        found.append(For((), Call("not", (is_finite,)), (stmt,), span=stmt.span))
        return tuple(found)


def _has_equality(stmt: Stmt) -> bool:
    return any(isinstance(n, Call) and n.fn == "eq" for n in walk(stmt))


def _nest(stmt: Stmt) -> _Nest | None:
    """Return loops with ranges of their own round one update; None: they are something else."""
    ranges: dict[str, Index] = {}
    guards: list[Expr] = []
    while isinstance(stmt, For):
        if len(stmt.body) != 1 or any(i.name in ranges or _is_ragged(i) for i in stmt.indices):
            return None
        ranges.update({i.name: i for i in stmt.indices})
        guards += conjuncts(stmt.guard)
        stmt = stmt.body[0]
    if not isinstance(stmt, Update) or not ranges:
        return None
    if stmt.target.array in {a.array for a in (*reads(stmt.value), *reads(stmt.target))}:
        return None
    if any(a.array == stmt.target.array for g in guards for a in reads(g)):
        return None
    return _Nest(ranges, tuple(guards), stmt)


def _condition(factor: Expr) -> tuple[Expr, tuple[Expr, ...]]:
    """Return a factor as a condition, and what it is where that holds: else it is 0."""
    match factor:
        case Call("where", (condition, chosen, Const(value))) if value == 0:
            return condition, (chosen,)
        case _:
            return factor, ()


def _is_positive(divisor: Expr, nest: _Nest) -> bool:
    """Whether 0 divided by something is 0: a literal, or the extent of a loop that runs."""
    if isinstance(divisor, Const):
        return divisor.value != 0 and isfinite(abs(divisor.value))
    return any(is_whole(index, divisor) for index in nest.ranges.values())


def _is_ragged(index: Index) -> bool:
    return bool(free_indices(index)) or any(True for _ in reads(index))


def _placed(nest: _Nest, delta: _Delta) -> tuple[Stmt, ...]:
    """Return the loops without an index, its value in its place."""
    index = delta.index
    assert index.start is not None
    assert index.stop is not None
    values = {index.name: delta.value}
    inside = (Call("ge", (delta.value, index.start)), Call("lt", (delta.value, index.stop)))
    guards = (*inside, *(substitute(g, values) for g in nest.guards))
    left = tuple(i for n, i in nest.ranges.items() if n != index.name)
    return loop(left, Call("and", guards), substitute(nest.update, values))
