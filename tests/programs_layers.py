"""Layers and expressions written from the language's page, with plain NumPy beside them.

Each is written in one of the styles that users have; the NumPy is as plain as it can be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import logsumexp, softmax

from kernels_polybench import KERNELS as _POLYBENCH
from kernels_polybench import kernel as _register


@dataclass(frozen=True)
class Program:
    """A program, its arrays, what it must give, and the loops that `explain` may show."""

    name: str
    text: str
    arrays: Callable[[np.random.Generator], dict[str, Any]]
    expected: Callable[..., Any]
    serial: bool


PROGRAMS: list[Program] = []


def program(text: str, serial: bool = False, **shapes: Any) -> Callable[[Any], Any]:
    """Register a program; what its function returns is the one output, or a dict of them."""

    def register(function: Any) -> Any:
        _register(text, **shapes)(function)
        made = _POLYBENCH.pop()
        PROGRAMS.append(Program(made.name, text, made.arrays, function, serial))
        return function

    return register


def ints(low: int, high: int, *shape: int) -> Any:
    return lambda rng: rng.integers(low, high, shape)


def bools(*shape: int) -> Any:
    return lambda rng: rng.random(shape) < 0.6


def positive(*shape: int) -> Any:
    return lambda rng: rng.random(shape) + 0.1


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


# Contractions and convolutions


@program("for n,o,k  y[n,o] max= sum[i](W[o,k,i] x[n,i])", x=(3, 4), W=(2, 3, 4))
def maxout(x, W):
    return np.einsum("oki,ni->nok", W, x).max(axis=2)


@program("for n,o,k  y[n,o,k] = softmax[o](sum[i](W[o,k,i] x[n,i]))", x=(3, 4), W=(2, 3, 4))
def softmax_of_a_product_whose_axes_stand_in_another_order(x, W):
    return softmax(np.einsum("oki,ni->nok", W, x), axis=1)


@program("for n,k  y[n,k] = argmax[o](sum[i](W[o,k,i] x[n,i]))", x=(3, 4), W=(5, 3, 4))
def argmax_of_a_product(x, W):
    return np.einsum("oki,ni->nko", W, x).argmax(axis=2)


@program(
    """
input x1[N, I], x2[N, J]
param A[O, I, J], b[O]
for n, o, i, j   y[n,o] += x1[n,i] A[o,i,j] x2[n,j]
for n, o         y[n,o] += b[o]
""",
    x1=(4, 3),
    x2=(4, 2),
    A=(5, 3, 2),
    b=(5,),
)
def bilinear(x1, x2, A, b):
    return np.einsum("ni,oij,nj->no", x1, A, x2) + b


def conv1d(x, w, stride=1, padding=0, dilation=1):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding)))
    K = w.shape[2]
    L = (x.shape[2] - dilation * (K - 1) - 1) // stride + 1
    y = np.zeros((len(x), len(w), L))
    for n in range(L):
        cut = x[:, :, n * stride : n * stride + dilation * (K - 1) + 1 : dilation]
        y[:, :, n] = np.einsum("bck,ock->bo", cut, w)
    return y


@program(
    """
input x[N, C, L]
param w[O, C, K], b[O]
for n, o, l < (L + 2*2 - 2*(K-1) - 1)//3 + 1:
    y[n,o,l] = b[o]
    for c, k:
        y[n,o,l] += w[o,c,k] x[n,c,pad(3*l + 2*k - 2)]
""",
    x=(2, 3, 13),
    w=(4, 3, 3),
    b=(4,),
)
def conv1d_stride_padding_dilation(x, w, b):
    return conv1d(x, w, 3, 2, 2) + b[:, None]


@program(
    """
