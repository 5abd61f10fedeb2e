"""Keep a term that several statements add to shifted cells.

Rewrite:   for i  g[i+1] += a[i] σ(b[i])          ->  for i  term1[i] = a[i] σ(b[i])
           for i  g[pad(i-1)] -= 2 a[i] σ(b[i])       for i  g[i+1] += term1[i]
                                                      for i  g[pad(i-1)] -= 2 term1[i]
           Sums as a whole first, then terms of them.
Requires:  sums of floats over the same loops, whose cells each are added to once; nothing that the
           term reads changes between them. Cells that are not shifted run in one tile, where it is
           computed once anyway: one of these at least is.
Keeps:     every value up to rounding: a literal in front of a term is multiplied with it at last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, prod
from typing import TypeAlias

from loopc.analysis.dependence import Leaf, only_leaf
from loopc.diagnostics.record import record, replace
from loopc.ir.dtypes import DType, infer_dtypes, of_expr
from loopc.ir.nodes import (
    Access,
    Call,
    Const,
    Expr,
    Index,
    IndexRef,
    Program,
    Read,
    Reduce,
    Stmt,
    Update,
)
from loopc.ir.visit import (
    add,
    contains,
    free_indices,
    loop,
    mul,
    neg,
    reads,
    summands,
    updates,
    walk,
    with_update,
)
from loopc.ir.workspace import Names

WORK = 2
"""The operations from which on a term is kept."""

_Term: TypeAlias = tuple[float, Expr]
"""A number, and what it is multiplied with."""


@record()
class _Sum:
    """A statement that adds terms to cells, each once.

    Attributes:
        number: in the program.
        stmt: the statement.
        leaf: it, with its loops.
        terms: what is added.
    """

    number: int
    stmt: Stmt
    leaf: Leaf
    terms: tuple[_Term, ...]

    @property
    def indices(self) -> tuple[Index, ...]:
        """The loops round it."""
        return tuple(level.index for level in self.leaf.levels)

    @property
    def is_shifted(self) -> bool:
        """Whether its cells are not those of its loops."""
        return not all(isinstance(s.at, IndexRef) for s in self.leaf.update.target.subscripts)


def keep_terms(program: Program) -> Program:
    """Return the program with statements that keep terms."""
    types = infer_dtypes(program, {})
    found = [_sum(n, s, types) for n, s in enumerate(program.body)]
    sums = {s.number: s for s in found if s is not None}
    if not any(s.is_shifted for s in sums.values()):
        return program
    kept = _Kept(program, Names.of(program))
    kept.keep(sums, [(s, (_whole(s.terms),)) for s in sums.values() if len(s.terms) > 1])
    kept.keep(sums, [(s, s.terms) for s in sums.values()])
    return kept.program(sums)


class _Kept:
    """The statements that keep terms, under construction."""

    def __init__(self, source: Program, names: Names) -> None:
        self.source = source
        self.names = names
        self.before: dict[int, tuple[Stmt, ...]] = {}
        self.changed: set[int] = set()

    def keep(self, sums: dict[int, _Sum], found: Sequence[tuple[_Sum, tuple[_Term, ...]]]) -> None:
        """Keep what several sums have of some terms, and put its cells in their place."""
        uses: dict[tuple[Expr, tuple[Index, ...]], list[int]] = {}
        for own, terms in found:
            for _, core in terms:
                if _work(core) >= WORK:
                    uses.setdefault((core, own.indices), []).append(own.number)
        cells = {key: self._cell(key, users, sums) for key, users in uses.items()}
        for own, terms in found:
            keys = [(core, own.indices) for _, core in terms]
            new = tuple(
                (number, core if cell is None else Read(cell))
                for (number, core), cell in zip(terms, map(cells.get, keys), strict=True)
            )
            if new != terms:
                sums[own.number] = replace(own, terms=new)
                self.changed.add(own.number)

    def _cell(
        self, key: tuple[Expr, tuple[Index, ...]], users: list[int], sums: Mapping[int, _Sum]
    ) -> Access | None:
        """Return the cell that keeps a term; None: it is computed where it is needed."""
        first = sums[users[0]]
        if len({*users}) < 2 or not any(sums[n].is_shifted for n in users):
            return None
        between = self.source.body[users[0] : users[-1]]
        written = {u.target.array for _, u in updates(between)}
        term, indices = key
        if any(a.array in written for a in reads(term)):
            return None
        span = first.leaf.update.span
        name = self.names.fresh("term", numbered=True)
        cell = self.names.countable_cells(name, indices, indices, span)
        if not isinstance(cell, Access):
            return None
        made = loop(indices, None, Update(cell, "=", term, span=span))
        self.before[users[0]] = (*self.before.get(users[0], ()), *made)
        return cell

    def program(self, sums: Mapping[int, _Sum]) -> Program:
        """Return the changed program."""
        if not self.before:
            return self.source
        body: list[Stmt] = []
        for number, stmt in enumerate(self.source.body):
            body += self.before.get(number, ())
            body.append(_with_terms(sums[number]) if number in self.changed else stmt)
        return replace(self.source, body=tuple(body), arrays=tuple(self.names.arrays.values()))


def _sum(number: int, stmt: Stmt, types: Mapping[str, DType]) -> _Sum | None:
    """Return a statement that adds to each cell once; None: it does something else."""
    leaf = only_leaf(stmt)
    if leaf is None:
        return None
    target, value = leaf.update.target, leaf.update.value
    names = [level.index.name for level in leaf.levels]
    moved = [free_indices(s.at) for s in target.subscripts]
    if (
        leaf.update.op != "+="
        or leaf.guards
        or sorted(n for m in moved for n in m) != sorted(names)
    ):
        return None
    if any(len(m) > 1 or reads(s) for m, s in zip(moved, target.subscripts, strict=True)):
        return None
    if contains(value, Reduce) or target.array in {a.array for a in reads(stmt)}:
        return None
    terms = tuple(map(_term, summands(value)))
    for _, core in terms:
        dtype = of_expr(core, types)
        if dtype is None or dtype.weak or dtype.kind != "f" or {*free_indices(core)} != {*names}:
            return None
    return _Sum(number, stmt, leaf, terms)


def _term(value: Expr) -> _Term:
    """Return a product as the number in front of it, and the rest of it."""
    match value:
        case Call("neg", (inner,)):
            number, core = _term(inner)
            return -number, core
        case Call("mul", (Const(number), *factors)) if isinstance(number, int | float):
            if isfinite(number) and number:
                other, core = _term(mul(*factors))
                return number * other, core
        case Call("mul", factors):
            signs, plain = zip(*map(_as_sum, factors), strict=True)
            return prod(signs), mul(*plain)
        case Call("div", (inner, divisor)):
            number, core = _term(inner)
            return number, Call("div", (core, divisor))
        case _:
            pass
    return 1.0, value


def _as_sum(factor: Expr) -> _Term:
    """Return a factor with a sign, such that a sum does not begin with a minus."""
    terms = summands(factor)
    return _whole(tuple(map(_term, terms))) if len(terms) > 1 else (1.0, factor)


def _whole(terms: Sequence[_Term]) -> _Term:
    """Return a sum as one term, whose first one has no minus."""
    sign = -1.0 if terms[0][0] < 0 else 1.0
    return sign, add(*(_scaled((sign * number, core)) for number, core in terms))


def _scaled(term: _Term) -> Expr:
    number, core = term
    size = abs(number)
    value = core if size == 1 else mul(Const(int(size) if size.is_integer() else size), core)
    return neg(value) if number < 0 else value


def _with_terms(found: _Sum) -> Stmt:
    value = add(*map(_scaled, found.terms))
    return with_update(found.stmt, replace(found.leaf.update, value=value))


def _work(term: Expr) -> int:
    return sum(isinstance(n, Call) and bool(free_indices(n)) for n in walk(term))
