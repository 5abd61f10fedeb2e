"""The generated module of a program, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopc import backends, passes
from loopc.diagnostics.errors import DifferentiationError
from loopc.passes.guard_empty import guard_factors

if TYPE_CHECKING:
    from loopc.api.program import Program
    from loopc.autodiff.adjoint import Adjoint


def emitted(program: Program) -> str:
    """Return the generated module: `forward`, and `value_and_grad` where there is a gradient."""
    emit = program._backend.emit
    if emit is None:
        return str(program)
    opt = program._options.opt
    made = _adjoint(program)
    module = backends.Module(
        guard_factors(passes.run(program._program, opt)),
        None if made is None else guard_factors(passes.run(made.program, opt)),
        {} if made is None else made.gradients,
        {},
        opt,
        program._name,
        program._options.threads,
    )
    return emit(module)


def _adjoint(program: Program) -> Adjoint | None:
    """Return the adjoint; None where there is none, which `grad` gives the reason of."""
    if not program.wrt or not program._of():
        return None
    try:
        return program._adjoint(program._of(), program.wrt, keep=program._program.outputs)
    except DifferentiationError:
        return None
