"""Random programs: the reference decides. `make fuzz` runs more of them, and shrinks what fails."""

from __future__ import annotations

import os
import random

import pytest

from fuzz.gradients import judge_gradient
from fuzz.judge import judge, stages
from fuzz.programs import case

COUNT = int(os.environ.get("LOOPC_FUZZ", "240"))
CHUNK = 20


@pytest.mark.parametrize("first", range(0, COUNT, CHUNK))
def test_backends_and_printing_keep_the_references_values(first: int) -> None:
    failed = []
    for seed in range(first, min(first + CHUNK, COUNT)):
        made = case(random.Random(seed), smooth=seed % 4 == 3)
        verdict = judge(made, stages(seed))
        if verdict.kind == "failed":
            failed.append(f"seed {seed}: {verdict.reason}\n{made!r}\n{verdict.detail}")
    assert not failed, "\n".join(failed)


@pytest.mark.parametrize("first", range(0, COUNT // 3, CHUNK))
def test_gradients_are_those_of_exact_dual_numbers(first: int) -> None:
    failed = []
    for seed in range(first, min(first + CHUNK, COUNT // 3)):
        made = case(random.Random(seed), gradient=True)
        verdict = judge_gradient(made, seed)
        if verdict.kind == "failed":
            failed.append(f"seed {seed}: {verdict.reason}\n{made!r}\n{verdict.detail}")
    assert not failed, "\n".join(failed)
