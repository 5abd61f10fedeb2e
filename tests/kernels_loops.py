"""Serial loops, workspaces, running choices, ragged rows: kernels that dependence decides.

Texts and NumPy versions are our own. `loops` names the loops that must run in order, and no others
may.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kernels_polybench import KERNELS as _POLYBENCH
from kernels_polybench import Kernel

KERNELS: list[Kernel] = []


def kernel(text: str, **shapes: Any):
    """Register a kernel of this file, as `kernels_polybench.kernel` does."""
    from kernels_polybench import kernel as register

    def into(function):
        register(text, **shapes)(function)
        KERNELS.append(_POLYBENCH.pop())

    return into


def positive(*shape: int):
    return lambda rng: rng.random(shape) + 0.2


def definite(n: int):
    def make(rng):
        a = rng.standard_normal((n, n))
        return a @ a.T + n * np.eye(n)

    return make


@kernel(
    """
input data[M], radius[M], bins: int
rmax = max[i](radius[i])
for n < bins:
    low = rmax n / bins
    high = rmax (n + 1) / bins
    for i < M if low <= radius[i] and radius[i] < high:
        total[n] += data[i]
        count[n] += 1
    mean[n] = total[n] / count[n]
output mean
""",
    loops=(),
    data=(20,),
    radius=lambda rng: np.linspace(0.05, 1, 20),
    bins=4,
)
def azimuthal_integration(data, radius, bins):
    edges = radius.max() * np.arange(bins + 1) / bins
    inside = [(edges[n] <= radius) & (radius < edges[n + 1]) for n in range(bins)]
    return {"mean": np.array([data[i].mean() for i in inside])}


@kernel(
    """
input xs[X], ys[Y], T: int, horizon
for i < Y, j < X:
    zr[i,j] = 0
    zi[i,j] = 0
for t < T, i < Y, j < X:
    if zr[i,j]**2 + zi[i,j]**2 < horizon**2:
        n[i,j] = t
        old = zr[i,j]
        zr[i,j] = old**2 - zi[i,j]**2 + xs[j]
        zi[i,j] = 2 old zi[i,j] + ys[i]
output n, zr, zi
""",
    loops=("t",),
    xs=lambda rng: np.linspace(-2, 0.5, 6),
    ys=lambda rng: np.linspace(-1.2, 1.1, 5),
    T=6,
    horizon=2.0,
)
def mandelbrot(xs, ys, T, horizon):
    c = xs[None] + 1j * ys[:, None]
    z, n = np.zeros_like(c), np.zeros(c.shape, int)
    for t in range(T):
        inside = np.abs(z) < horizon
        n[inside] = t
        z[inside] = z[inside] ** 2 + c[inside]
    return {"n": n, "zr": z.real, "zi": z.imag}


@kernel(
    """
input xr[N], xi[N], steps: int
for n < N:
    yr[n] = xr[n]
    yi[n] = xi[n]
