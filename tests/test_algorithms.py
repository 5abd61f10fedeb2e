"""Whole algorithms, their values and their gradients in every way to run them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import loopc
from programs_algorithms import PROGRAMS

LEVELS = [{"opt": 0}, {"opt": 1}, {"opt": 2}]


def floats(arrays: dict[str, Any]) -> list[str]:
    """Return the names of the arrays of floats."""
    return [name for name, array in arrays.items() if array.dtype.kind == "f"]


def same(found: loopc.Results | dict[str, Any], expected: loopc.Results) -> None:
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-9, atol=1e-11, err_msg=name)


@pytest.mark.parametrize("name", PROGRAMS)
def test_values_and_gradients_are_the_references(name: str) -> None:
    text, arrays = PROGRAMS[name]
    judge = loopc.compile(f"output L\n{text}", wrt=floats(arrays), backend="reference")
    value, gradient = judge(**arrays), judge.grad(**arrays)
    for options in LEVELS:
        program = loopc.compile(f"output L\n{text}", wrt=floats(arrays), **options)
        same(program(**arrays), value)
        same(program.grad(**arrays), gradient)


@pytest.mark.parametrize("name", PROGRAMS)
def test_gradients_are_those_of_differences_wherever_they_run(name: str) -> None:
    text, arrays = PROGRAMS[name]
    program = loopc.compile(f"output L\n{text}", wrt=floats(arrays))
    report = loopc.gradcheck(program, **arrays)
    assert all(check.passes(report.tolerance) for check in report.checks), str(report)
    expected = program.grad(**arrays)
    fast = program.specialize(**arrays)
    ordered = [arrays[n] for n in fast.inputs]
    fast.grad(*(0.9 * a if a.dtype.kind == "f" else a for a in ordered))
    same(fast.grad(*ordered), expected)
    space: dict[str, Any] = {"__name__": "alone"}
    exec(program.source, space)
    same(space["value_and_grad"](**arrays)[1], expected)
