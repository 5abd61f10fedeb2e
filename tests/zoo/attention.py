"""Networks with attention: translation, a decoder-only transformer, a vision transformer."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.model import Array, Arrays, Model, cross_entropy, normal, softmax, whole


def erf(x: Array) -> Array:
    """Return erf of a complex number near the real axis, by its Taylor series."""
    total = term = x
    for k in range(1, 60):
        term = -term * x * x / k
        total = total + term / (2 * k + 1)
    return 2 / np.sqrt(np.pi) * total


def gelu(x: Array) -> Array:
    return 0.5 * x * (1 + erf(x / np.sqrt(2)))


def seq2seq_arrays(rng: np.random.Generator) -> Arrays:
    b, s, t, d, h, a, j, x, v = 2, 3, 3, 2, 3, 2, 2, 4, 3
    return (
        normal(rng, E=(x, d), Wf=(h, d), Uf=(h, h), Wb=(h, d), Ub=(h, h), F=(v, d), Q=(a, j))
        | normal(rng, Kf=(a, h), Kb=(a, h), v=(a,), Wd=(j, d), Cf=(j, h), Cb=(j, h), Ud=(j, j))
        | normal(rng, O=(v, j))
        | whole(rng, x, x=(b, s))
        | whole(rng, v, y=(b, t))
        | {"len": np.array([3, 2]), "lr": 0.3}
    )


def seq2seq(x: Array, y: Array, E: Array, F: Array, Q: Array, v: Array, O: Array, **p: Any) -> Any:
    scores, targets = [], []
    for n, length in enumerate(p["len"]):
        e = E[x[n]]
        f, g = np.zeros(len(p["Uf"])), np.zeros(len(p["Ub"]))
        forwards, backwards = [], []
        for s in range(len(e)):
            f = np.tanh(p["Wf"] @ e[s] + p["Uf"] @ f)
            forwards.append(f)
        for s in reversed(range(length)):
            g = np.tanh(p["Wb"] @ e[s] + p["Ub"] @ g)
            backwards.insert(0, g)
        f, g = np.array(forwards[:length]), np.array(backwards)
        keys = f @ p["Kf"].T + g @ p["Kb"].T
        z = np.zeros(len(Q.T))
        for t in range(y.shape[1] - 1):
            a = softmax(np.tanh(Q @ z + keys) @ v)
            z = np.tanh(p["Wd"] @ F[y[n, t]] + p["Cf"] @ (a @ f) + p["Cb"] @ (a @ g) + p["Ud"] @ z)
            scores.append(O @ z)
            targets.append(y[n, t + 1])
    return cross_entropy(np.array(scores), np.array(targets))


def seq2seq_torch(f: Any, x: Any, y: Any, E: Any, F: Any, Q: Any, v: Any, O: Any, **p: Any) -> Any:
    import torch

    def run(e: Any, W: Any, U: Any) -> Any:
        h0 = torch.zeros(1, len(U), dtype=e.dtype)
        none = torch.zeros(len(U), dtype=e.dtype)
        flat = (W, U, none, none)
        return torch._VF.rnn_tanh(e[None], h0[None], flat, True, 1, 0.0, False, False, True)[0][0]

    losses = []
    for n, length in enumerate(p["len"]):
        e = f.embedding(x[n], E)[:length]
        ahead, back = run(e, p["Wf"], p["Uf"]), run(e.flip(0), p["Wb"], p["Ub"]).flip(0)
        states = torch.cat([ahead, back], 1)
        keys = f.linear(states, torch.cat([p["Kf"], p["Kb"]], 1))
        z = torch.zeros(Q.shape[1], dtype=e.dtype)
        for t in range(y.shape[1] - 1):
            a = f.softmax(torch.tanh(f.linear(z, Q) + keys) @ v, 0)
            c = torch.cat([p["Cf"], p["Cb"]], 1) @ (a @ states)
            z = torch.tanh(f.linear(F[y[n, t]], p["Wd"]) + c + f.linear(z, p["Ud"]))
            losses.append(f.cross_entropy(f.linear(z, O), y[n, t + 1]))
    return torch.stack(losses).mean()


def transformer_arrays(rng: np.random.Generator) -> Arrays:
    l, b, t, d, g, r, e, f, v = 2, 2, 3, 3, 2, 2, 2, 3, 4
    return (
        normal(rng, Emb=(v, d), n1=(l, d), Wq=(l, g, r, e, d), Wk=(l, g, e, d), Wv=(l, g, e, d))
        | normal(
            rng, Wo=(l, d, g, r, e), n2=(l, d), Wg=(l, f, d), Wu=(l, f, d), Wd=(l, d, f), n3=(d,)
        )
        | whole(rng, v, w=(b, t))
        | {"lr": 0.3}
    )


def rmsnorm(x: Array, scale: Array) -> Array:
    return scale * x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-6)


def rotate(x: Array) -> Array:
    """Turn each pair of channels, as complex numbers beside the complex step: by matrices."""
    t, e = x.shape[-2:]
    angle = np.arange(t)[:, None] / 10000 ** (2 * np.arange(e // 2) / e)
    first, second = x[..., : e // 2], x[..., e // 2 :]
    c, s = np.cos(angle), np.sin(angle)
    return np.concatenate([first * c - second * s, second * c + first * s], -1)


def transformer(w: Array, Emb: Array, n3: Array, lr: float, **p: Array) -> Any:
    b, t = w.shape
    x = Emb[w]
    for l in range(len(p["n1"])):
        _, g, r, e, d = p["Wq"].shape
        h = rmsnorm(x, p["n1"][l])
        q = rotate((h @ p["Wq"][l].reshape(-1, d).T).reshape(b, t, g * r, e).swapaxes(1, 2))
        k = rotate((h @ p["Wk"][l].reshape(-1, d).T).reshape(b, t, g, e).swapaxes(1, 2))
        v = (h @ p["Wv"][l].reshape(-1, d).T).reshape(b, t, g, e).swapaxes(1, 2)
        k, v = k.repeat(r, 1), v.repeat(r, 1)
        a = q @ k.swapaxes(2, 3) / np.sqrt(e)
        o = softmax(np.where(np.tri(t, dtype=bool), a, -1e300)) @ v
        x = x + o.swapaxes(1, 2).reshape(b, t, -1) @ p["Wo"][l].reshape(d, -1).T
        z = rmsnorm(x, p["n2"][l])
        a = z @ p["Wg"][l].T
        x = x + (a / (1 + np.exp(-a)) * (z @ p["Wu"][l].T)) @ p["Wd"][l].T
    return cross_entropy((rmsnorm(x, n3) @ Emb.T)[:, :-1], w[:, 1:])


def transformer_torch(F: Any, w: Any, Emb: Any, n3: Any, lr: Any, **p: Any) -> Any:
    import torch

    def turned(x: Any) -> Any:
        t, e = x.shape[-2:]
        pairs = torch.complex(x[..., : e // 2], x[..., e // 2 :])
        angle = torch.arange(t)[:, None] * 10000.0 ** (-torch.arange(0, e, 2, dtype=x.dtype) / e)
        y = pairs * torch.polar(torch.ones_like(angle), angle)
        return torch.cat([y.real, y.imag], -1)

    x = F.embedding(w, Emb)
    e, d = p["Wq"].shape[3:]
    for l in range(len(p["n1"])):
        h = F.rms_norm(x, (d,), p["n1"][l], 1e-6)
        q, k, v = (
            F.linear(h, p[name][l].reshape(-1, d)).unflatten(2, (-1, e)).transpose(1, 2)
            for name in ("Wq", "Wk", "Wv")
        )
        o = F.scaled_dot_product_attention(turned(q), turned(k), v, is_causal=True, enable_gqa=True)
        x = x + F.linear(o.transpose(1, 2).flatten(2), p["Wo"][l].flatten(1))
        z = F.rms_norm(x, (d,), p["n2"][l], 1e-6)
        x = x + F.linear(F.silu(F.linear(z, p["Wg"][l])) * F.linear(z, p["Wu"][l]), p["Wd"][l])
    s = F.linear(F.rms_norm(x, (d,), n3, 1e-6), Emb)
    return F.cross_entropy(s[:, :-1].flatten(0, 1), w[:, 1:].flatten())


def vit_arrays(rng: np.random.Generator) -> Arrays:
    l, b, d, g, e, f, c = 2, 2, 3, 2, 2, 2, 3
    return (
        normal(rng, x=(b, 4, 6), Wp=(d, 2, 2), cls=(d,), pos=(7, d), s1=(l, d), h1=(l, d))
        | normal(rng, Wq=(l, g, e, d), Wk=(l, g, e, d), Wv=(l, g, e, d), Wo=(l, d, g, e), s2=(l, d))
        | normal(rng, h2=(l, d), W1=(l, f, d), b1=(l, f), W2=(l, d, f), b2=(l, d), s3=(d,), h3=(d,))
        | normal(rng, Wc=(c, d))
        | whole(rng, c, y=(b,))
        | {"lr": 0.3}
    )


def layernorm(x: Array, scale: Array, shift: Array) -> Array:
    c = x - x.mean(-1, keepdims=True)
    return scale * c / np.sqrt((c * c).mean(-1, keepdims=True) + 1e-5) + shift


def vit(
    x: Array,
    y: Array,
    Wp: Array,
    cls: Array,
    pos: Array,
    s3: Array,
    h3: Array,
    Wc: Array,
    lr: float,
    **p: Array,
) -> Any:
    b, h, w = x.shape
    d, size, _ = Wp.shape
    patches = (
        x.reshape(b, h // size, size, w // size, size).swapaxes(2, 3).reshape(b, -1, size * size)
    )
    z = np.concatenate([np.broadcast_to(cls, (b, 1, d)), patches @ Wp.reshape(d, -1).T], 1) + pos
    for l in range(len(p["s1"])):
        a = layernorm(z, p["s1"][l], p["h1"][l])
        q, k, v = (np.einsum("bnd,ged->bgne", a, p[m][l]) for m in ("Wq", "Wk", "Wv"))
        o = softmax(q @ k.swapaxes(2, 3) / np.sqrt(q.shape[-1])) @ v
        z = z + np.einsum("bgne,dge->bnd", o, p["Wo"][l])
        c = layernorm(z, p["s2"][l], p["h2"][l])
        z = z + gelu(c @ p["W1"][l].T + p["b1"][l]) @ p["W2"][l].T + p["b2"][l]
    return cross_entropy(layernorm(z[:, 0], s3, h3) @ Wc.T, y)


def vit_torch(
    F: Any,
    x: Any,
    y: Any,
    Wp: Any,
    cls: Any,
    pos: Any,
    s3: Any,
    h3: Any,
    Wc: Any,
    lr: Any,
    **p: Any,
) -> Any:
    import torch

    d = len(cls)
    patches = F.conv2d(x[:, None], Wp[:, None], stride=Wp.shape[1]).flatten(2).transpose(1, 2)
    z = torch.cat([cls.expand(len(x), 1, d), patches], 1) + pos
    for l in range(len(p["s1"])):
        a = F.layer_norm(z, (d,), p["s1"][l], p["h1"][l])
        q, k, v = (
            F.linear(a, p[m][l].flatten(0, 1)).unflatten(2, p[m][l].shape[:2]).transpose(1, 2)
            for m in ("Wq", "Wk", "Wv")
        )
        o = F.scaled_dot_product_attention(q, k, v)
        z = z + F.linear(o.transpose(1, 2).flatten(2), p["Wo"][l].flatten(1))
        c = F.layer_norm(z, (d,), p["s2"][l], p["h2"][l])
        z = z + F.linear(F.gelu(F.linear(c, p["W1"][l], p["b1"][l])), p["W2"][l], p["b2"][l])
    return F.cross_entropy(F.linear(F.layer_norm(z[:, 0], (d,), s3, h3), Wc), y)


MODELS = (
    Model("seq2seq_attention", seq2seq_arrays, seq2seq, seq2seq_torch, serial=("s", "t")),
    Model(
        "transformer",
        transformer_arrays,
        transformer,
        transformer_torch,
        serial=("l",),
        loss="loss",
    ),
    Model("vision_transformer", vit_arrays, vit, vit_torch, serial=("l",), loss="loss"),
)
