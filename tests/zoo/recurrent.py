"""Recurrent language models."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.model import Array, Arrays, Model, cross_entropy, normal, sigmoid, whole

B, T, D, J, V = 2, 5, 3, 4, 6


def rnn_arrays(rng: np.random.Generator) -> Arrays:
    return (
        normal(rng, E=(V, D), W=(J, D), U=(J, J), b=(J,), O=(V, J), c=(V,))
        | whole(rng, V, w=(B, T))
        | {"lr": 0.3}
    )


def rnn(w: Array, E: Array, W: Array, U: Array, b: Array, O: Array, c: Array, lr: float) -> Any:
    h = np.zeros((len(w), len(U)))
    scores = []
    for t in range(w.shape[1] - 1):
        h = np.tanh(E[w[:, t]] @ W.T + h @ U.T + b)
        scores.append(h @ O.T + c)
    return cross_entropy(np.stack(scores, 1), w[:, 1:])


def rnn_torch(F: Any, w: Any, E: Any, W: Any, U: Any, b: Any, O: Any, c: Any, lr: Any) -> Any:
    import torch

    h0 = torch.zeros(1, len(w), len(U), dtype=E.dtype)
    flat = (W, U, b, torch.zeros_like(b))
    h, _ = torch._VF.rnn_tanh(E[w[:, :-1]], h0, flat, True, 1, 0.0, False, False, True)
    return F.cross_entropy(F.linear(h, O, c).flatten(0, 1), w[:, 1:].flatten())


GATES = "ifzo"  # PyTorch's order


def lstm_arrays(rng: np.random.Generator) -> Arrays:
    arrays = normal(rng, E=(V, D), O=(V, J), e=(V,)) | whole(rng, V, w=(B, T)) | {"lr": 0.3}
    for gate in GATES:
        arrays |= normal(rng, **{f"W{gate}": (J, D), f"U{gate}": (J, J), f"b{gate}": (J,)})
    return arrays


def lstm(w: Array, E: Array, O: Array, e: Array, lr: float, **p: Array) -> Any:
    h = c = np.zeros((len(w), O.shape[1]))
    scores = []
    for t in range(w.shape[1] - 1):
        x = E[w[:, t]]
        i, f, z, o = (x @ p[f"W{g}"].T + h @ p[f"U{g}"].T + p[f"b{g}"] for g in GATES)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(z)
        h = sigmoid(o) * np.tanh(c)
        scores.append(h @ O.T + e)
    return cross_entropy(np.stack(scores, 1), w[:, 1:])


def lstm_torch(F: Any, w: Any, E: Any, O: Any, e: Any, lr: Any, **p: Any) -> Any:
    import torch

    zero = torch.zeros(1, len(w), O.shape[1], dtype=E.dtype)
    W, U, b = (torch.cat([p[f"{name}{g}"] for g in GATES]) for name in "WUb")
    flat = (W, U, b, torch.zeros_like(b))
    h, *_ = torch._VF.lstm(E[w[:, :-1]], (zero, zero), flat, True, 1, 0.0, False, False, True)
    return F.cross_entropy(F.linear(h, O, e).flatten(0, 1), w[:, 1:].flatten())


def gru_arrays(rng: np.random.Generator) -> Arrays:
    return (
        normal(rng, E=(V, D), W=(3 * J, D), b=(3 * J,), U=(3 * J, J), e=(3 * J,), O=(V, J), c=(V,))
        | whole(rng, V, w=(B, T))
        | {"lr": 0.3}
    )


def gru(
    w: Array, E: Array, W: Array, b: Array, U: Array, e: Array, O: Array, c: Array, lr: float
) -> Any:
    h = np.zeros((len(w), U.shape[1]))
    scores = []
    for t in range(w.shape[1] - 1):
        ar, az, an = np.split(E[w[:, t]] @ W.T + b, 3, 1)
        ur, uz, un = np.split(h @ U.T + e, 3, 1)
        r, z = sigmoid(ar + ur), sigmoid(az + uz)
        h = (1 - z) * np.tanh(an + r * un) + z * h
        scores.append(h @ O.T + c)
    return cross_entropy(np.stack(scores, 1), w[:, 1:])


def gru_torch(
    F: Any, w: Any, E: Any, W: Any, b: Any, U: Any, e: Any, O: Any, c: Any, lr: Any
) -> Any:
    import torch

    h0 = torch.zeros(1, len(w), U.shape[1], dtype=E.dtype)
    h, _ = torch._VF.gru(E[w[:, :-1]], h0, (W, U, b, e), True, 1, 0.0, False, False, True)
    return F.cross_entropy(F.linear(h, O, c).flatten(0, 1), w[:, 1:].flatten())


MODELS = (
    Model("rnn", rnn_arrays, rnn, rnn_torch, serial=("t",)),
    Model("lstm", lstm_arrays, lstm, lstm_torch, serial=("t",)),
    Model("gru", gru_arrays, gru, gru_torch, serial=("t",)),
)
