"""Derivatives made of adjoints: products with the Jacobian and the Hessian, and these in full.

The adjoint program is linear in its cotangents u: x̄ = Jᵀu. Its own adjoint by u is therefore J: so
a tangent is two adjoints. Source: Christianson, 1992; Griewank and Walther, Evaluating Derivatives,
ch. 3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from loopc.api.results import Results
from loopc.autodiff.adjoint import Adjoint, adjoint
from loopc.diagnostics import catalogue
from loopc.ir import nodes

if TYPE_CHECKING:
    from loopc.api.program import Program


def tangent_program(
    program: Program, of: tuple[str, ...] = (), wrt: tuple[str, ...] = ()
) -> nodes.Program:
    """Return the program of the directional derivative."""
    return _twice(program, of or _floats(program), wrt or program.wrt).program


def _twice(program: Program, of: tuple[str, ...], wrt: tuple[str, ...]) -> Adjoint:
    first = program._adjoint(of, wrt, seeded=True)
    if not first.seeds:
        raise program._unrelated(of[0] if of else "")
    return adjoint(
        first.program, tuple(first.gradients.values()), tuple(first.seeds.values()), seeded=True
    )


def _floats(program: Program) -> tuple[str, ...]:
    return tuple(n for n, t in program.outputs.items() if t.dtype == "float")


def jvp(program: Program, arrays: Mapping[str, Any], tangents: Mapping[str, Any]) -> Results:
    """Return J v for every float output."""
    for name in tangents:
        program._check_wrt(name)
    wrt = tuple(tangents)
    outputs = _floats(program)
    first = program._adjoint(outputs, wrt, seeded=True)
    values = program(arrays)
    found: dict[str, Any] = {n: np.zeros_like(values[n]) for n in outputs}
    if not first.seeds:
        return Results(found)
    second = _twice(program, outputs, wrt)
    given = dict(arrays)
    given |= {
        second.seeds[first.gradients[n]]: v
        for n, v in tangents.items()
        if first.gradients[n] in second.seeds
    }
    given |= {first.seeds[n]: np.zeros_like(values[n]) for n in first.seeds}
    run = program._run(
        ("jvp", wrt), second.program, _known(program, second.program, given), frozenset(wrt)
    )
    for name, seed in first.seeds.items():
        found[name] = run[second.gradients[seed]]
    return Results(found)


def _known(program: Program, derived: nodes.Program, given: Mapping[str, Any]) -> dict[str, Any]:
    names = {a.name for a in derived.arrays if a.kind != "temp"} | set(program.dims)
    return {n: v for n, v in given.items() if n in names}


def hvp(program: Program, arrays: Mapping[str, Any], tangents: Mapping[str, Any]) -> Results:
    """Return H v, by name of `wrt`, for tangents of some of its names."""
    for name in tangents:
        program._check_wrt(name)
    wrt = tuple(dict.fromkeys((*program.wrt, *tangents)))
    first = program._adjoint((_scalar_loss(program),), wrt)
    of = tuple(first.gradients[n] for n in tangents)
    second = adjoint(first.program, of, wrt, seeded=True)
    given = dict(arrays)
    for name, value in tangents.items():
        seed = second.seeds.get(first.gradients[name])
        if seed is not None:
            given[seed] = value
    key = ("hvp", tuple(tangents))
    run = program._run(key, second.program, _known(program, second.program, given), frozenset(wrt))
    return Results({n: run[second.gradients[n]] for n in program.wrt})


def _scalar_loss(program: Program) -> str:
    loss = program.loss
    array = program._program.array(loss)
    if array.shape:
        raise catalogue.error(
            "L0601", array.span, name=loss, rank=len(array.shape), sum=f"L += {loss}[…]"
        )
    return loss


def jacobian(program: Program, of: str, wrt: str, arrays: Mapping[str, Any]) -> Any:
    """Return d of / d wrt: one vector-Jacobian product per cell of the output."""
    program._check_arrays([of])
    program._check_wrt(wrt)
    made = program._adjoint((of,), (wrt,), seeded=True, keep=(of,))
    shape = _shape_of(program, of, arrays)
    rows = []
    for unit in _units(shape):
        given = {**arrays, **dict.fromkeys(made.seeds.values(), unit)}
        known = _known(program, made.program, given)
        run = program._run(("jacobian", of, wrt), made.program, known, frozenset((wrt,)))
        rows.append(run[made.gradients[wrt]])
    inner = np.shape(arrays[wrt])
    return np.array(rows).reshape(*shape, *inner) if rows else np.zeros((*shape, *inner))


def _shape_of(program: Program, name: str, arrays: Mapping[str, Any]) -> tuple[int, ...]:
    from loopc.ir.bind import shape_of

    call = program._take(program._program, arrays, frozenset())
    return shape_of(program._program.array(name), call.dims, call.scalars)


def _units(shape: tuple[int, ...]) -> Iterator[Any]:
    for place in np.ndindex(shape):
        unit = np.zeros(shape)
        unit[place] = 1
        yield unit


def hessian(program: Program, wrt: str, arrays: Mapping[str, Any]) -> Any:
    """Return d²loss / d wrt²: one Hessian-vector product per cell."""
    program._check_wrt(wrt)
    _scalar_loss(program)
    shape = np.shape(arrays[wrt])
    first = program._adjoint((program.loss,), (wrt,))
    second = adjoint(first.program, (first.gradients[wrt],), (wrt,), seeded=True)
    rows = []
    for unit in _units(shape):
        given = {**arrays, **dict.fromkeys(second.seeds.values(), unit)}
        known = _known(program, second.program, given)
        run = program._run(("hessian", wrt), second.program, known, frozenset((wrt,)))
        rows.append(run[second.gradients[wrt]])
    return np.array(rows).reshape(*shape, *shape) if rows else np.zeros((*shape, *shape))
