"""Random programs: the reference decides. `make fuzz` runs more of them."""

from __future__ import annotations

import os

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import loopc
from strategies import Case, cases

COUNT = int(os.environ.get("LOOPC_FUZZ", "400"))


@settings(max_examples=COUNT)
@given(cases())
def test_numpy_and_printing_keep_the_references_values(case: Case) -> None:
    expected = loopc.compile(case.text, backend="reference")(case.arrays)
    for opt in (0, 2):
        program = loopc.compile(case.text, opt=opt)
        found = program(case.arrays)
        for name, value in expected.items():
            np.testing.assert_array_equal(found[name], value, err_msg=f"opt={opt}: {name}")
            assert found[name].dtype == value.dtype, name
    printed = str(program)
    again = loopc.compile(printed)
    assert str(again) == printed
    for name, value in again(case.arrays).items():
        np.testing.assert_array_equal(value, expected[name], err_msg=printed)


@settings(max_examples=COUNT // 2)
@given(cases(), st.integers(0, 100))
def test_gradients_of_random_programs_agree_with_differences(case: Case, seed: int) -> None:
    rng = np.random.default_rng(seed)
    arrays = {
        n: rng.standard_normal(a.shape) if a.dtype.kind == "f" else a
        for n, a in case.arrays.items()
    }
    program = loopc.compile(case.text)
    for name, kind in program.outputs.items():
        if kind.dtype != "float":
            continue
        single = loopc.compile(case.text, loss=name)
        if not single.adjoint_loops():
            continue
        report = loopc.gradcheck(single, arrays, tolerance=1e-6)
        assert report, f"{name}\n{report}\n{single.adjoint}"
