"""Quotients and remainders of an index as loops of their own, and targets that few slices fill."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import loopc

TEXTS = [
    "for i < 2*N, j < M: y[i,j] = x[i//2,j]",
    "for i < 2*N, j < 3*M: y[i,j] = x[i//2,j//3] (i % 2)",
    "for i < 2*N, j < M: y[i,j] = x[i//2,j] w[j] + 3 x[clamp(i//2 + 2*(i % 2) - 1),j]",
    "for i < 2*N, j < 4*(M//4): y[j//4,i] += x[i//2,j]",
    "for i < 4, j < M: y[i,j] = x[0,j] w[(i//2) % M]",
    "for i < 2*N, j < M: y[i,j] = sum[k < M](x[i//2,k] w[clamp(i % 2)])",
    "for i < 2*N, j < M if j < i//2: y[i,j] = x[i//2,j]",
    "for i < 2*N, j < i//2: y[i,clamp(j)] += x[i//2,clamp(j)]",
    "for i < 2*N, j < M: y[i,j] = x[i//2,j] + sum[i < 2*N](x[i//2,j])",
    "for i < 2*N:\n  for j < M: y[i,j] = x[i//2,j]\n  for j < M: z[i//2,j] += x[i//2,j] w[j]",
    "for i < 2*N:\n  for j < M: y[i,j] = x[i//2,j] + y[pad(i-1),j]",
    "for i < N, j < M, u < 2: y[2*i+u,j] = x[i,j] + u",
    "for i < N, j < M, u < 2: y[2*i+1-u,j] = x[i,clamp(j+u)]",
    "for i < N, j < M, u < 3: y[i+u,j] += x[i,j] w[clamp(u)]",
    "for i < N:\n  for u < 2:\n    for j < M: y[i+u,j] = x[i,j] + u",
    "for i < N, j < M, u < 2, v < 2 if u <= v: y[2*i+u,2*j+v] = x[i,j]",
    "for i < N, u < 2, j < M: y[2*i+u,j] *= x[i,j]",
    "for u < 2, i in reversed(range(N)), j < M: y[2*i+u,j] = x[i,j]",
    "for i < 2*N, j < 3*M: y[i,j] = w[j//3] sum[k < M](x[i//2,k] w[k])",
]

DIMS = "dim y[2*N + 4, 4*M + 4]\ndim z[N, M]\n"


@pytest.mark.parametrize("shape", [(5, 4), (1, 1), (2, 8), (0, 3), (3, 0)])
@pytest.mark.parametrize("text", TEXTS)
def test_values_and_gradients_are_the_references(text: str, shape: tuple[int, int]) -> None:
    if 0 in shape and ("clamp" in text or "[0," in text or "wrap" in text):
        return
    text = f"input x[N,M], w[M]\n{DIMS}y[0,0] = 1\nz[0,0] = 0\n{text}\noutput y, z\n"
    text = text if all(shape) else text.replace("z[0,0] = 0\n", "for i, j z[i,j] = 0\n")
    rng = np.random.default_rng(0)
    given = {n: rng.integers(-3, 4, s).astype(float) for n, s in (("x", shape), ("w", shape[1:]))}
    plain = loopc.compile(text, backend="reference")
    expected = plain(given)
    seeds = {n: rng.integers(-3, 4, expected[n].shape).astype(float) for n in ("y", "z")}
    slopes = plain.vjp(given, seeds)
    for opt in range(3):
        program = loopc.compile(text, opt=opt)
        found = program(given)
        for name in expected:
            np.testing.assert_array_equal(found[name], expected[name])
        for name, slope in program.vjp(given, seeds).items():
            np.testing.assert_array_equal(slope, slopes[name])


@pytest.mark.parametrize("number", [0, 1, 11, 12, 17])
def test_they_are_slices(number: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOOPC_CACHE", str(tmp_path))
    text = f"input x[N,M], w[M]\n{DIMS}{TEXTS[number]}\noutput y\n"
    loopc.compile(text.replace("clamp(j+u)", "j"))(x=np.ones((5, 4)), w=np.ones(4))
    (source,) = (path.read_text() for path in tmp_path.rglob("*.py"))
    body = source.split("def _forward")[1]
    assert "_gather" not in body
    assert "arange(N)" not in body


RESHAPES = [
    "for i < N, j < M: y[M*i+j] = x[i,j]\nfor i < N, j < M: z[i,j] = v[M*i+j] w[j]",
    "for k < N*M: y[k] = x[k//M,k%M]\nfor k < N*M: z[k//M,k%M] += v[k] w[k%M]",
    "for i < N, j < M: y[N*M - 1 - M*i - j] = x[i,j]\nfor i < N, j < M: z[i,j] = v[N*j+i]",
    "for j < M, i < N: y[N*j+i] += x[i,j] w[j]\nfor i < N, j < M: z[i,j] = sum[k < M](v[M*i+k])",
    "for i < N, j < M if j <= i: y[M*i+j] = x[i,j]\nfor i < N, j < M if j <= i: z[i,j] = v[M*i+j]",
    "for i < N, j < M: y[M*i+j] max= x[i,j]\nfor i < N, j < M: z[i,j] = max[k < M](v[M*i+k] w[j])",
    "for i < N:\n  for j < M: y[M*i+j] = x[i,j] + v[M*i+j]\n  for j < M: z[i,j] = y[M*i+j]",
    "for i < N, j < M: y[7*i+j] = 1\nfor i < N, j < 7: y[7*i+j] = i - j\nz[0,0] = v[0]",
    "for i < N, j < M: y[i*(M-1)+j] += x[i,j]\nfor i < N, j < M: z[i,j] = v[i*(M-1)+j]",
    "for i < N, j < M: y[M*i+j] *= v[M*i+j]\nfor i < N, j < M: z[i,j] = exp(0 v[M*i+j])",
    "for i < N, k < M, j < M: y[M*i+j] += x[i,k] v[M*k+j]\nz[0,0] = 0",
    "for i < N, j < M: y[M*i+j] = x[i,j]\ns = N - 1\nfor i < N, j < M: z[i,j] = v[M*s+j]",
    "for i in range(1, N), j < M: y[M*i+j] = x[i,j]\n"
    "for i in range(0, N, 2), j < M: z[i,j] = v[M*i+j]",
]


@pytest.mark.parametrize("shape", [(5, 5), (4, 3), (1, 1), (3, 8)])
@pytest.mark.parametrize("text", RESHAPES)
def test_reshapes_by_dims_are_the_references(text: str, shape: tuple[int, int]) -> None:
    text = f"input x[N,M], w[M], v[K]\ndim y[2*K + 7*N + M]\ndim z[N,M]\n{text}\noutput y, z\n"
    n, m = shape
    sizes = {"x": shape, "w": (m,), "v": max(n, m) ** 2}
    rng = np.random.default_rng(0)
    given = {name: rng.integers(-3, 4, size).astype(float) for name, size in sizes.items()}
    given["x"] = np.asfortranarray(given["x"])
    given["v"] = np.repeat(given["v"], 2)[::2]
    plain = loopc.compile(text, backend="reference")
    expected = plain(given)
    seeds = {n: rng.integers(-3, 4, expected[n].shape).astype(float) for n in ("y", "z")}
    slopes = plain.vjp(given, seeds)
    for opt in range(3):
        program = loopc.compile(text, opt=opt)
        found = program(given)
        for name in expected:
            np.testing.assert_array_equal(found[name], expected[name])
        for name, slope in program.vjp(given, seeds).items():
            np.testing.assert_allclose(slope, slopes[name], rtol=1e-14)


@pytest.mark.parametrize("number", [0, 1, 3])
def test_reshapes_are_views(number: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOOPC_CACHE", str(tmp_path))
    text = f"input x[N,M], w[M], v[K]\ndim y[K]\ndim z[N,M]\n{RESHAPES[number]}\noutput y, z\n"
    loopc.compile(text)(x=np.ones((5, 4)), w=np.ones(4), v=np.ones(20))
    (source,) = (path.read_text() for path in tmp_path.rglob("*.py"))
    assert "arange(" not in source.split("def _forward")[1]
