"""Python names for the names of a program."""

from __future__ import annotations

import keyword
import unicodedata
from collections.abc import Container, Iterable

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

    def arrays(self) -> set[str]:
        """Return the identifiers of the program's arrays; what a tile makes, `·n`, is none."""
        return {t for (role, n), t in self.known.items() if role == "array" and n[0] != "·"}

    def numbers(self, scalars: Container[str]) -> set[str]:
        """Return the identifiers that hold no arrays: of dims, indices, blocks and `scalars`."""
        sizes = ("dim", "index", "block")
        known = self.known.items()
        return {t for (role, n), t in known if role in sizes or (role == "array" and n in scalars)}

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
