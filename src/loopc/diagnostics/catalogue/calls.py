"""Chapter L06: the arrays of a call."""

from __future__ import annotations

from loopc.diagnostics.catalogue.entry import Entry

ENTRIES: tuple[Entry, ...] = ()
