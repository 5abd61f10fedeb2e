"""Forward mode: the tangent of statements, as statements.

The tangent of `T[s] = e` is `T.dot[s] = Σ ∂e/∂A[u] A.dot[u]`, in the same loops and in the same
order. Where the statement overwrites nothing that its tangent reads, the tangent is a loop of its
own behind it; else one in front of it; and in a loop that carries a dependence both share the loop.

Source: Griewank and Walther, Evaluating Derivatives, ch. 3 (x-dot is their notation for tangents).
"""

from __future__ import annotations

from collections.abc import Sequence

from loopc.analysis.dependence import Leaf, leaves, meets_write, overwrites_itself
from loopc.autodiff.growing import is_alone, is_whole
from loopc.autodiff.partials import sensitive
from loopc.autodiff.pointwise import covers
from loopc.autodiff.reverse import at_its_points
from loopc.autodiff.running import averaged, is_running_extreme, joined, shares
from loopc.autodiff.tidy import tidy
from loopc.diagnostics.record import record, replace
from loopc.ir import reductions
from loopc.ir.build import expression
from loopc.ir.derive import fold, partial, product
from loopc.ir.nodes import (
    Access,
    Array,
    Call,
    Const,
    Expr,
    For,
    IndexRef,
    Node,
    Read,
    Reduce,
    Stmt,
    Subscript,
    Update,
)
from loopc.ir.visit import add, conjunction, loop, neg, opened_reduction, reads, substitute, updates
from loopc.ir.workspace import Names


