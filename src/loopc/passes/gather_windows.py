"""Gather the terms of a cell where products are scattered to the cells of windows.

Rewrite:   for t,c,k: g[pad(t-k),c] += y[t,c] w[k,c]
           ->  for t,c,k if t + k < T: g[t,c] += y[pad(t+k),c] w[k,c]
           (a contraction of padded windows, where all products would be made first and added to
           shifted cells, one offset after the other)
Requires:  a product of an array's cells, at places that run over whole axes of it, with factors at
           offsets from these; each term goes to a cell of its own in every place, so that none is a
           sum that could be made first, as the channels of a convolution are.
Keeps:     every value up to the order of sums.
"""

from __future__ import annotations

from collections.abc import Mapping

from loopc.analysis.dependence import Leaf, only_leaf
from loopc.analysis.products import parts
from loopc.diagnostics.record import record, replace
from loopc.ir.affine import Affine, affine, plus, to_expr
from loopc.ir.bounds import ascending, is_whole
from loopc.ir.comparisons import is_at_least_0
from loopc.ir.nodes import (
    ZERO,
    Array,
    Call,
    Const,
    Expr,
    Index,
    IndexRef,
    Program,
    Read,
    Stmt,
    Subscript,
)
from loopc.ir.visit import add, conjunction, contains, free_indices, is_box, loop, neg, reads


def gather_windows(program: Program) -> Program:
    """Return the program with sums over windows in the place of products added to them."""
    arrays = {a.name: a for a in program.arrays}
    body = tuple(_gathered(s, arrays) for s in program.body)
    if all(a is b for a, b in zip(body, program.body, strict=True)):
        return program
    return replace(program, body=body)


@record()
class _Moved:
    """An axis of a target along which places and offsets move.

    Attributes:
        axis: its number.
        size: its extent.
        at: its subscript.
        place: the index of the place.
    """

    axis: int
    size: Expr
    at: Affine
    place: str

    @property
    def source(self) -> Expr:
        """Where the factor's cell is, for a cell of the target that is called as the place was."""
        return add(IndexRef(self.place), neg(to_expr(self.at.without(self.place))))


def _gathered(stmt: Stmt, arrays: Mapping[str, Array]) -> Stmt:
    leaf = only_leaf(stmt)
    if (
        leaf is None
        or leaf.guards
        or leaf.update.op != "+="
        or not is_box(v.index for v in leaf.levels)
    ):
        return stmt
    target = leaf.update.target
    if target.array in {a.array for a in reads(stmt)}:
        return stmt
    if {v.index.name for v in leaf.levels} != {*free_indices(target)}:
        return stmt
    for factor in _sources(leaf):
        windows = _windows(leaf, factor, arrays)
        if windows and _is_alone(leaf, factor, windows):
            return _from_windows(leaf, factor, windows, arrays)
    return stmt


def _sources(leaf: Leaf) -> list[Read]:
    """Return the factors that are read at strict places, those with most indices first."""
    found = [
        f
        for f in parts(leaf.update.value).factors
        if isinstance(f, Read) and all(s.mode == "strict" for s in f.access.subscripts)
    ]
    order = {v.index.name: n for n, v in enumerate(leaf.levels)}
    return sorted(found, key=lambda f: (-len(own := free_indices(f)), [order[n] for n in own]))


def _windows(leaf: Leaf, factor: Read, arrays: Mapping[str, Array]) -> tuple[_Moved, ...]:
    """Return the windows of a target whose places are a factor's; (): there is another one."""
    target, source = leaf.update.target, factor.access
    ranges = {v.index.name: ascending(v.index) for v in leaf.levels}
    alone = {
        s.at.name
        for s, size in zip(source.subscripts, arrays[source.array].shape or (), strict=True)
        if isinstance(s.at, IndexRef) and is_whole(ranges[s.at.name], size)
    }
    found: list[_Moved] = []
    shape = arrays[target.array].shape or ()
    for axis, (subscript, size) in enumerate(zip(target.subscripts, shape, strict=True)):
        names = free_indices(subscript.at)
        if isinstance(subscript.at, IndexRef) and subscript.mode == "strict":
            continue
        form = affine(subscript.at)
        places = [n for n in names if n in alone]
        if form is None or subscript.mode not in ("strict", "pad") or len(places) != 1:
            return ()
        if len(names) < 2 or contains(subscript.at, Read) or form.coefficient(places[0]) != 1:
            return ()
        if not form.is_linear_in(places[0]):
            return ()
        found.append(_Moved(axis, size, form, places[0]))
    return tuple(found)


def _is_alone(leaf: Leaf, factor: Read, windows: tuple[_Moved, ...]) -> bool:
    """Whether places are in one factor and one axis, offsets in other factors.

    A factor for each place and offset would not be smaller than the product.
    """
    places = [w.place for w in windows]
    offsets = {n for w in windows for n in free_indices(to_expr(w.at)) if n not in places}
    target = [n for s in leaf.update.target.subscripts for n in free_indices(s.at)]
    source = [n for s in factor.access.subscripts for n in free_indices(s.at)]
    if any(target.count(n) != 1 or source.count(n) != 1 for n in places):
        return False
    found = parts(leaf.update.value)
    others = {n for f in found.factors if f is not factor for n in free_indices(f)}
    return offsets.isdisjoint(source) and offsets <= others and others.isdisjoint(places)


def _from_windows(
    leaf: Leaf, factor: Read, windows: tuple[_Moved, ...], arrays: Mapping[str, Array]
) -> Stmt:
    """Return a statement that sums up the terms of each cell."""
    by_place = {w.place: w for w in windows}
    indices = tuple(
        Index(v.index.name, ZERO, by_place[v.index.name].size, 1, span=v.index.span)
        if v.index.name in by_place
        else v.index
        for v in leaf.levels
    )
    ranges = {i.name: ascending(i) for i in indices}
    subscripts = list(leaf.update.target.subscripts)
    for window in windows:
        old = subscripts[window.axis]
        subscripts[window.axis] = replace(old, at=IndexRef(window.place), mode="strict")
    guards: list[Expr] = []
    cells: list[Subscript] = []
    own = arrays[factor.access.array].shape or ()
    for subscript, size in zip(factor.access.subscripts, own, strict=True):
        place = subscript.at.name if isinstance(subscript.at, IndexRef) else ""
        if place not in by_place:
            cells.append(subscript)
            continue
        at = by_place[place].source
        cells.append(replace(subscript, at=at, mode="pad"))
        if not is_at_least_0(at, ranges):
            guards.append(Call("ge", (at, Const(0))))
        if not is_at_least_0(plus(add(size, neg(at)), -1), ranges):
            guards.append(Call("lt", (at, size)))
    read = replace(factor, access=replace(factor.access, subscripts=tuple(cells)))
    product = parts(leaf.update.value)
    value = product.times(*(read if f is factor else f for f in product.factors))
    target = replace(leaf.update.target, subscripts=tuple(subscripts))
    update = replace(leaf.update, target=target, value=value)
    guard = conjunction(*guards) if guards else None
    (made,) = loop(indices, guard, update)
    return made
