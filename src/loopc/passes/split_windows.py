"""Go over a window one axis after the other.

Rewrite:   for i,j  y[i,j] = sum[u < 5, v < 5](x[i+u,j+v])
              ->  for i1 < H, j  sum1[i1,j] = sum[v < 5](x[i1,j+v])
                  for i,j        y[i,j]     = sum[u < 5](sum1[i+u,j])
           for i, j, u < 5, v < 5: g[i+u,j+v] += d[i,j]
              ->  for i, u < 5, j: g1[i+u,j]  += d[i,j]
                  for i1 < H, j, v < 5: g[i1,j+v] += g1[i1,j]
           A long window along one axis is one of windows: sum[u < 48](x[t+u]) becomes
           sum[u1 < 8, u2 < 6](x[t+6*u1+u2]), which is split likewise. So is a target that meets
           edges of several axes, g[clamp(i-1),wrap(j+1)] += d[i,j]: g1[i,wrap(j+1)] is first.
Requires:  one update in a nest of loops that has one index of a window beside a loop's in all
           subscripts with either, and nowhere else; steps of one cell, of which the loop has as
           many as the sum has rows, but for the edge; so many cells in a window that it pays.
Keeps:     every value up to the rounding of a reassociated sum.
Source: separable filters, e.g. Gonzalez and Woods, Digital Image Processing, ch. 3.4.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isqrt, prod

from loopc.analysis.dependence import Leaf, only_leaf
from loopc.analysis.edges import EDGES
from loopc.diagnostics.record import record, replace
from loopc.ir import reductions
from loopc.ir.affine import Affine, affine, to_expr
from loopc.ir.bounds import bounds, extent
from loopc.ir.nodes import (
    ZERO,
    Access,
    Call,
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
from loopc.ir.sites import always_evaluated, with_reduction
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

LONG = 12
"""The cells of a window along one axis from which on two shorter ones take less time."""

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
        found = _read(leaf, names) or _added(leaf, names) or _edged(leaf, names)
        found = found or _long_read(leaf) or _long_added(leaf)
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
            if affine(node.at) is None:
                return node
            return _at_index(node, self.moved, self.index)  # type: ignore[return-value]
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
                form = affine(subscript.at)
                if form is None or index.name not in used or len(others) != 1:
                    continue
                if abs(form.coefficient(others[0].name)) != 1:
                    continue
                both = (IndexRef(index.name), IndexRef(others[0].name))
                moved = to_expr(Affine(0, tuple(t for t in form.terms if t[0] in both)))
                place = _over(moved, (others[0], index), taken)
                if place is None:
                    continue
                window = _Window(index, others[0], moved, place)
                if window.is_apart(window.merged(node)):
                    yield window


def _over(moved: Expr, indices: Sequence[Index], taken: set[str]) -> Index | None:
    """Return an index over what some indices make of a place, called like the first one."""
    ends = bounds(moved, {i.name: i for i in indices})
    if ends.low is None or ends.high is None:
        return None
    stop = to_expr(_form(ends.high) + Affine(1))
    return Index(fresh_name(indices[0].name, taken), ends.low, stop)


def _at_index(subscript: Subscript, moved: Expr, index: Index) -> Subscript:
    """Return a subscript by the index of a place instead of what the place is made of."""
    at = _form(subscript.at) - _form(moved) + Affine(0, ((IndexRef(index.name), 1),))
    return replace(subscript, at=to_expr(at))


def _form(expr: Expr) -> Affine:
    return affine(expr) or Affine(0, ((expr, 1),))


def _count(indices: Sequence[Index]) -> float:
    """Return how many cells some ranges have together; one that is no number has many."""
    sizes = [extent(i) for i in indices]
    return prod(s.value if isinstance(s, Const) else CELLS for s in sizes)  # type: ignore[misc]


def _pays(window: _Window, others: Sequence[Index]) -> bool:
    own, left = _count((window.inner,)), _count(others)
    beyond = abs(_form(window.moved).coefficient(window.inner.name)) * own
    return own > 1 and left > 1 and own * left >= CELLS and beyond <= max(own * left, 64)


def _read(leaf: Leaf, names: Names) -> tuple[Stmt, ...] | None:
    """Return the statements for a reduction of a window that an update reads."""
    levels = [level.index for level in leaf.levels]
    for each in always_evaluated(leaf.update.value):
        if not _is_nested(each) or not _is_box((*levels, *each.indices)):
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
            value = with_reduction(leaf.update.value, each, second)
            stmt = with_update(_nest(leaf), replace(leaf.update, value=value))
            return (*loop(axes, None, replace(first, span=leaf.update.span)), stmt)
    return None


def _is_nested(each: Reduce) -> bool:
    """Whether a reduction over several indices is one of reductions over each."""
    row = reductions.lookup(each.op)
    return each.guard is None and row is not None and (row.form == "fold" or each.op == "mean")


def _is_added(update: Update) -> bool:
    own = update.target.array in {a.array for a in reads(update)}
    return update.op == "+=" and not contains(update.value, Reduce) and not own


def _added(leaf: Leaf, names: Names) -> tuple[Stmt, ...] | None:
    """Return the statements for an update that adds the same to all cells of a window."""
    update, levels = leaf.update, [level.index for level in leaf.levels]
    if not _is_added(update):
        return None
    used = set(free_indices(update.value))
    inner = [i for i in levels if i.name not in used]
    outer = [i for i in levels if i not in inner]
    windows = list(_windows(update.target, inner, outer, {i.name for i in levels}))
    for window in windows:
        others = [w.inner for w in windows if w.inner is not window.inner]
        if not (others and _pays(window, others)) and not _is_at_edge(window, update.target):
            continue
        target = window.merged(update.target)
        late = tuple(i for i in inner if i is not window.inner)
        known = {i.name: i for i in (*levels, window.index) if i not in late}
        axes = tuple(known[n] for n in free_indices(target) if n in known)
        name = names.fresh(update.target.array, numbered=True)
        cell = names.cells(name, axes, axes, update.span)
        first = replace(update, target=_at(cell, window))
        second = replace(update, target=target, value=Read(cell))
        early = tuple(i for i in levels if i not in late)
        return (*loop(early, None, first), *loop((*axes, *late), None, second))
    return None


def _is_at_edge(window: _Window, target: Access) -> bool:
    """Whether a window's cells meet others at an edge."""
    own = (s for s in target.subscripts if not window.is_apart(s))
    return any(s.mode in EDGES for s in own)


