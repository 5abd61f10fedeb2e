"""Likelihoods of sequences and mixtures."""

from __future__ import annotations

from itertools import groupby, pairwise, product
from typing import Any

import numpy as np

from zoo.model import Array, Arrays, Model, logsumexp, normal, whole


def logsoftmax(x: Array) -> Array:
    return x - logsumexp(x)[..., None]


def hmm_arrays(rng: np.random.Generator) -> Arrays:
    return (
        normal(rng, p=(3,), A=(3, 3), E=(3, 4))
        | whole(rng, 4, w=(3, 4))
        | {"len": np.array([4, 2, 1]), "lr": 0.3}
    )


def hmm(w: Array, p: Array, A: Array, E: Array, lr: float, **rest: Array) -> Any:
    """Sum over all paths of states."""
    start, move, emit = np.exp(logsoftmax(p)), np.exp(logsoftmax(A)), np.exp(logsoftmax(E))
    total = 0
    for b, length in enumerate(rest["len"]):
        likelihood = 0
        for path in product(range(len(p)), repeat=int(length)):
            chance = start[path[0]] * np.prod([emit[s, w[b, t]] for t, s in enumerate(path)])
            likelihood += chance * np.prod([move[s, z] for s, z in pairwise(path)])
        total -= np.log(likelihood)
    return total / len(w)


def hmm_torch(F: Any, w: Any, p: Any, A: Any, E: Any, lr: Any, **rest: Any) -> Any:
    start, move, emit = F.softmax(p, 0), F.softmax(A, 1), F.softmax(E, 1)
    total = 0
    for b, length in enumerate(rest["len"]):
        f = start * emit[:, w[b, 0]]
        for t in range(1, int(length)):
            f = (f @ move) * emit[:, w[b, t]]
        total = total - f.sum().log()
    return total / len(w)


def crf_arrays(rng: np.random.Generator) -> Arrays:
    return (
        normal(rng, x=(3, 4, 2), W=(3, 2), A=(3, 3), p=(3,))
        | whole(rng, 3, y=(3, 4))
        | {"len": np.array([4, 3, 1]), "lr": 0.3}
    )


def crf(x: Array, y: Array, W: Array, A: Array, p: Array, lr: float, **rest: Array) -> Any:
    """Compare the tags' score with that of all sequences of tags."""
    total = 0
    for b, length in enumerate(rest["len"]):
        e = x[b] @ W.T

        def score(tags: Any, e: Array = e) -> Any:
            moves = sum(A[j, k] for j, k in pairwise(tags))
            return p[tags[0]] + moves + sum(e[t, k] for t, k in enumerate(tags))

        every = [score(tags) for tags in product(range(len(A)), repeat=int(length))]
        total += logsumexp(np.array(every)) - score(tuple(y[b, :length]))
    return total / len(x)


def crf_torch(F: Any, x: Any, y: Any, W: Any, A: Any, p: Any, lr: Any, **rest: Any) -> Any:
    total = 0
    for b, length in enumerate(rest["len"]):
        n = int(length)
        e, tags = F.linear(x[b, :n], W), y[b, :n]
        f = p + e[0]
        for t in range(1, n):
            f = (f[:, None] + A).logsumexp(0) + e[t]
        own = p[tags[0]] + e.gather(1, tags[:, None]).sum() + A[tags[:-1], tags[1:]].sum()
        total = total + f.logsumexp(0) - own
    return total / len(x)


def ctc_arrays(rng: np.random.Generator) -> Arrays:
    return normal(rng, x=(4, 5, 2), W=(4, 2), c=(4,)) | {
        "frames": np.array([5, 4, 3, 4]),
        "y": np.array([[1, 2, 3], [2, 2, 1], [3, 1, 1], [1, 1, 1]]),
        "labels": np.array([3, 2, 1, 0]),
        "lr": 0.3,
    }


def ctc(x: Array, frames: Array, y: Array, labels: Array, W: Array, c: Array, lr: float) -> Any:
    """Sum over all sequences of symbols that collapse to the labels."""
    total = 0
    for b, length in enumerate(frames):
        l = logsoftmax(x[b] @ W.T + c)
        wanted = list(y[b, : labels[b]])
        scores = [
            sum(l[t, symbol] for t, symbol in enumerate(path))
            for path in product(range(len(W)), repeat=int(length))
            if [symbol for symbol, _ in groupby(path) if symbol] == wanted
        ]
        total -= logsumexp(np.array(scores))
    return total / len(x)


