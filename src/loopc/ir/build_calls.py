"""Calls of `def`s, expanded in place: tree to tree.

A call's body stands under the calling loops, which is all that batching takes: a local array gets
an axis per calling loop, an argument `x[b,:]` fills the formal's subscripts in for its `:`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from loopc.diagnostics.record import replace
from loopc.diagnostics.span import Span
from loopc.ir.build_arguments import Arguments, Size
from loopc.ir.build_inside import Inside
from loopc.ir.build_names import Names, plain_name, tree_walk
from loopc.ir.build_templates import (
    Access,
    filled,
    mapped,
    opened,
    read_later,
)
from loopc.ir.visit import fresh_name
from loopc.syntax import tree
from loopc.syntax.printer import print_expr

Indices = tuple[str, ...]


@dataclass
class Expander:
    """Expands the calls of one program.

    Attributes:
        names: where findings go, and the defs.
        taken: the names of the program so far.
        aliases: dims of defs that a body uses as values: the axis of an array that each is.
        called: the defs that are called somewhere.
        later: what the statements after each assignment of the program read.
        sizes: what is to be checked: the name of an extent, what it is to be, and where.
        handed: arrays of which calls are given parts, and the first of these.
        kept: results of calls that no later statement reads, though the called body may.
        made: the arrays that calls make, and the formals of a declared type that they stand for.
        typed: inputs that are handed over as they are to formals of a declared type.
    """

    names: Names
    taken: set[str]
    writes: dict[str, int] = field(default_factory=dict)
    aliases: dict[str, tuple[str, int]] = field(default_factory=dict)
    stack: tuple[str, ...] = ()
    called: set[str] = field(default_factory=set)
    later: dict[int, frozenset[str]] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)
    sizes: list[tuple[str, tree.Expr, Size]] = field(default_factory=list)
    handed: dict[str, tree.Bracket] = field(default_factory=dict)
    made: dict[str, tree.Declared | None] = field(default_factory=dict)
    typed: list[tuple[Access, tree.Def, tree.Declared]] = field(default_factory=list)

    def module(self, body: tuple[tree.Statement, ...]) -> tuple[tree.Statement, ...]:
        """Return a program's statements without defs and calls."""
        for node in tree_walk(body):
            if isinstance(node, tree.Assign):
                for target in node.targets:
                    name = plain_name(target.name)
                    self.writes[name] = self.writes.get(name, 0) + 1
        kept = [s for s in body if not isinstance(s, tree.Def)]
        self.later = read_later(kept)
        return tuple(s for stmt in kept for s in self.statement(stmt, ()))

    # Statements

    def statement(self, stmt: tree.Statement, scope: Indices) -> list[tree.Statement]:
        """Expand the calls of a statement in the loops `scope`."""
        match stmt:
            case tree.For(indices, _, body):
                inner = (*scope, *(i.name for i in indices))
                return [self._with_body(stmt, body, inner)]
            case tree.If(_, body):
                return [self._with_body(stmt, body, scope)]
            case tree.Assign():
                return self._assign(stmt, scope)
            case _:
                return [stmt]

    def _with_body(
        self, stmt: tree.For | tree.If, body: tuple[tree.Statement, ...], scope: Indices
    ) -> tree.Statement:
        new = tuple(s for child in body for s in self.statement(child, scope))
        return stmt if new == body else replace(stmt, body=new, inline=False)

    def _assign(self, stmt: tree.Assign, scope: Indices) -> list[tree.Statement]:
        call = self._call_of(stmt.value)
        if call is not None:
            function, arguments = call
            return self._results(function, arguments, stmt, scope)
        before: list[tree.Statement] = []
        value = self.expr(stmt.value, scope, before)
        return [*before, stmt if value is stmt.value else replace(stmt, value=value)]

    # Expressions

    def _call_of(self, node: tree.Expr) -> tuple[tree.Def, tree.Group] | None:
        """Return the def and the arguments if an expression is one call."""
        match node:
            case tree.Chain(
                (
                    tree.Operand(_, 0, tree.Name(name, 0) as head),
                    tree.Operand(op, 0, tree.Group() as group),
                )
            ):
                if op in ("", "()") and name in self.names.defs:
                    return self.names.defs[name], whole_call(head, group)
            case _:
                pass
        return None

    def expr(self, node: Any, scope: Indices, before: list[tree.Statement]) -> Any:
        """Replace the calls in an expression by scalars that statements before it compute."""
        if isinstance(node, tree.Chain):
            node = self._chain(node, scope, before)
        return mapped(node, lambda child: self.expr(child, scope, before))

    def _chain(self, node: tree.Chain, scope: Indices, before: list[tree.Statement]) -> tree.Chain:
        operands: list[tree.Operand] = []
        for operand in node.operands:
            head = operands[-1] if operands else None
            argument = operand.expr
            group = argument.base if isinstance(argument, tree.Power) else argument
            called = head is not None and isinstance(head.expr, tree.Name) and not head.expr.primes
            if (
                called
                and head is not None
                and isinstance(head.expr, tree.Name)
                and head.expr.name in self.names.defs
                and operand.op in ("", "()")
                and isinstance(group, tree.Group)
            ):
                value: tree.Expr = self._scalar(
                    self.names.defs[head.expr.name], whole_call(head.expr, group), scope, before
                )
                if isinstance(argument, tree.Power):
                    value = tree.Power(value, argument.exponent, span=argument.span)
                operands[-1] = replace(head, expr=value)
                continue
            operands.append(operand)
        return (
            node if len(operands) == len(node.operands) else replace(node, operands=tuple(operands))
        )

    def _scalar(
        self, function: tree.Def, group: tree.Group, scope: Indices, before: list[tree.Statement]
    ) -> tree.Expr:
        """Compute a call inside an expression; return the access of its value."""
        if len(function.results) != 1 or function.results[0].dims:
            self.wrong(function, group.span, "gives no single number, as an expression needs")
            return tree.Number("0", span=group.span)
        cell = self.cell(function.results[0].name, scope, group.span)
        before.extend(self._expanded(function, group, [cell], scope))
        return cell

    # Calls

    def _results(
        self, function: tree.Def, group: tree.Group, stmt: tree.Assign, scope: Indices
    ) -> list[tree.Statement]:
        """Expand `targets op f(…)`."""
        if len(stmt.targets) != len(function.results):
            count = len(function.results)
            self.wrong(function, stmt.span, f"gives {count} result(s), not {len(stmt.targets)}")
            return []
        mentioned = {
            plain_name(n.name) for n in tree_walk(group) if isinstance(n, tree.Name | tree.Bracket)
        }
        cells: list[Access] = []
        copies: list[tree.Statement] = []
        for target, result in zip(stmt.targets, function.results, strict=True):
            rank = len(result.dims or ())
            whole = opened(target, rank)
            if whole is None:
                what = f"gives `{result.name}` with {rank} dimension(s)"
                self.wrong(function, target.span, what, result=_open(target.name, rank))
                return []
            name = plain_name(target.name)
            direct = stmt.op == "=" and self.writes.get(name, 0) == 1 and name not in mentioned
            if direct and name not in self.names.arrays:
                cells.append(whole)
                if name not in self.later.get(id(stmt), (name,)):
                    self.kept.add(name)
                continue
            cell = self.cell(result.name, scope, target.span, rank)
            cells.append(cell)
            indices = self.indices(rank)
            copy: tree.Statement = tree.Assign(
                (filled(whole, indices),), stmt.op, filled(cell, indices), span=stmt.span
            )
            if indices:
                copy = tree.For(
                    tuple(tree.Index(i.name) for i in indices), None, (copy,), True, span=stmt.span
                )
            copies.append(copy)
        return [*self._expanded(function, group, cells, scope), *copies]

    def _expanded(
        self, function: tree.Def, group: tree.Group, cells: list[Access], scope: Indices
    ) -> list[tree.Statement]:
        """Return the body of a call whose results go to `cells`."""
        self.called.add(function.name)
        if function.name in self.stack:
            self.names.report("L0321", group.span, name=function.name)
            return []
        before: list[tree.Statement] = []
        values = Arguments(self, function, scope).values(group, before)
        if values is None:
            return []
        for result, cell in zip(function.results, cells, strict=True):
            values[result.name] = cell
        body = Inside(self, function, values, scope).body()
        outer, self.stack = self.stack, (*self.stack, function.name)
        found = [s for stmt in body for s in self.statement(stmt, scope)]
        self.stack = outer
        return [*before, *found]

    # Names

    def fresh(self, name: str) -> str:
        """Return a name that the program does not have yet."""
        new = name if name not in self.taken else fresh_name(name, self.taken)
        self.taken.add(new)
        return new

    def cell(self, name: str, scope: Indices, span: Span | None, rank: int = 0) -> Access:
        """Return a new array with an axis per calling loop, at the loops' point; others open."""
        new = self.fresh(name)
        self.made[new] = None
        if not scope and not rank:
            return tree.Name(new, span=span)
        loops = tuple(tree.Name(i) for i in dict.fromkeys(scope))
        items: tuple[Any, ...] = (*loops, *(tree.Whole() for _ in range(rank)))
        return tree.Bracket(new, items, span=span)

    def indices(self, count: int) -> list[tree.Name]:
        """Return new names of loops."""
        return [tree.Name(self.fresh("ijkl"[n % 4])) for n in range(count)]

    def wrong_type(self, function: tree.Def, formal: tree.Declared, span: Span | None) -> None:
        """Report an argument that is not of the type that its formal is declared with."""
        self.wrong(function, span, f"takes `{formal.name}` as {formal.dtype}")

    def wrong(self, function: tree.Def, span: Span | None, what: str, *, result: str = "") -> None:
        """Report a call that does not fit its def; `result`: what it should be assigned to."""
        self.called.add(function.name)
        formals = ", ".join(_formal(p) for p in function.params)
        facts = {
            "name": function.name,
            "what": what,
            "usage": f"{result}{function.name}({formals})",
        }
        self.names.report("L0320", span, **facts)


def whole_call(head: tree.Name, group: tree.Group) -> tree.Group:
    """Return a call's arguments with the place of the whole call."""
    if head.span is None or group.span is None:
        return group
    return replace(group, span=head.span.to(group.span))


def _open(name: str, rank: int) -> str:
    return f"{name}[{', '.join([':'] * rank)}] = " if rank else f"{name} = "


def _formal(formal: tree.Declared) -> str:
    kind = f": {formal.dtype}" if formal.dtype else ""
    shape = f"[{', '.join(map(print_expr, formal.dims))}]" if formal.dims else ""
    return f"{formal.name}{shape}{kind}"