def _edged(leaf: Leaf, names: Names) -> tuple[Stmt, ...] | None:
    """Return the statements for an update whose cells meet others at edges: one axis comes last."""
    update, levels = leaf.update, tuple(level.index for level in leaf.levels)
    subscripts, shape = update.target.subscripts, names.arrays[update.target.array].shape
    edged = [n for n, s in enumerate(subscripts) if s.mode in EDGES]
    wide = [n for n in edged if len(free_indices(subscripts[n])) > 1]
    if not _is_added(update) or shape is None or reads(update.target) or len(edged + wide) < 2:
        return None
    last = (wide or edged)[0]
    taken = {i.name for i in levels}
    place = _place(subscripts[last].at, levels, taken)
    if place is None or any(not free_indices(s) for s in subscripts):
        return None
    by_name, axes = {i.name: i for i in levels}, []
    for number, (subscript, size) in enumerate(zip(subscripts, shape, strict=True)):
        index = place[0]
        if number != last and isinstance(subscript.at, IndexRef) and number not in edged:
            index = by_name[subscript.at.name]
        elif number != last:
            index = Index(fresh_name(free_indices(subscript)[0], taken), ZERO, size)
        taken.add(index.name)
        axes.append(index)
    if len({i.name for i in axes}) < len(axes):
        return None
    name = names.fresh(update.target.array, numbered=True)
    cell = names.cells(name, axes, axes, update.span)
    early, late = list(cell.subscripts), [Subscript(IndexRef(i.name)) for i in axes]
    for number, subscript in enumerate(subscripts):
        if number == last:
            values = {place[0].name: place[1]}
            early[number] = replace(early[number], at=substitute(early[number].at, values))
            late[number] = _at_index(subscript, place[1], place[0])
        elif axes[number] not in levels:
            early[number] = subscript
    into = replace(cell, subscripts=tuple(early))
    onto = replace(update.target, subscripts=tuple(late))
    return (
        *loop(levels, None, replace(update, target=into)),
        *loop(tuple(axes), None, replace(update, target=onto, value=Read(cell))),
    )


