"""What must hold of a random program's derivatives: exact ones decide."""

from __future__ import annotations

import random
import warnings
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from loopc.api.program import Program
from loopc.autodiff.adjoint import adjoint
from loopc.diagnostics.errors import BoundsError, LoopcError
from loopc.ir.unbuild import to_text

from .duals import Dual, Interpreter, NotExactError
from .judge import OK, Verdict, at, compiled, crash, dims_of, is_least, run, saved
from .programs import Case

Arrays = dict[str, np.ndarray]

STAGES = ("opt0", "printed", "tangent", "specialized", "standalone")
"""What is judged beside `opt2`, by the program's number."""


CONVENTIONS = tuple(product((False, True), (None, 0, 1)))
"""Which terms of `max=` may share a tie; see `Interpreter`."""


def judge_gradient(case: Case, seed: int) -> Verdict:
    """Return whether the adjoint and the tangent are exact, and the printed adjoint is."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            program = compiled(case.text)
            forward = run(at(program, backend="reference"), case.arrays)
        except (BoundsError, LoopcError) as error:
            return Verdict("rejected", error.code, str(error))
        if any(np.isnan(v).any() for v in forward.values()):
            return Verdict("rejected", "not a number")
        given = {n: a for n, a in case.arrays.items() if n in program.inputs}
        dims = dims_of(program, given)
        verdict, doubtful = OK, False
        for shared, grouped in CONVENTIONS:
            interpreter = Interpreter(program._program, given, dims, shared=shared, grouped=grouped)
            try:
                with np.errstate(all="ignore"):  # integers wrap
                    duals = interpreter.run()
            except NotExactError as error:
                return Verdict("rejected", f"not exact {error}")
            values = {
                n: np.array([float(d.value) for d in duals[n].flat]).reshape(v.shape)
                for n, v in forward.items()
            }
            wrong = [n for n, v in forward.items() if not np.array_equal(values[n], v)]
            if wrong and grouped is not None:
                continue  # the terms depend on each other
            if wrong and any(map(is_least, forward.values())):
                return Verdict("rejected", "least integers")  # of other types than the duals'
            if wrong:
                return Verdict("failed", "dual values differ", f"{wrong}: {values} {forward}")
            verdict = _compare(case.text, program, given, duals, seed, exact=interpreter.exact)
            doubtful = doubtful or interpreter.doubtful
            if verdict.kind != "failed" or not doubtful:
                break
        return verdict


def _compare(
    case_text: str,
    program: Program,
    given: Arrays,
    duals: dict[str, np.ndarray],
    seed: int,
    *,
    exact: bool,
) -> Verdict:
    rng = random.Random(seed)
    floats = [n for n, t in program.outputs.items() if t.dtype == "float"]
    wrt = tuple(program.wrt)
    if not floats or not wrt:
        return Verdict("trivial")
    seeds = {n: _numbers(rng, duals[n].shape) for n in floats}
    expected, small = _gradients(given, wrt, duals, seeds)
    if not small:
        return Verdict("rejected", "huge")
    stage = "adjoint"
    try:
        made = adjoint(program._program, floats, wrt, seeded=True)
        text = to_text(made.program)
        for stage in ("opt2", STAGES[seed // 2 % len(STAGES)]):
            if stage in ("specialized", "standalone"):
                found = _of_loss(stage, *_with_loss(case_text, given, seeds))
                wanted = expected
            elif stage == "tangent":
                tangents = {n: _numbers(rng, given[n].shape) for n in wrt}
                found = dict(at(program, opt=0 if seed % 8 > 3 else 2).jvp(given, tangents))
                wanted, _ = _tangents(given, duals, tangents, floats)
            elif stage == "printed":
                again = compiled(text)
                names = {s: seeds[n] for n, s in made.seeds.items()}
                full = run(at(again, backend="reference"), {**given, **names})
                found = {n: full[g] for n, g in made.gradients.items()}
                wanted = expected
            else:
                found = dict(at(program, opt=int(stage[-1])).vjp(given, seeds))
                wanted = expected
            for name, value in wanted.items():
                if not _same(found[name], value, exact=exact):
                    detail = f"{name}: {np.asarray(found[name]).tolist()}\nexpected {value.tolist()}\n{seeds}\n{text}"
                    return Verdict("failed", f"{stage}: gradient", detail)
    except LoopcError as error:
        if error.code.startswith("L06"):
            return Verdict("rejected", error.code, str(error))
        return Verdict(
            "failed", f"{stage}: {error.code}", f"{error}\n{text if stage != 'adjoint' else ''}"
        )
    except Exception as error:
        return crash(stage, error)
    return OK


def _with_loss(text: str, given: Arrays, seeds: Arrays) -> tuple[Program, Arrays]:
    """Return a program of the sum of all outputs by their seeds, and its arrays."""
    lines = [line for line in text.splitlines() if not line.startswith("output")]
    for name, seed in seeds.items():
        indices = [f"q{axis}" for axis in range(seed.ndim)]
        cell, shape = (f"[{','.join(x)}]" if x else "" for x in (indices, map(str, seed.shape)))
        ranges = ", ".join(f"{i} < {n}" for i, n in zip(indices, seed.shape, strict=True))
        lines.insert(0, f"input seed_{name}{shape if cell else ''}")
        lines.append(f"{f'for {ranges}: ' if cell else ''}loss_ += seed_{name}{cell} {name}{cell}")
    program = compiled("\n".join([*lines, "output loss_"]))
    arrays = {**given, **{f"seed_{n}": a for n, a in seeds.items()}}
    return program, {n: a for n, a in arrays.items() if n in program.inputs}


def _of_loss(stage: str, program: Program, arrays: Arrays) -> Arrays:
    """Return the gradients of a saved module, or those of a specialised call's second run."""
    if stage == "standalone":
        return dict(saved(program)["value_and_grad"](**arrays)[1])
    fast = program.specialize(arrays)
    ordered = [arrays[n] for n in fast.inputs]
    fast.grad(*(np.zeros_like(a) if a.dtype.kind == "f" else a for a in ordered))
    return dict(fast.grad(*ordered))


