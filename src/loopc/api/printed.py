"""The gradient of a program as text: .loops or LaTeX."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopc.api.limits import within_limits
from loopc.ir.derive import expand_primes
from loopc.ir.unbuild import statements_latex, statements_text, to_latex, to_text

if TYPE_CHECKING:
    from loopc.api.program import Program


def gradient_text(
    program: Program,
    *,
    only_adjoint: bool = False,
    expand: bool = False,
    comments: bool = False,
    latex: bool = False,
) -> str:
    """Return a program with its adjoint loops.

    Args:
        program: what is differentiated.
        only_adjoint: whether the adjoint loops stand alone.
        expand: whether derivatives that read best as `f'(x)` are written out.
        comments: whether comments say of which statement each adjoint is; LaTeX has none.
        latex: whether it is LaTeX for a formula, not .loops.
    """
    keep = () if only_adjoint else program._program.outputs
    made = program._adjoint(program._of(), program.wrt, keep=keep)
    with within_limits():
        loops, whole = made.loops, made.program
        if expand:
            loops, whole = tuple(expand_primes(s) for s in loops), expand_primes(whole)
        explained = loops if comments else ()
        if only_adjoint:
            return statements_latex(loops) if latex else statements_text(loops, explained)
        return to_latex(whole) if latex else to_text(whole, explained)
