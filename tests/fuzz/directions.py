"""What must hold of derivatives at real numbers: three ways to them agree, and so do second ones.

Forward and reverse mode meet in ⟨u, J v⟩ = ⟨Jᵀ u, v⟩, and central differences along v are compared
with that number. At a kink or a jump differences are no derivative: there they also disagree with
themselves, from one side and the other, and what that explains is no fault.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from loopc.api.program import Program
from loopc.autodiff.adjoint import adjoint
from loopc.diagnostics.errors import BoundsError, LoopcError
from loopc.ir.unbuild import to_text

from .judge import OK, Verdict, at, compiled, crash, run
from .programs import Case

Arrays = dict[str, np.ndarray]

STEP = 1e-4
SERIAL = ("statement:recurrence", "statement:nest", "statement:in_place", "statement:triangle")


def judge_directions(case: Case, seed: int) -> Verdict:
    """Return whether forward mode, reverse mode and differences agree, to second order."""
    case = replace(case, arrays={n: _as_double(a) for n, a in case.arrays.items()})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            program = compiled(case.text)
            expected = run(at(program, backend="reference"), case.arrays)
        except (BoundsError, LoopcError) as error:
            return Verdict("rejected", error.code, str(error))
        arrays = {n: case.arrays[n] for n in program.inputs}
        of = [n for n, t in program.outputs.items() if t.dtype == "float"]
        wrt = [n for n in program.wrt if arrays[n].size]
        if not of or not wrt:
            return Verdict("trivial")
        if not all(np.isfinite(expected[n]).all() for n in of):
            return Verdict("rejected", "not finite")
        rng = np.random.default_rng(seed)
        u = {n: rng.standard_normal(expected[n].shape) for n in of}
        v = {n: rng.standard_normal(arrays[n].shape) for n in wrt}
        stage = ["first"]
        try:
            return _judged(case, program, arrays, u, v, seed, stage)
        except LoopcError as error:
            if error.code.startswith("L06"):
                return Verdict("rejected", error.code, str(error))
            return Verdict("failed", f"{stage[0]}: {error.code}", str(error))
        except Exception as error:
            return crash(stage[0], error)


def _as_double(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def _judged(
    case: Case, program: Program, arrays: Arrays, u: Arrays, v: Arrays, seed: int, stage: list[str]
) -> Verdict:
    first = at(program, opt=2 if seed % 3 else 0)
    back = dict(first.vjp(arrays, u))
    ahead = dict(first.jvp(arrays, v))
    if not all(np.isfinite(a).all() for a in (*back.values(), *ahead.values())):
        return _as_reference(program, arrays, u, v, back, ahead)
    reverse, forward = _dot(back, v), _dot(u, ahead)
    size = 1e-300 + _dot(back, v, absolute=True) + _dot(u, ahead, absolute=True)
    if abs(reverse - forward) > 1e-10 * max(size, 1e-3):
        return _failed("modes differ", program, u, v, back, ahead)

    def along(step: float) -> float:
        moved = {n: a + step * v[n] if n in v else a for n, a in arrays.items()}
        return _dot(u, dict(program(moved)))

    kink = _slope(along, forward, size)
    if kink == "differs":
        return _failed("differences", program, u, v, back, ahead)
    if (seed // 3) % 3 == 0:
        stage[0] = "reference"
        found = _as_reference(program, arrays, u, v, back, ahead)
    elif (seed // 3) % 3 == 1:
        stage[0] = "second"
        found = OK if kink else second(case, program, arrays, v, seed)
    else:
        stage[0] = "checkpoint" if any(case.used[s] for s in SERIAL) else "printed"
        found = _otherwise(stage[0], program, arrays, u, back)
    return found if found is not OK or not kink else Verdict("ok", "kink")


def _failed(reason: str, program: Program, *more: Any) -> Verdict:
    made = adjoint(program._program, list(more[0]), tuple(more[1]), seeded=True)
    return Verdict("failed", reason, "\n".join((to_text(made.program), *map(repr, more))))


def _slope(along: Callable[[float], float], slope: float, size: float) -> str:
    """Return "" if differences are the slope, `kink` if there is none, or `differs`."""
    middle = along(0.0)
    ends = [(along(h), along(-h)) for h in (STEP, STEP / 2)]
    wide, narrow = ((a - b) / (2 * h) for (a, b), h in zip(ends, (STEP, STEP / 2), strict=True))
    found = (4 * narrow - wide) / 3
    scale = size + abs(middle) * 1e-3
    apart = abs(found - slope)
    rounding = 16 * np.finfo(float).eps * (1 + abs(middle)) / STEP  # of values of order one
    if apart <= 1e-6 * scale + rounding:
        return ""
    bends = [abs(a - 2 * middle + b) / h for (a, b), h in zip(ends, (STEP, STEP / 2), strict=True)]
    unsure = max(*bends, abs(wide - narrow))
    if not np.isfinite(unsure) or apart <= 2 * unsure:
        return "kink"
    if abs(wide - narrow) > 0.01 * apart:  # so steep that only shorter steps are straight
        short = ((along(h) - along(-h)) / (2 * h) for h in (STEP / 1e3, STEP / 1e4))
        if any(abs(found - slope) <= 1e-3 * scale for found in short):
            return "kink"
    return "differs"


def _dot(a: Arrays, b: Arrays, *, absolute: bool = False) -> float:
    """Return the sum of products of what both have."""
    parts = [np.asarray(a[n]) * np.asarray(b[n]) for n in a if n in b]
    return float(sum(np.sum(np.abs(p) if absolute else p) for p in parts))


def _as_reference(
    program: Program, arrays: Arrays, u: Arrays, v: Arrays, back: Arrays, ahead: Arrays
) -> Verdict:
    """Whether the reference gives the same derivatives, NaN and inf at the same places."""
    plain = at(program, backend="reference")
    for name, found, expected in (
        *((n, back[n], a) for n, a in plain.vjp(arrays, u).items()),
        *((n, ahead[n], a) for n, a in plain.jvp(arrays, v).items()),
    ):
        if not _close(found, expected, 1e-10):
            return _failed("reference", program, u, v, name, found, expected)
    return OK


def _otherwise(stage: str, program: Program, arrays: Arrays, u: Arrays, back: Arrays) -> Verdict:
    """Whether the gradients are the same with checkpoints, or of the printed adjoint."""
    if stage == "checkpoint":
        other = dict(at(program, checkpoint=2).vjp(arrays, u))
    else:
        made = adjoint(program._program, list(u), tuple(program.wrt), seeded=True)
        again = compiled(to_text(made.program))
        seeds = {s: u[n] for n, s in made.seeds.items()}
        full = run(at(again, opt=1), {**arrays, **seeds})
        other = {n: full[g] for n, g in made.gradients.items()}
    for name, value in back.items():
        if not _close(other[name], value, 1e-10):
            return _failed(stage, program, u, dict.fromkeys(back, u), name, value, other[name])
    return OK


def second(case: Case, program: Program, arrays: Arrays, v: Arrays, seed: int) -> Verdict:
    """Whether Hessian-vector products are the slopes of the gradient, and symmetric."""
    loss = compiled(case.text + _loss(program))
    loss = at(loss, loss="loss_", wrt=tuple(v), opt=2 if seed % 2 else 0)
    rng = np.random.default_rng(seed + 1)
    w = {n: rng.standard_normal(a.shape) for n, a in v.items()}
    there = dict(loss.hvp(arrays, v))
    size = 1e-300 + _dot(w, there, absolute=True)
    if not np.isfinite(size):
        return Verdict("ok", "second not finite")

    def along(step: float) -> float:
        moved = {n: a + step * v[n] if n in v else a for n, a in arrays.items()}
        return _dot(w, dict(loss.grad(moved)))

    steep = size * STEP > 100 * (1 + abs(along(0.0)))  # it turns many times within a step
    kink = "" if steep else _slope(along, _dot(w, there), size)
    if kink == "differs":
        text = to_text(loss._adjoint(("loss_",), loss.wrt).program)
        detail = f"{text}\n{v}\n{w}\n{there}"
        return Verdict("failed", "second: differences", detail)
    if not kink:
        back = dict(loss.hvp(arrays, w))
        if abs(_dot(w, there) - _dot(back, v)) > 1e-9 * max(
            size, _dot(back, v, absolute=True), 1e-3
        ):
            return Verdict("failed", "second: not symmetric", f"{v}\n{w}\n{there}\n{back}")
    return Verdict("ok", kink and "second kink")


def _loss(program: Program) -> str:
    """Return statements that add all float outputs up, each by a function that is not linear."""
    lines = []
    for name, kind in program.outputs.items():
        if kind.dtype != "float":
            continue
        letters = [f"z{n}" for n in range(len(kind.shape))]
        ranges = ", ".join(f"{i} < {d}" for i, d in zip(letters, kind.shape, strict=True))
        cell = f"{name}[{','.join(letters)}]" if letters else name
        head = f"for {ranges}: " if ranges else ""
        lines.append(f"{head}loss_ += sin({cell} + 0.3)\n")
    return "".join(lines)


def _close(found: Any, expected: Any, tolerance: float) -> bool:
    found, expected = np.asarray(found), np.asarray(expected)
    if found.shape != expected.shape:
        return False
    finite = np.isfinite(expected)
    scale = max(1.0, float(np.max(np.abs(expected[finite]), initial=0)))
    with np.errstate(invalid="ignore"):
        return bool(np.allclose(found, expected, rtol=0, atol=tolerance * scale, equal_nan=True))
