"""Give an axis of a temporary the two indices that count its places together.

Rewrite:   for g,r < 4,i: a[4*g+r,i] = q[4*g+r,i] k[g,i]   ->   a[g,r,i] = q[4*g+r,i] k[g,i]
           for h,i  p[h,i] = exp(a[h,i])              for g,r < 4,i: p[g,r,i] = exp(a[g,r,i])
           (the same cells in memory, whose subscripts are indices by themselves)
Requires:  a temporary whose axis is read and written at such places, with one literal, by indices
           over all of it, or at literals; such an index of another statement stands in subscripts
           alone, and is reduced over, if at all, by a sum. Rows do not become short.
Keeps:     every value, and the order: the quotient's loop is the outer one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeGuard

from loopc.analysis.strip_mining import mined, names_in
from loopc.diagnostics.record import record, replace
from loopc.ir.affine import affine, equal, simplify
from loopc.ir.bounds import is_whole
from loopc.ir.nodes import (
    Access,
    Array,
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
    Subscript,
)
from loopc.ir.visit import children, free_indices, map_children, walk

ROW = 32
"""The length from which on a row, an axis that is the last one, is no short one."""


def split_axes(program: Program) -> Program:
    """Return the program with two axes for each that is counted by two indices."""
    left = sum(len(a.shape or ()) for a in program.arrays)
    for _ in range(left):
        found = _axis(program)
        if found is None:
            break
        program = _split(program, found)
    return program


@record()
class _Axis:
    """An axis of an array, and the literal by which its places are counted."""

    array: str
    number: int
    by: int
    size: Expr

    @property
    def quotient(self) -> Expr:
        """The extent of the quotient."""
        return simplify(Call("floordiv", (self.size, Const(self.by))))


@record()
class _Use:
    """A subscript of an axis, the loops round it, and the statement that it is in."""

    at: Expr
    ranges: Mapping[str, Index]
    stmt: Stmt


def _axis(program: Program) -> _Axis | None:
    """Return an axis that can be split; None: there is none."""
    counted = {a.array for s in program.body for a in walk(s) if _is_counted(a)}
    if not counted:
        return None
    uses: dict[str, list[tuple[Access, Mapping[str, Index], Stmt]]] = {}
    for stmt in program.body:
        for access, ranges in _accesses(stmt, {}):
            uses.setdefault(access.array, []).append((access, ranges, stmt))
    for array in program.arrays:
        fixed = array.kind != "temp" or array.name in program.outputs or array.initial is not None
        if fixed or array.name not in counted:
            continue
        for number, size in enumerate(array.shape or ()):
            own = [(a.subscripts[number], r, s) for a, r, s in uses.get(array.name, ())]
            if any(s.mode != "strict" for s, _, _ in own):
                continue
            by = _by([_Use(s.at, r, stmt) for s, r, stmt in own], size)
            if by and (number < len(array.shape or ()) - 1 or by >= ROW):
                return _Axis(array.name, number, by, size)
    return None


def _is_counted(node: Node) -> TypeGuard[Access]:
    """Whether a node is an access in a subscript of which there are two indices."""
    return isinstance(node, Access) and any(len(free_indices(s.at)) == 2 for s in node.subscripts)


def _accesses(
    node: Node, ranges: Mapping[str, Index]
) -> Iterator[tuple[Access, Mapping[str, Index]]]:
    """Yield the accesses of a statement with the indices in scope."""
    if isinstance(node, For | Reduce):
        ranges = {**ranges, **{i.name: i for i in node.indices}}
    if isinstance(node, Access):
        yield node, ranges
    for child in children(node):
        yield from _accesses(child, ranges)


def _by(uses: list[_Use], size: Expr) -> int:
    """Return the literal by which two indices count the places of an axis; 0: it is not split."""
    numbers: set[int] = set()
    for use in uses:
        by = _pair(use, size)
        if by:
            numbers.add(by)
        elif isinstance(use.at, IndexRef):
            index = use.ranges.get(use.at.name)
            if index is None or not is_whole(index, size):
                return 0
        elif not _is_place(use.at):
            return 0
    if len(numbers) != 1:
        return 0
    (by,) = numbers
    alone = {(u.at.name, id(u.stmt)): u for u in uses if isinstance(u.at, IndexRef)}
    return by if all(_can_be_split(u, by) for u in alone.values()) else 0


def _is_place(at: Expr) -> bool:
    """Whether a subscript is a literal."""
    return isinstance(at, Const) and isinstance(at.value, int) and at.value >= 0


def _pair(use: _Use, size: Expr) -> int:
    """Return the literal of `4*g+r`, if that is each place of an axis once; else 0."""
    form = affine(use.at)
    if form is None or form.constant or len(form.terms) != 2:
        return 0
    terms = sorted(form.terms, key=lambda t: t[1])
    (inner, one), (outer, by) = terms
    if not isinstance(inner, IndexRef) or not isinstance(outer, IndexRef) or one != 1 or by < 2:
        return 0
    quotient, rest = use.ranges.get(outer.name), use.ranges.get(inner.name)
    if quotient is None or rest is None or not is_whole(rest, Const(by)):
        return 0
    if quotient.stop is None or not is_whole(quotient, quotient.stop):
        return 0
    return by if equal(Call("mul", (Const(by), quotient.stop)), size) else 0


def _can_be_split(use: _Use, by: int) -> bool:
    """Whether an index of a statement can be two without other subscripts than those of axes."""
    assert isinstance(use.at, IndexRef)
    name = use.at.name
    binders = [
        n
        for n in walk(use.stmt)
        if isinstance(n, For | Reduce) and any(i.name == name for i in n.indices)
    ]
    if len(binders) != 1 or not _stands_alone(use.stmt, name, by):
        return False
    return isinstance(binders[0], For) or (binders[0].op == "sum" and not binders[0].at)


def _stands_alone(node: Node, name: str, by: int) -> bool:
    """Whether an index is a subscript by itself, or divided by a number, wherever it is."""
    if isinstance(node, Subscript) and isinstance(node.at, IndexRef):
        return True
    if any(node == Call(fn, (IndexRef(name), Const(by))) for fn in ("floordiv", "mod")):
        return True
    if isinstance(node, IndexRef):
        return node.name != name
    return all(_stands_alone(c, name, by) for c in children(node))


def _split(program: Program, axis: _Axis) -> Program:
    """Return the program with two axes in the place of one."""
    body = tuple(_statement(s, axis) for s in program.body)
    arrays = tuple(_with_two(a, axis) if a.name == axis.array else a for a in program.arrays)
    return replace(program, body=body, arrays=arrays)


def _with_two(array: Array, axis: _Axis) -> Array:
    shape = list(array.shape or ())
    shape[axis.number : axis.number + 1] = [axis.quotient, Const(axis.by)]
    return replace(array, shape=tuple(shape))


def _statement(stmt: Stmt, axis: _Axis) -> Stmt:
    """Return a statement with its indices over the axis split, and then its subscripts."""
    own = [a.subscripts[axis.number].at for a, _ in _accesses(stmt, {}) if a.array == axis.array]
    names = {at.name for at in own if isinstance(at, IndexRef)}
    taken = names_in(walk(stmt))

    def mine(node: Node) -> Node:
        new = map_children(node, mine)
        if isinstance(new, For | Reduce):
            for index in new.indices:
                if index.name in names:
                    new = mined(new, index, Const(axis.by), axis.quotient, taken)
                    taken.update(names_in(walk(new)))
        return new

    def spread(node: Node) -> Node:
        new = map_children(node, spread)
        return _with_pair(new, axis) if isinstance(new, Access) and new.array == axis.array else new

    return spread(mine(stmt) if names else stmt)  # type: ignore[return-value]


def _with_pair(access: Access, axis: _Axis) -> Access:
    """Return an access with the two indices of a place, or the two numbers of a literal."""
    at = access.subscripts[axis.number].at
    if isinstance(at, Const):
        assert isinstance(at.value, int)
        parts: list[Expr] = [Const(at.value // axis.by), Const(at.value % axis.by)]
    else:
        form = affine(at)
        assert form is not None
        parts = [atom for atom, _ in sorted(form.terms, key=lambda t: -t[1])]
    subscripts = list(access.subscripts)
    subscripts[axis.number : axis.number + 1] = [Subscript(p) for p in parts]
    return replace(access, subscripts=tuple(subscripts))
