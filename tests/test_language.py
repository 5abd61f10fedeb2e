"""Each example of the language's page gives what it says it gives."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import loopc

PAGE = Path(__file__).parents[1] / "docs" / "language.md"
TEXTS = re.findall(r"```loops\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
NAMES = {"inf": np.inf, "nan": np.nan, "__builtins__": {}}


def named(text: str, word: str) -> dict[str, Any]:
    """Return the arrays of the line `# word a = …; b = …`."""
    (line,) = re.findall(rf"^# {word} (.*)$", text, re.MULTILINE)
    pairs = (part.split(" = ") for part in line.split("; "))
    return {name: np.asarray(eval(value, NAMES)) for name, value in pairs}


@pytest.mark.parametrize("text", TEXTS, ids=lambda t: t.split("\n")[1][:30])
def test_example(text: str) -> None:
    given, gives = named(text, "given"), named(text, "gives")
    for options in ({"backend": "reference"}, {"opt": 0}, {"opt": 2}):
        out = loopc.compile(text, **options)(given)
        assert set(out) == set(gives)
        for name, value in gives.items():
            assert out[name].shape == value.shape
            np.testing.assert_allclose(out[name], value, rtol=1e-12, err_msg=name)
    again = loopc.compile(str(loopc.compile(text)))(given)
    for name, value in gives.items():
        np.testing.assert_allclose(again[name], value, rtol=1e-12, err_msg=name)
