"""What to say where the parser stopped: the diagnostics of common mistakes."""

from __future__ import annotations

from collections.abc import Iterable

from lark import Token

from loopc.diagnostics import catalogue
from loopc.diagnostics.errors import Diagnostic
from loopc.diagnostics.span import Source, Span

_WORDS = {
    "FOR", "IN", "IF", "AND", "OR", "NOT", "DEF", "USE", "BACKWARD", "WRT", "AS", "DIM", "INPUT",
    "PARAM", "OUTPUT",
}  # fmt: skip
_SAID = {
    "NAME": "a name",
    "NUMBER": "a number",
    "STRING": 'a file name in `"…"`',
    "EQUAL": "`=`",
    "UPDATE": "`+=`",
    "COLON": "`:`",
    "RPAR": "`)`",
    "RSQB": "`]`",
    "LSQB": "`[`",
    "ARROW": "`->`",
    "_NEWLINE": "the end of the statement",
    "COMMA": "`,`",
}
_STATEMENTS = {"FOR", "DEF", "DIM"}


def explain(source: Source, tokens: list[Token], place: int, expected: Iterable[str]) -> Diagnostic:
    """Return the diagnostic for the token at which the parser stopped, and what could follow."""
    wanted = set(expected)
    at_end = place >= len(tokens)
    token = tokens[-1] if at_end else tokens[place]
    kind = "$END" if at_end else token.type
    span = _span(source, token, kind)
    line = _line(tokens, min(place, len(tokens) - 1))
    if kind == "_INDENT":
        return catalogue.diagnostic("L0110", span)
    if "_INDENT" in wanted and tokens[max(0, place - 1)].type == "_NEWLINE":
        return catalogue.diagnostic("L0109", span)
    if _lacks_colon(line, kind):
        return catalogue.diagnostic("L0106", span)
    word = _word(tokens, place, kind, wanted)
    if word is not None:
        return catalogue.diagnostic("L0108", _span(source, word, word.type), text=str(word))
    found = "the end of the line" if kind in ("_NEWLINE", "$END", "_DEDENT") else f"`{token}`"
    repair = _repair(kind, line, str(token))
    return catalogue.diagnostic(
        "L0101", span, found=found, expected=_expected(wanted), repair=repair
    )


def _span(source: Source, token: Token, kind: str) -> Span:
    start, stop = token.start_pos or 0, token.end_pos or 0
    if kind in ("_NEWLINE", "$END", "_DEDENT"):
        return Span(source, stop, stop)
    return Span(source, start, stop)


def _line(tokens: list[Token], place: int) -> list[Token]:
    """Return the tokens of the logical line up to `place`."""
    first = place
    while first > 0 and tokens[first - 1].type not in ("_NEWLINE", "_INDENT", "_DEDENT"):
        first -= 1
    return tokens[first : place + 1]


def _lacks_colon(line: list[Token], kind: str) -> bool:
    """Whether a `for` with a range or a guard runs on into its statement."""
    kinds = [t.type for t in line]
    if not kinds or kinds[0] != "FOR" or "COLON" in kinds:
        return False
    return kind in ("EQUAL", "UPDATE") and any(k in kinds for k in ("LT", "LE", "IN", "IF"))


def _word(tokens: list[Token], place: int, kind: str, wanted: set[str]) -> Token | None:
    """Return the reserved word that stands where a name is expected, if one does."""
    if kind in _WORDS and "NAME" in wanted:
        return tokens[place]
    before = tokens[place - 1] if 0 < place <= len(tokens) else None
    if before is None or before.type not in _WORDS:
        return None
    follows = ("EQUAL", "UPDATE", "LSQB", "COMMA", "_NEWLINE")
    return before if kind in follows and before.type not in ("IF", "NOT", "AND", "OR") else None


def _expected(wanted: set[str]) -> str:
    if wanted >= _STATEMENTS:
        return "a statement"
    if {"NAME", "NUMBER", "LPAR"} <= wanted and not wanted & {"PLUS_", "TIMES"}:
        return "an expression"
    if "TIMES" in wanted:
        closing = [_SAID[k] for k in ("RSQB", "RPAR", "COLON", "_NEWLINE") if k in wanted]
        return " or ".join(["an operator", *closing])
    named = [_SAID[k] for k in sorted(wanted) if k in _SAID]
    return " or ".join(named) or "something else"


def _repair(kind: str, line: list[Token], text: str) -> str:
    if kind == "EQUAL" and any(t.type in ("EQUAL", "UPDATE") for t in line[:-1]):
        return "a comparison is written `==`; each statement assigns once"
    if kind == "EQUAL":
        return "a comparison is written `==`"
    if kind == "COMPARE" and text in ("==", "!=", ">", ">="):
        return "a range is written `for i < N: …` or `for i in range(a, b): …`"
    if kind == "_NEWLINE" and line and line[0].type == "FOR":
        return "a statement, or `:` and an indented block, follows the indices"
    return "see `loopc explain-error L0101`, or docs/language.md"
