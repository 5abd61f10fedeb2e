"""Give each case of a condition on an index statements of its own, whose ranges are that case.

Rewrite:   for i  y[i] = where(i == 0, a[i], x[i-1])
              ->  for i: { if i == 0: y[i] = a[i];  if i > 0: y[i] = x[i-1] }
           for i if not i == 0: g[i-1] += y[i]   ->  for i if i > 0: g[i-1] += y[i]
Requires:  a comparison of one index of the loops with what they leave as it is; `==` and `!=` at an
           end of the index's range. For statements of their own: a case that reads cells
           beside those of its own place, and cases of one kind.
Keeps:     every value, and the order.
Source: index set splitting, e.g. Wolfe, High Performance Compilers for Parallel Computing, ch. 9.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce

from loopc.diagnostics.record import record, replace
from loopc.ir.affine import affine, equal, to_expr
from loopc.ir.bounds import conjuncts, first, last
from loopc.ir.dtypes import DType, infer_dtypes, is_same, join, of_expr
from loopc.ir.nodes import (
    Call,
    Const,
    Expr,
    For,
    Index,
    IndexRef,
    Node,
    Program,
    Reduce,
    Stmt,
    Update,
)
from loopc.ir.visit import (
    children,
    conjunction,
    contains,
    free_indices,
    loop,
    map_children,
    reads,
    walk,
)

MOST = 4
"""Cases of one update that become statements."""

_OPPOSITE = {"lt": "ge", "ge": "lt", "gt": "le", "le": "gt", "eq": "ne", "ne": "eq"}


def split_cases(program: Program) -> Program:
    """Return the program with cases of conditions on indices as ranges."""
    conditional = (n for s in program.body for n in walk(s) if isinstance(n, Call))
    if not any(c.fn in ("where", "not", "ne") for c in conditional):
        return program
    splitter = _Splitter(infer_dtypes(program, {}))
    body = tuple(s for stmt in program.body for s in splitter.statement(stmt, {}))
    same = len(body) == len(program.body)
    same = same and all(a is b for a, b in zip(body, program.body, strict=True))
    return program if same else replace(program, body=body)


@record()
class _Splitter:
    types: Mapping[str, DType]

    def statement(self, stmt: Stmt, around: Mapping[str, Index]) -> list[Stmt]:
        """Return the statements that take the place of one."""
        match stmt:
            case Update():
                update = replace(stmt, value=_with_ranges(stmt.value, around))
                return self._cases(stmt if update == stmt else update, around, MOST)
            case For(indices, guard, body):
                inner = {**around, **{i.name: i for i in indices}}
                new = tuple(s for b in body for s in self.statement(b, inner))
                held = None if guard is None else _as_ranges(guard, inner)
                same = held == guard and len(new) == len(body)
                same = same and all(a is b for a, b in zip(new, body, strict=True))
                return [stmt if same else replace(stmt, guard=held, body=new)]
            case _:
                return [stmt]

    def _cases(self, update: Update, around: Mapping[str, Index], most: int) -> list[Stmt]:
        """Return an update, or one under each of the two cases of a condition in its value."""
        for call in _choices(update.value) if most > 1 else ():
            cases = _cases_of(call, around)
            if not cases or not _is_shifted(call):
                continue
            if call is not update.value and not self._alike(call):
                continue
            values = [self._chosen(update.value, cases, n, around) for n in range(len(cases))]
            if self._has_type_of(values, update.value):
                found: list[Stmt] = []
                for case, value in zip(cases, values, strict=True):
                    part = replace(update, value=value)
                    found += loop((), case, *self._cases(part, around, most // 2))
                return found
        return [update]

    def _has_type_of(self, cases: Sequence[Expr], value: Expr) -> bool:
        """Whether an array that holds all cases of a value is of the type of one for the value."""
        types = [of_expr(e, self.types) for e in (*cases, value)]
        *parts, whole = (t for t in types if t is not None)
        joined = reduce(join, parts) if parts else None
        return joined is not None and is_same(joined, whole)

    def _chosen(
        self, value: Expr, cases: tuple[Expr, ...], number: int, around: Mapping[str, Index]
    ) -> Expr:
        """Return a value with what all choices by a condition give in one of the two cases."""

        def visit(node: Node, bound: frozenset[str]) -> Node:
            if isinstance(node, Call) and _is_choice(node, bound):
                own = _cases_of(node, around)
                branches = self._alike(node) or (node.args[1:] if node is value else ())
                if branches and own in (cases, cases[::-1]):
                    return visit(branches[number if own == cases else 1 - number], bound)
            bound |= _bound_by(node)
            return map_children(node, lambda child: visit(child, bound))

        return visit(value, frozenset())  # type: ignore[return-value]

    def _alike(self, call: Call) -> tuple[Expr, ...]:
        """Return branches of one kind, literals in that of the other; nothing: of several."""
        types = [of_expr(b, self.types) for b in call.args[1:]]
        real = any(t is not None and t.kind == "f" for t in types)
        branches = tuple(_as_real(b) if real else b for b in call.args[1:])
        kinds = {t and t.kind for b in branches for t in [of_expr(b, self.types)]}
        return branches if len(kinds) == 1 and None not in kinds else ()


def _as_real(branch: Expr) -> Expr:
    if isinstance(branch, Const) and isinstance(branch.value, int):
        return replace(branch, value=float(branch.value))
    return branch


def _choices(node: Node, bound: frozenset[str] = frozenset()) -> Iterator[Call]:
    """Yield the choices in a value by what no reduction round them binds."""
    if isinstance(node, Call) and _is_choice(node, bound):
        yield node
    for child in children(node):
        yield from _choices(child, bound | _bound_by(node))


def _is_choice(call: Call, bound: frozenset[str]) -> bool:
    return call.fn == "where" and bound.isdisjoint(free_indices(call.args[0]))


def _bound_by(node: Node) -> frozenset[str]:
    return frozenset(i.name for i in node.indices) if isinstance(node, Reduce) else frozenset()


def _cases_of(choice: Call, ranges: Mapping[str, Index]) -> tuple[Expr, ...] | None:
    """Return when a choice takes its first and its second branch, as ranges of an index."""
    condition = choice.args[0]
    cases = (_as_range(condition, ranges), _as_range(Call("not", (condition,)), ranges))
    return tuple(c for c in cases if c is not None) if None not in cases else None


def _is_shifted(call: Call) -> bool:
    """Whether a choice by an index reads cells beside those of the index's own place."""
    moving = set(free_indices(call.args[0]))
    subscripts = (s for b in call.args[1:] for a in reads(b) for s in a.subscripts)
    return any(
        not moving.isdisjoint(free_indices(s))
        and (s.mode != "strict" or not isinstance(s.at, IndexRef))
        for s in subscripts
    )


