"""Random programs: the reference decides. `make fuzz` runs more of them, and shrinks what fails."""

from __future__ import annotations

import os
import random

import pytest

from fuzz.directions import judge_directions
from fuzz.gradients import judge_gradient
from fuzz.judge import judge, stages, threads, tiles
from fuzz.programs import case
from loopc.backends.numpy import helpers

COUNT = int(os.environ.get("LOOPC_FUZZ", "240"))
CHUNK = 20


def vary(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let tiles run in blocks, and on threads, that the number decides."""
    for name, text in tiles(seed).items():
        monkeypatch.setitem(helpers.HELPERS, name, text)
    monkeypatch.setenv("LOOPC_THREADS", threads(seed))


@pytest.mark.parametrize("first", range(0, COUNT, CHUNK))
def test_backends_and_printing_keep_the_references_values(
    first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = []
    for seed in range(first, min(first + CHUNK, COUNT)):
        vary(seed, monkeypatch)
        made = case(random.Random(seed), smooth=seed % 4 == 3)
        verdict = judge(made, stages(seed))
        if verdict.kind == "failed":
            failed.append(f"seed {seed}: {verdict.reason}\n{made!r}\n{verdict.detail}")
    assert not failed, "\n".join(failed)


@pytest.mark.parametrize("first", range(0, COUNT // 4, CHUNK))
def test_gradients_are_those_of_exact_dual_numbers(
    first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = []
    for seed in range(first, min(first + CHUNK, COUNT // 4)):
        vary(seed, monkeypatch)
        made = case(random.Random(seed), gradient=True)
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
        verdict = judge_directions(made, seed)
        if verdict.kind == "failed":
            failed.append(f"seed {seed}: {verdict.reason}\n{made!r}\n{verdict.detail}")
    assert not failed, "\n".join(failed)
