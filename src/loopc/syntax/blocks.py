"""Newlines and indentation as tokens.

Inside brackets a newline is a space. Elsewhere it ends a statement, and a change of indentation
opens or closes a block, as in Python. `;` ends a statement and starts no line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from loopc.diagnostics import catalogue
from loopc.diagnostics.errors import Diagnostic
from loopc.diagnostics.span import Source, Span

DEPTH_LIMIT = 60
"""How deep brackets and blocks may nest."""

LENGTH_LIMIT = 2000
"""Words of one statement."""

_OPEN = {"LPAR": "RPAR", "LSQB": "RSQB"}
_STARTS = frozenset({"FOR", "DEF", "USE", "BACKWARD", "DIM", "INPUT", "PARAM", "OUTPUT"})
"""Words that no expression contains: at the head of a line they end an unclosed bracket."""

_CHAINED = frozenset({"NOT", "POW", "COLON"})
"""Tokens that nest without brackets."""


class TokenLike(Protocol):
    """What is needed of the lexer's tokens."""

    type: str
    value: str
    start_pos: int | None
    end_pos: int | None

    def update(self, type: str | None = None, value: str | None = None) -> TokenLike:
        """Return the token with another type or text."""
        ...


@dataclass
class Blocks:
    """Turns the lexer's tokens into the parser's, and reports what cannot be right."""

    source: Source
    found: list[Diagnostic] = field(default_factory=list)
    brackets: list[TokenLike] = field(default_factory=list)
    indents: list[int] = field(default_factory=list)
    chained: int = 0
    words: int = 0

    def process(self, tokens: Iterable[TokenLike]) -> Iterator[TokenLike]:
        """Yield the tokens with `_NEWLINE`, `_INDENT` and `_DEDENT` in their places."""
        pending: TokenLike | None = None
        last: TokenLike | None = None
        for token in tokens:
            if token.type == "_NEWLINE":
                if self.brackets and token.value == ";":
                    self._ended(token)
                if pending is None or token.value != ";":
                    pending = token
                continue
            if self.brackets and pending is not None:
                self._abandon(token, pending)
            if not self.brackets and (pending is not None or last is None):
                yield from self._line(token, pending, last)
            pending = None
            self._track(token)
            yield token
            last = token
        if last is None:
            return
        for bracket in self.brackets:
            self._never_closed(bracket)
        yield last.update("_NEWLINE", "\n")
        for _ in self.indents[1:]:
            yield last.update("_DEDENT", "")

    def _line(
        self, token: TokenLike, pending: TokenLike | None, last: TokenLike | None
    ) -> Iterator[TokenLike]:
        """Yield what stands between two statements."""
        self.chained = self.words = 0
        if last is None:
            self.indents.append(_width(self._margin(token)))
            return
        assert pending is not None
        yield last.update("_NEWLINE", pending.value)
        if pending.value == ";":
            return
        width = _width(pending.value[pending.value.rfind("\n") + 1 :])
        if width > self.indents[-1]:
            self.indents.append(width)
            if len(self.indents) > DEPTH_LIMIT:
                raise catalogue.error("L0002", self._span(token), limit=DEPTH_LIMIT)
            yield token.update("_INDENT", "")
            return
        while width < self.indents[-1] and len(self.indents) > 1:
            self.indents.pop()
            yield last.update("_DEDENT", "")
        if width != self.indents[-1]:
            self.found.append(catalogue.diagnostic("L0105", self._span(token)))

    def _margin(self, token: TokenLike) -> str:
        start = token.start_pos or 0
        return self.source.text[self.source.text.rfind("\n", 0, start) + 1 : start]

    def _track(self, token: TokenLike) -> None:
        """Follow brackets, what nests without them, and the length of the statement."""
        self.words += 1
        if self.words > LENGTH_LIMIT:
            raise catalogue.error("L0008", self._span(token), limit=LENGTH_LIMIT)
        if token.type in _OPEN:
            self.brackets.append(token)
            if len(self.brackets) > DEPTH_LIMIT:
                raise catalogue.error("L0002", self._span(token), limit=DEPTH_LIMIT)
        elif token.type in _OPEN.values():
            if self.brackets and _OPEN[self.brackets[-1].type] == token.type:
                self.brackets.pop()
            else:
                self._unmatched(token)
        elif token.type in _CHAINED:
            self.chained += 1
            if self.chained > DEPTH_LIMIT:
                raise catalogue.error("L0002", self._span(token), limit=DEPTH_LIMIT)

    def _unmatched(self, token: TokenLike) -> None:
        opened = [(self._span(b), "opened here") for b in self.brackets[-1:]]
        found = catalogue.diagnostic("L0104", self._span(token), also=opened, text=token.value)
        self.found.append(found)
        if self.brackets:
            self.brackets.pop()

    def _abandon(self, token: TokenLike, pending: TokenLike) -> None:
        """At a word that only a statement has, give up the brackets that are open."""
        if token.type in _STARTS and pending.value != ";":
            for bracket in self.brackets:
                self._never_closed(bracket)
            self.brackets.clear()

    def _ended(self, token: TokenLike) -> None:
        """Report a `;` inside brackets, which ends no statement there."""
        close = "`)`" if self.brackets[-1].type == "LPAR" else "`]`"
        repair = f"what stands in brackets is separated by `,`; {close} comes before a `;`"
        expected = f"`,` or {close}"
        found = catalogue.diagnostic(
            "L0101", self._span(token), found="`;`", expected=expected, repair=repair
        )
        self.found.append(found)

    def _never_closed(self, bracket: TokenLike) -> None:
        close = ")" if bracket.type == "LPAR" else "]"
        span = self._span(bracket)
        self.found.append(catalogue.diagnostic("L0103", span, text=bracket.value, close=close))

    def _span(self, token: TokenLike) -> Span:
        return Span(self.source, token.start_pos or 0, token.end_pos or 0)


def _width(margin: str) -> int:
    return len(margin.expandtabs(8))
