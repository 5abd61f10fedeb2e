"""Sums of fewer terms: what is written as a sum over all of its indices, by products instead.

    sum[k]((x[i,k] - y[j,k])**2)      ->  sum[k](x[i,k]**2) + sum[k](y[j,k]**2)
                                              - 2 sum[k](x[i,k] y[j,k])
    for i,j,k  g[i,k] += s[i,j] (x[i,k] - y[j,k])
                                      ->  g[i,k] += x[i,k] sum[j](s[i,j]) - sum[j](s[i,j] y[j,k])

At opt=2 only, and exact where the result is not finite: the run then does as it is written. Digits
are lost where what is subtracted nearly cancels: an absolute error of about ε Σ (x² + y²), or
ε Σ |s| (|x| + |y|), ε the type's. Of a squared distance, which is 0 for equal points, that may be
all of it; so it becomes products only where it is read inside functions such as e**x alone, in
which that error is as small as rounding, and it is never negative.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from loopc.ir.functions import lookup
from loopc.ir.nodes import Call, Const, Expr, Node, Program, Read
from loopc.ir.visit import children, free_indices, reads, updates

if TYPE_CHECKING:
    from loopc.lower.value import Lowering

_LEVEL = 2
_LINEAR = ("add", "mul", "neg")


def forgiving(program: Program) -> frozenset[str]:
    """Return the arrays that are read only where an error as small as rounding does no harm."""
    inside: set[str] = set()
    outside = set(program.outputs)
    for _, update in updates(program.body):
        for array, absorbed in _reads(update.value, absorbed=False):
            (inside if absorbed else outside).add(array)
        outside |= {a.array for a in reads(update.target)}
    return frozenset(inside - outside)


def _reads(node: Node, *, absorbed: bool) -> Iterator[tuple[str, bool]]:
    if isinstance(node, Read):
        yield node.access.array, absorbed
        for access in node.access.subscripts:
            yield from _reads(access, absorbed=False)
        return
    for child in children(node):
        within = absorbs(node.fn, absorbed=absorbed) if isinstance(node, Call) else False
        yield from _reads(child, absorbed=within)


def absorbs(fn: str, *, absorbed: bool) -> bool:
    """Whether an argument of a function may be off by rounding, where its value may be or not."""
    row = lookup(fn)
    assert row is not None, fn
    return row.absorbs or (absorbed and row.name in _LINEAR)


def squares(lowering: Lowering, body: Expr, over: Sequence[str]) -> tuple[Expr, ...] | None:
    """Return the terms of a sum of squared differences multiplied out; None: it is none."""
    if not lowering.absorbed or not _may_lose(lowering, body):
        return None
    match body:
        case Call("pow", (Call("add", (a, b)) as inner, Const(2))):
            pass
        case _:
            return None
    if not _spreads(lowering, inner, over):
        return None
    sign = 1
    for term in (a, b):
        sign = -sign if _is_negated_read(term) else sign
    a, b = (t.args[0] if isinstance(t, Call) and _is_negated_read(t) else t for t in (a, b))
    return (
        Call("mul", (Const(2 * sign), a, b)),
        Call("mul", (a, a)),
        Call("mul", (b, b)),
    )


def multiplied_out(
    lowering: Lowering, factors: Sequence[Expr], over: Sequence[str]
) -> tuple[Expr, ...] | None:
    """Return the terms of a product one of whose factors is a sum spread over more axes.

    None: there is none, or it would gain nothing.
    """
    for number, factor in enumerate(factors):
        if not (isinstance(factor, Call) and factor.fn == "add" and len(factors) > 1):
            continue
        if not _may_lose(lowering, factor) or not _spreads(lowering, factor, over):
            continue
        before, after = factors[:number], factors[number + 1 :]
        spread = frozenset[str]().union(*(_axes(lowering, f) for f in (*before, *after)))
        if _axes(lowering, factor) <= spread:
            continue
        return tuple(Call("mul", (*before, term, *after)) for term in factor.args)
    return None


def _may_lose(lowering: Lowering, expr: Expr) -> bool:
    dtype = lowering.type_of(expr)
    return lowering.context.opt >= _LEVEL and dtype is not None and dtype.kind == "f"


def _spreads(lowering: Lowering, total: Call, over: Sequence[str]) -> bool:
    """Whether each term of a sum has fewer of the axes than the sum, which has a summed one."""
    own = [_axes(lowering, term) for term in total.args]
    together = frozenset[str]().union(*own)
    plain = all(isinstance(t, Read) or _is_negated_read(t) for t in total.args)
    return plain and not together.isdisjoint(over) and all(len(a) < len(together) for a in own)


def _is_negated_read(term: Expr) -> bool:
    return isinstance(term, Call) and term.fn == "neg" and isinstance(term.args[0], Read)


def _axes(lowering: Lowering, expr: Expr) -> frozenset[str]:
    return frozenset(n for n in free_indices(expr) if n in lowering.box.indices)
