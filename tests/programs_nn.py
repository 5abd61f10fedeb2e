"""The library `nn`, with plain NumPy beside each function."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import log_softmax, softmax

from programs_layers import PROGRAMS as _PROGRAMS
from programs_layers import Program, bools, conv1d, ints, positive, sigmoid
from programs_layers import program as _register

NN: list[Program] = []


def nn(text: str, serial: bool = False, **shapes: Any) -> Any:
    """Register a program that uses the library."""

    def register(function: Any) -> Any:
        _register("use nn\n" + text, serial, **shapes)(function)
        NN.append(_PROGRAMS.pop())
        return function

    return register


def conv2d(x, w, stride=1, padding=0):
    """Convolve images as a sum over the rows of the filter of convolutions of their rows."""
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    H = x.shape[2]
    K = w.shape[2]
    P = (H - K) // stride + 1
    rows = [
        sum(conv1d(x[:, :, p * stride + k], w[:, :, k], stride) for k in range(K)) for p in range(P)
    ]
    return np.stack(rows, axis=2)


# Dense layers


@nn("for b  y[b,:] = linear(x[b,:], W, c)", x=(3, 4), W=(2, 4), c=(2,))
def linear(x, W, c):
    return x @ W.T + c


@nn("for b  y[b,:] = bilinear(x[b,:], z[b,:], W, c)", x=(2, 3), z=(2, 4), W=(5, 3, 4), c=(5,))
def bilinear(x, z, W, c):
    return np.einsum("bi,kij,bj->bk", x, W, z) + c


@nn("input w[B, T]: int\nfor b,t  y[b,t,:] = embedding(E, w[b,t])", E=(5, 3), w=ints(0, 5, 2, 4))
def embedding(E, w):
    return E[w]


@nn("for b  y[b,:] = dropout(x[b,:], m[b,:], 0.5)", x=(2, 6), m=bools(2, 6))
def dropout(x, m):
    return np.where(m, x / 0.5, 0)


@nn("for b  y[b,:] = glu(x[b,:])", x=(2, 6))
def glu(x):
    return x[:, :3] * sigmoid(x[:, 3:])


@nn("for b  y[b,:] = swiglu(x[b,:], W, V, U)", x=(2, 6), W=(4, 6), V=(4, 6), U=(3, 4))
def swiglu(x, W, V, U):
    gate = x @ W.T
    return gate * sigmoid(gate) * (x @ V.T) @ U.T


@nn("for b  y[b] = norm(x[b,:])", x=(3, 4))
def norm(x):
    return np.linalg.norm(x, axis=1)


# Normalisation


def normal(x, axes, eps=1e-5):
    centred = x - x.mean(axis=axes, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=axes, keepdims=True) + eps)


@nn("for b  y[b,:] = layernorm(x[b,:], s, t)", x=(3, 4), s=(4,), t=(4,))
def layernorm(x, s, t):
    return normal(x, 1) * s + t


@nn("for b  y[b,:] = rmsnorm(x[b,:], s)", x=(3, 4), s=(4,))
def rmsnorm(x, s):
    return x / np.sqrt((x**2).mean(axis=1, keepdims=True) + 1e-6) * s


@nn("y[:,:] = batchnorm(x, s, t)", x=(5, 4), s=(4,), t=(4,))
def batchnorm(x, s, t):
    return normal(x, 0) * s + t


@nn(
    "for b  y[b,:] = batchnorm_given(x[b,:], m, v, s, t)",
    x=(4, 3),
    m=(3,),
    v=positive(3),
    s=(3,),
    t=(3,),
)
def batchnorm_given(x, m, v, s, t):
    return (x - m) / np.sqrt(v + 1e-5) * s + t


@nn("y[:,:,:,:] = batchnorm2d(x, s, t)", x=(4, 3, 2, 2), s=(3,), t=(3,))
def batchnorm2d(x, s, t):
    return normal(x, (0, 2, 3)) * s[:, None, None] + t[:, None, None]


@nn("n[:], w[:] = running_statistics(x, m, v)", x=(4, 3), m=(3,), v=positive(3))
def running_statistics(x, m, v):
    return {"n": 0.9 * m + 0.1 * x.mean(axis=0), "w": 0.9 * v + 0.1 * x.var(axis=0, ddof=1)}


@nn("for b  y[b,:,:,:] = groupnorm(x[b,:,:,:], s, t, 2)", x=(2, 6, 3, 2), s=(6,), t=(6,))
def groupnorm(x, s, t):
    y = normal(x.reshape(2, 2, 3, 3, 2), (2, 3, 4)).reshape(x.shape)
    return y * s[:, None, None] + t[:, None, None]


# Convolution and pooling


@nn("for b  y[b,:,:] = conv1d(x[b,:,:], w, c)", x=(2, 3, 9), w=(4, 3, 3), c=(4,))
def conv1d_plain(x, w, c):
    return conv1d(x, w) + c[:, None]


@nn("for b  y[b,:,:] = conv1d(x[b,:,:], w, c, 2, 1, 2)", x=(2, 3, 9), w=(4, 3, 3), c=(4,))
def conv1d_stride_padding_dilation(x, w, c):
    return conv1d(x, w, 2, 1, 2) + c[:, None]


@nn("for b  y[b,:,:] = grouped_conv1d(x[b,:,:], w, c, 2, 2, 1)", x=(2, 6, 9), w=(4, 3, 3), c=(4,))
def grouped_conv1d(x, w, c):
    parts = [conv1d(x[:, 3 * g : 3 * g + 3], w[2 * g : 2 * g + 2], 2, 1) for g in range(2)]
    return np.concatenate(parts, axis=1) + c[:, None]


@nn("for b  y[b,:,:,:] = conv2d(x[b,:,:,:], w, c, 2, 1)", x=(2, 3, 6, 5), w=(4, 3, 3, 2), c=(4,))
def conv2d_stride_padding(x, w, c):
    return conv2d(x, w, 2, 1) + c[:, None, None]


@nn("for b  y[b,:,:,:] = conv2d_same(x[b,:,:,:], w, c)", x=(2, 3, 6, 5), w=(4, 3, 3, 3), c=(4,))
def conv2d_same(x, w, c):
    return conv2d(x, w, 1, 1) + c[:, None, None]


@nn(
    "for b  y[b,:,:,:] = depthwise_conv2d(x[b,:,:,:], w, c, 2, 1)",
    x=(2, 3, 6, 5),
    w=(3, 3, 3),
    c=(3,),
)
def depthwise_conv2d(x, w, c):
    parts = [conv2d(x[:, n : n + 1], w[n : n + 1, None], 2, 1) for n in range(3)]
    return np.concatenate(parts, axis=1) + c[:, None, None]


@nn("for b  y[b,:,:] = transposed_conv1d(x[b,:,:], w, c, 2, 1)", x=(2, 3, 4), w=(3, 4, 3), c=(4,))
def transposed_conv1d(x, w, c):
    y = np.zeros((2, 4, 9))
    for n in range(4):
        y[:, :, 2 * n : 2 * n + 3] += np.einsum("bc,cdk->bdk", x[:, :, n], w)
    return y[:, :, 1:-1] + c[:, None]


@nn(
    "for b  y[b,:,:,:] = transposed_conv2d(x[b,:,:,:], w, c, 2, 1)",
    x=(2, 3, 3, 2),
    w=(3, 4, 3, 3),
    c=(4,),
)
def transposed_conv2d(x, w, c):
    y = np.zeros((2, 4, 7, 5))
    for i in range(3):
        for j in range(2):
            cell = np.einsum("bc,cdkl->bdkl", x[:, :, i, j], w)
            y[:, :, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3] += cell
    return y[:, :, 1:-1, 1:-1] + c[:, None, None]


def windows(x, size, stride):
    return np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(2, 3))[
        :, :, ::stride, ::stride
    ]


@nn(
    "for b  y[b,:,:,:] = maxpool2d(x[b,:,:,:], 3, 2)\n"
    "for b  z[b,:,:,:] = avgpool2d(x[b,:,:,:], 3, 2)",
    x=(2, 3, 8, 7),
)
def pools_of_images(x):
    cut = windows(x, 3, 2)
    return {"y": cut.max(axis=(4, 5)), "z": cut.mean(axis=(4, 5))}


@nn(
    "for b  y[b,:,:] = maxpool1d(x[b,:,:], 3, 2)\nfor b  z[b,:,:] = avgpool1d(x[b,:,:], 3, 2)",
    x=(2, 3, 8),
)
def pools_of_sequences(x):
    cut = np.lib.stride_tricks.sliding_window_view(x, 3, axis=2)[:, :, ::2]
    return {"y": cut.max(axis=3), "z": cut.mean(axis=3)}


# Attention


def attend(q, k, v, mask=None):
    a = np.einsum("...td,...sd->...ts", q, k) / np.sqrt(q.shape[-1])
    if mask is not None:
        a = np.where(mask, a, -np.inf)
    return softmax(a, axis=-1) @ v


@nn(
    "for b  y[b,:,:] = attention(q[b,:,:], k[b,:,:], v[b,:,:])",
    q=(2, 3, 4),
    k=(2, 5, 4),
    v=(2, 5, 2),
)
def attention(q, k, v):
    return attend(q, k, v)


@nn(
    "for b  y[b,:,:] = causal_attention(q[b,:,:], k[b,:,:], v[b,:,:])",
    q=(2, 4, 3),
    k=(2, 4, 3),
    v=(2, 4, 2),
)
def causal_attention(q, k, v):
    return attend(q, k, v, np.tri(4, dtype=bool))


@nn(
    "input q[B,T,D], k[B,S,D], v[B,S,E], m[T,S]: bool\n"
    "for b  y[b,:,:] = masked_attention(q[b,:,:], k[b,:,:], v[b,:,:], m)",
    q=(2, 3, 4),
    k=(2, 5, 4),
    v=(2, 5, 2),
    m=lambda rng: np.eye(3, 5, dtype=bool) | (rng.random((3, 5)) < 0.5),
)
def masked_attention(q, k, v, m):
    return attend(q, k, v, m)


@nn(
    "for b  y[b,:,:,:] = grouped_query_attention(q[b,:,:,:], k[b,:,:,:], v[b,:,:,:])",
    q=(2, 4, 3, 4),
    k=(2, 2, 5, 4),
    v=(2, 2, 5, 3),
)
def grouped_query_attention(q, k, v):
    return attend(q, np.repeat(k, 2, axis=1), np.repeat(v, 2, axis=1))


@nn("for b  y[b,:,:] = rotary(x[b,:,:])", x=(2, 3, 6))
def rotary(x):
    angle = np.arange(3)[:, None] / 10000 ** (np.arange(0, 6, 2) / 6)
    turned = (x[..., ::2] + 1j * x[..., 1::2]) * np.exp(1j * angle)
    return np.stack([turned.real, turned.imag], axis=-1).reshape(x.shape)


@nn(
    "for b  y[b,:,:] = multihead_attention(x[b,:,:], x[b,:,:], Q, K, V, O)",
    x=(2, 3, 4),
    Q=(2, 3, 4),
    K=(2, 3, 4),
    V=(2, 3, 4),
    O=(4, 2, 3),
)
def multihead_attention(x, Q, K, V, O):
    q, k, v = (np.einsum("hdm,btm->bhtd", w, x) for w in (Q, K, V))
    return np.einsum("mhe,bhte->btm", O, attend(q, k, v))


# Recurrence


@nn(
    "for n  y[n,:,:] = rnn(x[n,:,:], h[n,:], W, U, b)",
    serial=True,
    x=(2, 3, 3),
    h=(2, 4),
    W=(4, 3),
    U=(4, 4),
    b=(4,),
)
def rnn(x, h, W, U, b):
    states = []
    for t in range(3):
        h = np.tanh(x[:, t] @ W.T + h @ U.T + b)
        states.append(h)
    return np.stack(states, axis=1)


LSTM = {"x": (2, 3, 3), "h": (2, 4), "c": (2, 4), "W": (16, 3), "U": (16, 4), "b": (16,)}


@nn("for n  y[n,:,:], d[n,:,:] = lstm(x[n,:,:], h[n,:], c[n,:], W, U, b)", serial=True, **LSTM)
def lstm(x, h, c, W, U, b):
    states, cells = [], []
    for t in range(3):
        i, f, g, o = np.split(x[:, t] @ W.T + h @ U.T + b, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        states.append(h)
        cells.append(c)
    return {"y": np.stack(states, axis=1), "d": np.stack(cells, axis=1)}


@nn(
    "for n  y[n,:,:] = gru(x[n,:,:], h[n,:], W, U, b, e)",
    serial=True,
    x=(2, 3, 3),
    h=(2, 4),
    W=(12, 3),
    U=(12, 4),
    b=(12,),
    e=(12,),
)
def gru(x, h, W, U, b, e):
    states = []
    for t in range(3):
        a, u = np.split(x[:, t] @ W.T + b, 3, axis=1), np.split(h @ U.T + e, 3, axis=1)
        r, z = sigmoid(a[0] + u[0]), sigmoid(a[1] + u[1])
        h = (1 - z) * np.tanh(a[2] + r * u[2]) + z * h
        states.append(h)
    return np.stack(states, axis=1)


# Losses


@nn(
    "input s[B, C], t[B]: int\n"
    "for b  y[b] = cross_entropy(s[b,:], t[b])\n"
    "for b  z[b] = smoothed_cross_entropy(s[b,:], t[b], 0.1)\n"
    "for b,c  p[b,c] = logsoftmax[c](s[b,c])\n"
    "for b  w[b] = nll(p[b,:], t[b])",
    s=(4, 5),
    t=ints(0, 5, 4),
)
def losses_of_classes(s, t):
    p = log_softmax(s, axis=1)
    y = -p[np.arange(4), t]
    return {"y": y, "z": 0.9 * y - 0.1 * p.mean(axis=1), "w": y}


@nn(
    "for b  y[b] = mse(x[b,:], t[b,:])\n"
    "for b  z[b] = huber(x[b,:], t[b,:], 0.5)\n"
    "for b,i  w[b,i] = bce_with_logits(x[b,i], σ(t[b,i]))\n"
    "for b  v[b] = cosine_similarity(x[b,:], t[b,:])\n"
    "for b,i  u[b,i] = hinge(x[b,i], 1)",
    x=(3, 4),
    t=(3, 4),
)
def losses_of_numbers(x, t):
    e = np.abs(x - t)
    p = sigmoid(t)
    lengths = np.linalg.norm(x, axis=1) * np.linalg.norm(t, axis=1)
    return {
        "y": (e**2).mean(axis=1),
        "z": np.where(e <= 0.5, e**2 / 2, 0.5 * (e - 0.25)).mean(axis=1),
        "w": -p * np.log(sigmoid(x)) - (1 - p) * np.log(sigmoid(-x)),
        "v": (x * t).sum(axis=1) / lengths,
        "u": np.maximum(1 - x, 0),
    }


@nn("for b  y[b] = kl(p[b,:], q[b,:])", p=positive(3, 4), q=positive(3, 4))
def kl(p, q):
    return (p * np.log(p / q)).sum(axis=1)


# Update rules


@nn(
    "for i  v[i], n[i], r[i] = adam(w[i], g[i], m[i], s[i], 3)\n"
    "for i  V[i], N[i], R[i] = adamw(w[i], g[i], m[i], s[i], 3)\n"
    "for i  a[i], b[i] = momentum(w[i], g[i], m[i], 0.1)\n"
    "for i  c[i] = sgd(w[i], g[i], 0.1)",
    w=(4,),
    g=(4,),
    m=(4,),
    s=positive(4),
)
def updates(w, g, m, s):
    n, r = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g**2
    step = n / (1 - 0.9**3) / (np.sqrt(r / (1 - 0.999**3)) + 1e-8)
    heavy = 0.9 * m + g
    moments = {"n": n, "r": r, "N": n, "R": r, "b": heavy}
    return moments | {
        "v": w - 0.001 * step,
        "V": w - 0.001 * (step + 0.01 * w),
        "a": w - 0.1 * heavy,
        "c": w - 0.1 * g,
    }
