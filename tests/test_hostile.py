"""Texts that are made to do harm, or come out of an accident: an answer or loopc's own error."""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path

import numpy as np
import pytest

import loopc
from fuzz import mutate
from loopc.lower import context

N = 10_000


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("y = " + "(" * N + "x" + ")" * N, "L0002"),
        ("y = " + "x[" * N + "0" + "]" * N, "L0002"),
        ("y = " + "exp(" * N + "x" + ")" * N, "L0002"),
        ("y = " + "(" * N, "L0002"),
        ("y = " + "not " * N + "x", "L0002"),
        ("y = " + "x**" * N + "x", "L0002"),
        ("for i < 1: " * N + "y = 1", "L0002"),
        ("y = " + ")" * N, "L0008"),
        ("y = " + "-" * N + "x", "L0008"),
        ("y = " + " + ".join(["x"] * N), "L0008"),
        ("y = max(" + ", ".join(["x"] * N) + ")", "L0008"),
        ("y = " + "9" * 5000, "L0004"),
        ("y = 1e" + "9" * 5000, "L0004"),
        ("#" * 10_000_001, "L0001"),
        ("?" * 1_000_000, "L0102"),
        ("y = = 2\n" * 5000, "L0101"),
        ("y = 1\x00", "L0107"),
        ("y = \ud800", "L0102"),
        ("y = x\u202e", "L0107"),
        ("y = foo\x1b[31m(2)", "L0102"),
    ],
    ids=lambda t: t[:12] if len(t) > 12 else t,
)
def test_a_hostile_text_is_refused(text: str, code: str) -> None:
    with pytest.raises(loopc.LoopcError) as caught:
        loopc.compile(text + "\n")
    assert caught.value.code == code
    assert "\x1b" not in str(caught.value)


def test_newlines_of_all_kinds_and_a_byte_order_mark() -> None:
    for text in ("y = 1\rz = 2\r", "y = 1\r\nz = 2\r\n", "\ufeffy = 1\nz = 2"):
        found = loopc.run(text)
        assert (found.y, found.z) == (1, 2)


def test_a_file_that_is_not_utf_8_is_refused_at_its_byte(tmp_path: Path) -> None:
    path = tmp_path / "a.loops"
    path.write_bytes(b"y = \xff x\n")
    with pytest.raises(loopc.ParseError) as caught:
        loopc.compile(path)
    assert caught.value.code == "L0111"
    assert "byte 4" in caught.value.message


def test_loops_round_each_other_are_not_limited_by_python() -> None:
    """A triangle in 30 loops that carry a dependence: Python takes 20 in lines of their own."""
    ranges = ["range(1, 3)", "range(1, i0 + 1)", *(["range(1, 2)"] * 28)]
    loops = "".join(" " * k + f"for i{k} in {each}:\n" for k, each in enumerate(ranges))
    for last in (
        "h[i0] = h[i0-1] x + h[i1-1]\n",
        "for j < 2: h[i0,j] = h[i0-1,j] x + h[i1-1,j]**2\n",
    ):
        text = f"for i < 3: h[i] = i + 1\n{loops}{' ' * 30}{last}"
        text = text.replace("h[i] = i", "h[i,0] = i") if "j" in last else text
        judge = loopc.compile(text, backend="reference")
        for opt in (0, 2):
            program = loopc.compile(text, opt=opt)
            np.testing.assert_allclose(program(x=0.5).h, judge(x=0.5).h, rtol=1e-14)
            assert loopc.gradcheck(program, x=0.5)


def test_what_python_refuses_is_a_limit() -> None:
    loops = "".join(
        f"{' ' * k}for i{k} in range(1, 2):\n{' ' * (k + 1)}h = sin(h x)\n" for k in range(21)
    )
    program = loopc.compile(f"h = x\n{loops}L = h\n")
    with pytest.raises(loopc.LimitError) as caught:
        program(x=1.0)
    assert caught.value.code == "L0007"


def test_conditions_in_conditions_are_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "MOST", 30_000)
    text = """
input n[M]: int, x[N,M,K]
for a < N, c in range(a, K, 2):
    t = max(-9, min[i < N if c > i or x[c % N,M-1,clamp(c-1)] < 1](x[i,a % M,c]))
    if t == n[a % M]: t += 3
L = t
"""
    arrays = {"n": np.arange(4), "x": np.ones((1, 4, 3))}
    with pytest.raises(loopc.LimitError) as caught:
        loopc.compile(text).jvp(arrays, {"x": arrays["x"]})
    assert caught.value.code == "L0007"


