"""Where the parser stopped: the token that it could not take, and the line round it."""

from __future__ import annotations

from lark import Token

from loopc.diagnostics.record import record

LAYOUT = ("_NEWLINE", "_INDENT", "_DEDENT")
ASSIGNS = ("EQUAL", "UPDATE")


@record()
class Stop:
    """Where the parser stopped.

    Attributes:
        tokens: all tokens.
        place: the number of the token that it could not take; past the last at the end.
        wanted: the types of the tokens that it could have taken.
    """

    tokens: list[Token]
    place: int
    wanted: frozenset[str]

    @property
    def token(self) -> Token:
        """The token, or the last one at the end."""
        return self.tokens[min(self.place, len(self.tokens) - 1)]

    @property
    def kind(self) -> str:
        """The type of the token, `$END` at the end."""
        return "$END" if self.place >= len(self.tokens) else str(self.token.type)

    @property
    def is_line_end(self) -> bool:
        """Whether the line ends where something is missing."""
        return self.kind in ("_NEWLINE", "$END", "_DEDENT")

    @property
    def line(self) -> list[Token]:
        """The tokens of the logical line up to the place."""
        first = last = min(self.place, len(self.tokens) - 1)
        while first > 0 and self.tokens[first - 1].type not in LAYOUT:
            first -= 1
        return self.tokens[first : last + 1]

    @property
    def before(self) -> str:
        """The word in front, on the same line."""
        line = self.line
        return str(line[-2]) if len(line) > 1 else ""

    @property
    def before_kind(self) -> str:
        """The type of the word in front."""
        line = self.line
        return str(line[-2].type) if len(line) > 1 else ""

    @property
    def is_assigned(self) -> bool:
        """Whether the line has assigned before the place."""
        return any(t.type in ASSIGNS for t in self.line[:-1])

    @property
    def assigns(self) -> bool:
        """Whether the line assigns anywhere."""
        last = self.place
        while last < len(self.tokens) and self.tokens[last].type not in LAYOUT:
            if self.tokens[last].type in ASSIGNS:
                return True
            last += 1
        return self.is_assigned

    @property
    def is_followed_by_colon(self) -> bool:
        """Whether a colon outside brackets follows in the line: the head goes on."""
        depth = 0
        for token in self.tokens[self.place :]:
            depth += {"LSQB": 1, "LPAR": 1, "RSQB": -1, "RPAR": -1}.get(token.type, 0)
            if token.type in LAYOUT or (token.type == "COLON" and depth == 0):
                return token.type == "COLON"
        return False

    @property
    def rest_of_range(self) -> list[Token]:
        """The tokens of a range from the place on: up to a comma, a guard or a last colon."""
        ends = ("COMMA", "COLON", "IF", *ASSIGNS, *LAYOUT)
        last = self.place
        while last < len(self.tokens) and self.tokens[last].type not in ends:
            last += 1
        if not (self.tokens[last : last + 1] and self.tokens[last].type in ends[:3]):
            last = self.place + (self.kind == "NUMBER")  # the statement follows at once
        return self.tokens[self.place : last]

    @property
    def lacks_block(self) -> bool:
        """Whether a block should have begun."""
        return "_INDENT" in self.wanted and self.tokens[max(0, self.place - 1)].type == "_NEWLINE"
