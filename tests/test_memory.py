"""The memory of a call: predicted, kept below a limit, given back."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import tracemalloc
from functools import partial
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
import pytest

import loopc
from benchmarks.memory import compared
from benchmarks.report import load, workloads
from loopc.api.runnables import built
from loopc.api.samples import samples
from loopc.backends.numpy.abstract import fresh
from loopc.backends.numpy.abstract_ledger import HEADER, Ledger
from loopc.backends.numpy.footprint import Few, _on_threads

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.loops"))
PYTHON = 40_000
"""Bytes of Python's own small objects, which a prediction leaves out."""
CHAIN = """
input x[N]
for i  a[i] = exp(x[i])
for i  s += a[i]
for i  b[i] = a[i] / s
for i  u += b[i]
for i  c[i] = b[i] / u
for i  v += c[i]
for i  d[i] = c[i] / v
for i  L += d[i]**2
output L
"""
RAGGED = """
input ptr[M]: int, col[E]: int, val[E], x[N]
for i < M-1, e in range(ptr[i], ptr[i+1]): y[i] += val[e] x[col[e]]
"""


def peak(program: loopc.Program, arrays: dict[str, object]) -> int:
    """Return the bytes that the second call takes at its peak."""
    program(arrays)
    tracemalloc.start()
    program(arrays)
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found


def runs(program: loopc.Program, arrays: dict[str, object]) -> list[tuple[object, object]]:
    """Return what runs a program, each with the arrays and dims of a call."""
    call = program._take(program._program, arrays, frozenset())
    return [(built(program, "", program._program, call), (call.arrays, call.dims))]


@pytest.mark.parametrize("name", workloads())
def test_the_peak_of_every_workload_is_predicted(name: str) -> None:
    workload = load(name)
    predicted, measured = compared(workload, workload.main_size, threads=1)
    assert abs(measured - predicted) <= 0.15 * predicted + PYTHON


SCATTERED = {
    "a boundary mode": "input x[N,N], g[N,N]\n"
    "for i,j  L += x[wrap(i+1),j] x[i,clamp(j-1)] g[i,j]\n",
    "columns by number": "input x[N,N], w[N]: int, g[N,N]\nfor n,d  L += x[d,w[n]]**2 g[d,n]\n",
    "axes as one": "input x[N,N], g[K]\nfor i < N, j < N: y[N*i+j] = x[i,j]\n"
    "for k  L += y[k]**2 g[k]\n",
    "behind an axis": "input r[4,N], d[N,N]: int, g[4,N,N]\n"
    "for h,i,j  L += r[h,d[i,j]]**2 g[h,i,j]\n",
    "between axes": "input r[4,N,3], d[N,N]: int, g[N,N,4,3]\n"
    "for h,i,j,c  L += r[h,d[i,j],c]**2 g[i,j,h,c]\n",
    "an axis twice": "input x[N,N], g[2*N,N]\nfor i < 2*N, j < N: L += x[i//2,j]**2 g[i,j]\n",
}


@pytest.mark.parametrize("name", SCATTERED)
def test_the_peak_of_what_writes_through_indices_is_predicted(name: str) -> None:
    program = loopc.compile(f"{SCATTERED[name]}output L\n", threads=1)
    arrays = samples(program, {"N": 200, "K": 200 * 200}, {})
    program.value_and_grad(arrays)
    tracemalloc.start()
    program.value_and_grad(arrays)
    measured = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    report = program.explain(arrays)
    assert not report.estimated
    assert abs(measured - report.gradient_peak_bytes) <= 0.05 * measured + PYTHON


def test_arrays_are_given_back_behind_their_last_use() -> None:
    arrays = {"x": np.linspace(0, 1, 500_000)}
    program = loopc.compile(CHAIN)
    cells = 8 * 500_000
    assert peak(program, arrays) < 3.2 * cells
    report = program.explain(arrays)
    assert report.peak_bytes == pytest.approx(peak(program, arrays), rel=0.05)
    assert program.explain(N=500_000).peak_bytes == report.peak_bytes


