"""Threads over the blocks of tiles: the same bits for any number, and nothing left behind."""

from __future__ import annotations

import os
import sys
import threading
import warnings
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import loopc
from loopc.api.samples import samples
from loopc.backends.numpy import helpers
from support import TESTS

CORPUS = sorted((TESTS / "corpus").glob("*.loops"))

NET = """
input x[N,I]
param W[J,I], b[J]
for n,j,i  h[n,j] += W[j,i] x[n,i]
for n,j    s[n,j] = tanh(h[n,j] + b[j])
for n,j    L += s[n,j]**2
output L, s
"""
RNG = np.random.default_rng(0)
ARRAYS = {
    "x": RNG.standard_normal((50, 4)),
    "W": RNG.standard_normal((3, 4)),
    "b": RNG.standard_normal(3),
}


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    small = (("_blocks", "limit", 40), ("_blocks", "run", 1), ("_tile", "least", 1))
    for name, parameter, value in small:
        changed = helpers.with_default(name, parameter, value)
        assert changed != helpers.HELPERS[name]
        monkeypatch.setitem(helpers.HELPERS, name, changed)


def same(found: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    assert list(found) == list(expected)
    for name, value in expected.items():
        assert found[name].dtype == value.dtype
        assert found[name].tobytes() == value.tobytes(), name


@pytest.mark.parametrize("path", CORPUS, ids=lambda p: p.stem)
def test_results_have_the_same_bits_for_any_number(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = loopc.compile(path.read_text())
    arrays = samples(program, {}, {}, seed=3)
    try:
        has_gradient = bool(program.wrt) and not program.ir.array(program.loss).shape
    except loopc.LoopcError:  # not every program has a loss
        has_gradient = False

    def run(threads: int) -> tuple[Mapping[str, Any], ...]:
        monkeypatch.setenv("LOOPC_THREADS", str(threads))
        return program.value_and_grad(arrays) if has_gradient else (program(arrays),)

    expected = run(1)
    for threads in (2, 3):
        for found, value in zip(run(threads), expected, strict=True):
            same(found, value)


def test_the_option_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOPC_THREADS", "2")
    assert "THREADS = None" in loopc.compile(NET).source
    program = loopc.compile(NET, threads=3)
    assert "THREADS = 3" in program.source
    assert "THREADS = 3" in program.adjoint.source
    same(program(ARRAYS), loopc.compile(NET, threads=1)(ARRAYS))


@pytest.mark.parametrize("given", ["no", "-1", "0", "1.5"])
def test_an_environment_that_makes_no_sense_is_refused(
    given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOPC_THREADS", given)
    with pytest.raises(loopc.LoopcError, match="LOOPC_THREADS") as raised:
        loopc.compile(NET)
    assert raised.value.code == "L0709"


def test_a_saved_module_gives_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    program = loopc.compile(NET)
    space: dict[str, Any] = {"__name__": "alone"}
    exec(compile(program.source, "alone.py", "exec"), space)
    expected = program.value_and_grad(ARRAYS)
    for threads in ("1", "2", "3"):
        monkeypatch.setenv("LOOPC_THREADS", threads)
        for found, value in zip(space["value_and_grad"](**ARRAYS), expected, strict=True):
            same(found, value)


def test_the_first_error_of_the_blocks_reaches_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "input x[N], p[N]: int, E[K]\n"
        "for i: y[i] = exp(E[p[i]]) + x[i]\nfor i: z[i] = y[i]**2\noutput z\n"
    )
    program = loopc.compile(text)
    assert "tile" in program.source
    arrays = {"x": np.ones(100), "p": np.zeros(100, int), "E": np.ones(3)}
    arrays["p"][[40, 90]] = 5, 7
    messages = []
    for threads in ("1", "2", "3"):
        monkeypatch.setenv("LOOPC_THREADS", threads)
        for _ in range(5):
            with pytest.raises(loopc.BoundsError) as raised:
                program(arrays)
            messages.append(str(raised.value))
        arrays["p"][40], kept = 0, arrays["p"][40]
        with pytest.raises(loopc.BoundsError):
            program(arrays)
        arrays["p"][40] = kept
    assert len(set(messages)) == 1, messages
    arrays["p"][:] = 1
    assert program(arrays).z.shape == (100,)


def test_floating_point_errors_are_as_silent_as_in_one_thread() -> None:
    program = loopc.compile("input x[N]\nfor i: y[i] = exp(x[i]) / x[i]\nfor i  L += y[i]\n")
    x = np.zeros(200)
    x[::7] = 1e4
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        for threads in (1, 2, 3):
            again = loopc.compile(str(program), threads=threads)
            assert np.isnan(again(x=x).L) or np.isinf(again(x=x).L)
            assert np.geterr()["over"] == "raise"


def test_users_threads_may_call_at_once() -> None:
    program = loopc.compile(NET, threads=3)
    cases = []
    for n in range(8):
        rng = np.random.default_rng(n)
        arrays = ARRAYS | {"x": rng.standard_normal((20 + 7 * n, 4))}
        cases.append((arrays, program.value_and_grad(arrays)))

    def call(number: int) -> None:
        arrays, expected = cases[number % len(cases)]
        for found, value in zip(program.value_and_grad(arrays), expected, strict=True):
            same(found, value)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(call, range(200)))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_process_makes_threads_of_its_own() -> None:
    program = loopc.compile(NET, threads=3)
    expected = program(ARRAYS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of fork where there are threads
        child = os.fork()
    if child == 0:
        code = 1
        try:
            same(program(ARRAYS), expected)
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    same(program(ARRAYS), expected)


def test_blas_gets_its_threads_back() -> None:
    program = loopc.compile(NET, threads=2)
    program(ARRAYS)
    pool = sys.modules["_loopc_pool_1"]
    if not pool.blas:
        pytest.skip("the threads of this BLAS cannot be set")
    get, put = pool.blas
    before = get()
    put(2)
    try:
        program.value_and_grad(ARRAYS)
        assert get() == 2
        assert pool.users == 0
    finally:
        put(before)


def test_an_interrupt_waits_for_the_other_threads() -> None:
    space: dict[str, Any] = {}
    exec(compile(loopc.compile(NET).source, "alone.py", "exec"), space)
    running, caller = [0], threading.get_ident()

    def run(blocks: range) -> None:
        if threading.get_ident() == caller:
            raise KeyboardInterrupt
        running[0] += 1
        threading.Event().wait(0.01)
        running[0] -= 1

    space["THREADS"] = 3
    for _ in range(5):
        with pytest.raises(KeyboardInterrupt):
            space["_tile"](run, range(40))
        assert running[0] == 0
