"""Whole algorithms with a loss, written from memory."""

from __future__ import annotations

from typing import Any

import numpy as np

RNG = np.random.default_rng(5)
normal, uniform = RNG.standard_normal, RNG.random

PROGRAMS: dict[str, tuple[str, dict[str, Any]]] = {
    "soft-dtw": (
        """
input x[N], y[M], g
dim R[N+1,M+1]
for i < N + 1, j < M + 1: R[i,j] = where(i == 0 and j == 0, 0, 1e3)
for i < N, j < M:
    R[i+1,j+1] = (x[i] - y[j])**2 - g ln(exp(-R[i,j]/g) + exp(-R[i,j+1]/g) + exp(-R[i+1,j]/g))
L = R[N,M]
""",
        {"x": normal(4), "y": normal(5), "g": np.array(1.3)},
    ),
    "gat": (
        """
input h[V,D], s[E]: int, d[E]: int
param W[D,F], a[F], b[F]
for v, f: z[v,f] = sum[k](h[v,k] W[k,f])
for e: u[e] = sum[f](a[f] z[s[e],f] + b[f] z[d[e],f])
for e: w[e] = where(u[e] > 0, u[e], 0.2 u[e])
dim top[V], tot[V], o[V,F]
for v < V: top[v] = -1e9
for e: top[d[e]] max= w[e]
for e: tot[d[e]] += exp(w[e] - top[d[e]])
for e, f: o[d[e],f] += exp(w[e] - top[d[e]]) / tot[d[e]] z[s[e],f]
for v, f: L += tanh(o[v,f])**2
""",
        {
            "h": normal((5, 3)),
            "s": np.array([0, 1, 2, 3, 4, 0, 2]),
            "d": np.array([1, 1, 0, 2, 3, 4, 4]),
            "W": normal((3, 2)),
            "a": normal(2),
            "b": normal(2),
        },
    ),
    "csr": (
        """
input ptr[N+1]: int, col[E]: int, v[E], x[M]
for i < N: y[i] = sum[e in range(ptr[i], ptr[i+1])](v[e] x[col[e]])
for i < N: m[i] = max[e in range(ptr[i], ptr[i+1])](v[e] x[col[e]])
for i < N if ptr[i+1] > ptr[i]: L += y[i]**2 + m[i]
""",
        {
            "ptr": np.array([0, 2, 2, 5]),
            "col": np.array([0, 2, 1, 2, 3]),
            "v": normal(5),
            "x": normal(4),
        },
    ),
    "triplet hard": (
        """
input e[B,D], c[B]: int
for i, j: d[i,j] = sum[k]((e[i,k] - e[j,k])**2)
for i: p[i] = max[j if c[j] == c[i]](d[i,j])
for i: n[i] = min[j if c[j] != c[i]](d[i,j])
for i: L += relu(p[i] - n[i] + 1)
""",
        {"e": normal((6, 3)), "c": np.array([0, 1, 0, 1, 2, 2])},
    ),
    "online softmax": (
        """
input q[D], K[T,D], V[T,D]
m = -1e9
for t:
    s = sum[k](q[k] K[t,k])
    n = max(m, s)
    c = exp(m - n)
    p = exp(s - n)
    l = l c + p
    for k: o[k] = o[k] c + p V[t,k]
    m = n
for k: L += (o[k] / l)**2
""",
        {"q": normal(3), "K": normal((5, 3)), "V": normal((5, 3))},
    ),
    "sinkhorn": (
        """
input C[N,M], a[N], b[M]
for i, j: K[i,j] = exp(-C[i,j])
dim u[N], v[M]
for j < M: v[j] = 1
for t < 6:
    for i: u[i] = a[i] / sum[j](K[i,j] v[j])
    for j: v[j] = b[j] / sum[i](K[i,j] u[i])
for i, j: L += u[i] K[i,j] v[j] C[i,j]
""",
        {"C": uniform((4, 3)), "a": np.full(4, 0.25), "b": np.full(3, 1 / 3)},
    ),
    "verlet": (
        """
input x[N], v[N]
param k
for t < 8:
    for i < N: f[i] = -k x[i] - x[i]**3 + 0.1 (x[wrap(i+1)] - 2 x[i] + x[wrap(i-1)])
    for i < N: v[i] += 0.05 f[i]
    for i < N: x[i] += 0.05 v[i]
for i < N: L += x[i]**2
""",
        {"x": normal(5), "v": normal(5), "k": np.array(1.5)},
    ),
    "cholesky logdet": (
        """
param A[N,N]
dim C[N,N]
for j < N:
    C[j,j] = sqrt(A[j,j] - sum[k in range(j)](C[j,k]**2))
    for i in range(j+1, N): C[i,j] = (A[i,j] - sum[k in range(j)](C[i,k] C[j,k])) / C[j,j]
for i < N: L += 2 ln C[i,i]
""",
        {"A": np.eye(4) * 5 + (lambda m: (m + m.T) / 2)(uniform((4, 4)))},
    ),
    "viterbi max": (
        """
input e[T,S], A[S,S]
dim d[T,S]
for s: d[0,s] = e[0,s]
for t in range(1, T), s: d[t,s] = max[p](d[t-1,p] + A[p,s]) + e[t,s]
L = max[s](d[T-1,s])
""",
        {"e": normal((5, 3)), "A": normal((3, 3))},
    ),
    "matrix chain": (
        """
input p[N+1]
dim m[N,N]
for l in range(1, N), i < N - l:
    m[i,i+l] = min[k in range(i, i+l)](m[i,k] + m[k+1,i+l] + p[i] p[k+1] p[i+l+1])
L = m[0,N-1]
""",
        {"p": 1 + uniform(6)},
    ),
    "inside cky": (
        """
input s[N], w[N,N]
dim c[N,N]
for i: c[i,i] = s[i]
for l in range(1, N), i < N - l:
    c[i,i+l] = w[i,i+l] + logsumexp[k in range(i, i+l)](c[i,k] + c[k+1,i+l])
L = c[0,N-1]
""",
        {"s": normal(5), "w": normal((5, 5))},
    ),
    "bn running": (
        """
input x[B,C]
param g[C], b[C]
for c: mu[c] = mean[n](x[n,c])
for c: v[c] = mean[n]((x[n,c] - mu[c])**2)
for n, c: y[n,c] = g[c] (x[n,c] - mu[c]) / sqrt(v[c] + 1e-5) + b[c]
for n, c: L += y[n,c]**3
""",
        {"x": normal((6, 3)), "g": normal(3), "b": normal(3)},
    ),
    "dice focal": (
        """
input t[N,C]
param z[N,C]
for n, c: p[n,c] = softmax[c](z[n,c])
for c: d[c] = (2 sum[n](p[n,c] t[n,c]) + 1) / (sum[n](p[n,c] + t[n,c]) + 1)
for n, c: f += -t[n,c] (1 - p[n,c])**2 ln p[n,c]
L = f + mean[c](1 - d[c])
""",
        {"t": np.eye(3)[RNG.integers(0, 3, 5)], "z": normal((5, 3))},
    ),
    "power iteration": (
        """
param A[N,N]
dim v[N]
for i < N: v[i] = 1
for t < 5:
    for i < N: w[i] = sum[j](A[i,j] v[j])
    n = sqrt(sum[i](w[i]**2))
    for i < N: v[i] = w[i] / n
for i < N, j < N: L += v[i] A[i,j] v[j]
""",
        {"A": np.eye(4) * 2 + uniform((4, 4))},
    ),
    "conv transpose": (
        """
input x[C,H,W]
param K[C,O,3,3]
dim y[O,2*H+1,2*W+1]
for c, o, i < H, j < W, a < 3, b < 3: y[o,2*i+a,2*j+b] += x[c,i,j] K[c,o,a,b]
for o, i < 2*H+1, j < 2*W+1: L += sin(y[o,i,j])
""",
        {"x": normal((2, 3, 3)), "K": normal((2, 2, 3, 3))},
    ),
    "bilinear sample": (
        """
input im[H,W]
param u[P], v[P]
for p:
    i = int(floor(u[p]))
    j = int(floor(v[p]))
    a = u[p] - floor(u[p])
    b = v[p] - floor(v[p])
    low = (1-a) im[clamp(i),clamp(j)] + a im[clamp(i+1),clamp(j)]
    high = (1-a) im[clamp(i),clamp(j+1)] + a im[clamp(i+1),clamp(j+1)]
    L += ((1-b) low + b high)**2
""",
        {"im": normal((5, 6)), "u": uniform(4) * 4, "v": uniform(4) * 5},
    ),
    "gru": (
        """
input x[T,D]
param Wz[H,D], Uz[H,H], Wr[H,D], Ur[H,H], Wh[H,D], Uh[H,H]
dim h[T+1,H]
for t < T:
    for j: z[t,j] = sigmoid(sum[k](Wz[j,k] x[t,k]) + sum[m](Uz[j,m] h[t,m]))
    for j: q[t,j] = sigmoid(sum[k](Wr[j,k] x[t,k]) + sum[m](Ur[j,m] h[t,m]))
    for j: c[t,j] = tanh(sum[k](Wh[j,k] x[t,k]) + sum[m](Uh[j,m] q[t,m] h[t,m]))
    for j: h[t+1,j] = (1 - z[t,j]) h[t,j] + z[t,j] c[t,j]
for j: L += h[T,j]**2
""",
        {
            "x": normal((4, 2)),
            "Wz": normal((3, 2)),
            "Uz": normal((3, 3)),
            "Wr": normal((3, 2)),
            "Ur": normal((3, 3)),
            "Wh": normal((3, 2)),
            "Uh": normal((3, 3)),
        },
    ),
    "max path in place": (
        """
input g[N,N]
for i in range(1, N): g[i,0] += g[i-1,0]
for j in range(1, N): g[0,j] += g[0,j-1]
for i in range(1, N), j in range(1, N): g[i,j] += max(g[i-1,j], g[i,j-1])
L = g[N-1,N-1]
""",
        {"g": normal((5, 5))},
    ),
    "spectral norm clip in place": (
        """
input W[N,M]
param u[N]
for k < 3:
    for j: v[j] = sum[i](W[i,j] u[i])
    for j: v[j] = v[j] / sqrt(sum[q](v[q]**2) + 1e-9)
    for i: u[i] = sum[j](W[i,j] v[j])
    for i: u[i] = u[i] / sqrt(sum[q](u[q]**2) + 1e-9)
for i, j: L += u[i] W[i,j] v[j]
""",
        {"W": normal((4, 3)), "u": normal(4)},
    ),
    "softmax in place attention": (
        """
input q[T,D], k[T,D]
for i, j: s[i,j] = where(j <= i, sum[d](q[i,d] k[j,d]), -inf)
for i, j: s[i,j] = softmax[j](s[i,j])
for i, d: L += sin(sum[j](s[i,j] q[j,d]))
""",
        {"q": normal((4, 3)), "k": normal((4, 3))},
    ),
    "logcumsumexp": (
        """
input x[N]
c = -1e9
for i:
    m = max(c, x[i])
    c = m + ln(exp(c - m) + exp(x[i] - m))
    y[i] = c
for i: L += y[i]**2
""",
        {"x": normal(6)},
    ),
    "ecdf rank loss": (
        """
input s[N], y[N]
for i, j if y[i] > y[j]: L += ln(1 + exp(s[j] - s[i]))
for i: r[i] = sum[j](sigmoid((s[i] - s[j]) * 5))
for i: L += (r[i] - y[i])**2
""",
        {"s": normal(5), "y": normal(5)},
    ),
    "knapsack": (
        """
input w[N]: int, v[N], W: int
dim d[W+1]
for i < N, c in reversed(range(w[i], W + 1)): d[c] = max(d[c], d[c-w[i]] + v[i])
L = d[W]
""",
        {"w": np.array([2, 3, 1, 4]), "v": np.array([3.0, 4.5, 1.25, 6.0]), "W": np.array(6)},
    ),
    "bubble sort": (
        """
input a[N]
for i < N, j < N - 1 - i:
    if a[j] > a[j+1]:
        t = a[j]
        a[j] = a[j+1]
        a[j+1] = t
for i < N: L += i a[i]
""",
        {"a": normal(7)},
    ),
    "elimination": (
        """
input A[N,N], b[N]
for k < N, i in range(k+1, N):
    f = A[i,k] / A[k,k]
    for j in range(k, N): A[i,j] -= f A[k,j]
    b[i] -= f b[k]
dim x[N]
for i in reversed(range(N)): x[i] = (b[i] - sum[j in range(i+1, N)](A[i,j] x[j])) / A[i,i]
for i < N: L += sin(x[i])
""",
        {"A": normal((5, 5)) + 5 * np.eye(5), "b": normal(5)},
    ),
    "bellman-ford": (
        """
input u[E]: int, v[E]: int, w[E], d[V]
for k < V - 1, e < E: d[v[e]] min= d[u[e]] + w[e]
for i < V: L += d[i]**2
""",
        {
            "u": np.array([0, 0, 1, 2, 2, 3]),
            "v": np.array([1, 2, 3, 1, 3, 4]),
            "w": uniform(6),
            "d": np.array([0.0, 9, 9, 9, 9]),
        },
    ),
    "red-black": (
        """
input u[N,N]
for c < 2, i in range(1, N-1), j in range(1, N-1) if (i + j) % 2 == c:
    u[i,j] = (u[i-1,j] + u[i+1,j] + u[i,j-1] + u[i,j+1]) / 4
for i < N, j < N: L += u[i,j]**3
""",
        {"u": normal((6, 6))},
    ),
    "biquad": (
        """
input x[N], b[K], a[K]
for n < N: y[n] = sum[k](b[k] x[pad(n-k)]) - sum[k in range(1, K) if k <= n](a[k] y[n-k])
for n < N: L += y[n]**2
""",
        {"x": normal(12), "b": np.array([0.2, 0.3, 0.1]), "a": np.array([1.0, -0.5, 0.2])},
    ),
    "gram-schmidt": (
        """
input A[M,N]
dim Q[M,N], R[N,N]
for k < N:
    for i < M: s[k] += A[i,k]**2
    R[k,k] = sqrt(s[k])
    for i < M: Q[i,k] = A[i,k] / R[k,k]
    for j in range(k+1, N):
        for i < M: R[k,j] += Q[i,k] A[i,j]
        for i < M: A[i,j] -= Q[i,k] R[k,j]
for i < N, j < N: L += cos(R[i,j])
""",
        {"A": normal((6, 4))},
    ),
    "rows that read the next row": (
        """
input x[N,N]
for i < N - 1, j in range(1, N): x[i,j] = x[i,j-1] + 0.5 x[i+1,j-1] x[i,j]
for i < N, j < N: L += sin(x[i,j])
""",
        {"x": normal((5, 5))},
    ),
}