class Forward:
    """Makes the tangent statements of one sequence of statements, between these."""

    def __init__(
        self, body: tuple[Stmt, ...], active: frozenset[str], suffix: str, names: Names
    ) -> None:
        self.body = body
        self.active = active
        self.suffix = suffix
        self.names = names
        self.top: Stmt | None = None
        self.writers: dict[str, list[Update]] = {}
        for _, update in updates(body):
            self.writers.setdefault(update.target.array, []).append(update)

    def statements(self) -> tuple[Stmt, ...]:
        """Return the statements with their tangents."""
        made: list[Stmt] = []
        for stmt in self.body:
            self.top = stmt
            made.extend(self._statement(stmt, frozenset()))
        return tuple(made)

    def tangent_of(self, access: Access) -> Access:
        """Return the same cell of the tangent array."""
        return replace(access, array=f"{access.array}.{self.suffix}")

    # Statements

    def _statement(self, stmt: Stmt, taken: frozenset[str]) -> list[Stmt]:
        match stmt:
            case For(indices, _, body):
                inner = taken | {i.name for i in indices}
                if len(body) == 1 and isinstance(body[0], Update):
                    return self._update(stmt, body[0], inner)
                return [
                    replace(stmt, body=tuple(s for b in body for s in self._statement(b, inner)))
                ]
            case Update():
                return self._update(stmt, stmt, taken)
            case _:
                return [stmt]

    def _update(self, stmt: For | Update, update: Update, taken: frozenset[str]) -> list[Stmt]:
        """Put the tangent of an update, which is all there is in `stmt`, beside it."""
        if update.target.array not in self.active:
            return [stmt]
        if update.op in ("max=", "min="):
            return self._extreme(stmt, update, taken)
        if isinstance(update.value, Reduce) and is_running_extreme(update.value):
            return self._running_extreme(stmt, update, update.value, taken)
        (leaf,) = leaves((stmt,))
        made = self._assigned(update, _Scope(self, taken))
        if made is None:
            return [stmt]
        if not meets_write(leaf, (made.value, *_heads(stmt, update)), later=True):
            result = self._result(leaf)
            if result is not None:
                made = self._assigned(update, _Scope(self, taken, result, leaf)) or made
            return [stmt, *_in_loops(stmt, made)]
        return self._in_front(stmt, leaf, made)

    def _in_front(self, stmt: For | Update, leaf: Leaf, *made: Update) -> list[Stmt]:
        """Put tangents in front of a statement: in one loop with it if that carries something."""
        values = [u.value for u in made]
        if meets_write(leaf, (*values, *_heads(stmt, leaf.update)), later=False):
            return _in_loops(stmt, *made, leaf.update)
        return [*(s for u in made for s in _in_loops(stmt, u)), stmt]

    def _assigned(self, update: Update, scope: _Scope) -> Update | None:
        """Return the tangent of `=`, `+=` and `*=`; None if it changes nothing."""
        target = self.tangent_of(update.target)
        value = scope.tangent(update.value, scope.result)
        match update.op:
            case "=":
                if value is None and not self._has_tangent_before(update):
                    return None
                return Update(target, "=", value or Const(0), span=update.span)
            case "+=":
                return None if value is None else Update(target, "+=", value, span=update.span)
            case _:
                assert update.op == "*=", update.op
                kept = tidy(product(Read(target), update.value))
                new = () if value is None else (tidy(product(Read(update.target), value)),)
                return Update(target, "=", add(kept, *new), span=update.span)

    def _has_tangent_before(self, update: Update) -> bool:
        """Whether the cells that are assigned may have a tangent from elsewhere."""
        array = self.names.arrays[f"{update.target.array}.{self.suffix}"]
        others = (w for w in self.writers[update.target.array] if w is not update)
        return array.kind == "input" or any(self._is_sensitive(w) for w in others)

    def _is_sensitive(self, update: Update) -> bool:
        return any(a.array in self.active for a in sensitive(update.value))

    def _result(self, leaf: Leaf) -> Expr | None:
        """Return the read of what a statement has just assigned, if that is its value."""
        update = leaf.update
        if update.op != "=" or overwrites_itself(leaf.levels, update):
            return None
        if any(a.array == update.target.array for a in reads(update)):
            return None
        if any(s.mode != "strict" for s in update.target.subscripts):
            return None
        return Read(update.target, span=update.span)

    # max= and min=

    def _running_extreme(
        self, stmt: For | Update, update: Update, value: Reduce, taken: frozenset[str]
    ) -> list[Stmt]:
        """The tangent of `T[s,i] = cummax[i](…)` in an array of its own: the mean of those tied."""
        slope = _Scope(self, taken).tangent(value.body)
        if slope is None:
            return [stmt]
        target, ties = self.tangent_of(update.target), self._count(update)
        condition = conjunction(*shares(value, update.target))
        share = Call("where", (condition, slope, Const(0)))
        made = (
            Update(ties, "=", condition, span=update.span),
            joined(ties, update.target, value, onwards=True),
            Update(target, "=", share, span=update.span),
            joined(target, update.target, value, onwards=True),
            Update(target, "=", averaged(target, ties), span=update.span),
        )
        return [stmt, *(s for u in made for s in _in_loops(stmt, u))]

    def _extreme(self, stmt: For | Update, update: Update, taken: frozenset[str]) -> list[Stmt]:
        """The tangent of `T[s] max= e`; equal terms share evenly."""
        (leaf,) = leaves((stmt,))
        target, row = self.tangent_of(update.target), reductions.by_op(update.op)
        assert row is not None
        scope = _Scope(self, taken)
        name = update.target.array
        assert self.top is not None
        if not is_alone(update, self.writers[name], self.names.arrays[name], self.top):
            value = Call(row.fn, (Read(update.target), update.value))
            slope = scope.tangent(value, None) or Const(0)
            return self._in_front(stmt, leaf, Update(target, "=", slope, span=update.span))
        slope = scope.tangent(update.value, None) or Const(0)
        count = self._count(update)
        equal = Call("eq", (update.value, Read(update.target)))
        one = Update(count, "+=", Const(1), span=update.span)
        inner = len(stmt.indices) if isinstance(stmt, For) else 0
        if is_whole(update, inner, self.top):
            share = Update(target, "+=", _divided(slope, Read(count)), span=update.span)
            return [stmt, *(s for u in (one, share) for s in _in_loops(stmt, *loop((), equal, u)))]
        better = Call("gt" if row.fn == "max" else "lt", (update.value, Read(update.target)))
        step = _divided(add(slope, neg(Read(target))), add(Read(count), Const(1)))
        mean = Call("where", (equal, add(Read(target), step), Read(target)))
        new = Update(target, "=", Call("where", (better, slope, mean)), span=update.span)
        ties = Call("where", (better, Const(1), add(Read(count), equal)))
        return self._in_front(stmt, leaf, new, Update(count, "=", ties, span=update.span))

    def _count(self, update: Update) -> Access:
        """Add the array of how many terms share an extreme."""
        array = self.names.arrays[update.target.array]
        name = self.names.fresh(f"{array.name}_ties".replace(".", "_"))
        self.names.arrays[name] = Array(name, "temp", array.shape, span=update.span)
        return replace(update.target, array=name)