dim G
input x[N, C, L]
param w[O, C//G, K]
for n, o, l < L-K+1:
    y[n,o,l] = sum[c,k](w[o,c,k] x[n, (o // (O//G)) * (C//G) + c, l+k])
""",
    x=(2, 6, 5),
    w=(8, 3, 2),
    G=2,
)
def conv1d_of_groups(x, w, G):
    halves = [conv1d(x[:, 3 * g : 3 * g + 3], w[4 * g : 4 * g + 4]) for g in range(2)]
    return np.concatenate(halves, axis=1)


@program("for n,c,o,l,k  y[n,o,2*l+k] += w[c,o,k] x[n,c,l]", x=(2, 3, 4), w=(3, 5, 3))
def transposed_convolution(x, w):
    y = np.zeros((2, 5, 9))
    for n in range(4):
        y[:, :, 2 * n : 2 * n + 3] += np.einsum("bc,cok->bok", x[:, :, n], w)
    return y


# Sizes that follow from other sizes


@program(
    """
dim r
input x[N, C*r*r, H, W]
for n, c < C, h, w, i < r, j < r: y[n,c,h*r+i,w*r+j] = x[n,c*r*r+i*r+j,h,w]
""",
    x=(2, 8, 2, 3),
    r=2,
)
def pixel_shuffle(x, r):
    return x.reshape(2, 2, 2, 2, 2, 3).transpose(0, 1, 4, 2, 5, 3).reshape(2, 2, 4, 6)


@program(
    """
dim H, W
input x[N,C*H*W]
for n, c < C, h < H, w < W: y[n,c,h,w] = x[n,c*H*W+h*W+w]
""",
    x=(2, 24),
    H=4,
    W=2,
)
def unflatten(x, H, W):
    return x.reshape(2, 3, 4, 2)


@program(
    """
input x[N,C,H,W]
for n, c, p < 2, q < 3, i < H-1, j < W-2: u[n, (c*2+p)*3+q, i*(W-2)+j] = x[n,c,i+p,j+q]
""",
    x=(2, 2, 4, 5),
)
def unfold(x):
    windows = np.lib.stride_tricks.sliding_window_view(x, (2, 3), axis=(2, 3))
    return windows.transpose(0, 1, 4, 5, 2, 3).reshape(2, 12, 9)


# Losses whose share is a count


@program(
    """
input s[N,C], t[N]: int
for n if t[n] != -100: num += logsumexp[c](s[n,c]) - s[n,t[n]]
for n: den += (t[n] != -100)
L = num / den
""",
    s=(5, 5),
    t=np.array([1, -100, 0, 4, -100]),
)
def cross_entropy_with_an_ignored_label(s, t):
    kept = t != -100
    return np.mean(logsumexp(s, axis=1)[kept] - s[kept, t[kept]])


@program(
    "input s[N,C], t[N]: int\nL = mean[n if t[n] != -100](logsumexp[c](s[n,c]) - s[n,t[n]])",
    s=(5, 5),
    t=np.array([1, -100, 0, 4, -100]),
)
def cross_entropy_as_a_guarded_mean(s, t):
    return cross_entropy_with_an_ignored_label(s, t)


# Types


@program(
    """
input x[N]
for k < N, n: re[k] += x[n] cos(2 pi k n / N)
for k < N, n: im[k] -= x[n] sin(2 pi k n / N)
""",
    x=(6,),
)
def fourier_transform(x):
    f = np.fft.fft(x)
    return {"re": f.real, "im": f.imag}


# Functions and partial declarations


@program(
    """
def affine(x[I], W[J,I], b[J]) -> y[J]:
    for j,i  y[j] += W[j,i] x[i]
    for j    y[j] += b[j]
def mlp(x[I], W0[H,I], b0[H], W1[C,H], b1[C]) -> s[C]:
    h[:] = affine(x, W0, b0)
    for j    h[j] = relu(h[j])
    s[:] = affine(h, W1, b1)
for b   s[b,:] = mlp(x[b,:], W0, b0, W1, b1)
""",
    x=(3, 4),
    W0=(5, 4),
    b0=(5,),
    W1=(2, 5),
    b1=(2,),
)
def a_local_array_handed_over_whole(x, W0, b0, W1, b1):
    return np.maximum(x @ W0.T + b0, 0) @ W1.T + b1


@program(
    """
def glu(x[2*D]) -> y[D]:
    for d < D: y[d] = x[d] σ(x[d+D])
for n: y[n,:] = glu(x[n,:])
""",
    x=(3, 6),
)
def gated_linear_unit_of_half_an_extent(x):
    return x[:, :3] * sigmoid(x[:, 3:])


@program(
    """
input x[N,C,L]
for n, o, t < L, c, k: y[n,o,t] += w[o,c,k] x[n,c,wrap(t+k-1)]
""",
    x=(2, 3, 5),
    w=(4, 3, 3),
)
def convolution_round_a_circle_with_one_declaration(x, w):
    return conv1d(np.concatenate([x[:, :, -1:], x, x[:, :, :1]], axis=2), w)


@program("for i  y[i] = 2 pow(x[i], 3) x[i] - pow(2, x[i])", x=(5,))
def power_as_a_function(x):
    return 2 * x**4 - 2**x


@program(
    """
input x[N]: int
a = logsumexp[i if x[i] > 9](x[i])
for i  p[i] = softmax[i if x[i] > 1](x[i])
m = mean[i if x[i] > 1](x[i])
""",
    x=np.array([1, 2, 3]),
)
def reductions_of_integers_give_floats_of_their_own(x):
    return {"a": -np.inf, "p": np.concatenate([[0], softmax([2.0, 3.0])]), "m": 2.5}


@program(
    """
input x[N, G*C, L]
param w[G*O, C, P]
dim G, C, O
for n, g < G, o < O, i, c, p: y[n,g*O+o,i] += w[g*O+o,c,p] x[n,g*C+c,i+p]
""",
    x=(2, 6, 5),
    w=(8, 3, 3),
    G=2,
    O=4,
)
def dims_declared_after_the_arrays_that_have_them(x, w, G, O):
    return np.concatenate([conv1d(x[:, :3], w[:4]), conv1d(x[:, 3:], w[4:])], axis=1)


@program(
    """
def turned(x[T]) -> y[T]:
    for t      a[t] = x[t]
    for t < T: a[t] += 1
    for t < T: y[t] = a[T-1-t]
for t < N: r[t] = 2 x[t]
z[:] = turned(r)
""",
    x=(4,),
)
def an_extent_named_by_a_def_that_writes_as_far(x):
    return 2 * x[::-1] + 1


@program(
    """
input x[T,N,I]
param W[H,I], V[M,H,H], U[K,H,H], b[K,H]
for t < T:
    for n, j: h[0,t+1,n,j] = tanh(b[0,j] + sum[i](W[j,i] x[t,n,i]) + sum[k](U[0,j,k] h[0,t,n,k]))
    for l in range(1, K):
        for n, j: s[l,t,n,j] = sum[i](V[l-1,j,i] h[l-1,t+1,n,i]) + sum[k](U[l,j,k] h[l,t,n,k])
        for n, j: h[l,t+1,n,j] = tanh(b[l,j] + s[l,t,n,j])
for t < T, n, j: y[t,n,j] = h[K-1,t+1,n,j]
""",
    serial=True,
    x=(3, 2, 3),
    W=(4, 3),
    V=(2, 4, 4),
    U=(3, 4, 4),
    b=(3, 4),
)
def recurrent_network_of_three_layers(x, W, V, U, b):
    for layer in range(3):
        h, states = np.zeros((2, 4)), []
        for t in range(3):
            h = np.tanh(x[t] @ (W if layer == 0 else V[layer - 1]).T + h @ U[layer].T + b[layer])
            states.append(h)
        x = np.stack(states)
    return x
