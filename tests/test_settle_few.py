"""The few coordinates of points are counted by the call."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import loopc
from loopc import passes
from loopc.api import cache
from loopc.ir.magnitude import Magnitudes

PROGRAMS = {
    "pairs": """
        input x[N,D], y[M,D]
        for i,j  r[i,j] = sum[d]((x[i,d] - y[j,d])**2)
        for i  L += min[j](r[i,j])
        for i,d  L += x[i,d]**2 / D
    """,
    "pairs of a triangle": """
        input x[N,D]
        for i,j if i < j: L += 1 / (0.1 + sum[d](abs(x[i,d] - x[j,d]))**7)
    """,
    "coordinates behind others": """
        input x[B,N,D], w[D]
        for b,i,j,d  z[b,i,j,d] = (x[b,i,d] + w[d] x[b,j,d])**2
        for b,i,j  L += sqrt(1 + sum[d](z[b,i,j,d]))
    """,
}


def _arrays(program: loopc.Program, count: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    sizes = {"N": 6, "M": 5, "B": 3, "D": count}
    return {
        name: rng.standard_normal([sizes[str(e)] for e in kind.shape])
        for name, kind in program.inputs.items()
    }


@pytest.mark.parametrize("name", PROGRAMS)
def test_any_number_of_coordinates_gives_the_references_values(name: str) -> None:
    program = loopc.compile(PROGRAMS[name], wrt="x", loss="L")
    plain = loopc.compile(PROGRAMS[name], wrt="x", loss="L", backend="reference")
    for count in (3, 2, 1, 4, 7, 5, 3):
        given = _arrays(program, count)
        found, expected = program.value_and_grad(given), plain.value_and_grad(given)
        special = program.specialize(given)(*given.values())
        for value in (found[0]["L"], special["L"]):
            np.testing.assert_allclose(value, expected[0]["L"], rtol=1e-12)
        np.testing.assert_allclose(found[1]["x"], expected[1]["x"], rtol=1e-10, atol=1e-12)


def test_a_module_on_disk_is_of_its_number_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOPC_CACHE", str(tmp_path))
    for _ in range(2):
        for count in (2, 3):
            cache.MEMORY.clear()
            program = loopc.compile(PROGRAMS["pairs"])
            given = _arrays(program, count)
            expected = loopc.compile(PROGRAMS["pairs"], backend="reference")(given)
            np.testing.assert_allclose(program(given)["L"], expected["L"], rtol=1e-12)


@pytest.mark.parametrize(("count", "settled"), [(1, False), (2, True), (4, True), (5, False)])
def test_few_coordinates_are_a_number(count: int, settled: bool) -> None:
    program = loopc.compile(PROGRAMS["pairs"])._program
    sizes = Magnitudes({"N": 50, "M": 60, "D": count})
    assert ("D" in str(passes.run(program, 2, sizes).arrays)) is not settled
    assert sizes.by_extents


def test_no_other_dim_is() -> None:
    """A convolution's channels are not points: an index of it moves, and is in no difference."""
    text = (
        "input x[C,T], w[D,C,K]\n"
        "for d < D, t < T-K+1: y[d,t] = sum[c,k](x[c,t+k] w[d,c,k]) + x[0,t]"
    )
    program = loopc.compile(text)._program
    sizes = Magnitudes({"C": 3, "T": 50, "D": 2, "K": 3})
    found = passes.run(program, 2, sizes)
    assert found.array("x").shape == program.array("x").shape
