"""The catalogue: every bad program gives its code, every good one is clean; the forms."""

from __future__ import annotations

import json

import numpy as np
import pytest

import loopc
from loopc.api.compile import resolved
from loopc.diagnostics import catalogue, render
from loopc.diagnostics.catalogue.entry import Entry
from loopc.diagnostics.span import Source

WITH_PROGRAM = [e for e in catalogue.ENTRIES.values() if e.bad]


def codes(text: str) -> list[str]:
    try:
        program, found = resolved(Source("test.loops", text))
    except loopc.LoopcError as error:
        return [error.code]
    del program
    return [d.code for d in found]


@pytest.mark.parametrize("entry", WITH_PROGRAM, ids=lambda e: e.code)
def test_bad_programs_give_their_code_and_good_ones_none(entry: Entry) -> None:
    assert entry.code in codes(entry.bad)
    assert codes(entry.good) == []


NEEDS_MORE = {
    "L0006": "the machine's memory is used up",
    "L0007": "what Python refuses: tests/test_hostile.py",
    "L0111": "a file with wrong bytes: tests/test_hostile.py",
}
"""Codes that neither a text nor a call alone gives."""


@pytest.mark.parametrize("entry", catalogue.ENTRIES.values(), ids=lambda e: e.code)
def test_every_code_has_a_bad_and_a_good_case(entry: Entry) -> None:
    if entry.code in NEEDS_MORE:
        assert not entry.bad_call
        return
    assert (entry.bad and entry.good) or (entry.bad_call and entry.good_call)
    if not entry.bad_call:
        return
    namespace = {"loopc": loopc, "np": np}
    with pytest.raises(entry.raises) as caught:
        eval(entry.bad_call, namespace)
    assert caught.value.code == entry.code
    eval(entry.good_call, namespace)


def test_codes_are_in_order_and_their_pages_print() -> None:
    assert list(catalogue.ENTRIES) == [e.code for e in catalogue.ENTRIES.values()]
    for code in catalogue.ENTRIES:
        assert catalogue.page(code)
    assert catalogue.page("L9999") is None


def test_every_syntax_error_of_a_text_is_reported() -> None:
    text = "for i  y[i] = x[i] +\nz = 2\nfor i  w[i = 3\n"
    with pytest.raises(loopc.ParseError) as caught:
        loopc.compile(text)
    assert caught.value.others or caught.value.code


def test_a_clash_names_both_places() -> None:
    text = "input A[3], B[4]\nfor i  s += A[i] B[i]\n"
    with pytest.raises(loopc.ShapeError) as caught:
        loopc.compile(text)
    shown = str(caught.value)
    assert "size 3 here" in shown
    assert "size 4 here" in shown
    assert shown.count("for i  s += A[i] B[i]") == 2


def test_an_error_has_code_message_span_and_hint() -> None:
    with pytest.raises(loopc.ParseError) as caught:
        loopc.compile("input x[N]\nfor j,k  s[j] = x[k]\n")
    error = caught.value
    assert error.code == "L0306"
    assert error.hint
    assert error.span is not None
    assert (error.span.line, error.span.column) == (2, 10)


def test_the_underline_stands_under_the_place_with_wide_and_combining_characters() -> None:
    source = Source("t.loops", "s̃ = 変数 + ?")
    start = source.text.index("?")
    from loopc.diagnostics.span import Span

    made = catalogue.diagnostic("L0102", Span(source, start, start + 1), text="?", repair="…")
    lines = render.render(made).split("\n")
    assert lines[-3].index("?") + 1 == len("1 | s̃ = 変数 + ?")
    assert lines[-2] == "  | " + " " * 11 + "^"


def test_other_forms() -> None:
    with pytest.raises(loopc.ParseError) as caught:
        loopc.compile("y = foo(x)\n")
    found = caught.value.diagnostic
    assert render.concise(found).startswith("program.loops:1:")
    assert json.loads(json.dumps(render.to_dict(found)))["code"] == found.code
    assert render.github(found).startswith("::error file=program.loops,line=1")


def test_control_characters_are_shown_escaped() -> None:
    assert render.escaped("a\x1b[31mb") == "a\\x1b[31mb"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("y = [1, 2]\n", "cell by cell"),
        ("y++\n", "`y += 1`"),
        ("y = sum(x[i] for i in range(N))\n", "`sum[i < N](x[i])`"),
        ("input x: [N]\n", "`x[N]`"),
        ("for i, y[i] = x[i]\n", "no comma"),
        ("for i where x[i] > 0: y[i] = 1\n", "`for i if"),
        ("for i if x[i] = 1: y[i] = 1\n", "`==`"),
        ("y = x << 1\n", "`2**k`"),
        ("y = x <> 1\n", "`!=`"),
        ("y = x[i;j]\n", "separated by `,`"),
        ("for 0 <= i < N: y[i] = x[i]\n", "`for i < N"),
        ("backward L, M wrt x\n", "a `backward` for each"),
        ("output y z\n", "commas"),
        ("for i < 3 and i > 1: y[i] = 1\n", "behind `if`"),
        ("for i < 3 for j < 3: y[i,j] = 1\n", "separated by commas"),
        ("y = linear(x, W, c)\n", "`use nn`"),
        ("use nn\ny = lineer(x, W, c)\n", "`linear`"),
        ("for i: y[i] = x[mirror(i-1)]\n", "reflect"),
        ("% words\n", "`#`"),
    ],
)
def test_a_mistake_of_another_language_has_its_own_hint(text: str, said: str) -> None:
    with pytest.raises(loopc.ParseError) as caught:
        loopc.compile(text)
    assert said in (caught.value.hint or "")


def test_a_def_may_give_an_array_of_many_axes() -> None:
    axes = "a,b,c,d,e,f"
    text = (
        f"def f(x[A,B,C,D,E,F]) -> y[A,B,C,D,E,F]:\n    for {axes}: y[{axes}] = 2 x[{axes}]\n"
        "y[:,:,:,:,:,:] = f(x[:,:,:,:,:,:])\n"
    )
    x = np.arange(24.0).reshape(1, 2, 3, 1, 2, 2)
    assert np.array_equal(loopc.compile(text)(x=x).y, 2 * x)
