"""The form of a program that the differentiator starts from.

Nonlinear reductions of active arrays become statements of their own, and `*=`, and `max=` of what
has a value already, become assignments that read what they overwrite.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from loopc.analysis.dependence import leaves
from loopc.autodiff.distributed import split_block
from loopc.autodiff.growing import is_alone
from loopc.autodiff.held import with_held_head
from loopc.autodiff.hoisted import (
    computed,
    has_a_cell_each,
    in_used_loops,
    is_repeatable,
    leaves_loops,
    may_be_outside,
    with_ranges,
)
from loopc.autodiff.loops import carrying, wrapped
from loopc.autodiff.partials import sensitive
from loopc.autodiff.pointwise import apart_from, by_number, covers, recurrence, where_defined
from loopc.autodiff.prior import compared_first
from loopc.autodiff.running import is_running, is_shared
from loopc.autodiff.starts import filled
from loopc.diagnostics.record import replace
from loopc.ir.nodes import (
    Backward,
    Call,
    Expr,
    For,
    Index,
    IndexRef,
    Node,
    Read,
    Reduce,
    Stmt,
    Update,
)
from loopc.ir.reductions import by_op, lookup
from loopc.ir.running import without_running
from loopc.ir.sites import LAZY, evaluated_where
from loopc.ir.visit import (
    free_indices,
    loop,
    map_children,
    opened_reduction,
    reads,
    substitute,
    updates,
    walk,
)
from loopc.ir.workspace import Names


def normalise(
    body: tuple[Stmt, ...],
    is_active: Callable[[str], bool],
    names: Names,
    *,
    forward: bool = False,
) -> tuple[Stmt, ...]:
    """Return the statements in normal form.

    Args:
        body: the statements.
        is_active: whether an array is differentiated.
        names: the arrays, to which those of reductions are added.
        forward: for tangents: only the reductions that have no rule become statements, for
            whatever a statement changes, its tangent runs beside it.
    """
    body = without_running(body)
    names.taken.update(n.name for stmt in body for n in walk(stmt) if isinstance(n, Index))
    writers: dict[str, list[Update]] = {}
    for _, update in updates(body):
        writers.setdefault(update.target.array, []).append(update)
    normal = _Normal(is_active, names, writers, body, forward=forward)
    statements: list[Stmt] = []
    normal.last = {u.target.array: n for n, s in enumerate(body) for _, u in updates((s,))}
    for number, stmt in enumerate(body):
        normal.top = stmt
        normal.number = number
        statements.extend(normal.statement(stmt, ()))
    return (*normal.starts, *statements)


class _Normal:
    def __init__(
        self,
        is_active: Callable[[str], bool],
        names: Names,
        writers: dict[str, list[Update]],
        body: tuple[Stmt, ...],
        *,
        forward: bool,
    ) -> None:
        self.forward = forward
        self.added: set[str] = set()
        self.was_active = is_active
        self.names = names
        self.writers = writers
        self.starts: list[Stmt] = []
        self.last: dict[str, int] = {}
        self.number = 0
        self.top: Stmt = body[0] if body else Backward("", (), "")
        self.fixed: set[str] | None = None
        self.guards: tuple[Expr, ...] = ()
        self.conditions: tuple[Expr, ...] = ()
        self.shared: frozenset[str] = frozenset()

    def is_active(self, name: str) -> bool:
        return name in self.added or self.was_active(name)

    def statement(self, stmt: Stmt, loops: tuple[Index, ...]) -> list[Stmt]:
        match stmt:
            case Update():
                return self._update(stmt, loops)
            case For() if self._is_active(stmt) and (found := self._instead(stmt, loops)):
                return [s for each in found for s in self.statement(each, loops)]
            case For(_, guard, (Update() as update,)) if self._has_reduction(update, guard):
                return self._apart(stmt, update, loops)
            case For(indices, guard, body):
                inner, outer, shared = (*loops, *indices), self.guards, self.shared
                self.guards = outer if guard is None else (*outer, guard)
                if len(leaves((stmt,))) > 1:
                    self.shared = shared | {i.name for i in indices}
                found = tuple(s for b in body for s in self.statement(b, inner))
                self.guards, self.shared = outer, shared
                return [replace(stmt, body=found)]
            case Backward():
                return [stmt]

    def _instead(self, stmt: For, loops: tuple[Index, ...]) -> tuple[Stmt, ...]:
        """Return what loops are to be written as before anything else; nothing: they stay."""
        if found := self._held_head(stmt, loops):
            return found
        if not self.forward and (found := split_block(stmt, self._is_active_apart)):
            return found
        found = compared_first(stmt, loops, self.top, self.writers, self.is_active, self.names)
        self.added.update(u.target.array for _, u in updates(found))
        for update in stmt.body if found else ():
            if isinstance(update, Update) and update is self.writers[update.target.array][0]:
                self._start(update)
        return found

    def _has_reduction(self, update: Update, guard: Expr | None) -> bool:
        found = (n for n in walk(update.value) if isinstance(n, Reduce))
        wanted = (n for n in found if guard is None or leaves_loops(update, n, guard))
        return any(map(self._is_active_apart, wanted))

    def _is_active_apart(self, value: Reduce) -> bool:
        return self._is_apart(value) and any(self.is_active(a.array) for a in sensitive(value))

    def _is_apart(self, value: Reduce) -> bool:
        """Whether a reduction of active arrays may need statements of its own."""
        row = lookup(value.op)
        assert row is not None
        return is_shared(row) or not (self.forward and (row.linear or row.adjoint))

    def _apart(self, stmt: For, update: Update, loops: tuple[Index, ...]) -> list[Stmt]:
        """Split the loops that carry nothing from those that do; reductions stand between."""
        prefix, rest = carrying(stmt)
        around, guard, outer = (*loops, *prefix), stmt.guard, self.guards
        self.fixed = {i.name for i in around}
        self.guards = outer if guard is None else (*outer, guard)
        *hoisted, last = self._update(update, (*loops, *stmt.indices))
        self.guards, self.fixed = outer, None
        before = [s for h in hoisted for s in in_used_loops(rest, h, guard, around)]
        (inner,) = loop(rest, guard, last)
        inner = replace(inner, span=stmt.span) if isinstance(inner, For) else inner
        return list(loop(prefix, None, *before, inner))

    def _is_active(self, stmt: For) -> bool:
        return any(self.is_active(u.target.array) for _, u in updates((stmt,)))

    def _held_head(self, stmt: For, loops: tuple[Index, ...]) -> tuple[Stmt, ...]:
        """Keep for the adjoint the first range or guard that is written here or later, if any."""
        later = {n for n, last in self.last.items() if last >= self.number}
        return () if self.forward else with_held_head(stmt, loops, self.names, later)

    def _with_held_heads(self, stmt: Stmt, loops: tuple[Index, ...]) -> list[Stmt]:
        """Do that in a statement that is hoisted."""
        if not isinstance(stmt, For):
            return [stmt]
        found = self._held_head(stmt, loops)
        if found:
            return [s for each in found for s in self._with_held_heads(each, loops)]
        inner = (*loops, *stmt.indices)
        return [
            replace(stmt, body=tuple(s for b in stmt.body for s in self._with_held_heads(b, inner)))
        ]

    def _update(self, update: Update, loops: tuple[Index, ...]) -> list[Stmt]:
        if not self.is_active(update.target.array):
            return [update]
        update = update if self.forward else self._assignment(update)
        hoisted: list[Stmt] = []
        value = self._term(update, update.value, loops, hoisted)
        if update.op in ("max=", "min=") and not is_repeatable(value, self.is_active):
            name = self.names.fresh(f"{update.target.array}_of".replace(".", "_"))
            cell = self.names.countable_cells(name, loops, loops, update.span, (value,))
            if not isinstance(cell, Index):
                hoisted.append(Update(cell, "=", value, span=update.span))
                value = Read(cell, span=update.span)
        before = (s for each in hoisted for s in self._with_held_heads(each, loops))
        return [*before, update if value is update.value else replace(update, value=value)]

    def _term(
        self, update: Update, value: Expr, loops: tuple[Index, ...], hoisted: list[Stmt]
    ) -> Expr:
        """Hoist from a term of the value; a sum that is a term stays, for it is linear there."""
        match value:
            case Call("add" | "neg"):
                return map_children(
                    value,
                    lambda c: self._term(update, c, loops, hoisted),  # type: ignore[arg-type]
                )
            case Reduce() if self._stays(update, value, loops):
                opened = self._opened(value, loops)
                body = self._inside(opened, loops, hoisted)
                return value if body is opened.body else replace(opened, body=body)
            case _:
                return self._hoisted(value, loops, hoisted)

    def _assignment(self, update: Update) -> Update:
        """Rewrite `x *= e` as `x = x * e`; `max=` stays where it alone makes the value."""
        row = by_op(update.op)
        if row is None or row.fn == "add":
            return update
        fn = row.fn
        name = update.target.array
        writers, array = self.writers[name], self.names.arrays[name]
        if fn != "mul" and is_alone(update, writers, array, self.top):
            return update
        if update is writers[0]:
            self._start(update)
        value = Call(fn, (Read(update.target, span=update.span), update.value), span=update.span)
        return replace(update, op="=", value=value)

    def _start(self, update: Update) -> None:
        """Write out the identity that the cells of an array start from."""
        array = self.names.arrays[update.target.array]
        row = by_op(update.op)
        if array.kind != "temp" or row is None:
            return
        self.starts.extend(filled(array.name, array, row.identity))

    def _stays(self, update: Update, value: Reduce, loops: tuple[Index, ...]) -> bool:
        """Whether a reduction that is a statement's whole value can be differentiated in place."""
        row = lookup(value.op)
        assert row is not None
        if row.adjoint == "g" or not self._is_apart(value):
            return True
        if not row.adjoint or is_shared(row):
            return False
        if (
            value is not update.value
            or update.op != "="
            or len(self.writers[update.target.array]) > 1
            or any(a.array == update.target.array for a in reads(value))
        ):
            return False
        if not has_a_cell_each(update, loops):
            return False
        if row.form != "pointwise":
            return True
        points = {n for position in value.at for n in free_indices(position)}
        if is_running(row) and any(points & {*free_indices(g)} for g in self.guards):
            return False  # the values at all points are added up
        return not points & self.shared and covers(value, loops, self.guards)

    def _hoisted(self, value: Expr, loops: tuple[Index, ...], hoisted: list[Stmt]) -> Expr:
        """Replace the nonlinear reductions of active arrays in an expression by reads."""
        if isinstance(value, Call) and value.fn in LAZY:
            return self._hoisted_lazily(value, loops, hoisted)
        if not isinstance(value, Reduce):
            return map_children(value, lambda c: self._hoisted_node(c, loops, hoisted))
        opened = self._opened(value, loops)
        inside = self._inside(opened, loops, hoisted)
        if not self._is_apart(value):
            return value if inside is value.body else replace(opened, body=inside)
        if not any(self.is_active(a.array) for a in sensitive(value)):
            return value
        return self._statement_of(replace(opened, body=inside), loops, hoisted)

    def _hoisted_lazily(self, value: Call, loops: tuple[Index, ...], hoisted: list[Stmt]) -> Expr:
        """Hoist from the arguments of a choice, each under the conditions that it stands under."""
        args = []
        for arg, conditions in zip(value.args, evaluated_where(value), strict=True):
            own: list[Stmt] = []
            args.append(self._hoisted_under(conditions, arg, loops, own))
            hoisted.extend(self._held(stmt, conditions, loops) for stmt in own)
        same = all(a is b for a, b in zip(args, value.args, strict=True))
        return value if same else replace(value, args=tuple(args))

    def _hoisted_under(
        self,
        conditions: tuple[Expr, ...],
        value: Expr,
        loops: tuple[Index, ...],
        hoisted: list[Stmt],
    ) -> Expr:
        """Hoist from an expression whose statements may be put under conditions."""
        outer = self.conditions
        self.conditions = (*outer, *conditions)
        found = self._hoisted(value, loops, hoisted)
        self.conditions = outer
        return found

    def _held(self, stmt: Stmt, conditions: tuple[Expr, ...], loops: tuple[Index, ...]) -> Stmt:
        """Put a hoisted statement under conditions, if it may be outside an array without them."""
        held = conditions and may_be_outside(stmt, loops, self.names)
        return wrapped((), conditions, stmt) if held else stmt

    def _told_apart(self, value: Expr, loops: Sequence[Index]) -> set[str]:
        """Return the indices that tell the runs of what computes a value apart.

        Those of the conditions that it is put under are among them: no run may repeat another, for
        its adjoint would be taken twice.
        """
        used = set(free_indices(value))
        if self.conditions and may_be_outside(value, loops, self.names):
            used |= {n for c in self.conditions for n in free_indices(c)}
        return used

    def _opened(self, value: Reduce, loops: Sequence[Index]) -> Reduce:
        """Return a reduction that something may be hoisted from: no index has a loop's name."""
        if not value.at:
            return opened_reduction(value, {i.name for i in loops})
        inner = any(isinstance(n, Reduce) for n in walk(value.body))
        return apart_from(value, loops, self.names) if inner or self._is_stored(value) else value

    def _inside(self, value: Reduce, loops: tuple[Index, ...], hoisted: list[Stmt]) -> Expr:
        """Hoist what is inside a reduction; its statements run over the reduction's indices."""
        own: list[Stmt] = []
        everything = (*loops, *value.indices)
        guards = () if value.guard is None else (value.guard,)
        body = self._hoisted_under(guards, value.body, everything, own)
        for stmt in own:
            hoisted.extend(in_used_loops(value.indices, self._held(stmt, guards, everything)))
        if self._is_stored(replace(value, body=body)):
            return self._stored(value, body, everything, hoisted)
        return body

    def _is_stored(self, value: Reduce) -> bool:
        """Whether the terms of an extreme must be the numbers that it was found among."""
        row = lookup(value.op)
        assert row is not None
        return row.fn in ("max", "min") and not is_repeatable(value.body, self.is_active)

    def _stored(
        self, value: Reduce, body: Expr, loops: tuple[Index, ...], hoisted: list[Stmt]
    ) -> Expr:
        """Compute the terms of a reduction into an array; return the read of a term."""
        used = {*self._told_apart(body, loops), *(i.name for i in value.indices)}
        outer = with_ranges([i for i in loops if i.name in used], loops)
        name = self.names.fresh(f"{value.op}_of", numbered=True)
        cell = self.names.countable_cells(name, outer, loops, value.span, (body,))
        if isinstance(cell, Index):
            return body  # there is no telling how many cells
        update = Update(cell, "=", body, span=value.span)
        hoisted.extend(loop(value.indices, value.guard, update))
        return Read(cell, span=value.span)

    def _hoisted_node(self, node: Node, loops: tuple[Index, ...], hoisted: list[Stmt]) -> Node:
        if isinstance(node, Read | Reduce | Call):
            return self._hoisted(node, loops, hoisted)
        return node

    def _statement_of(self, value: Reduce, loops: tuple[Index, ...], hoisted: list[Stmt]) -> Expr:
        """Add the statement that computes a reduction into an array; return the read of it."""
        used = self._told_apart(replace(value, at=()), loops)
        outer = [i for i in loops if self.fixed is None or i.name in used | self.fixed]
        outer = with_ranges(outer, loops)
        if value.at:
            value = apart_from(value, loops, self.names)
        own = value.indices
        name = self.names.fresh(value.op, numbered=True)
        if not value.at:
            cell = self.names.cells(name, outer, loops, value.span, (value,))
            hoisted.extend(computed(cell, value))
            return Read(cell, span=value.span)
        counted, defined = by_number(value, loops, self.names)
        value, own = counted, counted.indices
        cell = self.names.cells(name, [*outer, *own], (*outer, *own), value.span, (value.body,))
        row = lookup(value.op)
        assert row is not None
        if row.evaluate is None and not row.adjoint:
            hoisted.extend(recurrence(cell, value))
        else:
            at = tuple(IndexRef(i.name) for i in own)
            statement = Update(cell, "=", replace(value, at=at), span=value.span)
            hoisted.extend(loop(own, None, statement))
        places = {i.name: p for i, p in zip(own, value.at, strict=True)}
        read = Read(substitute(cell, places), span=value.span)
        return read if defined is None else where_defined(read, row, defined)
