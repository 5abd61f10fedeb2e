"""The derivative of an expression by each access in it, along the path to that access."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from loopc.diagnostics.record import record, replace
from loopc.ir.derive import partial, product
from loopc.ir.functions import lookup
from loopc.ir.nodes import Access, Call, Const, Expr, Index, Read, Reduce
from loopc.ir.reductions import lookup as lookup_reduction
from loopc.ir.visit import add, opened_reduction, walk

LONG = 600
"""The most nodes of a sum of terms: more of them are statements of their own, short enough to read.

A statement may have 2000 words.
"""


@record()
class Term:
    """One summand of a derivative: the product of `factors` where `conditions` hold.

    Attributes:
        access: what it is the derivative by.
        factors: partials from the outside in.
        conditions: the branches on the way, so that no branch that is not taken is computed.
        indices: of sums on the way: the derivative is summed over them.
    """

    access: Access
    factors: tuple[Expr, ...] = ()
    conditions: tuple[Expr, ...] = ()
    indices: tuple[Index, ...] = ()


def terms(
    value: Expr,
    is_active: Callable[[str], bool],
    taken: set[str],
    result: Expr | None = None,
) -> list[Term]:
    """Return the derivative of `value` by the accesses of active arrays, in order of the text.

    Args:
        value: an expression without nonlinear reductions of active arrays.
        is_active: whether an array is differentiated by.
        taken: names of indices in use; those of sums are renamed if they clash.
        result: an expression with the value of `value`, if there is one.
    """
    found = [_resolved(t) for t in _terms(value, is_active, taken, result)]
    return _merged(found)


def sensitive(value: Expr) -> tuple[Access, ...]:
    """Return the accesses by which the derivative of an expression is not zero everywhere."""
    try:
        return value.sensitive  # type: ignore[no-any-return]
    except AttributeError:
        value.sensitive = tuple(_sensitive(value))
        return value.sensitive  # type: ignore[no-any-return]


def _sensitive(value: Expr) -> Iterator[Access]:
    match value:
        case Read(access):
            yield access
        case Call(fn, args):
            for n, arg in enumerate(args):
                if partial(fn, n, args) is not None:
                    yield from sensitive(arg)
        case Reduce(op, body=body):
            row = lookup_reduction(op)
            if row is not None and row.result not in ("int", "bool"):
                yield from sensitive(body)
        case _:
            pass


def _terms(  # noqa: C901 - one case per kind of node
    value: Expr, is_active: Callable[[str], bool], taken: set[str], result: Expr | None
) -> Iterator[Term]:
    match value:
        case Read(access):
            if is_active(access.array):
                yield Term(access)
        case Call(fn, (condition, a, b)) if _is_choice(fn):
            for branch, holds in ((a, condition), (b, Call("not", (condition,)))):
                for term in _terms(branch, is_active, taken, None):
                    yield replace(term, conditions=(holds, *term.conditions))
        case Call(fn, args):
            for n, arg in enumerate(args):
                inner = list(_terms(arg, is_active, taken, None))
                outer = partial(fn, n, args, result) if inner else None
                if outer is not None:
                    for term in inner:
                        yield replace(term, factors=(outer, *term.factors))
        case Reduce():
            yield from _of_sum(value, is_active, taken)
        case _:
            pass


def _is_choice(fn: str) -> bool:
    row = lookup(fn)
    return row is not None and row.params == ("c", "a", "b")


def _of_sum(value: Reduce, is_active: Callable[[str], bool], taken: set[str]) -> Iterator[Term]:
    """The derivative of a sum: of its body, over its indices."""
    if not any(is_active(a.array) for a in sensitive(value)):
        return
    row = lookup_reduction(value.op)
    assert row is not None
    assert row.adjoint == "g", value.op
    opened = opened_reduction(value, taken)
    guards = () if opened.guard is None else (opened.guard,)
    inside = taken | {i.name for i in opened.indices}
    for term in _terms(opened.body, is_active, inside, None):
        yield replace(
            term,
            conditions=(*guards, *term.conditions),
            indices=(*opened.indices, *term.indices),
        )


def _resolved(term: Term) -> Term:
    """Drop factors that are exactly 1, keep signs as a factor -1 in front."""
    return replace(term, factors=tuple(f for f in term.factors if f != Const(1)))


def _merged(found: list[Term]) -> list[Term]:
    """Add up the terms of one access that hold under the same conditions, up to a length."""
    kept: list[Term] = []
    for term in found:
        place = next((n for n, k in enumerate(kept) if _alike(k, term)), None)
        if place is None:
            kept.append(term)
            continue
        a, b = (product(*t.factors) for t in (kept[place], term))
        total = _total(a, b)
        if len(walk(total)) > LONG:
            kept.append(term)
        else:
            kept[place] = replace(term, factors=(total,))
    return kept


def _total(a: Expr, b: Expr) -> Expr:
    if a == b:
        return product(Const(2), a)
    match a:
        case Call("mul", (Const(int(count)), *rest)) if product(*rest) == b:
            return product(Const(count + 1), b)
        case Const(int(x)) if isinstance(b, Const) and isinstance(b.value, int):
            return Const(x + b.value)
        case _:
            return add(a, b)


def _alike(a: Term, b: Term) -> bool:
    return (
        a.access == b.access
        and a.conditions == b.conditions
        and a.indices == b.indices
        and not a.indices
    )
