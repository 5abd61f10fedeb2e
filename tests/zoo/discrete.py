"""Models of words, graphs and routes: gathers and scatters."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.model import Array, Arrays, Model, normal, relu, whole


def word2vec_arrays(rng: np.random.Generator) -> Arrays:
    return normal(rng, U=(6, 3), W=(6, 3)) | whole(rng, 6, c=(4,), o=(4,), k=(4, 3)) | {"lr": 0.3}


def word2vec(c: Array, o: Array, k: Array, U: Array, W: Array, lr: float) -> Any:
    total = 0
    for n in range(len(c)):
        total += np.log(1 + np.exp(-U[c[n]] @ W[o[n]]))
        for word in k[n]:
            total += np.log(1 + np.exp(U[c[n]] @ W[word]))
    return total


def word2vec_torch(F: Any, c: Any, o: Any, k: Any, U: Any, W: Any, lr: Any) -> Any:
    u = F.embedding(c, U)
    right = F.logsigmoid((u * F.embedding(o, W)).sum(1)).sum()
    wrong = F.logsigmoid(-(F.embedding(k, W) @ u[:, :, None])).sum()
    return -right - wrong


def graph_arrays(rng: np.random.Generator) -> Arrays:
    n, m, a, d, g = 5, 7, 2, 3, 2
    return (
        normal(rng, e=(m, a), x=(n, d), y=(g,), P=(d, d), Q=(d, d), R=(d, a), c=(d,), U=(d, d))
        | normal(rng, S=(d, d), o=(d,), p=())
        | whole(rng, n, src=(m,), dst=(m,))
        | {"batch": np.array([0, 0, 1, 1, 1]), "T": 2, "lr": 0.3}
    )


def graph(
    src: Array,
    dst: Array,
    e: Array,
    x: Array,
    batch: Array,
    y: Array,
    T: int,
    lr: float,
    **p: Array,
) -> Any:
    h = x
    for _ in range(T):
        s = np.zeros(h.shape, complex)
        for k, (i, j) in enumerate(zip(src, dst, strict=True)):
            s[j] += relu(p["P"] @ h[i] + p["Q"] @ h[j] + p["R"] @ e[k] + p["c"])
        h = np.tanh(s @ p["U"].T + h @ p["S"].T)
    z = [p["p"] + (h[batch == k] @ p["o"]).sum() for k in range(len(y))]
    return ((np.array(z) - y) ** 2).mean()


def graph_torch(
    F: Any, src: Any, dst: Any, e: Any, x: Any, batch: Any, y: Any, T: Any, lr: Any, **p: Any
) -> Any:
    import torch

    h = x
    for _ in range(int(T)):
        g = F.relu(
            F.linear(h[src], p["P"]) + F.linear(h[dst], p["Q"]) + F.linear(e, p["R"], p["c"])
        )
        s = torch.zeros_like(h).index_add(0, dst, g)
        h = torch.tanh(F.linear(s, p["U"]) + F.linear(h, p["S"]))
    z = torch.zeros_like(y).index_add(0, batch, h @ p["o"]) + p["p"]
    return F.mse_loss(z, y)


MODELS = (
    Model("word2vec", word2vec_arrays, word2vec, word2vec_torch),
    Model("graph_network", graph_arrays, graph, graph_torch, serial=("t",)),
)
