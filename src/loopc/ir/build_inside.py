"""The body of a `def` with a call's arguments put in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from loopc.diagnostics.record import replace
from loopc.diagnostics.span import Span
from loopc.ir.build_names import plain_name, tree_walk
from loopc.ir.build_templates import (
    Access,
    Filling,
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
    values: Mapping[str, Filling]
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
        for node in tree_walk(self.function.body):
            if isinstance(node, tree.For):
                for index in node.indices:
                    self._rename(index.name, index.span)
            elif isinstance(node, tree.Bracket) and node.name in self.local:
                self.ranks[node.name] = len(node.items)
            elif isinstance(node, tree.Bracket) and self.expander.names.reduction(node.name):
                for item in node.items:
                    own = index_name(item)
                    if own is not None:
                        self._rename(own, item.span)
        loops = tree.Assign | tree.For | tree.If
        return [self.put(s) for s in self.function.body if isinstance(s, loops)]

    def _rename(self, name: str, span: Span | None) -> None:
        """Give an index a name that no calling loop has."""
        if name in self.renamed:
            return
        if name in self.values or name in self.local:
            self._refuse(name, span)
        clash = name in self.scope or any(
            isinstance(n, tree.Name) and n.name == name
            for access in self.values.values()
            for n in tree_walk(access)
        )
        self.renamed[name] = self.expander.fresh(name) if clash else name

    def _refuse(self, name: str, span: Span | None) -> None:
        """Report an index with the name of an argument, a result or a local array, once."""
        names, function = self.expander.names, self.function
        if any(d.code == "L0336" and d.span == span for d in names.found):
            return
        results = {r.name for r in function.results}
        what = "a result" if name in results else "a local name"
        if any(p.name == name for p in function.params):
            what = "an argument"
        names.report("L0336", span, name=name, what=what, function=function.name)

    def put(self, node: Any) -> Any:
        """Replace formals, results and locals by what they stand for."""
        match node:
            case tree.Index(name):
                inner = mapped(node, self.put)
                return replace(inner, name=self.renamed.get(name, name))
            case tree.Name(name):
                return self._name(node, plain_name(name))
            case tree.Bracket(name):
                return self._bracket(node, plain_name(name))
            case _:
                return mapped(node, self.put)

    def _bracket(self, node: tree.Bracket, name: str) -> tree.Expr:
        inside = mapped(node, self.put)
        filled: Access | None = None
        if name in self.values:
            value = self.values[name]
            filled = filled_with(value, inside.items) if isinstance(value, Access) else None
        elif name in self.local:
            filled = appended(self.local[name], inside.items)
        else:
            return inside  # type: ignore[no-any-return]
        if filled is None:
            what = f"uses `{node.name}` with {len(node.items)} subscript(s)"
            self.expander.wrong(self.function, node.span, what)
            return tree.Number("0", span=node.span)
        return replace(filled, span=node.span)

    def _name(self, node: tree.Name, name: str) -> tree.Expr:
        if name in self.renamed:
            return replace(node, name=self.renamed[name])
        if name in self.values:
            return replace(self.values[name], span=node.span)
        if name not in self.local:
            return node
        rank = self.ranks.get(name, 0)  # its axes stand behind those of the loops
        access = self.local[name]
        whole = appended(access, (tree.Whole(),) * rank) if rank else access
        return replace(whole, span=node.span)
