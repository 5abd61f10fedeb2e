"""Chapter L03: names and statements."""

from __future__ import annotations

from loopc.diagnostics.catalogue.entry import Entry

ENTRIES: tuple[Entry, ...] = ()
