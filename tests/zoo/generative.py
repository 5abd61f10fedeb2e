"""Models of data: autoencoders, adversarial nets."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.model import Array, Arrays, Model, normal


def softplus(x: Array) -> Array:
    return np.log1p(np.exp(x))


def vae_arrays(rng: np.random.Generator) -> Arrays:
    n, i, h, z = 3, 4, 3, 2
    return (
        normal(rng, eps=(n, z), W1=(h, i), a1=(h,), Wm=(z, h), am=(z,), Wv=(z, h), av=(z,))
        | normal(rng, V1=(h, z), c1=(h,), V2=(i, h), c2=(i,))
        | {"x": rng.random((n, i)), "lr": 0.3}
    )


def vae(x: Array, eps: Array, lr: float, **p: Array) -> Any:
    u = np.tanh(x @ p["W1"].T + p["a1"])
    mean, deviation = u @ p["Wm"].T + p["am"], np.exp((u @ p["Wv"].T + p["av"]) / 2)
    z = mean + deviation * eps
    pixel = 1 / (1 + np.exp(-(np.tanh(z @ p["V1"].T + p["c1"]) @ p["V2"].T + p["c2"])))
    likelihood = (x * np.log(pixel) + (1 - x) * np.log(1 - pixel)).sum(1)
    divergence = (deviation**2 / 2 + mean**2 / 2 - 0.5 - np.log(deviation)).sum(1)
    return (divergence - likelihood).mean()


def vae_torch(F: Any, x: Any, eps: Any, lr: Any, **p: Any) -> Any:
    from torch import distributions

    u = F.linear(x, p["W1"], p["a1"]).tanh()
    code = distributions.Normal(
        F.linear(u, p["Wm"], p["am"]), (F.linear(u, p["Wv"], p["av"]) / 2).exp()
    )
    z = code.loc + code.scale * eps
    s = F.linear(F.linear(z, p["V1"], p["c1"]).tanh(), p["V2"], p["c2"])
    prior = distributions.Normal(0.0 * code.loc.detach(), 1.0)
    reconstruction = F.binary_cross_entropy_with_logits(s, x, reduction="sum")
    return (reconstruction + distributions.kl_divergence(code, prior).sum()) / len(x)


def vq_vae_arrays(rng: np.random.Generator) -> Arrays:
    n, i, z, k = 5, 4, 2, 3
    return normal(rng, x=(n, i), W=(z, i), b=(z,), C=(k, z), V=(i, z), d=(i,)) | {
        "beta": 0.25,
        "lr": 0.3,
    }


def vq_vae(
    x: Array, W: Array, b: Array, C: Array, V: Array, d: Array, beta: float, lr: float
) -> Any:
    e = x @ W.T + b
    code = ((e[:, None] - C).real ** 2).sum(2).argmin(1)
    q = C[code]
    y = (e + (q - e).real) @ V.T + d
    error = ((x - y) ** 2).sum() + ((e.real - q) ** 2).sum() + beta * ((e - q.real) ** 2).sum()
    return error / len(x)


def vq_vae_torch(F: Any, x: Any, W: Any, b: Any, C: Any, V: Any, d: Any, beta: Any, lr: Any) -> Any:
    import torch

    e = F.linear(x, W, b)
    q = F.embedding(torch.cdist(e, C).argmin(1), C)
    y = F.linear(e + (q - e).detach(), V, d)
    terms = F.mse_loss(y, x, reduction="sum"), F.mse_loss(q, e.detach(), reduction="sum")
    return (sum(terms) + beta * F.mse_loss(e, q.detach(), reduction="sum")) / len(x)


GENERATOR = ("G1", "g1", "G2", "g2")
DISCRIMINATOR = ("D1", "d1", "D2", "d2")


def gan_arrays(rng: np.random.Generator) -> Arrays:
    n, m, i, z, h, j = 4, 3, 3, 2, 3, 4
    return (
        normal(rng, x=(n, i), z=(m, z), G1=(h, z), g1=(h,), G2=(i, h), g2=(i,))
        | normal(rng, D1=(j, i), d1=(j,), D2=(j,), d2=())
        | {"lr": 0.3}
    )


def gan(x: Array, z: Array, lr: float, **p: Array) -> dict[str, Any]:
    def score(v: Array) -> Array:
        return np.tanh(v @ p["D1"].T + p["d1"]) @ p["D2"] + p["d2"]

    real = score(x)
    fake = score(np.tanh(z @ p["G1"].T + p["g1"]) @ p["G2"].T + p["g2"])
    return {
        "LD": softplus(-real).mean() + softplus(fake).mean(),
        "LG": softplus(-fake).mean(),
    }


def gan_torch(F: Any, x: Any, z: Any, lr: Any, **p: Any) -> dict[str, Any]:
    import torch

    def score(v: Any) -> Any:
        return F.linear(F.linear(v, p["D1"], p["d1"]).tanh(), p["D2"][None], p["d2"][None])

    real = score(x)
    fake = score(F.linear(F.linear(z, p["G1"], p["g1"]).tanh(), p["G2"], p["g2"]))
    loss = F.binary_cross_entropy_with_logits
    one, zero = torch.ones_like(fake), torch.zeros_like(fake)
    return {"LD": loss(real, torch.ones_like(real)) + loss(fake, zero), "LG": loss(fake, one)}


MODELS = (
    Model("vae", vae_arrays, vae, vae_torch),
    Model("vq_vae", vq_vae_arrays, vq_vae, vq_vae_torch),
    Model("gan", gan_arrays, gan, gan_torch, losses={"LD": DISCRIMINATOR, "LG": GENERATOR}),
)
