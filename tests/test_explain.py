"""What `explain` says of each statement; of the library, that only recurrences leave loops."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import loopc
import programs_nn
import test_nn
from loopc.api.libraries import functions
from loopc.api.report import Report
from loopc.api.samples import samples
from programs_layers import Program

RNN = """\
input x[T, I]
for t,j,i  a[t,j] += W[j,i] x[t,i]
for t in range(1, T), j: h[t,j] = h[t-1,j] u[j] + a[t,j]
for t,j  y[t] += h[t,j] v[j]
"""


def test_each_statement_has_its_place_operations_and_loops() -> None:
    rows = loopc.compile(RNN).explain(T=5, J=3, I=2).rows
    assert [(r.file, r.line) for r in rows] == [("program.loops", n) for n in (2, 3, 4)]
    assert [r.specs for r in rows] == [("ji,ti->tj",), (), ("tj,j->t",)]
    assert [[(f.index, f.carried_by) for f in r.loops] for r in rows] == [[], [("t", ("h",))], []]
    assert [r.flops for r in rows] == [2 * 5 * 3 * 2, 2 * 4 * 3, 2 * 5 * 3]
    assert [r.python_loop for r in rows] == [False, True, False]


def test_statements_of_one_block_are_told_apart() -> None:
    text = (
        "for t in range(1, T):\n    for j,i  a[t,j] += W[j,i] x[t,i]\n"
        "    for j  h[t,j] = sin(h[t-1,j]) + a[t,j]\n"
    )
    matmul, serial = loopc.compile(text).explain(T=5, J=3, I=2).rows
    assert (matmul.how, matmul.loops) == ("matmul", ())
    assert [f.index for f in serial.loops] == ["t"]
    assert serial.text == "for t in range(1, T), j: h[t,j] = sin(h[t-1,j]) + a[t,j]"


def test_a_statement_in_a_cycle_names_what_carries_it() -> None:
    text = (
        "for t < T:\n    h[t+1] = h[t] c[t] + x[t]\n"
        "    c[t+1] = h[t+1] + x[t]\n    y[t] = h[t] x[t]\n"
    )
    h, c, y = loopc.compile(text).explain(T=5).rows
    assert [(f.index, set(f.carried_by)) for f in h.loops] == [("t", {"h", "c"})]
    assert h.loops == c.loops
    assert not y.loops


def test_diagonals_are_loops_over_both_indices() -> None:
    text = "for i in range(1, N), j in range(1, M): a[i,j] = a[i-1,j] + a[i,j-1] + x[i,j]\n"
    (row,) = loopc.compile(text).explain(N=5, M=6).rows
    assert [f.index for f in row.loops] == ["i+j"]


def test_a_line_of_a_library_names_its_file() -> None:
    text = "use nn\nfor b  y[b,:] = linear(x[b,:], W, c)\nfor b,j  z[b] += y[b,j]\n"
    report = loopc.compile(text).explain(B=2, I=3, J=4)
    assert {r.file for r in report.rows} == {"dense.loops", "program.loops"}
    assert "dense.loops:" in str(report)


def test_text_json_and_page_say_the_same() -> None:
    report = loopc.compile(RNN).explain(T=5, J=3, I=2)
    assert "Python loop over t (h)" in str(report)
    assert "matmul ji,ti->tj" in str(report)
    row = json.loads(report.to_json())["rows"][1]
    assert row["loops"] == [{"index": "t", "carried_by": ["h"]}]
    assert row["file"] == "program.loops"
    assert "Python loop over t (h)" in report.to_html()


def left(report: Report) -> list[str]:
    """Return the indices of the loops that are left; each says what carries it."""
    assert all(loop.carried_by for row in report.rows for loop in row.loops)
    return [loop.index for row in report.rows for loop in row.loops]


CELL = "for t < T:\n    for b  h[t+1,b,:] = rnn_cell(x[t,b,:], h[t,b,:], W, U, c)\n"
BESIDE = {**test_nn.PROGRAMS, "rnn_cell": f"input x[T, B, I]\n{CELL}"}
"""Programs without NumPy beside them."""


@pytest.mark.parametrize("case", [pytest.param(c, id=c.name) for c in programs_nn.NN])
def test_of_the_library_only_recurrences_leave_loops(case: Program) -> None:
    report = loopc.compile(case.text).explain(case.arrays(np.random.default_rng(0)))
    assert set(left(report)) == ({"t"} if case.serial else set())


@pytest.mark.parametrize("name", list(BESIDE))
def test_of_programs_that_use_it_too(name: str) -> None:
    program = loopc.compile(f"use nn\n{BESIDE[name]}")
    serial = name in {*test_nn.SERIAL, "rnn_cell"}
    assert set(left(program.explain(samples(program, {}, {})))) == ({"t"} if serial else set())


def test_every_function_of_the_library_is_looked_at() -> None:
    texts = " ".join([*(c.text for c in programs_nn.NN), *BESIDE.values()])
    assert [name for name in functions("nn") if f"{name}(" not in texts] == []


EXAMPLES = sorted((Path(loopc.__file__).parent / "examples").glob("*.loops"))


@pytest.mark.parametrize("path", [pytest.param(p, id=p.stem) for p in EXAMPLES])
def test_no_example_leaves_a_loop(path: Path) -> None:
    program = loopc.compile(path)
    assert left(program.explain(dict.fromkeys(program.dims, 4))) == []


def test_reshapes_are_views() -> None:
    text = (
        "input x[B,H,T,D], w[N]\nfor b,h<H,t,d<D: y[b,t,D*h+d] = x[b,h,t,d]\n"
        "for b,h<H,t,d<D: z[b,h,t,d] = y[b,t,D*h+d]\nfor k<2*N: r[k] = w[k//2]\n"
    )
    rows = loopc.compile(text).explain(B=2, H=3, T=4, D=5, N=6).rows
    assert [r.how for r in rows] == ["view", "view", "view"]
