"""Checkpoints: the same gradients with less memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import loopc
from kernels_npbench import KERNELS as NPBENCH
from kernels_polybench import KERNELS as POLYBENCH
from loopc.api.samples import samples
from test_objectives import CASES

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.loops"))
NETWORK = """
param W[J,J], h[J], b[J]
input x[T,J]
for t:
    for j: s[j] = tanh(sum[k](W[j,k] h[k]) + x[t,j] + b[j])
    for j: h[j] = s[j]
    for j: y[t,j] = 2 * h[j]
    for j: L += y[t,j]**2
"""
SCALAR = "param a, h\ninput x[T]\nfor t in range(1, T): h = a sin(h) + x[t]\nL = h**2\noutput L\n"
LONG = {
    "state of a network": (
        "param W[J,J], h[J]\nfor t < 10000:\n"
        "    for j: s[j] = tanh(sum[k](W[j,k] h[k]))\n    for j: h[j] = s[j]\n"
        "for j  L += h[j]**2\noutput L\n",
        {"W": np.eye(20) * 0.9, "h": np.ones(20)},
    ),
    "array overwritten in place": (
        "param a[J], h[J]\nfor t < 10000, j: h[j] = a[j] sin(h[j]) + 0.5\n"
        "for j  L += h[j]**2\noutput L\n",
        {"a": np.linspace(0.1, 0.9, 20), "h": np.ones(20)},
    ),
    "scalar": (
        "param a, h\nfor t < 10000: h = a sin(h) + 0.5\nL = h**2\noutput L\n",
        {"a": 0.9, "h": 0.3},
    ),
}


def same(text: str, arrays: dict[str, np.ndarray], every: int, *, loss: str | None = None) -> bool:
    """Check gradients with checkpoints against those without; return whether there are any."""
    plain = loopc.compile(text, loss=loss)
    saving = loopc.compile(text, loss=loss, checkpoint=every)
    if "for part" not in str(saving.adjoint):
        return False  # no serial loop
    of = loss or plain.loss
    seed = np.random.default_rng(0).standard_normal(np.shape(plain(arrays)[of]))
    wanted, expected = plain.value_and_grad(arrays, seed=seed)
    outputs, found = saving.value_and_grad(arrays, seed=seed)
    for name, value in wanted.items():
        np.testing.assert_allclose(outputs[name], value, rtol=1e-12, atol=1e-13, err_msg=name)
    for name, value in expected.items():
        size = 1e-13 * (1 + np.max(np.abs(value), initial=0))
        np.testing.assert_allclose(found[name], value, rtol=1e-10, atol=size, err_msg=name)
    return True


@pytest.mark.parametrize("every", [1, 2, 5, 23, 40])
@pytest.mark.parametrize("text", [NETWORK, SCALAR], ids=["network", "scalar"])
def test_gradients_are_equal_bit_for_bit(text: str, every: int) -> None:
    rng = np.random.default_rng(0)
    plain = loopc.compile(text, loss="L", backend="reference")
    arrays = samples(plain, {"J": 4, "T": 23}, {})
    assert same(text, arrays, every, loss="L")
    saving = loopc.compile(text, loss="L", backend="reference", checkpoint=every)
    expected = plain.grad(arrays)
    for name, value in saving.grad(arrays).items():
        np.testing.assert_array_equal(value, expected[name])
    again = loopc.compile(str(saving.adjoint))
    given = {n: v for n, v in arrays.items() if n in {*again.inputs, *again.params}}
    for name, value in again(given).items():
        np.testing.assert_allclose(value, expected[name.removesuffix(".grad")], rtol=1e-10)
    direction = {n: rng.standard_normal(np.shape(arrays[n])) for n in plain.wrt}
    one = loopc.compile(text, loss="L", checkpoint=every).hvp(arrays, direction)
    for name, value in loopc.compile(text, loss="L").hvp(arrays, direction).items():
        np.testing.assert_allclose(one[name], value, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("path", CORPUS, ids=lambda p: p.stem)
def test_programs_keep_their_gradients(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    program = loopc.compile(text)
    arrays = samples(program, {}, {}, seed=3)
    for name, kind in program.outputs.items():
        if kind.dtype == "float" and program.wrt:
            same(text, arrays, 2, loss=name)


@pytest.mark.parametrize("kernel", POLYBENCH + NPBENCH, ids=lambda k: k.name)
def test_kernels_keep_their_gradients(kernel: object) -> None:
    program = loopc.compile(kernel.text)
    arrays = kernel.arrays(np.random.default_rng(1))
    name = next((n for n, k in program.outputs.items() if k.dtype == "float"), None)
    if name is not None and program.wrt:
        same(kernel.text, arrays, 3, loss=name)


@pytest.mark.parametrize("name", ["lstm", "hand", "ba"])
def test_objectives_keep_their_gradients(name: str) -> None:
    text, arrays = CASES[name]
    same(text, arrays, 2)


@pytest.mark.parametrize("name", list(LONG))
def test_ten_thousand_steps_take_a_tenth_of_the_memory(name: str) -> None:
    text, arrays = LONG[name]
    peaks = []
    for every in (None, 100):
        program = loopc.compile(text, loss="L", checkpoint=every)
        program.grad(arrays)
        tracemalloc.start()
        program.grad(arrays)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] / 10


@pytest.mark.parametrize("every", [0, -3, 2.5])
def test_steps_that_cannot_be_are_refused(every: object) -> None:
    with pytest.raises(loopc.LoopcError) as caught:
        loopc.compile(SCALAR, checkpoint=every)
    assert caught.value.code == "L0709"


@pytest.mark.parametrize("value", ["c[k] x[i,k]", "tanh(x[i,k])", "9 * 0 * x[i,k]"])
def test_a_part_that_runs_again_is_rewritten_alone(value: str) -> None:
    text = f"""
    input x[N,K], c[K]
    output y
    dim t[N,2], s[2], y[N,2]
    for i < N:
        for k < K:
            s[1] += i / 9
            if i % 2 == 0:
                t[i,0] = {value}
        s[pad(2*i-1)] min= 9
    for i < N, j < 2: y[i,j] += 3 tanh(0.3 s[j] t[i,j])
    """
    rng = np.random.default_rng(0)
    arrays = {"x": rng.normal(size=(5, 3)), "c": rng.normal(size=3)}
    arrays = {n: arrays[n] for n in loopc.compile(text).inputs}
    seeds = {"y": rng.normal(size=(5, 2))}
    expected = loopc.compile(text).vjp(arrays, seeds)
    found = loopc.compile(text, checkpoint=2).vjp(arrays, seeds)
    for name, gradient in expected.items():
        np.testing.assert_allclose(found[name], gradient, rtol=1e-13, atol=1e-13)
