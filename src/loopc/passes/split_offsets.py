"""Take the few cells round a place that is data one by one.

Rewrite:   for p,c,u<2  o[p,c] += w[p,u] x[k[p]+u,c]  ->  for p,c  o[p,c] += w[p,0] x[k[p]+0,c]
                                                          for p,c  o[p,c] += w[p,1] x[k[p]+1,c]
Requires:  an addition, or a sum in a value, over a literal range, whose index stands beside a cell
           of data in a subscript.
Keeps:     every value up to the rounding of a reassociated `+=`. What depends on the index alone is
           a literal then; rows are read and written whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from loopc.diagnostics.record import record, replace
from loopc.ir.dtypes import DType, infer_dtypes, is_same, of_expr
from loopc.ir.nodes import (
    Call,
    Const,
    Expr,
    For,
    Index,
    Node,
    Program,
    Reduce,
    Stmt,
    Update,
)
from loopc.ir.points import Point, literal, points
from loopc.ir.visit import (
    N,
    add,
    conjunction,
    contains,
    free_indices,
    loop,
    map_children,
    reads,
    substitute,
    touches,
    updates,
    uses,
    with_values,
)

MOST = 8
"""The most points that are taken one by one."""

_COMPARED = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
}


def split_offsets(program: Program) -> Program:
    """Return the program with additions at few offsets from data as several."""
    if not any(_offsets(stmt) for stmt in program.body):
        return program
    splitter = _Splitter(infer_dtypes(program, {}))
    body = tuple(s for stmt in program.body for s in splitter.statement(stmt))
    same = len(body) == len(program.body)
    same = same and all(a is b for a, b in zip(body, program.body, strict=True))
    return program if same else replace(program, body=body)


def _offsets(node: Node) -> frozenset[str]:
    """Return the indices that stand beside a cell of data in a subscript."""
    accesses = (a for found in touches(node).values() for a in found)
    subscripts = (s for a in accesses for s in a.subscripts if reads(s))
    return frozenset(n for s in subscripts for n in _beside(s.at))


def _beside(at: Expr) -> Iterator[str]:
    """Yield the free indices of a subscript that are in no access."""
    if not isinstance(at, Call):
        yield from () if reads(at) else free_indices(at)
        return
    for arg in at.args:
        yield from _beside(arg)


def _points(indices: Sequence[Index], names: frozenset[str]) -> list[Point]:
    """Return the values of those indices of some names whose ranges are literals, if few."""
    ranges = {i.name: i for i in indices if i.name in names and literal(i) is not None}
    found = points(ranges, tuple(ranges))
    return found if 1 < len(found) <= MOST else []


@record()
class _Splitter:
    types: Mapping[str, DType]

    def statement(self, stmt: Stmt) -> list[Stmt]:
        """Return the statements that take the place of one."""
        names = _offsets(stmt)
        if not names:
            return [stmt]
        nest = self._nest(stmt, names)
        return [self._with_sums(stmt)] if nest is None else nest

    def _with_sums(self, stmt: Stmt) -> Stmt:
        """Return a statement whose sums over offsets are sums of a term for each."""
        found = [update.value for _, update in updates((stmt,))]
        return with_values(stmt, iter([self._sums(value) for value in found]))

    def _sums(self, value: Expr) -> Expr:
        def visit(node: Node) -> Node:
            if not contains(node, Reduce):
                return node
            new = map_children(node, visit)
            return self._terms(new) if isinstance(new, Reduce) and self._is_total(new) else new

        return visit(value)  # type: ignore[return-value]

    def _is_total(self, value: Reduce) -> bool:
        """Whether it is a sum of no integers: of narrow ones a sum is wider than its terms are."""
        dtype = of_expr(value.body, self.types)
        return value.op == "sum" and dtype is not None and dtype.kind in "fc"

    def _terms(self, total: Reduce) -> Expr:
        """Return a sum over offsets as the sum of its terms; another one as it is."""
        found: list[Expr] = []
        for at in _points(total.indices, _offsets(total.body)):
            own = tuple(substitute(i, at) for i in total.indices if i.name not in at)
            guard = None if total.guard is None else self._folded(substitute(total.guard, at))
            term = self._folded(substitute(total.body, at))
            if guard == Const(False):
                continue
            guard = None if guard == Const(True) else guard
            if own:
                term = replace(total, indices=own, guard=guard, body=term)
            elif guard is not None:
                return total
            found.append(term)
        return add(*found) if found else total

    def _nest(self, stmt: Stmt, names: frozenset[str]) -> list[Stmt] | None:
        """Return the statements for an addition that stands alone in its loops."""
        loops: list[For] = []
        inner = stmt
        while isinstance(inner, For) and len(inner.body) == 1:
            loops.append(inner)
            inner = inner.body[0]
        if not isinstance(inner, Update):
            return None
        indices = [i for each in loops for i in each.indices]
        if len({i.name for i in indices}) < len(indices):
            return None
        found = _points(indices, names) if inner.op == "+=" else []
        if not found or uses(stmt)[inner.target.array] > 1:
            return None
        return [s for at in found for s in self._at(stmt, at)]

    def _at(self, stmt: Stmt, at: Mapping[str, Const]) -> tuple[Stmt, ...]:
        """Return a nest at a point of some of its indices."""
        if isinstance(stmt, For):
            inner = self._at(stmt.body[0], at)
            own = tuple(substitute(i, at) for i in stmt.indices if i.name not in at)
            guard = None if stmt.guard is None else self._folded(substitute(stmt.guard, at))
            if guard == Const(False) or not inner:
                return ()
            return loop(own, None if guard == Const(True) else guard, *inner)
        assert isinstance(stmt, Update)
        target = self._folded(substitute(stmt.target, at))
        return (replace(stmt, target=target, value=self._folded(substitute(stmt.value, at))),)

    def _folded(self, node: N) -> N:
        """Return a node with what literals decide."""
        new = map_children(node, self._folded)
        return self._decided(new) if isinstance(new, Call) else new  # type: ignore[return-value]

    def _decided(self, call: Call) -> Expr:
        match call:
            case Call(fn, (Const(a), Const(b))) if fn in _COMPARED and not (
                isinstance(a, complex) or isinstance(b, complex)
            ):
                return Const(_COMPARED[fn](a, b), span=call.span)
            case Call("not", (Const(bool(a)),)):
                return Const(not a, span=call.span)
            case Call("and", args) if all(a != Const(False) for a in args[:1]):
                left = [a for a in args if a != Const(True)]
                return conjunction(*left) if left else Const(True)
            case Call("and"):
                return Const(False)
            case Call("where", (Const(bool(test)), first, second)) if self._are_alike(
                first, second
            ):
                return first if test else second
            case Call("add", args) if Const(0) in args and self._is_integer(call):
                return add(*(a for a in args if a != Const(0)))
            case _:
                return call

    def _is_integer(self, total: Call) -> bool:
        """Whether all terms are integers, which a 0 leaves as they are."""
        types = [of_expr(a, self.types) for a in total.args]
        return all(t is not None and t.kind == "i" for t in types)

    def _are_alike(self, a: Expr, b: Expr) -> bool:
        types = [of_expr(e, self.types) for e in (a, b)]
        return None not in types and is_same(*types)  # type: ignore[arg-type]
