"""Newton, geometry, contrast, differential equations, and learning to learn."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.model import Array, Arrays, Model, logsumexp, normal, relu


def newton_arrays(rng: np.random.Generator) -> Arrays:
    return normal(rng, x=(6, 3), w=(3,)) | {
        "y": (rng.random(6) < 0.5).astype(float),
        "ridge": 0.1,
    }


def newton(x: Array, y: Array, ridge: float, w: Array) -> Any:
    chance = 1 / (1 + np.exp(-x @ w))
    return ridge / 2 * w @ w - np.mean(y * np.log(chance) + (1 - y) * np.log(1 - chance))


def newton_step(w: Array, g: Array, arrays: Arrays) -> Array:
    """Return the minimum of the quadratic that touches the loss, by its Hessian's formula."""
    x = arrays["x"]
    chance = 1 / (1 + np.exp(-x @ w))
    hessian = (x.T * (chance * (1 - chance))) @ x / len(x) + arrays["ridge"] * np.eye(len(w))
    return w - np.linalg.solve(hessian, g)


def newton_torch(F: Any, x: Any, y: Any, ridge: Any, w: Any) -> Any:
    return F.binary_cross_entropy_with_logits(x @ w, y) + ridge / 2 * w @ w


def bundle_arrays(rng: np.random.Generator) -> Arrays:
    c, m, n = 3, 4, 6
    arrays = normal(rng, R=(c, 3), X=(c, 3), u=(c, 2), k=(c, 2), P=(m, 3), w=(n,), z=(n, 2))
    arrays["R"][2] = 0  # no rotation: the formula's other branch
    arrays["P"][:, 2] += 4
    return arrays | {
        "f": 1 + rng.random(c),
        "p": rng.integers(0, m, n),
        "c": np.array([0, 1, 2, 0, 1, 2]),
        "lr": 0.01,
    }


def turned(r: Array, x: Array) -> Array:
    """Return exp([r]) x by the power series of the matrix exponential."""
    a, b, c = r
    matrix = np.array([[0 * a, -c, b], [c, 0 * a, -a], [-b, a, 0 * a]])
    total, term = x, x
    for k in range(1, 40):
        term = matrix @ term / k
        total = total + term
    return total


def bundle(
    p: Array,
    c: Array,
    z: Array,
    R: Array,
    X: Array,
    f: Array,
    u: Array,
    k: Array,
    P: Array,
    w: Array,
    lr: float,
) -> Any:
    total = 0
    for n, (point, camera) in enumerate(zip(p, c, strict=True)):
        y = turned(R[camera], P[point] - X[camera])
        s = y[:2] / y[2]
        r2 = s @ s
        distortion = 1 + k[camera, 0] * r2 + k[camera, 1] * r2 * r2
        e = w[n] * (f[camera] * distortion * s + u[camera] - z[n])
        total += e @ e / 2 + (1 - w[n] ** 2) ** 2 / 2
    return total


def bundle_torch(
    F: Any, p: Any, c: Any, z: Any, R: Any, X: Any, f: Any, u: Any, k: Any, P: Any, w: Any, lr: Any
) -> Any:
    import torch

    x, y, t = R.unbind(1)
    zero = torch.zeros_like(x)
    skew = torch.stack([zero, -t, y, t, zero, -x, -y, x, zero], 1).reshape(-1, 3, 3)
    seen = torch.einsum("nij,nj->ni", torch.linalg.matrix_exp(skew)[c], P[p] - X[c])
    s = seen[:, :2] / seen[:, 2:]
    r2 = (s**2).sum(1, keepdim=True)
    distortion = 1 + k[c, :1] * r2 + k[c, 1:] * r2**2
    e = w[:, None] * (f[c, None] * distortion * s + u[c] - z)
    return (e**2).sum() / 2 + ((1 - w**2) ** 2).sum() / 2


def infonce_arrays(rng: np.random.Generator) -> Arrays:
    n, i, h, z = 4, 3, 5, 3
    return normal(rng, x=(n, i), y=(n, i), W=(h, i), b=(h,), V=(z, h), tau=()) | {"lr": 0.3}


def infonce(x: Array, y: Array, W: Array, b: Array, V: Array, tau: Array, lr: float) -> Any:
    p, q = (relu(v @ W.T + b) @ V.T for v in (x, y))
    p, q = (v / np.sqrt((v * v).sum(1, keepdims=True)) for v in (p, q))
    s = p @ q.T / np.exp(tau)
    return ((logsumexp(s) + logsumexp(s, 0)) / 2 - np.diagonal(s)).mean()


