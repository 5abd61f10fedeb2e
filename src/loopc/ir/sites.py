"""Every access of a program with the ranges of the indices round it.

One traversal that knows scopes: inference collects its equations with it, writes the ranges it
found back with it, and the checks of bounds run over its sites.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

from loopc.diagnostics.record import record, replace
from loopc.ir.affine import Affine, affine, at_least
from loopc.ir.bounds import bounds, conjuncts, reached, runs_over, tighten
from loopc.ir.nodes import Access, Call, Expr, For, Index, Node, Program, Reduce, Stmt, Update
from loopc.ir.visit import children, contains, free_indices, map_children

LAZY = frozenset({"where", "and", "or"})


def evaluated_where(call: Call) -> tuple[tuple[Expr, ...], ...]:
    """Return the conditions under which each argument of a call is evaluated."""
    args = call.args
    match call.fn:
        case "where":
            return ((), (args[0],), (Call("not", (args[0],)),))
        case "and":
            return tuple(args[:n] for n in range(len(args)))
        case "or":
            return tuple(tuple(Call("not", (b,)) for b in args[:n]) for n in range(len(args)))
        case _:
            return ((),) * len(args)


def always_evaluated(value: Expr) -> Iterator[Reduce]:
    """Yield the reductions of an expression that are evaluated whenever it is."""
    if isinstance(value, Reduce):
        yield value
    elif isinstance(value, Call) and value.fn not in LAZY:
        for arg in value.args:
            yield from always_evaluated(arg)


def with_reduction(value: Expr, old: Reduce, new: Expr) -> Expr:
    """Return an expression with another one in the place of a reduction."""

    def put(node: Node) -> Node:
        return new if node is old else map_children(node, put)

    return put(value)  # type: ignore[return-value]


@record()
class Slot:
    """One index where it is bound: a number, the index, and the slots round it."""

    number: int
    index: Index
    outer: Scope


Scope = dict[str, Slot]


class Walker:
    """Walks a program with scopes; subclasses see each binder and each access, and may replace it.

    Binders are numbered in the order of the walk, which is the same for every walk of a program.

    Attributes:
        count: how many binders there were so far.
        guards: what holds wherever the node is evaluated that is walked at present.
    """

    def __init__(self) -> None:
        self.count = 0
        self.guards: tuple[Expr, ...] = ()

    def index(self, slot: Slot) -> Index:
        """Return what replaces the index bound at `slot`."""
        return slot.index

    def access(self, access: Access, scope: Scope, *, write: bool) -> None:
        """See an access."""

    def reduction(self, node: Reduce, scope: Scope, inner: Scope) -> None:
        """See a reduction; `inner` also binds its own indices."""

    def walk(self, node: Node, scope: Scope) -> Node:
        """Walk `node`, whose free indices are bound in `scope`."""
        if not contains(node, Access, Index):
            return node
        match node:
            case For() | Reduce():
                return self._binder(node, scope)
            case Update():
                self.access(node.target, scope, write=True)
                target = map_children(node.target, lambda child: self.walk(child, scope))
                return map_children(
                    node, lambda n: target if n is node.target else self.walk(n, scope)
                )
            case Access():
                self.access(node, scope, write=False)
            case Call() if node.fn in LAZY:
                conditions = iter(evaluated_where(node))
                return map_children(node, lambda n: self._under(next(conditions), n, scope))
            case _:
                pass
        return map_children(node, lambda child: self.walk(child, scope))

    def _under(self, conditions: Iterable[Expr], node: Node, scope: Scope) -> Node:
        """Walk a node that is evaluated only where conditions hold."""
        outer = self.guards
        self.guards = (*outer, *(part for c in conditions for part in conjuncts(c)))
        walked = self.walk(node, scope)
        self.guards = outer
        return walked

    def _binder(self, node: For | Reduce, scope: Scope) -> Node:
        inner = dict(scope)
        indices = []
        for index in node.indices:
            ranged = self.walk(index, inner)
            assert isinstance(ranged, Index)
            slot = Slot(self.count, ranged, dict(inner))
            self.count += 1
            inner.pop(index.name, None)
            inner[index.name] = slot
            indices.append(self.index(slot))
        if isinstance(node, Reduce):
            self.reduction(node, scope, inner)
        outer, own = self.guards, {index.name for index in indices}
        self.guards = tuple(g for g in outer if own.isdisjoint(free_indices(g)))
        guard = None if node.guard is None else self._expr(node.guard, inner)
        holds = () if node.guard is None else (node.guard,)
        bodies = (node.body,) if isinstance(node, Reduce) else node.body
        walked = tuple(self._under(holds, b, inner) for b in bodies)
        self.guards = outer
        if isinstance(node, For):
            body = tuple(cast(Stmt, b) for b in walked)
            return replace(node, indices=tuple(indices), guard=guard, body=body)
        at = tuple(self._expr(e, scope) for e in node.at)
        value = cast(Expr, walked[0])
        return replace(node, indices=tuple(indices), guard=guard, body=value, at=at)

    def _expr(self, node: Expr, scope: Scope) -> Expr:
        return cast(Expr, self.walk(node, scope))


@record()
class Site:
    """A subscript of an access in a resolved program.

    Attributes:
        access: the access.
        axis: which of its subscripts.
        ranges: the indices in scope, outermost first, narrowed by the guards round the access.
        conditional: whether it may be skipped at a point of `ranges` (a guard, `where`, `and`).
        write: whether it is an update's target.
        in_range: whether it stands in the range of an index.
    """

    access: Access
    axis: int
    ranges: dict[str, Index]
    conditional: bool
    write: bool
    in_range: bool = False

    @property
    def at(self) -> Expr:
        """The subscript's expression."""
        return self.access.subscripts[self.axis].at