@pytest.mark.parametrize("opt", [0, 1, 2])
def test_tables_of_ragged_rows_are_counted(opt: int) -> None:
    rng = np.random.default_rng(0)
    ptr = np.concatenate([[0], np.cumsum(rng.integers(0, 20, 5000))])
    count = int(ptr[-1])
    arrays = {"ptr": ptr, "col": rng.integers(0, 9, count), "val": np.ones(count), "x": np.ones(9)}
    program = loopc.compile(RAGGED, opt=opt)
    assert program.explain(arrays).peak_bytes == pytest.approx(peak(program, arrays), rel=0.15)


@pytest.mark.parametrize("path", CORPUS, ids=lambda p: p.stem)
def test_every_program_has_a_peak(path: Path) -> None:
    program = loopc.compile(path.read_text(encoding="utf-8"))
    arrays = samples(program, {}, {}, seed=3)
    report = program.explain(arrays)
    assert all(r.peak_bytes(*call) is not None for r, call in runs(program, arrays))
    found = peak(program, arrays)
    assert report.peak_bytes <= 1.5 * found + PYTHON
    assert found <= 1.15 * report.peak_bytes + PYTHON


def test_a_limit_is_obeyed_before_anything_is_allocated() -> None:
    text = "input x[N]\nfor i  y[i] = 2 x[i]\n"
    x = np.ones(1_000_000)
    needed = loopc.compile(text).explain(x=x).peak_bytes
    assert loopc.compile(text, memory_limit=needed)(x=x).y[0] == 2
    program = loopc.compile(text, memory_limit=needed - 1)
    tracemalloc.start()
    with pytest.raises(loopc.LimitError, match=str(needed)):
        program(x=x)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()
    assert program(x=x[:1000]).y.shape == (1000,)


def _tile(run: Any, blocks: Any, work: int = 1, least: int = 16, most: int = 16) -> None:
    """Has the defaults that count."""


def _late(run: Any, blocks: Any, work: int = 1, least: int = 2000, most: int = 16) -> None:
    """Takes a second thread for more work."""


@pytest.mark.parametrize(("tile", "threads"), [(_tile, 2), (_late, 1)])
@pytest.mark.parametrize("count", [3, 16, 17, 40])
def test_temporaries_of_a_tile_count_as_its_chunks_run(
    count: int, tile: FunctionType, threads: int
) -> None:
    blocks = f"[(a, b) for a in range(0, {count}, 1) for b in range(0, 1, 1)]"
    made = {}
    for starts in (f"range(0, {count}, 1)", blocks):
        ledger = Ledger()
        names = {"range": partial(Few, [0]), "ledger": ledger, "fresh": fresh}
        run = "def run(blocks):\n    for _ in blocks:\n        t = fresh(ledger, (1000,), float)\n"
        exec(run, names)
        _on_threads(ledger, 2, tile)(names["run"], eval(starts, names), work=32)
        made[starts] = ledger.peak
    at_once = 2 if count > 16 else 1  # the last block's lasts until the next one's is there
    assert set(made.values()) == {threads * at_once * (8000 + HEADER)}


def test_a_run_that_cannot_be_followed_is_said_to_be_estimated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program = loopc.compile("param a[N]\nfor i  L += a[i]**2\n")
    assert program.explain(N=10).estimated == ()
    assert "estimated" not in str(program.explain(N=10))
    monkeypatch.setattr("loopc.backends.numpy.footprint.peak_bytes", lambda *_: None)
    report = loopc.compile("param a[N]\nfor i  L += a[i]**2\n").explain(N=10)
    assert report.estimated == ("peak_bytes", "gradient_peak_bytes")
    assert report.peak_bytes == 8 * (10 + 1)
    assert "estimated: all arrays together" in str(report)
    assert "estimated: all arrays together" in report.to_html()
    assert json.loads(report.to_json())["estimated"] == list(report.estimated)


# Checkpoints

