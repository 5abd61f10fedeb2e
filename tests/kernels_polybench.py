"""PolyBench's kernels, written in the language, with plain NumPy beside them.

The kernels are those of PolyBench/C (Pouchet and Yuki); texts and NumPy versions are our own. The
NumPy versions are loops where that is plainest: they are judges, not contenders.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

N, M, K, L = 7, 5, 6, 4


@dataclass(frozen=True)
class Kernel:
    """A program, its arrays, what it must give, and the loops that run in order, where known."""

    name: str
    text: str
    arrays: Callable[[np.random.Generator], dict[str, Any]]
    expected: Callable[..., dict[str, Any]]
    loops: tuple[str, ...] | None = None


KERNELS: list[Kernel] = []


def kernel(
    text: str, *, loops: tuple[str, ...] | None = None, **shapes: Any
) -> Callable[[Callable[..., dict[str, Any]]], None]:
    """Register a kernel: `shapes` gives a shape, or a function of the generator, per array."""

    def arrays(rng: np.random.Generator) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name, shape in shapes.items():
            if callable(shape):
                made[name] = shape(rng)
            elif isinstance(shape, tuple):
                made[name] = rng.standard_normal(shape)
            else:
                made[name] = shape
        return made

    def register(function: Callable[..., dict[str, Any]]) -> None:
        KERNELS.append(Kernel(function.__name__.strip("_"), text, arrays, function, loops))

    return register


def positive_definite(rng: np.random.Generator) -> np.ndarray:
    a = rng.standard_normal((N, N))
    return a @ a.T + N * np.eye(N)


@kernel(
    """
param C[N,M]
for i,j    C[i,j] *= beta
for i,j,k  C[i,j] += alpha A[i,k] B[k,j]
""",
    A=(N, K),
    B=(K, M),
    C=(N, M),
    alpha=1.5,
    beta=1.2,
)
def gemm(A, B, C, alpha, beta):
    return {"C": beta * C + alpha * A @ B}


@kernel(
    """
param D[N,L]
for i,j,k  tmp[i,j] += alpha A[i,k] B[k,j]
for i,j    D[i,j] *= beta
for i,j,k  D[i,j] += tmp[i,k] C[k,j]
""",
    A=(N, K),
    B=(K, M),
    C=(M, L),
    D=(N, L),
    alpha=1.5,
    beta=1.2,
)
def two_mm(A, B, C, D, alpha, beta):
    return {"D": alpha * A @ B @ C + beta * D}


@kernel(
    """
for i,j,k  E[i,j] += A[i,k] B[k,j]
for i,j,k  F[i,j] += C[i,k] D[k,j]
for i,j,k  G[i,j] += E[i,k] F[k,j]
""",
    A=(N, K),
    B=(K, M),
    C=(M, L),
    D=(L, N),
)
def three_mm(A, B, C, D):
    return {"G": A @ B @ (C @ D)}


@kernel(
    """
for i,j  tmp[i] += A[i,j] x[j]
for i,j  y[j] += A[i,j] tmp[i]
""",
    A=(N, M),
    x=(M,),
)
def atax(A, x):
    return {"y": A.T @ (A @ x)}


@kernel(
    """
for i:
    for j:
        s[j] += r[i] A[i,j]
        q[i] += A[i,j] p[j]
output s, q
""",
    A=(N, M),
    p=(M,),
    r=(N,),
)
def bicg(A, p, r):
    return {"s": r @ A, "q": A @ p}


@kernel(
    """
param A[N,M,K]
for r,q,p,s  sum[r,q,p] += A[r,q,s] C4[s,p]
for r,q,p    A[r,q,p] = sum[r,q,p]
""",
    A=(N, M, K),
    C4=(K, K),
)
def doitgen(A, C4):
    return {"A": A @ C4}


@kernel(
    """
param A[N,N], x[N], w[N]
for i,j  A[i,j] += u1[i] v1[j] + u2[i] v2[j]
for i,j  x[i] += beta A[j,i] y[j]
for i    x[i] += z[i]
for i,j  w[i] += alpha A[i,j] x[j]
output A, x, w
""",
    A=(N, N),
    u1=(N,),
    v1=(N,),
    u2=(N,),
    v2=(N,),
    x=(N,),
    y=(N,),
    z=(N,),
    w=(N,),
    alpha=1.5,
    beta=1.2,
)
def gemver(A, u1, v1, u2, v2, x, y, z, w, alpha, beta):
    A = A + np.outer(u1, v1) + np.outer(u2, v2)
    x = x + beta * A.T @ y + z
    return {"A": A, "x": x, "w": w + alpha * A @ x}


@kernel(
    """
