"""Two layers of a decoder and the gradients by all of its parameters: one training step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.harness import Arrays, Runner, Workload

LAYERS = 2

HEAD = """
use nn
input w[B,T]: int, y[B,T]: int
param E[V,D], pos[T,D], {params}

for b,t,d  x0[b,t,d] = E[w[b,t],d] + pos[t,d]
"""

LAYER = """
for b,t        n{l}[b,t,:] = layernorm(x{l}[b,t,:], s{l}, c{l})
for b,h,t,e,d  q{l}[b,h,t,e] += Wq{l}[h,e,d] n{l}[b,t,d]
for b,h,t,e,d  k{l}[b,h,t,e] += Wk{l}[h,e,d] n{l}[b,t,d]
for b,h,t,e,d  v{l}[b,h,t,e] += Wv{l}[h,e,d] n{l}[b,t,d]
for b,h        o{l}[b,h,:,:] = causal_attention(q{l}[b,h,:,:], k{l}[b,h,:,:], v{l}[b,h,:,:])
for b,t,d      r{l}[b,t,d] = x{l}[b,t,d]
for b,t,d,h,e  r{l}[b,t,d] += Wo{l}[d,h,e] o{l}[b,h,t,e]
for b,t        u{l}[b,t,:] = layernorm(r{l}[b,t,:], z{l}, g{l})
for b,t,f,d    f{l}[b,t,f] += W{l}[f,d] u{l}[b,t,d]
for b,t,d      x{m}[b,t,d] = r{l}[b,t,d]
for b,t,d,f    x{m}[b,t,d] += M{l}[d,f] relu(f{l}[b,t,f] + a{l}[f])
"""

TAIL = """
for b,t,c,d  l[b,t,c] += x{m}[b,t,d] E[c,d]
for b,t      L += cross_entropy(l[b,t,:], y[b,t]) / (B T)
output L
"""

SHAPES = {
    "s": "D",
    "c": "D",
    "Wq": "H,K,D",
    "Wk": "H,K,D",
    "Wv": "H,K,D",
    "Wo": "D,H,K",
    "z": "D",
    "g": "D",
    "W": "F,D",
    "a": "F",
    "M": "D,F",
}
PARAMS = [f"{n}{layer}[{s}]" for layer in range(LAYERS) for n, s in SHAPES.items()]
TEXT = (
    HEAD.format(params=", ".join(PARAMS))
    + "".join(LAYER.format(l=layer, m=layer + 1) for layer in range(LAYERS))
    + TAIL.format(m=LAYERS)
)
WRT = ("E", "pos", *(p.partition("[")[0] for p in PARAMS))


def data(b: int, t: int, d: int, h: int, f: int, v: int) -> Callable[[], Arrays]:
    """Return a maker of float32 parameters and words, of these extents."""

    def make() -> Arrays:
        rng = np.random.default_rng(0)
        extents = {"D": d, "H": h, "K": d // h, "F": f}
        arrays: dict[str, Any] = {
            "w": rng.integers(0, v, (b, t)),
            "y": rng.integers(0, v, (b, t)),
            "E": rng.standard_normal((v, d), dtype=np.float32) * np.float32(0.1),
            "pos": rng.standard_normal((t, d), dtype=np.float32) * np.float32(0.1),
        }
        for text in PARAMS:
            name, _, shape = text.rstrip("]").partition("[")
            sizes = tuple(extents[s] for s in shape.split(","))
            scale = np.float32(1 if len(sizes) == 1 else 1 / np.sqrt(f if name[0] == "M" else d))
            arrays[name] = rng.standard_normal(sizes, dtype=np.float32) * scale
        return arrays

    return make


def _norm(x: np.ndarray, s: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    z = x - x.mean(axis=1, keepdims=True)
    r = 1 / np.sqrt(np.einsum("nd,nd->n", z, z) / x.shape[1] + np.float32(1e-5))
    z *= r[:, None]
    return z * s + c, z, r


def _norm_back(
    d: np.ndarray, z: np.ndarray, r: np.ndarray, s: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    ds, dc = np.einsum("nd,nd->d", d, z), d.sum(axis=0)
    d = d * s
    first, second = d.mean(axis=1), np.einsum("nd,nd->n", d, z) / d.shape[1]
    d -= first[:, None]
    d -= z * second[:, None]
    d *= r[:, None]
    return d, ds, dc


def numpy_peer(a: Arrays) -> Runner:
    """Expert NumPy: rows of all sentences together, q, k and v by one product."""
    w, y, E = a["w"], a["y"], a["E"]
    b, t = w.shape
    _v, d = E.shape
    h, e = a["Wq0"].shape[:2]
    mask = np.triu(np.full((t, t), -np.inf, np.float32), 1)
    scale = np.float32(1 / np.sqrt(e))
    rows, flat = np.arange(b * t), w.ravel()

    def heads(x: np.ndarray) -> np.ndarray:
        return x.reshape(b, t, h, e).transpose(0, 2, 1, 3)

    def joined(x: np.ndarray) -> np.ndarray:
        return x.transpose(0, 2, 1, 3).reshape(b * t, h * e)

    def run() -> tuple[float, dict[str, np.ndarray]]:
        grads: dict[str, np.ndarray] = {}
        x = (E[w] + a["pos"]).reshape(b * t, d)
        kept: list[Any] = []
        for n in range(LAYERS):
            p = {k: a[f"{k}{n}"] for k in SHAPES}
            wide = np.concatenate([p[k].reshape(d, d) for k in ("Wq", "Wk", "Wv")])
            n1, z1, r1 = _norm(x, p["s"], p["c"])
            qkv = n1 @ wide.T
            q, k, value = (heads(qkv[:, i * d : i * d + d]) for i in range(3))
            s = (q * scale) @ k.transpose(0, 1, 3, 2)
            s += mask
            s -= s.max(axis=3, keepdims=True)
            np.exp(s, out=s)
            s /= s.sum(axis=3, keepdims=True)
            o = joined(s @ value)
            x = x + o @ p["Wo"].reshape(d, d).T
            n2, z2, r2 = _norm(x, p["z"], p["g"])
            f = n2 @ p["W"].T
            f += p["a"]
            np.maximum(f, 0, out=f)
            x = x + f @ p["M"].T
            kept.append((p, wide, n1, z1, r1, q, k, value, s, o, n2, z2, r2, f))
        logits = x @ E.T
        top = logits.max(axis=1, keepdims=True)
        logits -= top
        true = logits[rows, y.ravel()]
        np.exp(logits, out=logits)
        total = logits.sum(axis=1, keepdims=True)
        loss = (np.log(total).sum() - true.sum()) / (b * t)
        logits /= total
        logits[rows, y.ravel()] -= 1
        logits *= np.float32(1 / (b * t))
        grads["E"] = logits.T @ x
        dx = logits @ E
        for n in reversed(range(LAYERS)):
            p, wide, n1, z1, r1, q, k, value, s, o, n2, z2, r2, f = kept[n]
            grads[f"M{n}"] = dx.T @ f
            df = dx @ p["M"]
            df *= f > 0
            grads[f"W{n}"], grads[f"a{n}"] = df.T @ n2, df.sum(axis=0)
            back, grads[f"z{n}"], grads[f"g{n}"] = _norm_back(df @ p["W"], z2, r2, p["z"])
            dx = dx + back
            grads[f"Wo{n}"] = (dx.T @ o).reshape(d, h, e)
            do = heads(dx @ p["Wo"].reshape(d, d))
            dvalue = s.transpose(0, 1, 3, 2) @ do
            ds = do @ value.transpose(0, 1, 3, 2)
            ds -= np.einsum("bhij,bhij->bhi", ds, s)[..., None]
            ds *= s
            ds *= scale
            parts = (ds @ k, ds.transpose(0, 1, 3, 2) @ q, dvalue)
            dqkv = np.concatenate([joined(g) for g in parts], axis=1)
            dwide = (dqkv.T @ n1).reshape(3, h, e, d)
            for i, name in enumerate(("Wq", "Wk", "Wv")):
                grads[f"{name}{n}"] = dwide[i]
            back, grads[f"s{n}"], grads[f"c{n}"] = _norm_back(dqkv @ wide, z1, r1, p["s"])
            dx = dx + back
        grads["pos"] = dx.reshape(b, t, d).sum(axis=0)
        for row, add in zip(flat.tolist(), dx, strict=True):
            grads["E"][row] += add
        return float(loss), grads

    return run


def torch_loss(w: Any, y: Any, E: Any, pos: Any, **p: Any) -> Any:
    """The loss in PyTorch, by its own layers."""
    import torch

    f = torch.nn.functional
    x = f.embedding(w, E) + pos
    b, t, d = x.shape
    for n in range(LAYERS):
        h, e = p[f"Wq{n}"].shape[:2]
        u = f.layer_norm(x, (d,), p[f"s{n}"], p[f"c{n}"])
        wide = torch.cat([p[f"{k}{n}"].reshape(d, d) for k in ("Wq", "Wk", "Wv")])
        q, k, v = (u @ wide.T).view(b, t, 3, h, e).permute(2, 0, 3, 1, 4)
        o = f.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + o.transpose(1, 2).reshape(b, t, d) @ p[f"Wo{n}"].reshape(d, d).T
        u = f.layer_norm(x, (d,), p[f"z{n}"], p[f"g{n}"])
        x = x + torch.relu(u @ p[f"W{n}"].T + p[f"a{n}"]) @ p[f"M{n}"].T
    return f.cross_entropy((x @ E.T).view(b * t, -1), y.view(-1))


def jax_loss(w: Any, y: Any, E: Any, pos: Any, **p: Any) -> Any:
    """The loss in JAX."""
    import jax
    import jax.numpy as jnp

    def norm(x: Any, s: Any, c: Any) -> Any:
        m = x.mean(axis=-1, keepdims=True)
        v = ((x - m) ** 2).mean(axis=-1, keepdims=True)
        return (x - m) * jax.lax.rsqrt(v + 1e-5) * s + c

    x = E[w] + pos
    b, t, d = x.shape
    for n in range(LAYERS):
        h, e = p[f"Wq{n}"].shape[:2]
        u = norm(x, p[f"s{n}"], p[f"c{n}"])
        wide = jnp.concatenate([p[f"{k}{n}"].reshape(d, d) for k in ("Wq", "Wk", "Wv")])
        q, k, v = (u @ wide.T).reshape(b, t, 3, h, e).transpose(2, 0, 3, 1, 4)
        s = q @ k.transpose(0, 1, 3, 2) / np.sqrt(e).astype(np.float32)
        s = jnp.where(jnp.tril(jnp.ones((t, t), bool)), s, -jnp.inf)
        o = (jax.nn.softmax(s) @ v).transpose(0, 2, 1, 3).reshape(b, t, d)
        x = x + o @ p[f"Wo{n}"].reshape(d, d).T
        u = norm(x, p[f"z{n}"], p[f"g{n}"])
        x = x + jax.nn.relu(u @ p[f"W{n}"].T + p[f"a{n}"]) @ p[f"M{n}"].T
    logs = jax.nn.log_softmax((x @ E.T).reshape(b * t, -1))
    return -jnp.take_along_axis(logs, y.reshape(-1, 1), axis=1).mean()


def sizes() -> Iterator[tuple[str, Callable[[], Arrays]]]:
    """Yield the sizes: sentences, words, width, heads, inner width, vocabulary."""
    for extents in (
        (2, 8, 16, 2, 32, 50),
        (4, 64, 128, 4, 512, 1000),
        (8, 128, 256, 4, 1024, 1000),
    ):
        b, t, d, _, _, _ = extents
        yield f"B{b} T{t} D{d}", data(*extents)


WORKLOAD = Workload(
    name="transformer",
    text=TEXT,
    sizes=dict(sizes()),
    wrt=WRT,
    numpy=numpy_peer,
    jax=jax_loss,
    torch=torch_loss,
    rtol=2e-3,
)
