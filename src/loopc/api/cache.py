"""Modules that were generated before: in memory, and as plain source in the user's cache folder.

An entry is one file, named by the SHA-256 of all that it was made from: the resolved program with
the places of its statements, what it was compiled for, and the versions and files of loopc, NumPy
and Python. Its first line holds the SHA-256 of the rest, so that a damaged entry is none. Files are
written beside their place and moved into it. A folder that is somebody else's, or that others may
write to, is not used; where nothing can be read or written, modules are made as without a cache.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from loopc.api.files import write_beside
from loopc.backends import Saved
from loopc.ir.nodes import Access, Index, Program, Subscript, Update
from loopc.ir.visit import walk

FOLDER = "LOOPC_CACHE"
"""The environment's cache folder; `off`: nothing is kept."""

OFF = frozenset({"", "0", "off", "no", "none", "false"})

CAPACITY = 2000
"""Entries on disk, beyond which the oldest half is deleted."""

_MODULES = frozenset(
    {"array", "contextvars", "ctypes", "math", "numpy", "os", "queue", "sys", "threading"}
)
_CALLED = frozenset(
    {"__import__", "breakpoint", "compile", "eval", "exec", "globals", "input", "open", "vars"}
)


class Memory:
    """The modules of this process, the last ones used."""

    def __init__(self, capacity: int = 256) -> None:
        self.capacity = capacity
        self._known: dict[str, Any] = {}
        self._lock = threading.Lock()

    def get(self, key: str) -> Any:
        """Return what is kept under a key; None: nothing."""
        with self._lock:
            found = self._known.pop(key, None)
            if found is not None:
                self._known[key] = found
            return found

    def put(self, key: str, value: Any) -> None:
        """Keep a value."""
        with self._lock:
            self._known[key] = value
            while len(self._known) > self.capacity:
                del self._known[next(iter(self._known))]

    def clear(self) -> None:
        """Keep nothing more."""
        with self._lock:
            self._known.clear()


MEMORY = Memory()


# Keys


def key_of(program: Program, facts: Mapping[str, Any]) -> str:
    """Return the key of a program's module, compiled for `facts`."""
    places = [
        (n.span.file, n.span.line) if n.span is not None else ()
        for n in walk(program)
        if isinstance(n, Update | Access | Subscript)
    ]
    written = [n.written for n in walk(program) if isinstance(n, Index)]
    text = repr((program, places, written, sorted(facts.items()), _versions()))
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def key_of_case(key: str, magnitudes: Sequence[int]) -> str:
    """Return the key of a module that was made for extents of these magnitudes."""
    return hashlib.sha256(f"{key} {tuple(magnitudes)}".encode()).hexdigest()


@lru_cache(maxsize=1)
def _versions() -> tuple[str, ...]:
    """Return the versions of all that decides about a module, loopc's own files included."""
    import numpy as np

    own = hashlib.sha256()
    root = Path(__file__).parent.parent
    for path in sorted(root.rglob("*.py")):
        facts = path.stat()
        own.update(f"{path.relative_to(root)} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return own.hexdigest(), np.__version__, sys.version


# The disk


def is_on() -> bool:
    """Whether modules are kept at all."""
    named = os.environ.get(FOLDER)
    return named is None or named.strip().lower() not in OFF


def folder() -> Path | None:
    """Return the folder of the cache; None: there is none that may be used."""
    if not is_on():
        return None
    named = os.environ.get(FOLDER)
    try:
        path = Path(named) if named else _users_folder() / "loopc"
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = path.stat()
    except (OSError, RuntimeError, ValueError):  # no home, no permission, no such name
        return None
    if hasattr(os, "getuid") and (facts.st_uid != os.getuid() or facts.st_mode & 0o022):
        return None
    return path


def _users_folder() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def load(key: str) -> Saved | None:
    """Return an entry; None: there is none, or it is damaged."""
    where = folder()
    if where is None:
        return None
    try:
        text = (where / f"{key}.py").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    head, _, body = text.partition("\n")
    if head != _head(key, body):
        return None
    facts, _, source = body.partition("\n")
    if not is_allowed(source):
        return None
    return Saved(source=source, **json.loads(facts.removeprefix("# ")))


def store(key: str, saved: Saved) -> None:
    """Write an entry, if that can be done."""
    where = folder()
    if where is None:
        return
    facts = {"inputs": saved.inputs, "free": saved.free, "by_extents": saved.by_extents}
    body = f"# {json.dumps(facts)}\n{saved.source}"
    try:
        write_beside(where / f"{key}.py", f"{_head(key, body)}\n{body}".encode())
        _make_room(where)
    except OSError:  # a full or read-only disk
        return


def _head(key: str, body: str) -> str:
    digest = hashlib.sha256(f"{key}\n{body}".encode("utf-8", "backslashreplace")).hexdigest()
    return f"# made by loopc: {digest}"


def _make_room(where: Path) -> None:
    entries = list(where.glob("*.py"))
    if len(entries) > CAPACITY:
        entries.sort(key=lambda path: (path.stat().st_mtime, path.name))
        for path in entries[: len(entries) // 2]:
            path.unlink(missing_ok=True)


def is_allowed(source: str) -> bool:
    """Whether a text is Python that does no more than generated modules do."""
    try:
        module = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return False
    return all(map(_is_allowed, ast.walk(module)))


def _is_allowed(node: ast.AST) -> bool:
    match node:
        case ast.Import(names):
            return all(n.name.partition(".")[0] in _MODULES for n in names)
        case ast.ImportFrom(module):
            return (module or "").partition(".")[0] in _MODULES
        case ast.Attribute(_, name):
            return name == "__name__" or not (name.startswith("__") and name.endswith("__"))
        case ast.Name(name):
            return name not in _CALLED
        case _:
            return True