for i:
    for j:
        tmp[i] += A[i,j] x[j]
        y[i] += B[i,j] x[j]
    y[i] = alpha tmp[i] + beta y[i]
output y
""",
    A=(N, N),
    B=(N, N),
    x=(N,),
    alpha=1.5,
    beta=1.2,
)
def gesummv(A, B, x, alpha, beta):
    return {"y": alpha * A @ x + beta * B @ x}


@kernel(
    """
param x1[N], x2[N]
for i,j  x1[i] += A[i,j] y1[j]
for i,j  x2[i] += A[j,i] y2[j]
""",
    A=(N, N),
    x1=(N,),
    x2=(N,),
    y1=(N,),
    y2=(N,),
)
def mvt(A, x1, x2, y1, y2):
    return {"x1": x1 + A @ y1, "x2": x2 + A.T @ y2}


@kernel(
    """
input A[M,M], B[M,N], C[M,N], alpha, beta
for i < M, j < N:
    temp = 0
    for k < i:
        C[k,j] += alpha B[i,j] A[i,k]
        temp += B[k,j] A[i,k]
    C[i,j] = beta C[i,j] + alpha B[i,j] A[i,i] + alpha temp
output C
""",
    A=(M, M),
    B=(M, N),
    C=(M, N),
    alpha=1.5,
    beta=1.2,
)
def symm(A, B, C, alpha, beta):
    C = C.copy()
    for i in range(M):
        for j in range(N):
            temp = 0.0
            for k in range(i):
                C[k, j] += alpha * B[i, j] * A[i, k]
                temp += B[k, j] * A[i, k]
            C[i, j] = beta * C[i, j] + alpha * B[i, j] * A[i, i] + alpha * temp
    return {"C": C}


@kernel(
    """
input A[N,M], B[N,M], C[N,N], alpha, beta
for i < N, j <= i: C[i,j] *= beta
for i < N, j <= i, k < M: C[i,j] += A[j,k] alpha B[i,k] + B[j,k] alpha A[i,k]
""",
    A=(N, M),
    B=(N, M),
    C=(N, N),
    alpha=1.5,
    beta=1.2,
)
def syr2k(A, B, C, alpha, beta):
    full = beta * C + alpha * (B @ A.T + A @ B.T)
    return {"C": np.where(np.tri(N, dtype=bool), full, C)}


@kernel(
    """
param C[N,N]
for i, j if j <= i: C[i,j] *= beta
for i, j, k if j <= i: C[i,j] += alpha A[i,k] A[j,k]
""",
    A=(N, M),
    C=(N, N),
    alpha=1.5,
    beta=1.2,
)
def syrk(A, C, alpha, beta):
    return {"C": np.where(np.tri(N, dtype=bool), beta * C + alpha * A @ A.T, C)}


@kernel(
    """
input A[M,M], B[M,N], alpha
for i < M, j < N:
    for k in range(i+1, M): B[i,j] += A[k,i] B[k,j]
    B[i,j] = alpha B[i,j]
output B
""",
    A=(M, M),
    B=(M, N),
    alpha=1.5,
)
def trmm(A, B, alpha):
    B = B.copy()
    for i in range(M):
        for j in range(N):
            for k in range(i + 1, M):
                B[i, j] += A[k, i] * B[k, j]
            B[i, j] *= alpha
    return {"B": B}


@kernel(
    """
input A[N,N]
for i < N:
    for j < i:
        for k < j: A[i,j] -= A[i,k] A[j,k]
        A[i,j] = A[i,j] / A[j,j]
    for k < i: A[i,i] -= A[i,k] A[i,k]
    A[i,i] = sqrt(A[i,i])
""",
    A=positive_definite,
)
def cholesky(A):
    return {"A": np.linalg.cholesky(A) + np.triu(A, 1)}


@kernel(
    """
input r[N]
y[0] = -r[0]
beta = 1
alpha = -r[0]
for k in range(1, N):
    beta = (1 - alpha**2) * beta
    s = 0
    for i < k: s += r[k-i-1] y[i]
    alpha = -(r[k] + s) / beta
    for i < k: z[i] = y[i] + alpha y[k-i-1]
    for i < k: y[i] = z[i]
    y[k] = alpha
