"""Every program of the corpus: each level against the reference, gradients, printing."""

from __future__ import annotations

import numpy as np
import pytest

import loopc
from loopc.api.samples import samples
from loopc.ir.unbuild import to_text
from loopc.ir.verify import verify
from support import TESTS, resolve

CORPUS = sorted((TESTS / "corpus").glob("*.loops"))

SURROGATE = {"stop_gradient"}
"""Programs whose gradient is by intent not the derivative."""


@pytest.fixture(params=CORPUS, ids=[p.stem for p in CORPUS])
def text(request: pytest.FixtureRequest) -> str:
    return request.param.read_text(encoding="utf-8")


def arrays_of(program: loopc.Program) -> dict[str, np.ndarray]:
    return samples(program, {}, {}, seed=3)


def assert_close(found: loopc.Results, expected: loopc.Results) -> None:
    assert list(found) == list(expected)
    for name, value in expected.items():
        assert found[name].dtype == value.dtype, name
        np.testing.assert_allclose(found[name], value, rtol=1e-12, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("opt", [0, 1, 2])
def test_numpy_agrees_with_the_reference(text: str, opt: int) -> None:
    reference = loopc.compile(text, backend="reference")
    arrays = arrays_of(reference)
    kept = {n: np.array(v) for n, v in arrays.items()}
    assert_close(loopc.compile(text, opt=opt)(arrays), reference(arrays))
    for name, value in kept.items():
        np.testing.assert_array_equal(arrays[name], value)


def test_float32_stays_float32(text: str) -> None:
    program = loopc.compile(text)
    wide = arrays_of(program)
    if not any(np.asarray(v).dtype.kind == "f" for v in wide.values()):
        return
    narrow = {
        n: v.astype(np.float32) if np.asarray(v).dtype.kind == "f" else v for n, v in wide.items()
    }
    for name, value in program(narrow).items():
        assert value.dtype != np.float64, name
        np.testing.assert_allclose(value, program(wide)[name], rtol=2e-4, atol=2e-4, err_msg=name)


def test_printing_and_reading_give_the_same_program(text: str) -> None:
    program = resolve(text)
    printed = to_text(program)
    again = verify(resolve(printed))
    assert to_text(again) == printed
    compiled = loopc.compile(text)
    assert_close(loopc.compile(printed)(arrays_of(compiled)), compiled(arrays_of(compiled)))


def test_the_adjoint_agrees_with_central_differences(
    text: str, request: pytest.FixtureRequest
) -> None:
    if any(name in request.node.name for name in SURROGATE):
        return
    program = loopc.compile(text)
    for name, kind in program.outputs.items():
        if kind.dtype != "float" or not program.wrt:
            continue
        single = loopc.compile(text, loss=name)
        if not single.adjoint_loops():
            continue  # the output depends on no float input
        report = loopc.gradcheck(single, arrays_of(program), tolerance=1e-6)
        assert report, report


def test_the_adjoint_agrees_with_its_own_reference(text: str) -> None:
    program = loopc.compile(text)
    if not program.wrt or not any(t.dtype == "float" for t in program.outputs.values()):
        return
    adjoint = program.adjoint
    verify(adjoint.ir)
    printed = str(adjoint)
    arrays = samples(adjoint, {}, {}, seed=4)
    reference = loopc.compile(printed, backend="reference")
    assert str(reference) == printed
    expected = reference(arrays)
    for opt in (0, 2):
        assert_close(loopc.compile(printed, opt=opt)(arrays), expected)
    assert_close(adjoint(arrays), expected)
    assert str(loopc.compile(printed).adjoint)
