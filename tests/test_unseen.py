"""Programs written without a look at the compiler: values and gradients at every level."""

from __future__ import annotations

import numpy as np
import pytest

import loopc
from loopc.api.samples import samples
from programs_unseen import PROGRAMS


@pytest.mark.parametrize("name", PROGRAMS)
def test_values_and_gradients_are_the_references(name: str) -> None:
    text, dims = PROGRAMS[name]
    plain = loopc.compile(text, backend="reference", loss="L")
    arrays = samples(plain, dims, {}, seed=1)
    values, slopes = plain.value_and_grad(arrays)
    assert np.isfinite(values["L"])
    for opt in range(3):
        program = loopc.compile(text, opt=opt, loss="L")
        found, gradients = program.value_and_grad(arrays)
        np.testing.assert_allclose(found["L"], values["L"], rtol=1e-10, atol=1e-12)
        for key, slope in slopes.items():
            np.testing.assert_allclose(
                gradients[key], slope, rtol=1e-7, atol=1e-9, equal_nan=True, err_msg=key
            )
