"""The body of a `def` with a call's arguments put in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from loopc.ir.build_names import plain_name, tree_walk
from loopc.ir.build_templates import (
    Access,
    appended,
    filled_with,
    index_name,
    mapped,
    written,
)
from loopc.syntax import tree

if TYPE_CHECKING:
    from loopc.ir.build_calls import Expander


@dataclass
class Inside:
    """A body with its names put in."""

    expander: Expander
    function: tree.Def
    values: Mapping[str, Access]
    scope: tuple[str, ...]
    local: dict[str, Access] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    ranks: dict[str, int] = field(default_factory=dict)

    def body(self) -> list[tree.Statement]:
        """Return the statements of the body."""
        for name in written(self.function.body):
            if name not in self.values:
                span = self.function.span
                self.local[name] = self.expander.cell(name, self.scope, span)
                self.ranks[name] = 0
        for node in tree_walk(self.function.body):
            if isinstance(node, tree.Bracket) and plain_name(node.name) in self.ranks:
                self.ranks[plain_name(node.name)] = len(node.items)
            if isinstance(node, tree.For):
                for index in node.indices:
                    self._rename(index.name)
            elif isinstance(node, tree.Bracket) and self.expander.names.reduction(node.name):
                for item in node.items:
                    own = index_name(item)
                    if own is not None:
                        self._rename(own)
        loops = tree.Assign | tree.For | tree.If
        return [self.put(s) for s in self.function.body if isinstance(s, loops)]

    def _rename(self, name: str) -> None:
        """Give an index a name that no calling loop has."""
        if name in self.renamed or name in self.values:
            return
        clash = name in self.scope or any(
            isinstance(n, tree.Name) and n.name == name
            for access in self.values.values()
            for n in tree_walk(access)
        )
        self.renamed[name] = self.expander.fresh(name) if clash else name

    def put(self, node: Any) -> Any:
        """Replace formals, results and locals by what they stand for."""
        match node:
            case tree.Index(name):
                inner = mapped(node, self.put)
                return replace(inner, name=self.renamed.get(name, name))
            case tree.Name(name):
                return self._name(node, plain_name(name))
            case tree.Bracket(name, items):
                access = self._access(plain_name(name))
                inside = mapped(node, self.put)
                if access is None:
                    return inside
                local = plain_name(name) in self.local
                filled = (
                    appended(access, inside.items) if local else filled_with(access, inside.items)
                )
                if filled is None:
                    what = f"uses `{name}` with {len(items)} subscript(s)"
                    self.expander.wrong(self.function, node.span, what)
                    return tree.Number("0", span=node.span)
                return replace(filled, span=node.span)
            case _:
                return mapped(node, self.put)

    def _access(self, name: str) -> Access | None:
        if name in self.values:
            return self.values[name]
        return self.local.get(name)

    def _name(self, node: tree.Name, name: str) -> tree.Expr:
        if name in self.renamed:
            return replace(node, name=self.renamed[name])
        access = self._access(name)
        if access is not None and self.ranks.get(name):
            access = appended(access, (tree.Whole(),) * self.ranks[name])
        return node if access is None else replace(access, span=node.span)
