"""What to say where the parser stopped: the diagnostics of common mistakes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from lark import Token

from loopc.diagnostics import catalogue
from loopc.diagnostics.errors import Diagnostic
from loopc.diagnostics.span import Source, Span
from loopc.syntax.stop import ASSIGNS, Stop

_WORDS = {
    "FOR", "IN", "IF", "AND", "OR", "NOT", "DEF", "USE", "BACKWARD", "WRT", "AS", "DIM", "INPUT",
    "PARAM", "OUTPUT",
}  # fmt: skip
_OPERATORS = ("TIMES", "POW", "PLUS", "MINUS", "COMPARE", "LT", "LE", "AND", "OR", "NOT")
_HEADS = ("FOR", "IF", "DEF")
_SAID = {
    "COMMA": "`,`",
    "RSQB": "`]`",
    "RPAR": "`)`",
    "LSQB": "`[`",
    "LPAR": "`(`",
    "COLON": "`:`",
    "ARROW": "`->`",
    "EQUAL": "`=`",
    "UPDATE": "`+=`",
    "NAME": "a name",
    "STRING": 'a file name in `"…"`',
    "IN": "`in`",
    "_NEWLINE": "the end of the statement",
}
_STATEMENTS = {"FOR", "DEF", "DIM"}
_DECLARING = ("DIM", "INPUT", "PARAM")
_FOREIGN = {
    "else": "there is no `else`: write a second guard, `if not (…): …`, or `where(c, a, b)`",
    "elif": "there is no `elif`: write a guard of its own, `if not (…) and …: …`",
    "while": "a loop has a range: `for t in range(0, T): …`",
    "return": "name what a run returns in a declaration: `output y`",
    "print": "a run returns arrays: declare `output y`, or ask for `outputs`",
    "let": "write the assignment alone: `y = …`",
    "var": "write the assignment alone: `y = …`",
    "const": "write the assignment alone: `y = …`",
    "float": "types stand behind names: `input x[N]: float`",
    "int": "types stand behind names: `input n: int`",
    "import": 'write `use nn`, or `use "file.loops"`',
    "from": 'write `use nn`, or `use "file.loops"`',
    "include": 'write `use nn`, or `use "file.loops"`',
    "break": "loops run over their whole range: write a guard, `for i if …: …`",
    "continue": "write a guard: `for i if …: …`",
    "pass": "leave the block out",
    "function": "a function is written `def f(x[N]) -> y: …`",
    "fn": "a function is written `def f(x[N]) -> y: …`",
    "lambda": "a function is written `def f(x[N]) -> y: …`",
    "forall": "write `for`",
    "foreach": "write `for`",
    "For": "write `for`",
    "FOR": "write `for`",
    "If": "write `if`",
    "IF": "write `if`",
    "begin": "a block is what is indented below a line that ends with `:`",
    "end": "a block ends where its indentation does",
    "assert": "values are not checked; a guard is written `if …: …`",
}
"""Words of other languages, and what to write here."""


def explain(source: Source, stop: Stop) -> Diagnostic:
    """Return the diagnostic of the mistake at which the parser stopped."""
    return (
        _of_layout(source, stop)
        or _of_foreign_word(source, stop)
        or _of_reserved_word(source, stop)
        or _of_range(source, stop)
        or _of_colon(source, stop)
        or _of_any(source, stop)
    )


def _span(source: Source, *tokens: Token) -> Span:
    return Span(source, tokens[0].start_pos or 0, tokens[-1].end_pos or 0)


def _of_layout(source: Source, stop: Stop) -> Diagnostic | None:
    """A block that is not indented, or an indentation without a block."""
    if stop.kind == "_INDENT":
        return catalogue.diagnostic("L0110", _span(source, stop.token))
    if stop.lacks_block:
        colon = stop.tokens[max(0, stop.place - 2)]
        return catalogue.diagnostic("L0109", _span(source, colon))
    return None


def _of_foreign_word(source: Source, stop: Stop) -> Diagnostic | None:
    """A statement of another language, whose first word is a name here."""
    line = stop.line
    word = line[0]
    if word.type != "NAME" or len(line) > 2 or word not in _FOREIGN:
        return None
    if len(line) == 2 and line[1].type in ("LSQB", "COMMA"):
        return None
    return catalogue.diagnostic("L0114", _span(source, word), text=word, repair=_FOREIGN[word])


def _of_reserved_word(source: Source, stop: Stop) -> Diagnostic | None:
    """A reserved word that stands where a name is expected."""
    word = None
    before = stop.tokens[stop.place - 1] if 0 < stop.place <= len(stop.tokens) else None
    if stop.kind in _WORDS and "NAME" in stop.wanted and "NUMBER" not in stop.wanted:
        word = stop.token
    elif stop.kind in ("LSQB", "EQUAL", "UPDATE") and before and before.type in _WORDS:
        word = before
    if word is None:
        return None
    return catalogue.diagnostic("L0108", _span(source, word), text=word)


def _of_range(source: Source, stop: Stop) -> Diagnostic | None:
    """A range of another language: `for k in 1:K`, `for k = 1:K`."""
    line = stop.line
    kinds = [t.type for t in line]
    if kinds == ["FOR", "NAME", "EQUAL"]:
        own = line[1:]
    elif kinds[0] == "FOR" and "IN" in kinds:
        first = kinds.index("IN") + 1
        if "COLON" not in kinds[first:-1] or kinds[first : first + 2] == ["NAME", "LPAR"]:
            return None
        own = [*line[first:-1], *stop.rest_of_range]
    else:
        return None
    text = source.text[own[0].start_pos or 0 : own[-1].end_pos or 0]
    return catalogue.diagnostic("L0311", _span(source, *own), text=text)


def _of_colon(source: Source, stop: Stop) -> Diagnostic | None:
    """A head that runs on into its statement, or ends without a colon."""
    line = stop.line
    kinds = [t.type for t in line]
    if kinds[0] not in _HEADS or "COLON" in kinds[:-1] or "=" in line[:-1]:
        return None
    head = {"FOR": "a `for` with a range or a guard", "IF": "an `if`", "DEF": "a `def`"}[kinds[0]]
    opens = stop.tokens[stop.place : stop.place + 2]
    if stop.kind == "_NEWLINE" and [t.type for t in opens] == ["_NEWLINE", "_INDENT"]:
        if len(line) < 3 or "COLON" not in stop.wanted:
            return None
        what = "a `for` with a block" if kinds[0] == "FOR" else head
        return catalogue.diagnostic("L0106", _span(source, *line[:-1]), what=what)
    ranged = kinds[0] != "FOR" or any(k in kinds for k in ("LT", "LE", "IN", "IF"))
    if stop.kind in ASSIGNS and ranged and not stop.is_followed_by_colon:
        return catalogue.diagnostic("L0106", _span(source, *_target(line)), what=head)
    begins = len(opens) > 1 and opens[1].type in ("LSQB", *ASSIGNS)
    if stop.kind == "NAME" and "COLON" in stop.wanted and ranged and begins:
        return catalogue.diagnostic("L0106", _span(source, stop.token), what=head)
    return None


def _target(line: Sequence[Token]) -> Sequence[Token]:
    """Return the tokens of the target in front of the `=` that ends the line."""
    start = len(line) - 2
    if line[start].type == "RSQB":
        depth = 0
        while start > 0:
            depth += {"RSQB": 1, "LSQB": -1}.get(line[start].type, 0)
            if depth == 0:
                break
            start -= 1
        start = max(0, start - 1)
    return line[start:-1] or line


def _of_any(source: Source, stop: Stop) -> Diagnostic:
    token = stop.token
    if stop.is_line_end:
        end = token.start_pos or 0 if stop.kind == "_NEWLINE" else token.end_pos or 0
        if stop.kind == "_NEWLINE" and stop.place > 0:
            end = stop.tokens[stop.place - 1].end_pos or 0
        span = Span(source, end, end)
    else:
        span = _span(source, token)
    found = "the end of the line" if stop.is_line_end else f"`{token}`"
    expected = _expected(stop.wanted)
    return catalogue.diagnostic("L0101", span, found=found, expected=expected, repair=_repair(stop))


def _expected(wanted: Collection[str]) -> str:
    if set(wanted) >= _STATEMENTS:
        return "a statement"
    if "NUMBER" in wanted and "TIMES" not in wanted:
        return "an expression"
    operator = ["an operator"] if "TIMES" in wanted else []
    known = _SAID if not operator else ("COMMA", "RSQB", "RPAR", "COLON", "_NEWLINE")
    named = [*operator, *(_SAID[k] for k in known if k in wanted)]
    return " or ".join(named) or "something else"


def _repair(stop: Stop) -> str:
    """Return how the mistake is repaired."""
    for fits, repair in _REPAIRS:
        if fits(stop):
            return repair.format(text=stop.token, before=stop.before)
    return "see `loopc explain-error L0101`, or docs/language.md"


def _is_end(stop: Stop) -> bool:
    return stop.kind in ("_NEWLINE", "$END")


def _has_guard(stop: Stop) -> bool:
    return any(token.type == "IF" for token in stop.line)


_REPAIRS: tuple[tuple[Callable[[Stop], bool], str], ...] = (
    (lambda s: s.kind == "COLON" and s.before == "else", _FOREIGN["else"]),
    (
        lambda s: s.kind == "LPAR" and s.before_kind == "FOR",
        "indices stand without brackets: `for i, j: …`",
    ),
    (
        lambda s: s.kind == "COMMA" and s.line[0].type == "FOR" and _has_guard(s),
        "the condition stands behind all ranges: `for i < N, j < M if …: …`",
    ),
    (
        lambda s: s.kind == "LPAR" and s.line[0].type in _DECLARING,
        "a shape stands in square brackets: `x[N]`",
    ),
    (
        lambda s: (
            s.kind == "NAME" and s.line[0].type in (*_DECLARING, "OUTPUT") and "COLON" in s.wanted
        ),
        "names are separated by commas, and a type follows a colon: `x[N]: float, y[N]`",
    ),
    (
        lambda s: s.kind == "LSQB" and s.before == "]",
        "all subscripts stand in one pair of brackets: `A[i,j]`",
    ),
    (
        lambda s: s.kind == "COLON" and "ARROW" in s.wanted,
        "a function names its results: `def f(x[N]) -> y[N]: …`",
    ),
    (
        lambda s: str(s.token) in ("//", "/", "%") and s.wanted >= _STATEMENTS,
        "a comment begins with `#`",
    ),
    (
        lambda s: _is_end(s) and s.is_assigned and "NUMBER" in s.wanted and s.before != "=",
        "in brackets an expression goes on in the next line: `y = (a +`",
    ),
    (
        lambda s: s.kind == "EQUAL" and not s.is_assigned and s.before_kind in _OPERATORS,
        "`{before}=` is no operator: write `y = y {before} …`",
    ),
    (
        lambda s: s.kind in ("TIMES", "POW") and "EQUAL" in s.wanted,
        "`{text}=` is no operator: write `y = y {text} …`",
    ),
    (
        lambda s: s.kind == "EQUAL" and s.is_assigned,
        "a comparison is written `==`; each statement assigns once",
    ),
    (lambda s: s.kind == "EQUAL", "a comparison is written `==`"),
    (
        lambda s: s.kind == "LPAR" and "LSQB" in s.wanted and not s.assigns,
        "assign the value of a call: `y = f(…)`",
    ),
    (
        lambda s: s.kind == "LPAR" and "LSQB" in s.wanted and not s.is_assigned,
        "an array takes square brackets: `y[i] = …`",
    ),
    (
        lambda s: "EQUAL" in s.wanted and (s.kind == "COLON" or str(s.token) == "=="),
        "assign with `=`",
    ),
    (
        lambda s: s.kind == "COLON" and "RSQB" in s.wanted,
        "an index is one value: loop over it, `for i in range(a, b): …`",
    ),
    (
        lambda s: s.kind == "LSQB" and "NUMBER" in s.wanted and "TIMES" not in s.wanted,
        "there is no list: an array is given, or written cell by cell, `y[0] = 1`",
    ),
    (
        lambda s: s.kind == "LSQB" and s.before == ":" and s.line[0].type in _DECLARING,
        "a shape stands behind the name: `x[N]`, `x[N]: int`",
    ),
    (
        lambda s: s.kind == "LSQB" and s.line[0].type == "FOR" and "IN" in s.wanted,
        "no comma stands in front of the statement: `for i, j  {before}[…] = …`",
    ),
    (
        lambda s: s.kind == "FOR" and s.is_assigned,
        "what a loop adds up is a reduction: `sum[i < N](x[i])`",
    ),
    (
        lambda s: s.kind == "NAME" and s.before == "where" and s.line[0].type == "FOR",
        "a guard is written `if`: `for i if …: …`",
    ),
    (
        lambda s: s.kind == "NUMBER" and s.before_kind == "FOR",
        "a range is written `for i < N: …` or `for i in range(a, b): …`",
    ),
    (
        lambda s: s.kind == "PLUS" and "EQUAL" in s.wanted,
        "assign with `=`; `y += 1` adds",
    ),
    (
        lambda s: s.kind in ("AND", "OR") and s.line[0].type == "FOR" and not s.is_assigned,
        "a condition stands behind `if`: `for i < N if …: …`",
    ),
    (
        lambda s: s.kind == "FOR" and s.line[0].type == "FOR",
        "several indices are separated by commas: `for i < N, j < M: …`",
    ),
    (
        lambda s: str(s.token) == ">" and s.before == "<",
        "unequal is written `!=`",
    ),
    (
        lambda s: s.kind in ("LT", "COMPARE") and s.before == str(s.token),
        "bits are not shifted: multiply by `2**k`, or divide, `// 2**k`",
    ),
    (
        lambda s: s.kind == "COMPARE",
        "a range is written `for i < N: …` or `for i in range(a, b): …`",
    ),
    (
        lambda s: s.kind == "COMMA" and s.line[0].type == "BACKWARD",
        "`backward` starts from one array: write a `backward` for each",
    ),
    (
        lambda s: s.kind == "COMMA" and s.is_assigned and "NUMBER" not in s.wanted,
        "each statement assigns one value",
    ),
    (
        lambda s: s.kind == "IF" and s.is_assigned,
        "a guard stands in front: `for i if c: …`, `if c: …`; or `where(c, a, b)`",
    ),
    (lambda s: s.kind == "STRING", "text stands in `use` alone"),
    (
        lambda s: _is_end(s) and s.line[0].type == "FOR" and not s.is_assigned,
        "a statement, or `:` and an indented block, follows the indices",
    ),
    (lambda s: _is_end(s) and "EQUAL" in s.wanted, "a statement assigns: `y = …`"),
)
"""What to write, by the first condition that holds."""