STEPS = """
input T: int
param a[J], h[J]
for t < T, j: h[j] = a[j] sin(h[j]) + 0.5
for j  L += h[j]**2
"""
TRAINED = STEPS + "backward L wrt a\nfor j  a[j] -= 0.1 a.grad[j]\noutput L, a\n"
STATE = {"a": np.linspace(0.1, 0.9, 20), "h": np.ones(20)}


@pytest.mark.parametrize("share", [2, 10, 30, 80])
def test_a_limit_chooses_checkpoints(share: int) -> None:
    arrays = {**STATE, "T": 10_000}
    plain = loopc.compile(STEPS + "output L\n")
    whole = plain.explain(arrays).gradient_peak_bytes
    assert whole is not None
    program = loopc.compile(STEPS + "output L\n", memory_limit=whole // share)
    for name, slope in plain.grad(arrays).items():
        np.testing.assert_array_equal(program.grad(arrays)[name], slope)
    tracemalloc.start()
    program.grad(arrays)
    assert tracemalloc.get_traced_memory()[1] < 1.02 * whole // share + PYTHON // 10
    tracemalloc.stop()


def test_a_limit_holds_for_a_backward_statement() -> None:
    arrays = {**STATE, "T": 2000}
    plain = loopc.compile(TRAINED)
    limit = plain.explain(arrays).peak_bytes // 10
    expected = plain(arrays)
    for saving in (
        loopc.compile(TRAINED, memory_limit=limit),
        loopc.compile(TRAINED, checkpoint=40),
        loopc.compile(TRAINED, memory_limit=limit).specialize(arrays),
    ):
        is_program = isinstance(saving, loopc.Program)
        given = [arrays] if is_program else [arrays[n] for n in saving.inputs]
        for name, value in saving(*given).items():
            np.testing.assert_array_equal(value, expected[name])
    assert peak(loopc.compile(TRAINED, memory_limit=limit), arrays) < limit + PYTHON // 10


@pytest.mark.parametrize("backend", ["numpy", "reference"])
def test_the_least_peak_is_named_where_no_checkpoints_suffice(backend: str) -> None:
    program = loopc.compile(STEPS + "output L\n", memory_limit=500, backend=backend)
    with pytest.raises(loopc.LimitError, match="`memory_limit` is 500"):
        program.grad({**STATE, "T": 300})


def test_what_the_adjoint_reads_is_listed() -> None:
    text = STEPS + "for j  y[j] = exp(h[j])\nfor j  K += y[j]**2\noutput K\n"
    report = loopc.compile(text).explain({**STATE, "T": 100})
    held, recorded = report.kept
    assert (recorded.name, recorded.shape, recorded.how) == ("h_kept", ("T", "J"), "recorded")
    assert (recorded.bytes, recorded.line) == (100 * 20 * 8, 4)
    assert recorded.by == "h_kept[t,j] = h[j]"
    assert any("sin(h_kept[t,j])" in each for each in recorded.read_by)
    assert (held.name, held.how, held.line) == ("y", "still there", 6)
    assert "h_kept[T, J]: recorded, 16,000 bytes" in str(report)
    assert json.loads(report.to_json())["kept"][1]["name"] == "h_kept"
    saving = loopc.compile(text, checkpoint=10).explain({**STATE, "T": 100})
    assert {k.name: k.how for k in saving.kept}["h_saved"] == "checkpoint"
    assert saving.gradient_peak_bytes < report.gradient_peak_bytes / 2


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the memory of glibc's malloc")
def test_calls_take_the_pages_of_the_last_call() -> None:
    code = (
        "import numpy as np, resource, loopc\n"
        f"text = {CHAIN!r}\n"
        "program = loopc.compile(text, wrt=('x',), loss='L')\n"
        "arrays = {'x': np.ones(1 << 18)}\n"
        "for _ in range(5): program.value_and_grad(arrays)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "for _ in range(5): program.value_and_grad(arrays)\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) // 5)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(run.stdout) < 100
