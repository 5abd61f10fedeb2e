"""Running reductions that are written as recurrences: one accumulation, the same values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import loopc

RUNNING = {
    "sum": "y[0] = x[0]\nfor t in range(1, T): y[t] = y[t-1] + x[t]",
    "term first": "y[0] = x[0]\nfor t in range(1, T): y[t] = 2 x[t]**2 + y[t-1]",
    "product": "y[0] = x[0]\nfor t in range(1, T): y[t] = y[t-1] x[t]",
    "largest": "y[0] = x[0]\nfor t in range(1, T): y[t] = max(y[t-1], x[t])",
    "least": "y[0] = x[0]\nfor t in range(1, T): y[t] = min(x[t], y[t-1])",
    "in place": "for t in range(1, T): x[t] += x[t-1]",
    "in place, largest": "for t in range(1, T): x[t] max= x[t-1]",
    "backwards": "for t in reversed(range(0, T-1)): x[t] += x[t+1]",
    "backwards, terms": "y[T-1] = 1\nfor t in reversed(range(0, T-1)): y[t] = y[t+1] + x[t]",
    "from one on": "y[0] = 0\nfor t < T: y[t+1] = y[t] + x[t]",
    "index values": "y[0] = 3\nfor t in range(1, T): y[t] = y[t-1] + t",
    "many columns": "for b  s[0,b] = z[0,b]\nfor t in range(1, T), b: s[t,b] = s[t-1,b] + z[t,b] x[t]",  # noqa: E501
    "many rows": "for t in range(1, T), b: z[b,t] max= z[b,t-1]",
    "transposed": "for b  s[b,0] = z[0,b]\nfor t in range(1, T), b: s[b,t] = s[b,t-1] + z[t,b]",
    "both ways": "for t in range(1, T), b: z[t,b] += z[t-1,b]\nfor b in range(1, T), t: z[t,b] += z[t,b-1]",  # noqa: E501
    "twice in a loop": "for k < 3:\n    for t in range(1, T): x[t] += x[t-1]\n    for t: x[t] = 1 - x[t]",  # noqa: E501
}
OTHERS = {
    "two before": "for t in range(2, T): x[t] += x[t-2]",
    "itself": "for t in range(1, T): x[t] = x[t-1] + x[t]",
    "a factor": "for t in range(1, T): x[t] += 3 x[t-1]",
    "guarded": "for t in range(1, T) if x[t] > 0: x[t] += x[t-1]",
}


def given(program: loopc.Program, size: int, kind: str) -> dict[str, Any]:
    rng = np.random.default_rng(4)
    made: dict[str, Any] = {"x": rng.standard_normal(size), "z": rng.standard_normal((size, size))}
    if kind == "integers":
        made = {k: (3 * v).astype(np.int64) for k, v in made.items()}
    elif kind != "float64":
        made = {k: v.astype(np.float32) for k, v in made.items()}
    return {k: v for k, v in made.items() if k in {*program.inputs, *program.params}}


def declared(text: str, kind: str) -> str:
    dtype = "int" if kind == "integers" else "float"
    return (
        f"param x[T]: {dtype}\n" + ("param z[T,T]: " + dtype if "z[" in text else "") + f"\n{text}"
    )


@pytest.mark.parametrize("kind", ["float64", "float32", "integers"])
@pytest.mark.parametrize("name", [*RUNNING, *OTHERS])
def test_it_computes_what_the_loop_does(name: str, kind: str) -> None:
    text = declared({**RUNNING, **OTHERS}[name], kind)
    reference = loopc.compile(text, backend="reference")
    for size in (1, 2, 7):
        for opt in (1, 2):
            program = loopc.compile(text, opt=opt)
            arrays = given(program, size, kind)
            expected, found = reference(arrays), program(arrays)
            for key, value in expected.items():
                assert found[key].dtype == value.dtype
                tight = 1e-5 if kind == "float32" else 1e-12
                np.testing.assert_allclose(found[key], value, tight, tight, err_msg=key)


@pytest.mark.parametrize("name", RUNNING)
def test_its_gradient_is_right(name: str) -> None:
    text = declared(RUNNING[name], "float64")
    last = "x" if "x[t] " in text.split("\n", 2)[2].split("=")[0] else "z" if "z[" in text else "y"
    last = "s" if "s[" in text else "y" if "y[" in text else last
    over = "t, b" if last in "zs" else "t"
    loss = f"{text}\nfor {over}  L += sin({last}[{over}])\noutput L"
    program = loopc.compile(loss)
    if program.params or program.inputs:
        assert loopc.gradcheck(program, given(program, 6, "float64"), tolerance=1e-6)


@pytest.mark.parametrize("name", RUNNING)
def test_it_is_accumulated(name: str) -> None:
    assert "_running(" in loopc.compile(declared(RUNNING[name], "float64")).source


@pytest.mark.parametrize("name", OTHERS)
def test_others_are_not(name: str) -> None:
    assert "_running(" not in loopc.compile(declared(OTHERS[name], "float64")).source


def test_wide_rows_are_added_one_by_one() -> None:
    program = loopc.compile("param z[T,B]\nfor t in range(1, T), b: z[t,b] += z[t-1,b]")
    z = np.random.default_rng(0).standard_normal((5, 300))
    np.testing.assert_array_equal(program(z=z)["z"], np.cumsum(z, axis=0))
