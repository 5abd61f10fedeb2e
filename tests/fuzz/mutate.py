"""Valid programs, damaged: whatever becomes of them, loopc answers with a result or its own error.

    python -m fuzz.mutate 20000        # from tests/, or: make fuzz-mutate N=20000

A word, a character or a line is left out, doubled, exchanged or replaced, one to four times; what
comes out is compiled, run and differentiated. A Python exception that is not `LoopcError` is a
fault, as is anything that takes longer than `SECONDS`.
"""

from __future__ import annotations

import random
import re
import signal
import sys
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from types import FrameType

import numpy as np

import loopc
from loopc.api.samples import samples
from support import TESTS

SECONDS = 5

WORD = re.compile(r"\w[\w~̃]*|\s+|[^\w\s]")
PIECES = (
    "0", "1", "2", "-1", "0.5", "1e3", "i", "j", "k", "N", "x", "y", "L", "x[i]", "W[i,j]", "+", "-",
    "*", "/", "//", "%", "**", "(", ")", "[", "]", ",", ":", ";", "=", "+=", "*=", "max=", "<", "<=",
    "==", "for ", "if ", "in ", "range(", "reversed(", "sum[k](", "softmax[j](", "def ", "input ",
    "param ", "dim ", "output ", "backward ", " wrt ", " as ", "use nn\n", "\n", "    ", "exp(", "ln ",
    "where(", "pad(", "clamp(", "σ'", ".grad", "inf", "nan", "and ", "or ", "not ", "#", '"', "é", "²",
    ": int", ": bool", ": complex", "argmax[k](", "cumsum[i](",
)  # fmt: skip


def texts() -> list[str]:
    """Return the programs to damage, in a fixed order."""
    paths = sorted((*TESTS.glob("corpus/*.loops"), *TESTS.glob("golden/*/*.loops")))
    found = [p.read_text(encoding="utf-8") for p in paths]
    return [t for t in found if len(t) < 2000]


def mutated(text: str, rng: random.Random) -> str:
    """Return a text with one to four small damages."""
    for _ in range(rng.choice((1, 1, 2, 4))):
        text = rng.choice(DAMAGES)(text, rng)
    return text


def _words(text: str, rng: random.Random) -> str:
    words = WORD.findall(text) or [""]
    at, other = rng.randrange(len(words)), rng.randrange(len(words))
    match rng.randrange(5):
        case 0:
            del words[at]
        case 1:
            words.insert(at, words[at])
        case 2:
            words[at], words[other] = words[other], words[at]
        case 3:
            words[at] = words[other]
        case _:
            words[at] = rng.choice(PIECES)
    return "".join(words)


def _characters(text: str, rng: random.Random) -> str:
    at = rng.randrange(len(text) + 1)
    if rng.random() < 0.5:
        return text[:at] + text[at + 1 :]
    return text[:at] + rng.choice(PIECES) + text[at:]


def _lines(text: str, rng: random.Random) -> str:
    lines = text.split("\n")
    at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    match rng.randrange(4):
        case 0:
            del lines[at]
        case 1:
            lines.insert(other, lines[at])
        case 2:
            lines[at], lines[other] = lines[other], lines[at]
        case _:
            lines[at] = "    " * rng.randrange(3) + lines[at].strip()
    return "\n".join(lines)


def _atoms(text: str, rng: random.Random) -> str:
    """Exchange a name, a number or an operator for another of its kind: it may still parse."""
    kind = rng.choice(ATOMS)
    found = list(kind.finditer(text))
    if not found:
        return text
    place = rng.choice(found)
    new = rng.choice(["0", "1", "2", "3", "-1", "7"]) if kind is NUMBER else rng.choice(found)[0]
    return text[: place.start()] + new + text[place.end() :]


NUMBER = re.compile(r"\b\d+\b")
ATOMS = (re.compile(r"[^\W\d]\w*"), NUMBER, re.compile(r"[-+*]=|max=|min=|[-+*/%<=]+"))

DAMAGES: tuple[Callable[[str, random.Random], str], ...] = (
    _words,
    _atoms,
    _atoms,
    _characters,
    _lines,
)


class TooSlowError(Exception):
    """A program took longer than `SECONDS`."""


def _stop(number: int, frame: FrameType | None) -> None:
    raise TooSlowError


def attempt(text: str) -> str:
    """Return how far a program came: the code of its error, or `ran`, `differentiated`.

    Raises:
        Exception: anything but `LoopcError`: a fault.
    """
    stage = "refused"
    signal.signal(signal.SIGPROF, _stop)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)  # of the processor's time
    try:
        program = loopc.compile(text)
        arrays = samples(program, {}, {})
        program(arrays)
        stage = "ran"
        program.grad(arrays)
        stage = "differentiated"
    except loopc.LoopcError as error:
        str(error)
        return error.code if stage == "refused" else stage
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return stage


def search(count: int, start: int = 0, *, loud: bool = False) -> tuple[Counter[str], list[str]]:
    """Return what became of `count` damaged programs, and a text for each fault."""
    sources = texts()
    loopc.compile("for i  y[i] = x[i]\n").grad(x=[1.0], seed=[1.0])  # load what loads once
    stages: Counter[str] = Counter()
    faults: list[str] = []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for seed in range(start, start + count):
            rng = random.Random(seed)
            text = mutated(rng.choice(sources), rng)
            try:
                stages[attempt(text)] += 1
            except Exception:
                stages["fault"] += 1
                faults.append(f"seed {seed}\n{text}\n{traceback.format_exc(limit=-3)}")
                if loud:
                    print(faults[-1], "-" * 60, sep="\n", flush=True)
    return stages, faults


def main() -> None:
    """Search for faults, and report what became of the programs."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    start = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    stages, faults = search(count, start, loud=True)
    print(", ".join(f"{stage}: {times}" for stage, times in stages.most_common()))
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
