"""The tangent of a program, as a program: its directional derivative along `x.dot`."""

from __future__ import annotations

from collections.abc import Sequence

from loopc.autodiff.adjoint import active_arrays, free_suffix, without_unused
from loopc.autodiff.forward import Forward
from loopc.autodiff.normal import normalise
from loopc.autodiff.starts import filled
from loopc.diagnostics.record import record, replace
from loopc.ir.nodes import Array, Program, Stmt
from loopc.ir.visit import updates
from loopc.ir.workspace import Names

DOT = "dot"
"""The tangent of `x` is `x.dot`; if the program has such names already, `x.dot2` and so on."""


@record()
class Tangent:
    """What forward differentiation makes of a program.

    Attributes:
        program: the forward statements that are needed, each with its tangent.
        seeds: the input that holds the tangent, by name of what is differentiated by; a name that
            matters for nothing has none.
        tangents: the array that holds the directional derivative, by name of what it is of.
    """

    program: Program
    seeds: dict[str, str]
    tangents: dict[str, str]


def tangent(program: Program, of: Sequence[str], wrt: Sequence[str]) -> Tangent:
    """Return the tangent of a resolved program without Backward statements.

    Args:
        program: the program.
        of: what is differentiated.
        wrt: the arrays by which; of a program that assigns to one, its value at the start counts.

    Raises:
        DifferentiationError: L0605.
    """
    names = Names.of(program)
    suffix = free_suffix(program, DOT)
    active = active_arrays(program.body, names, of, wrt)
    body = normalise(program.body, active.__contains__, names, forward=True)
    active = active_arrays(body, names, of, wrt)
    seeds: dict[str, str] = {}
    for name in list(names.arrays):
        if name not in active and name not in of:
            continue
        base, new = names.arrays[name], f"{name}.{suffix}"
        kind = "input" if name in wrt and name in active else "temp"
        dtype = base.dtype if kind == "input" else ""
        names.taken.add(new)
        names.arrays[new] = Array(new, kind, base.shape, dtype, span=base.span)  # type: ignore[arg-type]
        if kind == "input":
            seeds[name] = new
    made = Forward(body, active, suffix, names).statements()
    tangents = {name: f"{name}.{suffix}" for name in of}
    whole = replace(
        program,
        arrays=tuple(names.arrays.values()),
        body=(*made, *_zeros(made, tangents, names)),
        outputs=tuple(tangents.values()),
    )
    needed = without_unused(whole)
    known = {a.name for a in needed.arrays}
    return Tangent(needed, {n: s for n, s in seeds.items() if s in known}, tangents)


def _zeros(made: tuple[Stmt, ...], tangents: dict[str, str], names: Names) -> tuple[Stmt, ...]:
    """Give a tangent to what depends on nothing."""
    known = {u.target.array for _, u in updates(made)}
    known |= {a.name for a in names.arrays.values() if a.kind == "input"}
    return tuple(
        s
        for name, full in tangents.items()
        if full not in known
        for s in filled(full, names.arrays[name], 0)
    )