@record()
class _Scope:
    """Where an expression stands.

    Attributes:
        of: what is differentiated.
        taken: the indices round it.
        result: a read that has the value of the whole expression, if there is one …
        leaf: … for all points of the loops of this statement.
    """

    of: Forward
    taken: frozenset[str]
    result: Expr | None = None
    leaf: Leaf | None = None

    def tangent(self, value: Expr, result: Expr | None = None) -> Expr | None:
        """Return the tangent of an expression, None if it is zero."""
        match value:
            case Read(access) if access.array in self.of.active:
                return Read(self.of.tangent_of(access), span=value.span)
            case Call("where", (condition, *branches)):
                found = [self.tangent(b) for b in branches]
                if all(f is None for f in found):
                    return None
                return Call("where", (condition, *(f or Const(0) for f in found)))
            case Call(fn, args):
                parts = [self._part(fn, n, args, result) for n in range(len(args))]
                kept = [p for p in parts if p is not None]
                return add(*kept) if kept else None
            case Reduce():
                return self._reduction(value, result)
            case _:
                return None

    def _part(self, fn: str, n: int, args: tuple[Expr, ...], result: Expr | None) -> Expr | None:
        """Return the share of one argument."""
        inner = self.tangent(args[n])
        slope = None if inner is None else partial(fn, n, args, result)
        if inner is None or slope is None:
            return None
        if fn == "mul":
            return fold(product(*args[:n], inner, *args[n + 1 :]))
        return tidy(product(slope, inner))

    # Reductions

    def _reduction(self, value: Reduce, result: Expr | None) -> Expr | None:
        row = reductions.lookup(value.op)
        assert row is not None
        if row.result in ("int", "bool"):
            return None
        opened = value if value.at else opened_reduction(value, set(self.taken))
        names = self.taken | {i.name for i in opened.indices}
        inside = _Scope(self.of, names)
        slope = inside.tangent(opened.body)
        if slope is None:
            return None
        if row.linear:
            return replace(opened, body=slope)
        if row.form == "pointwise":
            return self._pointwise(opened, slope, result)
        y = result or opened_reduction(value, set(names))
        facts: dict[str, Expr] = {"g": slope, "x": opened.body, "y": y}
        conditions = () if opened.guard is None else (opened.guard,)
        if row.adjoint_where:
            conditions = (*conditions, expression(row.adjoint_where, facts))
        guard = _all(conditions)
        number = Reduce("sum", opened.indices, guard, Const(1))
        facts["n"] = opened_reduction(number, set(names))
        return Reduce("sum", opened.indices, guard, expression(row.adjoint, facts), span=value.span)

    def _pointwise(self, value: Reduce, slope: Expr, result: Expr | None) -> Expr:
        """The tangent of `softmax[k](…)` at a point, which sums over all points."""
        row = reductions.lookup(value.op)
        assert row is not None
        here = at_its_points(replace(value, body=slope))
        y = result or value
        own = opened_reduction(replace(value, at=()), set(self.taken))
        names = {
            old.name: IndexRef(new.name)
            for old, new in zip(value.indices, own.indices, strict=True)
        }
        everywhere = replace(value, at=tuple(names.values()))
        if result is not None and self._covers(value):
            places = {
                p.name: names[i.name]
                for i, p in zip(value.indices, value.at, strict=True)
                if isinstance(p, IndexRef)
            }
            all_y: Expr = substitute(result, places)
        else:
            all_y = everywhere
        sum_text = row.tangent_sum or row.adjoint_sum
        facts: dict[str, Expr] = {"g": substitute(slope, names), "y": all_y}
        total = Reduce("sum", own.indices, own.guard, expression(sum_text, facts))
        facts = {"g": here.body, "y": y, "s": total}
        found = expression(row.tangent or row.adjoint, facts)
        conditions = () if here.guard is None else (here.guard,)
        if row.adjoint_where and not row.tangent:
            conditions = (*conditions, expression(row.adjoint_where, facts))
        guard = _all(conditions)
        return found if guard is None else Call("where", (guard, found, Const(0)))

    def _covers(self, value: Reduce) -> bool:
        """Whether the statement's loops have given the reduction a value at each of its points."""
        assert self.leaf is not None
        loops = tuple(level.index for level in self.leaf.levels)
        stored = self.leaf.update.target.subscripts
        in_axes = all(Subscript(position) in stored for position in value.at)
        return in_axes and covers(value, loops, self.leaf.guards)


def _all(conditions: tuple[Expr, ...]) -> Expr | None:
    if len(conditions) < 2:
        return conditions[0] if conditions else None
    return Call("and", conditions)


def _divided(value: Expr, by: Expr) -> Expr:
    return tidy(product(value, Call("div", (Const(1), by))))


def _heads(stmt: For | Update, update: Update) -> Sequence[Node]:
    """Return what a statement reads besides its value, and its tangent with it."""
    if isinstance(stmt, Update):
        return update.target.subscripts
    guard = () if stmt.guard is None else (stmt.guard,)
    return (*update.target.subscripts, *stmt.indices, *guard)


def _in_loops(stmt: For | Update, *body: Stmt) -> list[Stmt]:
    """Put statements where an update stood."""
    if isinstance(stmt, Update):
        return list(body)
    only = body[0]
    if len(body) == 1 and isinstance(only, For) and not only.indices:
        return [
            replace(
                stmt, guard=_all(tuple(g for g in (stmt.guard, only.guard) if g)), body=only.body
            )
        ]
    return [replace(stmt, body=body)]