m = N // 2
l = 1
for s < steps:
    for n < N:
        tr[n] = yr[n]
        ti[n] = yi[n]
    for g < N // 2:
        j = g // m
        k = g % m
        wr = cos(-pi j / l)
        wi = sin(-pi j / l)
        br = tr[k + 2*j*m + m] wr - ti[k + 2*j*m + m] wi
        bi = tr[k + 2*j*m + m] wi + ti[k + 2*j*m + m] wr
        yr[k + j*m] = tr[k + 2*j*m] + br
        yi[k + j*m] = ti[k + 2*j*m] + bi
        yr[k + j*m + N//2] = tr[k + 2*j*m] - br
        yi[k + j*m + N//2] = ti[k + 2*j*m] - bi
    l *= 2
    m = m // 2
output yr, yi
""",
    xr=(8,),
    xi=(8,),
    steps=3,
)
def stockham_fft(xr, xi, steps):
    y = np.fft.fft(xr + 1j * xi)
    return {"yr": y.real, "yi": y.imag}


@kernel(
    """
input A[N,N], b[N]
dim p[N]: int
for i < N: p[i] = i
for k < N:
    best = k
    for i in range(k, N) if abs(A[p[i],k]) > abs(A[p[best],k]): best = i
    t = p[k]
    p[k] = p[best]
    p[best] = t
    for i in range(k+1, N):
        A[p[i],k] = A[p[i],k] / A[p[k],k]
        for j in range(k+1, N): A[p[i],j] -= A[p[i],k] A[p[k],j]
for i < N:
    s = b[p[i]]
    for j < i: s -= A[p[i],j] y[j]
    y[i] = s
for i in reversed(range(N)):
    s = y[i]
    for j in range(i+1, N): s -= A[p[i],j] x[j]
    x[i] = s / A[p[i],i]
output x
""",
    A=(4, 4),
    b=(4,),
)
def lu_with_pivots(A, b):
    return {"x": np.linalg.solve(A, b)}


@kernel(
    """
input A[N,N]
for k, i, j if i > k and j > k:
    A[i,j] -= A[i,k] A[k,j] / A[k,k]
""",
    loops=("k",),
    A=definite(5),
)
def elimination_under_guards(A):
    A = A.copy()
    for k in range(4):
        A[k + 1 :, k + 1 :] -= np.outer(A[k + 1 :, k], A[k, k + 1 :]) / A[k, k]
    return {"A": A}


@kernel(
    """
input A[N,N]
for i < N, j < N:
    M[i,j] = A[i,j]
    M[i,j+N] = i == j
for k < N:
    p = M[k,k]
    for j < 2*N: M[k,j] = M[k,j] / p
    for i < N if i != k:
        f = M[i,k]
        for j < 2*N: M[i,j] -= f M[k,j]
for i < N, j < N: B[i,j] = M[i,j+N]
output B
""",
    loops=("k",),
    A=definite(4),
)
def inverse_by_gauss_jordan(A):
    return {"B": np.linalg.inv(A)}


@kernel(
    """
input A[M,N]
for j < N:
    for i in reversed(range(j+1, M)):
        h = sqrt(A[i-1,j]**2 + A[i,j]**2)
        c = A[i-1,j] / h
        s = A[i,j] / h
        for k < N:
            u = A[i-1,k]
            v = A[i,k]
            A[i-1,k] = c u + s v
            A[i,k] = c v - s u
for i < N, j < N: R[i,j] = abs(A[i,j]) (j >= i)
output R
""",
    loops=("j", "i"),
    A=(5, 3),
)
def qr_by_givens(A):
    return {"R": np.abs(np.linalg.qr(A)[1])}


@kernel(
    """
input a[N], b[N], c[N], d[N]
p[0] = c[0] / b[0]
q[0] = d[0] / b[0]
for i in range(1, N):
    m = b[i] - a[i] p[i-1]
    p[i] = c[i] / m
    q[i] = (d[i] - a[i] q[i-1]) / m
x[N-1] = q[N-1]
for i in reversed(range(N-1)): x[i] = q[i] - p[i] x[i+1]
output x
""",
    loops=("i",),
    a=(6,),
    b=lambda rng: rng.random(6) + 4,
    c=(6,),
    d=(6,),
)
def thomas(a, b, c, d):
    return {"x": np.linalg.solve(np.diag(b) + np.diag(a[1:], -1) + np.diag(c[:-1], 1), d)}


@kernel(
    """
input u[N,N], f[N,N], T: int
for t < T, c < 2, i in range(1, N-1), j in range(1, N-1) if (i + j) % 2 == c:
    u[i,j] = 0.25 (u[i-1,j] + u[i+1,j] + u[i,j-1] + u[i,j+1] - f[i,j])
""",
    loops=("t", "c"),
    u=(6, 6),
    f=(6, 6),
    T=2,
)
def red_black(u, f, T):
    u = u.copy()
    i, j = np.indices(u.shape)
    inner = (i > 0) & (i < 5) & (j > 0) & (j < 5)
    for c in [0, 1] * T:
        near = sum(np.roll(u, d, a) for d in (1, -1) for a in (0, 1))
        u = np.where(inner & ((i + j) % 2 == c), 0.25 * (near - f), u)
    return {"u": u}


@kernel(
    """
input x[N]
for t < N, i in range(t % 2, N-1, 2):
    low = min(x[i], x[i+1])
    high = max(x[i], x[i+1])
    x[i] = low
    x[i+1] = high
""",
    loops=("t",),
    x=(7,),
)
def odd_even_sort(x):
    return {"x": np.sort(x)}


@kernel(
    """
input x[N]
for i < N:
    m = i
    for j in range(i+1, N) if x[j] < x[m]: m = j
    t = x[i]
    x[i] = x[m]
    x[m] = t
""",
    loops=("i", "j"),
    x=(6,),
)
def selection_sort(x):
    return {"x": np.sort(x)}


@kernel(
    """
input x[N], y[M]
for i <= N, j <= M: D[i,j] = inf
D[0,0] = 0
for i < N, j < M: D[i+1,j+1] = (x[i] - y[j])**2 + min(D[i,j+1], D[i+1,j], D[i,j])
cost = D[N,M]
output cost
""",
    x=(5,),
    y=(4,),
)
def time_warping(x, y):
    D = np.full((6, 5), np.inf)
    D[0, 0] = 0
    for i in range(5):
        for j in range(4):
            D[i + 1, j + 1] = (x[i] - y[j]) ** 2 + min(D[i, j + 1], D[i + 1, j], D[i, j])
    return {"cost": D[5, 4]}


@kernel(
    """
input w[N]: int, v[N], C: int
for c < C+1: d[0,c] = 0
for i < N, c < C+1:
    d[i+1,c] = d[i,c]
    if c >= w[i]: d[i+1,c] = max(d[i,c], d[i,c-w[i]] + v[i])
best = d[N,C]
output best
""",
    loops=("i",),
    w=lambda rng: rng.integers(1, 5, 6),
    v=positive(6),
    C=9,
)
def knapsack(w, v, C):
    d = np.zeros(C + 1)
    for i in range(6):
        for c in range(C, w[i] - 1, -1):
            d[c] = max(d[c], d[c - w[i]] + v[i])
    return {"best": d[C]}


@kernel(
    """
input ptr[P]: int, col[E]: int, val[E], B[M,K]
for i < P-1, k < K:
    s = 0
    for e in range(ptr[i], ptr[i+1]): s += val[e] B[col[e],k]
    Y[i,k] = s
output Y
""",
    loops=(),
    ptr=lambda rng: np.array([0, 2, 2, 5, 7]),
    col=lambda rng: rng.integers(0, 3, 7),
    val=(7,),
    B=(3, 2),
)
def sparse_times_dense(ptr, col, val, B):
    rows = [slice(ptr[i], ptr[i + 1]) for i in range(4)]
    return {"Y": np.array([val[r] @ B[col[r]] for r in rows])}


@kernel(
    """
input ptr[P]: int, col[E]: int, val[E], b[N], T: int
for i < N: x[i] = 0
for t < T:
    for i < N:
        s[i] = b[i]
        d[i] = 0
        for e in range(ptr[i], ptr[i+1]):
            if col[e] == i: d[i] += val[e]
            if col[e] != i: s[i] -= val[e] x[col[e]]
    for i < N: x[i] = s[i] / d[i]
output x
""",
    loops=("t",),
    ptr=lambda rng: np.array([0, 1, 3, 5, 8]),
    col=lambda rng: np.array([0, 0, 1, 1, 2, 0, 2, 3]),
    val=positive(8),
    b=(4,),
    T=3,
)
def jacobi_of_a_sparse_matrix(ptr, col, val, b, T):
    A = np.zeros((4, 4))
    for i in range(4):
        A[i, col[ptr[i] : ptr[i + 1]]] = val[ptr[i] : ptr[i + 1]]
    x = np.zeros(4)
    for _ in range(T):
        x = (b - A @ x + np.diag(A) * x) / np.diag(A)
    return {"x": x}


@kernel(
    """
input f[Q,N], w[Q], c[Q]: int, om, T: int
for t < T:
    for i < N:
        rho = 0
        u = 0
        for q < Q:
            rho += f[q,i]
            u += c[q] f[q,i]
        u = u / rho
        for q < Q:
            feq = w[q] rho (1 + 3 c[q] u + 4.5 (c[q] u)**2 - 1.5 u**2)
            g[q,i] = f[q,i] + om (feq - f[q,i])
    for q < Q, i < N: f[q,i] = g[q,wrap(i-c[q])]
output f
""",
    loops=("t",),
    f=positive(3, 5),
    w=lambda rng: np.array([4, 1, 1]) / 6,
    c=lambda rng: np.array([0, 1, -1]),
    om=0.8,
    T=2,
)
def lattice_boltzmann(f, w, c, om, T):
    for _ in range(T):
        rho = f.sum(0)
        cu = c[:, None] * (c @ f / rho)
        feq = w[:, None] * rho * (1 + 3 * cu + 4.5 * cu**2 - 1.5 * (c @ f / rho) ** 2)
        g = f + om * (feq - f)
        f = np.array([np.roll(g[q], c[q]) for q in range(3)])
    return {"f": f}


@kernel(
    """
input x[N], C: int
k = C
for i < N: y[i] = x[i]
for t < 3:
    for i < k: y[i] += 1
    k -= 1
    for i in range(k, N): z[i] += y[i]
output z
""",
    x=(5,),
    C=4,
)
def a_range_that_moves(x, C):
    y, z = x.copy(), np.zeros(5)
    for k in range(C, C - 3, -1):
        y[:k] += 1
        z[k - 1 :] += y[k - 1 :]
    return {"z": z}
