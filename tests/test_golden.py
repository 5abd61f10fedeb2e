"""Golden files: `<case>.loops` in, printed adjoint, generated modules and explanation out.

A case is a file; there is no Python per case. What is expected is also run: the modules under NumPy
alone against the reference interpreter, the adjoint through the whole compiler once more.
"""

from __future__ import annotations

import difflib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import loopc
from support import TESTS, arrays_for, resolve

GOLDEN = TESTS / "golden"
SUFFIXES = (".adjoint.loops", ".opt0.py", ".opt2.py", ".explain.txt")
CASES = sorted(p for p in GOLDEN.rglob("*.loops") if not p.name.endswith(".adjoint.loops"))
NAMES = [str(p.relative_to(GOLDEN).with_suffix("")) for p in CASES]


def produce(case: Path) -> dict[str, str]:
    """Return what loopc makes of a case, by suffix."""
    programs = {opt: loopc.compile(case, opt=opt) for opt in (0, 2)}
    dims = dict.fromkeys(programs[2].dims, 8)
    return {
        ".adjoint.loops": programs[2].adjoint_loops(),
        ".opt0.py": programs[0].source,
        ".opt2.py": programs[2].source,
        ".explain.txt": str(programs[2].explain(**dims)) + "\n",
    }


@pytest.fixture(params=CASES, ids=NAMES)
def case(request: pytest.FixtureRequest) -> Path:
    return request.param


def expectation(case: Path, suffix: str) -> Path:
    return case.with_name(case.stem + suffix)


def test_output_is_as_expected(case: Path, request: pytest.FixtureRequest) -> None:
    made = produce(case)
    if request.config.getoption("--update-golden"):
        for suffix, text in made.items():
            expectation(case, suffix).write_text(text, encoding="utf-8")
    for suffix, text in made.items():
        path = expectation(case, suffix)
        assert path.exists(), f"{path} is missing: make golden"
        expected = path.read_text(encoding="utf-8")
        diff = difflib.unified_diff(expected.splitlines(), text.splitlines(), "expected", "made")
        assert text == expected, "\n".join(diff)


def test_no_expectation_is_without_its_program() -> None:
    expected = {expectation(c, s) for c in CASES for s in SUFFIXES} | set(CASES)
    found = {p for p in GOLDEN.rglob("*") if p.is_file() and "__pycache__" not in p.parts}
    assert found <= expected


def standalone(path: Path) -> dict:
    """Run a generated module as it stands and return its names."""
    namespace: dict = {"__name__": "golden"}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), namespace)
    return namespace


@pytest.mark.parametrize("suffix", [".opt0.py", ".opt2.py"])
def test_the_expected_module_runs_alone_and_agrees_with_the_reference(
    case: Path, suffix: str
) -> None:
    module = standalone(expectation(case, suffix))
    arrays = arrays_for(resolve(case.read_text(encoding="utf-8")))
    reference = loopc.compile(case, backend="reference")
    expected = reference(arrays)
    out = module["forward"](**arrays)
    assert list(out) == list(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(out[name], value, rtol=1e-12, atol=1e-12)
    if any(np.ndim(v) for v in expected.values()):
        return  # no scalar loss: `value_and_grad` of the module needs one
    out, grads = module["value_and_grad"](**arrays)
    for name, value in reference.grad(arrays).items():
        np.testing.assert_allclose(grads[name], value, rtol=1e-12, atol=1e-12)


def test_the_printed_adjoint_is_a_program_like_any_other(case: Path) -> None:
    program = loopc.compile(case)
    adjoint = program.adjoint
    again = loopc.compile(str(adjoint))
    assert str(again) == str(adjoint)
    resolved = resolve(str(adjoint))
    arrays = arrays_for(resolved)
    expected = adjoint(arrays)
    out = again(arrays)
    reference = loopc.compile(str(adjoint), backend="reference")(arrays)
    assert list(out) == list(expected) == list(reference)
    for name in out:
        np.testing.assert_allclose(out[name], reference[name], rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(expected[name], reference[name], rtol=1e-12, atol=1e-12)
    assert str(again.adjoint)


def test_output_does_not_depend_on_the_hash_seed() -> None:
    code = (
        "import sys, pathlib; sys.path.insert(0, sys.argv[1]);"
        "from test_golden import CASES, produce;"
        "sys.stdout.buffer.write(repr([produce(c) for c in CASES]).encode())"
    )
    made = []
    for seed in ("0", "1"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONUTF8": "1"}
        command = [sys.executable, "-c", code, str(TESTS)]
        made.append(subprocess.run(command, env=environment, capture_output=True, check=True))
    assert made[0].stdout == made[1].stdout
    assert made[0].stdout
