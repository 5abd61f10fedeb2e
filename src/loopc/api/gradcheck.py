"""The adjoint against central differences."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from loopc.api.arrays import merged
from loopc.diagnostics import catalogue
from loopc.diagnostics.record import record

if TYPE_CHECKING:
    from loopc.api.program import Program

STEP = 1e-6
"""The step of a difference, relative to the size of the cell (about the cube root of eps)."""


@record()
class Check:
    """One array's gradient: the largest error, relative to the gradient's size, and its cell."""

    name: str
    error: float
    cell: tuple[int, ...]
    adjoint: float
    difference: float
    cells: int

    def passes(self, tolerance: float) -> bool:
        """Whether the error is within the tolerance (a NaN is not)."""
        return self.error <= tolerance


@record()
class GradcheckReport:
    """What `gradcheck` found."""

    checks: tuple[Check, ...]
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether every gradient agrees."""
        return all(c.passes(self.tolerance) for c in self.checks)

    def __bool__(self) -> bool:
        return self.passed

    def to_json(self) -> str:
        """Return the report as JSON."""
        checks = [asdict(c) | {"passed": c.passes(self.tolerance)} for c in self.checks]
        data = {"passed": self.passed, "tolerance": self.tolerance, "checks": checks}
        return json.dumps(data, ensure_ascii=False, indent=2)

    def __str__(self) -> str:
        width = max((len(c.name) for c in self.checks), default=0)
        lines = []
        for c in self.checks:
            verdict = "ok" if c.passes(self.tolerance) else "WRONG"
            place = f"[{', '.join(map(str, c.cell))}]" if c.cell else ""
            lines.append(
                f"{verdict:<5} {c.name:<{width}}  error {c.error:.1e} in {c.cells} cells; "
                f"worst {c.name}.grad{place} = {c.adjoint:.6g}, difference {c.difference:.6g}"
            )
        return "\n".join(lines)


def gradcheck(
    program: Program,
    arrays: Mapping[str, Any] | None = None,
    /,
    *,
    tolerance: float = 1e-5,
    max_cells: int = 200,
    raises: bool = False,
    **named: Any,
) -> GradcheckReport:
    """Compare the adjoint with central differences, in float64.

    A loss that is no scalar is contracted with a fixed random cotangent.

    Args:
        program: the program.
        arrays: its inputs and params by name.
        tolerance: the largest error, relative to 1 + the largest gradient of the array.
        max_cells: cells of each array that are tried; more are sampled.
        raises: whether a disagreement is raised.
        named: further inputs and params.

    Raises:
        CallError: L0707, if `raises`; L0709, what is given is no program.
    """
    if not hasattr(program, "loss"):
        kind, repair = "a program", "compile the text first: `loopc.compile(…)`"
        given_type = type(program).__name__
        raise catalogue.error("L0709", name="program", kind=kind, given=given_type, repair=repair)
    given = {n: _wide(v) for n, v in merged(arrays, named).items()}
    rng = np.random.default_rng(0)
    loss = program.loss
    runner = program if loss in program.outputs else program._with_outputs((loss,))
    value = runner(given)[loss]
    seed = rng.standard_normal(value.shape) if value.shape else None
    gradients = program.grad(given, seed=seed)

    def objective(changed: Mapping[str, Any]) -> float:
        out = runner(changed)[loss]
        with np.errstate(all="ignore"):
            return float(out if seed is None else np.sum(out * seed))

    checks = tuple(
        _check(name, given, gradients[name], objective, rng, max_cells) for name in gradients
    )
    report = GradcheckReport(checks, tolerance)
    if raises and not report:
        raise catalogue.error("L0707", what=f"the adjoint and differences disagree\n{report}")
    return report


def _wide(value: Any) -> Any:
    array = np.asarray(value)
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def _check(
    name: str,
    given: Mapping[str, Any],
    gradient: Any,
    objective: Any,
    rng: np.random.Generator,
    max_cells: int,
) -> Check:
    base = np.array(given[name], dtype=np.float64)
    cells = list(np.ndindex(base.shape))
    if len(cells) > max_cells:
        cells = [cells[i] for i in sorted(rng.choice(len(cells), max_cells, replace=False))]
    scale = 1 + float(np.max(np.abs(gradient), initial=0))
    worst = Check(name, 0.0, (), 0.0, 0.0, len(cells))
    for cell in cells:
        step = STEP * max(1.0, abs(float(base[cell])))
        ends = []
        for sign in (1, -1):
            moved = base.copy()
            moved[cell] += sign * step
            ends.append(objective({**given, name: moved}))
        difference = (ends[0] - ends[1]) / (2 * step)
        error = abs(float(gradient[cell]) - difference) / scale
        if not error <= worst.error or worst.cell == () == cell:
            worst = Check(name, error, cell, float(gradient[cell]), difference, len(cells))
            if error != error:
                break
    return worst
