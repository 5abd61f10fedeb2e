"""Accesses with open axes, which calls fill in, and maps over trees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from dataclasses import replace as replaced
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
class Linear:
    """A dim of a formal's shape: `D`, `4*D`, `D+1`, `2*D-1`."""

    dim: str
    factor: tree.Number | None = None
    sign: str = ""
    offset: tree.Number | None = None

    @property
    def is_plain(self) -> bool:
        """Whether the extent is the dim itself."""
        return self.factor is None and self.offset is None

    def solved(self, extent: tree.Name) -> tree.Group:
        """Return the dim for an extent of the shape."""
        part: tree.Expr = extent
        if self.offset is not None:
            opposite = "-" if self.sign == "+" else "+"
            part = tree.Group((_chain(part, opposite, self.offset),), span=extent.span)
        if self.factor is not None:
            part = _chain(part, "//", self.factor)
        return tree.Group((part,), span=extent.span)


def _chain(a: tree.Expr, op: str, b: tree.Expr) -> tree.Chain:
    return tree.Chain((tree.Operand("", 0, a), tree.Operand(op, 0, b)), span=a.span)


def linear(dim: Any) -> Linear | None:
    """Return a formal's dim as a multiple of a name and a number; None if it is anything else."""
    match dim:
        case tree.Name(name):
            return Linear(name)
        case tree.Chain((tree.Operand(_, 0, a), tree.Operand(op, 0, b))):
            name_first = (a, b) if isinstance(b, tree.Number) else (b, a)
            part, number = name_first
        case _:
            return None
    inner = linear(part)
    if inner is None or not isinstance(number, tree.Number):
        return None
    if op in ("*", "") and inner.is_plain:
        return replaced(inner, factor=number)
    if inner.offset is None and (op == "+" or (op == "-" and number is b)):
        return replaced(inner, sign=op, offset=number)
    return None
