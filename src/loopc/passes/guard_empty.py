"""Guard the loops and reductions that may have no term.

Rewrite:   for c, n: s[c] += a[c] b[n,c]    ->  for c, n if N > 0: s[c] += a[c] b[n,c]
           mu[c] = sum[n](x[n,c] / w[c])    ->  mu[c] = sum[n if N > 0](x[n,c] / w[c])
Requires:  `guard_empty`: ranges that the call's dims and scalars make empty; `guard_factors`: sums
           with a factor that does not depend on each index that they are added up over, if they
           are returned, or read where such an index has no value.
Keeps:     every value. Passes and lowering take factors out of sums, and 0 terms times NaN is NaN:
           behind a guard they know that there may be no term. Only a call that has an empty range
           runs a program of `guard_empty`, which is made apart from that for all others; a module
           that is saved runs for all extents, and is made by `guard_factors`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf

from loopc.diagnostics.record import replace
from loopc.ir.affine import Affine, affine, at_least
from loopc.ir.bind import evaluate
from loopc.ir.bounds import extent
from loopc.ir.dtypes import DType, infer_dtypes, of_expr
from loopc.ir.nodes import Call, Const, Expr, For, Index, Node, Program, Reduce, Update
from loopc.ir.visit import conjunction, free_indices, map_children, reads, updates, walk


def empty_ranges(
    program: Program, dims: Mapping[str, int], scalars: Mapping[str, int]
) -> frozenset[Expr]:
    """Return the extents of a program's ranges that are not positive in a call."""
    sizes = {extent(i) for i in walk(program) if isinstance(i, Index)}
    return frozenset(s for s in sizes if _is_empty(s, dims, scalars))


def filled_ranges(
    program: Program, dims: Mapping[str, int], scalars: Mapping[str, int]
) -> frozenset[Expr]:
    """Return the extents, made of dims alone, that are positive in a call without empty ranges."""
    if empty_ranges(program, dims, scalars):
        return frozenset()
    sizes = {extent(i) for i in walk(program) if isinstance(i, Index)}
    return frozenset(s for s in sizes if (_number(s, dims, {}) or 0) > 0)


def _is_empty(size: Expr, dims: Mapping[str, int], scalars: Mapping[str, int]) -> bool:
    number = _number(size, dims, scalars)
    return number is not None and number <= 0


def _number(size: Expr, dims: Mapping[str, int], scalars: Mapping[str, int]) -> int | None:
    try:
        return evaluate(size, dims, scalars)
    except KeyError:  # it depends on other indices or on cells, and is a mask anyway
        return None


def guard_empty(program: Program, empty: frozenset[Expr]) -> Program:
    """Return the program with guards round what runs over ranges of these extents."""

    def visit(node: Node) -> Node:
        new = map_children(node, visit)
        if not isinstance(new, For | Reduce):
            return new
        return _guarded(new, (s for s in map(extent, new.indices) if s in empty))

    return map_children(program, visit) if empty else program


def guard_factors(program: Program) -> Program:
    """Return the program with guards round sums that may have no term and a factor to take out."""
    return map_children(program, _Factors(program).visit)


class _Factors:
    """Finds the sums with a factor to take out, of which something is seen if they have no term."""

    def __init__(self, program: Program) -> None:
        self.types: Mapping[str, DType] = infer_dtypes(program, {})
        self.outputs = program.outputs
        self.ranges: dict[str, list[frozenset[Expr]]] = {}
        for loops, update in updates(program.body):
            around = frozenset(extent(i) for stmt in loops for i in stmt.indices)
            heads = (h for stmt in loops for h in (*stmt.indices, stmt.guard) if h is not None)
            for name in {a.array for node in (update, *heads) for a in reads(node)}:
                self.ranges.setdefault(name, []).append(around)

    def visit(self, node: Node) -> Node:
        """Return a statement with guards."""
        if isinstance(node, Update):
            return map_children(node, lambda n: self._value(n, node.target.array))
        new = map_children(node, self.visit)
        if not isinstance(new, For):
            return new
        inside = [u for _, u in updates(new.body)]
        written = {u.target.array for u in inside}
        sums = [u for u in inside if u.op == "+=" and written.isdisjoint(_arrays(u))]
        tests = (extent(i) for i in new.indices if any(self._is_doubtful(i, u) for u in sums))
        return _guarded(new, tests)

    def _value(self, node: Node, target: str) -> Node:
        new = map_children(node, lambda n: self._value(n, target))
        if not isinstance(new, Reduce) or new.op != "sum":
            return new
        found = (i for i in new.indices if self._lacks(new.body, i.name))
        return _guarded(new, (extent(i) for i in found if self._is_seen(i, target)))

    def _is_doubtful(self, index: Index, update: Update) -> bool:
        """Whether a statement sums over an index that a factor does not depend on."""
        summed = index.name not in free_indices(update.target)
        lacks = summed and self._lacks(update.value, index.name)
        return lacks and self._is_seen(index, update.target.array)

    def _is_seen(self, index: Index, target: str) -> bool:
        """Whether a sum over no values of an index is returned, or read where there are none."""
        size = extent(index)
        form = affine(size)
        if form is not None and at_least(form, Affine(1)):
            return False
        if free_indices(size) or any(a.subscripts for a in reads(size)):
            return False  # a mask anyway
        return target in self.outputs or any(size not in r for r in self.ranges.get(target, ()))

    def _lacks(self, value: Expr, index: str) -> bool:
        """Whether a factor of a term, not surely finite, is the same for all values of an index."""
        terms = value.args if isinstance(value, Call) and value.fn == "add" else (value,)
        return any(self._lacks_factor(t, index) for t in terms)

    def _lacks_factor(self, value: Expr, index: str) -> bool:
        match value:
            case Call("mul" | "div" | "neg", args) if index in free_indices(value):
                return any(self._lacks_factor(a, index) for a in args)
            case Const(number):
                return not abs(number) < inf
            case _:
                dtype = of_expr(value, self.types)
                whole = dtype is not None and dtype.kind in "bi"
                return index not in free_indices(value) and not whole


def _arrays(node: Node) -> set[str]:
    return {a.array for a in reads(node)}


def _guarded(node: For | Reduce, sizes: Iterable[Expr]) -> For | Reduce:
    """Return a node that runs where all of some extents are positive."""
    tests = [Call("gt", (s, Const(0))) for s in dict.fromkeys(sizes)]
    if not tests:
        return node
    own = () if node.guard is None else (node.guard,)
    return replace(node, guard=conjunction(*tests, *own))
