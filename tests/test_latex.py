r"""Readable output: derivatives written out, and LaTeX."""

from __future__ import annotations

import re

import numpy as np
import pytest

import loopc
from loopc.api.printed import gradient_text
from loopc.diagnostics.span import Source
from loopc.ir.functions import FUNCTIONS
from loopc.ir.latex import latex_name
from loopc.ir.reductions import REDUCTIONS
from loopc.syntax.parser import parse
from loopc.syntax.printer import print_module
from test_cli import LAYER, run


def line(text: str) -> str:
    """Return the LaTeX of the last line of a program."""
    return loopc.compile(text).latex().splitlines()[-2].removeprefix("& ")


def balanced(latex: str) -> bool:
    pairs = [(r"\left", r"\right"), (r"\begin{", r"\end{"), ("{", "}")]
    bare = re.sub(r"\\[{}]|\\left\\lfloor|\\right\\rfloor", "", latex)
    return all(bare.count(a) == bare.count(b) for a, b in pairs)


def test_derivatives_are_written_out() -> None:
    p = loopc.compile("for i  L += x[i] σ(x[i]) + tanh'(x[i])", wrt=["x"])
    assert "σ'(x[i])" in p.adjoint_loops()
    assert "tanh''(x[i])" in p.adjoint_loops()
    assert "'" not in p.adjoint_loops(expand=True)
    assert "σ(x[i]) (1 - σ(x[i]))" in p.adjoint_loops(expand=True)
    text = gradient_text(p, expand=True)
    assert "'" not in text
    x = np.array([0.3, -1.7, 2.5])
    found, expected = loopc.compile(text)(x=x), p.with_adjoint(x=x)
    assert list(found) == list(expected)
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-13)


def test_comments_say_of_which_statement_an_adjoint_is(capfd: pytest.CaptureFixture[str]) -> None:
    text = (
        "for t in range(1, T):\n"
        "  for i,j:  s[t,i] += W[i,j] h[t-1,j]  # a product\n"
        "  for i:\n"
        "    h[t,i] = tanh(s[t,i] +\n"
        "      b[i])\n"
        "for i  L += h[T-1,i]; M = 2 L\n"
    )
    code, out, _ = run(capfd, "grad", "-e", text, "--loss", "M", "--wrt", "W", "--comments")
    assert code == 0
    assert [w.strip() for w in out.splitlines() if "#" in w] == [
        "# adjoint of `M = 2 L`",
        "# adjoint of `L += h[T-1,i]`",
        "# adjoint of `h[t,i] = tanh(s[t,i] + …`",
        "# adjoint of `for i,j: s[t,i] += W[i,j] h[t-1,j]`",
    ]
    assert print_module(parse(Source("", out))) == out
    plain = run(capfd, "grad", "-e", text, "--loss", "M", "--wrt", "W")[1]
    assert "#" not in plain
    assert str(loopc.compile(out)) == str(loopc.compile(plain))
    alone = run(capfd, "grad", LAYER, "--only-adjoint", "--comments", "--expand")[1]
    assert alone.startswith("# adjoint of `for j s[j] = σ(s̃[j] - B[j])`\nfor j  s̃.grad[j] += ")
    assert run(capfd, "grad", LAYER, "--comments", "--latex")[0] == 2


def test_grad_prints_latex(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capfd, "grad", LAYER, "--only-adjoint", "--latex")
    assert code == 0
    assert out.startswith("\\begin{aligned}\n& ")
    assert out.endswith("\n\\end{aligned}\n")
    lines = [text.removesuffix(r" \\").removeprefix("& ") for text in out.splitlines()]
    slope = r"\sigma'\left(\tilde{s}_{j} - B_{j}\right)"
    update = r"B.\mathrm{grad}_{j} \mathrel{-}= s.\mathrm{grad}_{j}\, "
    assert r"\text{for } j \quad " + update + slope in lines
    update = r"W.\mathrm{grad}_{j,i} \mathrel{+}= \tilde{s}.\mathrm{grad}_{j}\, h_{i}"
    assert r"\text{for } j, i \quad " + update in lines
    whole = run(capfd, "grad", LAYER, "--latex", "--expand")[1]
    assert r"\text{for } j, i \quad \tilde{s}_{j} \mathrel{+}= W_{j,i}\, h_{i}" in whole
    assert "'" not in whole
    assert balanced(whole)


