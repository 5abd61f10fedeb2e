"""The grammar's rules as tree nodes: one method per rule, called while the parser reduces.

Each method gets the values of its rule's symbols: tokens and nodes, in order.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from lark import Token, Transformer

from loopc.diagnostics.span import Source, Span
from loopc.syntax import tree

_LAYOUT = ("_NEWLINE", "_INDENT", "_DEDENT")
_SPELLINGS = {"≤": "<=", "≥": ">=", "≠": "!=", "−": "-", "−=": "-=", "·": "*", "×": "*", "∗": "*"}


class BuildTree(Transformer[Token, Any]):
    """Makes tree nodes with spans in the current thread's source."""

    def __init__(self) -> None:
        super().__init__()
        self._local = threading.local()

    def read(self, source: Source) -> None:
        """Make the spans of this thread's next nodes point into `source`."""
        self._local.source = source

    def _span(self, children: Sequence[Any]) -> Span | None:
        source: Source = self._local.source
        places = [p for p in map(_place, children) if p is not None]
        return Span(source, places[0][0], places[-1][1]) if places else None

    # Statements

    def start(self, children: list[Any]) -> tree.Module:
        return tree.Module(tuple(children), span=self._span(children))

    def line(self, children: list[Any]) -> Any:
        return children[0]

    def for_plain(self, children: list[Any]) -> tree.For:
        _, indices, assign, _ = children
        return tree.For(tuple(indices), None, (assign,), True, span=self._span(children[:-1]))

    def for_block(self, children: list[Any]) -> tree.For:
        indices, guard = children[1], None
        if not isinstance(children[2], Token):
            guard = children[2]
        body, inline = children[-1]
        return tree.For(
            tuple(indices), guard, body, inline, span=self._span([*children[:-1], *body])
        )

    def if_block(self, children: list[Any]) -> tree.If:
        body, inline = children[-1]
        return tree.If(children[1], body, inline, span=self._span([*children[:-1], *body]))

    def def_block(self, children: list[Any]) -> tree.Def:
        declared = [c for c in children if isinstance(c, tree.Declared)]
        arrow = next(n for n, c in enumerate(children) if _is(c, "ARROW"))
        before = sum(isinstance(c, tree.Declared) for c in children[:arrow])
        return tree.Def(
            str(children[1]),
            tuple(declared[:before]),
            tuple(declared[before:]),
            children[-1][0],
            span=self._span([*children[:-1], *children[-1][0]]),
        )

    def guard(self, children: list[Any]) -> Any:
        return children[1]

    def body(self, children: list[Any]) -> tuple[tuple[tree.Statement, ...], bool]:
        inline = not isinstance(children[0], Token)
        return tuple(c for c in children if not isinstance(c, Token)), inline

    def plain(self, children: list[Any]) -> list[tree.Index]:
        indices: list[tree.Index] = []
        for child in children:
            if isinstance(child, list):
                indices.extend(child)
            elif isinstance(child, tree.Index):
                indices.append(child)
        return indices

    ranged = plain

    def plain_index(self, children: list[Any]) -> tree.Index:
        return tree.Index(str(children[0]), span=self._span(children))

    def bound_index(self, children: list[Any]) -> tree.Index:
        name, relation, bound = children
        return tree.Index(str(name), _spelling(relation), bound, span=self._span(children))

    bound_in = bound_index

    def assign(self, children: list[Any]) -> tree.Assign:
        *targets, op, value = children
        names = tuple(t for t in targets if not isinstance(t, Token))
        return tree.Assign(names, _spelling(op), value, span=self._span(children))

    def target(self, children: list[Any]) -> tree.Name | tree.Bracket:
        if len(children) == 1:
            return tree.Name(str(children[0]), span=self._span(children))
        return self.bracket(children)

    def declare(self, children: list[Any]) -> tree.Declare:
        items = tuple(c for c in children if isinstance(c, tree.Declared))
        return tree.Declare(str(children[0]), items, span=self._span(children))

    def declared(self, children: list[Any]) -> tree.Declared:
        shaped, dtype, value, typed = children[0], "", None, None
        for mark, child in zip(children[1::2], children[2::2], strict=True):
            if mark.type == "COLON":
                dtype, typed = str(child), self._span([child])
            else:
                value = child
        span = self._span(children)
        return tree.Declared(shaped.name, shaped.dims, dtype, value, typed, span=span)

    def shaped(self, children: list[Any]) -> tree.Declared:
        dims = None
        if len(children) > 1:
            dims = tuple(c for c in children[1:] if not isinstance(c, Token))
        return tree.Declared(str(children[0]), dims, span=self._span(children))

    def use(self, children: list[Any]) -> tree.Use:
        quoted = _is(children[1], "STRING")
        target = str(children[1])[1:-1] if quoted else str(children[1])
        return tree.Use(target, quoted, span=self._span(children))

    def backward(self, children: list[Any]) -> tree.Backward:
        words = [c for c in children if _is(c, "NAME")]
        named = next((n for n, c in enumerate(children) if _is(c, "AS")), None)
        name = "" if named is None else str(children[named + 1])
        if named is not None:
            words = [w for w in words if w is not children[named + 1]]
        of, *wrt = map(str, words)
        places = tuple(self._span([w]) for w in words)
        return tree.Backward(of, tuple(wrt), name, places, span=self._span(children))

    # Expressions

    def disjunction(self, children: list[Any]) -> tree.Logic:
        return tree.Logic("or", tuple(children[::2]), span=self._span(children))

    def all_of(self, children: list[Any]) -> tree.Logic:
        return tree.Logic("and", tuple(children[::2]), span=self._span(children))

    def negation(self, children: list[Any]) -> tree.Not:
        return tree.Not(children[1], span=self._span(children))

    def compare(self, children: list[Any]) -> tree.Compare:
        rest = zip(map(_spelling, children[1::2]), children[2::2], strict=True)
        return tree.Compare(children[0], tuple(rest), span=self._span(children))

    def chain(self, children: list[Any]) -> tree.Chain:
        operands = [tree.Operand("", 0, children[0], span=self._span(children[:1]))]
        for op, expr in zip(children[1::2], children[2::2], strict=True):
            operands.append(tree.Operand(_spelling(op), 0, expr, span=self._span([expr])))
        return tree.Chain(tuple(operands), span=self._span(children))

    def product(self, children: list[Any]) -> tree.Chain:
        operands: list[tree.Operand] = []
        op = ""
        for child in children:
            if isinstance(child, Token):
                op = _spelling(child)
                continue
            operands.append(self._operand(op or _adjacent(operands, child), child))
            op = ""
        return tree.Chain(tuple(operands), span=self._span(children))

    def _operand(self, op: str, child: tree.Expr) -> tree.Operand:
        """A factor, with the signs in front of it taken in."""
        if isinstance(child, tree.Chain) and len(child.operands) == 1:
            only = child.operands[0]
            return tree.Operand(op, only.negations, only.expr, span=child.span)
        return tree.Operand(op, 0, child, span=child.span)

    def minus(self, children: list[Any]) -> tree.Chain:
        inner = self._operand("", children[1])
        operand = tree.Operand("", inner.negations + 1, inner.expr, span=self._span(children))
        return tree.Chain((operand,), span=self._span(children))

    def plus(self, children: list[Any]) -> Any:
        return children[1]

    def raised(self, children: list[Any]) -> tree.Power:
        return tree.Power(children[0], children[2], span=self._span(children))

    def number(self, children: list[Any]) -> tree.Number:
        return tree.Number(str(children[0]), span=self._span(children))

    def name(self, children: list[Any]) -> tree.Name:
        return tree.Name(str(children[0]), span=self._span(children))

    def primed(self, children: list[Any]) -> tree.Name:
        text = str(children[0]).replace("′", "'")
        stem = text.rstrip("'")
        return tree.Name(stem, len(text) - len(stem), span=self._span(children))

    def bracket(self, children: list[Any]) -> tree.Bracket:
        items, guard = children[2]
        return tree.Bracket(str(children[0]), items, guard, span=self._span(children))

    def group(self, children: list[Any]) -> tree.Group:
        items = tuple(c for c in children if not isinstance(c, Token))
        return tree.Group(items, span=self._span(children))

    def items(self, children: list[Any]) -> tuple[tuple[Any, ...], Any]:
        written = [c for c in children if not isinstance(c, Token)]
        commas = sum(_is(c, "COMMA") for c in children)
        has_guard = len(written) > commas + 1
        guard = written.pop() if has_guard else None
        return tuple(written), guard

    def whole(self, children: list[Any]) -> tree.Whole:
        return tree.Whole(span=self._span(children))


def _is(child: Any, kind: str) -> bool:
    return isinstance(child, Token) and child.type == kind


def _spelling(token: Token) -> str:
    return _SPELLINGS.get(str(token), str(token))


def _place(child: Any) -> tuple[int, int] | None:
    if isinstance(child, Token):
        if child.type in _LAYOUT:
            return None
        return child.start_pos or 0, child.end_pos or 0
    span = getattr(child, "span", None)
    if span is not None:
        return span.start, span.stop
    if isinstance(child, list) and child:
        first, last = _place(child[0]), _place(child[-1])
        return (first[0], last[1]) if first and last else None
    return None


def _adjacent(operands: list[tree.Operand], child: tree.Expr) -> str:
    """`()` for a bracket that follows a name or a `]` without a space: it looks like a call."""
    if not operands or not isinstance(child, tree.Group):
        return ""
    before = operands[-1].expr
    if (
        not isinstance(before, tree.Name | tree.Bracket)
        or before.span is None
        or child.span is None
    ):
        return ""
    return "()" if before.span.stop == child.span.start else ""
