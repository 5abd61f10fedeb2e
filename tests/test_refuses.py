"""Wrong programs: each is refused with its code at its place, and with nothing else."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest

import loopc
from loopc.api.compile import resolved
from loopc.diagnostics import catalogue, render
from loopc.diagnostics.span import Source
from wrong_calls import GIVEN, WRONG_CALLS
from wrong_programs import WRONG

MARKS = re.compile("[⟦⟧]")


def places(marked: str) -> list[tuple[int, int]]:
    """Return the start and the stop of each marked place, in the text without marks."""
    found, starts = [], []
    for number, mark in enumerate(MARKS.finditer(marked)):
        at = mark.start() - number
        if mark[0] == "⟦":
            starts.append(at)
        else:
            found.append((starts.pop(), at))
    return sorted(found)


@pytest.mark.parametrize(("codes", "marked"), WRONG)
def test_a_wrong_program_is_refused_at_its_place(codes: str, marked: str) -> None:
    text = MARKS.sub("", marked)
    _, found = resolved(Source("program.loops", text))
    assert [d.code for d in found] == codes.split()
    assert [(d.span.start, d.span.stop) for d in found if d.span] == places(marked)
    for diagnostic in found:
        assert diagnostic.hint
        assert render.render(diagnostic)
    errors = [d for d in found if d.severity == "error"]
    if not errors:
        return
    with pytest.raises(catalogue.ENTRIES[errors[0].code].raises) as caught:
        loopc.compile(text)
    error = caught.value
    assert error.code == errors[0].code
    assert error.span == errors[0].span
    assert [o.code for o in error.others] == [d.code for d in errors[1:]]
    assert str(error).count("error[") == len(errors)


def test_lines_and_columns_count_from_one() -> None:
    text = "y = 1\nfor s̃  z[s̃] = x[s̃] + foo(s̃)\n"
    span = resolved(Source("program.loops", text))[1][0].span
    assert span is not None
    assert (span.file, span.line, span.end_line) == ("program.loops", 2, 2)
    assert text.split("\n")[1][span.column - 1 : span.end - 1] == "foo"


def test_the_table_covers_every_code_that_a_program_can_have() -> None:
    counted = Counter(code for codes, _ in WRONG for code in codes.split())
    of_programs = {e.code for e in catalogue.ENTRIES.values() if e.bad}
    assert of_programs <= counted.keys() | {"L0001", "L0002", "L0008"}
    assert len(WRONG) >= 300


def test_a_warning_does_not_stop_a_program() -> None:
    with pytest.warns(loopc.LoopcWarning, match="L0606"):
        program = loopc.compile("input x[N], z[N]\nfor i  L += x[i]\nbackward L wrt z\n")
    assert list(program(x=[1.0, 2.0], z=[3.0, 4.0])["z.grad"]) == [0, 0]


@pytest.mark.parametrize(("code", "named", "text", "call"), WRONG_CALLS)
def test_a_wrong_call_is_refused(code: str, named: str, text: str, call: str) -> None:
    namespace = {"p": loopc.compile(text), "loopc": loopc, "np": np, **GIVEN}
    with pytest.raises(catalogue.ENTRIES[code].raises) as caught:
        eval(call, namespace)
    assert caught.value.code == code
    assert named in f"{caught.value.message} {caught.value.hint}"
    assert caught.value.hint


INDEXED = [row for row in WRONG_CALLS if row[0] in ("L0231", "L0211", "L0232") and "p(" in row[3]]


@pytest.mark.parametrize(("code", "named", "text", "call"), INDEXED)
def test_the_reference_refuses_the_same_indices(
    code: str, named: str, text: str, call: str
) -> None:
    namespace = {"p": loopc.compile(text, backend="reference"), "np": np, **GIVEN}
    with pytest.raises(loopc.BoundsError) as caught:
        eval(call, namespace)
    assert caught.value.span is not None


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("y = max(x)", "max[k](…)"),
        ("y = x.sum()", "sum[k](…)"),
        ("y = sum[n] x[n]", "sum[n](…)"),
        ("for i in range(len(x)): y[i] = x[i]", "input x[N]"),
        ("for i: y[i] = np.log10(x[i])", "ln 10"),
        ("for i: y[i] = real(z[i])", "parts"),
        ("for i: y[i] = isnan(x[i])", "x != x"),
        ("y = dot(x, z)", "sum[k](x[k] y[k])"),
        ("for i, j: y[i,j] = A[i][j]", "A[i,j]"),
        ("for i < N if i > 1, j < M: y[i,j] = 1", "behind all ranges"),
        ("for (i, j): y[i,j] = A[i,j]", "for i, j: …"),
        ("if a > 0: b = 1 else: b = 2", "no `else`"),
        ("// y", "`#`"),
        ("def f(x): y = 2", "->"),
        ("input x(N)", "x[N]"),
        ("input x[N] float", "x[N]: float"),
        ("for i in N: y[i] = 1", "i < N"),
        ("for i ∈ range(3): y[i] = 1", "`in`"),
        ("y = a +\n  b", "in brackets"),
    ],
)
def test_a_habit_of_another_language_is_told_what_to_write(text: str, hint: str) -> None:
    with pytest.raises(loopc.LoopcError) as caught:
        loopc.compile(text + "\n")
    assert hint in caught.value.hint