def _same(found: Any, value: np.ndarray, *, exact: bool) -> bool:
    found = np.asarray(found)
    if found.shape != value.shape:
        return False
    if np.array_equal(found, value):
        return True
    scale = max(1.0, float(np.abs(value).max(initial=0)))
    single = found.dtype == np.float32
    tolerance = 1e-3 if single else 0 if exact else 1e-12
    return bool(np.allclose(found, value, rtol=0, atol=tolerance * scale))


def _numbers(rng: random.Random, shape: tuple[int, ...]) -> np.ndarray:
    count = int(np.prod(shape))
    return np.array([float(rng.randrange(-2, 4)) for _ in range(count)]).reshape(shape)


LIMIT = 2**45


def _gradients(
    given: Arrays, wrt: tuple[str, ...], duals: dict[str, np.ndarray], seeds: Arrays
) -> tuple[Arrays, bool]:
    found = {n: np.full(given[n].shape, Fraction(0), object) for n in wrt}
    exact = True
    for name, cotangent in seeds.items():
        for dual, c in zip(duals[name].flat, cotangent.flat, strict=True):
            for (array, cell), part in dual.parts.items():
                exact = exact and abs(part) < LIMIT
                if array in found:
                    found[array][cell] += Fraction(float(c)) * part
    return {n: _floats(a) for n, a in found.items()}, exact


def _tangents(
    given: Arrays, duals: dict[str, np.ndarray], tangents: Arrays, names: list[str]
) -> tuple[Arrays, bool]:
    def along(dual: Dual) -> Fraction:
        return sum(
            (
                p * Fraction(float(tangents[n][c]))
                for (n, c), p in dual.parts.items()
                if n in tangents
            ),
            Fraction(0),
        )

    result = {}
    for name in names:
        array = np.full(duals[name].shape, Fraction(0), object)
        for cell in np.ndindex(array.shape):
            array[cell] = along(duals[name][cell])
        result[name] = _floats(array)
    return result, True


def _floats(array: np.ndarray) -> np.ndarray:
    return np.array([float(x) for x in array.flat], dtype=float).reshape(array.shape)
