"""Products with the Jacobian and the Hessian, and these in full.

A tangent is forward mode; a Hessian-vector product is the tangent of the adjoint. Source: Griewank
and Walther, Evaluating Derivatives, ch. 3 and 5.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from loopc.api import routes
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


@record()
class Checked:
    """What the checks of a call found: they are not made again for arrays like these.

    Attributes:
        shapes: of all arrays of the program.
        given: the types of those that the call gave.
        types: of all of them, by these.
    """

    shapes: Mapping[str, tuple[int, ...]]
    given: Mapping[str, Any]
    types: Mapping[str, DType]


def _check_shapes(
    program: Program, arrays: Mapping[str, Any], directions: Mapping[str, Any]
) -> Checked:
    """Check all arrays, and that each direction has the shape of its array.

    Raises:
        ShapeError: L0212. And what a call raises.
    """

    def check() -> Checked:
        return _checked(program, program._take(program._program, arrays, frozenset()))

    found = program._routes.checked(routes.signature(arrays), check)
    for name, direction in directions.items():
        expected, given = found.shapes[name], np.shape(direction)
        if given != expected:
            raise catalogue.error("L0212", name=name, given=given, expected=expected)
    return found


def _checked(program: Program, call: Call) -> Checked:
    resolved = program._program
    shapes = {a.name: shape_of(a, call.dims, call.scalars) for a in resolved.arrays}
    types = infer_dtypes(resolved, dict(call.kinds), uniform=call.uniform)
    return Checked(shapes, {n: a.dtype for n, a in call.arrays.items()}, types)


def jvp(program: Program, arrays: Mapping[str, Any], tangents: Mapping[str, Any]) -> Results:
    """Return J v for every float output."""
    arrays, tangents = merged(arrays, {}), merged(tangents, {}, "tangents")
    for name in tangents:
        program._check_wrt(name)
    checked = _check_shapes(program, arrays, tangents)
    wrt, of = tuple(tangents), _floats(program)
    key = ("jvp", wrt)
    made = program._derivation(key, lambda: tangent(program._program, of, wrt))
    given = dict(arrays)
    given |= {seed: _like(tangents[n], arrays.get(n)) for n, seed in made.seeds.items()}
    found = _run(program, key, made.program, given, made.seeds)
    return Results({n: _typed(found[t], n, checked) for n, t in made.tangents.items()})


def _typed(tangent: Any, name: str, checked: Checked) -> Any:
    """Return a tangent as a float: one that is 0 or 1 everywhere is an integer in loops."""
    if tangent.dtype.kind == "f":
        return tangent
    sources = (checked.given.get(n, n) for n in checked.types[name].sources)
    floats = [t for t in map(np.dtype, sources) if t.kind == "f"]
    return tangent.astype(np.result_type(*floats) if floats else np.float64)


def hvp(program: Program, arrays: Mapping[str, Any], tangents: Mapping[str, Any]) -> Results:
    """Return H v, by name of `wrt`, for tangents of some of its names."""
    arrays, tangents = merged(arrays, {}), merged(tangents, {}, "tangents")
    for name in tangents:
        program._check_wrt(name)
    checked = _check_shapes(program, arrays, tangents)
    key = ("hvp", tuple(tangents))
    made = program._derivation(key, lambda: _second(program, tuple(tangents)))
    given = dict(arrays)
    given |= {seed: _like(tangents[n], arrays.get(n)) for n, seed in made.seeds.items()}
    found = _run(program, key, made.program, given, made.seeds)
    gradients = _gradient(program).gradients
    return Results({n: _typed(found[made.tangents[g]], n, checked) for n, g in gradients.items()})


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
    known = _check_shapes(program, arrays, {})
    rows, columns, kind = known.shapes[of], known.shapes[wrt], _float(known.given[wrt])
    if math.prod(columns) <= math.prod(rows):
        key: Any = ("columns", of, wrt)
        made = program._derivation(key, lambda: _columns(program, of, wrt))
        found = _directions(program, key, made, arrays, columns, rows, kind)
        return np.moveaxis(found, 0, -1).reshape((*rows, *columns))
    key = ("rows", of, wrt)
    made = program._derivation(key, lambda: _rows(program, of, wrt))
    found = _directions(program, key, made, arrays, rows, columns, kind)
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
    known = _check_shapes(program, arrays, {})
    shape, kind = known.shapes[wrt], _float(known.given[wrt])
    key = ("hessian", wrt)
    made = program._derivation(key, lambda: _hessian(program, wrt))
    found = _directions(program, key, made, arrays, shape, shape, kind)
    return found.reshape((*shape, *shape))


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
    kind: Any,
) -> Any:
    """Return the result for each unit vector of the seed's shape, one under the other."""
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
    return _float(np.asarray(array).dtype)


def _float(kind: Any) -> Any:
    return kind if kind.kind == "f" else np.dtype(np.float64)
