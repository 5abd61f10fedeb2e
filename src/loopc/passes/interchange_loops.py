"""Run a nest in order by one loop alone, another one for each of its statements.

Rewrite:   for i < N: { for j < i: { A[i,j] -= A[i,k] A[j,k];  A[i,j] /= A[j,j] };  … }
           ->  for j < N: { …;  for i in range(j+1, N), k < j  A[i,j] -= A[i,k] A[j,k];
                            for i in range(j+1, N)  A[i,j] /= A[j,j] }
Requires:  several loops of the nest have to run in order as it stands, and none but the new one
           then (`analysis/timing.py`). Keeps: every value, but for the order of the terms of sums.
Source: loop interchange and distribution, Allen and Kennedy, Optimizing Compilers for Modern
Architectures, ch. 5.2; Feautrier, Some efficient solutions to the affine scheduling problem, 1992.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from loopc.analysis.dependence import Edge, Leaf, Level, dependences, leaves
from loopc.analysis.serial import groups
from loopc.analysis.timing import Timing, timing
from loopc.diagnostics.record import replace
from loopc.ir.affine import Affine, affine, at_least, to_expr
from loopc.ir.bounds import ascending, backwards, bounds, tighten
from loopc.ir.comparisons import always_holds
from loopc.ir.nodes import Call, Expr, For, Index, IndexRef, Program, Reduce, Stmt
from loopc.ir.visit import conjunction, free_indices, fresh_name, substitute, walk
from loopc.ir.workspace import Names


def interchange_loops(program: Program) -> Program:
    """Return the program with one loop in order where there were several."""
    names = Names.of(program)
    body = tuple(s for stmt in program.body for s in _statement(stmt, names))
    changed = len(body) != len(program.body) or any(
        a is not b for a, b in zip(body, program.body, strict=True)
    )
    return replace(program, body=body) if changed else program


def _statement(stmt: Stmt, names: Names) -> tuple[Stmt, ...]:
    block = leaves((stmt,)) if isinstance(stmt, For) else ()
    if max((len(leaf.levels) for leaf in block), default=0) < 2:
        return (stmt,)
    found: list[Leaf] = []
    return _nested(found, 0) if _order(block, dependences(block), names, found) else (stmt,)


def _order(block: Sequence[Leaf], edges: Sequence[Edge], names: Names, found: list[Leaf]) -> bool:
    """Add the leaves of a block in their new loops; False: they have those that they had."""
    changed = False
    for group in groups(block, edges):
        carrying = set(group.carrying)
        if len(carrying) < 2:
            found += group.leaves
            continue
        depth = min(carrying)
        times = timing(group.leaves, depth)
        moved = [] if times is None else _moved(group.leaves, depth, times, names)
        if moved:
            found += moved
            changed = True
        else:
            inside = [e for e in group.edges if e.level != depth]
            changed |= _order(group.leaves, inside, names, found)
    return changed


# One loop in order


def _moved(group: Sequence[Leaf], depth: int, times: Timing, names: Names) -> list[Leaf]:
    """Return leaves in the loops that run by their times, in order; none: its ends are unknown."""
    chosen = [leaf.levels[d].index for leaf, d in zip(group, times.depths, strict=True)]
    name = _name(group, chosen, names)
    inner = [{x.index.name: x.index for x in leaf.levels[depth:]} for leaf in group]
    ends = [
        bounds(IndexRef(index.name), ranges) for index, ranges in zip(chosen, inner, strict=True)
    ]
    low = _widest("min", [e.low for e in ends])
    high = _widest("max", [e.high for e in ends])
    if low is None or high is None:
        return []
    time = Index(name, to_expr(low), to_expr(high + Affine(1)), written=True)
    up = group[0].levels[depth].index.step > 0
    level = Level(time if up else backwards(time), (*group[0].levels[depth].key, -1))
    found = [_in_time(group[n], depth, times.depths[n], time, level) for n in times.order]
    return [] if None in found else [leaf for leaf in found if leaf is not None]


def _name(group: Sequence[Leaf], chosen: Sequence[Index], names: Names) -> str:
    """Return a name for the time that no statement uses for another index."""
    others = {
        n
        for leaf, own in zip(group, chosen, strict=True)
        for n in (*(x.index.name for x in leaf.levels), *_inside(leaf))
        if n != own.name
    }
    free = next((index.name for index in chosen if index.name not in others), None)
    return free or fresh_name(chosen[0].name, others | names.taken)


def _inside(leaf: Leaf) -> list[str]:
    """Return the names of the indices that reductions in a statement bind."""
    sums = (n for part in (leaf.update, *leaf.guards) for n in walk(part) if isinstance(n, Reduce))
    return [index.name for each in sums for index in each.indices]


def _in_time(leaf: Leaf, depth: int, chosen: int, time: Index, level: Level) -> Leaf | None:
    """Return a leaf whose loop at the depth `chosen` is that of the time, outside of the others.

    None: the time has values at which nothing of the leaf runs, which only a guard would tell.
    """
    index = ascending(leaf.levels[chosen].index)
    assert index.start is not None
    assert index.stop is not None
    value: Mapping[str, Expr] = {index.name: IndexRef(time.name)}
    rest = [x for n, x in enumerate(leaf.levels) if n >= depth and n != chosen]
    ranges = {x.index.name: x.index for x in leaf.levels[:depth]}
    ranges |= {time.name: time}
    ranges |= {x.index.name: substitute(x.index, value) for x in rest}
    guards = [substitute(g, value) for g in leaf.guards]
    here = IndexRef(time.name)
    for condition in (Call("ge", (here, index.start)), Call("lt", (here, index.stop))):
        ranges = {**tighten(ranges, condition), time.name: time}
        if not always_holds(condition, ranges):
            if {*free_indices(condition)}.isdisjoint(x.index.name for x in rest):
                return None
            guards.append(condition)
    own = tuple(
        Level(_like(x.index, ranges[x.index.name]), (*x.key, -1, leaf.number)) for x in rest
    )
    return replace(
        leaf,
        update=substitute(leaf.update, value),
        levels=(*leaf.levels[:depth], level, *own),
        guards=tuple(guards),
        refs=(),
    )


def _like(old: Index, new: Index) -> Index:
    """Return a range in the direction of another one."""
    return new if (new.step > 0) == (old.step > 0) else backwards(new)


def _widest(fn: str, ends: Sequence[Expr | None]) -> Affine | None:
    """Return the least or the largest of the ends of ranges, if all of them are known."""
    best: Affine | None = None
    for end in ends:
        form = None if end is None else affine(end)
        if form is None:
            return None
        larger, smaller = (form, best) if fn == "max" else (best, form)
        if best is None or larger is None or smaller is None or at_least(larger, smaller):
            best = form
        elif not at_least(smaller, larger):
            best = affine(Call(fn, (to_expr(best), to_expr(form))))
    return best


# Back to loops


def _nested(block: Sequence[Leaf], depth: int) -> tuple[Stmt, ...]:
    """Return leaves one after the other in their loops, in one where neighbours share it."""
    found: list[Stmt] = []
    runs: list[list[Leaf]] = []
    for leaf in block:
        key = leaf.levels[depth].key if len(leaf.levels) > depth else None
        before = runs[-1][-1].levels[depth : depth + 1] if runs else ()
        if key is not None and before and before[0].key == key:
            runs[-1].append(leaf)
        else:
            runs.append([leaf])
    for run in runs:
        (leaf, *_) = run
        if len(run) == 1:
            rest = tuple(x.index for x in leaf.levels[depth:])
            guard = conjunction(*leaf.guards) if leaf.guards else None
            plain = not rest and guard is None
            found.append(leaf.update if plain else For(rest, guard, (leaf.update,)))
        else:
            found.append(For((leaf.levels[depth].index,), None, _nested(run, depth + 1)))
    return tuple(found)
