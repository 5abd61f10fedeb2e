"""What is said of sizes that do not fit: of two axes that must be equal, of an access outside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from loopc.diagnostics import catalogue
from loopc.diagnostics.errors import Diagnostic
from loopc.ir.nodes import Access, Extent, For, Index, IndexRef, Node, Program, Reduce, Subscript
from loopc.ir.sites import Site, used_ranges
from loopc.ir.unbuild_expr import expr_text
from loopc.ir.visit import children

Axis = tuple[str, int]
"""An axis of an array."""


Sized = tuple[str, int, int | str]
"""An axis and its size: a number, or how it is written."""


def clash(program: Program, a: Sized, b: Sized, smaller: int | str | None = None) -> Diagnostic:
    """Report two axes (array, axis, size) that must have the same size and have not.

    Args:
        program: in which.
        a: the one.
        b: the other.
        smaller: the smaller size, if they are no numbers.
    """
    here, there = _subscript_of(program, b[0], b[1]), _subscript_of(program, a[0], a[1])
    return catalogue.diagnostic(
        "L0204",
        None if here is None else here.span,
        label=f"size {b[2]} here",
        also=[(None if there is None else there.span, f"size {a[2]} here")],
        index=_name(here),
        first=a[2],
        first_array=a[0],
        second=b[2],
        second_array=b[0],
        repair=_repair(program, a, b, _name(here), smaller),
    )


def too_long(
    program: Program, array: str, axis: int, sizes: tuple[str, str]
) -> tuple[Diagnostic, str] | None:
    """Report an axis that is written further than an index without a range lets it be.

    Args:
        program: in which.
        array: that is written.
        axis: of it.
        sizes: what the writes would make of it, and what it has.

    Returns:
        The clash with the axis of an input that the index runs over, and the name of that input;
        None if there is none. Where the axis is declared, its own size is what does not fit.
    """
    shapes = {a.name: a.shape for a in program.arrays if a.kind != "temp"}
    end = next((end for end in _paths(program, (array, axis)) if end[0] in shapes), None)
    if end is None or array in shapes:
        return None
    shape = shapes[end[0]]
    own = sizes[1] if shape is None else expr_text(shape[end[1]])
    mine = sizes[0] if own == sizes[1] else sizes[1]
    return clash(program, (array, axis, mine), (*end, own), own), end[0]


def narrower(site: Site) -> str:
    """Return how an access is kept inside its array."""
    free = [n for n, i in used_ranges(site.at, site.ranges).items() if not i.written]
    modes = "`pad(…)` reads 0, `clamp(…)` the nearest cell, `wrap(…)` is periodic"
    if not free:
        return f"narrow the range, e.g. `range(1, N)`, or say what lies outside: {modes}"
    runs = f"`{free[0]}` has no range and runs over a whole axis: give it one"
    stop = site.ranges[free[0]].stop
    if site.write and isinstance(stop, Extent):
        return f"{runs}, `for {free[0]} < {stop.name}: …`; then `{site.access.array}` is longer"
    return f"{runs}, e.g. `for {free[0]} < N-1: …`, or say what lies outside: {modes}"


def _repair(
    program: Program, a: Sized, b: Sized, index: str, smaller: int | str | None = None
) -> str:
    """Return what to do: one of the indices that make the two axes one runs over a part alone."""
    links = _paths(program, a[:2]).get(b[:2], [])
    least = smaller if smaller is not None else min(int(a[2]), int(b[2]))
    if len(links) < 2:
        return f"if one of them is longer on purpose, write the range: `for {index} < {least}: …`"
    said = ", ".join(f"`{name}` (of `{one}` and `{two}`)" for name, one, two in links)
    nearest = links[-1 if b[2] == least else 0][0]
    which = "give the one that runs over a part alone its range"
    return f"they are one by {said}: {which}, e.g. `for {nearest} < {least}: …`"


def are_one(program: Program, a: Axis, b: Axis) -> bool:
    """Whether indices make two axes one, and not a declared dim alone."""
    return b in _paths(program, a)


def _paths(program: Program, start: Axis) -> dict[Axis, list[tuple[str, str, str]]]:
    """Return the axes that are one with `start`, and the indices without a range that lead there.

    Each index with the arrays before and behind it.
    """
    axes: dict[int, list[Axis]] = {}
    names: dict[int, str] = {}
    for axis, _, index in _subscripts(program, {}):
        if index is not None and not index.written:
            axes.setdefault(id(index), []).append(axis)
            names[id(index)] = index.name
    paths: dict[Axis, list[tuple[str, str, str]]] = {start: []}
    ends = [start]
    for end in ends:
        for number, group in axes.items():
            for other in group if end in group else ():
                if other not in paths:
                    paths[other] = [*paths[end], (names[number], end[0], other[0])]
                    ends.append(other)
    return paths


def _name(subscript: Subscript | None) -> str:
    at = None if subscript is None else subscript.at
    return at.name if isinstance(at, IndexRef) else "?"


def _subscript_of(program: Program, array: str, axis: int) -> Subscript | None:
    """Return a subscript of that axis to point at: an index without a range, if there is one."""
    found = [(s, i) for a, s, i in _subscripts(program, {}) if a == (array, axis)]
    alone = [(s, i) for s, i in found if isinstance(s.at, IndexRef)]
    whole = [s for s, i in alone if i is not None and not i.written]
    return next((s for s in (*whole, *(s for s, _ in (*alone, *found)))), None)


def _subscripts(
    node: Node, scope: Mapping[str, Index]
) -> Iterator[tuple[tuple[str, int], Subscript, Index | None]]:
    """Yield every subscript, its array and axis, and the index that stands alone in it."""
    if isinstance(node, Access):
        for axis, subscript in enumerate(node.subscripts):
            at = subscript.at
            own = scope.get(at.name) if isinstance(at, IndexRef) else None
            yield (node.array, axis), subscript, own
    if isinstance(node, For | Reduce):
        scope = {**scope, **{i.name: i for i in node.indices}}
    for child in children(node):
        yield from _subscripts(child, scope)