COMMENTS = ('"""', "\\", "'''", "\x0c", "\x85", "\u2028", "coding: utf-7", "{x}", "%s", "\\U1")


@pytest.mark.parametrize("comment", COMMENTS)
def test_comments_change_nothing_of_the_generated_module(comment: str, tmp_path: Path) -> None:
    plain = loopc.compile("for i  y[i] = 2 x[i]\n")
    path = tmp_path / "a.loops"
    path.write_text(f"for i  y[i] = 2 x[i]  # {comment}\n", encoding="utf-8")
    assert code_of(loopc.compile(path).source) == code_of(plain.source)


def code_of(source: str) -> list[str]:
    """Return the tokens of a module without comments, strings and layout."""
    layout = {tokenize.COMMENT, tokenize.STRING, tokenize.NL, tokenize.NEWLINE}
    words = tokenize.generate_tokens(io.StringIO(source).readline)
    return [w.string for w in words if w.type not in layout]


NAMES = [
    "lambda",
    "None",
    "True",
    "print",
    "np",
    "self",
    "out",
    "match",
    "case",
    "type",
    "dict",
    "import_",
    "forward",
    "value_and_grad",
    "loopc",
    "array",
    "numpy",
    "async",
    "exec",
    "shape",
    "dims",
    "s~",
    "W_grad",
    "W.grad",
    "class",
    "def_",
    "_x",
][:-1]


@pytest.mark.parametrize("name", NAMES)
def test_names_that_python_uses_are_arrays_like_others(name: str) -> None:
    program = loopc.compile(f"for i  L += {name}[i]**2\n")
    given = {name: np.array([1.0, 2.0])}
    assert program(given).L == 5
    np.testing.assert_array_equal(program.grad(given)[name], [2, 4])
    module: dict = {}
    exec(program.source, module)
    assert module["forward"](**given)["L"] == 5


IMPORTS = {"numpy", "array", "math", "numpy.lib.stride_tricks", "as_strided"}
FOR_THREADS = {"contextvars", "ctypes", "os", "queue", "sys", "threading"}
FROM_SYSTEM = {"environ", "sched_getaffinity", "cpu_count", "register_at_fork", "PyDLL", "modules"}
FROM_SYSTEM |= {"platform", "CDLL", "c_void_p"}  # malloc and free, for `_keep_pages`


def test_generated_modules_import_little_beside_numpy_and_touch_nothing_private() -> None:
    for text in mutate.texts():
        for node in ast.walk(ast.parse(loopc.compile(text).source)):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {a.name for a in node.names} | {getattr(node, "module", None) or "numpy"}
                assert names <= IMPORTS | FOR_THREADS
            if isinstance(node, ast.Attribute):
                of = node.value.id if isinstance(node.value, ast.Name) else ""
                assert of not in ("os", "ctypes", "sys") or node.attr in FROM_SYSTEM
                assert not node.attr.startswith("__") or node.attr == "__name__"


def test_damaged_programs_give_a_result_or_an_error_of_ours() -> None:
    _, faults = mutate.search(120)
    assert not faults, "\n".join(faults)


def test_the_gradient_of_a_long_expression_can_be_read_again() -> None:
    text = (
        "input s, x[N,K], w[N,K]\noutput y\nfor k, i: y[k] += clip(s (s - k) where(w[i,k] > 0, "
        "w[i,k], 0) + x[i,k]**2 (w[i,k] x[k % N,k] - s) - (s - k) where(x[i,k] > 0, x[i,k] + s, "
        "0), -9, 9) + tanh(s (x[i,k] + w[i,k]) - s s)\n"
    )
    long = text.replace("clip(s (s - k)", "clip(s (s - k) + s exp(s w[i,k] - x[i,k]) (x[i,k] - s)")
    rng = np.random.default_rng(0)
    arrays = {"s": np.array(0.3), "x": rng.normal(size=(4, 4)), "w": rng.normal(size=(4, 4))}
    seed = rng.normal(size=4)
    for each in (text, long):
        program = loopc.compile(each)
        again = loopc.compile(str(program.adjoint))
        found = again({**arrays, "y.grad": seed})
        for name, value in program.grad(arrays, seed=seed).items():
            np.testing.assert_allclose(found[f"{name}.grad"], value, rtol=1e-10, atol=1e-12)
