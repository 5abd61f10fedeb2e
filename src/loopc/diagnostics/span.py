"""Places in a program's text."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import field

from loopc.diagnostics.record import Memo, record


@record()
class Source(Memo):
    """A program's text, normalised to NFC, the name it is shown under, and where it lies.

    Attributes:
        folder: the folder that `use` reads from; "" is the current one.
    """

    name: str
    text: str
    folder: str = field(default="", compare=False)

    def line(self, number: int) -> str:
        """Return line `number` (1-based), without its newline."""
        starts = self.starts
        if not 0 < number <= len(starts):
            return ""
        stop = starts[number] - 1 if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : stop]

    @property
    def starts(self) -> list[int]:
        """Where each line starts."""
        try:
            return self.kept  # type: ignore[no-any-return]
        except AttributeError:
            self.kept = [0, *(n + 1 for n, c in enumerate(self.text) if c == "\n")]
            return self.kept  # type: ignore[no-any-return]

    def line_at(self, position: int) -> int:
        """Return the number of the line of a character."""
        return bisect_right(self.starts, position)


@record()
class Span:
    """Characters `start` up to `stop` (exclusive) of a source.

    Lines and columns count from 1, in code points; `end` is the column just past the last
    character, on line `end_line`.
    """

    source: Source
    start: int
    stop: int

    @property
    def file(self) -> str:
        """The name of the source."""
        return self.source.name

    @property
    def line(self) -> int:
        """The line of the first character."""
        return self.source.line_at(self.start)

    @property
    def column(self) -> int:
        """The column of the first character."""
        return self.start - (self.source.text.rfind("\n", 0, self.start) + 1) + 1

    @property
    def end_line(self) -> int:
        """The line of the last character."""
        return self.source.line_at(max(self.start, self.stop - 1))

    @property
    def end(self) -> int:
        """The column just past the last character."""
        last = max(self.start, self.stop - 1)
        return self.stop - (self.source.text.rfind("\n", 0, last) + 1) + 1

    @property
    def text(self) -> str:
        """The characters themselves."""
        return self.source.text[self.start : self.stop]

    def to(self, other: Span) -> Span:
        """Return the smallest span of this source that covers both."""
        return Span(self.source, min(self.start, other.start), max(self.stop, other.stop))

    def __repr__(self) -> str:
        return f"Span({self.file}:{self.line}:{self.column}-{self.end})"
