"""Forward mode: tangents agree with adjoints, at every level, and are programs of their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import loopc
from kernels_npbench import KERNELS as NPBENCH
from kernels_polybench import KERNELS as POLYBENCH
from loopc.api.samples import samples
from loopc.ir.verify import verify

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.loops"))
KERNELS = POLYBENCH + NPBENCH


def meet(program: loopc.Program, arrays: dict[str, np.ndarray]) -> None:
    """Check ⟨u, J v⟩ = ⟨Jᵀ u, v⟩, and the printed tangent against the same."""
    rng = np.random.default_rng(1)
    outputs = program(arrays)
    of = [n for n, t in program.outputs.items() if t.dtype == "float"]
    v = {n: rng.standard_normal(np.shape(arrays[n])) for n in program.wrt}
    u = {n: rng.standard_normal(np.shape(outputs[n])) for n in of}
    back = program.vjp(arrays, u)
    tangents = program.jvp(arrays, v)
    there = [u[n] * tangents[n] for n in of]
    here = [back[n] * v[n] for n in program.wrt]
    size = 1 + sum(np.sum(np.abs(x)) for x in (*there, *here))
    total = sum(np.sum(x) for x in there) - sum(np.sum(x) for x in here)
    assert abs(total) <= 1e-12 * size
    text = str(program.tangent)
    again = loopc.compile(text)
    assert str(again) == text
    given = {**arrays, **{f"{n}.dot": x for n, x in v.items()}}
    names = {*again.inputs, *again.params, *again.dims}
    found = again({n: x for n, x in given.items() if n in names})
    for name in of:
        np.testing.assert_allclose(found[f"{name}.dot"], tangents[name], rtol=1e-9, atol=1e-9)


@pytest.mark.filterwarnings("ignore:warning.L0334")  # of what the program itself does
@pytest.mark.parametrize("how", ["reference", "opt=0", "opt=2"])
@pytest.mark.parametrize("path", CORPUS, ids=lambda p: p.stem)
def test_a_tangent_and_a_cotangent_meet(path: Path, how: str) -> None:
    text = path.read_text(encoding="utf-8")
    if how == "reference":
        program = loopc.compile(text, backend="reference")
    else:
        program = loopc.compile(text, opt=int(how[-1]))
    if not program.wrt or not any(t.dtype == "float" for t in program.outputs.values()):
        return
    verify(program.tangent.ir)
    meet(program, samples(program, {}, {}, seed=3))


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
def test_of_kernels_too(kernel: object) -> None:
    program = loopc.compile(kernel.text)
    arrays = kernel.arrays(np.random.default_rng(1))
    if program.wrt and any(t.dtype == "float" for t in program.outputs.values()):
        meet(program, arrays)


SQUARES = "input x[N], n: int\nfor i: y[i] = x[i]**2 n\nfor i: L += y[i]\noutput y, L"


def test_a_call_like_an_earlier_one_is_checked_for_what_differs() -> None:
    program = loopc.compile(SQUARES)
    x = np.arange(4.0)
    given = {"x": x, "n": 2}
    for _ in range(2):
        assert np.array_equal(program.vjp(given, {"y": x}).x, 4 * x * x)
        assert np.array_equal(program.jvp(given, {"x": x}).y, 4 * x * x)
        assert np.array_equal(program.jacobian("L", "x", given), 4 * x)
        with pytest.raises(loopc.ShapeError, match="L0212"):
            program.vjp(given, {"y": x[:3]})
        with pytest.raises(loopc.ShapeError, match="L0212"):
            program.jvp(given, {"x": x[:3]})
        with pytest.raises(loopc.LoopcError):
            program.vjp({**given, "n": np.zeros(2, int)}, {"y": x})
    assert np.array_equal(program.vjp({"x": x[:3], "n": 3}, {"y": x[:3]}).x, 6 * x[:3] ** 2)
    single = {"x": x.astype(np.float32), "n": 2}
    assert program.jvp(single, {"x": single["x"]}).y.dtype == np.float32