def test_names_are_escaped() -> None:
    assert latex_name("s̃.grad") == r"\tilde{s}.\mathrm{grad}"
    assert latex_name("W0") == r"\mathit{W0}"
    assert latex_name("σ") == r"\sigma"
    assert latex_name("Δt_1") == r"\mathit{\Delta t\_1}"
    assert latex_name("a~b") == r"\mathit{a\sim{}b}"
    assert latex_name("x̂̄") == r"\bar{\hat{x}}"
    assert latex_name("x\u0324") == r"\overset{\mathtt{324}}{x}"
    assert latex_name(r"\a{b}$#%&_^~") == (r"\mathit{\backslash{}a\{b\}\$\#\%\&\_\hat{}\sim{}}")
    assert latex_name("x") != latex_name("x\u0324") != latex_name("x\u0325")


def test_products_and_quotients() -> None:
    assert line("L = a b / c * d") == r"L = \frac{a\, b}{c}\, d"
    assert line("L = (a + b) / (c - d)") == r"L = \frac{a + b}{c - d}"
    assert line("L = -a / b / c") == r"L = -\frac{\frac{a}{b}}{c}"
    assert line("L = a * 2 * 3") == r"L = a \cdot 2 \cdot 3"
    assert line("L = a**-b + a**(b + 1)") == "L = a^{-b} + a^{b + 1}"
    assert line("L = a // b") == r"L = \left\lfloor \frac{a}{b} \right\rfloor"
    assert line("L = a % b + c") == r"L = \left(a \bmod b\right) + c"
    assert line("L = a % b * c") == r"L = \left(a \bmod b\right)\, c"


def test_statements_and_ranges() -> None:
    text = "dim n\nfor i in range(1, n) if x[i-1] > 0 and not x[i] == 2:\n"
    text += "  L += sum[k if k < i](x[k])\n"
    assert loopc.compile(text).latex().splitlines()[3:5] == [
        r"& \text{for } i \in \operatorname{range}\left(1, n\right) \text{ if } x_{i - 1} > 0"
        r" \text{ and } \text{not } x_{i} = 2 \quad "
        r"L \mathrel{+}= \sum_{k \text{ if } k < i}\left(x_{k}\right)",
        r"\end{aligned}",
    ]
    declared = loopc.compile("input x[B, 2*T]: int\nfor b,t  L += x[b,t]").latex()
    assert r"\text{input } x[B, 2\, T] : \mathrm{int} \\" in declared
    case = line("L = where(a > 0, sqrt(a), abs(b))")
    assert case == (
        r"L = \begin{cases} \sqrt{a} & \text{if } a > 0 \\ "
        r"\left|b\right| & \text{otherwise} \end{cases}"
    )


def test_arguments_that_look_like_places_of_a_template() -> None:
    assert line("L = where(c̃ > 0, ã, b̃)") == (
        r"L = \begin{cases} \tilde{a} & \text{if } \tilde{c} > 0 \\ "
        r"\tilde{b} & \text{otherwise} \end{cases}"
    )


@pytest.mark.parametrize("row", [r for r in FUNCTIONS if r.infix is None], ids=lambda r: r.name)
def test_every_function_has_a_spelling(row) -> None:  # type: ignore[no-untyped-def]
    latex = line(f"L = {row.name}({', '.join(row.params)})")
    assert balanced(latex)
    for param in row.params:
        assert latex.count(latex_name(param)) >= 1
    if not row.latex:
        assert latex.startswith(rf"L = \operatorname{{{row.name}}}\left(")


@pytest.mark.parametrize(
    "row", [r for r in REDUCTIONS if r.form != "pointwise"], ids=lambda r: r.name
)
def test_every_reduction_has_a_spelling(row) -> None:  # type: ignore[no-untyped-def]
    head = row.latex or rf"\operatorname{{{row.name}}}"
    assert line(f"L = {row.name}[k](x[k] > 0)") == rf"L = {head}_{{k}}\left(x_{{k}} > 0\right)"
