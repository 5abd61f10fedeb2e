"""Reverse mode: the adjoint of statements, as statements.

The adjoint of `T[s] += e` for an access `A[u]` in `e` is `A.grad[u] += T.grad[s] ∂e/∂A[u]`, in the
same loops: the sum over indices that `A` does not have is the loop itself. Statements are taken in
reverse order; a loop that carries a dependence runs backwards. What the adjoint reads and the
program overwrites is recorded before (`recorded.py`).

Source: Griewank and Walther, Evaluating Derivatives, ch. 6; Laue, Mitterreiter and Giesen, A Simple
and Efficient Tensor Calculus, 2020.
"""

from __future__ import annotations

from collections.abc import Iterable

from loopc.analysis.dependence import Leaf, Ref, dependences, leaves, may_meet, writes_before
from loopc.autodiff.checkpoints import Sweep
from loopc.autodiff.loops import alone, merged, wrapped
from loopc.autodiff.partials import Term, sensitive, terms
from loopc.autodiff.recorded import Recorder
from loopc.autodiff.running import (
    averaged,
    is_running,
    is_running_extreme,
    joined,
    shares,
    summed_onwards,
)
from loopc.autodiff.tidy import tidy
from loopc.diagnostics.record import replace
from loopc.ir import reductions
from loopc.ir.affine import simplify
from loopc.ir.bounds import backwards, extent
from loopc.ir.build import expression
from loopc.ir.derive import product
from loopc.ir.nodes import (
    Access,
    Array,
    Call,
    Const,
    Expr,
    For,
    Index,
    Read,
    Reduce,
    Stmt,
    Update,
)
from loopc.ir.visit import conjunction, free_indices, opened_reduction, reads, substitute, updates
from loopc.ir.workspace import Names