def _as_ranges(guard: Expr, ranges: Mapping[str, Index]) -> Expr:
    """Return a guard with comparisons that are ranges for those that do not look like them."""
    parts = conjuncts(guard)
    new = tuple(_as_range(p, ranges) or p if _is_opposite(p) else p for p in parts)
    return guard if new == parts else conjunction(*new)


def _is_opposite(condition: Expr) -> bool:
    return isinstance(condition, Call) and condition.fn in ("not", "ne")


def _with_ranges(value: Expr, around: Mapping[str, Index]) -> Expr:
    """Return a value with the guards of its reductions as ranges."""

    def visit(node: Node) -> Node:
        if not isinstance(node, Reduce):
            return map_children(node, visit)
        inner = {**around, **{i.name: i for i in node.indices}}
        guard = None if node.guard is None else _as_ranges(node.guard, inner)
        body = _with_ranges(node.body, inner)
        same = (guard, body) == (node.guard, node.body)
        return node if same else replace(node, guard=guard, body=body)

    return visit(value)  # type: ignore[return-value]


def _as_range(condition: Expr, ranges: Mapping[str, Index]) -> Expr | None:
    """Return a condition that holds for a range of an index of the loops; None: it is none."""
    opposite = False
    while isinstance(condition, Call) and condition.fn == "not":
        condition, opposite = condition.args[0], not opposite
    if not isinstance(condition, Call) or condition.fn not in _OPPOSITE:
        return None
    if reads(condition) or contains(condition, Reduce):
        return None
    a, b = (affine(arg) for arg in condition.args)
    names = [n for n in free_indices(condition) if n in ranges]
    if len(names) != 1 or a is None or b is None:
        return None
    (name,) = names
    index, difference = ranges[name], a - b
    slope = difference.coefficient(name)
    if abs(slope) != 1 or not difference.is_linear_in(name) or abs(index.step) != 1:
        return None
    fn = _OPPOSITE[condition.fn] if opposite else condition.fn
    if fn == "ne":
        limit = to_expr(difference.without(name).scaled(-slope))
        ends = (first(index), "gt"), (last(index), "lt")
        found = next((side for end, side in ends if equal(end, limit)), None)
        return None if found is None else Call(found, (IndexRef(name), limit))
    return replace(condition, fn=fn)
