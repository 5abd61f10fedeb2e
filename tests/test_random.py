"""Random programs: the reference decides. `make fuzz` runs more of them, and shrinks what fails."""

from __future__ import annotations

import os
import random

import pytest

from fuzz.directions import judge_directions
from fuzz.gradients import judge_gradient
from fuzz.judge import judge, stages
from fuzz.programs import case
from fuzz.varied import varied

COUNT = int(os.environ.get("LOOPC_FUZZ", "240"))
CHUNK = 20


@pytest.mark.parametrize("first", range(0, COUNT, CHUNK))
def test_backends_and_printing_keep_the_references_values(
    first: int,
) -> None:
    failed = []
    for seed in range(first, min(first + CHUNK, COUNT)):
        made = case(random.Random(seed), smooth=seed % 4 == 3)
        with varied(seed):
            verdict = judge(made, stages(seed))
        if verdict.kind == "failed":
            failed.append(f"seed {seed}: {verdict.reason}\n{made!r}\n{verdict.detail}")
    assert not failed, "\n".join(failed)


@pytest.mark.parametrize("first", range(0, COUNT // 4, CHUNK))
def test_gradients_are_those_of_exact_dual_numbers(
    first: int,
) -> None:
    failed = []
    for seed in range(first, min(first + CHUNK, COUNT // 4)):
        made = case(random.Random(seed), gradient=True)
        with varied(seed):
            verdict = judge_gradient(made, seed)
        if verdict.kind == "failed":
            failed.append(f"seed {seed}: {verdict.reason}\n{made!r}\n{verdict.detail}")
    assert not failed, "\n".join(failed)


@pytest.mark.parametrize("placed", [False, True])
@pytest.mark.parametrize("first", range(0, COUNT // 8, CHUNK))
def test_forward_and_reverse_mode_and_differences_agree(first: int, *, placed: bool) -> None:
    failed = []
    for seed in range(first, min(first + CHUNK, COUNT // 8)):
        made = case(random.Random(seed), smooth=True, gradient=True, placed=placed)
        with varied(seed):
            verdict = judge_directions(made, seed)
        if verdict.kind == "failed":
            failed.append(f"seed {seed}: {verdict.reason}\n{made!r}\n{verdict.detail}")
    assert not failed, "\n".join(failed)
