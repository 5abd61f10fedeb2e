"""What is added to few cells goes on to who adds the array up: values, gradients, types, errors."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

import loopc
from loopc import passes
from loopc.ir.magnitude import Magnitudes

ADDED = {
    "a log-likelihood": (
        "for n,c  p[n,c] = logsoftmax[c](z[n,c])\nfor n    L -= p[n,y[n]] / N",
        "p.grad",
    ),
    "two classes of each row": (
        "for n,c  p[n,c] = logsoftmax[c](z[n,c])\n"
        "for n    L -= w[n] p[n,y[n]] + 0.3 p[n,wrap(y[n]+1)]\nfor n  L += p[n,0]",
        "",
    ),
    "one of each row and a column": (
        "for n,c  p[n,c] = logsoftmax[c](z[n,c])\nfor n    L -= w[n] p[n,y[n]]\n"
        "for n if w[n] > 0: L += p[n,0]",
        "p.grad",
    ),
    "the diagonal of two softmaxes": (
        "for i < C, j < C: s[i,j] = z[i,j] / 0.07\nfor i,j  p[i,j] = logsoftmax[j](s[i,j])\n"
        "for i,j  q[i,j] = logsoftmax[i](s[i,j])\nfor i  L -= (p[i,i] + q[i,i]) / (2*C)",
        "p.grad",
    ),
    "a row": (
        "for n,c  t[n,c] = 2 z[n,c] - z[n,c] w[n]\nfor c  L += t[2,c]**2",
        "",
    ),
    "scaled, on and on": (
        "for n,c  t[n,c] = -z[n,c] / 4\nfor n,c  u[n,c] = 3 t[n,c]\nfor n  L += u[n,y[n]]**3",
        "u.grad",
    ),
    "an array of the program's own": (
        "for n < C: t[n,n] += w[n]\nfor n < C, c: s[c] += t[n,c] + z[n,c]\n"
        "for n < C, c: r[n,c] += z[n,c] - t[n,c]\nfor n < C, c: L += r[n,c]**2 s[c]",
        "t",
    ),
    "one-hot targets": (
        "for n,c  p[n,c] = logsoftmax[c](z[n,c])\nfor n,c  L -= (c == y[n]) p[n,c] / N",
        "p.grad",
    ),
    "a choice for each cell": (
        "for n,c  p[n,c] = logsoftmax[c](z[n,c])\n"
        "for n,c  L -= where(c == y[n], p[n,c], 0) w[n] / N",
        "p.grad",
    ),
}
"""Programs, and the array that they do without."""

KEPT = {
    "0 times what may be infinite": "for n < C: t[n,n] += w[n]\nfor n < C, c: L += t[n,c] z[n,c]",
    "what is added changes": "for n < C: t[n,n] += w[n]\nfor n < C: w[n] = 1\n"
    "for n < C, c: s[c] += t[n,c] + z[n,c]\nfor c  L += s[c]**2",
    "not all of it": "for n < C: t[n,n] += w[n]\nfor n < C, c in range(1, C): s[c] += t[n,c]\n"
    "for c  L += s[c]**2 + z[0,c]",
    "more is added behind it": "for n < C: t[n,n] += w[n]\nfor n < C, c: s[c] += t[n,c]\n"
    "for n < C, c: t[n,c] += z[n,c]\nfor n < C, c: s[c] += t[n,c]\nfor c  L += s[c]**2",
    "a place that may be outside": "dim t[N,C]\nfor n: t[n,y[n]] += w[n]\n"
    "for n,c  s[n] += t[n,c]\nfor n,c  L += s[n]**2 z[n,c]",
}
"""Programs that keep the array `t`."""


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    for each in (passes.follow_deltas, passes.pass_on_sums):
        monkeypatch.setattr(sys.modules[each.__module__], "FEW", 2)


def arrays(dtype: Any = np.float64, **changed: Any) -> dict[str, Any]:
    rng = np.random.default_rng(4)
    found = {"z": rng.normal(size=(9, 8)).astype(dtype), "w": rng.normal(size=9).astype(dtype)}
    found["z"][3, 5] = -np.inf
    return {**found, "y": rng.integers(0, 8, 9), **changed}


def compiled(text: str, **options: Any) -> Any:
    used = [p for p in ("z[N,C]", "w[N]", "y[N]: int") if f"{p[0]}[" in text]
    return loopc.compile(f"input {', '.join(used)}\n{text}\noutput L\n", loss="L", **options)


def given(program: Any, **options: Any) -> dict[str, Any]:
    return {n: a for n, a in arrays(**options).items() if n in program.inputs}


def optimised(program: Any) -> Any:
    sizes = Magnitudes({"N": 9, "C": 8}, kinds={"z": "f", "w": "f", "y": "i"})
    return passes.run(program.with_adjoint.ir, 2, sizes)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", [*ADDED, *KEPT])
def test_values_gradients_and_types_are_those_of_the_loops(name: str, dtype: Any) -> None:
    text = ADDED[name][0] if name in ADDED else KEPT[name]
    program, reference = (compiled(text, backend=b) for b in ("numpy", "reference"))
    values, gradients = program.value_and_grad(given(program, dtype=dtype))
    expected, slopes = reference.value_and_grad(given(program, dtype=dtype))
    near = {"rtol": 2e-4, "atol": 2e-5} if dtype is np.float32 else {"rtol": 1e-11, "atol": 1e-12}
    np.testing.assert_allclose(values.L, expected.L, **near)
    for key, value in slopes.items():
        assert gradients[key].dtype == value.dtype == dtype, key
        np.testing.assert_allclose(gradients[key], value, **near, err_msg=key)


@pytest.mark.parametrize("name", [n for n, (_, array) in ADDED.items() if array])
def test_the_array_is_gone(name: str) -> None:
    text, array = ADDED[name]
    program = compiled(text)
    before, after = (
        {a.name for a in each.arrays} for each in (program.with_adjoint.ir, optimised(program))
    )
    assert array in before
    assert array not in after


def test_few_classes_are_all_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    program = compiled(ADDED["a log-likelihood"][0]).with_adjoint.ir
    monkeypatch.undo()
    for classes, stays in ((10, True), (1000, False)):
        found = passes.run(program, 2, Magnitudes({"N": 200, "C": classes}))
        assert ("p.grad" in {a.name for a in found.arrays}) == stays


@pytest.mark.parametrize("name", KEPT)
def test_the_array_stays(name: str) -> None:
    assert "t" in {a.name for a in optimised(compiled(KEPT[name])).arrays}


def test_a_sum_of_numbers_alone_has_the_arrays_type() -> None:
    program = compiled(ADDED["a log-likelihood"][0])
    program.value_and_grad(given(program, dtype=np.float32))
    assert "p_dot" in program.source
    assert "float64, copy" not in program.source


def test_a_class_outside_is_named() -> None:
    program = compiled(ADDED["a log-likelihood"][0])
    outside = arrays()["y"]
    outside[7] = 8
    with pytest.raises(loopc.LoopcError, match="axis 2 of `p`"):
        program.value_and_grad(given(program, y=outside))


def test_a_class_without_a_chance_has_no_gradient() -> None:
    program, reference = (
        compiled(ADDED["a log-likelihood"][0], backend=b) for b in ("numpy", "reference")
    )
    z = arrays()["z"]
    y = arrays()["y"]
    z[np.arange(9), y] = -np.inf
    z[5] = -np.inf
    for each in (z, np.where(np.isfinite(z), z, np.inf)):
        found = program.grad(given(program, z=each))
        expected = reference.grad(given(program, z=each))
        np.testing.assert_allclose(found["z"], expected["z"], rtol=1e-11, atol=1e-14)


def test_a_softmax_that_is_scaled_is_one_product() -> None:
    program = compiled(ADDED["a log-likelihood"][0])
    program.value_and_grad(given(program))
    lines = [s.strip() for s in program.source.splitlines()]
    assert sum(s.startswith("np.exp(") for s in lines) == 2  # of the value, and with the gradient
    assert not any(s.startswith("np.negative(w") for s in lines)
