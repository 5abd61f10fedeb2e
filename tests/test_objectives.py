"""Objectives of public benchmarks of differentiation, and gradients that Tullio.jl tests.

ADBench: a Gaussian mixture, bundle adjustment, an LSTM and hand tracking. Source: Srajer, Kukelova
and Fitzgibbon, A benchmark of selected algorithmic differentiation tools, 2018.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import loopc

RNG = np.random.default_rng(0)


GMM = """
param alphas[K], means[K,D], icf[K,M]
input x[N,D], gamma, m
for k, i < D: Q[k,i,i] = exp(icf[k,i])
for k, j < D, i < j: Q[k,j,i] = icf[k, D + j*(j-1)//2 + i]
for k, i  sumq[k] += icf[k,i] (i < D)
for n,k,i: z[n,k,i] = sum[j if j <= i](Q[k,i,j] (x[n,j] - means[k,j]))
for n,k  s[n,k] = alphas[k] + sumq[k] - 0.5 sum[i](z[n,k,i]**2)
for n  L += logsumexp[k](s[n,k])
L -= N * logsumexp[k](alphas[k])
for k, i < D: L += 0.5 gamma**2 exp(2 icf[k,i])
for k, i in range(D, M): L += 0.5 gamma**2 icf[k,i]**2
for k  L -= m sumq[k]
output L
"""

BUNDLES = """
param cams[C,11], X[P,3], w[O]
input obs[O,2]: int, feats[O,2]
for o:
    c = obs[o,0]
    p = obs[o,1]
    th2[o] = sum[d < 3](cams[c,d]**2)
    th[o] = sqrt(th2[o])
    for d < 3: Xo[o,d] = X[p,d] - cams[c,3+d]
    for d < 3: r[o,d] = where(th2[o] > 0, cams[c,d]/th[o], 0)
    cr[o,0] = r[o,1] Xo[o,2] - r[o,2] Xo[o,1]
    cr[o,1] = r[o,2] Xo[o,0] - r[o,0] Xo[o,2]
    cr[o,2] = r[o,0] Xo[o,1] - r[o,1] Xo[o,0]
    dt[o] = sum[d < 3](r[o,d] Xo[o,d])
    for d < 3: Xc[o,d] = where(th2[o] > 0,
        Xo[o,d] cos(th[o]) + cr[o,d] sin(th[o]) + r[o,d] dt[o] (1 - cos(th[o])), Xo[o,d])
    for d < 2: u[o,d] = Xc[o,d] / Xc[o,2]
    rsq[o] = u[o,0]**2 + u[o,1]**2
    rad[o] = 1 + cams[c,9] rsq[o] + cams[c,10] rsq[o]**2
    for d < 2: e[o,d] = w[o] (u[o,d] rad[o] cams[c,6] + cams[c,7+d] - feats[o,d])
    we[o] = 1 - w[o]**2
for o,d  L += e[o,d]**2
for o    L += we[o]**2
output L
"""

LSTM = """
param Wf[L,4,H], bf[L,4,H], Ui[I,H], Wo[H,O], bo[O]
input x[T,I], s0[L,2,H]
for l, c, h  st[0,l,c,h] = s0[l,c,h]
for t < T - 1:
    for h: inp[t,0,h] = sum[i](Ui[i,h] x[t,i])
    for l < L:
        for h:
            f[t,l,h] = σ(Wf[l,0,h] inp[t,l,h] + bf[l,0,h])
            i_[t,l,h] = σ(Wf[l,1,h] st[t,l,0,h] + bf[l,1,h])
            o_[t,l,h] = σ(Wf[l,2,h] inp[t,l,h] + bf[l,2,h])
            g[t,l,h] = tanh(Wf[l,3,h] st[t,l,0,h] + bf[l,3,h])
            st[t+1,l,1,h] = st[t,l,1,h] f[t,l,h] + i_[t,l,h] g[t,l,h]
            st[t+1,l,0,h] = o_[t,l,h] tanh(st[t+1,l,1,h])
            inp[t,l+1,h] = st[t+1,l,0,h]
    for o: y[t,o] = sum[h](Wo[h,o] inp[t,L,h]) + bo[o]
    lse[t] = ln(sum[o](exp(y[t,o])) + 2)
    for o: loss += x[t+1,o] (y[t,o] - lse[t])
dim st[T,L,2,H]
output loss
"""

HAND = """
param theta[26], u[P,2]
input base[B,3,4], parent[B]: int, bone[B]: int, verts[V,4], wts[V,B], tri[P,3]: int, pts[P,3]
for b < B:
    for i < 3: Rx[b,i,i] = where(i == 0, 1, cos(theta[b]))
    Rx[b,1,2] = -sin(theta[b])
    Rx[b,2,1] = sin(theta[b])
    for i < 3, j < 3: loc[b,i,j] = sum[k < 3](base[b,i,k] Rx[b,k,j])
    for i < 3: loc[b,i,3] = base[b,i,3]
    if parent[b] < 0:
        for i < 3, j < 4: abs_[b,i,j] = loc[b,i,j]
    if parent[b] >= 0:
        for i < 3, j < 4:
            abs_[b,i,j] = sum[k < 3](abs_[parent[b],i,k] loc[b,k,j])
            abs_[b,i,j] += abs_[parent[b],i,3] (j == 3)
for v,b,i  pos[v,i] += wts[v,b] sum[k < 4](abs_[b,i,k] verts[v,k])
for p, i < 3: at[p,i] = u[p,0] pos[tri[p,0],i] + u[p,1] pos[tri[p,1],i]
for p, i < 3: err[p,i] = pts[p,i] - at[p,i] - (1 - u[p,0] - u[p,1]) pos[tri[p,2],i]
for p,i  L += err[p,i]**2
output L
"""

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "gmm": (
        GMM,
        {
            "alphas": RNG.standard_normal(3),
            "means": RNG.standard_normal((3, 4)),
            "icf": RNG.standard_normal((3, 10)),
            "x": RNG.standard_normal((6, 4)),
            "gamma": 1.0,
            "m": 0.0,
        },
    ),
    "ba": (
        BUNDLES,
        {
            "cams": RNG.standard_normal((2, 11)),
            "X": RNG.standard_normal((5, 3)) + 3,
            "w": RNG.random(6),
            "obs": np.array([[0, 1], [0, 1], [1, 1], [0, 0], [0, 1], [1, 0]]),
            "feats": RNG.standard_normal((6, 2)),
        },
    ),
    "lstm": (
        LSTM,
        {
            "Wf": RNG.standard_normal((2, 4, 5)),
            "bf": RNG.standard_normal((2, 4, 5)),
            "Ui": RNG.standard_normal((3, 5)),
            "Wo": RNG.standard_normal((5, 3)),
            "bo": RNG.standard_normal(3),
            "x": RNG.random((6, 3)),
            "s0": RNG.standard_normal((2, 2, 5)),
        },
    ),
    "hand": (
        HAND,
        {
            "theta": RNG.standard_normal(26),
            "u": RNG.random((4, 2)),
            "base": RNG.standard_normal((5, 3, 4)),
            "parent": np.array([-1, 0, 1, 0, 3]),
            "bone": np.array([0, 1, 2, 3, 4]),
            "verts": RNG.standard_normal((7, 4)),
            "wts": RNG.random((7, 5)),
            "tri": np.array([[6, 3, 5], [3, 5, 1], [2, 1, 3], [4, 5, 5]]),
            "pts": RNG.standard_normal((4, 3)),
        },
    ),
    "simple": ("for i,j  y[i] += A[i,j]\n", {"A": RNG.random((3, 4)) + 0.2}),
    "zero arrays": (
        "for i  y[i] = 2*A[i] + 0*B[i] + 1*1\n",
        {"A": RNG.random(3) + 0.2, "B": RNG.random(3) + 0.2},
    ),
    "shift": ("input x[N]\nfor i < N-1: y[i] = x[i] / x[i+1]\n", {"x": RNG.random(5) + 0.2}),
    "shift2": ("for i y[i] = A[i,1+i] ** 2\n", {"A": RNG.random((3, 5)) + 0.2}),
    "two": (
        "input x[N], y[M]\nfor i < N-2: z[i] = x[i] + y[0]*x[i+2]\n",
        {"x": RNG.random(6) + 0.2, "y": RNG.random(2) + 0.2},
    ),
    "conv": (
        "for i,k  y[i] += A[i+k] B[k]\n",
        {"A": RNG.random(8) + 0.2, "B": RNG.random(3) + 0.2},
    ),
    "scatter-read": (
        "for i y[i] = x[J[i]]**2\n",
        {"x": RNG.random(4) + 0.2, "J": np.array([0, 3, 3, 1])},
    ),
    "matmul": (
        "for i,j,k C[i,k] += A[i,j] B[j,k]\n",
        {"A": RNG.random((3, 4)) + 0.2, "B": RNG.random((4, 2)) + 0.2},
    ),
    "kron": (
        "for i,j,k,l C[i,k,j,l] = A[i,j] B[k,l]\n",
        {"A": RNG.random((2, 3)) + 0.2, "B": RNG.random((2, 2)) + 0.2},
    ),
    "log-exp": (
        "for i,j  y[i] += log(A[i,j]) / exp(B[j,i])\n",
        {"A": RNG.random((3, 4)) + 0.2, "B": RNG.random((4, 3)) + 0.2},
    ),
    "tri": ("for i,j if i >= j: s[i] += A[i,j]**2\n", {"A": RNG.random((4, 4)) + 0.2}),
    "pow": ("for i < 4, j: y[i] += x[j]**i\n", {"x": RNG.random(3) + 0.2}),
    "stride": ("for i y[i] = x[2*i+1] x[2*i]\n", {"x": RNG.random(8) + 0.2}),
    "diag": (
        "for i,j y[i] += A[i,i] B[j,j]\n",
        {"A": RNG.random((3, 3)) + 0.2, "B": RNG.random((4, 4)) + 0.2},
    ),
    "max": ("for i,j y[i] max= A[i,j]**2\n", {"A": RNG.random((3, 4)) + 0.2}),
    "prod": ("for i,j y[i] *= A[i,j]**2\n", {"A": RNG.random((3, 4)) + 0.2}),
    "sum sqrt": ("L = sqrt(sum[i](x[i]**2))\n", {"x": RNG.random(4) + 0.2}),
    "neg index": ("for i y[i] = x[N-1-i] x[i]\ndim N\ninput x[N]\n", {"x": RNG.random(4) + 0.2}),
    "mod": ("for i y[i] = x[wrap(i+2)] x[i]\n", {"x": RNG.random(5) + 0.2}),
    "clamp": (
        "input x[N]\nfor i < N: y[i] = x[clamp(i-1)] x[clamp(i+1)]\n",
        {"x": RNG.random(5) + 0.2},
    ),
    "pad": (
        "input x[N], w[K]\nfor i < N, k: y[i] += x[pad(i+k-1)] w[k]\n",
        {"x": RNG.random(5) + 0.2, "w": RNG.random(3) + 0.2},
    ),
    "var": ("for i y[i] = (x[i]-mean[k](x[k]))**2/sum[k](x[k])\n", {"x": RNG.random(5) + 0.2}),
    "fun": ("for i y[i] = relu(x[i]-1)*gelu(x[i])/(1+x[i]**2)\n", {"x": RNG.random(5) + 0.2}),
    "inplace": (
        "param x[N]\nfor i x[i] *= 2 x[i]\nfor i x[i] += x[N-1-i]\noutput x\n",
        {"x": RNG.random(5) + 0.2},
    ),
}


@pytest.mark.parametrize("name", list(CASES))
def test_gradients(name: str) -> None:
    text, arrays = CASES[name]
    program = loopc.compile(text)
    outputs = program(arrays)
    expected = loopc.compile(text, backend="reference")(arrays)
    for of in program.outputs:
        np.testing.assert_allclose(outputs[of], expected[of], rtol=1e-10)
        single = loopc.compile(text, loss=of)
        assert loopc.gradcheck(single, arrays, tolerance=1e-6)
        v = {n: RNG.standard_normal(np.shape(arrays[n])) for n in single.wrt}
        u = RNG.standard_normal(np.shape(outputs[of]))
        back = single.vjp(arrays, {of: u})
        here = [np.sum(back[n] * x) for n, x in v.items()]
        there = np.sum(single.jvp(arrays, v)[of] * u)
        np.testing.assert_allclose(sum(here), there, rtol=1e-11, atol=1e-11 * np.abs(here).sum())


@pytest.mark.parametrize("name", ["gmm", "ba", "lstm", "hand"])
def test_hessian_vector_products(name: str) -> None:
    text, arrays = CASES[name]
    program = loopc.compile(text)
    v = {n: RNG.standard_normal(np.shape(arrays[n])) for n in program.wrt}
    products = program.hvp(arrays, v)
    step = 1e-5
    ends = [
        program.grad({**arrays, **{n: arrays[n] + s * step * v[n] for n in v}}) for s in (1, -1)
    ]
    for n in v:
        slope = (ends[0][n] - ends[1][n]) / (2 * step)
        np.testing.assert_allclose(products[n], slope, atol=1e-6 * (1 + np.abs(slope).max()))
