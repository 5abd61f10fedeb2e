"""Sums of exponentials of sums as sums of products of exponentials, of which there are fewer.

Rewrite:   for n,j  x[n,j] = logsumexp[i](a[n,i] + w[i,j])
              ->  for n    max1[n]    = max(-1e38, max[i](a[n,i]))
                  for n,i  exp1[n,i]  = exp(a[n,i] - max1[n])
                  for j    max2[j]    = max(-1e38, max[i](w[i,j]))
                  for i,j  exp2[i,j]  = exp(w[i,j] - max2[j])
                  for n,j  total1[n,j] = sum[i](exp1[n,i] exp2[i,j])
                  for n,j  x[n,j]     = max1[n] + max2[j] + ln(total1[n,j])
           and in its gradient
           for n,i,j  g[n,i] += d[n,j] exp(a[n,i] + w[i,j] - x[n,j])
              ->  for n,i,j  g[n,i] += exp1[n,i] exp2[i,j] (d[n,j] / total1[n,j])
Requires:  groups of terms with fewer indices than all have together (what a loop in order changes
           has that loop's), under no condition but i <= j, which makes a running sum of one group;
           for the gradient, that nothing it reads changes.
Keeps:     every value up to rounding, exponentials that are lost beside 1 included: where the
           largest terms of the groups do not meet, a total is small or 0, and its fourth power is
           not positive (below 6e-12 in single precision). Then, and for what is not finite, the
           run does as it is written.
Source: the scaled forward algorithm: Rabiner, A Tutorial on Hidden Markov Models, 1989, sec. V.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations

from loopc.analysis.dependence import common_loops, leaves
from loopc.analysis.products import is_plain, parts
from loopc.analysis.serial import distributed, serial_loops
from loopc.analysis.spots import Spot
from loopc.analysis.survival import from_copies, has_cells, indices_at, survives
from loopc.analysis.term_groups import Group, groups, terms, together
from loopc.diagnostics.record import record, replace
from loopc.ir.bounds import conjuncts, extent, is_same_range
from loopc.ir.dtypes import infer_dtypes, of_expr
from loopc.ir.nests import with_statements
from loopc.ir.nodes import (
    ZERO,
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
from loopc.ir.reductions import lookup
from loopc.ir.sites import always_evaluated, with_reduction
from loopc.ir.visit import (
    add,
    conjunction,
    free_indices,
    is_box,
    is_inside_anyway,
    loop,
    mul,
    neg,
    opened_reduction,
    reads,
    substitute,
    summands,
    updates,
)
from loopc.ir.workspace import Names

LEAST = -1e38
"""Below all terms that matter, and a number in single precision."""

NOTHING = Const(float("-inf"))


def multiply_exponentials(program: Program) -> Program:
    """Return the program with such sums as products."""
    if not any(_has_sum(s) for s in program.body):
        return program
    body = (s for stmt in program.body for s in (distributed(stmt) if _has_sum(stmt) else (stmt,)))
    return _Pass(program, tuple(body)).program()


def _has_sum(stmt: Stmt) -> bool:
    return any(_functions(r.op) for _, u in updates((stmt,)) for r in always_evaluated(u.value))


def _functions(op: str) -> tuple[str, str] | None:
    row = lookup(op)
    return None if row is None else row.sum_of


@record()
class _Total:
    """A sum of exponentials that is a sum of products.

    Attributes:
        number: its statement of the program.
        power: the function whose values are summed.
        body: the terms.
        indices: the loops and the summed indices, by name.
        cell: of its value.
        factors: the cells whose products are summed.
        total: the cell of their sum.
        outer: the loops that the update shares with others, or that run in order.
        far: the cell that says whether a total in an iteration of them is lost.
        touched: the arrays that have to stay as they are for another use; None: they do not.
    """

    number: int
    power: str
    body: Expr
    indices: Mapping[str, Index]
    cell: Access
    factors: tuple[Access, ...]
    total: Access
    outer: tuple[Index, ...]
    far: Access
    touched: frozenset[str] | None


class _Pass:
    """The program under construction."""

    def __init__(self, source: Program, body: tuple[Stmt, ...]) -> None:
        self.source = source
        self.body = body
        self.names = Names.of(source)
        self.types = infer_dtypes(source, {})
        self.totals: list[_Total] = []
        self.before: list[Stmt] = []

    def program(self) -> Program:
        """Return the changed program."""
        body: list[Stmt] = []
        for number, stmt in enumerate(self.body):
            new = self._statement(number, stmt)
            body += [*self.before, *new]
            self.before = []
        if not self.totals:
            return self.source
        return replace(self.source, body=tuple(body), arrays=tuple(self.names.arrays.values()))

    def _statement(self, number: int, stmt: Stmt) -> list[Stmt]:
        block = leaves((stmt,))
        new = [stmt]
        for leaf in block:
            shared = max((common_loops(leaf, o) for o in block if o is not leaf), default=0)
            spot = Spot(number, stmt, leaf, shared)
            made = self._sum(spot) or self._use(spot)
            if made is not None:
                depth, stmts = made
                new = [s for old in new for s in with_statements(old, leaf.update, depth, stmts)]
        return new

    def _sum(self, spot: Spot) -> tuple[int, list[Stmt]] | None:
        """Return a sum of exponentials as products, and the depth of the loops round them."""
        if spot.leaf.guards or not _has_sum(spot.update):
            return None
        serial = [depth + 1 for n, depth in serial_loops(spot.stmt) if n == spot.leaf.number]
        spot = replace(spot, depth=max([spot.depth, *serial]))
        written = frozenset(u.target.array for _, u in updates((spot.stmt,)))
        for each in always_evaluated(spot.update.value):
            opened = opened_reduction(each, {i.name for i in spot.levels})
            if not self._is_sum(opened, spot.levels):
                continue
            over = {i.name for i in opened.indices}
            rest = [t for t in terms(opened.body) if over.isdisjoint(free_indices(t))]
            summed = add(*(t for t in terms(opened.body) if t not in rest))
            found = groups(summed, (*spot.levels, *opened.indices), spot.outer, written)
            names = together(found, opened.guard)
            if found and all(g.names < names for g in found):
                return spot.depth, self._products(spot, each, opened, found, rest)
        return None

    def _is_sum(self, each: Reduce, levels: Sequence[Index]) -> bool:
        """Whether a reduction is a sum of exponentials of floats over a box."""
        names = [i.name for i in levels]
        if not _functions(each.op) or len({*names}) < len(names):
            return False
        if each.guard is not None and not _is_triangle(each.guard, (*levels, *each.indices)):
            return False
        dtype = of_expr(each.body, self.types)
        if dtype is None or dtype.kind != "f" or dtype.weak:
            return False
        return is_box((*levels, *each.indices))

    def _products(
        self, spot: Spot, each: Reduce, opened: Reduce, found: list[Group], rest: list[Expr]
    ) -> list[Stmt]:
        """Return the statements in the place of the loops of an update's own.

        Args:
            spot: the update.
            each: the sum in it.
            opened: the sum, its indices apart from those of the loops.
            found: its terms in groups.
            rest: those that are the same in all of them.
        """
        power, inverse = _functions(each.op) or ("", "")
        update, inner = spot.update, spot.inner
        inside: list[Stmt] = []
        tops, factors = [], []
        for group in found:
            made, top, factor = self._exponentials(group, power, opened, spot)
            tops.append(top)
            factors.append(factor)
            (self.before if group.fixed else inside).extend(made)
        names = together(found, opened.guard)
        total = self._cell("total", [i for i in spot.levels if i.name in names], update)
        own = tuple(i for i in inner if i.name in names)
        value = replace(opened, op="sum", body=mul(*map(Read, factors)))
        inside += _assigned(own, None, total, value, update)
        bare = update.value is each and update.op == "=" and has_cells(spot.leaf)
        cell = update.target if bare else self._cell(each.op, spot.levels, update)
        fast = add(*map(Read, tops), *rest, Call(inverse, (Read(total),)))
        inside += _assigned(inner, None, cell, fast, update)
        far = self._cell("far", spot.outer, update)
        is_large: Expr = Call("gt", (Call("pow", (_least(Read(total), own), Const(4))), ZERO))
        if rest:  # of which one may be -inf: the value has no shares then
            is_large = conjunction(is_large, Call("gt", (_least(Read(cell), inner), NOTHING)))
        inside += _assigned((), None, far, Call("not", (is_large,)), update)
        inside += _assigned(inner, _is_set(far), cell, opened, update)
        if not bare:
            read = with_reduction(update.value, each, Read(cell))
            inside += loop(inner, None, replace(update, value=read))
        block = leaves((spot.stmt,))
        body = from_copies(opened.body, spot.leaf, block)
        touched = frozenset((cell.array, *(a.array for a in reads(body))))
        kept = touched if bare and survives(spot.leaf, touched, block) else None
        by_name = {i.name: i for i in (*spot.levels, *opened.indices)}
        cells = cell, tuple(factors), total, spot.outer, far
        self.totals.append(_Total(spot.number, power, body, by_name, *cells, kept))
        return inside

    def _exponentials(
        self, group: Group, power: str, sum_: Reduce, spot: Spot
    ) -> tuple[tuple[Stmt, ...], Access, Access]:
        """Return the statements for a group's exponentials, their largest one 1, and both cells."""
        around = () if group.fixed else spot.outer
        own = tuple(i for i in group.axes if i not in around)
        summed = tuple(i for i in sum_.indices if i in own)
        kept = tuple(i for i in own if i not in summed)
        dropped = {extent(i) for i in spot.levels if i not in group.axes}
        empty = dropped - {extent(i) for i in own}
        guard = None
        if empty and not is_inside_anyway(group.value):
            guard = conjunction(*(Call("gt", (size, ZERO)) for size in empty))
        top = self._cell("max", (*around, *kept), spot.update)
        factor = self._cell(power, group.axes, spot.update)
        largest = Call("max", (Const(LEAST), Reduce("max", summed, None, group.value)))
        value = Call(power, (add(group.value, neg(Read(top))),))
        made = (
            *_assigned(kept, guard, top, largest, spot.update),
            *_assigned(own, guard, factor, value, spot.update),
        )
        return made, top, factor

    def _cell(self, name: str, axes: Sequence[Index], update: Update) -> Access:
        """Add an array with a cell for each point of some loops."""
        name = self.names.fresh(name, numbered=True)
        return self.names.cells(name, axes, axes, update.span)

    def _use(self, spot: Spot) -> tuple[int, list[Stmt]] | None:
        """Return a sum of products with an exponential as one with its factors."""
        if spot.update.op != "+=" or not self.totals:
            return None
        found = parts(spot.update.value)
        for factor in found.factors:
            if not isinstance(factor, Call) or len(factor.args) != 1:
                continue
            for total in (t for t in self.totals if t.power == factor.fn):
                names = self._matched(total, factor.args[0], spot)
                if names is None:
                    continue
                others = [f for f in found.factors if f is not factor]
                if all({*free_indices(o)} <= _axes(total.cell, names) for o in others):
                    return spot.depth, self._split(total, names, spot, others)
        return None

    def _split(
        self, total: _Total, names: Mapping[str, Expr], spot: Spot, others: Sequence[Expr]
    ) -> list[Stmt]:
        """Return the statement where no total is lost, and where one is."""
        leaf, update = spot.leaf, spot.update
        here = Read(substitute(total.total, names))
        share = Call("div", (mul(*others), here))
        factors = [Read(substitute(f, names)) for f in total.factors]
        far = substitute(total.far, names)
        some = Call("gt", (Read(substitute(total.cell, names)), NOTHING))
        fast: list[Expr] = [Call("eq", (Read(far), ZERO))]
        fast += [c for g in leaf.guards for c in conjuncts(g) if c != some]
        slow = [_is_set(far)]
        serial = {spot.levels[d].name for n, d in serial_loops(spot.stmt) if n == leaf.number}
        if total.outer and serial.isdisjoint(_axes(total.far, names)):
            somewhere = self._cell("far", (), update)
            found = Reduce("any", total.outer, None, Read(total.far))
            self.before += _assigned((), None, somewhere, found, update)
            slow = [_is_set(somewhere), *slow]
        value = parts(update.value).times(*factors, share)
        return [
            *loop(spot.inner, conjunction(*fast), replace(update, value=value)),
            *loop(spot.inner, conjunction(*slow, *leaf.guards), update),
        ]

    def _matched(self, total: _Total, power: Expr, spot: Spot) -> dict[str, Expr] | None:
        """Return what the indices of a sum are where a term's share of it is used; None: it is not.

        Args:
            total: the sum.
            power: what e is raised to: a term less the value of the sum.
            spot: the update.
        """
        if total.touched is None or spot.number <= total.number:
            return None
        between = self.body[total.number + 1 : spot.number + 1]
        if any(u.target.array in total.touched for _, u in updates(between)):
            return None
        cells = [t.args[0] for t in summands(power) if isinstance(t, Call) and t.fn == "neg"]
        cell = next((c for c in cells if _reads(c, total.cell.array)), None)
        if not isinstance(cell, Read) or not is_plain(cell):
            return None
        term = add(*(t for t in summands(power) if t != neg(cell)))
        names = indices_at(total.cell, cell.access)
        ranges = {i.name: i for i in spot.levels}
        taken = set(free_indices(cell))
        left = [n for n in ranges if n not in taken]
        over = [n for n in total.indices if n not in names]
        if len(left) != len(over) or len(ranges) != len(spot.levels):
            return None
        for chosen in permutations(left):
            all_ = names | {n: IndexRef(c) for n, c in zip(over, chosen, strict=True)}
            pairs = ((total.indices[n], ranges.get(at.name)) for n, at in all_.items())
            same = all(b is not None and is_same_range(a, b) for a, b in pairs)
            if same and substitute(total.body, all_) == term:
                return {**all_}
        return None


def _assigned(
    loops: tuple[Index, ...], guard: Expr | None, cell: Access, value: Expr, update: Update
) -> tuple[Stmt, ...]:
    return loop(loops, guard, Update(cell, "=", value, span=update.span))


def _least(value: Expr, over: tuple[Index, ...]) -> Expr:
    return Reduce("min", over, None, value) if over else value


def _is_triangle(guard: Expr, indices: Sequence[Index]) -> bool:
    """Whether a condition is `i <= j` of one range, so that it holds for one value of each."""
    by_name = {i.name: i for i in indices}
    match guard:
        case Call("le" | "ge", (IndexRef(a), IndexRef(b))):
            return a in by_name and b in by_name and is_same_range(by_name[a], by_name[b])
        case _:
            return False


def _axes(cell: Access, names: Mapping[str, Expr]) -> set[str]:
    return {n for own in free_indices(cell) for n in free_indices(names[own])}


def _reads(value: Expr, array: str) -> bool:
    return isinstance(value, Read) and value.access.array == array


def _is_set(cell: Access) -> Expr:
    return Call("ne", (Read(cell), ZERO))
