"""Nests of three loops whose dependences cross all of them, run plane by plane.

    for t < T, i in range(1, N-1), j in range(1, N-1)  A[i,j] = A[i-1,j+1] + A[i,j-1] + A[i+1,j]
    ->  for each plane 4t + 2i + j = w: all its points at once

The places of a plane's points in memory stand in tables, which are made before the loop, for as
many steps of the outer loop at a time as they have room for.
Source: Lamport, The parallel execution of DO loops, 1974.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from loopc.analysis.dependence import Leaf
from loopc.diagnostics.record import record, replace
from loopc.ir.affine import Affine, affine, simplify, to_expr
from loopc.ir.bounds import extent
from loopc.ir.dtypes import DType
from loopc.ir.nodes import Access, Call, Const, Expr, Index, IndexRef, Node, Read, Reduce
from loopc.ir.visit import children, free_indices, reads
from loopc.lower import access as accesses
from loopc.lower.context import Context
from loopc.lower.domain import Box
from loopc.lower.notes import source_line
from loopc.lower.plan import Alloc, Note, Planes, Spot, SpotStore, Step, Unfold
from loopc.lower.plan_visit import touched, walk
from loopc.lower.value import Lowering
from loopc.lower.value_types import type_of
from loopc.lower.wavefront import WEIGHTS, distances, is_later

AXIS = "point°"
"""The points of a plane."""


@record()
class _Nest:
    """The three loops, and what their indices count in the number of a plane."""

    loops: tuple[Index, Index, Index]
    weights: tuple[int, int, int]


def planes(context: Context, group: Sequence[Leaf]) -> tuple[Step, ...] | None:
    """Return the nest of a group at the top of a program as planes, if that is possible."""
    loops = _loops(group)
    if loops is None:
        return None
    nest = _weighed(group, loops)
    if nest is None:
        return None
    lowered = _Lowered(context, nest)
    body: list[Step] = []
    for leaf in group:
        store = lowered.store(leaf)
        if store is None:
            return None
        body += [Note(source_line(leaf), leaf.update.span), store]
    counts = tuple(simplify(extent(index)) for index in loops)
    before = tuple(Unfold(name, written) for name, written in lowered.arrays.items())
    return (*before, Planes(counts, nest.weights, tuple(body)))


def _loops(group: Sequence[Leaf]) -> tuple[Index, Index, Index] | None:
    """Return the three loops, if all leaves stand in them and in nothing else."""
    first = group[0].levels
    keys = [level.key for level in first]
    if len(first) != 3 or any(leaf.guards for leaf in group):
        return None
    if any([level.key for level in leaf.levels] != keys for leaf in group):
        return None
    a, b, c = (level.index for level in first)
    names = {a.name, b.name, c.name}
    written = {leaf.update.target.array for leaf in group}
    for index in (a, b, c):
        if abs(index.step) != 1 or names & set(free_indices(index)):
            return None
        if any(r.array in written for r in reads(index)):
            return None
    return (a, b, c) if len(names) == 3 else None


# Weights


def _weighed(group: Sequence[Leaf], loops: tuple[Index, Index, Index]) -> _Nest | None:
    """Return the weights that let every dependence lead to a later plane."""
    found = list(distances(group, 1, loops[1:]))
    across = list(distances(group, 1, loops[1:], later=loops[0].name))
    if any(d is None for d in (*found, *across)):
        return None
    for row, place in WEIGHTS:
        if all(is_later(d, (row, place)) for d in found if d is not None):
            steps = (1 - row * d.outer - place * d.inner for d in across if d is not None)
            return _Nest(loops, (max(1, *steps, 1), row, place))
    return None


# Lowering


class _Lowered:
    """Lowers the updates of a nest; knows the arrays that it needs room round."""

    def __init__(self, context: Context, nest: _Nest) -> None:
        self.context = context
        self.nest = nest
        self.arrays: dict[str, bool] = {}
        self.inside = Lowering(context, Box({i.name: i for i in nest.loops}), {})
        self.lowering = Lowering(context, Box({AXIS: replace(nest.loops[0], name=AXIS)}), {})

    def store(self, leaf: Leaf) -> Step | None:
        """Return an update as a store to the points of a plane."""
        update = leaf.update
        if not _is_plain(update.value, {i.name for i in self.nest.loops}):
            return None
        for ref in leaf.refs:
            if not self._is_regular(ref.access):
                return None
        target = self.spot(update.target, written=True)
        if target is None:
            return None
        self.context.spots = self.spot
        try:
            value = self.lowering.value(update.value)
        finally:
            self.context.spots = None
        return SpotStore(target, update.op, value)

    def _is_regular(self, access: Access) -> bool:
        return accesses.is_affine(self.inside, access) and accesses.stays_inside(
            self.inside, access
        )

    def spot(self, access: Access, *, written: bool = False) -> Spot | None:
        """Return an access as the places of a plane's points; None: it does not move."""
        size: Expr = Const(1)
        start = Affine(0)
        moves = [Affine(0)] * 3
        for axis in reversed(range(len(access.subscripts))):
            form = affine(access.subscripts[axis].at)
            assert form is not None
            for n, index in enumerate(self.nest.loops):
                c = form.coefficient(index.name)
                moves[n] += _form(Call("mul", (Const(c * index.step), size)))
                assert index.start is not None
                start += _form(Call("mul", (Const(c), index.start, size)))
                form = form.without(index.name)
            start += _form(Call("mul", (to_expr(form), size)))
            size = Call("mul", (size, self.context.extent(access.array, axis)))
        if all(m == Affine(0) for m in moves):
            return None
        self.arrays[access.array] = self.arrays.get(access.array, False) or written
        return Spot(access.array, to_expr(start), tuple(map(to_expr, moves)), (AXIS,))


