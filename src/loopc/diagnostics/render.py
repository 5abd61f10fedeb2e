"""Diagnostics as text: with the source line underlined, on one line, as data, as annotations."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from loopc.diagnostics.errors import Diagnostic
from loopc.diagnostics.span import Span


def render(diagnostic: Diagnostic) -> str:
    """Return the full form.

    ```
    error[L0204]: index `k` has two sizes: 64 from `A` and 32 from `B`
      --> attn.loops:3:26
    3 | for i,k   y[i] += A[i,k] B[k]
      |                            ^ size 32 here
    3 | for i,k   y[i] += A[i,k] B[k]
      |                     - size 64 here
    hint: …
    ```
    """
    lines = [f"{diagnostic.severity}[{diagnostic.code}]: {escaped(diagnostic.message)}"]
    if diagnostic.span is not None:
        span = diagnostic.span
        lines.append(f"  --> {escaped(span.file)}:{span.line}:{span.column}")
        places = [(span, diagnostic.label, "^"), *((a.span, a.text, "-") for a in diagnostic.also)]
        width = max(len(str(place.line)) for place, _, _ in places)
        for place, label, mark in places:
            lines += _underlined(place, label, mark, width)
    if diagnostic.hint:
        lines.append(f"hint: {escaped(diagnostic.hint)}")
    return "\n".join(lines)


def concise(diagnostic: Diagnostic) -> str:
    """Return one line: place, code, message."""
    span = diagnostic.span
    place = "" if span is None else f"{span.file}:{span.line}:{span.column}: "
    return (
        f"{escaped(place)}{diagnostic.severity}[{diagnostic.code}]: {escaped(diagnostic.message)}"
    )


def to_dict(diagnostic: Diagnostic) -> dict[str, object]:
    """Return the diagnostic as data for JSON."""
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "hint": diagnostic.hint,
        "label": diagnostic.label,
        "span": None if diagnostic.span is None else _place(diagnostic.span),
        "also": [{"span": _place(a.span), "text": a.text} for a in diagnostic.also],
    }


def github(diagnostic: Diagnostic) -> str:
    """Return a workflow command that annotates the line."""
    place = ""
    if diagnostic.span is not None:
        span = diagnostic.span
        place = f" file={span.file},line={span.line},col={span.column},endColumn={span.end}"
    text = f"{diagnostic.code}: {diagnostic.message}"
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return f"::{diagnostic.severity}{place}::{text}"


def escaped(text: str) -> str:
    """Return the text with control characters made visible, newlines aside."""
    return "".join(
        c if c in "\n\t" or c.isprintable() else c.encode("unicode_escape").decode() for c in text
    )


def _place(span: Span) -> dict[str, object]:
    return {
        "file": span.file,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end": span.end,
    }


def _underlined(span: Span, label: str, mark: str, width: int) -> Iterable[str]:
    line = span.source.line(span.line).replace("\t", " ")
    stop = span.end - 1 if span.end_line == span.line else len(line)
    before = _columns(line[: span.column - 1])
    length = max(1, _columns(line[span.column - 1 : stop]))
    yield f"{span.line:>{width}} | {escaped(line)}"
    yield f"{'':>{width}} | {' ' * before}{mark * length} {escaped(label)}".rstrip()


def _columns(text: str) -> int:
    """Return the columns that a text takes in a terminal."""
    total = 0
    for c in escaped(text):
        if not unicodedata.combining(c):
            total += 2 if unicodedata.east_asian_width(c) in "WF" else 1
    return total
