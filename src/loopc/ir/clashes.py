"""What is said of two axes that must have the same size and have not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from loopc.diagnostics import catalogue
from loopc.diagnostics.errors import Diagnostic
from loopc.ir.nodes import Access, For, Index, IndexRef, Node, Program, Reduce, Subscript
from loopc.ir.visit import children

Axis = tuple[str, int]
"""An axis of an array."""


def clash(program: Program, a: tuple[str, int, int], b: tuple[str, int, int]) -> Diagnostic:
    """Report two axes (array, axis, size) that must have the same size and have not."""
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
        repair=_repair(program, a, b, _name(here)),
    )


def _repair(program: Program, a: tuple[str, int, int], b: tuple[str, int, int], index: str) -> str:
    """Return what to do: one of the indices that make the two axes one runs over a part alone."""
    links = _links(program, a[:2], b[:2])
    smaller = min(a[2], b[2])
    if len(links) < 2:
        return f"if one of them is longer on purpose, write the range: `for {index} < {smaller}: …`"
    said = ", ".join(f"`{name}` (of `{one}` and `{two}`)" for name, one, two in links)
    nearest = links[-1 if b[2] == smaller else 0][0]
    which = "give the one that runs over a part alone its range"
    return f"they are one by {said}: {which}, e.g. `for {nearest} < {smaller}: …`"


def _links(program: Program, start: Axis, stop: Axis) -> list[tuple[str, str, str]]:
    """Return the indices without a range that lead from one axis to the other.

    Each with the arrays before and behind it; nothing if no indices do.
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
    return paths.get(stop, [])


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
