"""Products with the Jacobian and the Hessian, and these in full.

A tangent is forward mode; a Hessian-vector product is the tangent of the adjoint. Source: Griewank
and Walther, Evaluating Derivatives, ch. 3 and 5.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from loopc.api.arrays import Call, merged
from loopc.api.results import Results
from loopc.autodiff.directions import with_directions
from loopc.autodiff.tangent import Tangent, tangent
from loopc.diagnostics import catalogue
from loopc.diagnostics.record import record
from loopc.ir import nodes
from loopc.ir.bind import shape_of
from loopc.ir.dtypes import DType, infer_dtypes

if TYPE_CHECKING:
    from loopc.api.program import Program

CELLS = 2**22
"""How many cells the directions of one run may have together, about."""


def tangent_of(program: Program) -> Tangent:
    """Return the derivative of the float outputs along all that is differentiated by."""
    of = _floats(program)
    made: Tangent = program._derivation(
        "tangent", lambda: tangent(program._program, of, program.wrt)
    )
    return made


def _floats(program: Program) -> tuple[str, ...]:
    return tuple(n for n, t in program.outputs.items() if t.dtype == "float")


def vjp(program: Program, arrays: Mapping[str, Any], cotangents: Mapping[str, Any]) -> Results:
    """Return Jᵀu, by name of `wrt`, for cotangents of some outputs."""
    arrays, cotangents = merged(arrays, {}), merged(cotangents, {}, "cotangents")
    of = tuple(cotangents)
    program._check_arrays(of)
    _check_shapes(program, arrays, cotangents)
    made = program._adjoint(of, program.wrt, seeded=True)
    given = arrays | {made.seeds[n]: u for n, u in cotangents.items() if n in made.seeds}
    needed = program._needed(made.program, given)
    found = program._run(("vjp", of), made.program, needed, frozenset(program.wrt))
    return Results({n: found[g] for n, g in made.gradients.items()})


def _check_shapes(
    program: Program, arrays: Mapping[str, Any], directions: Mapping[str, Any]
) -> Call:
    """Check all arrays, and that each direction has the shape of its array; return the arrays.

    Raises:
        ShapeError: L0212. And what a call raises.
    """
    call = program._take(program._program, arrays, frozenset())
    for name, direction in directions.items():
        expected = shape_of(program._program.array(name), call.dims, call.scalars)
        given = np.shape(direction)
        if given != expected:
            raise catalogue.error("L0212", name=name, given=given, expected=expected)
    return call


def jvp(program: Program, arrays: Mapping[str, Any], tangents: Mapping[str, Any]) -> Results:
    """Return J v for every float output."""
    arrays, tangents = merged(arrays, {}), merged(tangents, {}, "tangents")
    for name in tangents:
        program._check_wrt(name)
    call = _check_shapes(program, arrays, tangents)
    wrt, of = tuple(tangents), _floats(program)
    key = ("jvp", wrt)
    made = program._derivation(key, lambda: tangent(program._program, of, wrt))
    given = dict(arrays)
    given |= {seed: _like(tangents[n], arrays.get(n)) for n, seed in made.seeds.items()}
    found = _run(program, key, made.program, given, made.seeds)
    types = infer_dtypes(program._program, dict(call.kinds), uniform=call.uniform)
    return Results({n: _typed(found[t], types[n], call) for n, t in made.tangents.items()})


def _typed(tangent: Any, dtype: DType, call: Call) -> Any:
    """Return a tangent as a float: one that is 0 or 1 everywhere is an integer in loops."""
    if tangent.dtype.kind == "f":
        return tangent
    sources = (call.arrays[n].dtype if n in call.arrays else n for n in dtype.sources)
    floats = [t for t in map(np.dtype, sources) if t.kind == "f"]
    return tangent.astype(np.result_type(*floats) if floats else np.float64)


def hvp(program: Program, arrays: Mapping[str, Any], tangents: Mapping[str, Any]) -> Results:
    """Return H v, by name of `wrt`, for tangents of some of its names."""
    arrays, tangents = merged(arrays, {}), merged(tangents, {}, "tangents")
    for name in tangents:
        program._check_wrt(name)
    call = _check_shapes(program, arrays, tangents)
    key = ("hvp", tuple(tangents))
    made = program._derivation(key, lambda: _second(program, tuple(tangents)))
    given = dict(arrays)
    given |= {seed: _like(tangents[n], arrays.get(n)) for n, seed in made.seeds.items()}
    found = _run(program, key, made.program, given, made.seeds)
    gradients = _gradient(program).gradients
    types = infer_dtypes(program._program, dict(call.kinds), uniform=call.uniform)
    return Results(
        {n: _typed(found[made.tangents[g]], types[n], call) for n, g in gradients.items()}
    )


def _gradient(program: Program) -> Any:
    return program._adjoint((scalar_loss(program),), program.wrt)


def _second(program: Program, wrt: Sequence[str], of: Sequence[str] = ()) -> Tangent:
    """Return the tangent of the gradient."""
    first = _gradient(program)
    return tangent(first.program, tuple(of or first.gradients.values()), wrt)


def scalar_loss(program: Program) -> str:
    """Return the loss, which is a scalar.

    Raises:
        DifferentiationError: L0601.
    """
    array = program._program.array(program.loss)
    if array.shape:
        letters = ",".join("ijklmnpq"[: len(array.shape)])
        total = f"for {letters}  L += {array.name}[{letters}]"
        rank = len(array.shape)
        raise catalogue.error("L0601", array.span, name=array.name, rank=rank, sum=total)
    return array.name


@record()
class _Linear:
    """A program that runs for many directions: what seeds them, and what they come to."""

    program: nodes.Program
    seed: str | None
    result: str


def jacobian(program: Program, of: str, wrt: str, arrays: Mapping[str, Any]) -> Any:
    """Return d of / d wrt: forward by columns or backward by rows, whichever has fewer."""
    program._check_arrays([of])
    program._check_wrt(wrt)
    call = _check_shapes(program, arrays, {})
    array = call.arrays[wrt]
    rows, columns = shape_of(program._program.array(of), call.dims, call.scalars), array.shape
    if math.prod(columns) <= math.prod(rows):
        key: Any = ("columns", of, wrt)
        made = program._derivation(key, lambda: _columns(program, of, wrt))
        found = _directions(program, key, made, arrays, columns, rows, array)
        return np.moveaxis(found, 0, -1).reshape((*rows, *columns))
    key = ("rows", of, wrt)
    made = program._derivation(key, lambda: _rows(program, of, wrt))
    found = _directions(program, key, made, arrays, rows, columns, array)
    return found.reshape((*rows, *columns))


def _columns(program: Program, of: str, wrt: str) -> _Linear:
    made = tangent(program._program, (of,), (wrt,))
    many = with_directions(made.program, made.seeds.values())
    return _Linear(many, made.seeds.get(wrt), made.tangents[of])


def _rows(program: Program, of: str, wrt: str) -> _Linear:
    made = program._adjoint((of,), (wrt,), seeded=True)
    many = with_directions(made.program, made.seeds.values())
    return _Linear(many, made.seeds.get(of), made.gradients[wrt])


def hessian(program: Program, wrt: str, arrays: Mapping[str, Any]) -> Any:
    """Return d²loss / d wrt²: the tangents of the gradient along every cell."""
    program._check_wrt(wrt)
    array = _check_shapes(program, arrays, {}).arrays[wrt]
    key = ("hessian", wrt)
    made = program._derivation(key, lambda: _hessian(program, wrt))
    found = _directions(program, key, made, arrays, array.shape, array.shape, array)
    return found.reshape((*array.shape, *array.shape))


def _hessian(program: Program, wrt: str) -> _Linear:
    first = program._adjoint((scalar_loss(program),), (wrt,))
    made = tangent(first.program, (first.gradients[wrt],), (wrt,))
    many = with_directions(made.program, made.seeds.values())
    return _Linear(many, made.seeds.get(wrt), made.tangents[first.gradients[wrt]])


def _directions(
    program: Program,
    key: Any,
    made: _Linear,
    arrays: Mapping[str, Any],
    seed: tuple[int, ...],
    result: tuple[int, ...],
    like: Any,
) -> Any:
    """Return the result for each unit vector of the seed's shape, one under the other."""
    kind = _kind(like)
    found = np.zeros((math.prod(seed), math.prod(result)), kind)
    if made.seed is None:
        return found
    for start, units in _units(seed, math.prod(result), kind):
        given = {**arrays, made.seed: units}
        run = _run(program, key, made.program, given, {made.seed: made.seed})
        found[start : start + len(units)] = run[made.result].reshape(len(units), -1)
    return found


def _units(shape: tuple[int, ...], width: int, kind: Any) -> Iterator[tuple[int, Any]]:
    """Yield the unit vectors in as large parts as memory allows."""
    count = math.prod(shape)
    part = max(1, min(count, CELLS // max(1, count, width)))
    for start in range(0, count, part):
        size = min(part, count - start)
        units = np.zeros((size, count), kind)
        units[np.arange(size), np.arange(start, start + size)] = 1
        yield start, units.reshape(size, *shape)


def _run(
    program: Program,
    key: Any,
    derived: nodes.Program,
    given: Mapping[str, Any],
    seeds: Mapping[str, str],
) -> dict[str, Any]:
    """Run a derived program on those of the arrays that it needs."""
    floats = frozenset((*program.wrt, *seeds, *seeds.values()))
    return program._run(key, derived, program._needed(derived, given), floats)


def _like(value: Any, array: Any) -> Any:
    """Return a tangent in the floating type of what it is a tangent of."""
    return (
        np.asarray(value, _kind(array)) if isinstance(value, list | tuple | np.ndarray) else value
    )


def _kind(array: Any) -> Any:
    kind = np.asarray(array).dtype
    return kind if kind.kind == "f" else np.dtype(np.float64)
