"""Text to tree. The only place that knows lark, which is imported when a first text is parsed."""

from __future__ import annotations

import hashlib
import json
import threading
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from itertools import islice
from typing import Any

from lark import Lark, Token, UnexpectedToken
from lark import __version__ as lark_version
from lark.lexer import Lexer, LexerThread

from loopc.diagnostics import catalogue
from loopc.diagnostics.errors import Diagnostic
from loopc.diagnostics.record import record, replace
from loopc.diagnostics.span import Source, Span
from loopc.syntax import tree
from loopc.syntax.automaton import Automaton
from loopc.syntax.blocks import Blocks
from loopc.syntax.build_tree import BuildTree
from loopc.syntax.comments import Comment, attach
from loopc.syntax.mistakes import explain
from loopc.syntax.stop import LAYOUT, Stop
from loopc.syntax.words import check_words

SIZE_LIMIT = 10_000_000
"""Characters of a text."""

UNKNOWN_LIMIT = 500
"""Characters without a meaning beyond which a text is not read on: it is no program."""

ERROR_LIMIT = 20
"""Syntax errors that are reported of one text."""

_HIDDEN = frozenset("\u200b\u200c\u200d\u2060\ufeff\u00ad\u061c\u200e\u200f\x00") | {
    chr(n) for n in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
}

_ignored = threading.local()
"""What the lexer leaves out of one text: `comments`, and `unknown` characters."""


def _keep_comment(token: Token) -> Token:
    _ignored.comments.append(token)
    return token


def _keep_unknown(token: Token) -> Token:
    _ignored.unknown.append(token)
    if len(_ignored.unknown) > UNKNOWN_LIMIT:
        raise next(iter(map(catalogue.raised, check_words(_ignored.source, (), _ignored.unknown))))
    return token


_CALLBACKS = {"COMMENT": _keep_comment, "UNKNOWN": _keep_unknown}


def grammar_text() -> str:
    """Return the text of the grammar."""
    return (files("loopc.grammar") / "loops.lark").read_text(encoding="utf-8")


def tables_key(text: str) -> str:
    """Return what saved tables must have been made from."""
    return hashlib.sha256(f"{lark_version}\n{text}".encode()).hexdigest()


def build_lark(transformer: BuildTree | None = None) -> Lark:
    """Return a parser made from the grammar; without a transformer, one to be saved."""
    return Lark(
        grammar_text(),
        parser="lalr",
        lexer="basic",
        keep_all_tokens=True,
        start=["start", "expr"],
        transformer=transformer,
        lexer_callbacks={} if transformer is None else _CALLBACKS,
    )


@record()
class _Machine:
    """A parser: lark itself would make a new lexer for every text."""

    lark: Lark
    automaton: Automaton
    lexer: Lexer
    transformer: BuildTree


@lru_cache(maxsize=1)
def _machine() -> _Machine:
    transformer = BuildTree()
    saved = saved_tables()
    if saved is None or saved["key"] != tables_key(grammar_text()):
        lark = build_lark(transformer)
        return _Machine(lark, Automaton(lark), lark._build_lexer(), transformer)
    lark = Lark._load_from_dict(  # type: ignore[no-untyped-call]
        saved["data"],
        saved["memo"],
        transformer=transformer,
        lexer_callbacks=_CALLBACKS,
    )
    return _Machine(lark, Automaton(lark), lark._build_lexer(), transformer)


def saved_tables() -> dict[str, Any] | None:
    """Return what `make tables` saved: `key`, `data` and `memo`; None if nothing is there."""
    file = files("loopc.grammar") / "tables.json"
    if not file.is_file():
        return None
    tables: dict[str, Any] = json.loads(file.read_bytes(), object_pairs_hook=_with_numbers)
    return tables


def _with_numbers(pairs: list[tuple[str, Any]]) -> dict[Any, Any]:
    """Make numbers of the keys that JSON made strings of."""
    return {int(key) if key.isdecimal() else key: value for key, value in pairs}


def parse(source: Source) -> tree.Module:
    """Return the tree of a program.

    Raises:
        ParseError: L01xx, with all further syntax errors in `others`. LimitError: L0001, L0002.
    """
    module, found = parse_collecting(source)
    catalogue.raise_all(found)
    return module


def parse_collecting(source: Source) -> tuple[tree.Module, list[Diagnostic]]:
    """Return the tree of what can be parsed, and the syntax errors of the rest.

    A line that is wrong is left out; a block whose head is wrong keeps its statements.
    """
    source = Source(source.name, normalised(source.text), source.folder)
    if len(source.text) > SIZE_LIMIT:
        raise catalogue.error("L0001", size=len(source.text), limit=SIZE_LIMIT)
    found = list(_hidden(source))
    if found:
        return tree.Module(()), found[:ERROR_LIMIT]
    tokens, comments, found = _tokens(source)
    machine = _machine()
    machine.transformer.read(source)
    lost: set[str] = set()
    while True:
        run = _run(machine, tokens, "start")
        if not isinstance(run, Stop):
            module = run
            break
        if not _is_explained(source, run, found):
            found.append(explain(source, run))
        if len(found) >= ERROR_LIMIT:
            module = tree.Module(())
            break
        kept = _without_line(tokens, run.place - 1 if run.lacks_block else run.place)
        remaining = set(map(id, kept))
        lost |= {str(t) for t in tokens if t.type == "NAME" and id(t) not in remaining}
        tokens = kept
    spoilt = tuple(d.span for d in found if d.span is not None)
    module = replace(module, lost=frozenset(lost), spoilt=spoilt)
    return attach(module, [_comment(source, c) for c in comments]), _sorted(found)


