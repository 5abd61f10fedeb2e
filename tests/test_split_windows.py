"""Windows of several axes are gone over one axis after the other."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

import loopc
from loopc import passes

SPLIT = {
    "a sum": "for i < 5, j < 2: y[i,j] = sum[u < 3, v < 4](x[i+u,j+v])\n"
    "for i < 5, j < 2: L += w[i] y[i,j]**2",
    "a mean of squares": "for i < 5, j < 3: y[i,j] = mean[u < 3, v < 3](x[i+u,j+v]**2)\n"
    "for i < 5, j < 3: L += w[i] exp(-y[i,j])",
    "a maximum": "for i < 5, j < 3: y[i,j] = max[u < 3, v < 3](x[i+u,j+v])\n"
    "for i < 5, j < 3: L += w[i] y[i,j]**2",
    "up to the edge": "for i < H, j < W: L += w[i] tanh(mean[u < 3, v < 3](x[pad(i+u-1),"
    "pad(j+v-1)]))",
    "round the edge": "for i < H, j < W: L += w[i] tanh(sum[u < 3, v < 3](x[wrap(i+u-1),"
    "clamp(j+2*v-3)]))",
    "backwards": "for i < H - 4, j < W - 3: L += w[i] sum[u < 5, v < 4](x[i-u+4,W-1-j-v])**3",
    "channels beside it": "for i < 5, j < 4: y[i,j] = sum[k < 2, u < 3, v < 2](z[k,i+u,j+v])\n"
    "for i < 5, j < 4: L += w[i] y[i,j]**2",
    "three axes": "for k < 1, i < 4, j < 3: L += w[i] sum[a < 2, u < 3, v < 3](z[k+a,i+u,j+v])**2",
    "two arrays": "for i < H - 2, j < W - 2: L += w[i] sum[k < 2, u < 3, v < 3](z[k,i+u,j+v] "
    "x[i+u,j+v])**2",
    "a target": "for i < 5, j < 3, u < 3, v < 3: g[i+u,j+v] += x[i,j] w[i]\n"
    "for i < 7, j < 5: L += g[i,j]**2",
    "a target beyond the edge": "dim g[H,W]\n"
    "for i < H, j < W, u < 3, v < 3: g[pad(i+u-1),pad(j+v-1)] += x[i,j] w[i]\n"
    "for i < H, j < W: L += g[i,j]**2",
    "two of them in one value": "for i < 5, j < 3: L += w[i] sum[u < 3, v < 3](x[i+u,j+v]) "
    "max[u < 3, v < 3](x[i+u,j+v])",
    "weights along one axis": "for i < 5, j < 3: L += sum[u < 3, v < 3](x[i+u,j+v] w[u])**2",
    "a long window": "for i < 3: L += w[i] sum[v < 2, u < 25](q[i+u])**2\n"
    "for i < 7: L += tanh(mean[u in range(-3, 10)](q[i+u+3]))",
    "a long extreme": "for i < 3: L += w[i] max[u < 26](q[i+u]) min[u < 13](q[i+2*u])",
    "clamped": "for i < H, j < W: L += w[i] tanh(sum[u < 3, v < 3](x[clamp(i+u-1),"
    "clamp(j+v-1)]**2))",
    "all edges of one array": "for i < H, j < W: L += w[i] tanh(sum[u < 3, v < 3](x[reflect(i+u-1),"
    "wrap(j+v-1)]))",
    "clamped without a window": "for i < H, j < W: L += w[i] exp(x[clamp(i-1),wrap(j+2)] - x[i,j])",
    "clamped, and cells apart": "for k < 2, i < H, j < W: L += w[i] z[k,reflect(i+1),clamp(j-2)]"
    " z[k,i,j]",
    "neighbours with weights": "for i < H, u < 3: e[i,u] = exp(x[clamp(i+u-1),0])\n"
    "for i < H, j < W: L += w[i] tanh(sum[u < 3](e[i,u] x[clamp(i+u-1),j]))",
    "neighbours round the edge, backwards": "for i < H, j < W: L += w[i] tanh(sum[u < 3, v < 2]("
    "x[wrap(i-2*u-1),clamp(v+2-j)] (w[u] + x[u,v])))",
    "clamped from inside": "for i < 3, j < W: L += w[i] sum[u < 3, v < 3](x[clamp(i+u+4),"
    "clamp(j+v-1)])**2",
}
"""Programs of `x[H,W]`, `w[H]` and `z[2,H,W]` whose windows are split."""

OTHERS = {
    "a product": "for i < 5, j < 3: y[i,j] = prod[u < 3, v < 3](1 + 0.1 * x[i+u,j+v])\n"
    "for i < 5, j < 3: L += w[i] y[i,j]",
    "weights of a window": "for i < 5, j < 3: L += sum[u < 3, v < 3](x[i+u,j+v] x[u,v])**2",
    "two cells by two": "for i < 6, j < 4: L += sum[u < 2, v < 2](x[i+u,j+v])**3",
    "steps of two": "for i < 2, j < 2: L += sum[u < 3, v < 3](x[2*i+u,2*j+v])**3",
    "under a guard": "for i < 5, j < 3: L += sum[u < 3, v < 3 if u != v](x[i+u,j+v])**2",
    "not always": "for i < 5, j < 3: L += where(w[i] > 0, sum[u < 3, v < 3](x[i+u,j+v]), 1)**2",
    "its own target": "for i < 5, j < 3, u < 3, v < 3: x[i+u,j+v] += 0.1 * x[i,j]\n"
    "for i < 7, j < 5: L += x[i,j]**2",
    "one index for both": "for i < 3: L += sum[u < 3, v < 3](x[i+u,i+v])**2",
}


@cache
def compiled(text: str, **options: Any) -> Any:
    given = ["x[H,W]", *(f"{a}" for a in ("w[H]", "z[2,H,W]", "q[T]") if f"{a[0]}[" in text)]
    text = f"input {', '.join(given)}\n{text}\noutput L\n"
    return loopc.compile(text, loss="L", **options)


def given(program: Any, dtype: str = "float64") -> dict[str, Any]:
    rng = np.random.default_rng(4)
    shapes = {"x": (7, 5), "w": (7,), "z": (2, 7, 5), "q": (28,)}
    return {n: rng.normal(size=shapes[n]).astype(dtype) for n in program.inputs}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", [*SPLIT, *OTHERS])
def test_values_and_gradients_are_those_of_the_loops(name: str, dtype: str) -> None:
    text = {**SPLIT, **OTHERS}[name]
    program, reference = (compiled(text, backend=b) for b in ("numpy", "reference"))
    arrays = given(program, dtype)
    values, gradients = program.value_and_grad({n: a.copy() for n, a in arrays.items()})
    expected, slopes = reference.value_and_grad({n: a.copy() for n, a in arrays.items()})
    close = 300 * float(np.finfo(dtype).eps)
    np.testing.assert_allclose(values["L"], expected["L"], rtol=close)
    for n, slope in slopes.items():
        assert gradients[n].dtype == dtype
        np.testing.assert_allclose(
            gradients[n], slope, rtol=close, atol=close * np.abs(slope).max(), err_msg=n
        )


@pytest.mark.parametrize("name", ["a sum", "a mean of squares", "a maximum", "a target"])
@pytest.mark.parametrize("special", [np.inf, -np.inf, np.nan])
def test_what_is_not_finite_is_that_of_the_loops(name: str, special: float) -> None:
    program, reference = (compiled(SPLIT[name], backend=b) for b in ("numpy", "reference"))
    for key in program.inputs:
        arrays = given(program)
        arrays[key].flat[9 % arrays[key].size] = special
        found = [
            p.value_and_grad({n: a.copy() for n, a in arrays.items()}) for p in (program, reference)
        ]
        np.testing.assert_allclose(found[0][0]["L"], found[1][0]["L"], rtol=1e-12)
        for n, slope in found[1][1].items():
            np.testing.assert_allclose(found[0][1][n], slope, rtol=1e-9, atol=1e-11, err_msg=n)


def statements(text: str) -> tuple[int, int]:
    """Return how many statements the gradient has before and after the pass."""
    program = compiled(text)
    made = program._adjoint("L", program.wrt, keep=("L",)).program
    made = passes.lift_windows(made)
    return len(made.body), len(passes.split_windows(made).body)


@pytest.mark.parametrize("name", SPLIT)
def test_windows_are_split(name: str) -> None:
    before, after = statements(SPLIT[name])
    assert after > before


@pytest.mark.parametrize("name", OTHERS)
def test_others_stay_as_they_are(name: str) -> None:
    before, after = statements(OTHERS[name])
    assert after == before


def test_a_window_whose_cells_lie_far_apart_has_too_many_rows_between() -> None:
    text = "input q[T]\nfor i < 9: L += sum[u < 3, v < 3](q[i+{}*(u+2*v)])**2\noutput L\n"
    for step, split in ((8, True), (50, False)):
        program = loopc.compile(text.format(step))._program
        assert (passes.split_windows(program) is not program) == split


@pytest.mark.parametrize("extent", [0, 2, 3])
def test_windows_that_have_no_place(extent: int) -> None:
    text = (
        "for i < H - 2, j < W - 2: y[i,j] = sum[u < 3, v < 3](x[i+u,j+v])\n"
        "for i < H - 2, j < W - 2: L += y[i,j]**2"
    )
    for backend in ("numpy", "reference"):
        program = compiled(text, backend=backend)
        values, gradients = program.value_and_grad(x=np.ones((extent, 5)))
        assert values["L"] == (243 if extent == 3 else 0)
        assert gradients["x"].shape == (extent, 5)
