"""What goes wrong, as values and as exceptions.

LoopcError                  every error that loopc raises
├── ParseError              the text is not a program: syntax, names, statements that lose values
├── ShapeError              ranges and sizes: clash, rank, cannot be inferred
├── BoundsError             an access outside its array
├── DTypeError              a type that cannot be
├── DifferentiationError    no gradient: a loss that is not scalar, an integer `wrt`
├── LimitError              too deep, too large, too much memory
└── CallError               a call's arrays: missing, unknown, of a kind that cannot be taken
"""

from __future__ import annotations

from typing import Literal

from loopc.diagnostics.record import record
from loopc.diagnostics.span import Span

Severity = Literal["error", "warning"]


@record()
class Label:
    """A second place that a diagnostic speaks of, with a few words about it."""

    span: Span
    text: str


@record()
class Diagnostic:
    """One finding: its code in the catalogue, its place, what was found, and how to repair it."""

    code: str
    severity: Severity
    message: str
    span: Span | None = None
    label: str = ""
    hint: str = ""
    also: tuple[Label, ...] = ()


class LoopcError(Exception):
    """An error in a program or in a call; `str()` shows the source line, underlined.

    Attributes:
        diagnostic: what went wrong.
        others: further findings of the same check, in the order of the text.
    """

    def __init__(self, diagnostic: Diagnostic, others: tuple[Diagnostic, ...] = ()) -> None:
        super().__init__(diagnostic, others)
        self.diagnostic = diagnostic
        self.others = others

    @property
    def code(self) -> str:
        """The code in the catalogue, e.g. `L0204`."""
        return self.diagnostic.code

    @property
    def message(self) -> str:
        """What was found and what was expected, in one sentence."""
        return self.diagnostic.message

    @property
    def span(self) -> Span | None:
        """The place, or None where there is no text (a call's arguments)."""
        return self.diagnostic.span

    @property
    def hint(self) -> str:
        """How to repair it; may be empty."""
        return self.diagnostic.hint

    def __str__(self) -> str:
        from loopc.diagnostics.render import render

        return "\n\n".join(render(d) for d in (self.diagnostic, *self.others))


class ParseError(LoopcError):
    """The text is not a program."""


class ShapeError(LoopcError):
    """Ranges or sizes that do not fit, or cannot be inferred."""


class BoundsError(LoopcError):
    """An access outside its array."""


class DTypeError(LoopcError):
    """A type that cannot be."""


class DifferentiationError(LoopcError):
    """A gradient that does not exist."""


class LimitError(LoopcError):
    """A program or a run beyond a stated limit."""


class CallError(LoopcError, TypeError):
    """The arrays of a call do not match the program's inputs."""


class LoopcWarning(UserWarning):
    """A finding that does not stop a program: names that look alike, a gradient that is zero."""
