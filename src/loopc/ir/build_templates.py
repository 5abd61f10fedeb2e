"""Accesses with open axes, which calls fill in, and maps over trees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from loopc.ir.build_names import plain_name, tree_walk
from loopc.syntax import tree

Access = tree.Name | tree.Bracket


def written(body: Iterable[tree.Statement]) -> dict[str, None]:
    """Return the names that statements assign, in order."""
    nodes = (n for s in body for n in tree_walk(s) if isinstance(n, tree.Assign))
    return {plain_name(t.name): None for n in nodes for t in n.targets}


def mapped(node: Any, f: Any) -> Any:
    """Apply `f` to the nodes directly below; the node itself where nothing changes."""
    changes: dict[str, Any] = {}
    for name in node.__dataclass_fields__:
        if name in ("span", "above", "behind", "blank"):
            continue
        value = getattr(node, name)
        new = mapped_value(value, f)
        if new is not value:
            changes[name] = new
    return replace(node, **changes) if changes else node


def mapped_value(value: Any, f: Any) -> Any:
    """Apply `f` to a node, or to those of a tuple."""
    if isinstance(value, tree.Node):
        return f(value)
    if isinstance(value, tuple) and value:
        items = tuple(mapped_value(v, f) for v in value)
        return items if any(a is not b for a, b in zip(items, value, strict=True)) else value
    return value


def opened(access: Access, rank: int) -> Access | None:
    """Return an access with `rank` open axes `:`; a bare name is a whole array."""
    if isinstance(access, tree.Name):
        if rank == 0:
            return access
        return tree.Bracket(access.name, (tree.Whole(),) * rank, span=access.span)
    return access if len(list(wholes(access))) == rank else None


def wholes(access: Access) -> Iterator[int]:
    """Yield the places of an access's open axes."""
    if isinstance(access, tree.Bracket):
        yield from (n for n, item in enumerate(access.items) if isinstance(item, tree.Whole))


def filled(access: Access, indices: list[tree.Name]) -> Access:
    """Put one subscript per open axis into an access."""
    filled = filled_with(access, tuple(indices))
    assert filled is not None
    return filled


def filled_with(access: Access, items: tuple[Any, ...]) -> Access | None:
    """Put subscripts into the open axes of an access; None if there are more or fewer."""
    places = list(wholes(access))
    if len(places) != len(items):
        return None
    if not isinstance(access, tree.Bracket):
        return access
    new = list(access.items)
    for place, item in zip(places, items, strict=True):
        new[place] = item
    return replace(access, items=tuple(new))


def appended(access: Access, items: tuple[Any, ...]) -> Access:
    """Put subscripts behind those of the calling loops."""
    own = access.items if isinstance(access, tree.Bracket) else ()
    return tree.Bracket(access.name, (*own, *items), span=access.span)


def index_name(item: Any) -> str | None:
    """Return the name of an item that is an index of a reduction."""
    match item:
        case tree.Name(name) | tree.Index(name) | tree.Compare(tree.Name(name)):
            return name
        case _:
            return None