def ctc_torch(F: Any, x: Any, frames: Any, y: Any, labels: Any, W: Any, c: Any, lr: Any) -> Any:
    l = F.log_softmax(F.linear(x, W, c), 2).transpose(0, 1)
    return F.ctc_loss(l, y, frames, labels, reduction="sum") / len(x)


def mixture_arrays(rng: np.random.Generator) -> Arrays:
    n, d, k = 5, 3, 2
    return normal(rng, x=(n, d), alpha=(k,), mu=(k, d), q=(k, d), l=(k, d, d)) | {
        "gamma": 0.7,
        "m": 2,
        "lr": 0.1,
    }


def mixture(
    x: Array, alpha: Array, mu: Array, q: Array, l: Array, gamma: float, m: int, lr: float
) -> Any:
    """Densities by determinants and quadratic forms of the precision matrices."""
    n, d = x.shape
    densities, prior = np.zeros((n, len(alpha)), complex), 0
    weights = np.exp(alpha) / np.exp(alpha).sum()
    for k in range(len(alpha)):
        factor = np.diag(np.exp(q[k])) + np.tril(l[k], -1)
        precision = factor.T @ factor
        centred = x - mu[k]
        form = (centred @ precision * centred).sum(1)
        scale = np.sqrt(np.linalg.det(precision) / (2 * np.pi) ** d)
        densities[:, k] = weights[k] * scale * np.exp(-form / 2)
        prior += gamma**2 / 2 * (factor**2).sum() - m * np.log(np.diag(factor)).sum()
    return prior - np.log(densities.sum(1)).sum()


def mixture_torch(
    F: Any, x: Any, alpha: Any, mu: Any, q: Any, l: Any, gamma: Any, m: Any, lr: Any
) -> Any:
    import torch
    from torch import distributions as dist

    factor = torch.diag_embed(q.exp()) + l.tril(-1)
    parts = dist.MultivariateNormal(mu, precision_matrix=factor.mT @ factor)
    mixed = dist.MixtureSameFamily(dist.Categorical(logits=alpha), parts)
    prior = gamma**2 / 2 * (factor**2).sum() - m * q.sum()
    return prior - mixed.log_prob(x).sum()


def kalman_arrays(rng: np.random.Generator) -> Arrays:
    return normal(rng, y=(4, 2), F=(3, 3), H=(2, 3), q=(3,), r=(2,), m0=(3,)) | {"lr": 0.01}


def kalman(y: Array, F: Array, H: Array, q: Array, r: Array, m0: Array, lr: float) -> Any:
    """The density of all observations at once, from their joint mean and covariance."""
    steps, d = len(y), len(q)
    mean, covariance = m0, np.eye(d)
    means, states = [m0], [covariance]
    for _ in range(steps - 1):
        mean, covariance = F @ mean, F @ covariance @ F.T + np.diag(np.exp(q))
        means.append(mean)
        states.append(covariance)
    m = len(r)
    joint = np.zeros((steps * m, steps * m), complex)
    for s in range(steps):
        cross = states[s]
        for t in range(s, steps):
            block = H @ cross @ H.T  # the covariance of the observations t and s
            joint[t * m : t * m + m, s * m : s * m + m] = block
            joint[s * m : s * m + m, t * m : t * m + m] = block.T
            cross = F @ cross
    joint += np.diag(np.tile(np.exp(r), steps))
    error = (y - np.array(means) @ H.T).ravel()
    form = error @ np.linalg.solve(joint, error)
    return (np.log(np.linalg.det(2 * np.pi * joint)) + form) / 2


def kalman_torch(f: Any, y: Any, F: Any, H: Any, q: Any, r: Any, m0: Any, lr: Any) -> Any:
    import torch
    from torch import distributions as dist

    mean, covariance = m0, torch.eye(len(q), dtype=y.dtype)
    total = 0
    for seen in y:
        s = H @ covariance @ H.mT + r.exp().diag()
        total = total - dist.MultivariateNormal(H @ mean, s).log_prob(seen)
        gain = torch.linalg.solve(s, H @ covariance).mT
        mean, covariance = mean + gain @ (seen - H @ mean), covariance - gain @ H @ covariance
        mean, covariance = F @ mean, F @ covariance @ F.mT + q.exp().diag()
    return total


MODELS = (
    Model("hmm", hmm_arrays, hmm, hmm_torch, serial=("t",)),
    Model("crf", crf_arrays, crf, crf_torch, serial=("t",)),
    Model("ctc", ctc_arrays, ctc, ctc_torch, serial=("t",)),
    Model("gaussian_mixture", mixture_arrays, mixture, mixture_torch),
    Model("kalman", kalman_arrays, kalman, kalman_torch, serial=("t", "j")),
)
