"""The row of the catalogue of diagnostics."""

from __future__ import annotations

from loopc.diagnostics.errors import LoopcError, Severity
from loopc.diagnostics.record import record


@record()
class Entry:
    """One code: what it means, what is said, and a program that shows it.

    Attributes:
        code: `L` and four digits; the first two are the chapter.
        title: what the page of this code is called.
        raises: the exception class.
        message: one sentence with `{named}` facts; what was found and expected in backticks.
        hint: the repair, with the same facts; may be empty.
        explanation: a paragraph for the page.
        bad: a program that gives exactly this code; empty where only a call can.
        good: the same program repaired.
        bad_call: Python that gives exactly this code, where a program alone cannot: an expression
            of `loopc` and `np`.
        good_call: the same call repaired.
        severity: `error` or `warning`.
    """

    code: str
    title: str
    raises: type[LoopcError]
    message: str
    hint: str = ""
    explanation: str = ""
    bad: str = ""
    good: str = ""
    bad_call: str = ""
    good_call: str = ""
    severity: Severity = "error"