def _form(expr: Expr) -> Affine:
    form = affine(expr)
    assert form is not None
    return form


def _is_plain(expr: Expr, names: set[str]) -> bool:
    """Whether indices are in an expression in subscripts alone, and no reduction is."""
    return not any(
        isinstance(n, Reduce) or (isinstance(n, IndexRef) and n.name in names)
        for n in _outside_accesses(expr)
    )


def _outside_accesses(node: Node) -> Iterator[Node]:
    yield node
    if not isinstance(node, Read):
        for child in children(node):
            yield from _outside_accesses(child)


# What a plane needs for itself alone


def without_unread(
    steps: tuple[Step, ...], outputs: Collection[str], types: Mapping[str, DType]
) -> tuple[Step, ...]:
    """Return steps in which planes do not store what only the plane that made it reads."""
    made: list[Step] = []
    gone: set[str] = set()
    for step in steps:
        if isinstance(step, Planes):
            rest = [s for s in steps if s is not step and not isinstance(s, Alloc | Unfold)]
            seen = set(outputs).union(*(a for s in rest for a in touched(s)))
            own = {n for n in _held_in_planes(step, types) if n not in seen}
            body = (
                replace(s, kept=False) if isinstance(s, SpotStore) and s.target.array in own else s
                for s in step.body
            )
            made.append(replace(step, body=tuple(body)) if own else step)
            gone |= own
        else:
            made.append(step)
    return tuple(s for s in made if not (isinstance(s, Alloc | Unfold) and s.array in gone))


def _held_in_planes(planes: Planes, types: Mapping[str, DType]) -> set[str]:
    """Return the arrays whose cells are assigned to once and then read at the same point alone."""
    found: dict[str, Spot] = {}
    others: set[str] = set()
    for step in planes.body:
        if not isinstance(step, SpotStore):
            continue
        spots = [v for v in walk(step.value) if isinstance(v, Spot)]
        others |= {s.array for s in spots if found.get(s.array) != s}
        name = step.target.array
        dtype = type_of(step.value, types.get)
        fits = bool(step.value.axes) and dtype is not None and dtype == types[name]
        if step.op == "=" and fits and name not in found:
            found[name] = step.target
        else:
            others.add(name)
    return found.keys() - others
