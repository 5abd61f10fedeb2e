"""Networks on vectors and images."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.model import Array, Arrays, Model, cross_entropy, normal, relu, whole


def mlp_arrays(rng: np.random.Generator) -> Arrays:
    return (
        normal(rng, x=(7, 5), W0=(6, 5), b0=(6,), W1=(4, 6), b1=(4,), W2=(3, 4), b2=(3,))
        | whole(rng, 3, y=(7,))
        | {"lr": 0.3}
    )


def mlp(
    x: Array, y: Array, W0: Array, b0: Array, W1: Array, b1: Array, W2: Array, b2: Array, lr: float
) -> Any:
    u = relu(x @ W0.T + b0)
    v = relu(u @ W1.T + b1)
    return cross_entropy(v @ W2.T + b2, y)


def mlp_torch(
    F: Any, x: Any, y: Any, W0: Any, b0: Any, W1: Any, b1: Any, W2: Any, b2: Any, lr: Any
) -> Any:
    u = F.relu(F.linear(x, W0, b0))
    v = F.relu(F.linear(u, W1, b1))
    return F.cross_entropy(F.linear(v, W2, b2), y)


def correlate(x: Array, w: Array, stride: int = 1, pad: int = 0) -> Array:
    """Return the cross-correlation of images [N, A, H, W] with filters [B, A, K, L]."""
    x = np.pad(x, [(0, 0), (0, 0), (pad, pad), (pad, pad)])
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], (2, 3))
    return np.einsum("nahwkl,bakl->nbhw", windows[:, :, ::stride, ::stride], w)


def halve(x: Array) -> Array:
    """Return the means of 2 by 2 windows."""
    n, a, h, w = x.shape
    return x.reshape(n, a, h // 2, 2, w // 2, 2).mean((3, 5))


def lenet_arrays(rng: np.random.Generator) -> Arrays:
    return (
        normal(rng, x=(3, 12, 12), W1=(2, 3, 3), b1=(2,), W3=(3, 2, 3, 3), b3=(3,), W5=(4, 3, 2, 2))
        | normal(rng, b5=(4,), W6=(3, 4), b6=(3,))
        | whole(rng, 3, y=(3,))
        | {"lr": 0.3}
    )


def lenet(
    x: Array,
    y: Array,
    W1: Array,
    b1: Array,
    W3: Array,
    b3: Array,
    W5: Array,
    b5: Array,
    W6: Array,
    b6: Array,
    lr: float,
) -> Any:
    s2 = halve(np.tanh(correlate(x[:, None], W1[:, None], pad=1) + b1[:, None, None]))
    s4 = halve(np.tanh(correlate(s2, W3) + b3[:, None, None]))
    z5 = np.tanh(s4.reshape(len(x), -1) @ W5.reshape(len(W5), -1).T + b5)
    return cross_entropy(z5 @ W6.T + b6, y)


def lenet_torch(
    F: Any,
    x: Any,
    y: Any,
    W1: Any,
    b1: Any,
    W3: Any,
    b3: Any,
    W5: Any,
    b5: Any,
    W6: Any,
    b6: Any,
    lr: Any,
) -> Any:
    s2 = F.avg_pool2d(F.conv2d(x[:, None], W1[:, None], b1, padding="same").tanh(), 2)
    s4 = F.avg_pool2d(F.conv2d(s2, W3, b3).tanh(), 2)
    z5 = F.conv2d(s4, W5, b5).tanh()[:, :, 0, 0]
    return F.cross_entropy(F.linear(z5, W6, b6), y)


def resnet_arrays(rng: np.random.Generator) -> Arrays:
    return (
        normal(
            rng,
            x=(3, 2, 6, 6),
            W1=(3, 2, 3, 3),
            g1=(3,),
            b1=(3,),
            W2=(3, 3, 3, 3),
            g2=(3,),
            b2=(3,),
        )
        | normal(rng, W0=(3, 2), V=(4, 3), d=(4,), rm=(3,), rv=(3,))
        | {"m1": np.zeros((3, 2, 3, 3)), "m2": np.zeros((3, 3, 3, 3)), "lr": 0.3}
        | whole(rng, 4, y=(3,))
    )


def standardise(c: Array, g: Array, b: Array) -> Array:
    m = c.mean((0, 2, 3), keepdims=True)
    v = ((c - m) ** 2).mean((0, 2, 3), keepdims=True)
    return g[:, None, None] * (c - m) / np.sqrt(v + 1e-5) + b[:, None, None]


def resnet(
    x: Array,
    y: Array,
    W1: Array,
    g1: Array,
    b1: Array,
    W2: Array,
    g2: Array,
    b2: Array,
    W0: Array,
    V: Array,
    d: Array,
    **_: Any,
) -> Any:
    z1 = relu(standardise(correlate(x, W1, 2, 1), g1, b1))
    z2 = standardise(correlate(z1, W2, 1, 1), g2, b2)
    o = relu(z2 + correlate(x, W0[:, :, None, None], 2))
    return cross_entropy(o.mean((2, 3)) @ V.T + d, y)


def resnet_torch(
    F: Any,
    x: Any,
    y: Any,
    W1: Any,
    g1: Any,
    b1: Any,
    W2: Any,
    g2: Any,
    b2: Any,
    W0: Any,
    V: Any,
    d: Any,
    **_: Any,
) -> Any:
    z1 = F.relu(F.batch_norm(F.conv2d(x, W1, stride=2, padding=1), None, None, g1, b1, True))
    z2 = F.batch_norm(F.conv2d(z1, W2, padding=1), None, None, g2, b2, True)
    o = F.relu(z2 + F.conv2d(x, W0[:, :, None, None], stride=2))
    return F.cross_entropy(F.linear(o.mean((2, 3)), V, d), y)


MODELS = (
    Model("mlp", mlp_arrays, mlp, mlp_torch),
    Model("lenet", lenet_arrays, lenet, lenet_torch, serial=("k", "l")),
    Model("resnet_block", resnet_arrays, resnet, resnet_torch),
)
