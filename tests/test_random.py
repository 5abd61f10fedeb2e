"""Random programs: the reference decides. `make fuzz` runs more of them."""

from __future__ import annotations

import os

import numpy as np
from hypothesis import given, settings

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
