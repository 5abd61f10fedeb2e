"""TABLE: reductions, one row each: the `op=` of statements and the `sum[k](…)` of expressions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Form = Literal["fold", "whole", "pointwise"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduction:
    """One reduction.

    Attributes:
        name: its name in an expression: `sum`; "" if it only exists as a statement's operator.
        op: the statement operator that does the same (`+=`), "" if none.
        form: `fold`: value = combine(value, x) from `identity`; `whole`: one value of all of the
            terms (`mean`, `logsumexp`, `argmax`); `pointwise`: a value for each index (`softmax`).
        identity: the value over an empty range, and where a written array starts.
        combine: fold: the function of two scalars.
        evaluate: whole and pointwise: list of scalar terms -> value, or list of values.
        ufunc: fold: the NumPy ufunc (`np.add`), for `.reduce` and `.at`.
        result: as in `functions.Function`.
        source: where a formula comes from.
    """

    name: str
    op: str = ""
    form: Form
    identity: Any = None
    combine: Callable[[Any, Any], Any] | None = None
    evaluate: Callable[[list[Any]], Any] | None = None
    ufunc: str = ""
    result: str = "same"
    source: str = ""


REDUCTIONS: tuple[Reduction, ...] = ()

_BY_NAME = {row.name: row for row in REDUCTIONS if row.name}
_BY_OP = {row.op: row for row in REDUCTIONS if row.op}


def lookup(name: str) -> Reduction | None:
    """Return the row of `sum`, `softmax` …, or None."""
    return _BY_NAME.get(name)


def by_op(op: str) -> Reduction | None:
    """Return the row of `+=`, `max=` …; None for `=`."""
    return _BY_OP.get(op)
