"""Axes that two indices count together are two, and quotients by dims are numbers of a call."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import loopc

HEADS = """
input q[B,H,T,D], k[B,G,T,D], v[B,G,T,D]
for b,h,i,j  a[b,h,i,j] = sum[d](q[b,h,i,d] k[b,h//(H//G),j,d]) / sqrt(D)
for b,h,i,j  p[b,h,i,j] = softmax[j](a[b,h,i,j])
for b,h,i,d  o[b,h,i,d] = sum[j](p[b,h,i,j] v[b,h//(H//G),j,d])
for b,h,i,d  L += o[b,h,i,d]**2
"""
CAUSAL = HEADS.replace("for b,h,i,j  a", "for b,h,i,j if j <= i: a").replace(
    "softmax[j](", "softmax[j if j <= i]("
)
TEXTS = {
    "grouped heads": HEADS,
    "causal ones": CAUSAL,
    "a norm of groups": "input x[B,H,T], g[H], h[H]\n"
    "for b, u<2: m[b,u] = mean[c<H//2,t](x[b,H//2*u+c,t])\n"
    "for b, u<2: s[b,u] = mean[c<H//2,t]((x[b,H//2*u+c,t] - m[b,u])**2)\n"
    "for b,c,t  y[b,c,t] = (x[b,c,t] - m[b,c//(H//2)]) / sqrt(s[b,c//(H//2)] + 1e-5) g[c] + h[c]\n"
    "for b,c,t  L += tanh(y[b,c,t])**2",
    "repeated rows": "input x[B,G,T], w[T]\nfor b,i<2*G,t: y[b,i,t] = tanh(x[b,i//2,t])\n"
    "for b,i,t  z[b,i,t] = y[b,i,t] w[t]\nfor b,i,t  L += z[b,i,t]**2",
    "a literal place": "input x[B,G,T]\nfor b,i<2*G,t: y[b,i,t] = tanh(x[b,i//2,t])\n"
    "for b,t  L += y[b,1,t] y[b,0,t]",
    "a place beside": "input x[B,G,T]\nfor b,i<2*G,t: y[b,i,t] = tanh(x[b,i//2,t])\n"
    "for b,i<2*G-1,t: L += y[b,i+1,t] y[b,i,t]",
    "sums": "input x[B,G,T]\nfor b,i<2*G,t: y[b,i,t] = tanh(x[b,i//2,t])\n"
    "for b,t  z[b,t] = sum[i](y[b,i,t]**2)\nfor b,t  L += sin(z[b,t])",
    "the largest": "input x[B,G,T], w[T]\nfor b,i<2*G,t: y[b,i,t] = x[b,i//2,t] w[t] + i % 2\n"
    "for b,t  L += max[i](y[b,i,t])",
    "a softmax of them": "input x[B,G,T], w[T]\nfor b,i<2*G,t: y[b,i,t] = x[b,i//2,t] w[t]\n"
    "for b,i,t  p[b,i,t] = softmax[i](y[b,i,t])\nfor b,i,t  L += p[b,i,t]**2",
    "the index's value": "input x[B,G,T]\nfor b,i<2*G,t: y[b,i,t] = tanh(x[b,i//2,t])\n"
    "for b,i,t  L += y[b,i,t] i",
    "a guard": "input x[B,G,T]\nfor b,i<2*G,t: y[b,i,t] = tanh(x[b,i//2,t])\n"
    "for b,i,t if t <= i: L += y[b,i,t]",
    "in a block": "input x[B,G,T]\nfor b,i<2*G,t:\n    y[b,i,t] = tanh(x[b,i//2,t])\n"
    "    z[b,i,t] = y[b,i,t]**2\nfor b,i,t  L += z[b,i,t]",
    "a recurrence over others": "input x[B,G,T]\nfor b,i<2*G: y[b,i,0] = x[b,i//2,0]\n"
    "for t in range(1, T), b, i<2*G: y[b,i,t] = tanh(y[b,i,t-1]) + x[b,i//2,t]\n"
    "for b,i,t  L += y[b,i,t]**2",
    "a recurrence over them": "input x[B,G,T]\nfor b,t  y[b,0,t] = x[b,0,t]\n"
    "for i in range(1, 2*G), b, t: y[b,i,t] = tanh(y[b,i-1,t]) + x[b,i//2,t]\n"
    "for b,i,t  L += y[b,i,t]**2",
    "rows": "input x[B,T,G]\nfor b,t,i<2*G: y[b,t,i] = tanh(x[b,t,i//2])\n"
    "for b,t,i  L += y[b,t,i]**2",
    "a number": "input x[B,G,T], n: int\nfor b,i<2*G,t: y[b,i,t] = tanh(x[b,i//2,t])\n"
    "for b,t  L += y[b,n,t]",
    "data": "input x[B,G,T], w[T]: int\nfor b,i<2*G,t: y[b,i,t] = tanh(x[b,i//2,t])\n"
    "for b,t  L += y[b,w[t],t]",
    "a result": "input x[B,G,T]\nfor b,i<2*G,t: y[b,i,t] = tanh(x[b,i//2,t])\n"
    "for b,i,t  L += y[b,i,t]**2\noutput L, y",
    "remainders": "input x[B,G,T], w[T]\nfor b,i<2*G,t: y[b,i,t] = tanh(x[b,i//2,t]) (1 + i % 2)\n"
    "for b,i,t  L += y[b,i,t]**2 (i % 2)",
}


def given(program: loopc.Program, heads: int, groups: int, steps: int) -> dict[str, object]:
    rng = np.random.default_rng(0)
    dims = {"B": 2, "H": heads, "G": groups, "T": steps, "D": 3}
    found: dict[str, object] = {}
    for name, kind in program.inputs.items():
        shape = [dims[str(e)] for e in kind.shape]
        whole = name == "n" or (name == "w" and "w[T]: int" in str(program))
        found[name] = rng.integers(0, 2, shape) if whole else rng.standard_normal(shape)
    return found


@pytest.mark.parametrize("name", TEXTS)
def test_values_and_gradients_are_the_references(name: str) -> None:
    plain = loopc.compile(TEXTS[name], loss="L", backend="reference")
    programs = [loopc.compile(TEXTS[name], loss="L", opt=n) for n in range(3)]
    for heads, groups, steps in ((4, 2, 3), (6, 2, 2), (4, 4, 2), (2, 1, 4), (4, 2, 1), (8, 2, 3)):
        arrays = given(plain, heads, groups, steps)
        value, gradients = plain.value_and_grad(arrays)
        for program in programs:
            out, found = program.value_and_grad(arrays)
            np.testing.assert_allclose(out.L, value.L, rtol=1e-11)
            for key, each in gradients.items():
                np.testing.assert_allclose(found[key], each, rtol=1e-9, atol=1e-11)
            special = program.specialize(arrays)(*arrays.values())
            np.testing.assert_allclose(special.L, value.L, rtol=1e-11)


@pytest.mark.parametrize(("heads", "groups"), [(5, 2), (7, 3), (1, 2)])
def test_heads_that_are_left_over_are_as_in_the_loop(heads: int, groups: int) -> None:
    text = HEADS.replace("k[b,h//(H//G)", "k[b,clamp(h//max(H//G, 1))").replace(
        "v[b,h//(H//G)", "v[b,clamp(h//max(H//G, 1))"
    )
    plain = loopc.compile(text, loss="L", backend="reference")
    program = loopc.compile(text, loss="L")
    arrays = given(plain, heads, groups, 3)
    value, gradients = plain.value_and_grad(arrays)
    out, found = program.value_and_grad(arrays)
    np.testing.assert_allclose(out.L, value.L, rtol=1e-11)
    for key, each in gradients.items():
        np.testing.assert_allclose(found[key], each, rtol=1e-9, atol=1e-11)


def test_a_divisor_of_0_is_as_in_the_loop() -> None:
    arrays = given(loopc.compile(HEADS, loss="L"), 1, 2, 3)
    expected = loopc.compile(HEADS, loss="L", backend="reference")(arrays).L
    np.testing.assert_allclose(loopc.compile(HEADS, loss="L")(arrays).L, expected)


def test_grouped_heads_are_looked_up_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOPC_CACHE", str(tmp_path))
    program = loopc.compile(CAUSAL, loss="L")
    program.value_and_grad(given(program, 8, 2, 4))
    code = "".join(f.read_text() for f in tmp_path.rglob("*.py"))
    assert "np.arange(8)" not in code
    assert "_scatter(" not in code


def test_each_number_of_heads_has_a_module_of_its_own() -> None:
    program = loopc.compile(HEADS, loss="L")
    plain = loopc.compile(HEADS, loss="L", backend="reference")
    for heads, groups in ((8, 2), (8, 4), (12, 2), (12, 6), (8, 2)):
        arrays = given(program, heads, groups, 2)
        np.testing.assert_allclose(program(arrays).L, plain(arrays).L, rtol=1e-11)
        assert program.explain(**dict(zip("BHGTD", (2, heads, groups, 2, 3), strict=True)))
