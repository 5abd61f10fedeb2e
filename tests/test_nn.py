"""The layers that ship with the package: NumPy, the reference, gradients, no needless loop."""

from __future__ import annotations

import numpy as np
import pytest

import loopc
from loopc.api.samples import samples

PROGRAMS = {
    "linear": "for b  y[b,:] = linear(x[b,:], W, c)\n",
    "layernorm": "for b  y[b,:] = layernorm(x[b,:], s, t)\n",
    "rmsnorm": "for b  y[b,:] = rmsnorm(x[b,:], g)\n",
    "batchnorm": "y[:,:] = batchnorm(x, s, t)\n",
    "dropout": "for b  y[b,:] = dropout(x[b,:], m[b,:], 0.5)\n",
    "embedding": "input E[V, D], w[B, T]: int\nfor b,t  y[b,t,:] = embedding(E, w[b,t])\n",
    "conv1d": "input x[2, 3, 7], w[4, 3, 3], c[4]\nfor b  y[b,:,:] = conv1d(x[b,:,:], w, c)\n",
    "conv2d": "input x[2, 2, 6, 7], w[3, 2, 3, 3], c[3]\n"
    "for b  y[b,:,:,:] = conv2d(x[b,:,:,:], w, c)\n",
    "conv2d_same": "input x[2, 2, 4, 5], w[3, 2, 3, 3], c[3]\n"
    "for b  y[b,:,:,:] = conv2d_same(x[b,:,:,:], w, c)\n",
    "pools": "input x[2, 2, 6, 8]\nfor b  y[b,:,:,:] = maxpool2(x[b,:,:,:])\n"
    "for b  z[b,:,:,:] = avgpool2(x[b,:,:,:])\n",
    "attention": "for b,h  y[b,h,:,:] = attention(q[b,h,:,:], k[b,h,:,:], v[b,h,:,:])\n",
    "causal_attention": "for b  y[b,:,:] = causal_attention(q[b,:,:], k[b,:,:], v[b,:,:])\n",
    "lstm": "input x[T, B, I], W[4*J, I], U[4*J, J], e[4*J]\nfor t < T:\n"
    "    for b  y[t+1,b,:], c[t+1,b,:] = lstm_cell(x[t,b,:], y[t,b,:], c[t,b,:], W, U, e)\n",
    "gru": "input x[T, B, I], W[3*J, I], U[3*J, J], d[3*J], e[3*J]\nfor t < T:\n"
    "    for b  y[t+1,b,:] = gru_cell(x[t,b,:], y[t,b,:], W, U, d, e)\n",
    "cross_entropy": "input s[B, C], t[B]: int\nfor b  y += cross_entropy(s[b,:], t[b])"
    " + smoothed_cross_entropy(s[b,:], t[b], 0.1)\n",
    "losses": "for b  y += mse(x[b,:], t[b,:]) + huber(x[b,:], t[b,:]) + hinge(x[b,0], 1)\n",
    "kl": "for b,i  p[b,i] = softmax[i](s[b,i])\nfor b,i  q[b,i] = softmax[i](t[b,i])\n"
    "for b  y += kl(p[b,:], q[b,:])\n",
}
SERIAL = {"lstm", "gru"}


@pytest.mark.parametrize("name", list(PROGRAMS))
def test_layer(name: str) -> None:
    text = "use nn\n" + PROGRAMS[name]
    program = loopc.compile(text, loss="y")
    arrays = samples(program, {}, {})
    expected = loopc.compile(text, backend="reference")(arrays)
    for opt in (0, 2):
        found = loopc.compile(text, opt=opt)(arrays)
        for key, value in expected.items():
            np.testing.assert_allclose(found[key], value, rtol=1e-12, atol=1e-12)
    assert loopc.gradcheck(program, arrays, tolerance=1e-6, max_cells=40)
    loops = [r for r in program.explain(arrays).rows if r.python_loop]
    assert bool(loops) == (name in SERIAL)


@pytest.mark.parametrize("rule", ["adam", "adamw", "momentum"])
def test_update_rules_lower_a_loss(rule: str) -> None:
    states = "m[i], s[i]" if rule != "momentum" else "m[i]"
    rest = f"{states}, step, rate" if rule != "momentum" else f"{states}, rate"
    text = (
        "use nn\nparam w[N], m[N] = 0, s[N] = 0\ninput x[N], step: int, rate\n"
        "for i  L += (w[i] - x[i])**2\nbackward L wrt w\n"
        f"for i  w[i], {states} = {rule}(w[i], w.grad[i], {rest})\n"
    )
    program = loopc.compile(text)
    state = {"w": np.zeros(3), "m": np.zeros(3), "s": np.zeros(3)}
    x = np.array([1.0, -2.0, 0.5])
    losses = []
    for step in range(1, 200):
        out = program({**state, "x": x, "step": step, "rate": 0.05})
        state.update({n: out[n] for n in state if n in out})
        losses.append(float(out["L"]))
    assert losses[-1] < 0.01 * losses[0]


def test_a_file_beside_the_program_is_used(tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "twice.loops").write_text("def twice(a) -> b:\n    b = 2 a\n", encoding="utf-8")
    main = tmp_path / "main.loops"
    main.write_text('use "twice.loops"\nfor i  y[i] = twice(x[i])\n', encoding="utf-8")
    np.testing.assert_array_equal(loopc.compile(main)(x=np.arange(3.0)).y, [0, 2, 4])
    main.write_text('use "../twice.loops"\ny = 1\n', encoding="utf-8")
    with pytest.raises(loopc.ParseError) as caught:
        loopc.compile(main)
    assert caught.value.code == "L0322"


def test_local_names_do_not_collide_and_calls_nest() -> None:
    text = (
        "def f(a) -> b:\n    t = a + 1\n    b = t t\n"
        "def g(a) -> b:\n    t = f(a)\n    b = t + f(2 a)\n"
        "t = 10\nfor i  y[i] = g(x[i]) + t\n"
    )
    x = np.array([0.5, -1.0])
    expected = (x + 1) ** 2 + (2 * x + 1) ** 2 + 10
    np.testing.assert_allclose(loopc.compile(text)(x=x).y, expected)


def test_arguments_are_handed_over_by_value() -> None:
    text = "def f(a[N]) -> b:\n    for n  a[n] = 2 a[n]\n    for n  b += a[n]\ns = f(x)\nt = x[0]\n"
    out = loopc.compile(text)(x=np.array([1.0, 2.0]))
    assert (out.s, out.t) == (6, 1)
