"""Comments and blank lines are kept: each goes to the statement it stands above or behind."""

from __future__ import annotations

from loopc.diagnostics.record import record, replace
from loopc.syntax import tree


@record()
class Comment:
    """A comment with its `#`, its line, and whether nothing stands before it."""

    text: str
    line: int
    own_line: bool


def attach(module: tree.Module, comments: list[Comment]) -> tree.Module:
    """Return the module with every comment on a statement, or in its tail."""
    attacher = _Attacher(comments)
    body = tuple(attacher.statement(s) for s in module.body)
    return replace(module, body=body, tail=tuple(c.text for c in attacher.rest()))


class _Attacher:
    """Hands comments out in the order of the text."""

    def __init__(self, comments: list[Comment]) -> None:
        self._comments = comments
        self._next = 0
        self._line = 0

    def rest(self) -> list[Comment]:
        """Return the comments that no statement has taken."""
        return self._comments[self._next :]

    def statement(self, statement: tree.Statement) -> tree.Statement:
        """Return the statement with its comments, and its body with theirs."""
        assert statement.span is not None
        first = statement.span.line
        above = self._take_until(first)
        top = above[0].line if above else first
        blank = self._line > 0 and top > self._line + 1
        blank = blank and not statement.span.source.line(top - 1).strip()
        if isinstance(statement, tree.For | tree.If | tree.Def):
            last = first if statement.body and not _inline(statement) else statement.span.end_line
        else:
            last = statement.span.end_line
        behind = self._take_until(last + 1)
        self._line = last
        texts = tuple(c.text for c in above)
        changed: dict[str, object] = {"above": texts, "blank": blank}
        changed["behind"] = "  ".join(c.text for c in behind)
        if isinstance(statement, tree.For | tree.If | tree.Def) and not _inline(statement):
            changed["body"] = tuple(self.statement(s) for s in statement.body)
        return replace(statement, **changed)  # type: ignore[arg-type]

    def _take_until(self, line: int) -> list[Comment]:
        taken = []
        while self._next < len(self._comments) and self._comments[self._next].line < line:
            taken.append(self._comments[self._next])
            self._next += 1
        return taken


def _inline(statement: tree.For | tree.If | tree.Def) -> bool:
    return not isinstance(statement, tree.Def) and statement.inline
