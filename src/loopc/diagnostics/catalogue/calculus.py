"""Chapter L05: gradients."""

from __future__ import annotations

from loopc.diagnostics.catalogue.entry import Entry

ENTRIES: tuple[Entry, ...] = ()
