"""Accesses with open axes, which calls fill in, and maps over trees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from loopc.diagnostics.record import replace
from loopc.ir.build_names import plain_name, tree_walk
from loopc.syntax import tree

Access = tree.Name | tree.Bracket
Filling = Access | tree.Number | tree.Group
"""What a formal of a `def` stands for: an access, a literal, or a part of an extent."""


def written(body: Iterable[tree.Statement]) -> dict[str, None]:
    """Return the names that statements assign, in order."""
    nodes = (n for s in body for n in tree_walk(s) if isinstance(n, tree.Assign))
    return {plain_name(t.name): None for n in nodes for t in n.targets}


def read_later(body: Iterable[tree.Statement]) -> dict[int, frozenset[str]]:
    """Return what the assignments after each assignment read, by the `id` of the latter."""
    leaves = [n for s in body for n in tree_walk(s) if isinstance(n, tree.Assign)]
    found: dict[int, frozenset[str]] = {}
    names: frozenset[str] = frozenset()
    for leaf in reversed(leaves):
        found[id(leaf)] = names
        parts = (leaf.value, *(t.items for t in leaf.targets if isinstance(t, tree.Bracket)))
        read = (n for n in tree_walk(parts) if isinstance(n, tree.Name | tree.Bracket))
        names |= {plain_name(n.name) for n in read}
    return found


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


@dataclass(frozen=True)
class Multiple:
    """A dim of a formal's shape: `D`, or `4*D`."""

    dim: str
    factor: tree.Number | None = None

    def solved(self, extent: tree.Name) -> tree.Group:
        """Return the dim for an extent of the shape."""
        assert self.factor is not None
        operands = (tree.Operand("", 0, extent), tree.Operand("//", 0, self.factor))
        return tree.Group((tree.Chain(operands, span=extent.span),), span=extent.span)


def multiple(dim: Any) -> Multiple | None:
    """Return a formal's dim as a multiple of a name; None if it is anything else."""
    match dim:
        case tree.Name(name):
            return Multiple(name)
        case tree.Chain((tree.Operand(_, 0, a), tree.Operand("*" | "", 0, b))):
            pair = (a, b) if isinstance(a, tree.Number) else (b, a)
            match pair:
                case (tree.Number() as factor, tree.Name(name)):
                    return Multiple(name, factor)
                case _:
                    return None
        case _:
            return None