def sites(program: Program) -> Iterator[Site]:
    """Yield every strict subscript of a resolved program, in the order of the text."""
    for stmt in program.body:
        yield from _sites(stmt, {}, conditional=False)


def sites_of(node: Node, ranges: dict[str, Index]) -> Iterator[Site]:
    """Yield every strict subscript of a statement or an expression in loops over `ranges`."""
    yield from _sites(node, ranges, conditional=False)


def _sites(node: Node, ranges: dict[str, Index], *, conditional: bool) -> Iterator[Site]:
    match node:
        case For() | Reduce():
            yield from _binder_sites(node, ranges, conditional=conditional)
        case Update():
            yield from _subscripts(node.target, ranges, conditional=conditional, write=True)
            yield from _sites(node.value, ranges, conditional=conditional)
        case Access():
            yield from _subscripts(node, ranges, conditional=conditional, write=False)
        case Call(fn, args):
            for number, arg in enumerate(args):
                lazy = fn in LAZY and number > 0
                yield from _sites(arg, ranges, conditional=conditional or lazy)
        case _:
            for child in children(node):
                yield from _sites(child, ranges, conditional=conditional)


def _binder_sites(
    node: For | Reduce, ranges: dict[str, Index], *, conditional: bool
) -> Iterator[Site]:
    inner = dict(ranges)
    for index in node.indices:
        for site in _sites(index, inner, conditional=conditional):
            yield replace(site, in_range=True)
        inner.pop(index.name, None)
        inner[index.name] = index
        if free_indices(index):
            inner = reached(inner)
    if node.guard is not None:
        yield from _sites(node.guard, inner, conditional=conditional)
        inner = tighten(inner, node.guard)
        conditional = True
    bodies: tuple[Node, ...] = (node.body,) if isinstance(node, Reduce) else node.body
    for child in bodies:
        yield from _sites(child, inner, conditional=conditional)
    for position in node.at if isinstance(node, Reduce) else ():
        yield from _sites(position, ranges, conditional=conditional)


def _subscripts(
    access: Access, ranges: dict[str, Index], *, conditional: bool, write: bool
) -> Iterator[Site]:
    for axis, subscript in enumerate(access.subscripts):
        if subscript.mode == "strict":
            yield Site(access, axis, ranges, conditional, write)
        yield from _sites(subscript.at, ranges, conditional=conditional)


def used_ranges(expr: Expr, ranges: dict[str, Index]) -> dict[str, Index]:
    """Return the part of `ranges` that `expr` and the ranges of its indices use."""
    wanted = set(free_indices(expr))
    kept: list[str] = []
    for name in reversed(list(ranges)):
        if name in wanted:
            kept.append(name)
            wanted |= set(free_indices(ranges[name]))
    return {name: ranges[name] for name in reversed(kept)}


def is_inside(at: Expr, ranges: dict[str, Index], size: Expr) -> bool:
    """Whether a subscript is inside an axis for all sizes, over `ranges`."""
    if runs_over(at, ranges, size):
        return True
    ends = bounds(at, used_ranges(at, ranges))
    extent = affine(size)
    low = None if ends.low is None else affine(ends.low)
    high = None if ends.high is None else affine(ends.high)
    if low is None or high is None or extent is None:
        return False
    return at_least(low, Affine(0)) and at_least(extent, high + Affine(1))