def parse_expression(text: str, name: str = "expression") -> tree.Expr:
    """Return the tree of one expression.

    Raises:
        ParseError: L01xx.
    """
    source = Source(name, normalised(text))
    tokens, _, found = _tokens(source)
    catalogue.raise_all(found)
    machine = _machine()
    machine.transformer.read(source)
    expr = _run(machine, [t for t in tokens if t.type != "_NEWLINE"], "expr")
    if isinstance(expr, Stop):
        catalogue.raise_all([explain(source, expr)])
    read: tree.Expr = expr
    return read


def normalised(text: str) -> str:
    """Return the text with line feeds as newlines, without a byte order mark, in NFC."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _hidden(source: Source) -> Iterator[Diagnostic]:
    if source.text.isascii() and "\x00" not in source.text:
        return
    for position, character in enumerate(source.text):
        if character in _HIDDEN:
            span = Span(source, position, position + 1)
            yield catalogue.diagnostic("L0107", span, number=ord(character))


def _tokens(source: Source) -> tuple[list[Token], list[Token], list[Diagnostic]]:
    """Return the parser's tokens, the comments, and what is wrong with brackets and blocks."""
    _ignored.comments, _ignored.unknown, _ignored.source = [], [], source
    blocks = Blocks(source)
    raw: Any = LexerThread.from_text(_machine().lexer, source.text).lex(None)  # type: ignore[no-untyped-call]
    tokens: Any = list(blocks.process(raw))
    wrong = check_words(source, tokens, _ignored.unknown)
    blocks.found.extend(islice(wrong, ERROR_LIMIT))
    return tokens, _ignored.comments, blocks.found


def _run(machine: _Machine, tokens: list[Token], start: str) -> Any:
    """Return the tree of the tokens, or where the parser stopped."""
    found = machine.automaton.run(tokens, start)
    if found is not None:
        return found
    parser = machine.lark.parse_interactive(start=start)
    place = 0
    try:
        for place, token in enumerate(tokens):  # noqa: B007 - needed where it stops
            parser.feed_token(token)
        place = len(tokens)
        return parser.feed_eof(tokens[-1] if tokens else None)  # type: ignore[no-untyped-call]
    except UnexpectedToken:
        wanted: set[str] = parser.accepts()  # type: ignore[no-untyped-call]
        return Stop(tokens, place, frozenset(wanted))


def _is_explained(source: Source, stop: Stop, found: list[Diagnostic]) -> bool:
    """Whether something wrong in the same statement has been found before."""
    start = stop.line[0].start_pos or 0
    last = stop.place
    while last < len(stop.tokens) and stop.tokens[last].type not in LAYOUT:
        last += 1
    end = source.text.find("\n", stop.tokens[min(last, len(stop.tokens) - 1)].end_pos or 0)
    end = len(source.text) if end < 0 else end
    return any(d.span is not None and start <= d.span.start <= end for d in found)


def _without_line(tokens: list[Token], place: int) -> list[Token]:
    """Leave out the logical line of a token, and the block's marks if it opens one."""
    place = min(place, len(tokens) - 1)
    while place and tokens[place].type in ("_NEWLINE", "_DEDENT"):
        place -= 1
    first = place
    while first > 0 and tokens[first - 1].type not in LAYOUT:
        first -= 1
    if tokens[place].type == "_INDENT":
        return _without_block_marks(tokens, place)
    stop = place
    while stop < len(tokens) and tokens[stop].type != "_NEWLINE":
        stop += 1
    kept = tokens[:first] + tokens[stop + 1 :]
    if first < len(kept) and kept[first].type == "_INDENT":
        return _without_block_marks(kept, first)
    if (
        0 < first < len(kept)
        and kept[first - 1].type == "_INDENT"
        and kept[first].type == "_DEDENT"
    ):
        kept = kept[: first - 1] + kept[first + 1 :]  # the block is empty now: so is its head
        return _without_line(kept, first - 2)
    return kept


def _without_block_marks(tokens: list[Token], indent: int) -> list[Token]:
    """Leave out an `_INDENT` and its `_DEDENT`."""
    depth = 0
    for n in range(indent, len(tokens)):
        depth += {"_INDENT": 1, "_DEDENT": -1}.get(tokens[n].type, 0)
        if depth == 0:
            return tokens[:indent] + tokens[indent + 1 : n] + tokens[n + 1 :]
    return tokens[:indent] + tokens[indent + 1 :]


def _sorted(found: list[Diagnostic]) -> list[Diagnostic]:
    """Order by place; of several on one line the first says it all."""
    lines: dict[int, Diagnostic] = {}
    for d in sorted(found, key=lambda d: d.span.start if d.span else 0):
        lines.setdefault(d.span.line if d.span else 0, d)
    return list(lines.values())


def _comment(source: Source, token: Token) -> Comment:
    start = token.start_pos or 0
    span = Span(source, start, start + len(token))
    margin = source.line(span.line)[: span.column - 1]
    return Comment(str(token).rstrip(), span.line, own_line=not margin.strip())
