"""Keep a function of the cells of windows that several statements compute.

Rewrite:   for i  z[i] = sum[u](exp(x[i+u] - x[i]))    ->  for u,i  exp1[u,i] = exp(x[i+u] - x[i])
           for i,u  g[i+u] += d[i] exp(x[i+u] - x[i])      for i  z[i] = sum[u](exp1[u,i])
                                                           for i,u  g[i+u] += d[i] exp1[u,i]
Requires:  a function of one argument of a cell in a window, under no condition, and the same, or a
           derivative of it, in a later statement: what is added to windows is in no tile with what
           is summed over them, so that each would compute it. `reuse_values` reads it.
Keeps:     every value.
"""

from __future__ import annotations

from collections.abc import Iterator

from loopc.analysis.dependence import only_leaf
from loopc.diagnostics.record import record, replace
from loopc.ir.derive import function_of
from loopc.ir.functions import is_costly, lookup
from loopc.ir.nodes import Access, Call, Expr, Index, IndexRef, Node, Program, Reduce, Stmt
from loopc.ir.visit import canonical, children, free_indices, is_box, reads, updates, walk
from loopc.ir.workspace import Names


def keep_windows(program: Program) -> Program:
    """Return the program with statements that keep functions of windows."""
    uses: dict[Expr, list[int]] = {}
    first: dict[Expr, _Place] = {}
    for number, stmt in enumerate(program.body):
        for call in walk(stmt):
            if isinstance(call, Call) and _is_function(call):
                uses.setdefault(canonical(function_of(call)), []).append(number)
        for place in _places(stmt, number):
            first.setdefault(canonical(place.call), place)
    names = Names.of(program)
    before: dict[int, tuple[Stmt, ...]] = {}
    for key, place in first.items():
        later = [n for n in uses[key] if n > place.number]
        if later and not _changes(program, place, max(later)):
            before[place.number] = (*before.get(place.number, ()), *_kept(names, place))
    if not any(before.values()):
        return program
    body = tuple(s for n, stmt in enumerate(program.body) for s in (*before.get(n, ()), stmt))
    return replace(program, body=body, arrays=tuple(names.arrays.values()))


@record()
class _Place:
    """A function in a statement of a program, with the indices round it."""

    call: Call
    number: int
    indices: tuple[Index, ...]


def _is_function(call: Call) -> bool:
    return is_costly(call.fn) and any(map(_is_window, reads(call)))


def _is_window(access: Access) -> bool:
    return any(len(free_indices(s.at)) > 1 for s in access.subscripts)


def _places(stmt: Stmt, number: int) -> Iterator[_Place]:
    """Yield the functions of windows that a statement computes at each point of a box."""
    leaf = only_leaf(stmt)
    if leaf is not None and not leaf.guards:
        around = tuple(v.index for v in leaf.levels)
        for place in _inside(leaf.update.value, number, around):
            own = {i.name for i in place.indices}
            box = is_box(place.indices)
            apart = leaf.update.target.array not in {a.array for a in reads(place.call)}
            if box and apart and {*free_indices(place.call)} == own:
                yield place


def _inside(node: Node, number: int, around: tuple[Index, ...]) -> Iterator[_Place]:
    """Yield the functions of windows in a value that are computed anyway, outermost first."""
    if isinstance(node, Reduce):
        if node.guard is not None:
            return
        around = (*around, *node.indices)
    if isinstance(node, Call):
        row = lookup(node.fn)
        if row is not None and (row.params == ("c", "a", "b") or node.fn in ("and", "or")):
            return
        if _is_function(node):
            call = function_of(node)
            if call is node:
                yield _Place(node, number, around)
                return
    for child in children(node):
        yield from _inside(child, number, around)


def _changes(program: Program, place: _Place, last: int) -> bool:
    """Whether a statement writes what a function reads, up to the last one that computes it."""
    written = {u.target.array for _, u in updates(program.body[place.number : last + 1])}
    return not written.isdisjoint(a.array for a in reads(place.call))


def _kept(names: Names, place: _Place) -> tuple[Stmt, ...]:
    """Return the statement that keeps a function, if its values can be counted: offsets first."""
    subscripts = [s.at for a in reads(place.call) for s in a.subscripts]
    alone = {at.name for at in subscripts if isinstance(at, IndexRef)}
    indices = tuple(sorted(place.indices, key=lambda i: i.name in alone))
    return names.keep(place.call, indices, place.call.span)