def _place(at: Expr, levels: Sequence[Index], taken: set[str]) -> tuple[Index, Expr] | None:
    """Return an index over the places that some loops' indices make, and what they make of them."""
    form = affine(at)
    own = [i for i in levels if i.name in free_indices(at)]
    if form is None or not own:
        return None
    moved = to_expr(Affine(0, tuple(t for t in form.terms if isinstance(t[0], IndexRef))))
    if {*free_indices(moved)} != {i.name for i in own} or len(own) < len(free_indices(at)):
        return None
    if len(own) == 1 and moved == IndexRef(own[0].name):
        return own[0], moved
    index = _over(moved, own, taken)
    return None if index is None else (index, moved)


def _long_read(leaf: Leaf) -> tuple[Stmt, ...] | None:
    """Return an update that reads a reduction over a long window as one over two indices."""
    levels = [level.index for level in leaf.levels]
    for each in always_evaluated(leaf.update.value):
        if not _is_nested(each) or len(each.indices) > 1:
            continue
        names = {i.name for i in (*levels, *each.indices)}
        window = next(_windows(each.body, each.indices, levels, names), None)
        pair = None if window is None else _pair(window.inner, names)
        if window is None or pair is None:
            continue
        indices, place, rest = pair
        body = substitute(each.body, {window.inner.name: place})
        value: Expr = replace(each, indices=indices, body=body)
        row = reductions.lookup(each.op)
        if rest is not None and each.op == "mean":
            sums = replace(each, op="sum", indices=indices, body=body)
            both = (sums, replace(each, op="sum", indices=(rest,)))
            value = Call("div", (Call("add", both), extent(window.inner)))
        elif rest is not None:
            assert row is not None
            value = Call(row.fn, (value, replace(each, indices=(rest,))))
        new = with_reduction(leaf.update.value, each, value)
        return (with_update(_nest(leaf), replace(leaf.update, value=new)),)
    return None


def _long_added(leaf: Leaf) -> tuple[Stmt, ...] | None:
    """Return an update that adds to all cells of a long window as one over two indices."""
    update, levels = leaf.update, [level.index for level in leaf.levels]
    if not _is_added(update):
        return None
    names = {i.name for i in levels}
    inner = [i for i in levels if i.name not in free_indices(update.value)]
    outer = [i for i in levels if i not in inner]
    for window in _windows(update.target, inner, outer, names):
        pair = _pair(window.inner, names)
        if pair is None:
            continue
        indices, place, rest = pair
        others = tuple(i for i in levels if i is not window.inner)
        new = replace(update, target=substitute(update.target, {window.inner.name: place}))
        left = () if rest is None else loop((*others, rest), None, update)
        return (*loop((*others, *indices), None, new), *left)
    return None


def _pair(index: Index, taken: set[str]) -> tuple[tuple[Index, Index], Expr, Index | None] | None:
    """Return a long range as two indices, what it is made of them, and the rest of it."""
    size = extent(index)
    if not isinstance(size, Const) or not isinstance(size.value, int) or size.value < LONG:
        return None
    if index.step != 1 or index.start is None:
        return None
    short = isqrt(size.value)
    long = size.value // short
    first = fresh_name(index.name, taken)
    second = fresh_name(index.name, {*taken, first})
    start = _form(index.start)
    place = start + Affine(0, ((IndexRef(first), short), (IndexRef(second), 1)))
    rest = None
    if short * long < size.value:
        rest = replace(index, start=to_expr(start + Affine(short * long)))
    indices = Index(first, ZERO, Const(long)), Index(second, ZERO, Const(short))
    return indices, to_expr(place), rest


def _at(cell: Access, window: _Window) -> Access:
    """Return the cell of a place as that of the two indices."""
    values = {window.index.name: window.moved}

    def moved(subscript: Subscript) -> Subscript:
        at = substitute(subscript.at, values)
        form = affine(at)
        return replace(subscript, at=at if form is None else to_expr(form))

    return replace(cell, subscripts=tuple(map(moved, cell.subscripts)))


def _nest(leaf: Leaf) -> Stmt:
    (stmt,) = loop(tuple(level.index for level in leaf.levels), None, leaf.update)
    return stmt
