"""TABLE: scalar functions and operators, one row each.

No other file knows a function's name. An operator is a function with an infix spelling. A row's
`scalar` is the reference meaning: the interpreter and constant folding call it. `partials` are
written in the language itself, over the row's parameters and `y`, the function's own value.

A new function is a row in one of the `function_rows_*.py`, with its scalar meaning in `scalars.py`
and, if NumPy lacks it, its NumPy source in `helpers.py`.
"""

from __future__ import annotations

from loopc.ir import function_rows_elementary, function_rows_operators, function_rows_special
from loopc.ir.function_row import Function, Infix, Result

__all__ = [
    "FUNCTIONS",
    "TO_INTEGER",
    "Function",
    "Infix",
    "Result",
    "is_costly",
    "is_operator",
    "lookup",
    "order",
]

FUNCTIONS: tuple[Function, ...] = (
    *function_rows_operators.ROWS,
    *function_rows_elementary.ROWS,
    *function_rows_special.ROWS,
)

TO_INTEGER = "int"
"""The function that makes an integer of a float."""

_BY_NAME: dict[str, Function] = {
    spelling: row for row in FUNCTIONS for spelling in (row.name, *row.aliases)
}


def lookup(spelling: str) -> Function | None:
    """Return the row for a spelling (`σ`, `add`), primes ignored, or None."""
    return _BY_NAME.get(spelling) or _BY_NAME.get(spelling.rstrip("'"))


def order(spelling: str) -> int:
    """Return how many times the function is differentiated: the primes of its spelling."""
    return len(spelling) - len(spelling.rstrip("'"))


def is_operator(spelling: str) -> bool:
    """Whether a spelling is that of an operator of the language: what it makes is arithmetic."""
    row = lookup(spelling)
    return row is not None and row.infix is not None


def is_costly(spelling: str) -> bool:
    """Whether a spelling is that of a function of one number to a float, such as `exp`."""
    row = lookup(spelling)
    return row is not None and row.infix is None and len(row.params) == 1 and row.result == "float"
