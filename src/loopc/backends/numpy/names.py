"""Python names for the names of a program."""

from __future__ import annotations

import keyword
import unicodedata
from collections.abc import Iterable

RESERVED = frozenset(
    {"np", "forward", "value_and_grad", "arrays", "range", "max", "min", "slice", "float", "int"}
    | {"len", "sum", "tuple", "zip", "isinstance", "dict", "list", "complex", "bool"}
)


class PythonNames:
    """Gives each name of a program a Python identifier of its own."""

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self.taken = set(RESERVED) | set(reserved)
        self.known: dict[tuple[str, str], str] = {}

    def of(self, name: str, role: str = "array") -> str:
        """Return the identifier of an array, dim or index."""
        key = (role, name)
        if key not in self.known:
            self.known[key] = self.fresh(name)
        return self.known[key]

    def fresh(self, name: str) -> str:
        """Return an identifier like `name` that nothing has yet."""
        text = unicodedata.normalize("NFKC", name.replace(".", "_").replace("~", "_tilde"))
        text = "".join(c if c.isidentifier() or f"a{c}".isidentifier() else "_" for c in text)
        if not text or not text[0].isidentifier():
            text = f"_{text}"
        candidate = text
        while keyword.iskeyword(candidate) or candidate in self.taken:
            candidate += "_"
        self.taken.add(candidate)
        return candidate
