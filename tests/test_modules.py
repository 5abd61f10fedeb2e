"""Generated modules are to be read: a docstring with their plan, and nothing that ruff reports."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import loopc
import programs_nn
from support import TESTS


def test_a_docstring_says_what_is_done_how() -> None:
    text = (
        "input x[T, I]\nfor t,j,i  a[t,j] += W[j,i] x[t,i]\n"
        "for t in range(1, T), j: h[t,j] = sin(h[t-1,j]) a[t,j]\nfor t,j  y[t,j] = sin(h[t,j])**2\n"
    )
    module = ast.get_docstring(ast.parse(loopc.compile(text).source))
    assert module is not None
    forward = module.partition("How forward is computed:\n")[2].partition("\n\n")[0]
    assert [line.strip() for line in forward.splitlines()] == [
        "on whole arrays: line 2",
        "in the order of t: line 3",
        "in blocks of t, j, whose arrays stay in the cache: line 4",
    ]
    assert "How both are computed:\n" in module


def test_ruff_finds_nothing_in_modules_of_benchmarks_and_layers(tmp_path: Path) -> None:
    texts = {c.name: c.text for c in programs_nn.NN[::3]}
    texts |= {n: importlib.import_module(f"benchmarks.{n}").TEXT for n in BENCHMARKS}
    for name, text in texts.items():
        (tmp_path / f"{name}.py").write_text(loopc.compile(text).source, encoding="utf-8")
    found = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout


BENCHMARKS = sorted(p.stem for p in (TESTS.parent / "benchmarks").glob("bench_*.py"))


def test_the_gradient_of_a_saved_module_takes_what_the_program_takes() -> None:
    source = "input x[N], p[N]: int\nfor i: t[i] = x[p[i]]\nfor i: L += x[i]**2\noutput L\n"
    space: dict[str, Any] = {}
    exec(loopc.compile(source, wrt=["x"]).source, space)
    arrays = {"x": np.ones(3), "p": np.arange(3)}
    assert space["forward"](**arrays)["L"] == 3
    assert space["value_and_grad"](**arrays)[1]["x"].tolist() == [2, 2, 2]
    with pytest.raises(TypeError, match="unknown"):
        space["value_and_grad"](**arrays, q=1.0)


@pytest.mark.parametrize(
    ("sizes", "axis"), [((3, 2, 3), ""), ((4, 2, 3), "x[3]"), ((3, 2, 2), "v[N + 1]")]
)
def test_a_saved_module_checks_the_sizes_that_a_def_asks(
    sizes: tuple[int, int, int], axis: str
) -> None:
    text = (
        "def f(x[3], w[N], v[N+1]) -> y: y = x[0] x[2] + sum[i](w[i]) + v[0]\n"
        "input a[M], b[K], c[L]\nz = f(a[:], b[:], c[:])\n"
    )
    arrays = {name: np.ones(n) for name, n in zip("abc", sizes, strict=True)}
    module: dict[str, Any] = {}
    exec(loopc.compile(text).source, module)
    for call in (module["forward"], module["value_and_grad"]):
        if not axis:
            call(**arrays)
            continue
        with pytest.raises(ValueError, match="L0214") as caught:
            call(**arrays)
        assert f"takes `{axis}`" in str(caught.value)


def test_a_call_leaves_numpys_buffer_and_warnings_as_they_are() -> None:
    text = "output y\nfor i,j: y[i,j] = ln(x[i,j] - x[i,0])\n"
    program, x = loopc.compile(text), np.ones((3, 4))
    assert "np.setbufsize(1024)" in program.source
    before = np.getbufsize(), np.geterr()
    program(x=x), program.specialize(x=x)(x), program.vjp({"x": x}, {"y": x})
    assert (np.getbufsize(), np.geterr()) == before
