"""The catalogue of diagnostics: one entry per code.

Inner code calls `error("L0204", span, index="k", first=64, …)` with facts alone; title, sentence
and hint stand here, once. `docs/errors.md` and `loopc explain-error` are made from the entries,
and a test compiles every `bad` program (which must give exactly that code) and every `good` one.
"""

from __future__ import annotations

from collections.abc import Iterable

from loopc.diagnostics.catalogue import calculus, calls, limits, names, shapes, syntax, types
from loopc.diagnostics.catalogue.entry import Entry
from loopc.diagnostics.errors import Diagnostic, Label, LoopcError
from loopc.diagnostics.span import Source, Span

ENTRIES: dict[str, Entry] = {
    entry.code: entry
    for module in (limits, syntax, shapes, names, types, calculus, calls)
    for entry in module.ENTRIES
}


def diagnostic(
    code: str,
    span: Span | None = None,
    *,
    label: str = "",
    also: Iterable[tuple[Span | None, str]] = (),
    **facts: object,
) -> Diagnostic:
    """Make the diagnostic `code` from its facts; `also` names further places."""
    entry = ENTRIES[code]
    return Diagnostic(
        code=code,
        severity=entry.severity,
        message=entry.message.format(**facts),
        span=span,
        label=label,
        hint=entry.hint.format(**facts),
        also=tuple(Label(place, text) for place, text in also if place is not None),
    )


def error(
    code: str,
    span: Span | None = None,
    *,
    label: str = "",
    also: Iterable[tuple[Span | None, str]] = (),
    **facts: object,
) -> LoopcError:
    """Make the exception for `code`, of the class that its entry names."""
    return ENTRIES[code].raises(diagnostic(code, span, label=label, also=also, **facts))


def raised(found: Diagnostic) -> LoopcError:
    """Return the exception for one diagnostic."""
    return ENTRIES[found.code].raises(found)


def raise_all(found: Iterable[Diagnostic]) -> None:
    """Raise the errors among `found` as one exception, the first in front; warnings pass."""
    errors = [d for d in found if d.severity == "error"]
    if errors:
        raise ENTRIES[errors[0].code].raises(errors[0], tuple(errors[1:]))


def in_order(found: Iterable[Diagnostic], source: Source) -> list[Diagnostic]:
    """Return findings in the order of the text, other files' last, each once."""
    once: dict[object, Diagnostic] = {}
    for d in found:
        place = None if d.span is None else (d.span.source.name, d.span.start, d.span.stop)
        once.setdefault((d.code, place, d.message if place is None else ""), d)

    def key(d: Diagnostic) -> tuple[bool, int]:
        return d.span is None or d.span.file != source.name, d.span.start if d.span else 0

    return sorted(once.values(), key=key)


def page(code: str) -> str | None:
    """Return the page of a code, as Markdown; None if there is no such code."""
    entry = ENTRIES.get(code)
    if entry is None:
        return None
    parts = [f"## {code}: {entry.title}", f"{entry.raises.__name__}: {entry.message}"]
    if entry.explanation:
        parts.append(entry.explanation)
    if entry.bad:
        parts.append(f"This program has it:\n\n```loops\n{entry.bad}```")
    if entry.good:
        parts.append(f"Repaired:\n\n```loops\n{entry.good}```")
    if entry.bad_call:
        parts.append(f"This call has it:\n\n```pycon\n>>> {entry.bad_call}\n```")
        parts.append(f"Repaired:\n\n```pycon\n>>> {entry.good_call}\n```")
    if entry.hint and entry.hint != "{repair}":
        parts.append(f"Hint: {entry.hint}")
    return "\n\n".join(parts) + "\n"
