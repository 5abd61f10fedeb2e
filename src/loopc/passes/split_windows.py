"""Go over a window one axis after the other.

Rewrite:   for i,j  y[i,j] = sum[u < 5, v < 5](x[i+u,j+v])
              ->  for i1 < H, j  sum1[i1,j] = sum[v < 5](x[i1,j+v])
                  for i,j        y[i,j]     = sum[u < 5](sum1[i+u,j])
           for i, j, u < 5, v < 5: g[i+u,j+v] += d[i,j]
              ->  for i, u < 5, j: g1[i+u,j]  += d[i,j]
                  for i1 < H, j, v < 5: g[i1,j+v] += g1[i1,j]
Requires:  one update in a nest of loops that has one index of a window beside a loop's in all
           subscripts with either, and nowhere else; steps of one cell, of which the loop has as
           many as the sum has rows, but for the edge; so many cells in a window that it pays.
Keeps:     every value up to the rounding of a reassociated sum.
Source: separable filters, e.g. Gonzalez and Woods, Digital Image Processing, ch. 3.4.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

from loopc.analysis.dependence import Leaf, only_leaf
from loopc.diagnostics.record import record, replace
from loopc.ir import reductions
from loopc.ir.affine import Affine, affine, to_expr
from loopc.ir.bounds import bounds, extent
from loopc.ir.nodes import (
    Access,
    Const,
    Expr,
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
from loopc.ir.sites import always_evaluated
from loopc.ir.visit import (
    N,
    contains,
    free_indices,
    fresh_name,
    loop,
    map_children,
    reads,
    substitute,
    walk,
    with_update,
)
from loopc.ir.workspace import Names

CELLS = 9
"""The cells of a window from which on two sums of fewer terms take less time than one."""


def split_windows(program: Program) -> Program:
    """Return the program with windows of several axes gone over one by one."""
    names = Names.of(program)
    body: list[Stmt] = []
    for stmt in program.body:
        body += _split(stmt, names)
    same = len(body) == len(program.body)
    return (
        program if same else replace(program, body=tuple(body), arrays=tuple(names.arrays.values()))
    )


def _split(stmt: Stmt, names: Names) -> Iterator[Stmt]:
    """Yield the statements for one; the first ones of two may be split again."""
    leaf = only_leaf(stmt)
    indices = () if leaf is None else tuple(level.index for level in leaf.levels)
    found = None
    if leaf is not None and indices and not leaf.guards and _is_box(indices):
        found = _read(leaf, names) or _added(leaf, names)
    if found is None:
        yield stmt
        return
    for each in found:
        yield from _split(each, names)


def _is_box(indices: Sequence[Index]) -> bool:
    names = {i.name for i in indices}
    fixed = all(not free_indices(i) and not reads(i) and abs(i.step) == 1 for i in indices)
    return fixed and len(names) == len(indices)


@record()
class _Window:
    """An index of a window beside one of a loop: the place `moved` of both together.

    Attributes:
        inner: the window's index.
        outer: the loop's.
        moved: the place, of these two.
        index: runs over all such places.
    """

    inner: Index
    outer: Index
    moved: Expr
    index: Index

    def merged(self, node: N) -> N:
        """Return a node by the place instead of the two indices, wherever it has the place."""
        if isinstance(node, Subscript) and not {self.inner.name, self.outer.name}.isdisjoint(
            free_indices(node)
        ):
            form, own = affine(node.at), affine(self.moved)
            if form is None or own is None:
                return node
            at = form - own + Affine(0, ((IndexRef(self.index.name), 1),))
            return replace(node, at=to_expr(at))
        return map_children(node, self.merged)

    def is_apart(self, node: Node) -> bool:
        """Whether a node has none of the two indices."""
        return {self.inner.name, self.outer.name}.isdisjoint(free_indices(node))


def _windows(
    node: Node, inner: Sequence[Index], outer: Sequence[Index], taken: set[str]
) -> Iterator[_Window]:
    """Yield the windows of a node, each of which stands in it as the place alone."""
    for index in inner:
        for access in (n for n in walk(node) if isinstance(n, Access)):
            for subscript in access.subscripts:
                used = free_indices(subscript)
                others = [i for i in outer if i.name in used and i.name != index.name]
                if index.name not in used or len(used) != 2 or len(others) != 1:
                    continue
                form = affine(subscript.at)
                if form is None or abs(form.coefficient(others[0].name)) != 1:
                    continue
                moving = tuple((a, c) for a, c in form.terms if isinstance(a, IndexRef))
                moved = to_expr(Affine(0, moving))
                ends = bounds(moved, {i.name: i for i in (index, others[0])})
                if ends.low is None or ends.high is None:
                    continue
                name = fresh_name(others[0].name, taken)
                stop = to_expr(_form(ends.high) + Affine(1))
                window = _Window(index, others[0], moved, Index(name, ends.low, stop))
                if window.is_apart(window.merged(node)):
                    yield window


def _form(expr: Expr) -> Affine:
    return affine(expr) or Affine(0, ((expr, 1),))


def _count(indices: Sequence[Index]) -> float:
    """Return how many cells some ranges have together; one that is no number has many."""
    sizes = [extent(i) for i in indices]
    return prod(s.value if isinstance(s, Const) else CELLS for s in sizes)  # type: ignore[misc]


def _pays(window: _Window, others: Sequence[Index]) -> bool:
    own, left = _count((window.inner,)), _count(others)
    return own > 1 and left > 1 and own * left >= CELLS


def _read(leaf: Leaf, names: Names) -> tuple[Stmt, ...] | None:
    """Return the statements for a reduction of a window that an update reads."""
    levels = [level.index for level in leaf.levels]
    for each in always_evaluated(leaf.update.value):
        row = reductions.lookup(each.op)
        nested = row is not None and (row.form == "fold" or row.op == "+=" or each.op == "mean")
        if not nested or each.guard is not None or not _is_box((*levels, *each.indices)):
            continue
        if leaf.update.target.array in {a.array for a in reads(each)}:
            continue
        taken = {i.name for i in (*levels, *each.indices)}
        for window in _windows(each.body, each.indices, levels, taken):
            others = tuple(i for i in each.indices if i is not window.inner)
            if not _pays(window, others):
                continue
            body = window.merged(each.body)
            known = {i.name: i for i in (*levels, window.index)}
            axes = tuple(known[n] for n in free_indices(body) if n in known)
            name = names.fresh(each.op, numbered=True)
            cell = names.cells(name, axes, axes, leaf.update.span)
            first = Update(cell, "=", replace(each, indices=others, body=body))
            moved = _at(cell, window)
            second = replace(each, indices=(window.inner,), body=Read(moved))
            value = _with(leaf.update.value, each, second)
            stmt = with_update(_nest(leaf), replace(leaf.update, value=value))
            return (*loop(axes, None, replace(first, span=leaf.update.span)), stmt)
    return None


def _added(leaf: Leaf, names: Names) -> tuple[Stmt, ...] | None:
    """Return the statements for an update that adds the same to all cells of a window."""
    update, levels = leaf.update, [level.index for level in leaf.levels]
    if update.op != "+=" or contains(update.value, Reduce):
        return None
    if update.target.array in {a.array for a in reads(update)}:
        return None
    used = set(free_indices(update.value))
    inner = [i for i in levels if i.name not in used]
    windows = list(_windows(update.target, inner, levels, {i.name for i in levels}))
    for window in windows:
        others = [w.inner for w in windows if w.inner is not window.inner]
        if not others or not _pays(window, others) or window.outer in others:
            continue
        target = window.merged(update.target)
        late = {i.name for i in others}
        within = [i for i in levels if i.name in free_indices(target) and i.name not in late]
        axes = (window.index, *within)
        name = names.fresh(update.target.array, numbered=True)
        cell = names.cells(name, axes, axes, update.span)
        first = replace(update, target=_at(cell, window))
        second = replace(update, target=target, value=Read(cell))
        early = tuple(i for i in levels if i.name not in late)
        return (
            *loop(early, None, first),
            *loop((*axes, *others), None, second),
        )
    return None


def _at(cell: Access, window: _Window) -> Access:
    """Return the cell of a place as that of the two indices."""
    values = {window.index.name: window.moved}

    def moved(subscript: Subscript) -> Subscript:
        at = substitute(subscript.at, values)
        form = affine(at)
        return replace(subscript, at=at if form is None else to_expr(form))

    return replace(cell, subscripts=tuple(map(moved, cell.subscripts)))


def _with(value: Expr, old: Reduce, new: Reduce) -> Expr:
    def put(node: Node) -> Node:
        return new if node is old else map_children(node, put)

    return put(value)  # type: ignore[return-value]


def _nest(leaf: Leaf) -> Stmt:
    (stmt,) = loop(tuple(level.index for level in leaf.levels), None, leaf.update)
    return stmt
