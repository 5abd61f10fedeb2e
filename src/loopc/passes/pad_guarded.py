"""Read and write by padded windows where a guard keeps an access inside.

Rewrite:   for t,k if k <= t: y[t] += w[k] x[t-k]   ->   for t,k if k <= t: y[t] += w[k] x[pad(t-k)]
           for t,k if k <= t: g[t-k] += y[t] w[k]   ->   for t,k: g[pad(t-k)] += y[t] w[k]
           (views of a copy with zeros round it, where cells are looked up one by one otherwise)
Requires:  subscripts of several indices, which the guards alone keep inside; a guard goes where a
           target is inside only if it holds, and no term needs it.
Keeps:     every value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from loopc.analysis.dependence import only_leaf
from loopc.analysis.edges import STRIDE
from loopc.diagnostics.record import record, replace
from loopc.ir.affine import affine, to_expr
from loopc.ir.bounds import ascending, conjuncts
from loopc.ir.comparisons import excess_of, follows, is_at_least_0
from loopc.ir.nodes import (
    Access,
    Array,
    Call,
    Const,
    Expr,
    Extent,
    For,
    Index,
    IndexRef,
    Node,
    Program,
    Read,
    Reduce,
    Stmt,
    Subscript,
    Update,
)
from loopc.ir.visit import add, conjunction, free_indices, map_children, neg, reads


def pad_guarded(program: Program) -> Program:
    """Return the program with padded accesses where guards keep them inside."""
    arrays = {a.name: a for a in program.arrays}
    body = tuple(_padded(s, arrays) for s in program.body)
    if all(a is b for a, b in zip(body, program.body, strict=True)):
        return program
    return replace(program, body=body)


def _padded(stmt: Stmt, arrays: Mapping[str, Array]) -> Stmt:
    leaf = only_leaf(stmt)
    if leaf is None or any(a.array == leaf.update.target.array for a in reads(stmt)):
        return stmt
    new = _in_nest(stmt, _Scope(arrays, {}, ()))
    found = only_leaf(new)
    if new is stmt or found is None or found.update.target is leaf.update.target:
        return new
    ranges = {level.index.name: ascending(level.index) for level in found.levels}
    return _without_guards(new, found.update, _Scope(arrays, ranges, ()))


@record()
class _Scope:
    """Where a node stands: the arrays, the indices round it, and what holds there."""

    arrays: Mapping[str, Array]
    ranges: Mapping[str, Index]
    guards: tuple[Expr, ...]

    def within(self, indices: Iterable[Index]) -> _Scope:
        """Return the scope inside of a loop."""
        own = {i.name: ascending(i) for i in indices}
        kept = tuple(g for g in self.guards if own.keys().isdisjoint(free_indices(g)))
        return _Scope(self.arrays, {**self.ranges, **own}, kept)

    def under(self, guard: Expr | None) -> _Scope:
        """Return the scope where a guard holds."""
        return replace(self, guards=(*self.guards, *conjuncts(guard)))


def _in_nest(stmt: Stmt, scope: _Scope) -> Stmt:
    """Return a nest of loops with padded accesses."""
    if isinstance(stmt, For):
        inner = scope.within(stmt.indices)
        guard = _in_guard(stmt.guard, inner)
        body = tuple(_in_nest(s, inner.under(stmt.guard)) for s in stmt.body)
        same = guard is stmt.guard and all(a is b for a, b in zip(body, stmt.body, strict=True))
        return stmt if same else replace(stmt, guard=guard, body=body)
    if isinstance(stmt, Update):
        value = cast(Expr, _in_value(stmt.value, scope))
        target = _access(stmt.target, scope) if stmt.op == "+=" else stmt.target
        same = value is stmt.value and target is stmt.target
        return stmt if same else replace(stmt, value=value, target=target)
    return stmt


def _in_guard(guard: Expr | None, scope: _Scope) -> Expr | None:
    """Return a guard with padded reads: of its conditions each is tried where those before hold."""
    found, parts = conjuncts(guard), list[Expr]()
    for part in found:
        parts.append(cast(Expr, _in_value(part, scope)))
        scope = scope.under(part)
    same = all(a is b for a, b in zip(parts, found, strict=True))
    return guard if same else conjunction(*parts)


def _in_value(node: Node, scope: _Scope) -> Node:
    """Return a node with padded reads where guards keep them inside."""
    if isinstance(node, Reduce):
        inner = scope.within(node.indices)
        guard = _in_guard(node.guard, inner)
        body = cast(Expr, _in_value(node.body, inner.under(node.guard)))
        same = guard is node.guard and body is node.body
        return node if same else replace(node, guard=guard, body=body)
    if isinstance(node, Read):
        access = _access(node.access, scope)
        return node if access is node.access else replace(node, access=access)
    return map_children(node, lambda child: _in_value(child, scope))


def _access(access: Access, scope: _Scope) -> Access:
    """Return an access with `pad` at the subscripts that guards alone keep inside."""
    shape = scope.arrays[access.array].shape or ()
    subscripts = list(access.subscripts)
    for axis, (subscript, size) in enumerate(zip(access.subscripts, shape, strict=True)):
        form = affine(subscript.at)
        if form is None or not all(isinstance(a, IndexRef | Extent) for a, _ in form.terms):
            return access
        if any(abs(c) > STRIDE for a, c in form.terms if isinstance(a, IndexRef)):
            return access
        names = free_indices(subscript.at)
        if subscript.mode != "strict" or len(names) < 2:
            continue
        sides = [s for s in _sides(subscript, size) if not is_at_least_0(s, scope.ranges)]
        if sides and all(follows(s, scope.guards, scope.ranges) for s in sides):
            subscripts[axis] = replace(subscript, mode="pad")
    same = all(a is b for a, b in zip(subscripts, access.subscripts, strict=True))
    return access if same else replace(access, subscripts=tuple(subscripts))


def _sides(subscript: Subscript, size: Expr) -> tuple[Expr, Expr]:
    """Return what is at least 0 where a subscript is inside, in front of it and behind."""
    return subscript.at, add(size, Const(-1), neg(subscript.at))


def _without_guards(stmt: Stmt, update: Update, scope: _Scope) -> Stmt:
    """Return a nest without the guards that hold wherever its update's padded target is inside.

    All that is evaluated outside as well has to be there.
    """
    if not isinstance(stmt, For):
        return stmt
    shape = scope.arrays[update.target.array].shape or ()
    padded = zip(update.target.subscripts, shape, strict=True)
    sides = [side for s, n in padded if s.mode == "pad" for side in _sides(s, n)]
    inside = [Call("ge", (side, Const(0))) for side in sides]
    kept = [
        part
        for part in conjuncts(stmt.guard)
        if (excess := excess_of(part)) is None or not follows(to_expr(excess), inside, scope.ranges)
    ]
    body = tuple(_without_guards(s, update, scope) for s in stmt.body)
    if not all(_is_somewhere(e, scope) for e in (update.value, *kept)):
        return stmt
    return replace(stmt, guard=conjunction(*kept) if kept else None, body=body)


def _is_somewhere(value: Expr, scope: _Scope) -> bool:
    """Whether a value can be computed at all points: of cells that are there, or padded."""
    match value:
        case Const() | IndexRef() | Extent():
            return True
        case Read(access):
            shape = scope.arrays[access.array].shape or ()
            return all(
                s.mode == "pad" or all(is_at_least_0(e, scope.ranges) for e in _sides(s, size))
                for s, size in zip(access.subscripts, shape, strict=True)
            )
        case Call("mul" | "add" | "sub" | "neg" | "lt" | "le" | "gt" | "ge" | "eq" | "ne", args):
            return all(_is_somewhere(a, scope) for a in args)
        case _:
            return False
