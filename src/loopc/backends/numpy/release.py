"""Memory that nothing reads any more is given back: `del` behind the last use of a variable.

An array lives from the line that makes it to the last one that reads it, in the forward and the
adjoint part together; so do the buffers of a tile and the views that its blocks leave behind.
Source: liveness of variables, e.g. Muchnick, Advanced Compiler Design, ch. 14.1.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

_STRING = re.compile(r"'[^']*'|\"[^\"]*\"")
NAME = r"(?:[^\W\d]|[^\x00-\x7f])(?:\w|[^\x00-\x7f])*"
"""An identifier; marks such as a tilde above a letter are no `\\w`."""

_WORD = re.compile(NAME)
_VIEW = re.compile(rf"\s*({NAME}) = ({NAME})\[[^]]*\]$")
_TARGETS = re.compile(rf"\s*((?:{NAME}(?:, )?)+),? = ")
_FUNCTION = re.compile(r"def (\w+)")


_CHANGED = re.compile(rf"\s*((?:{NAME}(?:, )?)+),? (?:\+|-|\*|/|//)?= ")


def assigned_to(line: str) -> list[str]:
    """Return the variables that a line gives new values, in place too."""
    found = _CHANGED.match(line)
    return [] if found is None else found[1].split(", ")


@dataclass
class _Part:
    """A line at the margin with the lines below it.

    Attributes:
        lines: all of them.
        used: the words in them.
        made: the variables that they assign to.
        bound: those of them that are sure to be assigned.
        captures: whether it defines a function, which reads what the variables hold when it runs.
    """

    lines: list[str]
    used: set[str] = field(default_factory=set)
    made: set[str] = field(default_factory=set)
    bound: set[str] = field(default_factory=set)
    captures: bool = False


def released(
    lines: Sequence[str], numbers: Collection[str], kept: Collection[str]
) -> Iterator[str]:
    """Yield the lines of a function, and where variables of its own are given back.

    Args:
        lines: without the indentation of the function.
        numbers: the variables that hold no arrays.
        kept: the arrays that live longer than the call.
    """
    views = (_VIEW.match(line) for line in lines)
    held = {*numbers, *(v[1] for v in views if v is not None and v[2] in kept)}
    parts = [_part(own) for own in _parts(lines)]
    last = _last_uses(parts)
    captured = {name for part in parts if part.captures for name in part.used}
    made: set[str] = set()
    bound: set[str] = set()
    for number, part in enumerate(parts):
        yield from part.lines
        made |= part.made
        bound |= part.bound
        over = sorted(n for n in made if last[n] == number and n not in held)
        made -= set(over)
        if number < len(parts) - 2:
            yield from _given_back(over, bound - captured)


def needed(sizes: Sequence[str], lines: Sequence[str]) -> list[str]:
    """Return those of the lines `name = …` whose variable a later one of them, or a line, reads."""
    used: set[str] = set()
    for line in lines:
        if not line.lstrip().startswith("#"):
            used.update(_WORD.findall(_STRING.sub("", line)))
    found: list[str] = []
    for line in reversed(sizes):
        name, _, value = line.partition(" = ")
        if name in used:
            found.append(line)
            used.update(_WORD.findall(value))
    return found[::-1]


def _given_back(names: Sequence[str], bound: Collection[str]) -> Iterator[str]:
    """Yield the lines that give variables back; `bound`: those that exist and can be deleted."""
    sure = [n for n in names if n in bound]
    perhaps = [n for n in names if n not in bound]
    if sure:
        yield f"del {', '.join(sure)}"
    if perhaps:
        yield f"{' = '.join(perhaps)} = None"


def _parts(lines: Sequence[str]) -> Iterator[list[str]]:
    own: list[str] = []
    for line in lines:
        if own and not line.startswith(" ") and not all(x.startswith("#") for x in own):
            yield own
            own = []
        own.append(line)
    if own:
        yield own


def _part(lines: list[str]) -> _Part:
    part = _Part(lines)
    local = _function(lines)
    part.captures = bool(local) or any("lambda" in line for line in lines)
    for line in lines:
        text = _STRING.sub("", line)
        if text.lstrip().startswith("#"):
            continue
        part.used.update(_WORD.findall(text))
        found = None if local else _TARGETS.match(text)
        if found is not None:
            names = found[1].split(", ")
            part.made.update(names)
            if not text.startswith(" "):
                part.bound.update(names)
    return part


def _function(lines: Sequence[str]) -> str:
    """Return the name of the function that lines define, what they assign to is its own; or ""."""
    found = _FUNCTION.match(next((x for x in lines if not x.startswith("#")), ""))
    return "" if found is None else found[1]


def _last_uses(parts: Sequence[_Part]) -> dict[str, int]:
    """Return the last part that uses each variable, in functions that it calls too."""
    inside: dict[str, set[str]] = {}
    last: dict[str, int] = {}
    for number, part in enumerate(parts):
        used = set(part.used)
        for name, words in inside.items():
            if name in part.used:
                used |= words
        function = _function(part.lines)
        if function:
            inside[function] = used
        for name in used:
            last[name] = number
    return last
