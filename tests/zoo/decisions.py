"""Reinforcement learning, diffusion, experts, state spaces."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.model import (
    Array,
    Arrays,
    Model,
    cross_entropy,
    logsumexp,
    normal,
    relu,
    sigmoid,
    softmax,
    whole,
)


def logsoftmax(x: Array) -> Array:
    return x - logsumexp(x)[..., None]


def policy_arrays(rng: np.random.Generator) -> Arrays:
    b, t, i, h, a = 3, 4, 2, 3, 3
    return (
        normal(rng, x=(b, t, i), r=(b, t), W1=(h, i), b1=(h,), W2=(a, h), b2=(a,))
        | whole(rng, a, a=(b, t))
        | {"len": np.array([4, 2, 0]), "gamma": 0.9, "beta": 0.01, "lr": 0.3}
    )


def policy(
    x: Array, a: Array, r: Array, W1: Array, b1: Array, W2: Array, b2: Array, **p: Any
) -> Any:
    returns, chosen, entropy = [], [], 0
    for b, length in enumerate(p["len"]):
        l = logsoftmax(np.tanh(x[b] @ W1.T + b1) @ W2.T + b2)
        for t in range(length):
            returns.append(sum(p["gamma"] ** (s - t) * r[b, s] for s in range(t, length)))
            chosen.append(l[t, a[b, t]])
            entropy -= (np.exp(l[t]) * l[t]).sum()
    returns = np.array(returns)
    gain = ((returns - returns.mean()) * np.array(chosen)).mean()
    return -gain - p["beta"] * entropy / len(returns)


def policy_torch(
    F: Any, x: Any, a: Any, r: Any, W1: Any, b1: Any, W2: Any, b2: Any, **p: Any
) -> Any:
    import torch

    returns, policies, actions = [], [], []
    for b, length in enumerate(p["len"]):
        total = 0.0
        episode = []
        for t in reversed(range(int(length))):
            total = r[b, t] + p["gamma"] * total
            episode.insert(0, total)
        returns += episode
        policies.append(F.linear(F.linear(x[b, :length], W1, b1).tanh(), W2, b2))
        actions.append(a[b, :length])
    policy = torch.distributions.Categorical(logits=torch.cat(policies))
    returns = torch.stack(returns)
    gain = ((returns - returns.mean()) * policy.log_prob(torch.cat(actions))).mean()
    return -gain - p["beta"] * policy.entropy().mean()


def critic_arrays(rng: np.random.Generator) -> Arrays:
    t, b, i, h, a = 4, 2, 3, 4, 3
    return (
        normal(rng, x=(t + 1, b, i), r=(t, b), W=(h, i), b=(h,), P=(a, h), v=(h,), c=())
        | whole(rng, a, a=(t, b))
        | {"done": rng.random((t, b)) < 0.3, "gamma": 0.9, "lam": 0.8, "beta": 0.01, "lr": 0.3}
    )


def critic(
    x: Array,
    a: Array,
    r: Array,
    done: Array,
    W: Array,
    b: Array,
    P: Array,
    v: Array,
    c: Array,
    gamma: float,
    lam: float,
    beta: float,
    lr: float,
) -> Any:
    z = relu(x @ W.T + b)
    value, l = z @ v + c, logsoftmax(z @ P.T)
    fixed = np.real(value)
    steps, envs = r.shape
    loss = 0
    for n in range(envs):
        for t in range(steps):
            advantage, weight = 0.0, 1.0
            for s in range(t, steps):  # the sum that the recurrence stands for
                ahead = 0 if done[s, n] else fixed[s + 1, n]
                advantage += weight * (r[s, n] + gamma * ahead - fixed[s, n])
                if done[s, n]:
                    break
                weight *= gamma * lam
            loss -= l[t, n, a[t, n]] * advantage
            loss += (advantage + fixed[t, n] - value[t, n]) ** 2 / 2
            loss += beta * (np.exp(l[t, n]) * l[t, n]).sum()
    return loss / steps / envs


def critic_torch(
    F: Any,
    x: Any,
    a: Any,
    r: Any,
    done: Any,
    W: Any,
    b: Any,
    P: Any,
    v: Any,
    c: Any,
    gamma: Any,
    lam: Any,
    beta: Any,
    lr: Any,
) -> Any:
    import torch

    z = F.relu(F.linear(x, W, b))
    value = z @ v + c
    policy = torch.distributions.Categorical(logits=F.linear(z[:-1], P))
    with torch.no_grad():
        carry, advantages = torch.zeros_like(r[0]), []
        for t in reversed(range(len(r))):
            ahead = gamma * (~done[t])
            carry = r[t] + ahead * value[t + 1] - value[t] + lam * ahead * carry
            advantages.insert(0, carry)
        advantage = torch.stack(advantages)
        target = advantage + value[:-1]
    gain = (policy.log_prob(a) * advantage).mean() + beta * policy.entropy().mean()
    return F.mse_loss(value[:-1], target) / 2 - gain


def dqn_arrays(rng: np.random.Generator) -> Arrays:
    n, i, h, a = 5, 3, 4, 3
    return (
        normal(rng, x=(n, i), y=(n, i), T1=(h, i), c1=(h,), T2=(a, h), c2=(a,))
        | normal(rng, W1=(h, i), b1=(h,), W2=(a, h), b2=(a,))
        | whole(rng, a, a=(n,))
        | {"r": 2 * rng.standard_normal(n), "done": rng.random(n) < 0.4}
        | {"gamma": 0.9, "lr": 0.3, "tau": 0.05}
    )


def dqn(
    x: Array,
    a: Array,
    r: Array,
    y: Array,
    done: Array,
    W1: Array,
    b1: Array,
    W2: Array,
    b2: Array,
    T1: Array,
    c1: Array,
    T2: Array,
    c2: Array,
    gamma: float,
    **_: float,
) -> Any:
    q = (relu(x @ W1.T + b1) @ W2.T + b2)[np.arange(len(x)), a]
    best = np.real(relu(y @ W1.T + b1) @ W2.T + b2).argmax(1)
    ahead = (relu(y @ T1.T + c1) @ T2.T + c2)[np.arange(len(x)), best]
    e = r + gamma * np.where(done, 0, ahead) - q
    return np.where(np.abs(np.real(e)) < 1, e * e / 2, np.sign(np.real(e)) * e - 0.5).mean()


def dqn_torch(
    F: Any,
    x: Any,
    a: Any,
    r: Any,
    y: Any,
    done: Any,
    W1: Any,
    b1: Any,
    W2: Any,
    b2: Any,
    T1: Any,
    c1: Any,
    T2: Any,
    c2: Any,
    gamma: Any,
    **_: Any,
) -> Any:
    import torch

    def values(z: Any, W: Any, b: Any, V: Any, c: Any) -> Any:
        return F.linear(F.relu(F.linear(z, W, b)), V, c)

    with torch.no_grad():
        best = values(y, W1, b1, W2, b2).argmax(1, keepdim=True)
        ahead = values(y, T1, c1, T2, c2).gather(1, best)[:, 0]
        target = r + gamma * ahead * ~done
    return F.smooth_l1_loss(values(x, W1, b1, W2, b2).gather(1, a[:, None])[:, 0], target)


def diffusion_arrays(rng: np.random.Generator) -> Arrays:
    n, i, h, f, steps = 4, 3, 4, 2, 10
    shapes = {"W1": (h, i), "U": (h, 2 * f), "b1": (h,), "W2": (i, h), "b2": (i,)}
    moments = {f"{m}{name}": np.zeros(shape) for name, shape in shapes.items() for m in "mv"}
    return (
        normal(rng, x=(n, i), eps=(n, i), **shapes)
        | whole(rng, steps, t=(n,))
        | moments
        | {"T": steps, "F": f, "step": 1, "lr": 0.1}
    )


def diffusion(
    x: Array,
    t: Array,
    eps: Array,
    W1: Array,
    U: Array,
    b1: Array,
    W2: Array,
    b2: Array,
    T: int,
    F: int,
    **_: Any,
) -> Any:
    kept = np.cumprod(1 - np.linspace(1e-4, 0.02, T))[t][:, None]
    y = np.sqrt(kept) * x + np.sqrt(1 - kept) * eps
    angle = t[:, None] / 10000 ** (np.arange(F) / F)
    a = y @ W1.T + np.concatenate([np.sin(angle), np.cos(angle)], 1) @ U.T + b1
    return ((a * sigmoid(a) @ W2.T + b2 - eps) ** 2).mean()


def diffusion_torch(
    f: Any,
    x: Any,
    t: Any,
    eps: Any,
    W1: Any,
    U: Any,
    b1: Any,
    W2: Any,
    b2: Any,
    T: Any,
    F: Any,
    **_: Any,
) -> Any:
    import torch

    kept = torch.linspace(1e-4, 0.02, int(T), dtype=x.dtype).neg().add(1).cumprod(0)[t][:, None]
    y = kept.sqrt() * x + (1 - kept).sqrt() * eps
    angle = t[:, None] * torch.exp(-np.log(10000) * torch.arange(int(F), dtype=x.dtype) / F)
    z = f.silu(f.linear(y, W1) + f.linear(torch.cat([angle.sin(), angle.cos()], 1), U, b1))
    return f.mse_loss(f.linear(z, W2, b2), eps)


def adamw(w: Array, g: Array, arrays: Arrays) -> Array:
    """Return a parameter after the first step: the moments, corrected, are g and g**2."""
    return w - arrays["lr"] * (g / (np.abs(g) + 1e-8) + 0.01 * w)


def experts_arrays(rng: np.random.Generator) -> Arrays:
    n, d, c, e, h = 6, 3, 3, 3, 4
    return (
        normal(rng, x=(n, d), R=(e, d), W1=(e, h, d), b1=(e, h), W2=(e, d, h), V=(c, d))
        | whole(rng, c, y=(n,))
        | {"alpha": 0.1, "lr": 0.3}
    )


def experts(
    x: Array, y: Array, R: Array, W1: Array, b1: Array, W2: Array, V: Array, alpha: float, lr: float
) -> Any:
    g = softmax(x @ R.T)
    e = np.real(g).argmax(1)
    outputs = [x[n] + g[n, k] * (W2[k] @ relu(W1[k] @ x[n] + b1[k])) for n, k in enumerate(e)]
    share = np.bincount(e, minlength=len(R)) / len(x)
    return cross_entropy(np.array(outputs) @ V.T, y) + alpha * len(R) * share @ g.mean(0)


def experts_torch(
    F: Any, x: Any, y: Any, R: Any, W1: Any, b1: Any, W2: Any, V: Any, alpha: Any, lr: Any
) -> Any:

    g = F.softmax(F.linear(x, R), 1)
    weight, e = g.max(1)
    o = x.clone()
    for k in range(len(R)):
        mine = (e == k).nonzero()[:, 0]
        made = F.linear(F.relu(F.linear(x[mine], W1[k], b1[k])), W2[k])
        o = o.index_add(0, mine, weight[mine, None] * made)
    share = F.one_hot(e, len(R)).to(x.dtype).mean(0)
    return F.cross_entropy(F.linear(o, V), y) + alpha * len(R) * share @ g.mean(0)


def mamba_arrays(rng: np.random.Generator) -> Arrays:
    b, t, v, d, i, n, r = 2, 5, 4, 2, 3, 2, 2
    return (
        normal(rng, Emb=(v, d), Win=(i, d), Wz=(i, d), K=(i, 4), kb=(i,), A=(i, n), Wb=(n, i))
        | normal(rng, Wc=(n, i), Wr=(r, i), Wd=(i, r), bd=(i,), S=(i,), Wo=(d, i))
        | whole(rng, v, w=(b, t))
        | {"lr": 0.3}
    )


def mamba(w: Array, Emb: Array, lr: float, **p: Array) -> Any:
    u = Emb[w]
    steps = w.shape[1]
    signal = np.pad(u @ p["Win"].T, [(0, 0), (3, 0), (0, 0)])
    x = sum(signal[:, k : k + steps] * p["K"][:, k] for k in range(4)) + p["kb"]
    x = x * sigmoid(x)
    delta = np.log1p(np.exp(x @ p["Wr"].T @ p["Wd"].T + p["bd"]))
    h, outputs = 0, []
    for t in range(steps):
        decay = np.exp(-delta[:, t, :, None] * np.exp(p["A"]))
        fed = (delta[:, t] * x[:, t])[:, :, None] * (x[:, t] @ p["Wb"].T)[:, None]
        h = decay * h + fed
        outputs.append((h * (x[:, t] @ p["Wc"].T)[:, None]).sum(2))
    gate = u @ p["Wz"].T
    z = (np.stack(outputs, 1) + p["S"] * x) * gate * sigmoid(gate)
    return cross_entropy(((u + z @ p["Wo"].T) @ Emb.T)[:, :-1], w[:, 1:])


def mamba_torch(F: Any, w: Any, Emb: Any, lr: Any, **p: Any) -> Any:
    import torch

    u = F.embedding(w, Emb)
    signal = F.pad(F.linear(u, p["Win"]).transpose(1, 2), (3, 0))
    x = F.silu(F.conv1d(signal, p["K"][:, None], p["kb"], groups=len(p["K"]))).transpose(1, 2)
    delta = F.softplus(F.linear(F.linear(x, p["Wr"]), p["Wd"], p["bd"]))
    # the recurrence in closed form: the decay from s to t is the exponent of a difference
    rate = delta.cumsum(1)
    log = -torch.einsum("btsi,in->btsin", rate[:, :, None] - rate[:, None], p["A"].exp())
    causal = torch.ones(w.shape[1], w.shape[1]).tril().bool()[None, :, :, None, None]
    decay = torch.where(causal, log, -torch.inf).exp()
    b, c = F.linear(x, p["Wb"]), F.linear(x, p["Wc"])
    y = torch.einsum("btsin,bsi,bsn,btn->bti", decay, delta * x, b, c)
    z = (y + p["S"] * x) * F.silu(F.linear(u, p["Wz"]))
    s = F.linear(u + F.linear(z, p["Wo"]), Emb)
    return F.cross_entropy(s[:, :-1].flatten(0, 1), w[:, 1:].flatten())


MODELS = (
    Model("policy_gradient", policy_arrays, policy, policy_torch, serial=("t",)),
    Model("actor_critic", critic_arrays, critic, critic_torch, serial=("t",)),
    Model("dqn", dqn_arrays, dqn, dqn_torch),
    Model("diffusion", diffusion_arrays, diffusion, diffusion_torch, step=adamw),
    Model("mixture_of_experts", experts_arrays, experts, experts_torch),
    Model("mamba", mamba_arrays, mamba, mamba_torch, serial=("t",)),
)