def infonce_torch(F: Any, x: Any, y: Any, W: Any, b: Any, V: Any, tau: Any, lr: Any) -> Any:
    import torch

    p, q = (F.normalize(F.linear(F.relu(F.linear(v, W, b)), V), dim=1) for v in (x, y))
    s = p @ q.mT / tau.exp()
    own = torch.arange(len(s))
    return (F.cross_entropy(s, own) + F.cross_entropy(s.mT, own)) / 2


def ode_arrays(rng: np.random.Generator) -> Arrays:
    n, t, d, h = 2, 3, 2, 3
    return normal(rng, x=(n, t, d), W=(h, d), b=(h,), V=(d, h), c=(d,)) | {
        "K": 2,
        "dt": 0.5,
        "lr": 0.3,
    }


def ode(x: Array, W: Array, b: Array, V: Array, c: Array, K: int, dt: float, lr: float) -> Any:
    def field(z: Array) -> Array:
        return np.tanh(z @ W.T + b) @ V.T + c

    step = dt / K
    z, seen = x[:, 0], [x[:, 0]]
    for _ in range(x.shape[1] - 1):
        for _ in range(K):
            k1 = field(z)
            k2 = field(z + step / 2 * k1)
            k3 = field(z + step / 2 * k2)
            k4 = field(z + step * k3)
            z = z + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        seen.append(z)
    return ((np.stack(seen, 1) - x) ** 2).sum(2).mean()


def ode_torch(F: Any, x: Any, W: Any, b: Any, V: Any, c: Any, K: Any, dt: Any, lr: Any) -> Any:
    import torch

    step = dt / K
    nodes = (0.0, 0.5, 0.5, 1.0)
    weights = (1 / 6, 1 / 3, 1 / 3, 1 / 6)
    z, seen = x[:, 0], [x[:, 0]]
    for number in range((x.shape[1] - 1) * int(K)):
        slope, total = torch.zeros_like(z), torch.zeros_like(z)
        for node, weight in zip(nodes, weights, strict=True):
            slope = F.linear(F.linear(z + node * step * slope, W, b).tanh(), V, c)
            total = total + weight * slope
        z = z + step * total
        if (number + 1) % int(K) == 0:
            seen.append(z)
    return F.mse_loss(torch.stack(seen, 1), x) * x.shape[2]


def maml_arrays(rng: np.random.Generator) -> Arrays:
    b, n, m, h = 2, 4, 3, 3
    arrays = normal(rng, x=(b, n), y=(b, n), u=(b, m), v=(b, m), W=(h,), b=(h,), V=(h,), c=())
    return arrays | {"alpha": 0.1, "lr": 0.3}


def maml(
    x: Array,
    y: Array,
    u: Array,
    v: Array,
    W: Array,
    b: Array,
    V: Array,
    c: Array,
    alpha: float,
    lr: float,
) -> Any:
    """Take the inner gradient by hand."""
    total = 0
    for task in range(len(x)):
        a = np.tanh(np.outer(x[task], W) + b)
        error = 2 * (a @ V + c - y[task]) / x.shape[1]
        inside = np.outer(error, V) * (1 - a * a)
        W1 = W - alpha * x[task] @ inside
        b1 = b - alpha * inside.sum(0)
        V1 = V - alpha * error @ a
        c1 = c - alpha * error.sum()
        total += ((np.tanh(np.outer(u[task], W1) + b1) @ V1 + c1 - v[task]) ** 2).mean()
    return total / len(x)


def maml_torch(
    F: Any, x: Any, y: Any, u: Any, v: Any, W: Any, b: Any, V: Any, c: Any, alpha: Any, lr: Any
) -> Any:
    import torch

    def network(z: Any, W: Any, b: Any, V: Any, c: Any) -> Any:
        return F.linear(F.linear(z[:, None], W[:, None], b).tanh(), V[None])[:, 0] + c

    losses = []
    for task in range(len(x)):
        weights = (W, b, V, c)
        inner = F.mse_loss(network(x[task], *weights), y[task])
        found = torch.autograd.grad(inner, weights, create_graph=True)
        stepped = (p - alpha * g for p, g in zip(weights, found, strict=True))
        losses.append(F.mse_loss(network(u[task], *stepped), v[task]))
    return torch.stack(losses).mean()


MODELS = (
    Model(
        "newton_logistic",
        newton_arrays,
        newton,
        newton_torch,
        serial=("j", "i"),
        suffix="",
        step=newton_step,
    ),
    Model("bundle_adjustment", bundle_arrays, bundle, bundle_torch),
    Model("infonce", infonce_arrays, infonce, infonce_torch),
    Model("neural_ode", ode_arrays, ode, ode_torch, serial=("t",)),
    Model("maml", maml_arrays, maml, maml_torch),
)
