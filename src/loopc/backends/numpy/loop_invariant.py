"""What a serial loop makes anew in each iteration and need not: views of arrays, and numbers.

A line moves in front of a loop if it makes a part of an array that the loop does not bind again, or
adds and multiplies numbers that it does not change. Whether the loop runs at all does not matter:
a slice is never outside. Source: loop-invariant code motion, Muchnick, Advanced Compiler Design,
ch. 13.2.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from loopc.backends.numpy.release import NAME, assigned_to

_LINE = re.compile(rf" *({NAME}) = (.*)")
_SLICE = r"(?:[^\[\](),:]*:[^\[\](),:]*(?::[^\[\](),:]*)?|None)"
_VIEW = re.compile(rf"{NAME}(?:\[{_SLICE}(?:, {_SLICE})*\]|\.T)+")
_SUM = re.compile(rf"(?:{NAME}|\d+(?:\.\d+)?)(?: [-+*] (?:{NAME}|\d+(?:\.\d+)?))*")
_HEAD = re.compile(rf" *for ({NAME}(?:, {NAME})*) in ")
_WORD = re.compile(rf"(?<![\w.]){NAME}")


def split(
    lines: Sequence[str], numbers: Collection[str], kept: Collection[str]
) -> tuple[list[str], list[str]]:
    """Return the lines of a loop's body that can stand before it, and those that cannot.

    Args:
        lines: the loop's head and its body.
        numbers: the variables that hold no arrays.
        kept: the variables that another iteration, or what follows the loop, may read.
    """
    times: dict[str, int] = {}
    for line in lines:
        for name in (*assigned_to(line), *_counted_by(line)):
            times[name] = times.get(name, 0) + 1
    before: list[str] = []
    rest: list[str] = []
    known = set(numbers)
    for line in lines[1:]:
        found = _LINE.fullmatch(line)
        if found is None or not _moves(found[1], found[2], times, known, kept):
            rest.append(line)
            continue
        before.append(line.strip())
        del times[found[1]]
        if _SUM.fullmatch(found[2]):
            known.add(found[1])
    return before, rest


def _counted_by(line: str) -> list[str]:
    found = _HEAD.match(line)
    return [] if found is None else found[1].split(", ")


def _moves(
    name: str, text: str, times: Mapping[str, int], numbers: Collection[str], kept: Collection[str]
) -> bool:
    if times[name] != 1 or name in kept:
        return False
    words = _WORD.findall(text)
    if any(w in times for w in words):
        return False
    if _VIEW.fullmatch(text):
        return True
    return bool(_SUM.fullmatch(text)) and set(words) <= set(numbers)
