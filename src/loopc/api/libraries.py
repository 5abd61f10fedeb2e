"""The functions of the libraries that ship with the package: their texts, as they are written."""

from __future__ import annotations

import re

from loopc.diagnostics.record import record
from loopc.ir.build_use import library_files


@record()
class LibraryFunction:
    """A `def` of a library.

    Attributes:
        name: its name.
        topic: what the file that it stands in is about.
        signature: its arguments and results, with shapes.
        summary: the first line of its description.
        text: all of it.
    """

    name: str
    topic: str
    signature: str
    summary: str
    text: str


def functions(library: str) -> dict[str, LibraryFunction]:
    """Return the functions of a library by name, in the order of its files."""
    found: dict[str, LibraryFunction] = {}
    for text in library_files(library).values():
        head, *defs = re.split(r"^def ", text, flags=re.MULTILINE)
        topic = " ".join(line.removeprefix("#").strip() for line in head.strip().splitlines())
        for body in defs:
            first, second, *_ = body.splitlines()
            name = first.partition("(")[0]
            summary = second.strip().removeprefix("#").strip()
            signature = first.removesuffix(":")
            whole = f"def {body.rstrip()}"
            found[name] = LibraryFunction(name, topic, signature, summary, whole)
    return found
