"""What stands at the head of a generated function: the dims, and what must hold of them."""

from __future__ import annotations

from collections.abc import Iterator

from loopc.backends.numpy.values import PRODUCT, SUM, Speller
from loopc.ir.affine import Affine, affine
from loopc.ir.nodes import Call, Const, Expr
from loopc.ir.visit import walk
from loopc.lower.plan import Plan


def dim_lines(plan: Plan, speller: Speller) -> Iterator[str]:
    """Yield the lines that find the dims from the shapes of the inputs."""
    for rule in plan.dims:
        name = speller.name("dim", rule.dim)
        if rule.value is not None:
            yield f"{name} = {speller.size(rule.value)}"
            continue
        text = f"{speller.name('array', rule.array)}.shape[{rule.axis}]"
        if rule.offset is not None and affine(rule.offset) != Affine(0):
            text = f"({text} - {speller.size(rule.offset, SUM + 1)})"
        if rule.factor != Const(1):
            text = f"{text} // {speller.size(rule.factor, PRODUCT + 1)}"
        yield f"{name} = {text}"


def require_lines(plan: Plan, speller: Speller) -> Iterator[str]:
    """Yield the checks of what must hold for the sizes of a call."""
    for need in plan.requires:
        call = speller.helper("_require")
        counts = speller.sizes(need.counts)
        low, high, extent = (speller.size(e) for e in (need.low, need.high, need.extent))
        check = f"{call}({low}, {high}, {extent}, {counts}, {need.place!r})"
        if not need.counts or not any(map(_divides, (need.low, need.high, need.extent))):
            yield check
            continue
        # a divisor may be 0 where the access has no point
        yield f"if {' and '.join(f'{speller.size(c, SUM)} > 0' for c in need.counts)}:"
        yield f"    {check}"


def fit_lines(plan: Plan, speller: Speller) -> Iterator[str]:
    """Yield the checks of the sizes of arguments of `def`s."""
    for fit in plan.fits:
        function, formal, axis = fit.call
        call = speller.helper("_fit")
        given, expected = speller.size(fit.given), speller.size(fit.expected)
        place = f"`{function}` takes `{formal}`: axis {axis} of this argument"
        yield f"{call}({given}, {expected}, {place!r})"


def _divides(size: Expr) -> bool:
    """Whether a size has a divisor that is no number."""
    return any(
        isinstance(n, Call) and n.fn in ("floordiv", "mod") and not isinstance(n.args[1], Const)
        for n in walk(size)
    )
