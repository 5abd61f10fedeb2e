"""Linear recurrences of many small steps run in blocks of steps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import loopc
from loopc.lower import running

FORWARD = "y[0] = x[0]\nfor t in range(1, T): "
ROWS = "for c  z[0,c] = v[0,c]\nfor t in range(1, T),c: "

LINEAR = {
    "a factor": f"{FORWARD}y[t] = a y[t-1] + (1-a) x[t]",
    "a step towards": f"{FORWARD}y[t] = y[t-1] + a (x[t] - y[t-1])",
    "a factor alone": f"{FORWARD}y[t] = y[t-1] x[t] / 2",
    "a literal": f"{FORWARD}y[t] = 2 y[t-1] / 3 - x[t]",
    "taken away": f"{FORWARD}y[t] = x[t] - (y[t-1] + 1) / 2",
    "backwards": "y[T-1] = 1\nfor t in reversed(range(0, T-1)): y[t] = a y[t+1] + x[t]",
    "from one on": "y[0] = 0\nfor t < T: y[t+1] = y[t] / 2 + x[t]",
    "in place": "for t in range(1, T): x[t] += a x[t-1]",
    "in place, with a term": "for t  y[t] = x[t]\nfor t in range(1, T): y[t] += a y[t-1] + x[t]",
    "index values": f"{FORWARD}y[t] = y[t-1] / (t + 1) + t",
    "rows": f"{ROWS}z[t,c] = v[t,c] z[t-1,c] + v[t-1,c]",
    "factors of columns": f"{ROWS}z[t,c] = w[c] z[t-1,c] + v[t,c]",
    "factors of steps": f"{ROWS}z[t,c] = sigmoid(x[t]) z[t-1,c] + v[t,c]",
    "columns": "for c  z[c,0] = w[c]\nfor t in range(1, T),c: z[c,t] = w[c] z[c,t-1] / 3 + v[t,c]",
    "two of them": f"{FORWARD}y[t] = a y[t-1] + x[t]\n{ROWS}z[t,c] = y[t] z[t-1,c] / 9 + v[t,c]",
    "in every iteration": "for k < 2:\n    for t in range(1, T): x[t] += a x[t-1]\n"
    "    for t: x[t] = x[t] / 9",
}

OTHERS = {
    "two before": "for t in range(2, T): x[t] += a x[t-2]",
    "not linear": f"{FORWARD}y[t] = a y[t-1]**2 / 9 + x[t]",
    "a function": f"{FORWARD}y[t] = tanh(y[t-1] + x[t])",
    "guarded": "for t in range(1, T) if x[t] > 0: x[t] += a x[t-1]",
    "two that hang together": "y[0] = x[0]\nu[0] = x[0]\nfor t in range(1, T):\n"
    "    y[t] = a u[t-1] + x[t]\n    u[t] = a y[t-1] - x[t]",
}


def given(program: loopc.Program, steps: int, columns: int, kind: str) -> dict[str, object]:
    rng = np.random.default_rng(0)
    made = {
        "x": rng.standard_normal(steps).astype(kind),
        "v": rng.standard_normal((steps, columns)).astype(kind),
        "w": rng.uniform(0, 1, columns).astype(kind),
        "a": np.dtype(kind).type(0.7),
    }
    return {n: made[n] for n in (*program.params, *program.inputs)}


def text_of(name: str) -> str:
    body = {**LINEAR, **OTHERS}[name]
    target = "z" if "z[" in body else "x" if "x[t] +=" in body else "y"
    over = "t < T" if target != "z" else "t < T,c"
    cell = {"x": "x[t]", "y": "y[t]", "z": "z[c,t]" if "z[c,0]" in body else "z[t,c]"}[target]
    names = [n for n in ("x[T]", "v[T,C]", "w[C]", "a") if f"{n[0]}[" in body or n == "a"]
    used = [n for n in names if n != "a" or " a " in body or "(a" in body or "-a" in body]
    return f"param {', '.join(used)}\n{body}\nfor {over}: L += sin({cell})\noutput L, {target}\n"


@pytest.mark.parametrize("kind", ["float64", "float32"])
@pytest.mark.parametrize("name", [*LINEAR, *OTHERS])
def test_values_and_gradients_are_the_references(name: str, kind: str) -> None:
    text = text_of(name)
    plain = loopc.compile(text, loss="L", backend="reference")
    program = loopc.compile(text, loss="L")
    tight = 1e-4 if kind == "float32" else 1e-11
    for steps, columns in ((1, 1), (60, 3), (131, 2), (64, 1)):
        arrays = given(program, steps, columns, kind)
        value, gradients = plain.value_and_grad(arrays)
        out, found = program.value_and_grad(arrays)
        for key, each in value.items():
            assert out[key].dtype == each.dtype
            np.testing.assert_allclose(out[key], each, tight, tight * np.abs(each).max(), key)
        for key, each in gradients.items():
            np.testing.assert_allclose(found[key], each, tight, tight * np.abs(each).max(), key)


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("factor", [0.5, 1e-300, 1.5, 0.0])
def test_what_is_not_finite_is_as_in_the_loop(value: float, factor: float) -> None:
    text = text_of("a factor")
    x = np.random.default_rng(0).standard_normal(100)
    x[50] = value
    expected = loopc.compile(text, loss="L", backend="reference")(x=x, a=factor).y
    np.testing.assert_allclose(loopc.compile(text, loss="L")(x=x, a=factor).y, expected)


def test_factors_whose_products_overflow_run_in_order() -> None:
    text = text_of("a factor")
    x = np.zeros(100)
    x[-1] = 1.0
    expected = loopc.compile(text, loss="L", backend="reference")(x=x, a=1e60).y
    np.testing.assert_allclose(loopc.compile(text, loss="L")(x=x, a=1e60).y, expected)


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int, int], str]:
    """Return what gives the module of a call."""
    monkeypatch.setenv("LOOPC_CACHE", str(tmp_path))

    def text(name: str, steps: int, columns: int) -> str:
        program = loopc.compile(text_of(name), loss="L")
        program(given(program, steps, columns, "float64"))
        return "".join(f.read_text() for f in tmp_path.rglob("*.py"))

    return text


@pytest.mark.parametrize("name", LINEAR)
def test_many_steps_run_in_blocks(code: Callable[[str, int, int], str], name: str) -> None:
    assert "_scan(" in code(name, running.STEPS + 2, 2)


@pytest.mark.parametrize("name", OTHERS)
def test_others_do_not(code: Callable[[str, int, int], str], name: str) -> None:
    assert "_scan(" not in code(name, running.STEPS + 2, 2)


def test_few_steps_or_large_ones_run_in_order(code: Callable[[str, int, int], str]) -> None:
    assert "_scan(" not in code("rows", running.STEPS // 2, 2)
    assert "_scan(" not in code("rows", running.STEPS + 2, running.CELLS + 1)
