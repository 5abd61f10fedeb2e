"""Whether the arguments of calls have the sizes that their `def`s declare."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping

from loopc.diagnostics import catalogue
from loopc.diagnostics.errors import Diagnostic
from loopc.ir.affine import affine
from loopc.ir.nodes import Expr, Extent, Fit, Program
from loopc.ir.visit import walk

Evaluate = Callable[[Expr, Mapping[str, int], Mapping[str, int]], int]


def open_fits(program: Program) -> tuple[Fit, ...]:
    """Return what is not known before a call: not the sizes that are equal as they are written."""
    return tuple(
        f for f in program.fits if (form := affine(f.given)) is None or form != affine(f.expected)
    )


def wrong_fits(program: Program, clashing: Container[str]) -> Iterator[Diagnostic]:
    """Yield the arguments that are of a wrong size in every call, but for arrays that clash."""
    for fit in program.fits:
        given, expected = affine(fit.given), affine(fit.expected)
        if given is None or expected is None or given == expected or fit.array in clashing:
            continue
        if given.is_constant and expected.is_constant:
            yield _wrong(fit, given.constant, expected.constant)


def known_fits(program: Program) -> Iterator[Fit]:
    """Yield the sizes of arguments in the dims of a program: one derived may not have all."""
    if not program.fits:
        return
    dims = {
        n.name
        for a in program.arrays
        for s in a.shape or ()
        for n in walk(s)
        if isinstance(n, Extent)
    }
    for fit in program.fits:
        parts = (n for size in (fit.given, fit.expected) for n in walk(size))
        if all(n.name in dims for n in parts if isinstance(n, Extent)):
            yield fit


def check_fits(
    program: Program, dims: Mapping[str, int], scalars: Mapping[str, int], evaluate: Evaluate
) -> None:
    """Check the sizes of arguments for the dims of a call.

    Raises:
        ShapeError: L0214.
    """
    for fit in program.fits:
        try:
            given = max(0, evaluate(fit.given, dims, scalars))
            expected = evaluate(fit.expected, dims, scalars)
        except KeyError:
            continue  # a size that this program, derived from another, does not have
        if given != expected:
            raise catalogue.raised(_wrong(fit, given, expected))


def _wrong(fit: Fit, given: int, expected: int) -> Diagnostic:
    function, formal, axis = fit.call
    return catalogue.diagnostic(
        "L0214",
        fit.span,
        also=[(fit.formal, "declared here")],
        function=function,
        formal=formal,
        axis=axis,
        given=given,
        expected=expected,
    )
