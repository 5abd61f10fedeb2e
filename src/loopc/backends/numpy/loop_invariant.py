"""What a serial loop makes anew in each iteration and need not: views of arrays, numbers, sizes.

A line moves in front of a loop if it makes a part of an array that the loop does not bind again, or
adds and multiplies numbers that it does not change. Whether the loop runs at all does not matter:
a slice is never outside. Source: loop-invariant code motion, Muchnick, Advanced Compiler Design,
ch. 13.2.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence

from loopc.backends.numpy.release import NAME, assigned_to

_LINE = re.compile(rf" *({NAME}) = (.*)")
_SLICE = r"(?:[^\[\](),:]*:[^\[\](),:]*(?::[^\[\](),:]*)?|None)"
_VIEW = re.compile(rf"{NAME}(?:\[{_SLICE}(?:, {_SLICE})*\]|\.T)+")
_SUM = re.compile(rf"(?:{NAME}|\d+(?:\.\d+)?)(?: [-+*] (?:{NAME}|\d+(?:\.\d+)?))*")
_HEAD = re.compile(rf" *for ({NAME}(?:, {NAME})*) in ")
_IN_PLACE = re.compile(rf" *{NAME} (?:\+|-|\*|/|//)= ")
_TYPED = re.compile(rf"{NAME}\.type\([\d.]+\)")
_SIZE = re.compile(r"max\([\w +*/-]*, 0\)")
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
    times = Counter(n for line in lines for n in _bound_by(line, numbers))
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


def named(
    lines: Sequence[str], numbers: Collection[str], name: Callable[[str], str]
) -> tuple[list[str], list[str]]:
    """Return the lines that give sizes of a loop's text names, and the loop's lines with these.

    Args:
        lines: the loop's head and its body.
        numbers: the variables that hold no arrays.
        name: gives the variable of a size.
    """
    changing = {n for line in lines for n in _bound_by(line, numbers)}
    fixed = set(numbers) - changing
    code = [line for line in lines if _is_code(line)]
    found = Counter(size for line in code for size in _SIZE.findall(line))
    names = {
        size: name(size)
        for size, times in found.items()
        if times > 1 and set(_WORD.findall(size)) - {"max"} <= fixed
    }

    def short(match: re.Match[str]) -> str:
        return names.get(match[0], match[0])

    rest = [_SIZE.sub(short, line) if _is_code(line) else line for line in lines]
    return [f"{new} = {size}" for size, new in names.items()], rest


def _is_code(line: str) -> bool:
    """Whether a line has neither a comment nor a text in it."""
    return not any(mark in line for mark in "#'\"")


def _bound_by(line: str, numbers: Collection[str]) -> list[str]:
    """Return the variables that stand for something else after a line; an array is changed."""
    found = _HEAD.match(line)
    if found is not None:
        return found[1].split(", ")
    in_place = _IN_PLACE.match(line)
    return [n for n in assigned_to(line) if in_place is None or n in numbers]


def _moves(
    name: str, text: str, times: Mapping[str, int], numbers: Collection[str], kept: Collection[str]
) -> bool:
    if times[name] != 1 or name in kept:
        return False
    words = _WORD.findall(text)
    if any(w in times for w in words):
        return False
    if _VIEW.fullmatch(text) or _TYPED.fullmatch(text):
        return True
    return bool(_SUM.fullmatch(text)) and set(words) <= set(numbers)
