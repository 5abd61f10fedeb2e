"""TABLE: reductions, one row each: the `op=` of statements and the `sum[k](…)` of expressions.

The terms of a reduction are the values of its body where its guard holds, in the order of its
loops. A bool counts as 0 or 1 in sums and products; float32 terms give a float32 value.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any, Literal

from loopc.diagnostics.record import record
from loopc.ir.scalars import divide, exp, is_integer, ln, maximum, minimum, real_type

Form = Literal["fold", "whole", "pointwise"]


@record(kw_only=True)
class Reduction:
    r"""One reduction.

    Attributes:
        name: its name in an expression: `sum`; "" if it only exists as a statement's operator.
        op: the statement operator that does the same (`+=`), "" if none.
        form: `fold`: value = combine(value, x) from `identity`; `whole`: one value of all of the
            terms (`mean`, `logsumexp`, `argmax`); `pointwise`: a value for each index (`softmax`).
        identity: the value over an empty range, and where a written array starts; None: a value
            over an empty range is an error. See `start` for integers.
        combine: fold: the function of two scalars; pointwise: the value at a point is the fold of
            the terms up to it.
        evaluate: whole and pointwise: list of scalar terms -> value, or list of values. The value
            of `argmax` and `argmin` is the position among the terms; a program sees the index there
            (with several indices, the number of the point in the order of the loops).
        outside: pointwise with `evaluate`: the value at a point where the guard does not hold.
        fn: the function of the table that makes one step: `value = fn(value, x)`; "" if none does.
        ufunc: the NumPy ufunc (`np.add`), for `.reduce`, `.at` and `.accumulate`.
        latex: its command, `\sum`; "": its name.
        result: as in `functions.Function`.
        complex: whether it takes complex terms.
        adjoint: the cotangent of a term in .loops text: over `g`, the cotangent of the value; `x`,
            the term; `y`, the value; `n`, how many terms share it; `s`, the sum of `adjoint_sum`
            over the points of a pointwise reduction, of a running one from the term's on. "":
            there is none. A running extreme adds up these shares of all values at which the term
            is equal to the value.
        adjoint_where: the condition, in the same names, for a term to have a share; "": always.
        adjoint_sum: see `adjoint`.
        linear: whether its derivative is the same reduction, of the terms' derivatives.
        tangent: pointwise: the derivative of the value in the names of `adjoint`, `g` being the
            derivative of the term; "": the text of `adjoint`, whose Jacobian is symmetric. It
            holds everywhere: `adjoint_where` is not looked at.
        tangent_sum: `s` in `tangent`.
        definition: whole and pointwise: .loops text that says it by folds `sum[k](…)` over the
            terms `x`, of which there are `n`; for floats, and where nothing is masked.
        sum_of: a function f that is positive, and its inverse: the value is that of the sum of
            f(x). That of a sum of terms is the product of theirs.
        of_value: a function of the value, and the reduction whose value that is, made of the same.
        shared: a text over a term `x` and the value `y`, and one that has the same value where
            that is finite, by what the definition computes.
        source: where a formula comes from.
    """

    name: str
    op: str = ""
    form: Form
    identity: Any = None
    combine: Callable[[Any, Any], Any] | None = None
    evaluate: Callable[[list[Any]], Any] | None = None
    outside: Any = None
    fn: str = ""
    ufunc: str = ""
    latex: str = ""
    result: str = "same"
    complex: bool = False
    adjoint: str = ""
    adjoint_where: str = ""
    adjoint_sum: str = ""
    linear: bool = False
    tangent: str = ""
    tangent_sum: str = ""
    definition: str = ""
    sum_of: tuple[str, str] | None = None
    of_value: tuple[str, str] | None = None
    shared: tuple[str, str] | None = None
    source: str = ""


def mean(terms: list[Any]) -> Any:
    """Return the arithmetic mean; of nothing it is NaN, of integers a float."""
    if not terms:
        return math.nan
    return as_floats(divide(_sum(terms), len(terms)), terms)


def logsumexp(terms: list[Any]) -> Any:
    """Return ln Σ e**x; of nothing, or of -inf alone, it is -inf."""
    if not terms:
        return -math.inf
    terms = _counted(terms)
    top = _top(terms)
    if not math.isfinite(top):
        return as_floats(top, terms)
    return as_floats(top + ln(_sum([exp(x - top) for x in terms])), terms)


def softmax(terms: list[Any]) -> list[Any]:
    """Return e**x / Σ e**x; 0 where all terms are -inf."""
    terms = _counted(terms)
    top = _top(terms) if terms else 0
    if top == -math.inf:
        return [as_floats(0.0, terms) for _ in terms]
    powers = [exp(x - top) for x in terms]
    total = _sum(powers)
    return [as_floats(divide(p, total), terms) for p in powers]


def logsoftmax(terms: list[Any]) -> list[Any]:
    """Return x - logsumexp; -inf where all terms are -inf."""
    terms = _counted(terms)
    top = _top(terms) if terms else 0
    if top == -math.inf:
        return [as_floats(top, terms) for _ in terms]
    rest = ln(_sum([exp(x - top) for x in terms]))
    return [as_floats((x - top) - rest, terms) for x in terms]


def argmax(terms: list[Any]) -> int:
    """Return the position of the first NaN, else of the first maximum."""
    best = 0
    for position, term in enumerate(terms):
        if term != term:
            return position
        if term > terms[best]:
            best = position
    return best


def argmin(terms: list[Any]) -> int:
    """Return the position of the first NaN, else of the first minimum."""
    best = 0
    for position, term in enumerate(terms):
        if term != term:
            return position
        if term < terms[best]:
            best = position
    return best


def as_floats(value: Any, terms: list[Any]) -> Any:
    """Return the value in the floating type that the terms have together."""
    kind = real_type(*{type(t): t for t in terms}.values())
    return value if kind is None else kind(value)


def _sum(terms: list[Any]) -> Any:
    """Return the sum from the left; integers of any width are added exactly."""
    total: Any = 0
    for term in terms:
        total = total + (int(term) if is_integer(term) else term)
    return total


def _counted(terms: list[Any]) -> list[Any]:
    """Return the terms, a bool as 0 or 1, integers of any width exactly."""
    return [int(t) if is_integer(t) else t for t in terms]


def _top(terms: list[Any]) -> Any:
    top = terms[0]
    for term in terms[1:]:
        top = maximum(top, term)
    return top


def _either(a: Any, b: Any) -> bool:
    return bool(a) or bool(b)


def _both(a: Any, b: Any) -> bool:
    return bool(a) and bool(b)


_FOLDS = (
    Reduction(
        name="sum",
        latex=r"\sum",
        op="+=",
        form="fold",
        complex=True,
        identity=0,
        combine=operator.add,
        fn="add",
        ufunc="np.add",
        adjoint="g",
        linear=True,
    ),
    Reduction(
        name="prod",
        latex=r"\prod",
        op="*=",
        form="fold",
        complex=True,
        identity=1,
        combine=operator.mul,
        fn="mul",
        ufunc="np.multiply",
    ),
    Reduction(
        name="max",
        latex=r"\max",
        op="max=",
        form="fold",
        identity=-math.inf,
        combine=maximum,
        fn="max",
        ufunc="np.maximum",
        adjoint="g / n",
        adjoint_where="x == y",
        source="A NaN wins; equal terms share the cotangent evenly.",
    ),
    Reduction(
        name="min",
        latex=r"\min",
        op="min=",
        form="fold",
        identity=math.inf,
        combine=minimum,
        fn="min",
        ufunc="np.minimum",
        adjoint="g / n",
        adjoint_where="x == y",
        source="A NaN wins; equal terms share the cotangent evenly.",
    ),
    Reduction(
        name="any",
        form="fold",
        identity=False,
        combine=_either,
        ufunc="np.logical_or",
        result="bool",
    ),
    Reduction(
        name="all",
        form="fold",
        identity=True,
        combine=_both,
        ufunc="np.logical_and",
        result="bool",
    ),
)

_EMPTY = "max[k](x) == -inf"
_SHIFTED = f"(x - where({_EMPTY}, 0, max[k](x)))"
_FINITE = "where(abs(max[k](x)) < inf, max[k](x), 0)"

_WHOLE = (
    Reduction(
        name="mean",
        form="whole",
        complex=True,
        identity=math.nan,
        evaluate=mean,
        result="float",
        adjoint="g / n",
        linear=True,
        definition="sum[k](x) / n",
    ),
    Reduction(
        name="logsumexp",
        form="whole",
        identity=-math.inf,
        evaluate=logsumexp,
        result="float",
        adjoint="g * exp(x - y)",
        adjoint_where="y > -inf",
        definition=f"ln(sum[k](exp(x - {_FINITE}))) + {_FINITE}",
        sum_of=("exp", "ln"),
        shared=("exp(x - y)", f"exp(x - {_FINITE}) * exp({_FINITE} - y)"),
        source="The largest term is taken out: Blanchard, Higham and Higham, 2021.",
    ),
    Reduction(name="argmax", form="whole", evaluate=argmax, result="int"),
    Reduction(name="argmin", form="whole", evaluate=argmin, result="int"),
)

_POINTWISE = (
    Reduction(
        name="softmax",
        form="pointwise",
        evaluate=softmax,
        outside=0.0,
        result="float",
        adjoint="y * (g - s)",
        adjoint_sum="g * y",
        definition=f"exp({_SHIFTED}) / where({_EMPTY}, 1, sum[k](exp({_SHIFTED})))",
        source="The largest term is taken out: Blanchard, Higham and Higham, 2021.",
    ),
    Reduction(
        name="logsoftmax",
        form="pointwise",
        evaluate=logsoftmax,
        outside=-math.inf,
        result="float",
        adjoint="g - exp(y) * s",
        adjoint_where="y > -inf",
        adjoint_sum="g",
        tangent="where(y > -inf, g, 0) - s",
        tangent_sum="exp(y) * g",
        definition=f"{_SHIFTED} - where({_EMPTY}, 0, ln(sum[k](exp({_SHIFTED}))))",
        of_value=("exp", "softmax"),
        source="The largest term is taken out: Blanchard, Higham and Higham, 2021.",
    ),
    Reduction(
        name="cumsum",
        form="pointwise",
        complex=True,
        identity=0,
        combine=operator.add,
        fn="add",
        ufunc="np.add",
        adjoint="s",
        adjoint_sum="g",
        linear=True,
    ),
    Reduction(
        name="cumprod",
        form="pointwise",
        complex=True,
        identity=1,
        combine=operator.mul,
        fn="mul",
        ufunc="np.multiply",
    ),
    Reduction(
        name="cummax",
        form="pointwise",
        identity=-math.inf,
        combine=maximum,
        fn="max",
        ufunc="np.maximum",
        adjoint="g / n",
        adjoint_where="x == y",
        source="As max: the terms up to a point that are equal to the value there share evenly.",
    ),
    Reduction(
        name="cummin",
        form="pointwise",
        identity=math.inf,
        combine=minimum,
        fn="min",
        ufunc="np.minimum",
        adjoint="g / n",
        adjoint_where="x == y",
        source="As min: the terms up to a point that are equal to the value there share evenly.",
    ),
)

REDUCTIONS: tuple[Reduction, ...] = (*_FOLDS, *_WHOLE, *_POINTWISE)

_BY_NAME = {row.name: row for row in REDUCTIONS if row.name}
_BY_OP = {row.op: row for row in REDUCTIONS if row.op}


def lookup(name: str) -> Reduction | None:
    """Return the row of `sum`, `softmax` …, or None."""
    return _BY_NAME.get(name)


def by_op(op: str) -> Reduction | None:
    """Return the row of `+=`, `max=` …; None for `=`."""
    return _BY_OP.get(op)


def start(row: Reduction | None, dtype: str) -> Any:
    """Return the identity as a value of a NumPy type: integers have bounds in the place of inf.

    These are of the type itself: the least int8 less 1 is the largest.

    `row` None is the operator `=`, which starts from 0.
    """
    value = 0 if row is None else row.identity
    if not isinstance(value, float) or dtype.startswith(("float", "complex")):
        return value
    if dtype == "bool":
        return value > 0
    import numpy as np

    ends = np.iinfo(dtype)
    return np.dtype(dtype).type(ends.max if value > 0 else ends.min)