output y
""",
    r=(N,),
)
def durbin(r):
    y = np.zeros(N)
    y[0] = -r[0]
    alpha, beta = -r[0], 1.0
    for k in range(1, N):
        beta *= 1 - alpha * alpha
        alpha = -(r[k] + np.dot(r[:k][::-1], y[:k])) / beta
        y[:k] += alpha * y[:k][::-1].copy()
        y[k] = alpha
    return {"y": y}


@kernel(
    """
input A[M,N]
for k < N:
    nrm = 0
    for i < M: nrm += A[i,k]**2
    R[k,k] = sqrt(nrm)
    for i < M: Q[i,k] = A[i,k] / R[k,k]
    for j in range(k+1, N):
        for i < M: R[k,j] += Q[i,k] A[i,j]
        for i < M: A[i,j] -= Q[i,k] R[k,j]
output Q, R
""",
    A=(N, M),
)
def gramschmidt(A):
    q, r = np.linalg.qr(A)
    sign = np.sign(np.diag(r))
    return {"Q": q * sign, "R": r * sign[:, None]}


@kernel(
    """
input A[N,N]
for i < N:
    for j < i:
        for k < j: A[i,j] -= A[i,k] A[k,j]
        A[i,j] = A[i,j] / A[j,j]
    for j in range(i, N):
        for k < i: A[i,j] -= A[i,k] A[k,j]
""",
    A=positive_definite,
)
def lu(A):
    A = A.copy()
    for i in range(N):
        for j in range(i):
            A[i, j] = (A[i, j] - A[i, :j] @ A[:j, j]) / A[j, j]
        for j in range(i, N):
            A[i, j] -= A[i, :i] @ A[:i, j]
    return {"A": A}


@kernel(
    """
input A[N,N], b[N]
for i < N:
    for j < i:
        w = A[i,j]
        for k < j: w -= A[i,k] A[k,j]
        A[i,j] = w / A[j,j]
    for j in range(i, N):
        v = A[i,j]
        for k < i: v -= A[i,k] A[k,j]
        A[i,j] = v
for i < N:
    u = b[i]
    for j < i: u -= A[i,j] y[j]
    y[i] = u
for i in reversed(range(0, N)):
    t = y[i]
    for j in range(i+1, N): t -= A[i,j] x[j]
    x[i] = t / A[i,i]
output x
""",
    A=positive_definite,
    b=(N,),
)
def ludcmp(A, b):
    return {"x": np.linalg.solve(A, b)}


@kernel(
    """
input L[N,N], b[N]
for i < N:
    x[i] = b[i]
    for j < i: x[i] -= L[i,j] x[j]
    x[i] = x[i] / L[i,i]
output x
""",
    L=positive_definite,
    b=(N,),
)
def trisolv(L, b):
    return {"x": np.linalg.solve(np.tril(L), b)}


@kernel(
    """
input path[N,N]
for k < N, i < N, j < N: path[i,j] = min(path[i,j], path[i,k] + path[k,j])
""",
    path=lambda rng: rng.integers(1, 30, (N, N)).astype(float),
)
def floyd_warshall(path):
    path = path.copy()
    for k in range(N):
        path = np.minimum(path, path[:, k, None] + path[None, k])
    return {"path": path}


@kernel(
    """
input seq[N]: int
for i < N, j < N: table[i,j] = 0
for i in reversed(range(0, N)):
    for j in range(i+1, N):
        table[i,j] max= table[i,j-1]
        table[i,j] max= table[i+1,j]
        if i < j - 1: table[i,j] max= table[i+1,j-1] + (seq[i] + seq[j] == 3)
        if i >= j - 1: table[i,j] max= table[i+1,j-1]
        for k in range(i+1, j): table[i,j] max= table[i,k] + table[k+1,j]
output table
""",
    seq=lambda rng: rng.integers(0, 4, N),
)
def nussinov(seq):
    t = np.zeros((N, N))
    for i in range(N - 1, -1, -1):
        for j in range(i + 1, N):
            t[i, j] = max(t[i, j], t[i, j - 1], t[i + 1, j])
            pair = float(seq[i] + seq[j] == 3) if i < j - 1 else 0.0
            t[i, j] = max(t[i, j], t[i + 1, j - 1] + pair)
            for k in range(i + 1, j):
                t[i, j] = max(t[i, j], t[i, k] + t[k + 1, j])
    return {"table": t}


@kernel(
    """