class Reverse:
    """Makes the adjoint statements of one sequence of statements in normal form."""

    def __init__(
        self, body: tuple[Stmt, ...], active: frozenset[str], suffix: str, names: Names
    ) -> None:
        self.active = active
        self.suffix = suffix
        self.names = names
        self.leaves = leaves(body)
        self.recorder = Recorder(self.leaves, names)
        self.body = body
        self.at = len(self.leaves)
        self.top: Stmt | None = None
        self.first = 0
        self.counts: list[Stmt] = []
        self.from_end: list[tuple[Stmt, str]] = []

    def sweeps(self) -> list[Sweep]:
        """Return each statement with what it must record, and its adjoint."""
        adjoints = []
        for stmt in reversed(self.body):
            self.top, self.counts = stmt, []
            self.first = self.at - sum(1 for _ in updates((stmt,)))
            adjoint = self._statement(stmt)
            adjoints.append((*self.counts, *adjoint))
        recorded = self.recorder.forward(self.body)
        return [Sweep(*each) for each in zip(self.body, recorded, adjoints[::-1], strict=True)]

    def adjoint_of(self, access: Access) -> Access:
        """Return the same cell of the adjoint array."""
        return replace(access, array=f"{access.array}.{self.suffix}")

    def _cotangent(self, leaf: Leaf) -> Access:
        """Return the cell of the adjoint array that belongs to what a statement writes."""
        return self.adjoint_of(self.recorder.access(leaf, leaf.update.target, ()))

    # Loops

    def _statement(self, stmt: Stmt) -> list[Stmt]:
        if isinstance(stmt, Update):
            self.at -= 1
            return self._update(self.leaves[self.at])
        if not isinstance(stmt, For):
            return []
        block = leaves((stmt,))
        edges = {e.level for e in dependences(block, within=True)}
        carried = {n for n in range(len(stmt.indices)) if n in edges}
        inner = [s for child in reversed(stmt.body) for s in self._statement(child)]
        if not inner:
            return []
        if not carried and len(block) == 1:
            return [merged(self._turned(stmt, s), s) for s in inner]
        indices = tuple(
            replace(backwards(i), written=True) if n in carried else i
            for n, i in enumerate(stmt.indices)
        )
        if len(inner) == 1:
            return [merged(replace(stmt, indices=indices), inner[0])]
        return [replace(stmt, indices=indices, body=tuple(inner))]

    def _turned(self, stmt: For, inner: Stmt) -> For:
        """Return the loops round a statement, backwards if it carries something from the end."""
        last = [n for s, n in self.from_end if s is inner]
        back = (replace(backwards(i), written=True) if i.name in last else i for i in stmt.indices)
        return replace(stmt, indices=tuple(back))

    # One update

    def _update(self, leaf: Leaf) -> list[Stmt]:
        update = leaf.update
        if update.target.array not in self.active:
            return []
        if update.op in ("max=", "min="):
            return self._extreme(leaf)
        value = update.value
        if isinstance(value, Reduce) and self._is_own(update.op, value):
            if is_running_extreme(value):
                return self._running_extreme(leaf, value)
            return self._reduction(leaf, value)
        names = {level.index.name for level in leaf.levels}
        result = self._result(leaf)
        found = terms(value, self.active.__contains__, names, result)
        return self._propagated(leaf, found)

    def _is_own(self, op: str, value: Reduce) -> bool:
        """Whether a statement's value is an active reduction with a rule of its own."""
        active = any(a.array in self.active for a in sensitive(value))
        return active and op == "=" and _row(value.op).adjoint != "g"

    def _result(self, leaf: Leaf) -> Expr | None:
        """Return the read of an update's target if it still has the value that was assigned."""
        update = leaf.update
        if not self.recorder.keeps_result(leaf):
            return None
        return Read(update.target, span=update.span)

    def _propagated(self, leaf: Leaf, found: list[Term]) -> list[Stmt]:
        """Hand the target's cotangent on to what the value reads, and take it from the target."""
        update = leaf.update
        target = self._cotangent(leaf)
        own = [t for t in found if t.access.array == update.target.array]
        others = [t for t in found if t.access.array != update.target.array]
        zeroed = update.op == "=" and self._needs_zero(leaf)
        same = [t for t in own if t.access == update.target]
        if not own or (not same and all(self._is_apart(leaf, t) for t in own)):
            made = [self._term(leaf, t, Read(target)) for t in (*others, *own)]
            if zeroed:
                made.append(Update(target, "=", Const(0), span=update.span))
            return made
        if len(own) == 1 and same and not same[0].conditions and not same[0].indices:
            made = [self._term(leaf, t, Read(target)) for t in others]
            cotangent = self._recorded(leaf, tidy(product(Read(target), *same[0].factors)), ())
            op = "=" if update.op == "=" else "+="
            if cotangent != Read(target) or op == "+=":
                made.append(Update(target, op, cotangent, span=update.span))
            return made
        return self._propagated_by_copy(leaf, (*others, *own), zeroed=update.op == "=")

    def _propagated_by_copy(self, leaf: Leaf, found: Iterable[Term], *, zeroed: bool) -> list[Stmt]:
        """Where a value reads its own array: the cotangent is copied before it changes."""
        update = leaf.update
        target = self._cotangent(leaf)
        loops = [level.index for level in leaf.levels]
        name = self.names.fresh(f"{update.target.array}_cotangent".replace(".", "_"))
        cell = self.names.cells(name, loops, loops, update.span, self.recorder.inside(leaf))
        made: list[Stmt] = [Update(cell, "=", Read(target), span=update.span)]
        if zeroed:
            made.append(Update(target, "=", Const(0), span=update.span))
        return [*made, *(self._term(leaf, t, Read(cell)) for t in found)]

    def _term(self, leaf: Leaf, term: Term, cotangent: Expr) -> Stmt:
        value = tidy(product(cotangent, *term.factors))
        holds = term.conditions
        value = self._recorded(leaf, value, term.indices, holds)
        conditions = tuple(
            self._recorded(leaf, c, term.indices, holds[:n]) for n, c in enumerate(holds)
        )
        access = self.recorder.access(leaf, term.access, term.indices, holds)
        statement = Update(self.adjoint_of(access), "+=", value, span=leaf.update.span)
        return wrapped(self.recorder.ranges(leaf, term.indices), conditions, statement)

    def _recorded(
        self, leaf: Leaf, expr: Expr, inner: tuple[Index, ...], holds: tuple[Expr, ...] = ()
    ) -> Expr:
        return self.recorder.expr(leaf, expr, inner, holds)

    def _is_apart(self, leaf: Leaf, term: Term) -> bool:
        """Whether a term's access is to another cell than the target at every point."""
        read = Ref(term.access, term.indices, write=False)
        return not may_meet(leaf, leaf.refs[0], leaf, read, None, len(leaf.levels))

    def _needs_zero(self, leaf: Leaf) -> bool:
        """Whether something before an assignment has given its cells a value that matters."""
        name = leaf.update.target.array
        if self.names.arrays[name].kind != "temp":
            return True
        if self.recorder.repeats(leaf):
            return True
        return any(
            other is not leaf
            and any(a.array in self.active for a in sensitive(other.update.value))
            and writes_before(other, leaf, leaf.refs[0])
            for other in self.recorder.writers_of(name)
        )

    # Reductions

    def _reduction(self, leaf: Leaf, value: Reduce) -> list[Stmt]:
        """The adjoint of `T[s] = max[k](…)` and the like, from the table's row."""
        update, row = leaf.update, _row(value.op)
        assert row.adjoint, value.op
        target = self._cotangent(leaf)
        names = {level.index.name for level in leaf.levels}
        cotangent, result = Read(target), Read(update.target)
        inner: tuple[Index, ...] = ()
        if value.at:
            opened = at_its_points(value)
        else:
            opened = opened_reduction(value, names)
            inner = opened.indices
        facts: dict[str, Expr] = {"g": cotangent, "y": result, "x": opened.body}
        conditions = () if opened.guard is None else (opened.guard,)
        made: list[Stmt] = []
        if row.adjoint_sum and is_running(row):
            facts["s"] = self._summed_onwards(leaf, value, expression(row.adjoint_sum, facts), made)
        elif row.adjoint_sum:
            facts["s"] = self._dot(leaf, value, expression(row.adjoint_sum, facts), made)
        if row.adjoint_where:
            conditions = (*conditions, expression(row.adjoint_where, facts))
        if row.adjoint_where and _mentions(row.adjoint, "n"):
            facts["n"] = self._count(leaf, inner, conditions, made)
        elif _mentions(row.adjoint, "n"):
            facts["n"] = _size(opened, names | {i.name for i in inner})
        share = expression(row.adjoint, facts)
        for term in terms(opened.body, self.active.__contains__, names | {i.name for i in inner}):
            full = replace(
                term,
                conditions=(*conditions, *term.conditions),
                indices=(*inner, *term.indices),
            )
            made.append(self._term(leaf, full, share))
        if self._needs_zero(leaf):
            made.append(Update(target, "=", Const(0), span=update.span))
        return made

    def _running_extreme(self, leaf: Leaf, value: Reduce) -> list[Stmt]:
        """The adjoint of `T[s,i] = cummax[i](…)`, alone in its loops, into an array of its own."""
        update, target = leaf.update, self._cotangent(leaf)
        loops = [level.index for level in leaf.levels]
        name = self.names.fresh(f"{update.target.array}_ties")
        ties = self.names.cells(name, loops, loops, update.span, self.recorder.inside(leaf))
        holds = shares(value, update.target)
        last = joined(target, update.target, value, onwards=False)
        self.from_end.append((last, value.indices[0].name))
        made = [
            Update(ties, "=", self._recorded(leaf, conjunction(*holds), ()), span=update.span),
            joined(ties, update.target, value, onwards=True),
            Update(target, "=", averaged(target, ties), span=update.span),
            last,
        ]
        for term in terms(value.body, self.active.__contains__, {i.name for i in loops}):
            full = replace(term, conditions=(*holds, *term.conditions))
            made.append(self._term(leaf, full, Read(target)))
        return made

    def _summed_onwards(self, leaf: Leaf, value: Reduce, body: Expr, made: list[Stmt]) -> Expr:
        """Add up from the end over a running reduction's points, which the loops run over."""
        loops = [level.index for level in leaf.levels]
        name = self.names.fresh(f"{leaf.update.target.array}_sum".replace(".", "_"))
        cell = self.names.cells(name, loops, loops, leaf.update.span, self.recorder.inside(leaf))
        made.append(summed_onwards(cell, self._recorded(leaf, body, ()), value, loops))
        (point,) = free_indices(value.at[0])
        self.from_end.append((made[-1], point))
        return Read(cell)

    def _dot(self, leaf: Leaf, value: Reduce, body: Expr, made: list[Stmt]) -> Expr:
        """Sum over a pointwise reduction's points, which the loops of the statement run over."""
        loops = [level.index for level in leaf.levels]
        own = {name for position in value.at for name in free_indices(position)}
        name = self.names.fresh(f"{leaf.update.target.array}_dot".replace(".", "_"))
        kept = [i for i in loops if i.name not in own]
        cell = self.names.cells(name, kept, loops, leaf.update.span, self.recorder.inside(leaf))
        made.append(Update(cell, "+=", self._recorded(leaf, body, ()), span=leaf.update.span))
        return Read(cell)

    def _count(
        self, leaf: Leaf, inner: tuple[Index, ...], conditions: tuple[Expr, ...], made: list[Stmt]
    ) -> Expr:
        """Count the terms that share a value: for each cell of the target."""
        target = leaf.update.target
        loops = [level.index for level in leaf.levels]
        cells = set(free_indices(target))
        name = self.names.fresh(f"{target.array}_ties".replace(".", "_"))
        kept = [i for i in loops if i.name in cells]
        cell = self.names.cells(name, kept, loops, leaf.update.span, self.recorder.inside(leaf))
        held = tuple(
            self._recorded(leaf, c, inner, conditions[:n]) for n, c in enumerate(conditions)
        )
        one = Update(cell, "+=", Const(1), span=leaf.update.span)
        made.append(wrapped(self.recorder.ranges(leaf, inner), held, one))
        return Read(cell)

    def _count_in_cells(self, leaf: Leaf, holds: tuple[Expr, ...]) -> Expr:
        """Count what shares the value of a cell, at all points, in front of all adjoints."""
        target = leaf.update.target
        shape = self.names.arrays[target.array].shape
        name = self.names.fresh(f"{target.array}_ties".replace(".", "_"))
        self.names.arrays[name] = Array(name, "temp", shape, span=leaf.update.span)
        cell = replace(self.recorder.access(leaf, target, ()), array=name)
        held = tuple(self._recorded(leaf, c, (), holds[:n]) for n, c in enumerate(holds))
        count = wrapped((), held, Update(cell, "+=", Const(1), span=leaf.update.span))
        assert self.top is not None
        (found,) = alone(self.top, leaf.number - self.first, count)
        self.counts.insert(0, found)
        return Read(cell)

    def _extreme(self, leaf: Leaf) -> list[Stmt]:
        """The adjoint of `T[s] max= e` where only this statement gives `T` its values."""
        update = leaf.update
        row = reductions.by_op(update.op)
        assert row is not None
        target = self._cotangent(leaf)
        holds = (Call("eq", (update.value, Read(update.target))),)
        made: list[Stmt] = []
        count = self._count_in_cells(leaf, holds)
        if any(s.mode == "pad" for s in update.target.subscripts):
            count = Call("max", (count, Const(1)))  # outside, where a term may be 0 as well
        names = {level.index.name for level in leaf.levels}
        share = Call("div", (Read(target), count))
        for term in terms(update.value, self.active.__contains__, names):
            full = replace(term, conditions=(*holds, *term.conditions))
            made.append(self._term(leaf, full, share))
        return made


def _row(op: str) -> reductions.Reduction:
    row = reductions.lookup(op)
    assert row is not None, op
    return row


def at_its_points(value: Reduce) -> Reduce:
    """Return a pointwise reduction with its body and guard at the point of the loops."""
    places = {i.name: e for i, e in zip(value.indices, value.at, strict=True)}
    guard = None if value.guard is None else substitute(value.guard, places)
    return replace(value, guard=guard, body=substitute(value.body, places))


def _mentions(text: str, name: str) -> bool:
    return any(a.array == name for a in reads(expression(text, {})))


def _size(value: Reduce, taken: set[str]) -> Expr:
    """Return the number of a reduction's terms."""
    own = {i.name for i in value.indices}
    is_box = not any(own.intersection(free_indices(i)) for i in value.indices)
    if value.guard is not None or not is_box:
        return opened_reduction(Reduce("sum", value.indices, value.guard, Const(1)), taken)
    return simplify(product(*(extent(i) for i in value.indices)))
