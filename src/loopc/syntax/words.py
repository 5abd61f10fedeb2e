"""What is wrong with single words: characters without a meaning, numbers that are none."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from loopc.diagnostics import catalogue
from loopc.diagnostics.errors import Diagnostic
from loopc.diagnostics.span import Source, Span
from loopc.syntax.blocks import TokenLike

LARGEST = 2**63 - 1
"""The largest integer that an array of integers holds."""

_DIGITS = 400
"""Digits beyond which a number is not read at all."""

_PYTHON = re.compile(r"[xXoObB][0-9a-fA-F_]+")

_REPAIRS = {
    "^": "a power is written `x**2`",
    "&": "write `and`",
    "|": "write `or`; an absolute value is `abs(x)`",
    "!": "write `not x`, or `!=`",
    "?": "write `where(c, a, b)`",
    "@": "a product of matrices is a loop: `for i,j,k  C[i,j] += A[i,k] B[k,j]`",
    '"': 'text in `"…"` stands in `use "file.loops"` alone, on one line',
    "'": "`f'` is the derivative of a function `f`; there is no other use of `'`",
    "{": "only round and square brackets have a meaning",
    "}": "only round and square brackets have a meaning",
    "$": "write the bare name",
    "\\": "inside brackets a newline is a space: no `\\` is needed",
    "_": "a name begins with a letter, and digits stand together: `1000`",
    "~": "`~` stands behind a letter: `s~`; a logical not is `not x`",
    "√": "write `sqrt(x)`",
    "∈": "write `in`",
    "←": "assign with `=`",
    "∑": "write `sum[k](…)`, or a loop with `+=`",
    "∏": "write `prod[k](…)`, or a loop with `*=`",
    "∞": "write `inf`",
    "∂": "write `backward L wrt x`, then `x.grad`",
    "∇": "write `backward L wrt x`, then `x.grad`",
}
_NAMES = "names are letters, digits, `_`, `~` and combining marks"


def check_words(
    source: Source, tokens: Sequence[TokenLike], unknown: Sequence[TokenLike]
) -> Iterator[Diagnostic]:
    """Yield what is wrong with the words of a text.

    Args:
        source: the text.
        tokens: the parser's tokens.
        unknown: the characters that the lexer left out.
    """
    yield from _unknown(source, unknown)
    for token in tokens:
        if token.type == "NUMBER":
            yield from _too_large(source, token)
        elif token.type == "NAME" and not token.value.isascii():
            yield from _numerals(source, token)
    for before, token in pairwise(tokens):
        if before.end_pos == token.start_pos and _is_malformed(before, token):
            start, stop = _runs(source, before, token)
            span = Span(source, start, stop)
            yield catalogue.diagnostic("L0113", span, text=span.text)


def _unknown(source: Source, unknown: Iterable[TokenLike]) -> Iterator[Diagnostic]:
    """Yield one diagnostic for each run of characters that mean nothing."""
    runs: list[list[int]] = []
    for token in unknown:
        start, stop = token.start_pos or 0, token.end_pos or 0
        if runs and runs[-1][1] == start:
            runs[-1][1] = stop
        else:
            runs.append([start, stop])
    for start, stop in runs:
        yield _meaningless(Span(source, start, stop))


def _meaningless(span: Span) -> Diagnostic:
    repair = _REPAIRS.get(span.text[0], _NAMES)
    return catalogue.diagnostic("L0102", span, text=span.text[:20], repair=repair)


def _numerals(source: Source, token: TokenLike) -> Iterator[Diagnostic]:
    """Yield the characters of a name that are neither letters nor digits: `x²`, `½`."""
    for offset, character in enumerate(token.value):
        if unicodedata.category(character) == "No":
            start = (token.start_pos or 0) + offset
            span = Span(source, start, start + 1)
            plain = unicodedata.normalize("NFKC", character)
            repair = f"write `**{plain}`" if plain.isdecimal() else _NAMES
            yield catalogue.diagnostic("L0102", span, text=character, repair=repair)
            return


def _too_large(source: Source, token: TokenLike) -> Iterator[Diagnostic]:
    text = token.value
    is_integer = text.isdigit()
    if len(text) <= _DIGITS:
        fits = int(text) <= LARGEST if is_integer else float(text) != float("inf")
        if fits:
            return
    span = Span(source, token.start_pos or 0, token.end_pos or 0)
    kind = "an integer" if is_integer else "a float"
    shown = text if len(text) <= 40 else f"{text[:20]}…"
    yield catalogue.diagnostic("L0004", span, text=shown, kind=kind)


def _is_malformed(before: TokenLike, token: TokenLike) -> bool:
    """Whether two words that touch are a number gone wrong: `1.2.3`, `x.5`, `0x10`."""
    if token.type == "NUMBER":
        return before.type in ("NUMBER", "NAME", "RSQB", "RPAR")
    if token.type != "NAME" or before.type != "NUMBER":
        return False
    if token.value in ("e", "E"):  # an exponent without digits: `1e`, `1e + x`
        return True
    return before.value == "0" and _PYTHON.fullmatch(token.value) is not None


def _runs(source: Source, before: TokenLike, token: TokenLike) -> tuple[int, int]:
    start = before.start_pos or 0
    if before.type in ("RSQB", "RPAR"):
        start = token.start_pos or 0
    return start, token.end_pos or 0