input A[N], B[N], T: int
for t < T:
    for i in range(1, N-1): B[i] = (A[i-1] + A[i] + A[i+1]) / 3
    for i in range(1, N-1): A[i] = (B[i-1] + B[i] + B[i+1]) / 3
output A, B
""",
    A=(N,),
    B=(N,),
    T=3,
)
def jacobi_1d(A, B, T):
    A, B = A.copy(), B.copy()
    for _ in range(T):
        B[1:-1] = (A[:-2] + A[1:-1] + A[2:]) / 3
        A[1:-1] = (B[:-2] + B[1:-1] + B[2:]) / 3
    return {"A": A, "B": B}


@kernel(
    """
input A[N,N], B[N,N], T: int
for t < T:
    for i in range(1, N-1), j in range(1, N-1):
        B[i,j] = 0.2 * (A[i,j] + A[i,j-1] + A[i,j+1] + A[i+1,j] + A[i-1,j])
    for i in range(1, N-1), j in range(1, N-1):
        A[i,j] = 0.2 * (B[i,j] + B[i,j-1] + B[i,j+1] + B[i+1,j] + B[i-1,j])
output A, B
""",
    A=(N, N),
    B=(N, N),
    T=3,
)
def jacobi_2d(A, B, T):
    A, B = A.copy(), B.copy()

    def step(a, b):
        b[1:-1, 1:-1] = 0.2 * (
            a[1:-1, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:] + a[2:, 1:-1] + a[:-2, 1:-1]
        )

    for _ in range(T):
        step(A, B)
        step(B, A)
    return {"A": A, "B": B}


@kernel(
    """
input A[N,N], T: int
for t < T, i in range(1, N-1), j in range(1, N-1):
    A[i,j] = (A[i-1,j-1] + A[i-1,j] + A[i-1,j+1] + A[i,j-1] + A[i,j] + A[i,j+1]
        + A[i+1,j-1] + A[i+1,j] + A[i+1,j+1]) / 9
""",
    A=(N, N),
    T=2,
)
def seidel_2d(A, T):
    A = A.copy()
    for _ in range(T):
        for i in range(1, N - 1):
            for j in range(1, N - 1):
                A[i, j] = A[i - 1 : i + 2, j - 1 : j + 2].sum() / 9
    return {"A": A}


@kernel(
    """
input A[N,N,N], B[N,N,N], T: int
for t < T:
    for i in range(1, N-1), j in range(1, N-1), k in range(1, N-1):
        B[i,j,k] = 0.125 * (A[i+1,j,k] - 2 A[i,j,k] + A[i-1,j,k]) + A[i,j,k]
    for i in range(1, N-1), j in range(1, N-1), k in range(1, N-1):
        A[i,j,k] = 0.125 * (B[i,j+1,k] - 2 B[i,j,k] + B[i,j-1,k]) + B[i,j,k]
output A, B
""",
    A=(L, L, L),
    B=(L, L, L),
    T=2,
)
def heat_3d(A, B, T):
    A, B = A.copy(), B.copy()
    c = slice(1, -1)
    for _ in range(T):
        B[c, c, c] = 0.125 * (A[2:, c, c] - 2 * A[c, c, c] + A[:-2, c, c]) + A[c, c, c]
        A[c, c, c] = 0.125 * (B[c, 2:, c] - 2 * B[c, c, c] + B[c, :-2, c]) + B[c, c, c]
    return {"A": A, "B": B}


@kernel(
    """
input ex[N,M], ey[N,M], hz[N,M], fict[T]
for t < T:
    for j < M: ey[0,j] = fict[t]
    for i in range(1, N), j < M: ey[i,j] = ey[i,j] - 0.5 * (hz[i,j] - hz[i-1,j])
    for i < N, j in range(1, M): ex[i,j] = ex[i,j] - 0.5 * (hz[i,j] - hz[i,j-1])
    for i < N-1, j < M-1:
        hz[i,j] = hz[i,j] - 0.7 * (ex[i,j+1] - ex[i,j] + ey[i+1,j] - ey[i,j])
