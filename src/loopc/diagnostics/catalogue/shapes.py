"""Chapter L02: ranges, shapes and bounds."""

from __future__ import annotations

from loopc.diagnostics.catalogue.entry import Entry

ENTRIES: tuple[Entry, ...] = ()
