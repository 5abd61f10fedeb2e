"""The same program in other words: what the page of the language says means the same.

Other names, other signs for operators, comments, blank lines, line ends, statements on one line and
one over several, `param` for `input`.
"""

from __future__ import annotations

import random
import re

SIGNS = {" <= ": " ≤ ", " >= ": " ≥ ", " != ": " ≠ ", " * ": " · ", " - ": " − ", " -= ": " −= "}
NAMES = {
    "x0": "x̃", "x1": "ŷ_1", "x2": "s~", "n0": "µ", "one": "One_", "t1": "w", "t2": "t2_",
    "t3": "β3", "i": "i_1", "j": "λ", "k": "ç", "a": "a~", "b": "b_", "t": "time", "s": "σ_s",
    "f0": "f_0", "pN": "pₙ", "N": "N_1", "M": "Μμ",
}  # fmt: skip
COMMENTS = ("# for i  x0[i] = 1", "#", '# """ \\', "# é: output x0", "#; t1 = 0")


def new_names(text: str, rng: random.Random) -> dict[str, str]:
    """Return new names for some of a program's."""
    found = sorted(set(re.findall(r"[^\W\d]\w*", text)) & NAMES.keys())
    return {n: NAMES[n] for n in found if rng.randrange(3) and NAMES[n] not in text}


def dressed(text: str, rng: random.Random, renamed: dict[str, str]) -> str:
    """Return a text that means the same."""
    text = re.sub(r"[^\W\d]\w*", lambda m: renamed.get(m[0], m[0]), text)
    for sign, other in SIGNS.items():
        parts = text.split(sign)
        text = parts[0] + "".join(rng.choice((sign, sign, other)) + p for p in parts[1:])
    lines = _joined(text.splitlines(), rng)
    lines = [_opened(line, rng) for line in lines]
    made = []
    for line in lines:
        if rng.randrange(8) == 0:
            made.append(rng.choice(("", "   ", rng.choice(COMMENTS))))
        made.append(line + (f"  {rng.choice(COMMENTS)}" if rng.randrange(8) == 0 else ""))
    if rng.randrange(3) == 0:
        unit = rng.choice(("  ", "\t", " "))
        made = [_indented(line, unit) for line in made]
    return rng.choice(("\n", "\n", "\r\n", "\r")).join(made) + rng.choice(("\n", "", "\n\n"))


def _indented(line: str, unit: str) -> str:
    bare = line.lstrip(" ")
    depth, rest = divmod(len(line) - len(bare), 4)
    return line if rest else unit * depth + bare


SIMPLE = re.compile(r"(?!for |if |def |input |output |param |dim |use |backward )")


def _joined(lines: list[str], rng: random.Random) -> list[str]:
    """Put some statements behind a `;`: simple ones at the left margin."""
    made: list[str] = []
    for line in lines:
        before = made[-1] if made else ""
        simple = SIMPLE.match(line) and line[:1].strip() and before[:1].strip()
        if simple and not before.endswith(":") and "def " not in before and rng.randrange(3) == 0:
            made[-1] = f"{before}; {line}"
        else:
            made.append(line)
    return made


def _opened(line: str, rng: random.Random) -> str:
    """Break a line inside a bracket."""
    places = []
    depth = 0
    for at, ch in enumerate(line):
        depth += (ch in "([") - (ch in ")]")
        if depth and ch == ",":
            places.append(at + 1)
    if not places or rng.randrange(6):
        return line
    at = rng.choice(places)
    return f"{line[:at]}\n  {line[at:].lstrip()}"