output ex, ey, hz
""",
    ex=(N, M),
    ey=(N, M),
    hz=(N, M),
    fict=(3,),
)
def fdtd_2d(ex, ey, hz, fict):
    ex, ey, hz = ex.copy(), ey.copy(), hz.copy()
    for f in fict:
        ey[0] = f
        ey[1:] -= 0.5 * (hz[1:] - hz[:-1])
        ex[:, 1:] -= 0.5 * (hz[:, 1:] - hz[:, :-1])
        hz[:-1, :-1] -= 0.7 * (ex[:-1, 1:] - ex[:-1, :-1] + ey[1:, :-1] - ey[:-1, :-1])
    return {"ex": ex, "ey": ey, "hz": hz}


@kernel(
    """
input data[N,M]
for n,j  mean[j] += data[n,j] / N
for n,j  d[n,j] = data[n,j] - mean[j]
for n,i,j  cov[i,j] += d[n,i] d[n,j] / (N - 1)
output cov
""",
    data=(N, M),
)
def covariance(data):
    return {"cov": np.cov(data.T)}


@kernel(
    """
input data[N,M]
for n,j  mean[j] += data[n,j] / N
for n,j  var[j] += (data[n,j] - mean[j])**2 / N
for j    stddev[j] = where(sqrt(var[j]) <= 0.1, 1, sqrt(var[j]))
for n,j  z[n,j] = (data[n,j] - mean[j]) / (sqrt(N) stddev[j])
for n,i,j  corr[i,j] += z[n,i] z[n,j]
output corr
""",
    data=(N, M),
)
def correlation(data):
    return {"corr": np.corrcoef(data.T)}


@kernel(
    """
input u[N,N], T: int
for t < T:
    for i in range(1, N-1):
        v[0,i] = 1
        p[i,0] = 0
        q[i,0] = v[0,i]
        for j in range(1, N-1):
            p[i,j] = 0.5 / (2 - 0.5 p[i,j-1])
            w = 0.25 u[j,i-1] + 0.5 u[j,i] + 0.25 u[j,i+1]
            q[i,j] = (w + 0.5 q[i,j-1]) / (2 - 0.5 p[i,j-1])
        v[N-1,i] = 1
        for j in reversed(range(1, N-1)): v[j,i] = p[i,j] v[j+1,i] + q[i,j]
    for i in range(1, N-1), j in range(1, N-1): u[i,j] = v[i,j]
output u
""",
    u=(N, N),
    T=2,
)
def adi_half(u, T):
    u = u.copy()
    v, p, q = np.zeros((N, N)), np.zeros((N, N)), np.zeros((N, N))
    for _ in range(T):
        for i in range(1, N - 1):
            v[0, i], p[i, 0] = 1.0, 0.0
            q[i, 0] = v[0, i]
            for j in range(1, N - 1):
                den = 2 - 0.5 * p[i, j - 1]
                p[i, j] = 0.5 / den
                rhs = 0.25 * u[j, i - 1] + 0.5 * u[j, i] + 0.25 * u[j, i + 1]
                q[i, j] = (rhs + 0.5 * q[i, j - 1]) / den
            v[N - 1, i] = 1.0
            for j in range(N - 2, 0, -1):
                v[j, i] = p[i, j] * v[j + 1, i] + q[i, j]
        u[1:-1, 1:-1] = v[1:-1, 1:-1]
    return {"u": u}


@kernel(
    """
input x[W,H]
for i < W:
    y1[i,0] = 0.3 x[i,0]
    for j in range(1, H): y1[i,j] = 0.3 x[i,j] + 0.2 x[i,j-1] + 0.5 y1[i,j-1]
    y2[i,H-1] = 0
    for j in reversed(range(0, H-1)): y2[i,j] = 0.4 x[i,j+1] + 0.5 y2[i,j+1]
for i,j  out[i,j] = y1[i,j] + y2[i,j]
output out
""",
    x=(N, M),
)
def deriche_rows(x):
    y1, y2 = np.zeros_like(x), np.zeros_like(x)
    y1[:, 0] = 0.3 * x[:, 0]
    for j in range(1, M):
        y1[:, j] = 0.3 * x[:, j] + 0.2 * x[:, j - 1] + 0.5 * y1[:, j - 1]
    for j in range(M - 2, -1, -1):
        y2[:, j] = 0.4 * x[:, j + 1] + 0.5 * y2[:, j + 1]
    return {"out": y1 + y2}
